"""What a person needs to know before he says a word: kept when the conversation was handed over, the rest read anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from bot.tables import chat, conversation, customer, message, rating, ticket
from handoff.reading import profiles
from handoff.tables import handover, promise

LINES: Final = 12  # of the dialogue, the latest
LONGEST: Final = 300  # characters of one
TRIED: Final = 5  # answers the bot gave, or nearly gave
TICKETS: Final = 10


@dataclass(frozen=True, slots=True)
class Packet:
    """All of it, ready to be shown. Times in seconds since 1970."""

    number: str
    reason: str  # asked, misses, error, complaint, emergency, silent, transfer, claimed, …
    priority: int
    language: str
    question: str  # in the customer's words
    lines: Sequence[tuple[str, str]]  # author and words of the dialogue, oldest first
    tried: Sequence[tuple[str, float]]  # FAQ entries and the confidence in them, best first
    slots: Mapping[str, str]  # what he has told already, and is not asked again
    customer: Mapping[str, Any]  # name, tier, contact, product, language
    tickets: Sequence[Mapping[str, Any]]  # his open ones: number, kind, state, subject, due_at
    promises: Sequence[Mapping[str, Any]]  # what he has been promised: text, due_at
    rated: int | None  # his last rating
    suggested: Sequence[str]  # FAQ entries whose answer may be the one
    notes: Sequence[tuple[str, str]]  # who wrote down what of him, the newest first
    products: Sequence[Mapping[str, str]]  # what he has: product, serial, bought, as his tickets tell


def packet(connection: Connection, number: str) -> Packet | None:
    """What there is to know of a conversation that is, or was, with people; None if it never was."""
    which = (
        select(conversation, handover, chat.c.talk, customer.c.name, customer.c.tier, customer.c.known)
        .join(handover, handover.c.conversation_id == conversation.c.id)
        .join(chat, chat.c.id == conversation.c.chat_id)
        .join(customer, customer.c.id == conversation.c.customer_id)
        .where(conversation.c.number == number)
    )
    row = connection.execute(which).mappings().first()
    if row is None:
        return None
    kept, known = row["packet"], {"name": row["name"], "tier": row["tier"], **row["known"]}
    lines = _lines(connection, row["id"])
    tried = _tried(connection, row["id"], kept)
    return Packet(
        number=number,
        reason=row["reason"],
        priority=row["priority"],
        language=str(row["wants"].get("language") or row["talk"].get("language", "")),
        question=str(kept.get("question") or kept.get("words") or _last_words(lines)),
        lines=lines,
        tried=tried,
        slots=kept.get("slots", {}),
        customer={name: known[name] for name in ("name", "tier", "contact", "product", "language") if known.get(name)},
        tickets=_tickets(connection, row["customer_id"]),
        promises=_promises(connection, row["customer_id"]),
        rated=_rated(connection, row["customer_id"]),
        suggested=[entry for entry, _ in tried][:3],
        notes=[(one.agent_name, one.text) for one in profiles.notes(connection, row["customer_id"])],
        products=profiles.products(connection, row["customer_id"]),
    )


def _lines(connection: Connection, which: int) -> list[tuple[str, str]]:
    its = select(message.c.author, message.c.text).where(message.c.conversation_id == which)
    rows = connection.execute(its.order_by(message.c.seq.desc()).limit(LINES)).all()
    return [(author, text[:LONGEST]) for author, text in reversed(rows)]


def _last_words(lines: Sequence[tuple[str, str]]) -> str:
    return next((text for author, text in reversed(lines) if author == "customer"), "")


def _tried(connection: Connection, which: int, kept: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Each entry once, with the highest confidence it had in this conversation."""
    found = {entry: float(confidence) for entry, confidence in kept.get("candidates", ())}
    explained = select(message.c.why).where(message.c.conversation_id == which, message.c.author == "bot")
    for why in connection.scalars(explained.order_by(message.c.seq.desc()).limit(LINES)):
        for score in (why or {}).get("scores", ()):
            entry, confidence = str(score["entry"]), float(score["confidence"])
            if ":" not in entry:  # an intent is no answer
                found[entry] = max(confidence, found.get(entry, 0.0))
    return sorted(found.items(), key=lambda one: -one[1])[:TRIED]


def _tickets(connection: Connection, who: int) -> list[Mapping[str, Any]]:
    columns = ticket.c.number, ticket.c.kind, ticket.c.state, ticket.c.subject, ticket.c.due_at
    his = select(*columns).where(ticket.c.customer_id == who, ticket.c.closed_at.is_(None))
    return [dict(row) for row in connection.execute(his.order_by(ticket.c.id.desc()).limit(TICKETS)).mappings()]


def _promises(connection: Connection, who: int) -> list[Mapping[str, Any]]:
    open_ = select(promise.c.text, promise.c.due_at).where(promise.c.customer_id == who, promise.c.state == "open")
    return [dict(row) for row in connection.execute(open_.order_by(promise.c.due_at)).mappings()]


def _rated(connection: Connection, who: int) -> int | None:
    his = select(rating.c.score).join(conversation, conversation.c.id == rating.c.conversation_id)
    score: int | None = connection.scalar(
        his.where(conversation.c.customer_id == who).order_by(rating.c.changed_at.desc()).limit(1)
    )
    return score
