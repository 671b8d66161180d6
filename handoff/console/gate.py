"""What every request to the console passes: origin, session, token against forgery, and the one question of access."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, quote

from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.files import FileRefused, TooLarge
from bot.store import Away, Store
from bot.text import clean
from channels.http import HttpError, body_of, object_of
from handoff import sessions
from handoff.access import Actor, Denied, NotFound, require
from handoff.accounts import NoAccount
from handoff.commands import Reused
from handoff.console.look import Look, look_of

PUBLIC: Final = "public"  # the action of what needs no session
AT: Final = "/console"
_SAFE = ("GET", "HEAD")
_FORM = 64 << 10  # bytes of a form, or of a JSON body
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types fragment"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class House(Protocol):
    """What the console uses of the running application."""

    store: Store
    settings: Any
    secret: str
    hub: Any
    files: Any
    shelf: Any
    channels: Any
    worker: Any
    commands: Any

    def typing(self, name: str, address: str, author: str = "bot") -> None:
        """Let the customer see that somebody is typing."""

    def woken(self) -> None:
        """There may be something to handle or to send."""


@dataclass(slots=True)
class Asked:
    """A request that was let in, with everything an endpoint needs."""

    house: House
    request: Request
    look: Look
    session: sessions.Session | None = None

    @property
    def actor(self) -> Actor:
        """Who asks; only behind a session."""
        assert self.session is not None, "a public page asked who is there"  # noqa: S101 - a slip of ours
        return self.session.actor

    def path(self, name: str) -> str:
        """A part of the address."""
        return clean(str(self.request.path_params[name]))

    def query(self, name: str, default: str = "") -> str:
        """What stands after the question mark."""
        return clean(self.request.query_params.get(name, default)[:500])

    def number(self, name: str, default: int = 0) -> int:
        """A whole number that stands after the question mark; raises HttpError."""
        said = self.query(name)
        if said and not fits(said):
            raise HttpError(400, f"{name} must be a whole number")
        return int(said) if said else default

    async def data(self) -> dict[str, Any]:
        """The JSON object that was sent; raises HttpError."""
        return object_of(await body_of(self.request, max(_FORM, self.house.settings.limits.body_bytes)))

    async def form(self) -> dict[str, str]:
        """The fields of a form that was sent."""
        raw = await body_of(self.request, _FORM)
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))

    async def read(self, work: Callable[[Connection], Any]) -> Any:
        """Read from the database."""
        return await self.house.store.read(work)

    async def write(self, work: Callable[[Connection], Any]) -> Any:
        """Write to the database while somebody waits for it."""
        return await self.house.store.write(work, first=True)

    def word(self, family: str, value: str) -> str:
        """The name of a value; kinds of tickets and their fields are called as the company calls them."""
        return self.house.settings.forms.called(family, value, self.look.language) or self.look.word(family, value)

    def page(self, template: str, code: int = 200, /, **values: Any) -> Response:
        """A whole page, or a part of one."""
        me = self.session and self.session.actor
        html = self.look.render(template, asked=self, me=me, word=self.word, **values)
        return Response(html, code, media_type="text/html")


Endpoint = Callable[[Asked], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Way:
    """A route with its policy: what is done there, and which part of the address names the thing it is done to."""

    path: str
    endpoint: Endpoint
    action: str
    subject: str = ""
    method: str = "GET"
    page: bool = False  # a browser shows it: who is not signed in is sent to the login


def route(house: House, way: Way) -> Route:
    """The Starlette route of a way, guarded."""

    async def guarded(request: Request) -> Response:
        asked = Asked(house, request, look_of(request))
        try:
            response = await _passed(asked, way)
        except Exception as error:
            response = _said(asked, way, error)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return Route(way.path, guarded, methods=[way.method])


async def _passed(asked: Asked, way: Way) -> Response:
    request = asked.request
    if request.method not in _SAFE and not _same_origin(asked):
        raise Denied("this request comes from another site")
    if way.action == PUBLIC:
        return await way.endpoint(asked)
    subject = asked.path(way.subject) if way.subject else ""
    if way.subject and not subject:  # nothing but what no name holds
        raise NotFound("there is no such page")

    def let_in(connection: Connection) -> sessions.Session | None:
        session = sessions.find(connection, token_of(request))
        if session:
            require(connection, session.actor, subject, way.action)
        return session

    asked.session = await asked.read(let_in)
    if asked.session is None:
        raise SignedOut
    if request.method not in _SAFE and not _not_forged(request, asked.session.csrf):
        raise Denied("this page is too old; load it again")
    await note(asked)
    return await way.endpoint(asked)


class SignedOut(Exception):
    """There is no session, or none any more."""


async def note(asked: Asked) -> None:
    """Note, once a minute, that the session is being used."""
    session = asked.session
    if session and sessions.stale(session):
        await asked.house.store.write(lambda c: sessions.noted(c, session))


def _said(asked: Asked, way: Way, error: Exception) -> Response:
    """Every way a request can fail, as a clean answer; what nobody foresaw goes on."""
    if isinstance(error, SignedOut) and way.page:
        path = asked.request.url.path + (f"?{asked.request.url.query}" if asked.request.url.query else "")
        return RedirectResponse(f"{AT}/login?next={quote(path)}", 303)
    if isinstance(error, HttpError):
        return error.response
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)
    found = next((status for kind, status in _STATUS if isinstance(error, kind)), 0)
    status = 413 if isinstance(error, TooLarge) else found
    if not status:
        raise error
    if way.page:
        response = asked.page("wrong.html", status, status=status, said=str(error))
    else:
        response = JSONResponse({"error": str(error) or type(error).__name__}, status)
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


_STATUS: Final[tuple[tuple[type[Exception], int], ...]] = (
    (SignedOut, 401),
    (NotFound, 404),
    (Denied, 403),
    (NoAccount, 422),
    (Reused, 422),
    (FileRefused, 415),
    (Away, 503),
)


# ---------------------------------------------------------------- cookies and origins


def cookie_name(request: Request) -> str:
    """Over HTTPS a cookie that only this very host can set; on this computer alone a plain one."""
    return "__Host-aftercare" if request.url.scheme == "https" else "aftercare"


def token_of(request: Request) -> str:
    """The session's token that came with the request."""
    return request.cookies.get(cookie_name(request), "")[:200]


def give_cookie(request: Request, response: Response, token: str) -> None:
    """Let the browser keep the session's token; empty takes it away."""
    secure = request.url.scheme == "https"
    life = int(sessions.LIFE) if token else 0
    response.set_cookie(
        cookie_name(request), token, max_age=life, path="/", secure=secure, httponly=True, samesite="lax"
    )


def _same_origin(asked: Asked) -> bool:
    origin = asked.request.headers.get("origin", "")
    if origin and origin == asked.house.settings.server.public_url:
        return True
    host = asked.request.headers.get("host", "")
    return bool(host) and origin in (f"http://{host}", f"https://{host}")


def _not_forged(request: Request, csrf: str) -> bool:
    """Forms cannot send this header; a page of ours has the token in its head."""
    return hmac.compare_digest(request.headers.get("x-csrf-token", "").encode(), csrf.encode())


def fits(said: str) -> bool:
    """Whether this is a whole number that the database can hold."""
    return said.isascii() and said.isdecimal() and len(said) <= 15


def words(data: Mapping[str, Any], key: str, most: int) -> str:
    """A text that was sent, without what cannot be kept; raises HttpError."""
    value = data.get(key, "")
    if not isinstance(value, str):
        raise HttpError(400, f"{key} must be text")
    if len(value) > most:
        raise HttpError(413, f"{key} is longer than {most} characters")
    return clean(value).strip()
