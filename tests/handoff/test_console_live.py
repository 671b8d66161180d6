"""The stream of a page: only what its reader may see, and an end he notices when it can bring no more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, insert, update

from bot.hub import BACKLOG
from bot.inbox import chat_id
from bot.tables import chat, conversation, message
from handoff import sessions
from handoff.console.gate import Asked
from handoff.console.live import Live, Stream
from handoff.console.look import Look
from handoff.reading import talks
from handoff.tables import handover
from tests.handoff.conftest import Desk

OWN = "C-REPAIR00"


async def stream(desk: Desk, login: str, hub: Any = None) -> Stream:
    """A page of this login's that shows the conversation of the repair team."""

    def begin(c: Connection) -> sessions.Session | None:
        return sessions.find(c, sessions.begin(c, desk.ids[login], "test"))

    session = await desk.app.store.write(begin)
    house: Any = SimpleNamespace(store=desk.app.store, hub=hub or desk.app.hub)
    request: Any = SimpleNamespace()
    asked = Asked(house, request, Look("en"), session)
    here = await asked.read(lambda c: talks.talk(c, asked.actor, OWN))
    return Stream(asked, Live(house), {**here, "from_seq": 0}, 0)


def _elsewhere(c: Connection) -> None:
    """The same customer's next matter is the other team's."""
    now, here = time.time(), chat_id("web", "address repair")
    c.execute(update(conversation).where(conversation.c.number == OWN).values(owner="none", closed_at=now))
    matter = {"number": "C-SECRET00", "chat_id": here, "customer_id": 1, "owner": "queue", "opened_at": now}
    its = c.scalar(insert(conversation).values(matter).returning(conversation.c.id))
    held = {"conversation_id": its, "reason": "asked", "priority": 2, "wants": {"team": "sales"}, "waiting_since": now}
    c.execute(insert(handover).values(held))
    said = {"chat_id": here, "seq": 2, "conversation_id": its, "author": "customer", "text": "for sales only"}
    c.execute(insert(message).values(**said, created_at=now))
    c.execute(update(chat).where(chat.c.id == here).values(message_seq=2))


async def test_another_teams_matter_of_the_same_customer_is_not_shown(desk: Desk) -> None:
    await desk.app.store.write(_elsewhere)
    for login, shown in (("anna", False), ("root", True)):
        page = await stream(desk, login)
        for seq in (1, 2):
            page._talk.append({"event": "message", "seq": seq, "data": {"text": f"message {seq}"}})
        told = b"".join(await page._said()).decode()
        assert ("message 1" in told, "message 2" in told) == (True, shown)
        await desk.let_in(login)
        older = await desk.ask(login, "GET", f"/conversations/{OWN}/older?before=9")
        assert ("words for repair" in older.text, "for sales only" in older.text) == (True, shown)


class Mute:
    """A hub whose streams end, or never stop, as told."""

    over = False

    def __init__(self, said: int) -> None:
        self.said, self.closed = said, False

    async def follow(self, *_: Any) -> AsyncIterator[dict[str, Any] | None]:
        """So many messages at once."""
        try:
            for n in range(self.said):
                yield {"event": "typing", "seq": None, "data": {"n": n}}
        finally:
            self.closed = True


async def test_a_stream_that_can_bring_no_more_ends(desk: Desk) -> None:
    for said, brought in ((0, 0), (3, 3), (BACKLOG + 5, BACKLOG)):
        page = await stream(desk, "root", hub := Mute(said))
        page._live._pulse = asyncio.create_task(asyncio.sleep(0))
        async with asyncio.timeout(30):
            frames = [frame async for frame in page.frames()]
        assert sum(b"event: typing" in frame for frame in frames) == brought
        assert hub.closed
