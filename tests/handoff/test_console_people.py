"""People come and go: who counts as there, what a disabled colleague leaves, who may be the last or the first admin."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from bot.store import Store
from bot.tables import conversation, fact, message, ticket
from bot.verify import verify
from handoff import accounts, lookups, sessions
from handoff.access import Actor, NotFound
from handoff.commands import _place
from handoff.queue import snapshot
from handoff.tables import agent, agent_session, handover
from tests.handoff.conftest import PEOPLE, Desk
from tests.handoff.staffed import Staffed


async def test_who_gives_no_sign_is_not_there(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", teams=["repair"])

        def there(c: Connection) -> tuple[Any, ...]:
            now = time.time()
            found = lookups.desk(c, now)
            return found.staffed, found.open, found.free, lookups.team_is_there(c, "repair")

        async def online() -> int:
            return len((await store.read(lambda c: snapshot(c, time.time())))[1])

        assert await store.read(there) == (True, True, 50, True)
        assert await online() == 1
        long_ago = {"seen_at": time.time() - lookups.GONE - 1}
        await store.write(lambda c: c.execute(update(agent).values(long_ago)))
        assert await store.read(there) == (True, False, 0, False)
        assert await online() == 0
        number = await house.handed_over()
        await house.come("Ben")
        lost = await house.order("Ben", number, "transfer", to_agent=1)
        assert (lost.state, lost.data["reason"]) == ("lost", "away")
        await house.order("Anna", number, "remark", text="from another desk")  # a deed is a sign as well
        assert await store.read(there) == (True, True, 100, True)
        assert await online() == 2


async def test_who_said_that_he_stays_is_there_until_then_whatever_he_closes(desk: Desk) -> None:
    until = time.time() + 8 * 3600
    anna = Actor(desk.ids["anna"], "Anna", "agent", frozenset({"repair"}))

    async def stays() -> float:
        read = select(agent.c.seen_at).where(agent.c.id == anna.id)
        return float(await desk.app.store.read(lambda c: c.execute(read).scalar_one()))

    await desk.app.store.write(lambda c: c.execute(update(agent).values(seen_at=until)))
    await desk.let_in("anna")
    seen_long_ago = update(agent_session).values(seen_at=time.time() - 2 * sessions.NOTED)
    await desk.app.store.write(lambda c: c.execute(seen_long_ago))
    assert (await desk.ask("anna", "GET", "/list")).status_code == 200
    looked = await desk.ask("anna", "POST", "/conversations/C-REPAIR00/seen", json={"seq": 1})
    assert looked.status_code == 200
    await desk.app.store.write(lambda c: sessions.there(c, anna))
    assert await stays() == until
    await desk.app.store.write(lambda c: accounts.be(c, anna, "online"))  # unless he says something else
    assert await stays() < time.time() + 1
    await desk.app.store.write(lambda c: c.execute(update(agent).values(seen_at=None)))
    await desk.app.store.write(lambda c: sessions.there(c, anna))
    assert await stays() > time.time() - 60


async def test_who_signs_out_is_gone_unless_he_stays_at_another_desk(desk: Desk) -> None:
    async def presence() -> str:
        read = select(agent.c.presence).where(agent.c.id == desk.ids["anna"])
        return str(await desk.app.store.read(lambda c: c.execute(read).scalar_one()))

    for until, left in ((time.time() - 1, "offline"), (time.time() + 3600, "online")):
        await desk.let_in("anna")
        says = update(agent).values(seen_at=until, presence="online")
        await desk.app.store.write(partial(Connection.execute, statement=says))
        assert (await desk.ask("anna", "POST", "/logout")).status_code == 200
        assert await presence() == left


async def test_who_works_at_another_desk_alone_is_a_colleague_too(desk: Desk) -> None:
    await desk.let_in("anna")

    async def named() -> set[str]:
        shown = await desk.ask("anna", "GET", "/conversations/C-REPAIR00/colleagues")
        return {name.title() for name in PEOPLE if f">{name.title()} ·" in shown.text}

    assert await named() == set()  # nobody has come yet
    await desk.app.store.write(lambda c: accounts.identify(c, desk.ids["sam"], "slack", "U1"))
    await desk.app.store.write(lambda c: accounts.identify(c, desk.ids["eye"], "slack", "U2"))
    assert await named() == {"Sam"}


async def test_open_tickets_of_a_disabled_agent_go_back_to_the_line(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", "Ben", "Root", role="admin")
        number = await house.handed_over()
        made = [(await house.order("Anna", number, "ticket_open", subject=f"it {n}")).data["number"] for n in range(2)]
        await house.order("Anna", made[1], "ticket_move", state="closed")
        await store.write(lambda c: accounts.disable(c, 1))
        its = select(ticket.c.number, ticket.c.owner, ticket.c.agent_id).order_by(ticket.c.id)
        rows = await store.read(lambda c: [tuple(row) for row in c.execute(its)])
        assert rows == [(made[0], "queue", None), (made[1], "agent", 1)]
        await house.order("Ben", made[1], "ticket_move", state="reopened")
        await house.settled()
        rows = await store.read(lambda c: [tuple(row)[1:] for row in c.execute(its)])
        assert rows == [("queue", None), ("queue", None)]
        assert (await store.read(verify))["ok"]
        await store.write(lambda c: c.execute(update(ticket).values(owner="agent", agent_id=1, closed_at=None)))
        assert "an open ticket's agent can act" in (await store.read(verify))["broken"]


async def test_two_admins_who_disable_each_other_leave_one(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Root", "Chief", role="admin")
        for _ in range(5):
            tries = [store.write(partial(accounts.disable, id=who), first=True) for who in (1, 2)]
            told = await asyncio.gather(*tries, return_exceptions=True)
            assert sum(isinstance(one, accounts.NoAccount) for one in told) == 1
            for who in (1, 2):
                await store.write(partial(accounts.enable, id=who))


async def test_of_two_first_admins_at_once_there_is_one(desk: Desk, store: Store) -> None:
    await store.write(lambda c: c.execute(agent.delete()))
    token = sessions.first_link(desk.app.secret)
    chosen = {"password": "a long enough one", "again": "a long enough one"}

    async def enter(login: str) -> int:
        with desk.client() as browser:
            sent = await browser.post(f"/console/welcome/{token}", data={**chosen, "login": login, "name": login})
            return sent.status_code

    assert sorted(await asyncio.gather(enter("one"), enter("two"))) == [303, 410]
    assert await store.read(accounts.admins) == 1


@pytest.mark.parametrize(
    "path",
    [
        f"/list?tab=closed&before={10**40}",
        f"/audit?before={10**40}&who={10**40}",
        f"/conversations/C-REPAIR00/older?before={10**40}",
        "/list?q=%00",
        "/tickets?q=%00",
        "/conversations/C-%00",
    ],
)
async def test_numbers_and_signs_beyond_the_database_are_no_failure(desk: Desk, path: str) -> None:
    await desk.let_in("root")
    assert (await desk.ask("root", "GET", path)).status_code in (200, 400, 404)


async def test_what_is_sent_beyond_the_database_is_refused(desk: Desk) -> None:
    await desk.let_in("root")
    for path, data in (
        ("/conversations/C-REPAIR00/retry", {"reply": 10**40}),
        ("/dead", {"id": "r" + "9" * 19, "do": "retry"}),
        ("/people/1", {"capacity": "9" * 5000}),
        ("/people", {"login": "new", "capacity": "9" * 40}),
    ):
        assert (await desk.ask("root", "POST", path, json=data)).status_code in (400, 409, 422), path


async def test_a_ticket_is_worked_on_by_who_may_see_it_whatever_its_conversation(desk: Desk) -> None:
    def elsewhere(c: Connection) -> None:
        c.execute(update(handover).values(wants={"team": "sales"}))
        c.execute(update(ticket).values(conversation_id=None))

    await desk.app.store.write(elsewhere)
    actor, of_anna = Actor(desk.ids["anna"], "Anna", "agent", frozenset({"repair"})), desk.app.store.read
    place = await of_anna(lambda c: _place(c, actor, "T-REPAIR00", "ticket_word"))
    assert (place.subject, place.address) == ("ticket", "address repair")
    for number, name in (("T-SALES000", "ticket_word"), ("T-REPAIR00", "say"), ("C-REPAIR00", "claim")):
        with pytest.raises(NotFound):
            await of_anna(partial(_place, actor=actor, number=number, name=name))


async def test_suggestions_go_by_the_last_question(desk: Desk) -> None:
    words = ["how do I reset my router", "human", "hello", "2", "thanks", "yes", "T-7K2M9QXA"]

    def write(c: Connection) -> None:
        ids = {row.number: row for row in c.execute(select(conversation))}
        here, other = ids["C-REPAIR00"], ids["C-SALES000"]
        row = {"chat_id": here.chat_id, "author": "customer", "created_at": time.time()}
        rows = [{**row, "seq": n, "text": said, "conversation_id": here.id} for n, said in enumerate(words, 2)]
        moved = update(conversation).where(conversation.c.id == other.id)
        c.execute(moved.values(chat_id=here.chat_id, owner="none", closed_at=1.0))  # another matter in the same chat
        later = {**row, "seq": 99, "text": "what does shipping to Norway cost", "conversation_id": other.id}
        c.execute(insert(message), [*rows, later])

    await desk.app.store.write(write)
    await desk.let_in("chief")
    for number, meant in (("C-REPAIR00", True), ("C-SALES000", False)):
        found = (await desk.ask("chief", "GET", f"/conversations/{number}/suggested")).json()["answers"]
        assert ("reset-router" in [one["entry"] for one in found[:1]]) == meant


async def test_the_faq_page_tells_where_an_answer_was_given_and_groups_what_had_none(desk: Desk) -> None:
    def write(c: Connection) -> None:
        ids = {row.number: row.id for row in c.execute(select(conversation.c.number, conversation.c.id))}
        for n, (kind, data, which) in enumerate(
            [
                ("answered", {"entry": "reset-router"}, "C-REPAIR00"),
                ("answered", {"entry": "reset-router"}, "C-SALES000"),
                ("unknown", {"question": "Can it fly?"}, "C-REPAIR00"),
                ("unknown", {"question": "can it fly"}, "C-SALES000"),
            ]
        ):
            row = {"at": time.time() + n, "kind": kind, "data": data, "conversation_id": ids[which]}
            c.execute(insert(fact).values(row))

    await desk.app.store.write(write)
    await desk.let_in("anna")
    page = (await desk.ask("anna", "GET", "/faq")).text
    assert "2× in 30 days" in page
    assert page.count(">C-REPAIR00<") == 1
    assert "C-SALES000" not in page  # another team's
    assert page.lower().count("can it fly") == 1
    assert "asked 2×" in page
    await desk.let_in("root")
    assert (await desk.ask("root", "GET", "/faq")).text.count(">C-SALES000<") == 2
