"""The world around the victim: customers in the web chat, a platform with its customers, and the platform's API."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web

PATIENCE = 3.0  # seconds a customer waits for an answer before he goes on
AGAIN = 0.05  # seconds before what was not acknowledged is sent again
LOST = (aiohttp.ClientError, TimeoutError, ConnectionError)
DICE = random.Random()  # noqa: S311 - nobody is to be kept from guessing it
QUESTIONS = ("how do i reset my router", "改wifi密码", "why is the LOS light red?", "路由器怎么恢复出厂设置?")
RIDDLES = ("zorp blimf gnarl", "and frobnicate quux", "brannel wumpf at the sessel")
WISHES = ("solved", "open a ticket", "I want to talk to a person", "5", "hello")
CHATTER = (*QUESTIONS * 4, *RIDDLES, *WISHES)


@dataclass
class Provider:
    """What the platform's API saw. Now and then it refuses, or takes a message and hangs up."""

    moody: bool = True
    seen: list[tuple[str, str, str]] = field(default_factory=list)  # address, key, text
    url: str = ""

    async def __aenter__(self) -> Provider:
        app = web.Application()
        app.router.add_post("/send", self._send)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _send(self, request: web.Request) -> web.Response:
        what = await request.json()
        mood = DICE.random() if self.moody else 1.0
        if mood < 0.01:
            return web.Response(status=429)
        self.seen.append((what["address"], what["key"], what["text"]))
        if mood < 0.03 and request.transport:
            request.transport.abort()
        return web.Response(text=f"p{len(self.seen)}")


class World:
    """Everybody who talks to the victim, and what they know for certain afterwards."""

    def __init__(self, ports: list[int]) -> None:
        self._bases = [f"http://127.0.0.1:{port}" for port in ports]
        self.acknowledged: list[str] = []  # the ids their messages had outside
        self.visitors: list[Visitor] = []
        self.over = False

    async def __aenter__(self) -> World:
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        self._tasks: list[asyncio.Task[None]] = []
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (*self._tasks, *(v.reading for v in self.visitors)):
            task.cancel()
        await asyncio.gather(*self._tasks, *(v.reading for v in self.visitors), return_exceptions=True)
        await self.http.close()

    def begin(self, visitors: int, places: int) -> None:
        """So many web chats, and so many chats of the platform, begin to write."""
        self._tasks += [asyncio.create_task(self._visit(n)) for n in range(visitors)]
        self._tasks += [asyncio.create_task(self._push(f"place{n}")) for n in range(places)]

    async def end(self) -> None:
        """They finish what they are saying."""
        self.over = True
        await asyncio.wait_for(asyncio.gather(*self._tasks), 60)

    async def post(self, path: str, what: dict[str, Any], token: str = "") -> Any:
        """Until it is acknowledged, by whichever process."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        while True:
            with suppress(*LOST):
                async with self.http.post(self.base + path, json=what, headers=headers) as answer:
                    if answer.ok:
                        return await answer.json()
                    assert answer.status >= 500, f"{path}: {answer.status} {await answer.text()}"
            await asyncio.sleep(AGAIN)

    @property
    def base(self) -> str:
        """One of the processes: whichever is there."""
        return DICE.choice(self._bases)

    async def _visit(self, number: int) -> None:
        session = await self.post("/chat/session", {})
        visitor = Visitor(self, session["token"], session["chat"])
        self.visitors.append(visitor)
        case = 0
        while not self.over:
            case += 1
            await visitor.talk(f"{number}.{case}")

    async def _push(self, place: str) -> None:
        """A platform delivers at least once, not in order, and long after."""
        updates: list[dict[str, str]] = []
        while not self.over:
            first = len(updates)
            updates += [{"chat": place, "update": str(first + n), "text": DICE.choice(CHATTER)} for n in (1, 2, 3)]
            batch = DICE.sample(updates[first:], 3)
            if DICE.random() < 0.3:
                batch.append(DICE.choice(updates))
            await asyncio.gather(*(self._update(one) for one in batch))
            await asyncio.sleep(0.15)

    async def _update(self, update: dict[str, str]) -> None:
        await self.post("/hooks/platform", update)
        self.acknowledged.append(f"{update['chat']}:{update['update']}")


class Visitor:
    """A customer in the web chat: writes, reads the stream, presses the buttons it brings."""

    def __init__(self, world: World, token: str, chat: int) -> None:
        self._world, self._token, self.chat = world, token, chat
        self.seen: list[tuple[int, str, str]] = []  # seq, author, text
        self._choices: list[str] = []
        self._news = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def talk(self, case: str) -> None:
        """One matter: a question, a riddle in two parts, a ticket, and how it was."""
        await self._say(text=DICE.choice(QUESTIONS))
        await self._say(text=RIDDLES[0], answered=False)
        if DICE.random() < 0.3:
            await self._say(choice="do:ticket_status", answered=False)
        await self._say(text=RIDDLES[1])
        await self._say(text="I want to open a ticket")
        for _ in range(6):
            buttons = [c for c in self._choices if c.startswith("flow:ticket")]
            wanted = next((c for c in buttons if re.search(r":(yes|skip)\b", c)), "")
            if not wanted and any(c.startswith("do:ticket_status") for c in self._choices):
                break
            await self._say(choice=wanted) if wanted else await self._say(text=f"The box restarts, case {case}")
        await self._say(text="thanks, that solved it")
        if scores := [c for c in self._choices if c.startswith("rate:")]:
            await self._say(choice=DICE.choice(scores))
            await self._say(text="hello")

    async def _say(self, *, answered: bool = True, **what: str) -> None:
        if self._world.over:
            return
        id, mark = str(uuid4()), len(self.seen)
        await self._world.post("/chat/messages", {"id": id, **what}, self._token)
        self._world.acknowledged.append(id)
        if DICE.random() < 0.2:
            await self._world.post("/chat/messages", {"id": id, **what}, self._token)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while answered and not any(author == "bot" for _, author, _ in self.seen[mark:]):
                    self._news.clear()
                    await self._news.wait()
        await asyncio.sleep(0.02)

    async def _read(self) -> None:
        """Follow the chat for ever; a connection that ends is resumed after the last message seen."""
        while True:
            last = self.seen[-1][0] if self.seen else 0
            with suppress(*LOST):
                async for message in self._stream(last):
                    self.seen.append((message["seq"], message["author"], message["text"]))
                    self._choices = [c["id"] for c in message["choices"]]
                    self._news.set()
            await asyncio.sleep(AGAIN)

    async def _stream(self, last: int) -> AsyncIterator[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token}", "Last-Event-ID": str(last)}
        long = aiohttp.ClientTimeout(sock_connect=1)
        async with self._world.http.get(f"{self._world.base}/chat/events", headers=headers, timeout=long) as answer:
            kind = ""
            async for line in answer.content:
                if line.startswith(b"event: "):
                    kind = line[7:].strip().decode()
                elif line.startswith(b"data: ") and kind == "message":
                    yield json.loads(line[6:])
