"""Work: leases, tries and refusals; what breaks one event breaks no other."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, update

from bot import tables, worker
from bot.config import Limits
from bot.dialogue import Close, Decision, Learn, Need, Open, Reopen, SetTimer, Turn
from bot.inbox import Inbox
from bot.lanes import MATTERS, Lane, moment, take
from bot.lookups import look
from bot.messages import Inbound, Kind
from bot.metrics import ALARMS
from bot.record import Outcome, record
from bot.rows import Rows
from bot.store import Away, Store
from tests.house import House, echo


async def test_every_beginning_counts_though_it_never_ended(store: Store) -> None:
    """Whoever leases a chat may die of its event; an agent's command that comes first takes nothing from the count."""
    inbox = Inbox(store)

    async def begun(hours: int) -> list[int]:
        def work(connection: Connection) -> list[int]:
            later = time.time() + 3600 * hours  # every lease before has run out
            return [lane.attempts for lane in take(connection, holder="dies", now=later, lease=1.0, most=9, retry=True)]

        return await store.write(work)

    async def counted() -> list[Any]:
        read = "SELECT attempts FROM check_inbox ORDER BY id"
        return await store.read(lambda c: [row.attempts for row in c.exec_driver_sql(read)])

    await inbox.receive([Inbound("web", "1", "a", text="poison")])
    assert [await begun(hours) for hours in (1, 2)] == [[1], [2]]
    assert await counted() == [2]
    await inbox.receive([Inbound("web", "2", "a", kind=Kind.COMMAND)])
    assert [await begun(hours) for hours in (3, 4)] == [[1], [2]]
    assert await counted() == [2, 2]
    await store.write(lambda c: c.execute(update(tables.inbox).where(tables.inbox.c.id == 2).values(state="taken")))
    assert [await begun(hours) for hours in (5, 6)] == [[3], [4]]
    assert (await counted())[0] == 4


async def test_one_who_rests_is_enough_for_what_came(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []

    def counting(*args: Any, **more: Any) -> list[Lane]:
        looked.append(True)
        return take(*args, **more)

    async def until(times: int) -> None:
        while len(looked) < times:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # time enough to look once too often

    monkeypatch.setattr(worker, "take", counting)
    monkeypatch.setattr(worker, "POLL", 60.0)
    async with House(store) as house:
        await until(store.writers)  # all rest
        looked.clear()
        house.worker.wake()
        await until(1)
        assert len(looked) == 1


async def test_a_poison_event_dies_after_five_tries_and_its_chat_goes_on(store: Store) -> None:
    def decide(turn: Turn) -> Decision:
        if turn.event.text == "poison":
            raise ValueError("no")
        return echo(turn)

    async with House(store, decide=decide) as house:
        await house.hear("one", key="k1")
        await house.hear("poison", key="k2")
        await house.hear("two", key="k3")
        await house.hear("neighbour", chat="b", key="k4")
        await house.settled()
        rows = await house.rows("SELECT dedup_key, state, outcome, attempts FROM check_inbox ORDER BY id")
        assert rows == [
            ("k1", "done", "replied", 1),
            ("k2", "dead", None, 5),
            ("k3", "done", "replied", 1),
            ("k4", "done", "replied", 1),
        ]
        said = await house.rows(
            "SELECT text FROM message WHERE chat_id IN (SELECT chat_id FROM inbox WHERE id = 1) ORDER BY seq"
        )
        assert [t for (t,) in said] == ["one", "echo one", "poison", "sorry", "two", "echo two"]
        [(error,)] = await house.rows("SELECT error FROM inbox WHERE state = 'dead'")
        assert error.startswith("ValueError at test_worker.py:")


async def test_what_ends_without_even_an_apology_is_an_alarm(store: Store) -> None:
    def broken(_: Turn) -> Decision:
        raise ValueError("no")

    async with House(store, decide=broken, apologise=broken) as house:
        await house.hear("poison")
        await house.settled()
        assert await house.rows("SELECT state, attempts FROM check_inbox") == [("dead", 5)]
        alarms = await house.rows("SELECT data ->> 'kind' FROM fact WHERE kind = 'alarm'")
        assert alarms == [("event_failed",)]


async def test_what_breaks_the_transaction_breaks_only_itself(store: Store) -> None:
    def decide(turn: Turn) -> Decision:
        wrong = turn.event.text == "poison"
        return replace(echo(turn), effects=(Close("x"), SetTimer("y", turn.now))) if wrong else echo(turn)

    async with House(store, decide=decide) as house:
        await asyncio.gather(*(house.hear("poison" if n == 3 else "fine", chat=f"c{n}") for n in range(8)))
        await house.settled()
        assert await house.rows("SELECT state, count(*) FROM inbox GROUP BY state ORDER BY state") == [
            ("dead", 1),
            ("done", 7),
        ]


async def test_a_decision_may_look_things_up_three_times(store: Store) -> None:
    def decide(turn: Turn) -> Decision | Need:
        if turn.event.text == "greedy":
            return Need((("ticket", f"T-{len(turn.looked)}"),))
        key = ("ticket", "T-NOBODYS0")
        return echo(turn) if key in turn.looked and turn.looked[key] is None else Need((key,))

    async with House(store, decide=decide) as house:
        await house.hear("fine")
        await house.hear("greedy", chat="b")
        await house.settled()
        assert await house.rows("SELECT state FROM inbox ORDER BY id") == [("done",), ("dead",)]


@pytest.mark.parametrize("fault", [ValueError("no"), Away("restarting")])
async def test_what_breaks_while_looking_breaks_only_itself(
    store: Store, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr("bot.decider.PAUSE", 0.02)
    asked: list[str] = []

    def looking(connection: Any, lane: Lane, looks: Any) -> dict[tuple[str, str], Any]:
        asked.append(lane.address)
        if lane.address == "c3" and (isinstance(fault, ValueError) or asked.count("c3") < 4):
            raise fault
        return look(connection, lane, looks)

    monkeypatch.setattr("bot.decider.look", looking)

    def decide(turn: Turn) -> Decision | Need:
        key = ("ticket", "T-NOBODYS0")
        return echo(turn) if key in turn.looked else Need((key,))

    async with House(store, decide=decide) as house:
        await house.inbox.receive([Inbound("web", f"k{n}", f"c{n}", text="fine") for n in range(8)])
        await house.settled()
        await house.hear("more", chat="c1")  # nothing has stopped
        await house.settled()
        states = await house.rows("SELECT dedup_key, state, attempts FROM inbox WHERE state = 'dead' OR attempts > 1")
        assert states == ([("k3", "dead", 5)] if isinstance(fault, ValueError) else [])


@pytest.mark.parametrize("where", ["record", "words", "look"])
async def test_what_the_database_never_comes_to_an_end_with_holds_up_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """As under a statement_timeout: every time it is cancelled, which looks like the database being away."""
    monkeypatch.setattr("bot.decider.PAUSE", 0.02)

    def recording(connection: Connection, outcomes: Any, **more: Any) -> Rows:
        for one in outcomes:
            if "poison" in one.lane.address and not (one.wordless or (one.dead and where == "record")):
                raise Away("canceling statement due to statement timeout")
        return record(connection, outcomes, **more)

    def looking(connection: Any, lane: Lane, looks: Any) -> dict[tuple[str, str], Any]:
        if "poison" in lane.address:
            raise Away("canceling statement due to statement timeout")
        return look(connection, lane, looks)

    def decide(turn: Turn) -> Decision | Need:
        key = ("ticket", "T-NOBODYS0")
        return echo(turn) if where != "look" or key in turn.looked else Need((key,))

    monkeypatch.setattr("bot.decider.look", looking)
    if where != "look":
        monkeypatch.setattr("bot.worker.record", recording)
    limits = Limits(lease=0.3, backoff=(0.02,), burst=0.1)
    alarms = ALARMS.labels("event_failed")._value.get()
    async with House(store, decide=decide, limits=limits) as house:
        chats = ["a", "poison", "b", "poison too", "c"]
        await house.inbox.receive([Inbound("web", f"{n} {c}", c, text="fine") for n in range(2) for c in chats])
        async with asyncio.timeout(60):
            await house.settled()
        ended = await house.rows("SELECT state, count(*) FROM inbox GROUP BY state ORDER BY state")
        assert ended == [("dead", 4), ("done", 6)]
        words = await house.rows("SELECT count(*) FROM message WHERE author = 'customer'")
        assert words == [(6 if where == "words" else 10,)]
        assert (ALARMS.labels("event_failed")._value.get() - alarms) == (4 if where == "words" else 0)


@pytest.mark.parametrize("where", ["record", "look"])
async def test_what_the_database_refuses_keeps_no_stranger_waiting_and_is_kept_till_it_can_be_written(
    store: Store, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    refused: set[str] = set()
    broken = True

    def away(address: str) -> None:
        if broken and "bad" in address:
            refused.add(address)
            raise Away("database disk image is malformed")

    def recording(connection: Connection, outcomes: Any, **more: Any) -> Rows:
        for one in outcomes:
            away(one.lane.address)
        return record(connection, outcomes, **more)

    def looking(connection: Any, lane: Lane, looks: Any) -> dict[tuple[str, str], Any]:
        away(lane.address)
        return look(connection, lane, looks)

    def decide(turn: Turn) -> Decision | Need:
        key = ("ticket", "T-NOBODYS0")
        return echo(turn) if where != "look" or key in turn.looked else Need((key,))

    monkeypatch.setattr("bot.decider.PAUSE", 0.02)
    monkeypatch.setattr(*("bot.decider.look", looking) if where == "look" else ("bot.worker.record", recording))
    async with House(store, decide=decide, limits=Limits(lease=60.0, burst=0.1)) as house:
        try:
            for n in range(store.writers):  # as many as could hold up everybody
                await house.hear("fine", chat=f"bad {n}")
                while len(refused) <= n:
                    await asyncio.sleep(0.01)
            await house.hear("fine", chat="stranger")
            async with asyncio.timeout(10):  # a sixth of the lease
                while await house.rows("SELECT count(*) FROM inbox WHERE state = 'done'") != [(1,)]:
                    await asyncio.sleep(0.01)
        finally:
            broken = False
        await house.settled()
        assert await house.rows("SELECT DISTINCT state, attempts FROM check_inbox") == [("done", 1)]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # one beat after the other
async def test_whose_turn_it_is_changes_when_somebody_had_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[tuple[bool, bool]] = []

    def taking(*args: Any, retry: bool, **more: Any) -> list[Lane]:
        lanes = take(*args, retry=retry, **more)
        beats.append((retry, bool(lanes)))
        return lanes

    monkeypatch.setattr(worker, "take", taking)
    async with House(store) as house:
        for n in range(3):
            await house.hear(str(n))
            await house.settled()
    assert [had for _, had in beats].count(True) == 3
    assert all((was != now) == had for (was, had), (now, _) in itertools.pairwise(beats))


async def test_an_alarm_is_counted_by_whoever_wrote_it(store: Store) -> None:
    house, alarms = House(store), ALARMS.labels("event_failed")._value
    await house.hear("hello")
    now, us = time.time(), house.hub.process
    [lane] = await store.write(lambda c: take(c, holder=us, now=now, lease=9.0, most=9))
    before = alarms.get()
    for mine in (replace(lane, fence=lane.fence - 1), lane):  # somebody else had it meanwhile
        assert alarms.get() == before
        await house.worker._commit([Outcome(mine, error="it never finished", dead=True, wordless=True)], most=0)
    assert alarms.get() == before + 1


@pytest.mark.parametrize(
    ("spoiled", "state"),
    [
        ("UPDATE ticket SET due_at = 253402390799", "done"),  # the year 10000
        ("UPDATE conversation SET opened_at = -1e300 WHERE chat_id IN (SELECT chat_id FROM ticket)", "done"),
        ("UPDATE ticket SET details = '[]'", "dead"),
        ("""UPDATE chat SET talk = '{"pending":7}' WHERE id IN (SELECT chat_id FROM ticket)""", "dead"),
    ],
)
async def test_a_row_that_cannot_be_read_fails_its_own_event_only(store: Store, spoiled: str, state: str) -> None:
    async with House(store) as house:
        await house.hear("ticket", chat="c3")
        await house.settled()
        await house.store.write(lambda c: c.exec_driver_sql(spoiled))
        await house.inbox.receive([Inbound("web", f"k{n}", f"c{n}", text="fine") for n in range(8)])
        await house.settled()
        states = await house.rows("SELECT dedup_key, state FROM inbox WHERE dedup_key LIKE 'k%' ORDER BY dedup_key")
        assert states == [(f"k{n}", state if n == 3 else "done") for n in range(8)]
        said = await house.rows(
            "SELECT text FROM message WHERE chat_id IN (SELECT chat_id FROM ticket) AND author = 'bot' ORDER BY seq"
        )
        assert said[1:] == [("sorry",) if state == "dead" else ("echo fine",)]


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, 1e300, -1e300, 253402390799.0])
def test_any_stored_time_is_a_moment(seconds: float) -> None:
    local = moment(seconds).astimezone(timezone(timedelta(hours=14)))
    assert 1 <= (local - timedelta(days=30)).year <= (local + timedelta(days=30)).year <= 9999


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # on SQLite one writes at a time
async def test_customers_are_locked_in_one_order_whatever_the_order_of_their_chats(store: Store, postgres: str) -> None:

    def decide(turn: Turn) -> Decision:
        return replace(echo(turn), effects=(*echo(turn).effects, Learn("product", "AX3000")))

    async with House(store, decide=decide) as house:
        both = ("b", "c")
        await house.inbox.receive([Inbound("web", f"1{at}", at, text="one") for at in both])
        await house.settled()
        await house.store.write(lambda c: c.exec_driver_sql("UPDATE chat SET customer_id = 3 - customer_id"))
        other = await asyncpg.connect(store.url.set(drivername="postgresql").render_as_string(hide_password=False))
        held = other.transaction()
        await held.start()
        await other.execute("SELECT id FROM customer WHERE id = 1 FOR NO KEY UPDATE")
        await house.inbox.receive([Inbound("web", f"2{at}", at, text="two") for at in both])
        while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        await other.execute("SELECT id FROM customer WHERE id = 2 FOR NO KEY UPDATE NOWAIT")  # nobody has it yet
        await held.rollback()
        await other.close()
        await house.settled()
        assert await house.rows("SELECT attempts FROM inbox") == [(1,)] * 4


async def test_a_turn_knows_the_open_conversation_and_the_last_closed_one(store: Store) -> None:
    seen: list[tuple[str, str]] = []

    def decide(turn: Turn) -> Decision:
        here, last = turn.conversation, turn.last
        seen.append((here.number if here else "", last.number if last else ""))
        more = {"close": (Close("x"),), "again": (Reopen("C-1"),)}.get(turn.event.text, ())
        started = () if here or turn.event.text == "again" else (Open(f"C-{len(seen)}"),)
        idle = () if turn.event.text == "close" else (SetTimer("idle", turn.now + timedelta(hours=1)),)
        return Decision(turn.talk, (*started, *more, *idle))

    async with House(store, decide=decide) as house:
        for words in ("hello", "close", "hello", "close", "again", "hello"):
            await house.hear(words)
            await house.settled()
    assert seen == [("", ""), ("C-1", ""), ("", "C-1"), ("C-3", "C-1"), ("", "C-3"), ("C-1", "C-3")]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # PostgreSQL's plan depends on how much there is
async def test_what_a_turn_needs_is_found_without_reading_what_was_long_ago(store: Store) -> None:
    def plan(connection: Connection) -> list[str]:
        asked: list[str] = []
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(asked.append)
        MATTERS(connection, ids=[1])
        driver.set_trace_callback(None)
        [statement] = asked
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]

    steps = await store.read(plan)
    assert any("uq_conversation_open" in step for step in steps), steps
    assert not any("B-TREE" in step or "SCAN conversation" in step for step in steps), steps


async def test_words_stay_when_a_neighbour_breaks_the_transaction(store: Store) -> None:
    def decide(turn: Turn) -> Decision:
        wrong = turn.event.text == "poison"
        return replace(echo(turn), effects=(Close("x"), SetTimer("y", turn.now))) if wrong else echo(turn)

    async with House(store, decide=decide) as house:
        await asyncio.gather(*(house.hear("poison" if n == 3 else "fine", chat=f"c{n}") for n in range(8)))
        await house.settled()
        shown = await house.rows(
            "SELECT text, count(*) FROM message WHERE author = 'customer' GROUP BY text ORDER BY text"
        )
        assert shown == [("fine", 7), ("poison", 1)]
