"""The process that is killed: the whole application with its real engine, and a reaper at every kill point.

It runs in a child of multiprocessing's fork server, which has imported this module: a start then takes a third of a
second instead of two, and is otherwise a start after a power cut.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot import duty
from bot.app import App
from bot.config import KnowledgeSettings, Limits, Settings
from bot.inbox import Inbox
from bot.log import set_up
from bot.messages import Inbound, Reply
from bot.server import listen, web
from channels import Channel, NotSent, Office, Unknown
from channels.web import Web
from tests.crash.points import Mortal, Reaper
from tests.crash.variants import INBOXES, STORES

LIMITS = Limits(lease=0.6, backoff=(0.1,) * 4, burst=0.25, idle=0.8, rating_pause=0.0, send_timeout=1.0)
ANSWERS = KnowledgeSettings(faq=Path(__file__).parent.parent / "faq")


@dataclass(frozen=True)
class Orders:
    """How a life is to be led, and how it is to end."""

    database: str
    folder: Path
    port: int
    provider: str  # URL of the stand-in
    point: str = ""
    nth: int = 1
    variant: str = ""


class Platform(Channel):
    """A channel as platforms have it: a webhook for updates, an API that replies are POSTed to."""

    office: Office

    def __init__(self, provider: str, reaper: Reaper) -> None:
        super().__init__(name="platform")
        self._provider, self._reaper = provider, reaper
        self._session: aiohttp.ClientSession | None = None

    def routes(self) -> list[BaseRoute]:
        return [Route("/hooks/platform", self.update, methods=["POST"])]

    async def update(self, request: Request) -> Response:
        data = await request.json()
        key = f"{data['chat']}:{data['update']}"
        await self.office.receive([Inbound(self.name, key, data["chat"], text=data["text"], native=data["update"])])
        return JSONResponse({"ok": True})

    async def send(self, address: str, reply: Reply, key: str) -> str:
        self._reaper.at("before send")
        self._session = self._session or aiohttp.ClientSession()
        try:
            what = {"address": address, "key": key, "text": reply.text}
            async with self._session.post(f"{self._provider}/send", json=what) as answer:
                if answer.status == 429:
                    raise NotSent("429", retry_after=0.1)
                provider_id = await answer.text()
        except aiohttp.ClientConnectorError as error:
            raise NotSent("refused") from error
        except aiohttp.ClientError as error:
            raise Unknown("hung up") from error
        self._reaper.at("in send")
        return provider_id


class Answering:
    """ASGI: the reaper before and after the acknowledgement of an event."""

    def __init__(self, app: Any, reaper: Reaper) -> None:
        self._app, self._reaper = app, reaper

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        event = scope["path"] in ("/chat/messages", "/hooks/platform")

        async def watched(part: Any) -> None:
            if event and part["type"] == "http.response.start":
                self._reaper.at("before answer")
            await send(part)
            if event and part["type"] == "http.response.body" and not part.get("more_body"):
                self._reaper.at("after answer")

        await self._app(scope, receive, watched)


async def serve(orders: Orders) -> None:
    """The application, until killed."""
    reaper = Reaper(orders.point, orders.nth)
    settings = Settings(database=orders.database, data=orders.folder, channels={}, knowledge=ANSWERS, limits=LIMITS)
    store = STORES.get(orders.variant, Mortal)(orders.database, reaper, orders.provider)
    chat = Web(secret="s" * 32, messages_per_minute=10**6, sessions_per_minute=10**6, streams_per_session=50)
    channels: list[Any] = [chat, Platform(orders.provider, reaper)]
    app = App(settings, store=store, channels=channels)
    app.inbox = INBOXES.get(orders.variant, Inbox)(store, app.worker.wake)
    await app.start()
    config = uvicorn.Config(Answering(web(app), reaper), log_config=None, access_log=False, lifespan="off", ws="none")
    await uvicorn.Server(config).serve([listen("127.0.0.1", orders.port)])


def live(orders: Orders) -> None:
    """Be born: the entry point of the child process."""
    log = os.open(orders.folder / "lives.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    set_up(json=True)
    duty.LIFE, duty.RENEW = 0.5, 0.15
    asyncio.run(serve(orders))
