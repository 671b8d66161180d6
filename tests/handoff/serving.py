"""A whole house with its server on a loop of its own: asked over HTTP by whoever cannot wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from bot.app import App
from bot.config import Limits, Settings
from bot.knowledge_base import KnowledgeBase
from bot.server import listen, web
from bot.store import Store
from handoff import accounts, tokens
from tests.handoff.conftest import matters, people


class Serving(threading.Thread):
    """A whole house with its server, on a loop of its own."""

    def __init__(self, database: str, folder: Path, known: Callable[[], KnowledgeBase]) -> None:
        super().__init__(daemon=True)
        self._database, self._known = database, known
        self._settings = Settings(data=folder, limits=Limits(api_per_minute=1_000_000, attempts=1))
        self._listener = listen("127.0.0.1", 0)
        self.place = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.token = ""
        self._ready, self._server = threading.Event(), uvicorn.Server(uvicorn.Config("", log_config=None))
        self.faults: list[Any] = []

    def run(self) -> None:
        """Until it is over."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        app = App(self._settings, store=Store(self._database, durable=False), channels=[], known=self._known)
        await app.store.write(people)
        await app.store.write(matters)
        self.token = await app.store.write(lambda c: tokens.add(c, None, accounts.named(c, "root"), "all", ["all"]))
        await app.start()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.faults.append(context))
        config = uvicorn.Config(web(app), log_config=None, access_log=False, lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._ready.set()
        await self._server.serve([self._listener])
        await app.stop()

    def __enter__(self) -> Serving:
        self.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self.join(30)
