"""Customers who call: registered, found, noted of, written to; and nobody tries to write where nobody reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

from sqlalchemy import update

from bot import verify
from bot.dialogue import Alarm, Decision, Fact, Say, Talk
from bot.inbox import chat_id
from bot.messages import BY_HAND, Reply
from bot.store import Store
from bot.tables import customer, inbox
from channels import Can
from handoff import search
from handoff.access import Actor
from handoff.care import told_by_hand
from handoff.commands import CommandOutcome
from handoff.packet import packet
from handoff.reading import profiles
from tests.handoff.conftest import Desk
from tests.handoff.staffed import Staffed

CALL = {
    "called": "Wang Fang",
    "kind": "repair",
    "subject": "The camera fell down",
    "details": {"contact": "13800138000", "product": "Cam 2", "serial": "HL24A7X9K2M4", "nonsense": "x"},
    "came": "phone",
}


async def call(house: Staffed, who: str = "Anna", number: str = "", **more: Any) -> CommandOutcome:
    return await house.order(who, number, "ticket_open", **{**CALL, **more})


async def test_a_call_of_somebody_new_is_a_ticket_like_any_other(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", "Bo")
        told = await call(house)
        assert told.state == "done"
        [(number, kind, state, owner, details)] = await house.rows(
            "SELECT number, kind, state, agent_id, details FROM ticket"
        )
        assert (number, kind, state) == (told.data["number"], "repair", "assigned")
        assert owner == house.actors["Anna"].id
        [(name, known)] = await house.rows("SELECT name, known FROM customer")
        assert (name, "13800138000" in str(known)) == ("Wang Fang", True)
        kept = str(details)
        assert ("HL24A7X9K2M4" in kept, "phone" in kept, "nonsense" in kept) == (True, True, False)
        assert await house.rows("SELECT 1 FROM reply") == []
        assert await house.rows("SELECT 1 FROM alarm") == []  # he is on the line: who registers it tells him

        moved = await house.order("Bo", told.data["number"], "ticket_move", state="waiting_parts", text="A lens")
        assert moved.state == "done"
        [(kind, text, whose, of)] = await house.rows(
            "SELECT alarm.kind, text, alarm.agent_id, number FROM alarm JOIN ticket ON ticket.id = ticket_id"
        )
        assert (kind, whose, of) == ("tell_customer", house.actors["Bo"].id, told.data["number"])
        assert "A lens" in text
        assert await house.rows("SELECT 1 FROM reply") == []
        assert await house.rows("SELECT 1 FROM message") == []
        assert (await store.read(verify.verify))["broken"] == {}


def test_what_falls_due_is_told_him_by_whoever_has_his_ticket() -> None:
    turn: Any = SimpleNamespace(
        by_hand=True,
        event=SimpleNamespace(subject="ticket:T-1", data={"clock": {}}),
        tickets=(SimpleNamespace(number="T-1", agent=7),),
    )
    said = Decision(Talk(), (Say(Reply("We are late.")), Fact("apologised")))
    assert told_by_hand(turn, said).effects == (  # type: ignore[union-attr]
        Fact("apologised"),
        Alarm("tell_customer", "We are late.", 7, ticket="T-1"),
    )


async def test_the_same_call_sent_twice_is_registered_once(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna")
        once = await house.commands.do(house.actors["Anna"], "", "ticket_open", CALL, "k")
        again = await house.commands.do(house.actors["Anna"], "", "ticket_open", CALL, "k")
        assert once == again
        assert await house.rows("SELECT count(*) FROM customer") == [(1,)]
        assert await house.rows("SELECT count(*) FROM ticket") == [(1,)]


async def test_a_call_is_for_whom_it_is_given_to_and_due_when_it_was_promised(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", teams=["repair"])
        await house.come("Bo")
        due = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
        told = await call(house, to_agent=house.actors["Bo"].id, due_at=due.isoformat())
        [row] = await house.rows("SELECT agent_id, owner, due_at FROM ticket")
        assert tuple(row) == (house.actors["Bo"].id, "agent", due.timestamp())
        team = await call(house, to_team="repair", came="letter")
        assert team.state == "done"
        latest = " FROM ticket ORDER BY id DESC LIMIT 1"
        assert await house.rows("SELECT agent_id, owner, state" + latest) == [(None, "team:repair", "new")]
        assert (await call(house, to_agent=999)).data["reason"] == "nobody"
        assert (await call(house, came="pigeon")).data["reason"] == "unknown"
        assert (await call(house, kind="poem")).data["reason"] == "unknown"
        assert (await call(house, subject="", details={"contact": "x"})).data["reason"] == "empty"
        part = await call(house, kind="parts", subject="", details={"part": "two adapters", "contact": "x"})
        assert (told.state, part.state) == ("done", "done")
        assert await house.rows("SELECT subject" + latest) == [("two adapters",)]


async def test_a_known_customer_is_told_where_he_writes(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna")
        await house.hear("hello", chat="a")
        await house.settled()
        [[who]] = await house.rows("SELECT id FROM customer")
        told = await call(house, number=str(who))
        await house.settled()
        assert told.state == "done"
        assert await house.rows("SELECT count(*) FROM customer") == [(1,)]
        [[where]] = await house.rows("SELECT chat_id FROM ticket")
        assert where == chat_id("web", "a")
        [[said]] = await house.rows("SELECT text FROM message WHERE author = 'system'")
        assert told.data["number"] in said


async def test_who_has_no_chat_any_more_is_kept_by_hand(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", role="supervisor")  # agents see only whom they have to do with

        def known(c: Any) -> int:
            return int(c.scalar(customer.insert().values(name="Li", created_at=1.0).returning(customer.c.id)))

        who = await store.write(known)
        first, second = await call(house, number=str(who)), await call(house, number=str(who))
        assert (first.state, second.state) == ("done", "done")
        assert await house.rows("SELECT DISTINCT customer_id FROM ticket") == [(who,)]
        assert await house.rows("SELECT channel, address FROM chat") == [(BY_HAND, f"customer:{who}")]
        assert (await house.order("Anna", str(who), "start", text="hello")).data["reason"] == "nowhere"
        assert await house.rows("SELECT 1 FROM conversation") == []


async def test_somebody_writes_first_to_a_customer_where_his_window_is_open(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", "Bo")
        await house.hear("hello", chat="a")
        await house.settled()
        [[who]] = await house.rows("SELECT id FROM customer")
        told = await house.order("Anna", str(who), "start", text="Your camera is ready.")
        await house.settled()
        assert told.state == "done"
        [row] = await house.rows("SELECT number, owner, agent_id FROM conversation ORDER BY id DESC LIMIT 1")
        assert tuple(row) == (told.data["number"], "agent", house.actors["Anna"].id)
        assert (await house.order("Bo", str(who), "start", text="Hi")).data["by"] == "Anna"

        closed = Can(window=1.0, replies=5)
        house.commands._reach = lambda _channel, _address: closed
        await store.write(lambda c: c.execute(update(inbox).values(received_at=1.0)))
        assert (await house.order("Anna", str(who), "start", text="Hi")).data["reason"] == "window"


async def test_notes_products_and_tier_are_known_to_whoever_takes_over(desk: Desk) -> None:
    await desk.let_in("anna")
    await desk.let_in("sam")
    store = desk.app.store
    [who] = await store.read(lambda c: [r.id for r in c.execute(customer.select()) if "repair" in r.name])
    for login, what, data, status in (
        ("anna", "notes", {"text": "Deaf on one ear"}, 200),
        ("anna", "notes", {"text": " "}, 422),
        ("anna", "tier", {"tier": "gold"}, 403),
        ("sam", "tier", {"tier": "gold"}, 200),
    ):
        assert (await desk.ask(login, "POST", f"/customers/{who}/{what}", json=data)).status_code == status
    told = await store.read(lambda c: packet(c, "C-REPAIR00"))
    assert told
    assert told.notes == [("Anna", "Deaf on one ear")]
    assert told.customer["tier"] == "gold"
    book = await store.read(lambda c: [tuple(r) for r in c.exec_driver_sql("SELECT action, subject FROM audit")])
    assert {("customer.note", f"customer:{who}"), ("customer.tier", f"customer:{who}")} <= set(book)
    page = (await desk.ask("anna", "GET", f"/customers/{who}")).text
    assert "Deaf on one ear" in page
    assert "gold" in page
    assert "Deaf on one ear" in (await desk.ask("anna", "GET", "/conversations/C-REPAIR00/side")).text


async def test_what_is_anothers_teams_customer_stays_hidden(desk: Desk) -> None:
    await desk.let_in("anna")
    rows = await desk.app.store.read(lambda c: {r.name: r.id for r in c.execute(customer.select())})
    theirs = rows["Customer of sales"]
    for method, path, data in (
        ("GET", f"/customers/{theirs}", None),
        ("GET", f"/register?customer={theirs}", None),
        ("POST", f"/customers/{theirs}/notes", {"text": "x"}),
        ("POST", f"/customers/{theirs}/start", {"text": "x", "key": "k"}),
        ("POST", "/register", {"customer": str(theirs), "key": "k", "kind": "question", "subject": "x"}),
        ("GET", "/customers/nobody", None),
    ):
        assert (await desk.ask("anna", method, path, json=data)).status_code == 404, path
    assert (await desk.ask("anna", "POST", "/register", json={"key": "k", "subject": "x"})).status_code == 422


async def test_a_customer_is_found_by_name_telephone_and_number(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna")
        told = await call(house)
        await call(house, called="王芳", details={"contact": "fang@example.com"}, subject="安装")
        rows, marks = await store.read(search.unread)
        await store.write(lambda c: search.write(c, rows, marks))
        chief = Actor(0, "", "admin")
        for query, name in (
            ("wang", "Wang Fang"),
            ("138 0013 8000", "Wang Fang"),
            (told.data["number"], "Wang Fang"),
            ("hl24a7x9k2m4", "Wang Fang"),
            ("王芳", "王芳"),
            ("fang@example.com", "王芳"),
        ):
            found = await store.read(partial(profiles.found, actor=chief, query=query))
            assert [one.name for one in found] == [name], query
        [one] = await store.read(lambda c: profiles.found(c, chief, "wang"))
        owned = await store.read(lambda c: profiles.products(c, one.id))
        assert owned == [{"product": "Cam 2", "serial": "HL24A7X9K2M4"}]
