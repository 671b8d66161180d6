"""Alarms: who sees which, how many the badge tells, and that one click settles one for everybody."""

from __future__ import annotations

import time

from sqlalchemy import Connection, insert, select

from bot.inbox import chat_id
from handoff.tables import alarm
from tests.handoff.conftest import Desk


async def test_alarms_reach_those_they_are_for_until_they_are_settled(desk: Desk) -> None:
    def write(c: Connection) -> None:
        row = {"at": time.time(), "kind": "silent", "text": ""}
        repair, sales = chat_id("web", "address repair"), chat_id("web", "address sales")
        c.execute(insert(alarm).values(**row, chat_id=repair, conversation_id=1, agent_id=desk.ids["anna"]))
        c.execute(insert(alarm).values(**row, chat_id=repair, conversation_id=1))
        c.execute(
            insert(alarm).values(**{**row, "kind": "emergency", "text": "gas!"}, chat_id=sales, conversation_id=2)
        )

    await desk.app.store.write(write)
    for login, n in {"anna": 1, "sam": 2, "chief": 3, "root": 3, "eye": 3}.items():
        await desk.let_in(login)
        page = await desk.ask(login, "GET", "/alarms")
        assert ("gas!" in page.text, "/conversations/C-SALES000" in page.text) == (n == 3, n == 3), login
        assert (await desk.ask(login, "GET", "/counts")).json()["alarms"] == n
    assert (await desk.ask("anna", "POST", "/alarms", json={"id": 3})).status_code == 404
    assert (await desk.ask("sam", "POST", "/alarms", json={"id": "3"})).status_code == 404
    assert (await desk.ask("eye", "POST", "/alarms", json={"id": 1})).status_code == 403
    assert (await desk.ask("anna", "POST", "/alarms", json={"id": "x"})).status_code == 400
    assert (await desk.ask("anna", "POST", "/alarms", json={"id": 1})).status_code == 200
    assert (await desk.ask("chief", "POST", "/alarms", json={"id": 1})).status_code == 404  # once is enough
    assert (await desk.ask("chief", "GET", "/counts")).json()["alarms"] == 2
    rows = await desk.app.store.read(lambda c: c.execute(select(alarm.c.settled_by).order_by(alarm.c.id)).all())
    assert [row[0] for row in rows] == [desk.ids["anna"], None, None]
