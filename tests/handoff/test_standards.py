"""Service standards: what is promised to whom, clocks that rest and go on, who is told, and each miss told once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, update

from bot.messages import Kind
from bot.store import Store
from bot.tables import chat, ticket, timer
from bot.verify import verify
from handoff import accounts
from handoff.customers import set_tier
from handoff.hours import Calendar, Hours
from handoff.replanning import replan, some
from handoff.standards import MEASURED, SLACK, Clock, Standards, plan
from tests.handoff.staffed import Staffed

HOUR = 3600.0
HOUSE = Standards.model_validate(
    {
        "promised": [
            {"first_reply": "8h", "resolution": "45h"},
            {"kind": "chat", "first_reply": "10m", "next_reply": "5m", "resolution": "none"},
            {"kind": ["complaint", "urgent"], "first_reply": "4h"},
            {"priority": "urgent", "first_reply": "1h"},
            {"tier": "gold", "resolution": "9h"},
            {"kind": "complaint", "tier": "gold", "first_reply": "30m"},
        ]
    }
)
OFFICE = Hours.model_validate({"week": {"monday-friday": "9:00-12:00 13:30-18:00"}, "holidays": "CN"})


# ---------------------------------------------------------------- what is promised


@pytest.mark.parametrize(
    ("of", "first", "following", "resolution"),
    [
        (("question", "normal", ""), 8, None, 45),
        (("question", "urgent", ""), 1, None, 45),
        (("question", "high", "gold"), 8, None, 9),
        (("complaint", "normal", ""), 4, None, 45),
        (("complaint", "urgent", ""), 1, None, 45),  # the later line goes before the more special one
        (("complaint", "urgent", "gold"), 0.5, None, 9),
        (("chat", "normal", ""), 1 / 6, 1 / 12, None),
        (("chat", "urgent", "gold"), 1, 1 / 12, 9),
    ],
)
def test_of_each_measure_the_last_line_that_fits_counts(
    of: tuple[str, str, str], first: float, following: float | None, resolution: float | None
) -> None:
    expected = zip(MEASURED, (first, following, resolution), strict=True)
    assert HOUSE.times(*of) == {name: hours * HOUR for name, hours in expected if hours is not None}


def test_every_ticket_has_a_due_time_whatever_is_taken_back() -> None:
    lines = [{"first_reply": "8h"}, {"kind": "parts", "first_reply": "none"}]
    standards = Standards.model_validate({"promised": lines})
    assert standards.times("parts") == {}
    assert standards.first_reply("parts") == 8 * HOUR


def test_who_is_told_when() -> None:
    told = [(step.who, step.at, step.missed) for step in HOUSE.steps(100.0)]
    assert told == [
        ("owner", 50.0, False),
        ("lead", 75.0, False),
        ("customer", 90.0, False),
        ("supervisor", 100.0, True),
        ("admin", 100.0 + HOUR, True),
    ]


# ---------------------------------------------------------------- clocks

CALENDARS = st.sampled_from(
    [
        Calendar(),
        OFFICE.calendar("Asia/Shanghai"),
        Hours.model_validate({"week": {"monday-sunday": "22:00-6:00"}}).calendar("Europe/Berlin"),
        Hours.model_validate({"week": {"saturday": "9:00-12:00"}}).calendar("America/New_York"),
    ]
)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001
PAUSES = st.lists(st.tuples(st.booleans(), st.integers(0, 60 * 24 * 4)), max_size=8)  # rests?, then minutes pass


@settings(deadline=None)  # a country's holidays are loaded once, and that takes a while
@given(hours=CALENDARS, begun=MOMENTS, course=PAUSES, promised=st.integers(60, 50 * 3600))
def test_a_clock_counts_the_working_time_in_which_it_runs(
    hours: Calendar, begun: datetime, course: list[tuple[bool, int]], promised: int
) -> None:
    now, ran = begun, 0.0
    clock = Clock(begun.timestamp(), begun.timestamp())
    for rests, minutes in course:
        clock = clock.rests(now, hours) if rests else clock.goes_on(now)
        later = now + timedelta(minutes=minutes)
        ran += 0.0 if rests else hours.between(now, later)
        now = later
    assert clock.took(now, hours) == pytest.approx(ran, abs=0.01)
    assert Clock.of(clock.as_json()) == clock
    ended = clock.ends(now, hours, promised)
    assert ended.over
    assert ended.missed == (ended.ended == "late") == (clock.took(now, hours) > promised + SLACK)
    assert ended.took(now + timedelta(days=9), hours) == ended.spent
    running = clock.goes_on(now)
    due = running.reaches(promised, now, hours)
    if due > now:
        assert running.took(due, hours) == pytest.approx(promised, abs=0.01)
        just_before = due - timedelta(milliseconds=1)
        assert hours.opens(just_before) == just_before
    else:
        assert running.took(now, hours) >= promised - 0.01


@settings(deadline=None)  # a country's holidays are loaded once, and that takes a while
@given(hours=CALENDARS, begun=MOMENTS, promised=st.integers(60, 50 * 3600))
def test_each_step_falls_due_once_and_in_order(hours: Calendar, begun: datetime, promised: int) -> None:
    clock, seen = Clock(begun.timestamp(), begun.timestamp()), list[datetime]()
    while planned := plan(clock, promised, HOUSE, hours, begun):
        seen.append(planned.next)
        reached = sum(step.at <= clock.took(planned.next, hours) + SLACK for step in HOUSE.steps(promised))
        assert reached > clock.told
        clock = replace(clock, told=reached)
    assert seen == sorted(seen)
    assert clock.told == len(HOUSE.steps(promised))


def test_the_weekend_and_a_make_up_sunday() -> None:
    """Asked on a Friday afternoon; the Sunday after is worked (调休), and the National Day week is not."""
    hours = OFFICE.calendar("Asia/Shanghai")
    asked = datetime(2026, 9, 18, 17, 0, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
    clock = Clock(asked.timestamp(), asked.timestamp())
    assert hours.spoken(clock.reaches(8 * HOUR, asked, hours), "zh") == "9月20日 17:30"
    assert hours.spoken(clock.reaches(70 * HOUR, asked, hours), "en") == "Fri 9 Oct, 10:30"


# ---------------------------------------------------------------- through the pipeline

ALARMS = """SELECT a.kind, a.agent_id, a.role, k.number IS NOT NULL, a.settled_at IS NULL
    FROM alarm a LEFT JOIN ticket k ON k.id = a.ticket_id ORDER BY a.id"""
SAID = "SELECT text FROM message WHERE author = 'system' ORDER BY seq"


def measured(house: Staffed) -> Staffed:
    """The house with its standards."""
    house.policy = replace(house.policy, standards=HOUSE)
    return house


async def passed(house: Staffed, seconds: float) -> None:
    """So much time has passed on all clocks, and what fell due has been handled."""

    def work(c: Connection) -> None:
        for row in c.execute(select(ticket.c.id, ticket.c.clocks)).all():
            c.execute(update(ticket).where(ticket.c.id == row.id).values(clocks=_older(row.clocks, seconds)))
        for row in c.execute(select(chat.c.id, chat.c.talk)).all():
            extra = row.talk.get("extra", {})
            talk = {**row.talk, "extra": {**extra, "clocks": _older(extra.get("clocks", {}), seconds)}}
            c.execute(update(chat).where(chat.c.id == row.id).values(talk=talk))
        for row in c.execute(select(timer).where(timer.c.kind.in_(MEASURED), timer.c.fired_at.is_(None))).all():
            older = {"due": row.data["due"] - seconds, "clock": _older({"x": row.data["clock"]}, seconds)["x"]}
            new = {"due_at": row.due_at - seconds, "data": {**row.data, **older}}
            c.execute(update(timer).where(timer.c.id == row.id).values(**new))

    await house.settled()
    await house.store.write(work)
    house.rounds.wake(0.0)
    kinds = ", ".join(f"'{name}'" for name in MEASURED)
    due = f"SELECT id FROM timer WHERE kind IN ({kinds}) AND fired_at IS NULL AND due_at <= {time.time()}"  # noqa: S608
    end = time.monotonic() + 20
    while await house.rows(due):
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    await house.settled()


def _older(clocks: Any, seconds: float) -> dict[str, Any]:
    def older(clock: Any) -> Any:
        since = clock["since"] - seconds if clock["since"] is not None else None
        return {**clock, "since": since, "begun": clock["begun"] - seconds}

    return {name: older(clock) if name in (*MEASURED, "x") else clock for name, clock in clocks.items()}


async def facts(house: Staffed) -> list[tuple[str, str, float | None]]:
    """What the books say of standards: what became of it, of which, and hours it took."""
    rows = await house.rows("""SELECT kind, data ->> 'standard', data ->> 'took' FROM fact
        WHERE kind LIKE 'standard_%' ORDER BY id""")
    return [(kind.removeprefix("standard_"), name, round(float(took) / HOUR, 1)) for kind, name, took in rows]


async def people(house: Staffed) -> str:
    """Anna, her supervisor, a customer; the number of his conversation."""
    await house.come("Anna")
    await house.come("Cho", role="supervisor")
    await house.hear("hello")
    await house.settled()
    return await house.number("a")


async def test_a_ticket_that_nobody_answers_and_then_somebody_does(store: Store) -> None:
    async with measured(Staffed(store)) as house:
        number = await people(house)
        opened = await house.order("Anna", number, "ticket_open", kind="repair", subject="It fell down")
        of = str(opened.data["number"])
        [(due,)] = await house.rows("SELECT due_at FROM ticket")
        assert due == pytest.approx(time.time() + 8 * HOUR, abs=60)
        await passed(house, 4.1 * HOUR)
        await passed(house, 2 * HOUR)
        assert await house.rows(ALARMS) == [
            ("first_reply_soon", 1, "", True, True),
            ("first_reply_soon", None, "supervisor", True, True),
        ]
        await passed(house, 1.2 * HOUR)
        await passed(house, 0.9 * HOUR)
        said = [str(text) for (text,) in await house.rows(SAID)]
        assert ["may take longer" in text for text in said] == [False, True, False]
        assert ["haven't kept our word" in text for text in said] == [False, False, True]
        await passed(house, 0.3 * HOUR)  # nothing is told twice
        await passed(house, 1 * HOUR)
        assert [row[2:] for row in (await house.rows(ALARMS))[2:]] == [
            ("supervisor", True, True),
            ("admin", True, True),
        ]
        await passed(house, 30 * HOUR)  # the second clock goes its way
        assert (await store.read(verify))["ok"]
        await house.order("Anna", number, "ticket_word", ticket=of, text="Sorry, here we are.", public=True)
        rows = await house.rows(ALARMS)
        assert [kind for kind, *_, unsettled in rows if unsettled] == ["resolution_soon", "resolution_soon"]
        await house.order("Anna", number, "ticket_move", ticket=of, state="resolved", text="Done.")
        assert not any(row[-1] for row in await house.rows(ALARMS))
        assert await facts(house) == [
            ("missed", "first_reply", 8.0),
            ("late", "first_reply", 39.5),
            ("met", "resolution", 39.5),
        ]
        assert await house.rows("SELECT kind FROM timer WHERE subject LIKE 'ticket:%' AND fired_at IS NULL") == [
            ("ticket_due",)
        ]
        assert (await store.read(verify))["ok"]


async def test_after_a_long_night_each_miss_is_told_once_and_nobody_is_warned_of_it(store: Store) -> None:
    async with measured(Staffed(store)) as house:
        number = await people(house)
        await house.order("Anna", number, "ticket_open", kind="repair", subject="It fell down")
        await passed(house, 100 * HOUR)
        told = [(kind, role) for kind, _, role, *_ in await house.rows(ALARMS)]
        assert sorted(told) == [
            (f"{name}_missed", role) for name in ("first_reply", "resolution") for role in ("admin", "supervisor")
        ]
        assert len(await house.rows(SAID)) == 3
        assert sorted(await facts(house)) == [("missed", "first_reply", 8.0), ("missed", "resolution", 45.0)]
        assert (await store.read(verify))["ok"]


async def test_a_conversation_is_measured_from_the_wish_to_the_last_word(store: Store) -> None:
    async with measured(Staffed(store)) as house:
        number = await people(house)
        await house.hear("human")
        await passed(house, 0.13 * HOUR)
        assert [(kind, role) for kind, _, role, *_ in await house.rows(ALARMS)] == [("first_reply_soon", "supervisor")]
        assert (await house.order("Anna", number, "say", text="Good morning!")).state == "done"
        assert not any(row[-1] for row in await house.rows(ALARMS))
        await house.hear("my router hums")
        await passed(house, 0.1 * HOUR)
        [*_, late] = await house.rows(ALARMS)
        assert late == ("next_reply_missed", None, "supervisor", False, True)
        assert (await house.order("Anna", number, "say", text="One moment.")).state == "done"
        assert [row[:2] for row in await facts(house)] == [
            ("met", "first_reply"),
            ("missed", "next_reply"),
            ("late", "next_reply"),
        ]
        await house.order("Anna", number, "close", reason="solved")
        kinds = "SELECT kind FROM timer WHERE fired_at IS NULL AND kind IN ('first_reply', 'next_reply', 'resolution')"
        assert await house.rows(kinds) == []
        assert (await store.read(verify))["ok"]


async def test_another_calendar_and_other_standards_move_what_runs(store: Store) -> None:
    async with measured(Staffed(store)) as house:
        number = await people(house)
        await house.order("Anna", number, "ticket_open", kind="repair", subject="It fell down")
        await house.hear("human")
        await house.settled()
        old = dict(
            await house.rows("SELECT kind, due_at FROM timer WHERE fired_at IS NULL AND subject LIKE 'ticket:%'")
        )
        tight = Standards.model_validate({"promised": [{"first_reply": "4h", "resolution": "45h"}]})
        policy = replace(house.policy, standards=tight)
        await replan(store, policy)
        new = dict(
            await house.rows("SELECT kind, due_at FROM timer WHERE fired_at IS NULL AND subject LIKE 'ticket:%'")
        )
        assert old["first_reply"] - new["first_reply"] == pytest.approx(2 * HOUR, abs=1)
        assert old["resolution"] == new["resolution"]
        assert await house.rows("SELECT due_at FROM ticket") == [(pytest.approx(time.time() + 4 * HOUR, abs=60),)]
        assert await store.write(lambda c: some(c, policy, 0, datetime.now(UTC))) == (-1, 0)  # once is enough
        closed = datetime.now(UTC).date()
        days = {closed + timedelta(days=n): "closed" for n in range(-1, 3)}
        on_holiday = replace(policy, hours=Hours.model_validate({"days": days}).calendar("UTC"))
        await replan(store, on_holiday)
        [(due,)] = await house.rows("SELECT due_at FROM ticket")
        opens = datetime.combine(closed + timedelta(days=3), datetime.min.time(), UTC)
        assert due == (opens + timedelta(hours=4)).timestamp()
        assert (await store.read(verify))["ok"]


async def test_a_low_rating_is_a_supervisors_task(store: Store) -> None:
    async with measured(Staffed(store)) as house:
        number = await people(house)
        await house.order("Anna", number, "claim")
        await house.order("Anna", number, "close", reason="solved")
        await house.settled()
        await house.hear("", kind=Kind.CHOICE, choice=f"rate:{number}:1:1")
        await house.settled()
        assert await house.rows("SELECT kind, agent_id, state FROM ticket") == [("recovery", 2, "assigned")]
        assert await house.rows(ALARMS) == [("low_rating", 2, "supervisor", True, True)]
        assert (await store.read(verify))["ok"]


async def test_what_somebody_promised_who_leaves_is_kept_by_whoever_leads(store: Store) -> None:
    async with measured(Staffed(store)) as house:
        number = await people(house)
        due = (datetime.now(UTC) + timedelta(hours=5)).isoformat()
        told = await house.order("Anna", number, "promise", text="a technician on site", due_at=due)
        await house.order("Cho", number, "promise", text="a call", due_at=due)
        await store.write(lambda c: accounts.disable(c, 1))
        await house.settled()
        assert await house.rows("SELECT agent_id, state FROM promise ORDER BY id") == [(2, "open"), (2, "open")]
        assert [row[:2] for row in await house.rows(ALARMS)] == [("promise_passed", 2)]
        kept = {"promise": told.data["promise"], "state": "kept", "proof": "his photo"}
        assert (await house.order("Cho", number, "promise_end", **kept)).state == "done"
        assert (await store.read(verify))["ok"]


async def test_another_tier_has_his_clocks_planned_anew(store: Store) -> None:
    async with measured(Staffed(store)) as house:
        number = await people(house)
        await house.order("Anna", number, "ticket_open", kind="repair", subject="It fell down")
        due = "SELECT due_at FROM timer WHERE kind = 'resolution' AND fired_at IS NULL"
        [(before,)] = await house.rows(due)
        [(who,)] = await house.rows("SELECT id FROM customer")
        await store.write(lambda c: set_tier(c, house.actors["Cho"], who, "gold"))
        await passed(house, 0)
        [(after,)] = await house.rows(due)
        assert (before - time.time(), after - time.time()) == pytest.approx((22.5 * HOUR, 4.5 * HOUR), abs=60)
