"""What is promised moves with what is done: clocks start, rest and end, whoever must act is warned, a miss told. Pure.

Nobody starts a clock by hand: ``follow`` sees at the end of a turn what was done in it, whatever way it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from bot.dialogue import AddToTicket, Alarm, Close, Effect, Fact, OpenTicket, Say, SetTimer, TicketView
from bot.flows import floor
from bot.flows.draft import Draft
from bot.flows.progress import FINISHED
from bot.messages import Author, Kind
from handoff import tickets
from handoff.care import notice
from handoff.dialogue import Assign, MakePromise, MoveTicket, PlanTicket, Queue, Settle, TicketWord
from handoff.standards import CHAT, MEASURED, SLACK, Step
from handoff.watch import DAY, Watch, clocks_of

PEOPLE: Final = frozenset({"queue", "agent"})
URGENCY: Final = ("urgent", "high", "normal")  # of a conversation, by the priority of its place in the line
AGREED: Final = "agreed"  # the time that an agent has named for a ticket stands beside its clocks
DONE_TO: Final = (OpenTicket, MoveTicket, TicketWord, AddToTicket)
MOVING: Final = frozenset({*DONE_TO, MakePromise, Queue, Assign})


def follow(draft: Draft) -> None:
    """What was done in this turn starts, rests or ends what is promised on it."""
    here = draft.turn.conversation
    concerned = "clocks" in draft.talk.extra or (here is not None and here.owner in PEOPLE)
    if not concerned and not any(type(effect) in MOVING for effect in draft.effects):
        return  # as of nearly all turns: the bot and the customer are among themselves
    _conversation(draft)
    for number, effects in _touched(draft).items():
        _ticket(draft, number, effects)


# ---------------------------------------------------------------- conversations with people


def _conversation(draft: Draft) -> None:
    was = draft.turn.conversation.owner if draft.turn.conversation else "none"
    owner, before = _owner(draft), clocks_of(draft.talk.extra.get("clocks", {}))
    if not (before or owner in PEOPLE):
        return
    waits = next((e for e in draft.effects if isinstance(e, Queue)), None)
    asked = waits is not None and was not in PEOPLE
    if waits and asked:
        draft.keep(urgency=URGENCY[waits.priority])
    watch = _of_talk(draft)
    if asked:
        watch.start("first_reply", "resolution")
    if spoke := next((e.agent for e in draft.effects if isinstance(e, Say) and e.author is Author.AGENT), None):
        watch.end("first_reply", "next_reply", agent=spoke)
        watch.rest("resolution")
    elif draft.event.kind in (Kind.TEXT, Kind.EDIT) and was in PEOPLE:
        watch.start(*(() if watch.measures("first_reply") else ("next_reply",)))
        watch.go_on("resolution")
    if owner not in PEOPLE:
        if any(isinstance(e, Close) and e.reason == "agent" for e in draft.effects):
            watch.end("resolution")
        watch.drop(*MEASURED)
    if watch.clocks != before or not watch.running:
        draft.keep(clocks=watch.running or None)
    if owner not in PEOPLE:
        draft.keep(urgency=None)
    watch.set_timers(before)


def _owner(draft: Draft) -> str:
    """Who has the customer after this turn; of people on the platform itself nothing is promised."""
    return "platform" if draft.talk.extra.get("platform") else floor.owner(draft.turn, draft.effects)


def _of_talk(draft: Draft) -> Watch:
    here, urgency = draft.turn.conversation, str(draft.talk.extra.get("urgency", "normal"))
    number, agent = (here.number, here.agent) if here else (draft.number, None)
    watch = Watch(draft, "conversation", number, (CHAT, urgency), agent)
    watch.clocks = clocks_of(draft.talk.extra.get("clocks", {}))
    return watch


# ---------------------------------------------------------------- tickets


def _touched(draft: Draft) -> dict[str, list[Effect]]:
    """The tickets that something was done to; an agent's words in the chat are for those nobody else sees to."""
    found: dict[str, list[Effect]] = {}
    for effect in draft.effects:
        if isinstance(effect, DONE_TO):
            found.setdefault(effect.number, []).append(effect)
        elif isinstance(effect, MakePromise) and effect.ticket:
            found.setdefault(effect.ticket, []).append(effect)
        elif isinstance(effect, Say) and effect.author is Author.AGENT:
            for ticket in draft.turn.tickets:
                if ticket.agent in (None, effect.agent) and ticket.clocks:
                    found.setdefault(ticket.number, []).append(effect)
    return found


def _ticket(draft: Draft, number: str, effects: Iterable[Effect]) -> None:
    new = next((e for e in effects if isinstance(e, OpenTicket)), None)
    ticket = None if new else tickets.view(draft, number)
    if new:
        watch, state = Watch(draft, f"ticket:{number}", number, (new.kind, new.priority), new.agent), "new"
    elif ticket:
        watch, state = _of_ticket(draft, ticket), ticket.state
    else:
        return
    before, agreed = dict(watch.clocks), _agreed(draft, ticket)
    planned = new is not None
    for effect in effects:
        match effect:
            case OpenTicket(due_at=due):
                watch.start("first_reply", "resolution")
                agreed = due if due != watch.due("first_reply") else None
            case MoveTicket(state=to, due_at=due):
                _moved(watch, state, effect)
                state, agreed, planned = to, due, True
            case AddToTicket() if state not in FINISHED and not watch.measures("first_reply"):
                watch.start("next_reply")
            case TicketWord(remark=False, agent=who) | MakePromise(agent=who) | Say(agent=who):
                watch.end("first_reply", "next_reply", agent=who)
    if planned or watch.clocks != before:
        _plan(watch, state, agreed)
    watch.set_timers(before)


def _moved(watch: Watch, was: str, move: MoveTicket) -> None:
    """Waiting for the customer rests all clocks, the end ends them; who says something with it has replied."""
    if move.state in FINISHED:
        if move.agent:
            watch.end("first_reply", "next_reply", agent=move.agent)
        watch.end("resolution", agent=move.agent)
        watch.drop(*MEASURED)
    elif was in FINISHED:
        watch.start("first_reply", "resolution")
    elif move.agent and (move.text or move.state != "assigned"):
        watch.end("first_reply", "next_reply", agent=move.agent)
    if move.state == "waiting_customer":
        watch.rest(*MEASURED)
    elif was == "waiting_customer":
        watch.go_on(*MEASURED)


def _plan(watch: Watch, state: str, agreed: datetime | None) -> None:
    """When something is due on a ticket next: as agreed, or as promised; and who looks after it then."""
    now, clocks = watch.draft.now, {name: clock.as_json() for name, clock in watch.clocks.items()}
    if state in FINISHED or state in tickets.WAITING:
        watch.draft.do(PlanTicket(watch.number, clocks))
        return
    running = [due for name in MEASURED if (due := watch.due(name))]
    due = agreed or min(running, default=watch.hours.add(now, watch.usual))
    watch.draft.do(PlanTicket(watch.number, clocks | ({AGREED: agreed.timestamp()} if agreed else {}), due))
    at = max(due, now) + DAY if running and not agreed else due  # after what its clocks tell, people are reminded daily
    data = {"number": watch.number, "said": not agreed}  # to the customer: no other time was named to him
    watch.draft.do(SetTimer("ticket_due", at, watch.subject, data))


def _of_ticket(draft: Draft, ticket: TicketView) -> Watch:
    watch = Watch(draft, f"ticket:{ticket.number}", ticket.number, (ticket.kind, ticket.priority), ticket.agent)
    watch.clocks = clocks_of(ticket.clocks)
    return watch


def _agreed(draft: Draft, ticket: TicketView | None) -> datetime | None:
    """The time that an agent has named for it, as long as it is to come."""
    at = ticket.clocks.get(AGREED, 0.0) if ticket else 0.0
    return datetime.fromtimestamp(at, draft.now.tzinfo) if at > draft.now.timestamp() else None


# ---------------------------------------------------------------- what time does


def fell_due(draft: Draft) -> None:
    """A clock has come to its next step, unless the calendar or the standard has changed meanwhile."""
    name, number = draft.event.timer, draft.event.subject.partition(":")[2]
    ticket = tickets.view(draft, number) if draft.event.subject.startswith("ticket:") else None
    watch = _of_ticket(draft, ticket) if ticket else _of_talk(draft)
    if number != watch.number or not watch.measures(name):
        return
    before, promised = dict(watch.clocks), name in watch.times
    if promised:
        _steps(watch, name)
    else:
        watch.drop(name)  # it is not promised any more
    if ticket and promised:
        draft.do(PlanTicket(number, {**ticket.clocks, name: watch.clocks[name].as_json()}))
    elif ticket:
        _plan(watch, ticket.state, _agreed(draft, ticket))
    else:
        draft.keep(clocks=watch.running or None)
    watch.set_timers(before, fired=name)


def _steps(watch: Watch, name: str) -> None:
    """Whoever was to be told until now is told, each once; of a miss nobody is warned any more."""
    draft, clock = watch.draft, watch.clocks[name]
    steps, took = watch.standards.steps(watch.times[name]), clock.took(draft.now, watch.hours)
    reached = max(clock.told, sum(step.at <= took + SLACK for step in steps))
    new = steps[clock.told : reached]
    missed = any(step.missed for step in new)
    watch.clocks[name] = replace(clock, told=reached, missed=clock.missed or missed)
    if missed and not clock.missed:
        draft.do(Settle((f"{name}_soon",), watch.ticket))
        watch.note("missed", name, None, watch.times[name])
        _say(watch, name, "missed")
    for step in new:
        if step.missed or not missed:
            _tell(watch, name, step)


TIMERS: Final[dict[str, Callable[[Draft], None]]] = dict.fromkeys(MEASURED, fell_due)


def _tell(watch: Watch, name: str, step: Step) -> None:
    about: dict[str, Any] = {"text": watch.ticket, "ticket": watch.ticket}
    match step.who:
        case "customer":
            _say(watch, name, "soon")
        case "owner":
            if watch.agent:
                watch.draft.do(Alarm(f"{name}_soon", agent=watch.agent, **about))
        case "lead":
            watch.draft.do(Alarm(f"{name}_soon", role="supervisor", **about))
        case role:
            watch.draft.do(Alarm(f"{name}_missed", role=role, **about))


def _say(watch: Watch, name: str, what: str) -> None:
    """An honest word to the customer before he has to ask, or an apology; a ticket's not while a person is with him."""
    draft, due = watch.draft, watch.due(name)
    aside = draft.agent_has_floor if watch.ticket else name == "resolution"
    if aside or draft.talk.stopped or due is None:
        return
    said = {"number": watch.number, "when": watch.hours.spoken(due, draft.lang)} if watch.ticket else {}
    notice(draft, f"standard.{what}.{name if watch.ticket else CHAT}", **said)
    if what == "missed":
        draft.do(Fact("apologised", {"number": watch.number, "standard": name}))
