"""A company whose agents work in Slack or Telegram, and a customer in the web chat: the application on a database."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import text as sql
from sqlalchemy import update

from bot.app import App
from bot.config import Company, KnowledgeSettings, Limits, Settings
from bot.messages import Inbound, Kind
from bot.server import Server, listen, web
from bot.store import Store
from handoff import accounts
from handoff.settings import Handoff
from handoff.tables import agent

HOME = Path(__file__).parent.parent
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
LIMITS = Limits(burst=0.05, backoff=(0.05,), send_timeout=2.0, stop=1.0)
PATIENCE = 15.0
_keys = itertools.count()


class Firm:
    """The running application, its people and one customer."""

    def __init__(self, app: App, url: str, channel: str) -> None:
        self.app, self.url, self.channel = app, url, channel

    async def rows(self, query: str) -> list[Any]:
        """Rows of the database."""
        return await self.app.store.read(lambda c: [tuple(r) for r in c.execute(sql(query))])

    async def write(self, words: str, *, address: str = "ann", files: Any = (), **more: Any) -> None:
        """The customer writes."""
        key = f"k{next(_keys)}:{time.monotonic_ns()}"
        one = Inbound("web", key, address, name="Ann", text=words, attachments=tuple(files), **more)
        await self.app.inbox.receive([one])

    async def asks(self, address: str = "ann") -> str:
        """The customer asks for a person; the conversation's number."""
        await self.write("my router makes noises", address=address)
        await self.write("Talk to a person", address=address, kind=Kind.CHOICE, choice="do:human")
        there = "SELECT number FROM conversation WHERE owner = 'queue' ORDER BY id DESC LIMIT 1"
        await self.until(there)
        return str((await self.rows(there))[0][0])

    async def until(self, query: str, wanted: Any = None, seconds: float = PATIENCE) -> list[Any]:
        """Wait until a query finds something, or just this."""
        end = time.monotonic() + seconds
        while not (found := await self.rows(query)) or (wanted is not None and found != wanted):
            assert time.monotonic() < end, (query, found)
            await asyncio.sleep(0.03)
        return found

    async def heard(self, words: str, seconds: float = PATIENCE) -> None:
        """Until the customer has read this from an agent."""
        said = "SELECT 1 FROM message WHERE author = 'agent' AND text = "
        await self.until(f"{said}'{words}'", seconds=seconds)

    async def to_customer(self) -> str:
        """All that was ever said to customers."""
        said = await self.rows("SELECT text FROM message WHERE author <> 'customer' ORDER BY chat_id, seq")
        sent = await self.rows("SELECT body FROM reply")
        return "\n".join(str(one) for (one,) in [*said, *sent])

    async def staff(self, **people: tuple[str, str]) -> None:
        """Agents who are there: login -> (role, their id on the platform)."""

        def work(c: Any) -> None:
            for login, (role, sender) in people.items():
                id = accounts.add(c, login, name=login.title(), role=role, teams=[])
                accounts.identify(c, id, self.channel, sender)
                there = {"presence": "online", "seen_at": time.time() + 3600}
                c.execute(update(agent).where(agent.c.id == id).values(there))

        await self.app.store.write(work)


async def eventually(true: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for something that becomes true."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it never came"
        await asyncio.sleep(0.02)
    return found


def settings(database: str, folder: Path, **channel: Any) -> Settings:
    """Web chat and one platform with a desk."""
    return Settings(
        database=database,
        data=folder,
        company=Company(timezone="Asia/Shanghai"),
        channels={"web": {"type": "web"}, channel["type"]: channel},
        knowledge=KnowledgeSettings(faq=HOME / "faq"),
        handoff=Handoff(mode="manual"),
        limits=LIMITS,
    )


@asynccontextmanager
async def opened(config: Settings, channel: str) -> AsyncIterator[Firm]:
    """The application is started."""
    app = App(config, store=Store(config.database, durable=False))
    listener = listen("127.0.0.1", 0)
    await app.start()
    server = Server(uvicorn.Config(web(app), log_config=None, lifespan="off", ws="none"))
    serving = asyncio.create_task(server.serve([listener]))
    await eventually(lambda: server.started)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/hooks/{channel}"
    try:
        yield Firm(app, url, channel)
    finally:
        server.should_exit = True
        await serving
        await app.stop()


async def killed(app: App) -> None:
    """As a process dies: nothing is finished, nothing is given back."""
    for task in app._tasks.values():
        task.cancel()
    await asyncio.gather(*app._tasks.values(), return_exceptions=True)
