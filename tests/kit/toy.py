"""A channel of this file's own, its platform and its driver: what a new channel needs to run the whole kit."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any, ClassVar

import aiohttp
from aiohttp import web
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.messages import Inbound, Kind, Reply
from bot.text import clean
from channels import Can, Channel, NotSent, Refused, Unknown
from channels.dialects import plain
from channels.http import HttpError, body_of, errors_as_json
from tests.kit.driver import ANN, Driver, Seen

KEY = b"toy"


class Toy(Channel):
    """Signed JSON comes in, JSON goes out."""

    can = Can(max_text=500, most_buttons=3, measure=lambda text: len(plain(text)))

    def __init__(self, *, name: str = "toy", url: str) -> None:
        super().__init__(name=name)
        self._url = url

    def routes(self) -> list[Any]:
        return [Route(f"/hooks/{self.name}", self.hook, methods=["POST"])]

    @errors_as_json
    async def hook(self, request: Request) -> Response:
        """One event, acknowledged after its commit."""
        raw, mark = await body_of(request, 1 << 20), request.headers.get("x-toy", "")
        if not hmac.compare_digest(mark.encode(), sign(raw).encode()):
            raise HttpError(401, "this is not the toy's")
        try:
            await self.office.receive([read(self.name, raw)])
        except Exception as error:
            raise HttpError(503, "not kept") from error
        return Response()

    async def send(self, address: str, reply: Reply, key: str) -> str:
        """One message."""
        said = {"to": address, "text": plain(reply.text), "buttons": [[c.id, c.label] for c in reply.choices]}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
                http.post(self._url, json=said) as answer,
            ):
                if answer.status in (429, 503):
                    raise NotSent(str(answer.status), float(answer.headers.get("Retry-After", 0)))
                if answer.status >= 400:
                    raise Refused(str(answer.status), gone=answer.status == 410)
                return await answer.text()
        except aiohttp.ClientConnectorError as error:
            raise NotSent("nobody there") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unknown(type(error).__name__) from error


def read(name: str, raw: bytes) -> Inbound:
    """The pure translation."""
    try:
        one = json.loads(raw)
        who, text, choice = str(one["who"]), clean(one.get("text", "")), clean(one.get("choice", ""))
        kind = Kind.CHOICE if choice else Kind.TEXT
        return Inbound(name, f"toy:{int(one['id'])}", who, kind, text=text, choice=choice, raw=raw)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Inbound(name, f"unread:{hashlib.sha256(raw).hexdigest()}", None, raw=raw)


def sign(raw: bytes) -> str:
    """The toy's signature."""
    return hmac.new(KEY, raw, hashlib.sha256).hexdigest()


class Toys(Driver):
    """The toy's platform: one address to call, and its people."""

    name: ClassVar[str] = "toy"
    largest = 500
    cannot: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("edit", "delete", "files", "files_out", "late", "others", "pace"), "it is a toy"),
        "dated": "its signature has no date",
        "twin": "it sends the same bytes",
        "held": "every process may be called",
    }

    async def __aenter__(self) -> Driver:
        self._ids, self._said, self._faults = itertools.count(1), defaultdict[str, list[Seen]](list), list[str]()
        app = web.Application()
        app.router.add_post("/say", self._taken)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._say = f"http://127.0.0.1:{self._runner.addresses[0][1]}/say"
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()
        await self._runner.cleanup()

    async def _taken(self, request: web.Request) -> web.Response:
        fault = self._faults.pop(0) if self._faults else ""
        if status := {"busy": 429, "broken": 503, "gone": 410, "refused": 400}.get(fault):
            return web.Response(status=status, headers={"Retry-After": "3"} if fault == "busy" else {})
        said = await request.json()
        assert len(said["text"]) <= self.largest
        self._said[said["to"]].append(Seen(said["text"], tuple(label for _, label in said["buttons"]), said))
        if fault in ("lost", "kept") and request.transport:
            request.transport.abort()
        return web.Response(text="ok")

    def channel(self) -> Channel:
        return Toy(url=self._say)

    async def connect(self, url: str) -> None:
        self._hook = f"{url}/hooks/toy"

    def text(self, words: str, who: int = ANN) -> Any:
        return {"id": next(self._ids), "who": str(who), "text": words}

    def press(self, seen: Seen, label: str, who: int = ANN) -> Any:
        choice = next(id for id, shown in seen.raw["buttons"] if shown == label)
        return {"id": next(self._ids), "who": str(who), "choice": choice}

    def odd(self) -> list[Any]:
        return [
            b"",
            b"\xff",
            b"[]",
            b"[" * 9000,
            b"null",
            b'{"id": 1}',
            b'{"id": "x", "who": 1}',
            {"id": 1, "who": 2, "text": 3},
        ]

    async def _post(self, raw: bytes, mark: str) -> int:
        with suppress(aiohttp.ClientError):
            async with self._http.post(self._hook, data=BytesIO(raw), headers={"X-Toy": mark}) as answer:
                return answer.status
        return 0

    async def deliver(self, event: Any) -> bool:
        raw = event if isinstance(event, bytes) else json.dumps(event).encode()
        return await self._post(raw, sign(raw)) == 200

    async def tell(self, event: Any) -> bool:
        return await self.deliver(event) or await self.deliver(event) or await self.deliver(event)

    async def forged(self) -> list[int]:
        raw = json.dumps(self.text("forged")).encode()
        return [await self._post(raw, mark) for mark in ("", "0" * 64, sign(raw + b" "), "é")]

    async def oversized(self) -> int:
        raw = b"x" * ((1 << 20) + 1)
        return await self._post(raw, sign(raw))

    def seen(self, who: int = ANN) -> list[Seen]:
        return self._said[str(who)]

    def fault(self, *kinds: str) -> None:
        self._faults += kinds

    def size(self, seen: Seen) -> int:
        return len(seen.words)
