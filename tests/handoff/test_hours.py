"""Working time: shifts, holidays, make-up workdays, clock changes; against a clock that is read minute by minute."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.strictyaml import YamlError, check, load
from handoff.hours import ALWAYS, DAYS, MIDNIGHT, Calendar, Hours, Shift, Shifts

MINUTE = timedelta(minutes=1)
OFFICE = {"week": {"monday-friday": "9:00-12:00 13:30-18:00", "saturday": "10:00-16:00"}}
CHINA = Hours.model_validate({"holidays": "cn", **OFFICE}).calendar("Asia/Shanghai")
BERLIN = Hours.model_validate({"week": {"monday-sunday": "22:00-6:00"}}).calendar("Europe/Berlin")


def local(text: str, calendar: Calendar = CHINA) -> datetime:
    """A wall clock's moment at the calendar's place."""
    return datetime.fromisoformat(text).replace(tzinfo=calendar.zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "seconds", "due"),
    [
        ("2026-11-20 11:30", 3600, "2026-11-20 14:00"),  # over lunch
        ("2026-11-20 17:00", 2 * 3600, "2026-11-21 11:00"),  # Friday evening to Saturday
        ("2026-11-21 15:30", 3600, "2026-11-23 09:30"),  # over Sunday
        ("2026-11-22 12:00", 0, "2026-11-23 09:00"),  # at once, on a Sunday: when the door opens
        ("2026-09-30 17:30", 3600, "2026-10-08 09:30"),  # over the National Day holidays
        ("2026-02-14 08:00", 1800, "2026-02-14 10:30"),  # a Saturday that is worked as a Saturday
        ("2026-09-20 08:00", 1800, "2026-09-20 09:30"),  # a make-up Sunday is worked as a weekday is
    ],
)
def test_working_time_passes_only_while_somebody_works(at: str, seconds: float, due: str) -> None:
    assert CHINA.add(local(at), seconds) == local(due)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-28 22:00", "2026-03-29 06:00", 7),  # the clocks go forward: the night is an hour shorter
        ("2026-10-24 22:00", "2026-10-25 06:00", 9),  # and back
        ("2026-06-01 00:00", "2026-06-02 00:00", 8),
        ("2026-06-02 00:00", "2026-06-01 00:00", 0),
    ],
)
def test_nights_when_the_clocks_change(start: str, end: str, hours: float) -> None:
    assert BERLIN.between(local(start, BERLIN), local(end, BERLIN)) == hours * 3600


def test_a_shift_that_ends_in_the_hour_that_never_comes_ends_when_the_clock_jumps() -> None:
    calendar = Hours.model_validate({"week": {"monday-sunday": "0:00-2:30"}}).calendar("Europe/Berlin")
    assert calendar.between(local("2026-03-29 00:00", calendar), local("2026-03-29 12:00", calendar)) == 2 * 3600


def test_holidays_that_are_worked_and_days_that_are_not() -> None:
    days = {"2026-10-03": "10:00-12:00", "2026-11-23": "closed"}
    calendar = Hours.model_validate({"holidays": "CN", "days": days, **OFFICE}).calendar("Asia/Shanghai")
    assert calendar.shifts(date(2026, 10, 1)) == ()
    assert calendar.shifts(date(2026, 10, 3)) == ((600, 720),)
    assert calendar.opens(local("2026-11-22 12:00")) == local("2026-11-24 09:00")
    assert calendar.opens(local("2026-11-24 09:00")) == local("2026-11-24 09:00")
    assert calendar.opens(local("2026-11-24 12:00")) != local("2026-11-24 12:00")


def test_somebody_always_works_where_nothing_is_said() -> None:
    now = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
    assert Hours().calendar("UTC") == ALWAYS
    assert ALWAYS.opens(now) == now
    assert ALWAYS.add(now, 36 * 3600) == now + timedelta(hours=36)
    assert ALWAYS.between(now, now + timedelta(days=3)) == 3 * 86400


# ---------------------------------------------------------------- a clock read minute by minute


ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
CHANGES = "2026-02-14 2026-03-08 2026-03-29 2026-04-05 2026-09-20 2026-10-04 2026-10-25 2026-11-01".split()
STEP = 15  # minutes: every shift of these calendars, and every jump of their clocks, falls on one


def drawn(chance: random.Random) -> tuple[Calendar, datetime]:
    """A calendar and a moment near something odd."""
    week = []
    for _ in DAYS:
        marks = sorted(chance.sample(range(25), 2 * chance.randrange(3)))
        shifts: list[Shift] = [(a * 60, b * 60) for a, b in zip(marks[::2], marks[1::2], strict=True)]
        if chance.random() < 0.2:
            shifts = [(22 * 60, MIDNIGHT + chance.randrange(1, 5) * 60)]
        week.append(tuple(shifts))
    country = chance.choice(("", "CN", "DE-BY", "US"))
    first = datetime.fromisoformat(chance.choice(CHANGES)).replace(tzinfo=UTC) - timedelta(days=2)
    start = first + chance.randrange(4 * MIDNIGHT // STEP) * STEP * MINUTE
    return Calendar(ZoneInfo(chance.choice(ZONES)), tuple(week), country), start


def worked(calendar: Calendar, at: datetime) -> bool:
    """By the wall clock alone."""
    here = at.astimezone(calendar.zone)
    minute = here.hour * 60 + here.minute

    def on(shifts: Shifts, minute: int) -> bool:
        return any(start <= minute < end for start, end in shifts)

    yesterday = here.date() - timedelta(days=1)
    return on(calendar.shifts(here.date()), minute) or on(calendar.shifts(yesterday), minute + MIDNIGHT)


@pytest.mark.parametrize("seed", range(500))
def test_a_clock_that_is_read_minute_by_minute_says_the_same(seed: int) -> None:
    calendar, start = drawn(random.Random(seed))  # noqa: S311 - the same cases every time
    ticks = [start + n * STEP * MINUTE for n in range(3 * MIDNIGHT // STEP)]
    open_ones = [at for at in ticks if worked(calendar, at)]
    assert calendar.between(start, ticks[-1] + STEP * MINUTE) == len(open_ones) * STEP * 60
    if open_ones:
        assert calendar.opens(start) == open_ones[0]
        half = open_ones[len(open_ones) // 2]
        assert calendar.add(start, calendar.between(start, half) + 60) == half + MINUTE


# ---------------------------------------------------------------- what an admin may get wrong


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("week: {weekdays: 9:00-18:00}", '"weekdays" is no weekday and no stretch of them'),
        ("week: {friday-monday: 9:00-18:00}", '"friday-monday" is no weekday and no stretch'),
        ("week: {monday: 9-18}", "must be like 9:00-12:00 13:30-18:00, or closed"),
        ("week: {monday: 9:00-25:00}", "a day ends at 24:00, not at 25:00"),
        ("week: {monday: 9:00-12:00 11:00-18:00}", "must follow each other and not overlap"),
        ("week: {monday-friday: 9:00-18:00, friday: 9:00-16:00}", "friday is named twice"),
        ("week: {monday: closed}", "nobody would ever work"),
        ("week: often", "must name weekdays"),
        ("holidays: Atlantis", '"Atlantis" is no country whose holidays are known'),
        ("days: {24.12.2026: closed}", 'must be a day like 2026-12-24, not "24.12.2026"'),
        ("days: christmas", "must name days"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, written: str, said: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"\n{written}\n", "utf-8")
    with pytest.raises(YamlError) as caught:
        check(Hours, load(file))
    [problem] = caught.value.problems
    assert problem.line == 2
    assert said in problem.what
