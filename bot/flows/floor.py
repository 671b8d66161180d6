"""Who has the floor once what was decided so far is done, and how long he may be quiet."""

from __future__ import annotations

from collections.abc import Iterable

from bot.dialogue import Close, Effect, Open, Own, Reopen, Turn
from handoff.dialogue import Assign, Queue


def owner(turn: Turn, effects: Iterable[Effect]) -> str:
    """bot, queue, agent, or none."""
    return _after(turn, effects)[0]


def epoch(turn: Turn, effects: Iterable[Effect]) -> int:
    """The conversation's epoch then: what somebody else has had since counts no more."""
    return _after(turn, effects)[1]


def quiet_for(turn: Turn, effects: Iterable[Effect]) -> float:
    """Seconds of the customer's silence after which the conversation may be closed."""
    policy = turn.policy
    return policy.people.left_after if owner(turn, effects) == "agent" else policy.idle


def _after(turn: Turn, effects: Iterable[Effect]) -> tuple[str, int]:
    here, last = turn.conversation, turn.last
    who, count = (here.owner, here.epoch) if here else ("none", 0)
    for effect in effects:
        match effect:
            case Open():
                who, count = "bot", 0
            case Reopen():
                who, count = "bot", (last.epoch if last else 0) + 1
            case Close():
                who, count = "none", count + 1
            case Own(owner=new):
                who, count = new, count + 1
            case Assign():
                who, count = "agent", count + 1
            case Queue():
                who, count = "queue", count + (who != "queue")
    return who, count
