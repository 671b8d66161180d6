"""A stand-in for the house behind the web chat: forty lines in memory, so that the channel is tested alone."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot.files import Files
from bot.messages import Inbound, Kind


@dataclass
class Receipt:
    """Where an event stands."""

    seq: int


@dataclass
class Desk:
    """Receives, numbers, remembers, and answers what the test wrote into ``answers``."""

    files: Files
    events: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    received: list[Inbound] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)  # what is said -> fields of the answer
    away: bool = False

    async def receive(self, inbounds: Sequence[Inbound]) -> list[Receipt]:
        if self.away:
            raise ConnectionError("no database")
        return [Receipt(self._take(one)) for one in inbounds]

    def _take(self, one: Inbound) -> int:
        before = [old for old in self.received if old.address == one.address]
        if one.key not in [old.key for old in before]:
            self.received.append(one)
            if one.kind is not Kind.HELLO:
                files = [asdict(attachment) for attachment in one.attachments]
                self.say(one.address, "customer", one.text, id=one.native, attachments=files)
            if answer := self.answers.get(one.choice or one.text or one.kind.value):
                self.say(one.address, **{"author": "bot", "text": "", **answer})
        return len(before) + 1

    def say(self, address: str | None, author: str, text: str, **more: Any) -> None:
        """Put a message into a chat; ``skip`` leaves holes in the numbers."""
        log = self.events[address or ""]
        seq = max((event["seq"] or 0 for event in log), default=0) + 1 + more.pop("skip", 0)
        data = {"seq": seq, "id": str(seq), "author": author, "text": text, "choices": [], "attachments": []}
        log.append({"event": "message", "seq": seq, "data": {**data, "at": time.time(), **more}})

    def tell(self, address: str, event: str, **data: Any) -> None:
        """Something that is not kept."""
        self.events[address].append({"event": event, "seq": None, "data": data})

    def typing(self, address: str) -> None:
        self.tell(address, "typing", author="customer")

    def chat(self, address: str) -> int:
        return len(address)

    async def follow(self, address: str, after: int) -> AsyncIterator[dict[str, Any] | None]:
        at = 0
        while True:
            for event in self.events[address][at:]:
                at += 1
                if event["seq"] is None or event["seq"] > after:
                    yield event
            await asyncio.sleep(0.02)


class Site:
    """Routes served over real HTTP, on a port that survives a stop."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes, self._port = routes, 0
        self.start()

    def start(self) -> None:
        app = Starlette(routes=self._routes)
        config = uvicorn.Config(app, port=self._port, log_level="critical", timeout_graceful_shutdown=0, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self._port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
