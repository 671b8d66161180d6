"""What a decision may ask for beyond its turn. Everything is restricted to the customer's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, and_, select

from bot.lanes import Lane, ticket_view, view
from bot.tables import conversation, rating, ticket
from handoff.leading import lead_of
from handoff.lookups import PEOPLE


def look(connection: Connection, lane: Lane, looks: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """The answers, by (kind, key); None where there is no such thing, or it is somebody else's.

    ("ticket", number) -> TicketView | None; ("rated", conversation number) -> ConversationView | None;
    ("desk", "") -> DeskView; ("place", conversation number) -> DeskView, seen from there;
    ("handover", conversation number) -> HandoverView | None; ("agent", id) -> AgentView | None;
    ("lead", id of one of us, or "") -> int | None: who leads him;
    ("team", name) -> bool: somebody of it is there; ("members", name) -> bool: somebody is of it.
    """
    kinds = {"ticket": _ticket, "rated": _rated, "lead": _lead, **PEOPLE}
    return {(kind, key): kinds[kind](connection, lane, key) for kind, key in looks}


def _ticket(connection: Connection, lane: Lane, key: str) -> Any:
    mine = select(ticket).where(ticket.c.number == key, ticket.c.customer_id == lane.customer_id)
    row = connection.execute(mine).first()
    return ticket_view(row) if row else None


def _lead(connection: Connection, _lane: Lane, which: str) -> int | None:
    return lead_of(connection, which)


def _rated(connection: Connection, lane: Lane, key: str) -> Any:
    score = and_(rating.c.conversation_id == conversation.c.id, rating.c.cycle == conversation.c.cycle)
    mine = (
        select(conversation, rating.c.score, rating.c.created_at.label("rated_at"))
        .outerjoin(rating, score)
        .where(conversation.c.number == key, conversation.c.customer_id == lane.customer_id)
    )
    row = connection.execute(mine).first()
    return view(row) if row else None
