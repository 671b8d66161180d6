"""Tickets: those of a list or of one state, and one of them with its course."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, select

from bot.tables import conversation, customer, rating, ticket, ticket_word, timer
from handoff import search
from handoff.access import Actor, tickets
from handoff.reading.lists import due_at, risk, warned
from handoff.standards import MEASURED, Clock
from handoff.tables import agent, promise

STATES: Final = ("new", "assigned", "waiting_customer", "waiting_parts", "reopened", "resolved", "closed")
LISTS: Final = ("open", "mine", "free", "late", "recovery", "closed")
SHOWN: Final = 100
LANE: Final = 30  # tickets shown in one column of the board


def whose(actor: Actor, which: str) -> ColumnElement[bool]:
    """The tickets of one of the ``LISTS``, for a query on ``ticket``."""
    open_ones = ticket.c.closed_at.is_(None)
    match which:
        case "mine":
            return and_(open_ones, ticket.c.agent_id == actor.id)
        case "late":
            return and_(open_ones, ticket.c.due_at < time.time())
        case "free":
            return and_(open_ones, ticket.c.agent_id.is_(None))
        case "recovery":  # of customers who were dissatisfied
            return and_(open_ones, ticket.c.kind == "recovery")
        case "closed":
            return ticket.c.closed_at.is_not(None)
    return open_ones


def found(connection: Connection, actor: Actor, query: str) -> ColumnElement[bool]:
    """The tickets he may see in which all the words stand, the newest ones, for a query on ``ticket``."""
    ids = dict.fromkeys(hit.ticket_id for hit in search.hits(connection, query) if hit.ticket_id)
    his = set(connection.scalars(select(ticket.c.id).where(ticket.c.id.in_(ids), tickets(connection, actor))))
    return ticket.c.id.in_([id for id in ids if id in his][:SHOWN])


def in_state(state: str) -> ColumnElement[bool]:
    """The tickets in a state, for a query on ``ticket``."""
    return ticket.c.state == state


def some(connection: Connection, actor: Actor, where: ColumnElement[bool], state: str = "") -> list[Any]:
    """Tickets he may see, those that are due first come first."""
    query = _listed(connection, actor).where(where)
    if state:
        query = query.where(ticket.c.state == state).limit(LANE)
    order = (ticket.c.closed_at.is_not(None), ticket.c.due_at)
    return list(connection.execute(query.order_by(*order).limit(SHOWN)))


def page(connection: Connection, actor: Actor, *where: ColumnElement[bool], before: int, most: int) -> list[Any]:
    """Tickets he may see, the newest first, from the one before ``before`` (0: the newest) on."""
    query = _listed(connection, actor).where(*where)
    query = query.where(ticket.c.id < before) if before else query
    return list(connection.execute(query.order_by(ticket.c.id.desc()).limit(most)))


def _listed(connection: Connection, actor: Actor) -> Select[Any]:
    columns = (*ticket.c, customer.c.name.label("customer_name"), agent.c.name.label("agent_name"))
    query = select(*columns).join(customer, customer.c.id == ticket.c.customer_id)
    query = query.outerjoin(agent, agent.c.id == ticket.c.agent_id)
    return query.where(tickets(connection, actor))


def one(connection: Connection, number: str) -> dict[str, Any]:
    """What it is about, who has it, what was done, and where it came from."""
    columns = (*ticket.c, customer.c.name.label("customer_name"), customer.c.tier, customer.c.known)
    of = (agent.c.name.label("agent_name"), conversation.c.number.label("conversation"), rating.c.score)
    its = select(*columns, *of).join(customer, customer.c.id == ticket.c.customer_id)
    its = its.outerjoin(agent, agent.c.id == ticket.c.agent_id)
    its = its.outerjoin(conversation, conversation.c.id == ticket.c.conversation_id)
    same_cycle = and_(rating.c.conversation_id == conversation.c.id, rating.c.cycle == conversation.c.cycle)
    here = connection.execute(its.outerjoin(rating, same_cycle).where(ticket.c.number == number)).one()
    said = select(ticket_word, agent.c.name.label("agent_name"))
    said = said.outerjoin(agent, agent.c.id == ticket_word.c.agent_id).where(ticket_word.c.ticket_id == here.id)
    made = select(promise, agent.c.name.label("agent_name")).join(agent).where(promise.c.ticket_id == here.id)
    related = select(ticket.c.number).where(ticket.c.id == here.follows)
    return {
        "one": here,
        "course": connection.execute(said.order_by(ticket_word.c.id)).all(),
        "promises": connection.execute(made.order_by(promise.c.id)).all(),
        "follows": connection.scalar(related) if here.follows else None,
        "standards": list(_standards(connection, here)),
    }


def standing(row: Any) -> str:
    """How a ticket of a list stands: "late", "soon" once somebody was warned, "" while there is time."""
    told = max((clock.told for name in MEASURED if (clock := _clock(row, name)) and not clock.over), default=0)
    return risk(row.due_at, told, time.time())


def _clock(row: Any, name: str) -> Clock | None:
    return Clock.of(row.clocks[name]) if name in row.clocks else None


def _standards(connection: Connection, here: Any) -> Iterator[dict[str, Any]]:
    """How what is promised on a ticket stands: ``state`` is met, late, rests, soon, or "" while there is time."""
    its = timer.c.subject == f"ticket:{here.number}", timer.c.fired_at.is_(None), timer.c.kind.in_(MEASURED)
    running = connection.execute(select(timer.c.kind, due_at.label("due"), warned.label("warned")).where(*its))
    due = {row.kind: (row.due, row.warned) for row in running}
    for name in (name for name in MEASURED if name in here.clocks):
        clock, planned = Clock.of(here.clocks[name]), due.get(name)
        stands = risk(*planned, time.time()) if planned else "rests"
        state = clock.ended or ("late" if clock.missed else stands)
        yield {"name": name, "state": state, "due": planned[0] if planned else None, "took": clock.spent}
