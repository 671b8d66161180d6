"""What HTTP routes share in channels, console and API: limits of rate and size, forms, JSON errors, event streams."""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from bot.files import SHOWN, FileRefused, TooLarge
from bot.jsontext import loads
from bot.messages import Attachment

STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
Channel = TypeVar("Channel")
Endpoint = Callable[[Channel, Request], Awaitable[Response]]


class HttpError(Exception):
    """The request is refused: an HTTP status, and a sentence for whoever sent it. ``wait``: seconds until a retry."""

    def __init__(self, status: int, error: str, *, wait: float = 0) -> None:
        super().__init__(error)
        headers = {"Retry-After": str(int(wait) + 1)} if wait else {}
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        self.response = JSONResponse({"error": error}, status, headers)


def errors_as_json(endpoint: Endpoint[Channel]) -> Endpoint[Channel]:
    """Answer a refusal with JSON ``{"error"}``: HttpError with its status, FileRefused with 413 or 415."""

    @wraps(endpoint)
    async def answer(channel: Channel, request: Request) -> Response:
        try:
            return await endpoint(channel, request)
        except HttpError as refused:
            return refused.response
        except FileRefused as refused:
            return JSONResponse({"error": str(refused)}, 413 if isinstance(refused, TooLarge) else 415)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    return answer


class BareEndpoint:
    """An endpoint as an ASGI app, without Starlette's layers that catch exceptions: it must catch them itself."""

    def __init__(self, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


class CrossOrigin(CORSMiddleware):
    """CORS for requests that name an origin; the others are spared its work."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        foreign = any(name == b"origin" for name, _ in scope["headers"])
        await (super().__call__ if foreign else self.app)(scope, receive, send)


def cross_origin(origins: Sequence[str]) -> Middleware:
    """The CORS middleware that lets pages of these sites use the chat."""
    return Middleware(
        CrossOrigin,
        allow_origins=origins,
        allow_methods=("GET", "POST"),
        allow_headers=("Authorization", "Content-Type", "Last-Event-ID", "X-File-Name"),
        expose_headers=("Retry-After",),
        max_age=7200,
    )


class RateLimit:
    """At most ``per_minute`` of something per key; a whole minute's worth may come at once."""

    def __init__(self, per_minute: int, keep: int = 20_000) -> None:
        self._gap, self._keep = 60 / per_minute, keep
        self._due: dict[str, float] = {}  # when the key would have used up what it spent, at an even pace

    def spend(self, key: str) -> None:
        """Take one, or raise HttpError 429."""
        now = time.monotonic()
        due = max(self._due.pop(key, 0.0), now) + self._gap
        if due - now > 60:
            self._due[key] = due - self._gap
            raise HttpError(429, "too many requests, please wait a moment", wait=due - now - 60)
        self._due[key] = due
        if len(self._due) > self._keep:
            del self._due[next(iter(self._due))]  # the one that has been silent longest


async def body_of(request: Request, most: int) -> bytes:
    """The whole body, at most ``most`` bytes; raises HttpError 413, ClientDisconnect."""
    body, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > most:
            raise HttpError(413, f"the body is larger than {most} bytes")
        more = message.get("more_body", False)
    return bytes(body)


def header(request: Request, name: bytes) -> str:
    """A header by its name in small letters, "" if there is none; without reading all the others."""
    return next((value.decode("latin-1") for key, value in request.scope["headers"] if key == name), "")


async def upload_of(request: Request, most: int) -> tuple[AsyncIterator[bytes], str, str]:
    """The file a request brings: its bytes, name and declared type. Raises HttpError 400, TooLarge.

    It is the body itself, with its percent-encoded name in X-File-Name, or the first file of a multipart form.
    """
    declared = request.headers.get("content-type", "")
    if declared.startswith("multipart/"):
        return await _form_file(request, most)
    return request.stream(), unquote(request.headers.get("x-file-name", "")), declared


def file_response(attachment: Attachment, path: Path, headers: Mapping[str, str]) -> FileResponse:
    """A stored file for a browser, which must neither guess its type nor run what is in it."""
    return FileResponse(
        path,
        media_type=attachment.type,
        filename=attachment.name,
        content_disposition_type="inline" if attachment.type in SHOWN else "attachment",
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            **headers,
        },
    )


async def _form_file(request: Request, most: int) -> tuple[AsyncIterator[bytes], str, str]:
    from starlette.formparsers import MultiPartException, MultiPartParser  # only where a form is sent

    async def capped() -> AsyncIterator[bytes]:
        left = most + (64 << 10)
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                raise TooLarge(f"the file is larger than {most / (1 << 20):.0f} MB")
            yield chunk

    try:
        form = await MultiPartParser(request.headers, capped(), max_files=1, max_fields=8).parse()  # type: ignore[arg-type]
    except (MultiPartException, UnicodeError) as error:
        raise HttpError(400, "the form cannot be read") from error
    file = next((value for value in form.values() if not isinstance(value, str)), None)
    if file is None:
        raise HttpError(400, "the form holds no file")

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while piece := await file.read(64 << 10):
                yield piece
        finally:
            await file.close()

    return pieces(), file.filename or "", file.content_type or ""


def network_of(request: Request) -> str:
    """The client's address; of IPv6 the /64, which is what one customer has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(address.ipv4_mapped or ipaddress.ip_network((int(address) >> 64 << 64, 64)))


def confidential(request: Request) -> bool:
    """Whether nobody can read along: over HTTPS, or on this computer alone."""
    return request.url.scheme == "https" or (request.url.hostname or "") in ("localhost", "127.0.0.1", "::1")


def object_of(raw: bytes) -> dict[str, Any]:
    """The JSON object in ``raw``; raises HttpError 400."""
    try:
        data = loads(raw)
    except ValueError:
        data = _leniently(raw)
    if not isinstance(data, dict):
        raise HttpError(400, "the body must be a JSON object")
    return data


def _leniently(raw: bytes) -> Any:
    """As Python's own parser reads it, which takes the lone surrogates that orjson refuses."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise HttpError(400, "the body is not JSON") from None


def text_of(data: Mapping[str, Any], key: str) -> str:
    """A field that must be text, "" if it is missing; raises HttpError 400."""
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise HttpError(400, f"{key} must be text")
    return value


class Stream(StreamingResponse):
    """Server-sent events; ``done`` is called when it has ended, or could not even begin."""

    def __init__(self, frames: AsyncIterator[bytes], done: Callable[[], None]) -> None:
        super().__init__(frames, media_type="text/event-stream", headers=STREAM)
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._done()
