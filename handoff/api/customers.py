"""Customers: found, looked at, noted of, written to; and what they ask by telephone or letter, registered."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Path, Query
from sqlalchemy import Connection

from bot.text import clean
from handoff import customers as keeping
from handoff.access import Actor, allowed
from handoff.api import paging, requests
from handoff.api.gate import Caller, Commander
from handoff.api.paging import Cursor, Limit
from handoff.reading import profiles, talks

Id = Annotated[int, Path(ge=1, le=10**15)]
PARTS: Final = {  # what one must be allowed to see -> what of a customer that shows
    "customer.read": ("known", "created_at", "identities", "notes", "products"),
    "conversation.read": ("history", "promises"),
    "ticket.read": ("tickets",),
}


async def customers(
    call: Caller,
    q: Annotated[str, Query(max_length=200, description="His name, number, or how he is reached; the best 30.")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """Customers of whom a conversation or a ticket may be seen, the newest first."""
    before = paging.before(cursor)
    if q:
        found = await call.read(lambda c: profiles.found(c, call.actor, clean(q)))
        return {"items": [dict(row._mapping) for row in found], "next": None}
    rows = await call.read(lambda c: profiles.page(c, call.actor, before=before, most=limit + 1))
    return paging.page(rows, limit, paging.by_id)


async def customer(call: Caller, id: Id) -> Any:
    """One customer: where he writes from, what he told and owns, what colleagues noted, conversations and tickets."""
    return await call.read(lambda c: known(c, call.actor, id))


def known(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """All that the actor may know of a customer: of each part only if he may read such."""
    beside = talks.beside(connection, actor, {"customer_id": id, "id": 0})
    shut = {name for action, names in PARTS.items() if not allowed(actor, action) for name in names}
    whole = {**profiles.one(connection, id)._mapping, **beside}
    return {name: value for name, value in whole.items() if name not in shut}


async def note_customer(call: Caller, id: Id, body: requests.CustomerNote) -> Any:
    """Note something colleagues should know of him."""
    await call.write(lambda c: keeping.note(c, call.actor, id, body.text.strip()))
    return {}


async def set_tier(call: Caller, id: Id, body: requests.Tier) -> Any:
    """Set how he is to be treated from now on; empty: as everybody."""
    await call.write(lambda c: keeping.set_tier(c, call.actor, id, body.tier.strip()))
    return {}


async def write_to(call: Commander, id: Id, body: requests.FirstWords) -> Any:
    """Write to him first, where he was last and can be reached; it opens a conversation."""
    return await call.command(str(id), "start", body)


async def register(call: Commander, id: Id, body: requests.NewTicket) -> Any:
    """Register what he asked by telephone, letter or in person, as a ticket."""
    return await call.command(str(id), "ticket_open", body)


async def register_new(call: Commander, body: requests.Caller) -> Any:
    """The same for somebody who is no customer yet: he becomes one."""
    return await call.command("", "ticket_open", body)
