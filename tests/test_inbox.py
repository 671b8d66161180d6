"""Receive: what comes is stored once, and a locked chat holds up no other."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from bot.inbox import Inbox
from bot.messages import Inbound
from bot.metrics import ALARMS
from bot.store import RowLocked, Store
from tests.house import QUICK, House


async def test_one_batch_may_hold_the_same_event_twice(store: Store) -> None:
    async with House(store) as house:
        twice = [Inbound("web", "a:1", "a", text="x"), Inbound("web", "a:1", "a", text="x")]
        receipts = await house.inbox.receive(twice)
        assert [r.fresh for r in receipts] == [True, False]
        await house.settled()
        assert len(await house.rows("SELECT id FROM inbox")) == 1


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
