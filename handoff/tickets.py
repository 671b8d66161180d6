"""The life of a ticket: who may move it where, what the customer hears of it, and when the next word is due. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from bot import texts
from bot.dialogue import AddToTicket, Alarm, DropTimer, Learn, OpenTicket, SetTimer, TicketView
from bot.flows import journal, line
from bot.flows.draft import Draft, Missing
from bot.flows.progress import FINISHED
from handoff import care
from handoff.care import Refused, notice
from handoff.dialogue import AgentView, MoveTicket, OwnTicket, Result, Settle, TicketWord

WORK: Final = frozenset({"assigned", "waiting_customer", "waiting_parts", "resolved", "closed"})
MOVES: Final[Mapping[str, frozenset[str]]] = {  # from -> to
    "new": WORK,
    "assigned": WORK,
    "reopened": WORK,
    "waiting_customer": WORK,
    "waiting_parts": WORK,
    "resolved": frozenset({"closed", "reopened"}),
    "closed": frozenset({"reopened"}),
}
WAITING: Final = frozenset({"waiting_customer", "waiting_parts"})
DAY: Final = timedelta(days=1)
DAILY: Final = ("ticket_overdue", "ticket_waiting")  # alarms of which only the last one counts, until it moves
PRIORITIES: Final = frozenset({"normal", "high", "urgent"})
CAME: Final = ("chat", "phone", "email", "letter", "visit")  # ways in which a matter reached us
USUAL: Final = {"kind": "question", "priority": "normal", "came": "chat"}  # of a ticket somebody opens
LEARNT: Final = frozenset({"contact", "product"})  # fields that say something of the customer himself
SUBJECT: Final = 500  # characters
WORDS: Final = 8000
TEAM: Final = 35  # characters of a team's name that a ticket's owner can hold


# ---------------------------------------------------------------- what agents do


def opened(draft: Draft, who: AgentView) -> None:
    """A ticket for the customer: of his call or letter (``came``), or of what was said in the chat."""
    data, policy = draft.event.data, draft.turn.policy
    kind, priority, came = (str(data.get(name) or usual) for name, usual in USUAL.items())
    details = policy.forms.details(data.get("details"))
    subject = str(data.get("subject", "")).strip()[:SUBJECT] or matter(details)
    if not subject:
        raise Refused("empty")
    if kind not in policy.forms.kinds or priority not in PRIORITIES or came not in CAME:
        raise Refused("unknown")
    owner, team = _whose(draft, who)
    number = next(draft.tickets)
    promised = policy.promised(kind, priority, str(draft.turn.customer.get("tier", "")))
    due = care.due(draft) or policy.hours.add(draft.now, promised)
    for part in LEARNT & details.keys():
        draft.do(Learn(part, details[part]))
    details |= {"language": draft.lang, **({} if came == "chat" else {"came": came})}
    whose = owner.id if owner else None
    draft.do(OpenTicket(number, kind, subject, due, priority, details, draft.files, whose))
    if team:
        draft.do(OwnTicket(number, None, team))
    if not draft.turn.by_hand:
        notice(draft, "ticket.made", number=number, subject=subject, by=draft.by(due))
    draft.do(Result(True, {"number": number}))


def matter(details: Mapping[str, str]) -> str:
    """What a ticket is about where only its form says so."""
    return ", ".join(told for name, told in details.items() if name != "contact")[:SUBJECT]


def moved(draft: Draft, who: AgentView) -> None:
    """To another state; the customer is told in the chat the ticket came from."""
    ticket, state = _ticket(draft), str(draft.event.data.get("state", ""))
    text = str(draft.event.data.get("text", "")).strip()[:WORDS]
    if state not in MOVES[ticket.state] and state != ticket.state:
        raise Refused("move", state=ticket.state, to=sorted(MOVES[ticket.state]))
    if state == "waiting_customer" and not text:
        raise Refused("empty")  # he would not know what is waited for
    move(draft, ticket, state, agent=who.id, text=text, due_at=care.due(draft))
    if ticket.agent is None and state not in FINISHED:
        draft.do(OwnTicket(ticket.number, who.id))
    if state == "waiting_customer" and _free(draft):
        journal.begin(draft, "ticket_reply", number=ticket.number, text=text)
    else:
        told = {"number": ticket.number, "state": texts.Word(f"state.{state}"), "text": text}
        notice(draft, "ticket.moved.said" if text else "ticket.moved", **told)


def owned(draft: Draft, who: AgentView) -> None:
    """To a colleague, or to a team's line."""
    ticket = _ticket(draft)
    other, team = _whose(draft, who)
    draft.do(OwnTicket(ticket.number, other.id if other else None, team))
    if ticket.state == "new" and other:
        move(draft, ticket, "assigned", agent=who.id)


def _whose(draft: Draft, who: AgentView) -> tuple[AgentView | None, str]:
    """The colleague or the team that is named, else himself. Raises Refused."""
    to, team = draft.event.data.get("to_agent"), str(draft.event.data.get("to_team") or "")
    other: AgentView | None = draft.look("agent", str(to)) if to else None
    if (to and other is None) or (team and not (len(team) <= TEAM and draft.look("members", team))):
        raise Refused("nobody")
    return (other, team) if to or team else (who, "")


def worded(draft: Draft, who: AgentView) -> None:
    """A word on it: to the customer, or for colleagues only."""
    ticket, text = _ticket(draft), str(draft.event.data.get("text", "")).strip()[:WORDS]
    remark = not draft.event.data.get("public")
    if not text and not draft.files:
        raise Refused("empty")
    draft.do(TicketWord(ticket.number, who.id, text, remark, draft.files))
    if not remark:
        notice(draft, "ticket.word", number=ticket.number, text=text)


COMMANDS: Final = {"ticket_open": opened, "ticket_move": moved, "ticket_own": owned, "ticket_word": worded}


# ---------------------------------------------------------------- what moves it, and what time does


def move(
    draft: Draft, ticket: TicketView, state: str, *, agent: int = 0, text: str = "", due_at: datetime | None = None
) -> None:
    """Move it, and plan its next moment: the answer owed, the reminder, or the end."""
    policy, people = draft.turn.policy, draft.turn.policy.people
    if draft.talk.flow == "ticket_reply" and draft.talk.journal[0][1].get("number") == ticket.number:
        journal.drop(draft)  # nobody waits for that answer any more
    due = due_at  # if nothing is agreed: as promised (handoff/deadlines.py)
    if state == "resolved":
        due = draft.now + timedelta(seconds=people.close_after)
    elif state in WAITING:
        due = due_at or policy.hours.add(draft.now, people.remind_after)
    draft.do(MoveTicket(ticket.number, ticket.state, state, agent, text, None if state == "closed" else due))
    draft.do(Settle(DAILY, ticket.number))
    if state == "closed":
        draft.do(DropTimer("ticket_due", f"ticket:{ticket.number}"))
    elif due:
        _look_after(draft, ticket.number, due)


def due(draft: Draft) -> None:
    """What was due on a ticket is not done: who must act is reminded; nobody's silence ends in nothing."""
    ticket = view(draft, str(draft.event.data.get("number") or draft.event.subject.removeprefix("ticket:")))
    if ticket is None or ticket.state == "closed":
        return
    silent = draft.talk.stopped or draft.agent_has_floor
    if ticket.state == "resolved":
        move(draft, ticket, "closed")
        return
    said = bool(draft.event.data.get("said"))
    if ticket.state not in WAITING and ticket.due_at and ticket.due_at > draft.now:  # it was planned anew
        _look_after(draft, ticket.number, ticket.due_at + DAY, said=said)
        return
    draft.do(Settle(DAILY, ticket.number))
    if ticket.state == "waiting_customer":
        if not said and _free(draft) and not silent:
            journal.begin(draft, "ticket_reply", number=ticket.number, text=ticket.last_word, again=True)
        else:
            draft.do(Alarm("ticket_waiting", ticket.number, ticket.agent, ticket=ticket.number))
    else:
        journal.begin(draft, "overdue", number=ticket.number, agent=ticket.agent, apologise=not (said or silent))
    _look_after(draft, ticket.number, draft.now + DAY, said=said or not silent)


def reopen(draft: Draft, number: str) -> None:
    """The customer is not content: his ticket is open again, or, after long, a new one carries it on."""
    ticket = view(draft, number)
    if ticket is None or ticket.state not in FINISHED:
        draft.say("button.gone")
        return
    draft.open()
    ended = ticket.ended_at or draft.now
    if draft.now - ended <= timedelta(seconds=draft.turn.policy.people.reopen_within):
        move(draft, ticket, "reopened")
        draft.do(Alarm("ticket_reopened", number, ticket.agent, ticket=number))
        draft.keep(ticket=number)
        draft.say("ticket.reopened", number=number)
        return
    if further := next((t for t in draft.turn.tickets if t.follows == ticket.id), None):
        _carried_on(draft, further, number)
        return
    new, policy = next(draft.tickets), draft.turn.policy
    due_at = policy.hours.add(draft.now, policy.promised(ticket.kind, tier=str(draft.turn.customer.get("tier", ""))))
    details = {"language": draft.lang}
    draft.do(OpenTicket(new, ticket.kind, ticket.subject, due_at, details=details, agent=ticket.agent, follows=number))
    draft.keep(ticket=new)
    draft.say("ticket.carried_on", number=new, old=number, by=draft.by(due_at))


def _carried_on(draft: Draft, further: TicketView, old: str) -> None:
    """Another ticket carries it on already: what the customer says now belongs to that one."""
    if further.state in FINISHED:
        reopen(draft, further.number)
        return
    draft.keep(ticket=further.number)
    draft.say("ticket.carried_on", number=further.number, old=old, by=draft.by(further.due_at or draft.now))


def heard(draft: Draft) -> None:
    """Tickets the customer has added to: what waited for him waits no more."""
    for number in dict.fromkeys(e.number for e in draft.effects if isinstance(e, AddToTicket)):
        ticket = next((t for t in draft.turn.tickets if t.number == number), None)
        if ticket and ticket.state == "waiting_customer":
            move(draft, ticket, "assigned")
            draft.do(Alarm("ticket_answered", number, ticket.agent, ticket=number))


def view(draft: Draft, number: str) -> TicketView | None:
    """One of the customer's tickets, finished or not."""
    own = next((t for t in draft.turn.tickets if t.number == number), None)
    if own is None and ("ticket", number) not in draft.turn.looked:
        raise Missing("ticket", number)
    return own or draft.turn.looked["ticket", number]


def _free(draft: Draft) -> bool:
    """Whether the bot may ask the customer something now."""
    return not (draft.talk.flow or draft.talk.stopped or draft.agent_has_floor or line.waits(draft))


def _look_after(draft: Draft, number: str, due: datetime, *, said: bool = False) -> None:
    draft.do(SetTimer("ticket_due", due, f"ticket:{number}", {"number": number, "said": said}))


def _ticket(draft: Draft) -> TicketView:
    ticket = view(draft, str(draft.event.data.get("ticket", "")))
    if ticket is None:
        raise Refused("gone")
    return ticket
