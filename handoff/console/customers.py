"""Customers: found, looked at, noted of, written to; and what they ask by telephone or letter, registered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response

from channels.http import HttpError
from handoff import customers
from handoff.access import allowed, require
from handoff.console import work
from handoff.console.gate import AT, Asked, words
from handoff.console.nav import shell
from handoff.reading import profiles as reading
from handoff.reading import talks
from handoff.tickets import CAME


async def listing(asked: Asked) -> Response:
    """GET /customers?q=: those who are called so, or have such a number."""
    q = asked.query("q").strip()

    def read(c: Connection) -> dict[str, Any]:
        return {"rows": reading.found(c, asked.actor, q) if q else [], **shell(c, asked.actor)}

    may = allowed(asked.actor, "customer.command")
    return asked.page("customers.html", **await asked.read(read), q=q, may=may, section="customers")


async def one(asked: Asked) -> Response:
    """GET /customers/{id}: everything that is known of him."""
    id = int(asked.path("id"))

    def read(c: Connection) -> dict[str, Any]:
        here = reading.one(c, id)
        beside = talks.beside(c, asked.actor, {"customer_id": id, "id": 0})
        return {"here": here, **beside, **shell(c, asked.actor)}

    may = {"may": allowed(asked.actor, "customer.command"), "may_tier": allowed(asked.actor, "customer.tier")}
    more = {"tiers": asked.house.settings.handoff.first_tiers, "section": "customers"}
    return asked.page("customer.html", **await asked.read(read), **may, **more)


async def form(asked: Asked) -> Response:
    """GET /register?customer=&q=: what somebody asked by telephone, letter or in person becomes a ticket."""
    which, q = asked.number("customer"), asked.query("q").strip()

    def read(c: Connection) -> dict[str, Any]:
        if which:
            require(c, asked.actor, str(which), "customer.command")
        here = reading.one(c, which) if which else None
        people = talks.colleagues(c)
        teams = sorted({team for each in people for team in each.teams})
        rows = reading.found(c, asked.actor, q) if q and not which else []
        return {"here": here, "rows": rows, "people": people, "teams": teams, **shell(c, asked.actor)}

    values = {"q": q, "forms": asked.house.settings.forms, "came": CAME[1:], "section": "customers"}
    return asked.page("register.html", **await asked.read(read), **values)


async def register(asked: Asked) -> Response:
    """POST /register {customer or called, kind, subject, details, came, key}: a ticket for a known or new customer."""
    data = await asked.data()
    who = words(data, "customer", 15)
    data.pop("customer", None)
    if not who and not words(data, "called", 200):
        raise HttpError(422, "say who it is: the customer's name is missing")
    return await _done(asked, who, "ticket_open", data)


async def start(asked: Asked) -> Response:
    """POST /customers/{id}/start {text, key}: write to him first, where he can be reached."""
    data = await asked.data()
    return await _done(asked, asked.path("id"), "start", {"text": words(data, "text", 8000), "key": data.get("key")})


async def _done(asked: Asked, who: str, name: str, data: dict[str, Any]) -> Response:
    """Give a command, and name the page that shows what came of it."""
    told = await work.ordered(asked, who, name, data)
    number = str(told.data.get("number", ""))
    page = f"tickets/{number}" if number.startswith("T-") else f"conversations/{number}"
    go = {"go": f"{AT}/{page if told.state == 'done' else 'customers'}"} if told.state != "lost" else {}
    return JSONResponse({"state": told.state, **told.data, **go}, told.status)


async def note(asked: Asked) -> Response:
    """POST /customers/{id}/notes {text}: what colleagues should know of him."""
    id, text = int(asked.path("id")), words(await asked.data(), "text", customers.NOTE)
    if not text:
        raise HttpError(422, "there is nothing in the note")
    await asked.write(lambda c: customers.note(c, asked.actor, id, text))
    return JSONResponse({})


async def tier(asked: Asked) -> Response:
    """POST /customers/{id}/tier {tier}: how he is to be treated."""
    id, said = int(asked.path("id")), words(await asked.data(), "tier", customers.TIER)
    await asked.write(lambda c: customers.set_tier(c, asked.actor, id, said))
    return JSONResponse({})
