"""What customers asked, as the books have it, and which of it went wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from bot.flows.rating import LOW
from bot.tables import chat, fact, message, rating, ticket
from knowledge.audit import Given
from knowledge.gaps import Asked

QUESTIONS: Final = ("answered", "asked_back", "unknown")  # facts that hold a question
WRONG: Final = {"unknown": "unanswered", "not_helpful": "not helpful", "rephrased": "rephrased"}
PERSON: Final = ("handed_over", "queued")  # somebody is wanted: the question before that was not answered well
GIVEN: Final = (*PERSON, *QUESTIONS)  # what may have gone wrong, too: a person was wanted, the rating is low


def questions(connection: Connection, since: float) -> list[tuple[str, str]]:
    """Each question once, with the language of its chat, the oldest first."""
    rows = connection.execute(
        select(fact.c.data, chat.c.talk)
        .join(chat, chat.c.id == fact.c.chat_id)
        .where(fact.c.kind.in_(QUESTIONS), fact.c.at >= since)
        .order_by(fact.c.id)
    )
    found = ((row.data.get("question", ""), row.talk.get("language", "")) for row in rows)
    return list(dict.fromkeys(one for one in found if one[0]))


def badly_answered(connection: Connection, since: float) -> list[Asked]:
    """Questions nobody or nothing answered well, in the customers' words; each once per customer, the oldest first."""
    rows = connection.execute(
        select(fact).where(fact.c.kind.in_({*WRONG, *GIVEN}), fact.c.at >= since).order_by(fact.c.id)
    ).all()
    low = set(connection.scalars(select(rating.c.conversation_id).where(rating.c.score <= LOW)))
    subjects = _subjects(connection, since)
    said = _said_by_people(connection, since)
    found: dict[tuple[str, str], Asked] = {}
    for row in rows:
        for text, reason in _complaints(row, low, subjects):
            person = str(row.customer_id or row.chat_id)
            reply = next((words for at, words in said.get(row.conversation_id, ()) if at > row.at), "")
            found[person, text] = Asked(text, person, reason, reply, row.data.get("entry", ""))
    return list(found.values())


def _complaints(row: Row[Any], low: set[int], subjects: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The question in a fact and what was wrong with the answer; nothing if nothing was."""
    if row.kind in WRONG:
        text, reason = row.data.get("before") or row.data.get("question"), WRONG[row.kind]
    elif row.kind in PERSON:  # an emergency is no question for an FAQ
        text = row.data.get("question") or subjects.get(row.data.get("ticket", ""), "")
        text, reason = "" if row.data.get("reason") == "emergency" else text, "handed over"
    else:
        text, reason = row.data.get("question") if row.conversation_id in low else "", "low rating"
    if text:
        yield text, reason


def _subjects(connection: Connection, since: float) -> dict[str, str]:
    """Ticket -> what the customer said when it was opened."""
    rows = connection.execute(select(ticket.c.number, ticket.c.subject).where(ticket.c.opened_at >= since))
    return {row.number: row.subject for row in rows}


def _said_by_people(connection: Connection, since: float) -> dict[int | None, list[tuple[float, str]]]:
    """Conversation -> what people told the customer in it, and when."""
    found = defaultdict(list)
    columns = message.c.conversation_id, message.c.created_at, message.c.text
    its = message.c.author == "agent", message.c.created_at >= since, message.c.text != ""
    for conversation, at, words in connection.execute(select(*columns).where(*its).order_by(message.c.created_at)):
        found[conversation].append((at, words))
    return found


def answered(connection: Connection, begin: float, end: float) -> tuple[list[Given], int]:
    """What the bot answered by itself in this time, and how many questions there were."""
    columns = message.c.chat_id, message.c.seq, message.c.text, message.c.why
    within = message.c.author == "bot", message.c.why.is_not(None), message.c.created_at >= begin
    given = []
    for row in connection.execute(select(*columns).where(*within, message.c.created_at < end)):
        if scores := (row.why or {}).get("scores"):  # what a customer chose from buttons has none
            best, version = scores[0], row.why.get("version", "")
            name = f"{row.chat_id}:{row.seq}"
            given.append(Given(name, row.why["text"], row.text, best["entry"], best["confidence"], version))
    kinds = fact.c.kind.in_(set(QUESTIONS) - {"answered"}), fact.c.at >= begin, fact.c.at < end
    others = connection.scalar(select(func.count()).select_from(fact).where(*kinds)) or 0
    return given, len(given) + others
