"""The same shop on opsdroid: the same routes, the same matcher, everything in memory. Runs in opsdroid's own venv."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from aiohttp import web
from opsdroid.cli.utils import configure_lang  # type: ignore[import-not-found]
from opsdroid.connector import Connector, register_event  # type: ignore[import-not-found]
from opsdroid.core import OpsDroid  # type: ignore[import-not-found]
from opsdroid.events import Message  # type: ignore[import-not-found]
from opsdroid.logging import configure_logging  # type: ignore[import-not-found]
from opsdroid.matchers import match_always  # type: ignore[import-not-found]

import intents
from knowledge import faq
from knowledge.index import Knowledge, build

HOME = Path(__file__).parent.parent
STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}


@cache
def known() -> tuple[Knowledge, intents.Intents]:
    """The demo company's answers."""
    wanted = intents.read(HOME / "intents")
    return build(faq.read(HOME / "knowledge" / "faq", ("en", "zh")), wanted.examples), wanted


@match_always  # type: ignore[untyped-decorator]
async def answer(_opsdroid: OpsDroid, _config: dict[str, Any], message: Message) -> None:
    """The skill: a button's answer, or the best one for the words."""
    if not isinstance(message, Message):
        return  # opsdroid's own events, such as its start
    knowledge, wanted = known()
    if choice := message.raw_event.get("choice"):
        entry, lang = knowledge.entry(choice.removeprefix("ans:")), "en"
    else:
        meant = intents.understand(message.text, knowledge, hint="en", now=datetime.now(UTC), intents=wanted)
        found = meant.ranking.candidates if meant.ranking else ()
        entry, lang = (knowledge.entry(found[0].entry) if found else None), meant.language or "en"
    await message.respond(entry.answer[lang] if entry else "Sorry?")


class Shop(Connector):  # type: ignore[misc]
    """A web chat as opsdroid would have one: POST in, server-sent events out."""

    def __init__(self, config: dict[str, Any], opsdroid: OpsDroid | None = None) -> None:
        super().__init__(config, opsdroid=opsdroid)
        self.name = "shop"
        self._streams: dict[str, asyncio.Queue[bytes]] = {}
        self._seq: dict[str, int] = {}

    async def connect(self) -> None:
        """Add the routes."""
        router = self.opsdroid.web_server.web_app.router
        router.add_post("/chat/session", self.open_chat)
        router.add_post("/chat/messages", self.hear)
        router.add_get("/chat/events", self.show)

    async def listen(self) -> None:
        """Requests come by themselves."""

    async def disconnect(self) -> None:
        """Nothing to end."""

    async def open_chat(self, _: web.Request) -> web.Response:
        """A new chat."""
        token = token_urlsafe(16)
        self._streams[token], self._seq[token] = asyncio.Queue(), 0
        return web.json_response({"token": token})

    async def hear(self, request: web.Request) -> web.Response:
        """One message: shown, answered, acknowledged."""
        token, data = _token(request), await request.json()
        self._show(token, data["id"], "customer", data.get("text") or data["choice"])
        text = data.get("text") or data["choice"]
        event = Message(text=text, user=token, user_id=token, target=token, connector=self, raw_event=data)
        await self.opsdroid.parse(event)
        return web.json_response({"id": data["id"], "seq": self._seq[token]}, status=202)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The chat's messages as they come."""
        stream, queue = web.StreamResponse(headers=STREAM), self._streams[_token(request)]
        await stream.prepare(request)
        while True:
            await stream.write(await queue.get())

    @register_event(Message)  # type: ignore[untyped-decorator]
    async def send_message(self, message: Message) -> None:
        """What the skill said."""
        self._show(message.target, "", "bot", message.text)

    def _show(self, token: str, id: str, author: str, text: str) -> None:
        self._seq[token] += 1
        data = {"seq": self._seq[token], "id": id or str(self._seq[token]), "author": author, "text": text}
        written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        frame = f"event: message\nid: {data['seq']}\ndata: {written}\n\n"
        self._streams[token].put_nowait(frame.encode())


def _token(request: web.Request) -> str:
    return request.headers["Authorization"].removeprefix("Bearer ")


def main() -> None:
    """Serve at the port given."""
    known()
    modules = {"module": "benchmarks.opsdroid_shop"}
    config = {
        "web": {"host": "127.0.0.1", "port": int(sys.argv[1])},
        "logging": {"level": "error"},
        "connectors": {"shop": modules},
        "skills": {"answer": modules},
    }
    configure_lang(config)
    configure_logging(config["logging"])
    with OpsDroid(config=config) as opsdroid:
        opsdroid.run()


if __name__ == "__main__":
    main()
