"""When a customer has been quiet for so long that his conversation may be closed.

Moving a timer with every word would cost a write each time. It stays where it is as long as it falls due early enough,
and looks again then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bot.dialogue import Effect, SetTimer, Turn
from bot.flows.floor import quiet_for


def enough(turn: Turn) -> bool:
    """Whether he has been quiet for long enough when the timer falls due."""
    return turn.now.timestamp() >= _kept(turn)[1]


def watched(turn: Turn, effects: Iterable[Effect]) -> tuple[list[float], SetTimer | None]:
    """What an open conversation's talk keeps as ``quiet``: when the timer falls due, and when he will have been quiet
    for long enough, in UTC seconds; and the timer, if it must be set or moved."""
    now = turn.now.timestamp()
    falls_due, until = _kept(turn)
    if turn.event.timer != "idle" or enough(turn):
        until = now + quiet_for(turn, effects)
    if now < falls_due <= until:
        return [falls_due, until], None
    return [until, until], SetTimer("idle", turn.now + timedelta(seconds=until - now))


def _kept(turn: Turn) -> tuple[float, float]:
    """What was kept; a conversation that is opened now, or again, has no timer yet."""
    falls_due, until = (turn.conversation and turn.talk.extra.get("quiet")) or (0.0, 0.0)
    return falls_due, until
