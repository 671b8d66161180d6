"""Every way a request can fail, as RFC 9457 tells it: a status, a sentence, and where what is wrong stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from bot.dead import NoId, NoSuchDead
from bot.files import FileRefused, TooLarge
from bot.store import Away
from bot.text import clean
from channels.http import HttpError
from handoff.access import Denied, NotFound
from handoff.accounts import NoAccount
from handoff.api.gate import Lost, NoToken
from handoff.commands import Reused
from handoff.sessions import TooMany

MEDIA: Final = "application/problem+json"
SAID: Final = {  # why a command was not done
    "taken": "{by} has it",
    "busy": "{by} has no room",
    "away": "nobody of those is there",
    "nobody": "there is no such agent or team",
    "closed": "the conversation is closed",
    "stopped": "the customer wants no more messages",
    "empty": "there is nothing in it",
    "when": "that is no time it could be: it is past, or too far off",
    "move": "that state does not follow the one it is in",
    "nowhere": "there is no chat in which he can be written to",
    "window": "he must write first: where he is, nobody else may begin",
    "late": "it was due already: it is broken",
    "gone": "it is no longer there",
    "unknown": "that is not possible here",
}


class Fault(BaseModel):
    """One thing that is wrong with what was sent."""

    at: str = Field(description="Where it stands, such as body.text or query.limit.")
    said: str


class Problem(BaseModel):
    """Why it was not done (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    reason: str | None = Field(None, description="Of a command that was not done: a word that programs go by.")
    by: str | None = Field(None, description="Who has it already.")
    errors: list[Fault] | None = None


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """The answer that says so."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)
    return JSONResponse(told.model_dump(exclude_none=True), status, dict(headers or {}), media_type=MEDIA)


def answered(app: FastAPI) -> None:
    """Let the app tell all of them."""
    for kind, told in _TOLD.items():
        app.add_exception_handler(kind, _telling(told))


def _telling(told: Callable[[Any], Response]) -> Callable[[Request, Exception], Any]:
    async def tell(_: Request, error: Exception) -> Response:
        return told(error)

    return tell


def _plain(status: int, said: str = "", **headers: str) -> Callable[[Any], Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda error: problem(status, said or str(error) or HTTPStatus(status).phrase, named)


def _refused(error: HttpError) -> Response:
    kept = {k: v for k, v in error.response.headers.items() if k in ("retry-after", "www-authenticate")}
    return problem(error.response.status_code, str(error), kept)


def _lost(error: Lost) -> Response:
    reason, by = str(error.data.get("reason", "unknown")), str(error.data.get("by") or "") or None
    said = SAID.get(reason, "that is not possible now").format(by=by or "somebody else")
    return problem(409, said, reason=reason, by=by)


def _invalid(error: RequestValidationError) -> Response:
    faults = [
        Fault(at=clean(".".join(map(str, one["loc"])))[:200], said=clean(str(one["msg"]))[:300])
        for one in error.errors()[:20]
    ]
    return problem(422, "what was sent is not what is expected", errors=faults)


def _http(error: HTTPException) -> Response:
    said = {404: "there is nothing at this address", 405: "that cannot be done here"}.get(error.status_code)
    return problem(error.status_code, said or str(error.detail), error.headers)


_TOLD: Final[Mapping[type[Exception], Callable[[Any], Response]]] = {
    NoToken: _plain(401, "a token that is in use is needed: Authorization: Bearer …", WWW_Authenticate="Bearer"),
    TooMany: lambda e: problem(429, "too many wrong tokens", {"Retry-After": str(int(e.wait) + 1)}),
    NotFound: _plain(404),
    Denied: _plain(403),
    Lost: _lost,
    Reused: _plain(422),
    NoAccount: _plain(422),
    NoId: _plain(404),
    NoSuchDead: _plain(409),
    TooLarge: _plain(413),
    FileRefused: _plain(415),
    HttpError: _refused,
    ClientDisconnect: _plain(400),
    Away: _plain(503, "the database is away; nothing is lost", Retry_After="5"),
    RequestValidationError: _invalid,
    HTTPException: _http,
    Exception: _plain(500, "something went wrong here; it is in the log"),
}
