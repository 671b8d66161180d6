"""The accounts of those who work here: seen by whoever leads, changed by admins."""

from __future__ import annotations

from typing import Any, cast, get_args

from starlette.responses import JSONResponse, Response

from channels.http import HttpError
from handoff import accounts, staff, tokens
from handoff.access import ROLES, allowed
from handoff.console.gate import AT, Asked, fits, words
from handoff.console.nav import shell

LISTS = ("teams", "skills", "languages")


async def people(asked: Asked) -> Response:
    """GET /people: everybody, and for admins what to change."""
    values = await asked.read(
        lambda c: {"rows": accounts.listed(c), "tokens": tokens.listed(c), **shell(c, asked.actor)}
    )
    may = allowed(asked.actor, "account.command")
    return asked.page("people.html", **values, may=may, roles=ROLES, section="people")


async def add(asked: Asked) -> Response:
    """POST /people {login, name, role, teams, skills, languages, capacity}: a new account and its one-use link."""
    data = await asked.data()
    login, fields = str(data.get("login", "")), _fields(data)
    _, token = await asked.write(lambda c: staff.add(c, asked.actor, login, fields))
    return JSONResponse({"show": _place(asked, token)})


async def change(asked: Asked) -> Response:
    """POST /people/{id} {name, role, teams, skills, languages, capacity}: change an account."""
    fields, number = _fields(await asked.data()), _id(asked)
    await asked.write(lambda c: staff.change(c, asked.actor, number, fields))
    return JSONResponse({})


async def settle(asked: Asked) -> Response:
    """POST /people/{id}/{do}: disable it, enable it, or make a new one-use link."""
    number, do = _id(asked), asked.path("do")
    if do not in get_args(staff.AccountAction):
        raise HttpError(404, "an account can be disabled or enabled, or get a link")
    token = await asked.write(lambda c: staff.settle(c, asked.actor, number, cast(staff.AccountAction, do)))
    asked.house.hub.stir()
    return JSONResponse({"show": _place(asked, token)} if token else {})


async def add_token(asked: Asked) -> Response:
    """POST /people/{id}/tokens {name, scopes}: a new token that acts for this account, shown for the only time."""
    data, number = await asked.data(), _id(asked)
    name, scopes = words(data, "name", 100), words(data, "scopes", 1000).replace(",", " ").split()
    return JSONResponse({"show": await asked.write(lambda c: staff.add_token(c, asked.actor, number, name, scopes))})


async def revoke_token(asked: Asked) -> Response:
    """POST /people/{id}/tokens/revoke {name}: a token is of no use any more."""
    name = words(await asked.data(), "name", 100)
    await asked.write(lambda c: tokens.revoke(c, asked.actor, name))
    return JSONResponse({})


def _fields(data: dict[str, Any]) -> dict[str, Any]:
    """The fields of an account that were sent; lists come as words between commas. Raises HttpError, NoAccount."""
    found: dict[str, Any] = {name: str(data[name]) for name in ("name", "role") if name in data}
    found |= {name: str(data[name]).replace("，", ",").split(",") for name in LISTS if name in data}
    if "capacity" in data:
        if not fits(str(data["capacity"])):
            raise accounts.NoAccount("capacity is how many conversations at a time: 0 to 50")
        found["capacity"] = int(data["capacity"])
    return found


def _id(asked: Asked) -> int:
    number = asked.path("id")
    if not fits(number):
        raise HttpError(404, "there is no such account")
    return int(number)


def _place(asked: Asked, token: str) -> str:
    origin = asked.house.settings.server.public_url or f"{asked.request.url.scheme}://{asked.request.url.netloc}"
    return f"{origin}{AT}/welcome/{token}"
