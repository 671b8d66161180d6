"""A message's way from receipt to record: once, in order, whatever happens beside it."""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
import time
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, update

from bot import failure, tables, worker
from bot.allowance import allowance
from bot.config import Limits
from bot.dead import retry
from bot.dialogue import Close, Decision, Learn, Need, Open, Reopen, Say, SetTimer, Turn, Wait
from bot.inbox import Inbox
from bot.joining import SEAM
from bot.lanes import MATTERS, Lane, moment, take
from bot.lookups import look
from bot.messages import Choice, Inbound, Kind, Reply
from bot.metrics import ALARMS
from bot.outbox import take as take_replies
from bot.record import Outcome, record
from bot.rows import Rows
from bot.store import Away, RowLocked, Store
from bot.verify import verify
from channels import Can, NotSent, Unknown
from channels.web import NEWEST
from tests.house import QUICK, House, Probe, echo


async def test_a_message_is_answered_once_however_often_it_comes(store: Store) -> None:
    async with House(store) as house:
        first = await house.hear("hello", key="a:1")
        again = await house.hear("hello", key="a:1")
        await house.settled()
        later = await house.hear("hello", key="a:1")
        assert (first.fresh, again.fresh, later.fresh) == (True, False, False)
        assert first.seq == again.seq == later.seq == 1
        assert await house.rows("SELECT seq, author, text FROM message ORDER BY seq") == [
            (1, "customer", "hello"),
            (2, "bot", "echo hello"),
        ]
        assert await house.rows("SELECT state, outcome, attempts FROM check_inbox") == [("done", "replied", 1)]
        assert await house.rows("SELECT state, part_no, attempts FROM check_reply") == [("sent", 1, 0)]


async def test_a_name_told_later_is_kept_and_then_left_to_people(store: Store) -> None:
    async with House(store) as house:
        for name in ("", "Ann", "Bob"):
            await house.hear("hello", sender="s1", name=name)
            await house.settled()
        assert await house.rows("SELECT name FROM customer") == [("Ann",)]


async def test_who_cannot_be_reached_is_written_to_again_when_he_shows_himself(store: Store) -> None:
    probe = Probe()
    async with House(store, probe) as house:
        await house.hear("one", channel="probe")
        await house.settled()
        await house.store.write(lambda c: c.exec_driver_sql("UPDATE chat SET unreachable = true"))
        first = await house.hear("two", channel="probe", kind=Kind.COMMAND)  # no word of his
        await house.settled()
        assert first.fresh
        assert await house.rows("SELECT count(*) FROM reply WHERE state = 'dead'") == [(1,)]
        await house.hear("three", channel="probe")
        await house.settled()
        assert [words for _, words, _ in probe.sent] == ["echo one", "echo three"]


async def test_who_followed_further_than_there_is_begins_anew(store: Store) -> None:
    async with House(store) as house:
        await house.hear("hello")
        await house.settled()
        for after in (0, 2, 5, NEWEST):  # a restored backup knows less than a stream that was open before
            stream = house.hub.follow("web", "a", after)
            if after != 2:
                assert (await anext(stream) or {})["seq"] == 1
            await stream.aclose()  # type: ignore[attr-defined]


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


async def test_many_chats_keep_their_order(store: Store) -> None:
    async with House(store) as house:

        async def customer(name: str) -> None:
            for n in range(15):
                await house.hear(str(n), chat=name)

        await asyncio.gather(*(customer(f"c{n}") for n in range(12)))
        await house.settled()
        said = await house.rows("SELECT chat_id, text FROM message WHERE author = 'bot' ORDER BY chat_id, seq")
        by_chat: dict[int, list[str]] = {}
        for chat, words in said:
            by_chat.setdefault(chat, []).append(words)
        assert list(by_chat.values()) == [[f"echo {n}" for n in range(15)]] * 12


async def test_one_batch_may_hold_the_same_event_twice(store: Store) -> None:
    async with House(store) as house:
        twice = [Inbound("web", "a:1", "a", text="x"), Inbound("web", "a:1", "a", text="x")]
        receipts = await house.inbox.receive(twice)
        assert [r.fresh for r in receipts] == [True, False]
        await house.settled()
        assert len(await house.rows("SELECT id FROM inbox")) == 1


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
        assert error.startswith("ValueError at test_pipeline.py:")


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


async def test_words_of_a_burst_are_decided_together(store: Store) -> None:
    def decide(turn: Turn) -> Decision | Wait:
        if turn.event.kind is Kind.TEXT and not turn.event.text.endswith("?"):
            return Wait(turn.now + timedelta(seconds=0.3 if turn.event.text == "alone" else 30))
        return echo(turn)

    async with House(store, decide=decide) as house:
        for n, words in enumerate(["my router", "is slow", "why?"], 1):
            await house.hear(words, key=f"k{n}")
        await house.settled()
        rows = await house.rows("SELECT dedup_key, outcome, turn_id FROM check_inbox ORDER BY id")
        assert rows == [("k1", "merged", 3), ("k2", "merged", 3), ("k3", "replied", 3)]
        assert ("echo my router is slow why?",) in await house.rows("SELECT text FROM message")
        await house.hear("alone", key="k4")
        await house.settled()
        rows = await house.rows("SELECT outcome, turn_id FROM check_inbox WHERE id > 3 ORDER BY id")
        assert rows == [("replied", 4), ("timer", 4)]
        assert await house.rows("SELECT cause_inbox_id FROM check_reply WHERE seq > 4") == [(4,)]


@pytest.mark.parametrize("last", ["why?", ""])
async def test_the_first_words_of_a_burst_belong_to_the_conversation_that_it_opens(store: Store, last: str) -> None:
    def decide(turn: Turn) -> Decision | Wait:
        if turn.event.kind is Kind.TEXT and not turn.event.text.endswith(("?", "!")):
            return Wait(turn.now + timedelta(seconds=30 if last else 0.3))
        return Decision(turn.talk, (Say(Reply("hm")),)) if turn.event.text.endswith("!") else echo(turn)

    async with House(store, decide=decide) as house:
        await house.hear("of no matter!")  # nothing is opened by it
        for words in filter(None, ["my router", "is slow", last]):
            await house.hear(words)
        await house.hear("my camera", chat="b")
        await house.hear("what?", chat="b")
        await house.settled()
        said = """SELECT m.text, c.number IS NOT NULL FROM message m LEFT JOIN conversation c
            ON c.id = m.conversation_id AND c.chat_id = m.chat_id WHERE m.author = 'customer'"""
        rows = {text: bool(its) for text, its in await house.rows(said)}
        belong = filter(None, ["my router", "is slow", last, "my camera", "what?"])
        assert rows == {"of no matter!": False, **dict.fromkeys(belong, True)}
    assert (await store.read(verify))["ok"]


@pytest.mark.parametrize("last", ["bad?", ""])
async def test_the_words_of_a_turn_that_dies_die_with_it_and_can_be_tried_again(store: Store, last: str) -> None:
    broken = True

    def decide(turn: Turn) -> Decision | Wait:
        if turn.event.kind is Kind.TEXT and not turn.event.text.endswith("?"):
            return Wait(turn.now + timedelta(seconds=30 if last else 0.3))
        if broken and turn.talk.pending:
            raise ValueError("no")
        return echo(turn)

    async with House(store, decide=decide, apologise=failure.apologise) as house:
        for words in filter(None, ["my router", last]):
            await house.hear(words)
        await house.settled()
        states = await house.rows("SELECT state, outcome, turn_id, error IS NULL FROM inbox ORDER BY id")
        assert states == [("dead", None, None, False)] * 2  # the words, and what ended the burst
        said = await house.rows("SELECT text FROM message WHERE author = 'bot'")
        assert ["went wrong" in words for (words,) in said] == [True, False]  # once, and what he should know
        assert (await store.read(verify))["ok"]
        broken = False
        assert await store.write(lambda c: retry(c, ["all"])) == 2
        house.worker.wake()
        await house.settled()
        assert (f"echo my router {last or 'burst'}",) in await house.rows("SELECT text FROM message")
    assert (await store.read(verify))["ok"]


async def test_a_timer_that_was_moved_does_not_fire(store: Store) -> None:
    def decide(turn: Turn) -> Decision:
        if turn.event.kind is Kind.TIMER:
            return Decision(turn.talk, (Say(Reply("due")), Close("idle")))
        done = echo(turn)
        wait = float(turn.event.text)
        return replace(done, effects=(*done.effects, SetTimer("idle", turn.now + timedelta(seconds=wait))))

    async with House(store, decide=decide) as house:
        await house.hear("3")
        await house.settled()
        await house.hear("60")
        await house.settled()
        await asyncio.sleep(3.2)
        await house.settled()
        assert await house.rows("SELECT closed_at FROM conversation") == [(None,)]
        await house.hear("0.1")
        await asyncio.sleep(0.4)
        await house.settled()
        assert await house.rows("SELECT owner, next_due_at FROM check_conversation") == [("none", None)]
        assert await house.rows("SELECT count(*) FROM message WHERE text = 'due'") == [(1,)]


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


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # SQLite locks no rows
async def test_a_chat_that_somebody_keeps_locked_holds_up_no_stranger(
    store: Store, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator's open transaction on a chat, or on a customer."""
    monkeypatch.setattr("bot.postgres.SHARED", "BEGIN; SET LOCAL lock_timeout = '50ms'")
    async with House(store, limits=QUICK.model_copy(update={"lease": 0.5})) as house:
        await house.inbox.receive([Inbound("web", f"{chat}1", chat, text="hello") for chat in "abc"])
        await house.settled()
        admin = await asyncpg.connect(postgres.format(name=store.url.database))
        his = {"chat": "SELECT id FROM chat", "customer": "SELECT customer_id FROM chat"}
        for n, (table, which) in enumerate(his.items(), 2):
            begun = admin.transaction()
            await begun.start()
            await admin.execute(f"SELECT FROM {table} WHERE id = ({which} WHERE address = 'b') FOR UPDATE")
            batch = [Inbound("web", f"{chat}{n}", chat, text="ticket") for chat in "abc"]
            async with asyncio.timeout(10):
                if table == "chat":
                    with pytest.raises(RowLocked):  # the poller asks again
                        await house.inbox.receive(batch)
                else:
                    await house.inbox.receive(batch)
                while await house.rows("SELECT count(*) FROM inbox WHERE state = 'done'") != [(3 * n - 1,)]:
                    await asyncio.sleep(0.01)
            await begun.rollback()
            await house.inbox.receive(batch)
            await house.settled()
        await admin.close()
        assert await house.rows("SELECT count(*) FROM inbox WHERE state = 'done'") == [(9,)]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize("ended_by", ["lock_timeout", "statement_timeout"])
async def test_a_locked_chat_is_waited_for_once_however_many_messages_it_has(
    store: Store, postgres: str, monkeypatch: pytest.MonkeyPatch, ended_by: str
) -> None:
    inbox, write, waits = Inbox(store), store.write, list[RowLocked]()

    async def counting(*args: Any, **how: Any) -> Any:
        try:
            return await write(*args, **how)
        except RowLocked as error:
            waits.append(error)
            raise

    monkeypatch.setattr(store, "write", counting)
    admin = await asyncpg.connect(postgres.format(name=store.url.database))
    if ended_by == "statement_timeout":
        await admin.execute(f"ALTER DATABASE {store.url.database} SET statement_timeout = '1s'")
    await inbox.receive([Inbound("web", f"{chat}0", chat, text="hello") for chat in "ab"])
    begun = admin.transaction()
    await begun.start()
    await admin.execute("SELECT FROM chat WHERE address = 'b' FOR UPDATE")
    many = [[Inbound("web", f"b{n}", "b", text=str(n))] for n in range(1, 6)] + [[Inbound("web", "a1", "a", text="1")]]
    told = await asyncio.gather(*map(inbox.receive, many), return_exceptions=True)
    assert [type(one) for one in told] == [RowLocked] * 5 + [list]
    assert len(waits) == 1
    await begun.rollback()
    await admin.close()
    again = [receipts[0] for receipts in await asyncio.gather(*map(inbox.receive, many))]
    assert [(one.seq, one.fresh) for one in again] == [*((n, True) for n in range(2, 7)), (2, False)]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_what_somebody_keeps_locked_for_ever_ends_dead(
    store: Store, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.postgres.SHARED", "BEGIN; SET LOCAL lock_timeout = '50ms'")
    monkeypatch.setattr("bot.decider.PAUSE", 0.02)
    alarms = ALARMS.labels("event_failed")._value.get()
    async with House(store, limits=QUICK.model_copy(update={"lease": 0.3})) as house:
        await house.hear("hello", chat="b")
        await house.settled()
        admin = await asyncpg.connect(postgres.format(name=store.url.database))
        begun = admin.transaction()
        await begun.start()
        await admin.execute("SELECT FROM customer FOR UPDATE")
        await house.hear("ticket", chat="b", name="Ann")
        await house.settled()
        await begun.rollback()
        await admin.close()
        assert await house.rows("SELECT state, attempts FROM check_inbox ORDER BY id") == [("done", 1), ("dead", 7)]
        assert ALARMS.labels("event_failed")._value.get() == alarms + 1


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


async def test_commands_overtake_what_the_customer_wrote(store: Store) -> None:
    order: list[str] = []

    def decide(turn: Turn) -> Decision:
        order.append(turn.event.text or turn.event.kind)
        if turn.event.text == "stuck":
            raise ValueError("no")
        return echo(turn)

    async with House(store, decide=decide, limits=QUICK.model_copy(update={"backoff": (3.0, 0.1, 0.1, 0.1)})) as house:
        await house.hear("stuck")
        while not order:
            await asyncio.sleep(0.01)
        await house.inbox.receive([Inbound("web", "cmd", "a", Kind.COMMAND)])
        while len(order) < 2:
            await asyncio.sleep(0.01)
        assert order[:2] == ["stuck", "command"]
        await house.settled()
        assert await house.rows("SELECT outcome FROM inbox WHERE kind = 'command'") == [("command",)]


async def test_replies_go_out_in_order_and_only_their_own_address_waits(store: Store) -> None:
    from channels import NotSent

    failing = 2

    async def answer(address: str, reply: Reply) -> None:
        nonlocal failing
        if address == "a" and failing:
            failing -= 1
            raise NotSent("429", retry_after=0.2)

    probe = Probe(answer=answer)
    async with House(store, probe) as house:
        for n in range(3):
            await house.hear(str(n), chat="a", channel="probe")
            await house.hear(str(n), chat="b", channel="probe")
        await house.settled()
    assert [t for a, t, _ in probe.sent if a == "a"] == ["echo 0", "echo 1", "echo 2"]
    assert [a for a, _, _ in probe.sent[:3]] == ["b", "b", "b"]
    states = await house.rows("SELECT state, attempts, provider_id IS NULL FROM check_reply ORDER BY id")
    assert sorted(states) == sorted([("sent", 3, False), *[("sent", 1, False)] * 5]) or all(
        s[0] == "sent" for s in states
    )


class Counted(Probe):
    """A platform that lets us write five messages after each of the customer's."""

    can = Can(replies=5)


async def test_what_was_one_message_at_a_crash_is_that_message_again(store: Store) -> None:
    probe = Counted(name="counted")
    async with House(store, at=lambda *_: Counted.can) as house:  # nobody sends yet
        for words in ("one", "two", "three"):
            await house.hear(words, chat="c", channel="counted")
            while await house.rows("SELECT count(*) FROM inbox WHERE state <> 'done'") != [(0,)]:
                await asyncio.sleep(0.01)
        for _ in range(2):  # what was begun is no message of its own for whoever comes next
            await store.write(lambda c: take_replies(c, probe, set(), time.time(), 9, lambda _: True))
    async with House(store, probe) as house:
        await house.settled()
    assert probe.sent == [("c", "echo one\n\n———\n\necho two\n\n———\n\necho three", "r1")]
    states = await house.rows("SELECT state, attempts, provider_id FROM reply")
    assert states == [("uncertain", 2, "p1")] * 3


@pytest.mark.parametrize("trouble", [None, Unknown("cut"), NotSent("busy")])
async def test_where_messages_are_counted_those_that_wait_go_out_as_one(
    store: Store, monkeypatch: pytest.MonkeyPatch, trouble: Exception | None
) -> None:
    """In doubt it is sent again as it was, under the same key, though more waits by then. Buttons stay alone."""
    monkeypatch.setattr("bot.outbox.DOUBT", 0.05)
    monkeypatch.setattr("bot.outbox.PAUSES", (0.05,))
    gate, tried, troubles = asyncio.Event(), list[str](), [trouble] if trouble else []

    async def answer(_address: str, reply: Reply) -> None:
        await gate.wait()
        tried.append(reply.text)
        if troubles and "two" in reply.text:
            await house.hear("five", chat="c", channel="counted")
            raise troubles.pop()

    def decide(turn: Turn) -> Decision:
        said = Reply(turn.event.text, (Choice("x", "X"),) if turn.event.text == "four" else ())
        return Decision(turn.talk.but(language="en"), (Say(said),))

    probe = Counted(name="counted", answer=answer)
    async with House(store, probe, decide=decide, at=lambda *_: Counted.can) as house:
        for n, words in enumerate(("one", "two", "three", "four"), 1):
            await house.hear(words, chat="c", channel="counted")
            while await house.rows("SELECT count(*) FROM reply WHERE attempts = 1 OR id > 1") != [(n,)]:
                await asyncio.sleep(0.01)  # the first is under way, the others wait
        gate.set()
        await house.settled()
    both, again = "two\n\n———\n\nthree", [key for _, text, key in probe.sent if "two" in text]
    assert tried == ["one", both, *([both] if trouble else []), "four", *(["five"] if trouble else [])]
    assert again == ["r2"]
    doubtful = "uncertain" if isinstance(trouble, Unknown) else "sent"
    states = await house.rows("SELECT state FROM reply WHERE id < 5 ORDER BY id")
    assert states == [("sent",), (doubtful,), (doubtful,), ("sent",)]
    assert await house.rows("SELECT count(DISTINCT provider_id) FROM reply WHERE id IN (2, 3)") == [(1,)]


async def test_what_waited_long_is_answered_within_the_messages_that_are_left(store: Store) -> None:
    """Eight questions kept while nobody was there: the last answers go out together, with the last one's buttons."""

    gate = threading.Event()

    def decide(turn: Turn) -> Decision:
        gate.wait(10)
        said = Reply(turn.event.text, (Choice(turn.event.text, "That helped"),))
        return Decision(turn.talk.but(language="en"), (Say(said),))

    shown = list[Reply]()

    async def answer(_address: str, reply: Reply) -> None:
        shown.append(reply)

    asked = [str(n) for n in range(8)]
    probe = Counted(name="counted", answer=answer)
    async with House(store, probe, decide=decide, at=lambda *_: Counted.can) as house:
        for words in asked:
            await house.hear(words, chat="c", channel="counted")
        gate.set()
        await house.settled()
    assert len(shown) <= Counted.can.replies
    assert [words for one in shown for words in one.text.split(SEAM)] == asked
    assert [choice.id for choice in shown[-1].choices] == ["7"]
    chat = (await house.rows("SELECT id FROM chat"))[0][0]
    left = await store.read(lambda c: allowance(c, chat, Counted.can).left)
    assert left == Counted.can.replies - len(shown), "counted from when the last words came"


@pytest.mark.parametrize(("failures", "sent"), [(1, 1), (5, 0)])
async def test_an_unknown_outcome_is_uncertain_and_sent_once_more(store: Store, failures: int, sent: int) -> None:
    async def answer(address: str, reply: Reply) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise Unknown("timeout")

    probe = Probe(answer=answer)
    async with House(store, probe) as house:
        await house.hear("x", channel="probe")
        await house.settled()
        assert await house.rows("SELECT state, attempts FROM check_reply") == [("uncertain", 2)]
    assert len(probe.sent) == sent


async def test_what_may_have_arrived_is_not_sent_again_into_the_same_trouble(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.DOUBT", 3600.0)

    async def answer(address: str, reply: Reply) -> None:
        raise Unknown("reset")

    async with House(store, Probe(answer=answer)) as house:
        await house.hear("x", channel="probe")
        while await house.rows("SELECT state, attempts, due_at > 1e9 FROM reply") != [("uncertain", 1, True)]:
            await asyncio.sleep(0.01)
        [(due,)] = await house.rows("SELECT due_at FROM reply")
        assert due > time.time() + 1800


async def test_what_may_have_arrived_is_sent_again_when_the_platform_answers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform is silent for longer than two attempts take, and whoever sends dies meanwhile: nothing is lost."""
    monkeypatch.setattr("bot.outbox.DOUBT", 0.0)
    monkeypatch.setattr("bot.doubt.PAUSES", (0.01,))
    monkeypatch.setattr("bot.doubt.MOST", 0.01)
    silent, asked = True, 0

    class Silent(Probe):
        async def awake(self) -> None:
            nonlocal asked
            asked += 1
            if silent:
                raise OSError("no route")

    async def answer(_address: str, reply: Reply) -> None:
        if silent:
            raise Unknown("no answer in time")

    probe = Silent(answer=answer)
    for _ in range(2):  # the second process finds it in doubt
        async with House(store, probe) as house:
            if not asked:
                await house.hear("x", channel="probe")
            seen = asked
            while asked < seen + 5:
                await asyncio.sleep(0.01)
            assert await house.rows("SELECT state, attempts, due_at > 1 FROM reply") == [("uncertain", 1, True)]
    silent = False
    async with House(store, probe) as house:
        await house.settled()
        assert await house.rows("SELECT state, attempts FROM check_reply") == [("uncertain", 2)]
    assert [text for _, text, _ in probe.sent] == ["echo x"]


async def test_what_a_platform_says_is_wrong_with_it_is_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says each time that nothing is sure, and in the end takes the message; not for ever, though."""
    monkeypatch.setattr("bot.outbox.DOUBT", 0.0)
    monkeypatch.setattr("bot.outbox.PAUSES", (0.01,))
    monkeypatch.setattr("bot.doubt.PAUSES", (0.0,))
    troubles = {"x": 4, "y": 99}

    async def answer(_address: str, reply: Reply) -> None:
        if troubles[reply.text[-1]]:
            troubles[reply.text[-1]] -= 1
            raise Unknown("internal_error", told=True)

    probe = Probe(answer=answer)
    async with House(store, probe) as house:
        await house.hear("x", channel="probe")
        await house.hear("y", channel="probe", chat="b")
        await house.settled()
        states = await house.rows("SELECT state, attempts FROM check_reply ORDER BY attempts")
        assert states == [("uncertain", 5), ("uncertain", Limits().send_attempts)]
    assert [text for _, text, _ in probe.sent] == ["echo x"]


async def test_what_is_still_being_sent_is_not_taken_for_lost_when_the_database_comes_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, looked, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answer(address: str, reply: Reply) -> None:
        begun.set()
        await over.wait()

    probe = Probe(answer=answer)
    async with House(store, probe) as house:
        [outbox] = house.outboxes
        outbox._timeout, held, looks = 30.0, outbox._duty.hold, 0

        async def hold() -> bool:  # the database is away for one look
            nonlocal looks
            looks += begun.is_set()
            if looks > 2:
                looked.set()
            return looks != 1 and await held()

        monkeypatch.setattr(outbox._duty, "hold", hold)
        await house.hear("x", channel="probe")
        await begun.wait()
        while not looked.is_set():
            outbox.wake()
            await asyncio.sleep(0.01)
        over.set()
        await house.settled()
        assert await house.rows("SELECT state, attempts FROM check_reply") == [("sent", 1)]
    assert len(probe.sent) == 1


async def test_what_was_being_sent_at_a_crash_is_uncertain(store: Store) -> None:
    async with House(store) as house:
        await house.hear("x", channel="probe")
        while not await house.rows("SELECT id FROM reply"):
            await asyncio.sleep(0.01)
        await house.store.write(lambda c: c.exec_driver_sql("UPDATE reply SET state = 'sending', attempts = 1"))
    probe = Probe()
    async with House(store, probe) as house:
        await house.settled()
        assert await house.rows("SELECT state, attempts, provider_id FROM check_reply") == [("uncertain", 2, "p1")]


async def test_a_customer_who_is_gone_is_not_written_to(store: Store) -> None:
    from channels import Refused

    async def answer(address: str, reply: Reply) -> None:
        raise Refused("blocked by the user", gone=True)

    async with House(store, Probe(answer=answer)) as house:
        await house.hear("x", channel="probe")
        await house.hear("y", channel="probe")
        await house.settled()
        assert {s for (s,) in await house.rows("SELECT state FROM check_reply")} == {"dead"}
        assert await house.rows("SELECT unreachable FROM chat") in ([(True,)], [(1,)])


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


async def test_a_timer_moved_while_its_event_waits_stays_set(store: Store) -> None:
    due = threading.Event()

    def decide(turn: Turn) -> Decision:
        if turn.event.text == "slow":
            assert due.wait(20)  # the timer falls due meanwhile and waits behind these words, which move it
        wait = {"slow": 60.0}.get(turn.event.text, 2.0)
        return replace(echo(turn), effects=(*echo(turn).effects, SetTimer("idle", turn.now + timedelta(seconds=wait))))

    async with House(store, decide=decide) as house:
        await house.hear("quick")
        await house.settled()
        await house.hear("slow")
        while not await house.rows("SELECT 1 FROM inbox WHERE kind = 'timer'"):
            await asyncio.sleep(0.05)
        due.set()
        await house.settled()
        assert await house.rows("SELECT outcome FROM inbox WHERE kind = 'timer'") == [("timer",)]
        [(next_due,)] = await house.rows("SELECT next_due_at FROM check_conversation")
        assert next_due is not None


async def test_an_edit_changes_the_message_it_is_of(store: Store) -> None:
    async with House(store) as house:
        await house.hear("frist", native="m1")
        await house.hear("first", kind=Kind.EDIT, native="m1")
        await house.settled()
        assert await house.rows("SELECT text FROM message WHERE author = 'customer'") == [("first",)]
