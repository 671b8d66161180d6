"""What the customer hears when an event could not be handled at all: one apology and a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.dialogue import Alarm, Decision, Need, SetTimer, Turn, Wait
from bot.flows import wishes
from bot.flows.draft import Draft, Missing
from bot.messages import Kind
from handoff import deadlines
from handoff.dialogue import Result

LATER: Final = timedelta(hours=1)


def apologise(turn: Turn) -> Decision | Need | Wait:
    """Hand over with an apology, also when it was the end of a burst that failed; another timer is set again, so that
    nothing is left without one.

    The talk starts anew: its memory may be what could not be handled.
    """
    event = turn.event
    burst = event.timer == "burst" and turn.talk.pending
    if event.kind is Kind.TIMER and not burst:
        again = SetTimer(event.timer, turn.now + LATER, event.subject, event.data)
        return Decision(turn.talk, (Alarm("timer_failed", event.timer), again))
    if event.kind is Kind.COMMAND:  # it is told to the agent, who can try again; the customer has no part in it
        return Decision(turn.talk, (Alarm("command_failed"), Result(False, {"reason": "failed"})))
    draft = Draft(turn)
    draft.remember(pending=(), flow="", journal=(), asked="", misses=0)
    draft.do(Alarm("event_failed"))
    try:
        if not draft.agent_has_floor:
            wishes.human(draft, "error")
        _follow(draft)
    except Missing as missing:
        return missing.need
    return draft.decision()


def _follow(draft: Draft) -> None:
    """What is promised moves with it, unless that is what could not be handled: then its clocks start anew."""
    try:
        deadlines.follow(draft)
    except Missing:
        raise
    except Exception:
        draft.keep(clocks=None, urgency=None)
        deadlines.follow(draft)
