"""Tickets: a list, a board by state, and one ticket with its course."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from handoff.access import NotFound, allowed
from handoff.console import work
from handoff.console.gate import Asked
from handoff.console.nav import shell
from handoff.reading import talks
from handoff.reading import tickets as reading
from handoff.reading.tickets import LISTS, STATES
from handoff.tickets import COMMANDS, MOVES


async def listing(asked: Asked) -> Response:
    """GET /tickets: those that are due first come first; ``view=board`` puts them by state."""
    whose, q, view = asked.query("whose", "open"), asked.query("q").strip(), asked.query("view", "list")

    def read(c: Connection) -> dict[str, Any]:
        where = reading.whose(asked.actor, whose)
        if view == "board":
            shown = {state: reading.some(c, asked.actor, where, state) for state in STATES}
            return {"lanes": shown, "rows": [], **shell(c, asked.actor)}
        where = reading.found(c, asked.actor, q) if q else where
        return {"rows": reading.some(c, asked.actor, where), "lanes": {}, **shell(c, asked.actor)}

    values = {"whose": whose, "q": q, "view": view, "states": STATES, "section": "tickets"}
    return asked.page("tickets.html", **await asked.read(read), **values, lists=LISTS, risk=reading.standing)


async def one(asked: Asked) -> Response:
    """GET /tickets/{number}: what it is about, who has it, what was done, and where it came from."""

    def read(c: Connection) -> dict[str, Any]:
        people = talks.colleagues(c)
        teams = sorted({team for each in people for team in each.teams})
        return {**reading.one(c, asked.path("number")), "people": people, "teams": teams, **shell(c, asked.actor)}

    values = await asked.read(read)
    moves = sorted(MOVES.get(values["one"].state, ()), key=STATES.index)
    may = allowed(asked.actor, "ticket.command")
    return asked.page("ticket.html", **values, moves=moves, may=may, section="tickets")


async def command(asked: Asked) -> Response:
    """POST /tickets/{number}/commands/{name} {key, …}: move it, say a word on it, give it to somebody."""
    number, name, data = asked.path("number"), asked.path("name"), await asked.data()
    if name not in COMMANDS or name == "ticket_open":
        raise NotFound("there is no such command")
    return await work.done(asked, number, name, {**data, "ticket": number})
