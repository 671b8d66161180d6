"""Search finds what was said, in Chinese as well, whatever came in which order."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, event, insert, select, update

from bot.inbox import chat_id
from bot.store import Store
from bot.tables import chat, conversation, customer, inbox, ticket
from handoff import search
from handoff.access import Actor
from handoff.reading import lists, profiles, tickets
from handoff.search import Indexer, tokens, wanted
from handoff.tables import handover
from tests.handoff.conftest import Desk
from tests.house import House


def test_words_are_pairs_in_chinese_and_words_elsewhere() -> None:
    assert tokens("我的路由器 AX3000 坏了") == ["我的", "的路", "路由", "由器", "器", "ax3000", "坏了", "了"]
    assert tokens("Ｃ-7K2M") == ["c", "7k2m"]  # full-width letters are the same letters
    assert wanted("路由器", "sqlite") == '"路由" AND "由器"'
    assert wanted("AX3 坏", "postgresql") == "'ax3':* & '坏':*"
    assert wanted("'; DROP \"", "postgresql") == "'drop':*"


@given(st.text())
def test_any_text_makes_words_without_signs(said: str) -> None:
    assert all(re.fullmatch(r"[^\W_]+", token) for token in tokens(said))


@pytest.mark.parametrize("query", ["路由", "由器", "坏", "ax3000", "AX30", "路由器 坏了", "hang night"])
async def test_it_finds(store: Store, query: str) -> None:
    async with House(store) as house:
        await house.hear("我的路由器AX3000坏了", chat="a")
        await house.hear("My AX3000 hangs every night 路由器坏了", chat="b")
        await house.hear("something else", chat="c")
        await house.settled()
        indexer = Indexer(store, house.hub, "test")
        assert await indexer.fill() >= 6
        assert await indexer.fill() == 0
        found = {hit.chat_id for hit in await store.read(lambda c: search.hits(c, query))}
        [(a,), (b,)] = await house.rows("SELECT id FROM chat WHERE address IN ('a', 'b') ORDER BY address")
        assert found == ({b} if query == "hang night" else {a, b})


async def test_what_waits_to_be_handled_is_read_once_it_has_its_conversation(store: Store) -> None:
    done = {"state": "done", "outcome": "replied", "turn_id": 1, "done_at": 1.0}
    waits = {"state": "waiting", **dict.fromkeys(("outcome", "turn_id", "done_at"))}
    async with House(store) as house:
        await house.hear("the first half of a sentence")
        await house.settled()
        indexer = Indexer(store, house.hub, "test")
        await store.write(lambda c: c.execute(update(inbox).values(waits)))
        assert await indexer.fill() == 0
        await store.write(lambda c: c.execute(update(inbox).values(done)))
        assert await indexer.fill() >= 2
        assert all(hit.conversation_id for hit in await store.read(lambda c: search.hits(c, "sentence")))


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # PostgreSQL's plan depends on how much there is
async def test_only_what_is_new_of_a_chat_is_read(store: Store) -> None:
    def asked(connection: Connection) -> list[str]:
        plans: list[str] = []

        def explain(_c: Any, cursor: Any, statement: str, given: Any, *_: Any) -> None:
            if "FROM chat JOIN message" in " ".join(statement.split()):
                connection.dialect.do_execute(cursor, f"EXPLAIN QUERY PLAN {statement}", given)
                plans.extend(str(row[3]) for row in cursor.fetchall())

        event.listen(connection, "before_cursor_execute", explain)
        search.unread(connection)
        event.remove(connection, "before_cursor_execute", explain)
        return plans

    async with House(store) as house:
        await house.hear("one")
        await house.settled()
        plan = await store.read(asked)
        assert any("message USING" in step and "chat_id=? AND seq>?" in step for step in plan), plan


def crowd(connection: Connection, many: int) -> None:
    """A camera of the repair team's customer, and then many of the sales team's."""

    def made(table: Table, **row: Any) -> int:
        return int(connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one())

    own, old = (
        connection.execute(select(ticket).order_by(ticket.c.id.desc() if n else ticket.c.id)).first() for n in (0, 1)
    )
    assert own
    assert old
    rows = [(own.chat_id, own.conversation_id, own.id)]
    copied = {name: value for name, value in old._mapping.items() if name != "id"}
    for n in range(many):
        who, home = made(customer, name=f"Sold {n}", created_at=1.0), chat_id("web", f"sold {n}")
        made(chat, id=home, channel="web", address=f"sold {n}", customer_id=who, created_at=1.0)
        talk = made(conversation, number=f"C-{n:08}", chat_id=home, customer_id=who, owner="queue", opened_at=1.0)
        connection.execute(
            insert(handover).values(conversation_id=talk, reason="asked", priority=2, wants={"team": "sales"})
        )
        mine = {"number": f"T-{n:08}", "chat_id": home, "customer_id": who, "conversation_id": talk}
        rows.append((home, talk, made(ticket, **{**copied, **mine})))
    found = [
        {"kind": kind, "chat_id": home, "ref": 1, "conversation_id": talk, "ticket_id": work, "text": "camera"}
        for home, talk, of in rows
        for kind, work in (("customer", None), ("ticket", of))
    ]
    search.write(connection, found, {})


async def test_what_one_may_see_is_found_however_much_newer_others_have(desk: Desk) -> None:
    store, anna = desk.app.store, Actor(desk.ids["anna"], "Anna", "agent", frozenset({"repair"}))
    await store.write(lambda c: crowd(c, 130))
    assert [one["number"] for one in await store.read(lambda c: lists.found(c, anna, "camera"))] == ["C-REPAIR00"]
    people = await store.read(lambda c: profiles.found(c, anna, "camera"))
    assert [one.name for one in people] == ["Customer of repair"]
    work = await store.read(lambda c: tickets.some(c, anna, tickets.found(c, anna, "camera")))
    assert [one.number for one in work] == ["T-REPAIR00"]
    chief = Actor(desk.ids["chief"], "Chief", "supervisor")
    assert len(await store.read(lambda c: lists.found(c, chief, "camera"))) == lists.SHOWN
    assert len(await store.read(lambda c: tickets.some(c, chief, tickets.found(c, chief, "camera")))) == tickets.SHOWN


async def test_what_comes_later_is_found_and_numbers_too(store: Store) -> None:
    async with House(store) as house:
        indexer = Indexer(store, house.hub, "test")
        for said in ("ticket one", "路由器没有灯"):
            await house.hear(said)
            await house.settled()
            await indexer.fill()
        [(number, conversation)] = await house.rows("SELECT number, id FROM conversation")
        hits = await store.read(lambda c: search.hits(c, number))
        assert {hit.conversation_id for hit in hits} == {conversation}
        assert {hit.kind for hit in await store.read(lambda c: search.hits(c, "one"))} == {"message", "ticket"}
        assert await store.read(lambda c: search.hits(c, "没有"))
        assert await store.read(lambda c: search.hits(c, "!!! …")) == []
