"""Signing in to the console and out of it, and the first password by a one-use link."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection
from starlette.responses import JSONResponse, RedirectResponse, Response

from channels.http import confidential, network_of
from handoff import accounts, sessions, staff
from handoff.access import NotFound, audit
from handoff.console.gate import AT, Asked, give_cookie, token_of

_OURS = re.compile(r"/console(/[\w./?=&%:+-]*)?")


async def login(asked: Asked) -> Response:
    """The form; who is signed in already goes on."""
    if await asked.read(lambda c: sessions.find(c, token_of(asked.request))):
        return RedirectResponse(_onward(asked.query("next")), 303)
    there = await asked.read(accounts.anybody)
    return _form(asked, "first" if not there else "")


async def sign_in(asked: Asked) -> Response:
    """Login and password were sent."""
    form = await asked.form()
    if not confidential(asked.request):
        return _form(asked, "unsafe", 403)
    try:
        token = await sessions.sign_in(
            asked.house.store, form.get("login", ""), form.get("password", ""), network_of(asked.request)
        )
    except sessions.WrongPassword:
        return _form(asked, "wrong", 403, form.get("login", ""))
    except sessions.TooMany as brake:
        answer = _form(asked, "wait", 429, form.get("login", ""), wait=brake.wait)
        answer.headers["Retry-After"] = str(int(brake.wait) + 1)
        return answer
    response = RedirectResponse(_onward(form.get("next", "")), 303)
    give_cookie(asked.request, response, token)
    return response


def _form(asked: Asked, problem: str, status: int = 200, login: str = "", wait: float = 0) -> Response:
    onward = _onward(asked.query("next"))
    return asked.page("login.html", status, problem=problem, login=login[:100], next=onward, wait=int(wait) + 1)


def _onward(path: str) -> str:
    """Where to go on: a page of the console, never another site."""
    return path if _OURS.fullmatch(path) and "//" not in path else AT


async def sign_out(asked: Asked) -> Response:
    """End this session."""
    session = asked.session
    assert session  # noqa: S101 - it is behind one
    await asked.write(lambda c: sessions.end(c, session))
    response = JSONResponse({"go": f"{AT}/login"})
    give_cookie(asked.request, response, "")
    return response


async def welcome(asked: Asked) -> Response:
    """Where a one-use link leads: the choice of a password, and for the first admin of a login."""
    return _welcome(asked, await _whose(asked), "")


async def settle(asked: Asked) -> Response:
    """The password was chosen: use the link up, and go in."""
    account, form = await _whose(asked), await asked.form()
    if not confidential(asked.request):
        return _welcome(asked, account, "unsafe", 403)
    if account is None:
        return _welcome(asked, None, "", 410)
    login = form.get("login", "") if account["first"] else account["login"]
    if form.get("password", "") != form.get("again", ""):
        return _welcome(asked, account, "differ", 422, form)
    try:
        login = accounts.canonical(login)
        hashed = await sessions.hash_of(form.get("password", ""), login)
        token = await asked.write(lambda c: _use(asked, c, account, login, form.get("name", ""), hashed))
    except sessions.WeakPassword:
        return _welcome(asked, account, "weak", 422, form)
    except accounts.NoAccount:
        return _welcome(asked, account, "login", 422, form)
    except NotFound:
        return _welcome(asked, None, "", 410)
    response = RedirectResponse(AT, 303)
    give_cookie(asked.request, response, token)
    return response


async def _whose(asked: Asked) -> dict[str, Any] | None:
    token = asked.path("token")

    def look(connection: Connection) -> dict[str, Any] | None:
        if row := accounts.linked(connection, token):
            return {"first": False, "login": row.login, "name": row.name}
        if sessions.is_first_link(connection, asked.house.secret, token):
            return {"first": True, "login": "admin", "name": ""}
        return None

    found: dict[str, Any] | None = await asked.read(look)
    return found


def _use(asked: Asked, connection: Connection, account: dict[str, Any], login: str, name: str, hashed: str) -> str:
    token, number = asked.path("token"), None
    if account["first"]:
        accounts.alone(connection)
        if sessions.is_first_link(connection, asked.house.secret, token):
            number = accounts.add(connection, login, name=name, role="admin")
            accounts.set_password(connection, number, hashed)
            audit(connection, None, "account_added", f"agent:{number}", {"login": login, "role": "admin"})
    else:
        number = accounts.use_link(connection, token, hashed, name)
    if number is None:
        raise NotFound("this link was used already")
    audit(connection, None, "password_set", f"agent:{number}")
    return sessions.begin(connection, number, network_of(asked.request))


def _welcome(
    asked: Asked, account: dict[str, Any] | None, problem: str, status: int = 200, form: dict[str, str] | None = None
) -> Response:
    typed = form or {}
    shown = account and {**account, **{key: typed[key][:100] for key in ("login", "name") if typed.get(key)}}
    shortest = sessions.SHORTEST
    return asked.page("welcome.html", status if account else 410, account=shown, problem=problem, shortest=shortest)


async def presence(asked: Asked) -> Response:
    """Say whether one is there: online, busy, away or offline."""
    wish = (await asked.data()).get("presence")
    await asked.write(lambda c: staff.be(c, asked.actor, str(wish)))
    asked.house.hub.stir()
    asked.house.worker.wake()
    return JSONResponse({"presence": wish})
