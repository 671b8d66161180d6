"""Tickets: a list, a board by state, and one ticket with its course."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, select
from starlette.responses import Response

from bot.tables import conversation, customer, rating, ticket, ticket_word
from handoff import search
from handoff.agents import Actor, Unknown, allowed, tickets
from handoff.console import work
from handoff.console.gate import Asked
from handoff.console.nav import shell
from handoff.reading import talks
from handoff.tables import agent, promise
from handoff.tickets import COMMANDS, MOVES

STATES: Final = ("new", "assigned", "waiting_customer", "waiting_parts", "reopened", "resolved", "closed")
SHOWN: Final = 100
LANE: Final = 30  # tickets shown in one column of the board


async def listing(asked: Asked) -> Response:
    """GET /tickets: those that are due first come first; ``view=board`` puts them by state."""
    whose, q, view = asked.query("whose", "open"), asked.query("q").strip(), asked.query("view", "list")

    def read(c: Connection) -> dict[str, Any]:
        if view == "board":
            shown = {state: _some(c, asked.actor, _whose(asked.actor, whose), state) for state in STATES}
            return {"lanes": shown, "rows": [], **shell(c, asked.actor)}
        where = _whose(asked.actor, whose)
        if q:
            ids = dict.fromkeys(hit.ticket_id for hit in search.hits(c, q) if hit.ticket_id)
            where = ticket.c.id.in_(list(ids)[:SHOWN])
        return {"rows": _some(c, asked.actor, where), "lanes": {}, **shell(c, asked.actor)}

    values = {"whose": whose, "q": q, "view": view, "states": STATES, "section": "tickets"}
    return asked.page("tickets.html", **await asked.read(read), **values)


def _whose(actor: Actor, whose: str) -> ColumnElement[bool]:
    open_ones = ticket.c.closed_at.is_(None)
    match whose:
        case "mine":
            return and_(open_ones, ticket.c.agent_id == actor.id)
        case "late":
            return and_(open_ones, ticket.c.due_at < time.time())
        case "free":
            return and_(open_ones, ticket.c.agent_id.is_(None))
        case "closed":
            return ticket.c.closed_at.is_not(None)
    return open_ones


def _some(connection: Connection, actor: Actor, where: ColumnElement[bool], state: str = "") -> list[Any]:
    columns = (*ticket.c, customer.c.name.label("customer_name"), agent.c.name.label("agent_name"))
    query = select(*columns).join(customer, customer.c.id == ticket.c.customer_id)
    query = query.outerjoin(agent, agent.c.id == ticket.c.agent_id).where(where, tickets(connection, actor))
    if state:
        query = query.where(ticket.c.state == state).limit(LANE)
    order = (ticket.c.closed_at.is_not(None), ticket.c.due_at)
    return list(connection.execute(query.order_by(*order).limit(SHOWN)))


async def one(asked: Asked) -> Response:
    """GET /tickets/{number}: what it is about, who has it, what was done, and where it came from."""
    number = asked.path("number")

    def read(c: Connection) -> dict[str, Any]:
        columns = (*ticket.c, customer.c.name.label("customer_name"), customer.c.tier, customer.c.known)
        of = (agent.c.name.label("agent_name"), conversation.c.number.label("conversation"), rating.c.score)
        its = select(*columns, *of).join(customer, customer.c.id == ticket.c.customer_id)
        its = its.outerjoin(agent, agent.c.id == ticket.c.agent_id)
        its = its.outerjoin(conversation, conversation.c.id == ticket.c.conversation_id)
        same_cycle = and_(rating.c.conversation_id == conversation.c.id, rating.c.cycle == conversation.c.cycle)
        here = c.execute(its.outerjoin(rating, same_cycle).where(ticket.c.number == number)).one()
        said = select(ticket_word, agent.c.name.label("agent_name"))
        said = said.outerjoin(agent, agent.c.id == ticket_word.c.agent_id).where(ticket_word.c.ticket_id == here.id)
        made = select(promise, agent.c.name.label("agent_name")).join(agent).where(promise.c.ticket_id == here.id)
        related = select(ticket.c.number).where(ticket.c.id == here.follows)
        return {
            "one": here,
            "course": c.execute(said.order_by(ticket_word.c.id)).all(),
            "promises": c.execute(made.order_by(promise.c.id)).all(),
            "people": (people := talks.colleagues(c)),
            "teams": sorted({team for each in people for team in each.teams}),
            "follows": c.scalar(related) if here.follows else None,
            **shell(c, asked.actor),
        }

    values = await asked.read(read)
    moves = sorted(MOVES.get(values["one"].state, ()), key=STATES.index)
    may = allowed(asked.actor, "ticket.command")
    return asked.page("ticket.html", **values, moves=moves, may=may, section="tickets")


async def command(asked: Asked) -> Response:
    """POST /tickets/{number}/commands/{name} {key, …}: move it, say a word on it, give it to somebody."""
    number, name, data = asked.path("number"), asked.path("name"), await asked.data()
    if name not in COMMANDS or name == "ticket_open":
        raise Unknown("there is no such command")
    return await work.done(asked, number, name, {**data, "ticket": number})
