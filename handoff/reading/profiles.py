"""Customers: found by name, number or how they are reached; what they own, and what colleagues noted of them."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import Connection, select

from bot.tables import chat, customer, ticket
from handoff import search
from handoff.access import Actor, customers
from handoff.tables import agent, customer_note

SHOWN: Final = 30
NOTES: Final = 10
LOOKED: Final = 30  # the newest tickets that tell what he owns
OWNED: Final = ("product", "serial", "bought")  # fields of a ticket that do


def found(connection: Connection, actor: Actor, query: str) -> list[Any]:
    """The customers he may see who are called so, have such a number, or said so; who was heard of last comes first."""
    spoken = re.sub(r"(?<=\d)[ -](?=\d)", "", query)  # telephone numbers are kept without
    hits = [hit for words in dict.fromkeys((query, spoken)) for hit in search.hits(connection, words)]
    places = list(dict.fromkeys(hit.chat_id for hit in hits if hit.kind in ("customer", "ticket")))
    its = select(customer, chat.c.id.label("chat_id")).join(chat, chat.c.customer_id == customer.c.id)
    its = its.where(chat.c.id.in_(places), customers(connection, actor))
    rows = {row.chat_id: row for row in connection.execute(its)}
    ordered = {rows[place].id: rows[place] for place in reversed(places) if place in rows}
    return list(reversed(ordered.values()))[:SHOWN]


def page(connection: Connection, actor: Actor, *, before: int, most: int) -> list[Any]:
    """The customers he may see, the newest first, from the one before ``before`` (0: the newest) on."""
    query = select(customer).where(customers(connection, actor))
    query = query.where(customer.c.id < before) if before else query
    return list(connection.execute(query.order_by(customer.c.id.desc()).limit(most)))


def one(connection: Connection, id: int) -> Any:
    """The row of a customer."""
    return connection.execute(select(customer).where(customer.c.id == id)).one()


def notes(connection: Connection, id: int) -> list[Any]:
    """What colleagues noted of him: ``text``, ``agent_name``, ``created_at``, the newest first."""
    its = select(customer_note, agent.c.name.label("agent_name")).join(agent).where(customer_note.c.customer_id == id)
    return list(connection.execute(its.order_by(customer_note.c.id.desc()).limit(NOTES)))


def products(connection: Connection, id: int) -> list[dict[str, str]]:
    """What he owns, as he or his tickets told: product, serial number, day of purchase, so far as they are known."""
    its = select(ticket.c.details).where(ticket.c.customer_id == id).order_by(ticket.c.id.desc()).limit(LOOKED)
    told: dict[str, dict[str, str]] = {}
    for details in reversed(list(connection.scalars(its))):
        named = {name: str(details[name]) for name in OWNED if details.get(name)}
        if named.get("product") or named.get("serial"):
            told.setdefault(named.get("serial") or named["product"], {}).update(named)
    known = connection.scalar(select(customer.c.known["product"].as_string()).where(customer.c.id == id))
    if known and all(one.get("product") != known for one in told.values()):
        told[known] = {"product": known}
    return list(reversed(told.values()))
