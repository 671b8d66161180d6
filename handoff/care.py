"""What is owed to a customer who talks with people, and what becomes of it when time passes: pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from bot.dialogue import Alarm, Decision, DropTimer, Say, SetTimer, Turn, Wait
from bot.flows import journal, line
from bot.flows.draft import Draft
from bot.messages import Author, Kind, Reply
from handoff.dialogue import HIGH, HandoverView, Presence, Queue, Snooze

FURTHEST: Final = timedelta(days=366)  # what is to be done may be so far off
CHECK: Final = 15.0  # seconds until a conversation that an agent lost is looked after


class Refused(Exception):
    """What an agent wants cannot be done; ``reason`` is a word programs go by."""

    def __init__(self, reason: str, **more: Any) -> None:
        super().__init__(reason)
        self.data = {"reason": reason, **more}


def heard(draft: Draft) -> None:
    """The customer has written to his agent: an answer is owed, whatever slept is awake."""
    if draft.event.kind in (Kind.TEXT, Kind.EDIT):
        slept = awake(draft)
        if slept or not draft.talk.extra.get("owed"):
            owe(draft)


def silent(draft: Draft) -> None:
    """An agent owed an answer for too long: the conversation goes back to the head of the queue."""
    here = draft.turn.conversation
    if not here or here.owner != "agent" or here.agent is None or not draft.talk.extra.get("owed"):
        return
    draft.do(Alarm("silent", agent=here.agent), Presence(here.agent, "away"))
    requeue(draft, "silent", here.agent)


def released(draft: Draft) -> None:
    """Its agent may no longer act: the next one takes over."""
    here = draft.turn.conversation
    if here and here.owner == "agent" and here.agent is not None:
        requeue(draft, "released", here.agent)


def requeue(draft: Draft, reason: str, agent: int) -> None:
    """Back to the head of the line, to anybody but him at first."""
    again(draft, reason, avoid=[agent])
    draft.do(DropTimer("snoozed"))
    draft.keep(snoozed=None)
    notice(draft, "people.silent")


def again(draft: Draft, reason: str, **more: Any) -> None:
    """In the line again, in the old place; how long he has to wait is counted from now on."""
    known = held(draft)
    wants = {**known.wants, **more, "queued": draft.now.timestamp()}
    wants.pop("preferred", None)
    draft.do(Queue(reason, min(known.priority, HIGH), wants, since=since(draft, known)), DropTimer("silent"))
    draft.keep(owed=None)
    line.watch(draft, CHECK)


def left(draft: Draft) -> None:
    """The customer has not answered his agent for long: the matter ends."""
    draft.fact("resolved", agent=draft.turn.conversation.agent if draft.turn.conversation else None, reason="left")
    draft.close("idle")
    draft.do(SetTimer("rating", draft.now, "chat"))


def snoozed(draft: Draft) -> None:
    """It is time to look at it again."""
    if awake(draft):
        draft.do(Alarm("snoozed"))
        if draft.talk.extra.get("owed"):
            owe(draft)  # nobody looked after it while it slept


def owe(draft: Draft) -> None:
    """An answer is owed from now on."""
    draft.keep(owed=draft.now.isoformat())
    draft.do(SetTimer("silent", draft.now + timedelta(seconds=draft.turn.policy.people.silent_after)))


def awake(draft: Draft) -> bool:
    """It sleeps no more; whether it did."""
    slept = bool(draft.talk.extra.get("snoozed"))
    if slept:
        draft.do(Snooze(None), DropTimer("snoozed"))
        draft.keep(snoozed=None)
    return slept


def fresh(draft: Draft) -> None:
    """Whoever has the floor next starts anew: no flow, no misses, no old question, no old anger."""
    journal.drop(draft)
    draft.remember(unknowns=0, last_question="", last_entry="")
    draft.keep(
        told=None,
        product=None,
        soothed=None,
        settled=None,
        ticket=None,
        kept=None,
        escalated=None,
        place=None,
        placed=None,
    )


def notice(draft: Draft, key: str, **values: Any) -> None:
    """A sentence about people, whoever has the floor; not to somebody who wants no more words."""
    if not draft.talk.stopped:
        draft.do(Say(Reply(draft.text(key, **values)), author=Author.SYSTEM))


def told_by_hand(turn: Turn, decided: Decision | Wait) -> Decision | Wait:
    """Who cannot be written to is told by people: what would be said is theirs to say."""
    said = [e for e in decided.effects if isinstance(e, Say)] if isinstance(decided, Decision) else []
    if isinstance(decided, Wait) or not (turn.by_hand and said):
        return decided
    words, data = "\n\n".join(one.reply.text for one in said), turn.event.data
    named = turn.event.subject.removeprefix("ticket:") or data.get("ticket") or data.get("number")
    ticket = next((t for t in turn.tickets if t.number == named), None)
    who = data.get("agent") or (ticket.agent if ticket else None)
    task = Alarm("tell_customer", words, who if isinstance(who, int) else None, ticket=ticket.number if ticket else "")
    return Decision(decided.talk, (*(e for e in decided.effects if e not in said), task))


def held(draft: Draft) -> HandoverView:
    """What people were told of it."""
    held: HandoverView = draft.look("handover", draft.number) or HandoverView("claimed", HIGH)
    return held


def since(draft: Draft, held: HandoverView) -> datetime:
    """Since when the customer has been waiting for people in this matter: his place in the line."""
    first = held.waiting_since or moment(held.wants.get("since")) or moment(draft.talk.extra.get("owed"))
    return first or draft.now


def moment(value: Any) -> datetime | None:
    """A time as it is kept; None for what is none."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None


def due(draft: Draft) -> datetime | None:
    """When it is to be done, None if nothing was said of it; without a time zone it is meant by the company's clock.

    Raises Refused for what is no time, past, or too far off.
    """
    said = draft.event.data.get("due_at")
    return coming(draft, said, FURTHEST) if said else None


def coming(draft: Draft, said: Any, furthest: timedelta) -> datetime:
    """A time to come; without a time zone it is meant by the company's clock. Raises Refused for any other."""
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        raise Refused("when") from None
    found = found if found.tzinfo else found.replace(tzinfo=draft.turn.policy.hours.zone)
    if not draft.now < found <= draft.now + furthest:
        raise Refused("when")
    return found


TIMERS: Final[dict[str, Callable[[Draft], None]]] = {"silent": silent, "snoozed": snoozed, "released": released}
