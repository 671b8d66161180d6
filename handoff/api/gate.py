"""What every request to the API passes: its token, its pace, the one question of access; and how one is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import Connection
from starlette.types import Message

from bot.store import R, Work
from bot.text import clean
from channels.http import HttpError, RateLimit, body_of, confidential, network_of
from handoff import sessions, tokens
from handoff.access import Actor, Denied, allowed, require
from handoff.reading import files
from handoff.tokens import Token

BRAKE: Final = "api"  # wrong tokens are counted under this and the network, with the token's number and without
WRONG: Final = 60  # wrong tokens a minute from one network; more are told to wait, at no cost of ours
HTTPS: Final = "a token is taken over HTTPS only, or on this very computer"
KEY: Final = "Makes the command yours: sent again with the same key it is done once, and you are told what came of it."


class NoToken(Exception):
    """Nobody knows this token, or it is of no use any more."""


class Lost(Exception):
    """The command was not done; ``data["reason"]`` says why."""

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(str(data.get("reason", "")))
        self.data = data


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be done: where, who may, what comes of it. Its function tells what it takes, and its words."""

    method: str
    path: str  # under /api/v1
    endpoint: Callable[..., Awaitable[Any]]
    action: str
    answer: Any = None  # the model of what comes back; None: a file
    subject: str = ""  # the part of the path that names what it is done to
    status: int = 200
    raw: bool = False  # its function reads the body itself


@dataclass(slots=True)
class Call:
    """A request that was let in."""

    house: Any
    request: Request
    actor: Actor
    key: str = ""
    under_way: bool = False

    async def read(self, work: Work[R]) -> R:
        """Read from the database."""
        found: R = await self.house.store.read(work)
        return found

    async def write(self, work: Work[R]) -> R:
        """Write to the database while somebody waits for it."""
        done: R = await self.house.store.write(work, first=True)
        return done

    async def command(self, number: str, name: str, body: Any, **more: str) -> dict[str, Any]:
        """Give a command to the conversation, or ticket, of this number. Raises Lost, HttpError, Denied."""
        data = body.model_dump(mode="json", exclude_unset=True, exclude={"files"}) | more
        most = self.house.settings.limits.message_chars
        if len(data.get("text") or "") > most:
            raise HttpError(413, f"text is longer than {most} characters")
        if (ticket := data.get("ticket")) and ticket != number:
            await self.read(lambda c: require(c, self.actor, ticket, "ticket.command"))
        sent = await files.attached(self.house, number, getattr(body, "files", ()))
        told = await self.house.commands.do(self.actor, number, name, data, self.key, sent)
        if told.state == "lost":
            raise Lost(dict(told.data))
        self.under_way = told.state == "under way"
        return {"state": told.state, **told.data}


async def _call(request: Request) -> Call:
    call: Call = request.scope["call"]
    return call


async def _keyed(
    request: Request,
    idempotency_key: Annotated[str, Header(pattern=r"^[!-~]{1,100}$", description=KEY)],
) -> Call:
    call: Call = request.scope["call"]
    call.key = f"{call.actor.token}:{idempotency_key}"
    return call


Caller = Annotated[Call, Depends(_call)]
Commander = Annotated[Call, Depends(_keyed)]


def _braked(connection: Connection, brake: str) -> None:
    """Raises TooMany while tries under this name have to wait."""
    if (wait := sessions.waits(connection, brake)) > 0:
        raise sessions.TooMany(wait)


class Gate:
    """Lets integrations in."""

    def __init__(self, house: Any) -> None:
        self._house = house
        self._pace, self._wrong = RateLimit(house.settings.limits.api_per_minute), RateLimit(WRONG)

    def route(self, operation: Operation) -> type[APIRoute]:
        """The kind of route that lets in only who may do this."""

        class Guarded(APIRoute):
            def get_route_handler(_) -> Callable[[Request], Coroutine[Any, Any, Response]]:  # noqa: N805
                inner = super().get_route_handler()

                async def guarded(request: Request) -> Response:
                    call = request.scope["call"] = await self._let_in(request, operation)
                    response = await inner(request if operation.raw else await self._read(request))
                    if call.under_way:
                        response.status_code = HTTPStatus.ACCEPTED
                    response.headers.setdefault("Cache-Control", "no-store")
                    return response

                return guarded

        return Guarded

    async def _read(self, request: Request) -> Request:
        """The request with its body, if that is not too long. Raises HttpError."""
        body = await body_of(request, self._house.settings.limits.body_bytes)

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        return Request(request.scope, again)

    async def _let_in(self, request: Request, operation: Operation) -> Call:
        scheme, _, said = request.headers.get("authorization", "").partition(" ")
        said = said.strip() if scheme.lower() == "bearer" else ""
        if said and not confidential(request):
            raise Denied(HTTPS)
        subject = clean(str(request.path_params.get(operation.subject, "")))[:100]
        network = f"{BRAKE} {network_of(request)}"[:240]
        brakes = {"network": network, "token": f"{network} {tokens.number_of(said)}"[:255]}

        def look(connection: Connection) -> tuple[Token | None, Denied | None]:
            _braked(connection, brakes["token"])
            token = tokens.find(connection, said) if said else None
            if said and token is None:  # who guesses waits whatever he claims; others of his network are let in
                _braked(connection, brakes["network"])
            try:
                if token:
                    require(connection, token.actor, subject, operation.action)
            except Denied as denied:
                return token, denied
            return token, None

        token, denied = await self._house.store.read(look)
        if token is None:
            if said:
                self._wrong.spend(network_of(request))
                await self._house.store.write(lambda c: sessions.count(c, brakes))
            raise NoToken
        self._pace.spend(str(token.id))
        if denied:
            raise self._told(token, denied, operation)
        if tokens.stale(token):
            await self._house.store.write(lambda c: tokens.noted(c, token))
        return Call(self._house, request, token.actor)

    @staticmethod
    def _told(token: Token, denied: Denied, operation: Operation) -> Denied:
        """A refusal that says what is missing: the scope, or the role."""
        if operation.action not in token.actor.scopes:
            return Denied(f"this token has no scope {operation.action}")
        if not allowed(token.actor, operation.action):
            return Denied(f"the token's account is {token.actor.role}: its role may not do that")
        return denied
