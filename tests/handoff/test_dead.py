"""What could not be handled or sent is its own team's to try again or to let go, and is shown a page at a time."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, insert, select, update

from bot.dead import every, listed
from bot.inbox import chat_id
from bot.tables import chat, conversation, inbox, message, reply
from handoff.api.routes import AT
from tests.handoff.conftest import Desk
from tests.handoff.test_api_access import Shop

REPAIR, SALES, NOBODYS = "address repair", "address sales", "address nobody"


def event(connection: Connection, address: str, key: str) -> str:
    """An event of a chat that died; its id."""
    now, home = time.time(), chat_id("web", address)
    row = {"channel": "web", "dedup_key": key, "chat_id": home, "kind": "text", "priority": 1, "state": "dead"}
    made = insert(inbox).values(**row, ready_at=now, received_at=now, done_at=now).returning(inbox.c.id)
    return str(connection.scalar(made))


def said(connection: Connection, address: str, seq: int, cause: str, of: int | None) -> str:
    """Words of ours that could not be sent; the id of the reply."""
    now, home = time.time(), chat_id("web", address)
    words = {"chat_id": home, "seq": seq, "author": "bot", "text": "hi", "inbox_id": int(cause)}
    connection.execute(insert(message).values(**words, conversation_id=of, created_at=now))
    part = {"chat_id": home, "seq": seq, "part_no": 1, "cause_inbox_id": int(cause), "channel": "web"}
    made = insert(reply).values(**part, address=address, state="dead", created_at=now).returning(reply.c.id)
    return f"r{connection.scalar(made)}"


def die(connection: Connection) -> dict[str, list[str]]:
    """An event and a reply of each team's chat and of one without a conversation; whose they are -> their ids."""
    now, found = time.time(), {}
    of = {row.chat_id: row for row in connection.execute(select(conversation))}
    home = chat_id("web", NOBODYS)
    place = {"id": home, "channel": "web", "address": NOBODYS, "created_at": now}
    connection.execute(insert(chat).values(**place, customer_id=of[chat_id("web", SALES)].customer_id))
    for address in (REPAIR, SALES, NOBODYS):
        first, here = event(connection, address, f"dead {address}"), of.get(chat_id("web", address))
        found[address] = [first, said(connection, address, 2, first, here.id if here else None)]
    return found


def elsewhere(connection: Connection) -> None:
    """The sales team's matter is closed; the chat has another since, of the repair team's."""
    theirs = conversation.c.chat_id == chat_id("web", SALES)
    old = connection.execute(select(conversation).where(theirs)).one()
    connection.execute(update(conversation).where(theirs).values(owner="none", closed_at=1.0))
    new = {"number": "C-LATER000", "chat_id": old.chat_id, "customer_id": old.customer_id, "opened_at": time.time()}
    connection.execute(insert(conversation).values(**new, owner="bot"))


async def states(desk: Desk) -> list[Any]:
    """How everything that died stands."""

    def read(c: Connection) -> list[Any]:
        events = select(inbox.c.state).where(inbox.c.dedup_key.like("dead %")).order_by(inbox.c.id)
        return [*c.scalars(events), *c.scalars(select(reply.c.state).order_by(reply.c.id))]

    return await desk.app.store.read(read)


async def test_what_another_teams_customer_said_is_not_shown_nor_let_go(desk: Desk) -> None:
    dead = await desk.app.store.write(die)
    own, theirs = dead[REPAIR] + dead[NOBODYS], dead[SALES]
    shop = Shop(desk)
    for login in ("sam", "chief"):
        await desk.let_in(login)
        await shop.token(login, "all")
        page = (await desk.ask(login, "GET", "/dead")).text
        shown = {id for id in own + theirs if f'name="id" value="{id}"' in page}
        told = (await shop.ask(login, "GET", f"{AT}/dead")).json()
        assert shown == {one["id"] for one in told["items"]} == {*own, *(theirs if login == "chief" else ())}
        assert told["next"] is None
    for id in theirs:
        for do in ("retry", "discard"):
            lost = await desk.ask("sam", "POST", "/dead", json={"id": id, "do": do})
            never = await desk.ask("sam", "POST", "/dead", json={"id": "99999", "do": do})
            assert (lost.status_code, lost.text) == (409, never.text.replace("99999", id))
            assert (await shop.ask("sam", "POST", f"{AT}/dead/{id}/{do}")).status_code == 409
    assert await states(desk) == ["dead"] * 6
    assert (await desk.ask("sam", "POST", "/dead", json={"id": own[0], "do": "retry"})).status_code == 200
    assert (await shop.ask("sam", "POST", f"{AT}/dead/{own[1]}/discard")).status_code == 200
    assert (await shop.ask("chief", "POST", f"{AT}/dead/{theirs[0]}/discard")).status_code == 200
    assert await states(desk) == ["waiting", "done", "dead", "withdrawn", "dead", "dead"]


async def test_what_was_said_in_a_matter_stays_its_teams_when_the_chat_goes_on_with_another(desk: Desk) -> None:
    dead = await desk.app.store.write(die)
    await desk.app.store.write(elsewhere)
    await desk.let_in("sam")
    page = (await desk.ask("sam", "GET", "/dead")).text
    shown = [f'name="id" value="{id}"' in page for id in dead[SALES]]
    assert shown == [False, False]
    mine = await desk.app.store.write(lambda c: event(c, SALES, "dead later"))  # its words stand nowhere yet
    assert f'name="id" value="{mine}"' in (await desk.ask("sam", "GET", "/dead")).text


async def test_however_many_died_a_page_is_short_and_the_next_goes_on(desk: Desk) -> None:
    def many(c: Connection) -> None:
        for n in range(150):
            cause = event(c, REPAIR, f"dead {n}")
            if n < 70:
                said(c, REPAIR, n + 2, cause, None)

    await desk.app.store.write(many)
    whole = [one["id"] for one in await desk.app.store.read(lambda c: list(every(c)))]
    assert len(whole) == len(set(whole)) == 220
    assert [one["id"] for one in await desk.app.store.read(listed)] == whole[:100]
    await desk.let_in("sam")
    found, path = [], "/dead"
    for _ in range(3):
        page = (await desk.ask("sam", "GET", path)).text
        found.append([id for id in whole if f'name="id" value="{id}"' in page])
        path = f"/dead?after={found[-1][-1]}"
        assert (f"/console{path}" in page) == (len(found) < 3)
    assert found == [whole[:100], whole[100:200], whole[200:]]
    assert (await desk.ask("sam", "GET", "/dead?after=x")).status_code == 400
    shop = Shop(desk)
    await shop.token("sam", "dead.read")
    got: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        told = (await shop.ask("sam", "GET", f"{AT}/dead?limit=60&cursor={cursor}")).json()
        got, cursor = got + [one["id"] for one in told["items"]], told["next"]
    assert got == whole
