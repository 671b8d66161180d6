"""Customers: those one may see, and one of them with all that is his."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from bot.tables import chat, customer
from handoff import search
from handoff.agents import Actor, customers
from handoff.reading import talks


def page(connection: Connection, actor: Actor, *, q: str = "", before: int, most: int) -> list[Any]:
    """Customers he may see, the newest first, from the one before ``before`` (0: the newest) on; ``q``: found by it."""
    query = select(customer).where(customers(connection, actor))
    query = query.where(customer.c.id < before) if before else query
    if q:
        chats = {hit.chat_id for hit in search.hits(connection, q)}
        query = query.where(customer.c.id.in_(select(chat.c.customer_id).where(chat.c.id.in_(chats))))
    return list(connection.execute(query.order_by(customer.c.id.desc()).limit(most)))


def one(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """Who he is, where he writes from, and what of his the actor may see."""
    row = connection.execute(select(customer).where(customer.c.id == id)).one()
    return {**row._mapping, **talks.beside(connection, actor, {"customer_id": id, "id": 0})}
