"""How what is promised stands, on the console's pages; and an escalation that is taken over with one click."""

from __future__ import annotations

import asyncio
import time

from sqlalchemy import Connection, insert, select, update

from bot.inbox import chat_id
from bot.tables import conversation, fact, ticket, timer
from handoff.access import Actor
from handoff.reading.wall import figures
from handoff.standards import Clock
from handoff.tables import alarm
from tests.handoff.conftest import PEOPLE, Desk

HOUR = 3600.0
HERE, FOREIGN = chat_id("web", "address repair"), chat_id("web", "address sales")


def _standing(c: Connection) -> None:
    """The conversation of the repairs waits for too long, their ticket is at risk, that of the sales is well."""
    now = time.time()
    for subject, chat, name, due, told in (
        ("conversation:C-REPAIR00", HERE, "first_reply", now - HOUR, 4),
        ("ticket:T-REPAIR00", HERE, "resolution", now + HOUR, 2),
        ("ticket:T-SALES000", FOREIGN, "resolution", now + 9 * HOUR, 0),
    ):
        clock = Clock(now - 9 * HOUR, now - 9 * HOUR, told=told, missed=due < now).as_json()
        row = {"subject": subject, "kind": name, "chat_id": chat, "due_at": now + 99 * HOUR}
        c.execute(insert(timer).values(**row, data={"clock": clock, "due": due}))
    clocks = {"first_reply": Clock(now, None, spent=2 * HOUR, ended="met").as_json(), "resolution": clock | {"told": 2}}
    c.execute(update(ticket).where(ticket.c.number == "T-REPAIR00").values(clocks=clocks, due_at=now + HOUR))
    c.execute(update(ticket).where(ticket.c.number == "T-SALES000").values(kind="recovery"))


async def test_the_wall_counts_what_runs_and_what_was_kept(desk: Desk) -> None:
    def write(c: Connection) -> None:
        _standing(c)
        for what, who, took in (
            ("met", "anna", 1.0),
            ("met", "anna", 7.0),
            ("missed", "sam", 8.0),
            ("met", "root", 1.0),
        ):
            data = {"agent": desk.ids[who], "took": took * HOUR, "promised": 8 * HOUR}
            c.execute(insert(fact).values(at=time.time(), kind=f"standard_{what}", data=data))
        c.execute(insert(fact).values(at=time.time() - 2 * 86400, kind="standard_missed", data=data))

    await desk.app.store.write(write)
    seen = {}
    for login in ("sam", "root"):
        await desk.let_in(login)
        role, teams = PEOPLE[login]
        actor = Actor(desk.ids[login], login, role, frozenset(teams))
        found = await desk.app.store.read(lambda c, actor=actor: figures(c, actor))  # type: ignore[misc]
        seen[login] = (tuple(found["standing"]), tuple(found["kept"]))
        assert "met" in (await desk.ask(login, "GET", "/wall")).text
    assert seen == {"sam": ((1, 1, 0), (2, 1, 1)), "root": ((1, 1, 1), (3, 2, 1))}


async def test_lists_and_tickets_show_what_is_due_and_how_it_was_kept(desk: Desk) -> None:
    await desk.app.store.write(_standing)
    for login in ("anna", "root"):
        await desk.let_in(login)
        assert "Overdue" in (await desk.ask(login, "GET", "/list?tab=queue")).text
        page = (await desk.ask(login, "GET", "/tickets/T-REPAIR00")).text
        assert "in time" in page
        assert "took 2 h" in page
        assert "due soon" in page
        assert 'class="wait soon"' in (await desk.ask(login, "GET", "/tickets")).text
    recovery = (await desk.ask("root", "GET", "/tickets?whose=recovery")).text
    assert ("T-SALES000" in recovery, "T-REPAIR00" in recovery) == (True, False)
    assert "T-SALES000" not in (await desk.ask("anna", "GET", "/tickets?whose=recovery")).text


async def test_an_escalation_is_taken_over_by_somebody_with_the_authority(desk: Desk) -> None:
    def write(c: Connection) -> None:
        ids = {row.number: row.id for row in c.execute(select(ticket.c.number, ticket.c.id))}
        row = {"at": time.time(), "kind": "resolution_missed", "role": "supervisor"}
        c.execute(insert(alarm).values(**row, chat_id=HERE, ticket_id=ids["T-REPAIR00"], text="T-REPAIR00"))
        c.execute(insert(alarm).values(**row, chat_id=FOREIGN, ticket_id=ids["T-SALES000"]))
        c.execute(insert(alarm).values(**{**row, "kind": "first_reply_missed"}, chat_id=HERE, conversation_id=1))
        c.execute(insert(alarm).values(**{**row, "role": "admin"}, chat_id=HERE, ticket_id=ids["T-REPAIR00"]))
        c.execute(insert(alarm).values(**{**row, "kind": "emergency"}, chat_id=HERE, conversation_id=1))

    await desk.app.store.write(write)
    for login in ("anna", "sam"):
        await desk.let_in(login)
    page = (await desk.ask("sam", "GET", "/alarms")).text
    assert ("T-REPAIR00" in page, "T-SALES000" in page) == (True, False)
    working = asyncio.create_task(desk.app.worker.run())
    assert (await desk.ask("anna", "POST", "/alarms", json={"id": 1, "take": "yes", "key": "a"})).status_code == 404
    assert (await desk.ask("sam", "POST", "/alarms", json={"id": 2, "take": "yes", "key": "b"})).status_code == 404
    took = await desk.ask("sam", "POST", "/alarms", json={"id": 1, "take": "yes", "key": "c"})
    assert (took.status_code, took.json()) == (200, {"go": "/console/tickets/T-REPAIR00"})
    took = await desk.ask("sam", "POST", "/alarms", json={"id": 3, "take": "yes", "key": "d"})
    assert took.json() == {"go": "/console/conversations/C-REPAIR00"}
    desk.app.worker.stop()
    await working
    of = select(ticket.c.agent_id).where(ticket.c.number == "T-REPAIR00")
    talk = select(conversation.c.agent_id).where(conversation.c.number == "C-REPAIR00")
    assert await desk.app.store.read(lambda c: (c.scalar(of), c.scalar(talk))) == (desk.ids["sam"], desk.ids["sam"])
    open_ones = select(alarm.c.id).where(alarm.c.settled_at.is_(None))
    assert await desk.app.store.read(lambda c: list(c.scalars(open_ones))) == [2, 5]  # another matter
