"""The web chat: a few HTTP routes that take messages in and one stream that brings them back."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from secrets import token_urlsafe
from traceback import extract_tb
from typing import Any
from urllib.parse import quote
from uuid import UUID

import structlog
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bot.files import FileRefused
from bot.jsontext import dumps
from bot.messages import Attachment, Inbound, Kind
from bot.text import clean
from channels import Can, Channel
from channels.http import (
    STREAM,
    BareEndpoint,
    HttpError,
    RateLimit,
    Stream,
    body_of,
    cross_origin,
    errors_as_json,
    file_response,
    header,
    network_of,
    object_of,
    text_of,
    upload_of,
)
from channels.widget import Company, front

log = structlog.get_logger()

_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
WHOLE = 36  # characters of a UUID with all its hyphens
NEWEST = (1 << 31) - 1  # no message of a chat has a higher seq
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_FILE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LINK_LIFE = 12 * 3600  # s a picture's address works without the token


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who holds a token."""

    address: str
    language: str
    name: str
    until: float


class Web(Channel):
    """The channel of ``type: web``; its parameters are its settings. ``office`` is set before the first request."""

    can = Can(shows_itself=True)

    def __init__(
        self,
        *,
        name: str = "web",
        secret: str,
        origins: Sequence[str] = (),
        company: Company | None = None,
        session_days: int = 180,
        message_chars: int = 8000,
        body_bytes: int = 1 << 20,
        file_bytes: int = 10 << 20,
        file_types: Sequence[str] = ("image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf"),
        sessions_per_minute: int = 30,
        messages_per_minute: int = 60,
        streams_per_session: int = 5,
    ) -> None:
        super().__init__(name=name)
        self._origins, self._company = tuple(origins), company or Company()
        self._tokens = URLSafeTimedSerializer(secret, salt=f"chat:{name}")
        self._links = URLSafeTimedSerializer(secret, salt=f"file:{name}")
        self._session_life = session_days * 86400
        self._visitor_of = lru_cache(4096)(self._verified)
        self._chars, self._bytes, self._file_bytes = message_chars, body_bytes, file_bytes
        self._limits = {"chars": message_chars, "bytes": file_bytes, "types": list(file_types)}
        self._sessions, self._messages = RateLimit(sessions_per_minute), RateLimit(messages_per_minute)
        self._most_streams, self._streams = streams_per_session, dict[str, int]()

    def routes(self) -> list[BaseRoute]:
        """The chat under /chat, for the page itself and for the configured sites; the widget and its page."""
        chat = [
            Route("/messages", BareEndpoint(self.message), methods=["POST"]),
            Route("/events", BareEndpoint(self.events), methods=["GET"]),
            Route("/session", BareEndpoint(self.session), methods=["POST"]),
            Route("/files", BareEndpoint(self.upload), methods=["POST"]),
            Route("/files/{id}", BareEndpoint(self.download), methods=["GET"]),
            Route("/typing", BareEndpoint(self.types), methods=["POST"]),
        ]
        return [
            Mount("/chat", routes=chat, middleware=[cross_origin(self._origins)]),
            *front(self._company, self._origins),
        ]

    @errors_as_json
    async def session(self, request: Request) -> Response:
        """A new chat. ``hello``: the customer has it before his eyes, so he may be greeted."""
        self._sessions.spend(network_of(request))
        raw = await body_of(request, self._bytes)
        wish = object_of(raw) if raw.strip() else {}
        address, language = token_urlsafe(16), _language(wish.get("language"))
        name = " ".join(clean(text_of(wish, "name")).split())[:100]
        if wish.get("hello") is True:
            hello = Inbound(self.name, f"{address}:hello", address, Kind.HELLO, name=name, language=language)
            await self._receive(hello)
        token = self._tokens.dumps([address, language, name])
        return JSONResponse({"token": token, "chat": self.office.chat(address), "limits": self._limits})

    @errors_as_json
    async def message(self, request: Request) -> Response:
        """One message, acknowledged after its commit; sent again under the same id it changes nothing."""
        visitor = self._visitor(request)
        self._messages.spend(visitor.address)
        raw = await body_of(request, self._bytes)
        data = object_of(raw)
        file = data.get("attachment")
        id = text_of(file if isinstance(file, dict) else {"id": file}, "id")  # what /chat/files answered, or its id
        attachments = ((await self._find(id, visitor.address))[0],) if id else ()
        inbound = read(self.name, visitor, data, raw, attachments, self._chars)
        seq = await self._receive(inbound)
        return Response(f'{{"id":"{inbound.native}","seq":{seq}}}', 202, media_type="application/json")

    @errors_as_json
    async def upload(self, request: Request) -> Response:
        """A file, as the body itself (its name in X-File-Name, percent-encoded) or as the one file of a form."""
        visitor = self._visitor(request)
        self._messages.spend(visitor.address)
        stream, name, declared = await upload_of(request, self._file_bytes)
        with _storing():
            kept = await self.office.files.put(stream, name, declared, visitor.address)
        return JSONResponse({"attachment": asdict(kept)}, 201)

    @errors_as_json
    async def download(self, request: Request) -> Response:
        """A file of one's own chat, by the token or, in an <img>, by the signed key a message event brought."""
        id, key = request.path_params["id"], request.query_params.get("key", "")
        attachment, path = await self._find(id, self._holder(key, id) if key else self._visitor(request).address)
        caching = {"Vary": "Origin", "Cache-Control": f"private, max-age={_LINK_LIFE}, immutable"}
        return file_response(attachment, path, caching)

    @errors_as_json
    async def events(self, request: Request) -> Response:
        """The chat's messages after a seq, then whatever happens, as server-sent events."""
        visitor = self._visitor(request)
        after = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
        if not re.fullmatch(r"[0-9]{1,15}", after):
            raise HttpError(400, "after must be the seq of a message")
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=STREAM)
        if self._streams.get(visitor.address, 0) >= self._most_streams:
            raise HttpError(429, "this chat is open in too many places", wait=5)
        self._streams[visitor.address] = self._streams.get(visitor.address, 0) + 1  # now: many may ask at once
        start = min(int(after), NEWEST)
        return Stream(self._frames(visitor.address, start), lambda: self._let_go(visitor.address))

    @errors_as_json
    async def types(self, request: Request) -> Response:
        """The customer is typing; whoever looks at the chat may see it, and nothing is kept."""
        visitor = self._visitor(request)
        self._messages.spend(visitor.address)
        self.office.typing(visitor.address)
        return Response(status_code=204)

    def _let_go(self, address: str) -> None:
        self._streams[address] -= 1
        if not self._streams[address]:
            del self._streams[address]

    async def _frames(self, address: str, after: int) -> AsyncIterator[bytes]:
        yield b": here\n\n"
        async for event in self.office.follow(address, after):
            if event and event["event"] == "typing" and event["data"].get("author") == "customer":
                continue  # he knows
            yield self._frame(event, address) if event else b": still here\n\n"

    def _frame(self, event: Mapping[str, Any], address: str) -> bytes:
        data, seq = event["data"], event.get("seq")
        if data.get("attachments"):
            data = {**data, "attachments": [self._linked(one, address) for one in data["attachments"]]}
        place = f"id: {seq}\n" if seq is not None else ""
        return f"event: {event['event']}\n{place}data: {dumps(data)}\n\n".encode()

    def _linked(self, attachment: Mapping[str, Any], address: str) -> dict[str, Any]:
        id = attachment["id"]
        return {**attachment, "url": f"/chat/files/{quote(id, safe='')}?key={self._links.dumps([id, address])}"}

    async def _receive(self, inbound: Inbound) -> int:
        with _storing():
            [receipt] = await self.office.receive([inbound])
        return int(receipt.seq)

    async def _find(self, id: str, owner: str) -> tuple[Attachment, Path]:
        with _storing():
            found = await self.office.files.open(id, owner) if _FILE.fullmatch(id) else None
        if found is None or not found[1].is_file():
            raise HttpError(404, "there is no such file in this chat")
        return found

    def _visitor(self, request: Request) -> Visitor:
        """The holder of the bearer token; raises HttpError 401."""
        scheme, _, token = header(request, b"authorization").partition(" ")
        if scheme.lower() == "bearer" and len(token) <= 1000:
            try:
                visitor = self._visitor_of(token)
            except (BadSignature, ValueError, TypeError):
                visitor = None
            if visitor and visitor.until > time.time():
                return visitor
        raise HttpError(401, "this needs the token of POST /chat/session")

    def _verified(self, token: str) -> Visitor:
        (address, language, name), signed = self._tokens.loads(token, return_timestamp=True)
        return Visitor(address, language, name, signed.timestamp() + self._session_life)

    def _holder(self, key: str, id: str) -> str:
        """Whose file the link is for; raises HttpError 403."""
        try:
            (named, address), made = self._links.loads(key[:1000], return_timestamp=True)
        except (BadSignature, ValueError, TypeError):
            raise HttpError(403, "this link has expired") from None
        if named != id or made.timestamp() + _LINK_LIFE < time.time():  # its maker's clock may be ahead
            raise HttpError(403, "this link has expired")
        return str(address)


def read(
    channel: str, visitor: Visitor, data: Mapping[str, Any], raw: bytes, attachments: tuple[Attachment, ...], most: int
) -> Inbound:
    """The pure translation of POST /chat/messages; raises HttpError for what is no message."""
    id, text, choice = text_of(data, "id"), clean(text_of(data, "text")).strip(), text_of(data, "choice")
    if not _UUID.fullmatch(id):
        raise HttpError(400, "id must be a UUID, made anew for every message")
    if len(text) > most:
        raise HttpError(413, f"the message is longer than {most} characters")
    if len(choice) > 64 or choice != clean(choice):
        raise HttpError(400, "choice must be the id of a button, at most 64 characters")
    if not (text or choice or attachments):
        raise HttpError(400, "a message needs text, choice or attachment")
    return Inbound(
        channel,
        f"{visitor.address}:{id.lower() if len(id) == WHOLE else UUID(id)}",  # in one spelling
        visitor.address,
        Kind.CHOICE if choice else Kind.TEXT,
        name=visitor.name,
        text=text,
        choice=choice,
        native=id,
        attachments=attachments,
        language=_language(data.get("language")) or visitor.language,
        raw=raw,
    )


def _language(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 35 and _LANGUAGE.fullmatch(value) else ""


@contextmanager
def _storing() -> Iterator[None]:
    """What goes wrong in here is ours, not the sender's: he may try again."""
    try:
        yield
    except (FileRefused, ClientDisconnect):
        raise
    except Exception as error:
        place = extract_tb(error.__traceback__)[-1]  # not the error's words: a database quotes what it was to store
        log.warning("web_chat_cannot_store", error=type(error).__name__, at=f"{place.name}:{place.lineno}")
        raise HttpError(503, "the chat cannot keep messages just now, please try again", wait=2) from error
