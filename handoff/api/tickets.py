"""Tickets: lists, one of them, and what can be done to it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from sqlalchemy import Connection

from bot.text import clean
from handoff.api import paging, requests
from handoff.api.gate import Caller, Commander
from handoff.api.paging import Cursor, Limit
from handoff.reading import tickets as reading
from handoff.tickets import MOVES

Number = Annotated[str, Path(pattern=r"^T-[0-9A-Z]{8}$", description="Of the ticket.")]


async def tickets(
    call: Caller,
    whose: Annotated[Literal["open", "mine", "free", "late", "recovery", "closed"], Query()] = "open",
    state: Annotated[requests.State | None, Query()] = None,
    q: Annotated[str, Query(max_length=200, description="All the words must stand in it.")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """Tickets, the newest first."""
    before = paging.before(cursor)

    def read(c: Connection) -> list[Any]:
        where = [reading.found(c, call.actor, clean(q)) if q else reading.whose(call.actor, whose)]
        where += [reading.in_state(state)] if state else []
        return reading.page(c, call.actor, *where, before=before, most=limit + 1)

    return paging.page(await call.read(read), limit, paging.by_id)


async def ticket(call: Caller, number: Number) -> Any:
    """One ticket with its course, and the states it can go to."""

    def read(c: Connection) -> dict[str, Any]:
        found = reading.one(c, number)
        here = found["one"]
        course, promises = ([dict(row._mapping) for row in found[name]] for name in ("course", "promises"))
        more = {"course": course, "promises": promises, "follows": found["follows"]}
        more["standards"] = found["standards"]
        return {**here._mapping, **more, "moves": sorted(MOVES.get(here.state, ()), key=reading.STATES.index)}

    return await call.read(read)


async def move(call: Commander, number: Number, body: requests.Move) -> Any:
    """Move it to another state; the customer is told in the chat it came from."""
    return await call.command(number, "ticket_move", body, ticket=number)


async def own(call: Commander, number: Number, body: requests.Own = requests.OWN) -> Any:
    """Give it to a colleague or a team; to nobody named: take it."""
    return await call.command(number, "ticket_own", body, ticket=number)


async def word(call: Commander, number: Number, body: requests.Word) -> Any:
    """Say a word on it: for colleagues only, or to the customer."""
    return await call.command(number, "ticket_word", body, ticket=number)


async def kinds(call: Caller) -> Any:
    """The kinds of tickets there are, and what is asked for each, in this order."""
    forms = call.house.settings.forms
    return [
        {
            "kind": kind,
            "label": dict(form.label),
            "asks": [_asked(forms, name, need) for name, need in form.asks.items()],
        }
        for kind, form in forms.kinds.items()
    ]


def _asked(forms: Any, name: str, need: str) -> dict[str, Any]:
    return {"name": name, "label": dict(forms.fields[name].label), "required": need == "required"}
