"""Dates and times in a message, relative to now: days and clocks put together.

The grammar is our own: dateparser 1.5, the library that is kept up, finds none of 明天下午3点, 后天上午十点半, 三天后,
takes "may not" for a month, and costs 1-2 ms a sentence and 0.25 s of import; this takes a twentieth of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain

from intents.clock import PARTS, Clock, clocks
from intents.days import Day, days

Found = tuple[str, str, int, int]  # kind, value, start, end
_JOINED = re.compile(r"(?:[\s,，的在@T]|on|at|in|the|about|around|大概|大约|差不多|左右){0,6}", re.IGNORECASE)
_UNTIL = re.compile(r" ?(?:到|至|-|–|~|to|until|and) ?", re.IGNORECASE)


@dataclass(slots=True)
class _Time:
    """A day, a part of it and an hour that stand together."""

    start: int
    end: int
    day: Day | None = None
    part: Clock | None = None
    hour: Clock | None = None
    until: Clock | None = None

    def take(self, piece: Day | Clock, text: str) -> bool:
        """Put a piece that stands right behind in its place, if that is free."""
        between = text[self.end : piece.start]
        slot = "day" if isinstance(piece, Day) else "hour" if piece.hour >= 0 else "part"
        if slot == "hour" and self.hour and not self.until and _UNTIL.fullmatch(between):
            slot = "until"
        elif getattr(self, slot) or not _JOINED.fullmatch(between):
            return False
        setattr(self, slot, piece)
        self.end = piece.end
        return True


def times(text: str, now: datetime) -> Iterator[Found]:
    """Every date and time as ``(kind, value, start, end)``; kinds and values as in ``Entity``."""
    pieces: list[Day | Clock] = []
    claims: Iterator[Day | Clock] = chain(days(text, now), clocks(text))
    for piece in claims:
        if all(piece.end <= other.start or piece.start >= other.end for other in pieces[-_NEAR:]):
            pieces.append(piece)
    groups: list[_Time] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if not groups or not groups[-1].take(piece, text):
            groups.append(_Time(piece.start, piece.start))
            groups[-1].take(piece, text)
    for group in groups:
        alone = not (text[: group.start] + text[group.end :]).strip(" .!?,，。！？吧的")
        try:
            value = _value(group, now, alone)
        except (ValueError, OverflowError):  # 25 o'clock
            continue
        if value:
            yield *value, group.start, group.end


_NEAR = 40  # pieces an overlap is looked for among


def _value(found: _Time, now: datetime, alone: bool) -> tuple[str, str] | None:
    """Kind and value of what stands together, None if it is too little to be a time."""
    named, hour, part = found.day.named if found.day else None, found.hour, found.part
    if isinstance(named, str):
        return "month", named
    if isinstance(named, datetime):
        return "datetime", named.isoformat(timespec="minutes")
    if isinstance(named, tuple):
        return "period", "/".join(day.isoformat() for day in named)
    day_part = part.part if part else found.day.part if found.day else ""
    if not named and not alone and not (hour and (hour.firm or part)):
        return None
    if hour:
        start = _at(named, hour, day_part, now)
        if not found.until:
            return "datetime", start.isoformat(timespec="minutes")
        end = _at(start.date(), found.until, hour.part or day_part, now)
        return "period", f"{start.isoformat(timespec='minutes')}/{end.isoformat(timespec='minutes')}"
    if day_part:
        begin, end = (datetime.combine(named or now.date(), clock, now.tzinfo) for clock in PARTS[day_part])
        away = timedelta(0 if named or end > now else 1)
        return "period", "/".join((moment + away).isoformat(timespec="minutes") for moment in (begin, end))
    return ("date", named.isoformat()) if named else None


def _at(day: date | None, clock: Clock, part: str, now: datetime) -> datetime:
    """The moment of a clock on a day; without a day the next time it comes."""
    moment = datetime.combine(day or now.date(), clock.time(part), now.tzinfo)
    night = clock.hour in (12, 24) and moment.hour == 0 and (clock.part or part) != "morning"  # 晚上12点, 24:00
    return moment + timedelta(1) if night or (day is None and moment < now) else moment
