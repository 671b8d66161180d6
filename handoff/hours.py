"""When people work: split shifts, holidays, make-up workdays (调休), clock changes. Pure; moments are aware, in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, field_validator

from bot.section import Section

Shift = tuple[int, int]  # minutes since midnight of the day it begins; past midnight: more than 1440
Shifts = tuple[Shift, ...]

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT_DAYS: Final = tuple(day[:3].title() for day in DAYS)
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
FURTHEST: Final = 800  # days that are looked at until nobody is expected any more
MIDNIGHT: Final = 1440
ROUND_THE_CLOCK: Final[tuple[Shifts, ...]] = (((0, MIDNIGHT),),) * 7
UTC_ZONE: Final = ZoneInfo("UTC")
_SHIFT = re.compile(r"(\d{1,2}):([0-5]\d)\s*[-–]\s*(\d{1,2}):([0-5]\d)")


@dataclass(frozen=True)
class Calendar:
    """Working time. ``week`` begins on Monday; ``country`` is that of ``holidays``, e.g. CN or DE-BY, "" for none."""

    zone: ZoneInfo = UTC_ZONE
    week: tuple[Shifts, ...] = ROUND_THE_CLOCK
    country: str = ""
    days: Mapping[date, Shifts] = field(default_factory=dict)  # single days that differ; () = closed

    def opens(self, at: datetime) -> datetime | None:
        """The first working moment from then on; None if there is none in two years."""
        for begins, ends in self._stretches(at):
            if ends > at:
                return max(begins, at)
        return None

    def add(self, at: datetime, seconds: float) -> datetime:
        """When so much working time has passed; the calendar must have some."""
        left = timedelta(seconds=seconds)
        for begins, ends in self._stretches(at):
            begins = max(begins, at)
            if ends > begins and left <= ends - begins:
                return begins + left
            left -= max(ends - begins, timedelta())
        return at + FURTHEST * DAY

    def between(self, start: datetime, end: datetime) -> float:
        """Seconds of working time from ``start`` to ``end``; 0 if they are the other way round."""
        worked = timedelta()
        for begins, ends in self._stretches(start):
            if begins >= end:
                break
            worked += max(min(ends, end) - max(begins, start), timedelta())
        return worked.total_seconds()

    def spoken(self, at: datetime, lang: str) -> str:
        """A moment as people read it, by the wall clock of this calendar."""
        here = at.astimezone(self.zone)
        if lang == "zh":
            return f"{here.month}月{here.day}日 {here:%H:%M}"
        return f"{_SHORT_DAYS[here.weekday()]} {here.day} {_MONTHS[here.month - 1]}, {here:%H:%M}"

    def shifts(self, day: date) -> Shifts:
        """What is worked on a day: as said of that day, else as on its weekday, unless it is a holiday. A make-up
        workday is worked as the first working day of the week is."""
        if day in self.days:
            return self.days[day]
        holidays, workdays = _special(self.country, day.year)
        if day in holidays:
            return ()
        if day in workdays and not self.week[day.weekday()]:
            return next(filter(None, self.week), ())
        return self.week[day.weekday()]

    def _stretches(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working time in order, without overlaps, from the day before (a night shift may reach over) on."""
        first, over = at.astimezone(self.zone).date() - DAY, datetime.min.replace(tzinfo=UTC)
        for n in range(FURTHEST):
            day = first + n * DAY
            for begins, ends in self.shifts(day):
                stretch = max(self._moment(day, begins), over), self._moment(day, ends)
                if stretch[1] > stretch[0]:
                    over = stretch[1]
                    yield stretch

    def _moment(self, day: date, minutes: int) -> datetime:
        """A wall clock's moment: the first one, if it comes twice; the clock's jump, if it never comes."""
        on, left = day + minutes // MIDNIGHT * DAY, minutes % MIDNIGHT
        wall = datetime.combine(on, time(left // 60, left % 60), self.zone)
        at = wall.astimezone(UTC)
        if at.astimezone(self.zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
            return at
        before, after = sorted(wall.replace(fold=one).astimezone(UTC) for one in (0, 1))
        offset = before.astimezone(self.zone).utcoffset()
        while before < after and before.astimezone(self.zone).utcoffset() == offset:
            before += MINUTE  # until the clock jumps
        return before


ALWAYS: Final = Calendar()


@cache
def _special(country: str, year: int) -> tuple[frozenset[date], frozenset[date]]:
    """A country's holidays of a year, and the weekend days that are worked instead."""
    if not country:
        return frozenset(), frozenset()
    import holidays  # only for those who name a country

    name, _, part = country.partition("-")
    found = holidays.country_holidays(name, subdiv=part or None, years=year)
    worked = {day for day in getattr(found, "weekend_workdays", ()) if day.year == year}
    return frozenset(found) - worked, frozenset(worked)


# ---------------------------------------------------------------- as an admin writes it


def shifts(value: Any) -> Shifts:
    """``9:00-12:00 13:30-18:00``, ``22:00-6:00``, or ``closed``."""
    text = str(value).strip()
    found = [(int(a) * 60 + int(b), int(c) * 60 + int(d)) for a, b, c, d in _SHIFT.findall(text)]
    if text.lower() not in ("closed", "") and (not found or _SHIFT.sub("", text).strip(" ,;、，")):
        raise ValueError(f'must be like 9:00-12:00 13:30-18:00, or closed, not "{text[:60]}"')
    if late := [end for start, end in found if start >= MIDNIGHT or end > MIDNIGHT]:
        raise ValueError(f"a day ends at 24:00, not at {late[0] // 60}:{late[0] % 60:02}")
    spread = tuple((start, end if end > start else end + MIDNIGHT) for start, end in found)
    for (_, before), (after, _) in pairwise(spread):
        if after < before:
            raise ValueError("shifts of a day must follow each other and not overlap")
    return spread


def _days(value: Any) -> dict[date, Shifts]:
    if not isinstance(value, Mapping):
        raise ValueError("must name days and what is worked on them, such as 2026-12-24: closed")
    return {_day(day): shifts(worked) for day, worked in value.items()}


def _day(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f'must be a day like 2026-12-24, not "{text}"') from None


def _week(value: Any) -> dict[str, Shifts]:
    if not isinstance(value, Mapping):
        raise ValueError("must name weekdays, such as monday-friday: 9:00-18:00")
    found: dict[str, Shifts] = {}
    for names, worked in value.items():
        first, _, last = str(names).lower().replace(" ", "").partition("-")
        if first not in DAYS or (last or first) not in DAYS or DAYS.index(last or first) < DAYS.index(first):
            raise ValueError(f'"{names}" is no weekday and no stretch of them, such as monday-friday')
        for day in DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]:
            if day in found:
                raise ValueError(f"{day} is named twice")
            found[day] = shifts(worked)
    return found


class Hours(Section):
    """When people work, by the clock of ``company.timezone``; without ``week`` they always do."""

    week: Annotated[Mapping[str, Shifts], BeforeValidator(_week)] = {}
    holidays: str = ""
    days: Annotated[Mapping[date, Shifts], BeforeValidator(_days)] = {}

    @field_validator("holidays")
    @classmethod
    def _known_country(cls, name: str) -> str:
        try:
            _special(name.upper(), 2026)
        except NotImplementedError:
            raise ValueError(f'"{name}" is no country whose holidays are known; it would be like CN or DE-BY') from None
        return name.upper()

    @field_validator("week")
    @classmethod
    def _some(cls, week: Mapping[str, Shifts]) -> Mapping[str, Shifts]:
        if week and not any(week.values()):
            raise ValueError("nobody would ever work; leave it away if somebody always does")
        return week

    def calendar(self, zone: str) -> Calendar:
        """The calendar in a time zone, e.g. ``Asia/Shanghai``."""
        week = tuple(self.week.get(day, ()) for day in DAYS) if self.week else ROUND_THE_CLOCK
        return Calendar(ZoneInfo(zone), week, self.holidays, dict(self.days))
