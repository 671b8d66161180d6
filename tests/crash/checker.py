"""The checker: from what the world knows for certain and what stands in the database, all that went wrong."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from sqlalchemy import Connection, select, text

from bot.tables import reply
from bot.verify import verify

# Each of these must find no row; what it finds is the fault of that name.
RULES = {
    "handled twice": "SELECT channel, dedup_key FROM check_inbox GROUP BY channel, dedup_key HAVING count(*) > 1",
    "answered in two transactions": """
        SELECT inbox_id FROM message WHERE author = 'bot' GROUP BY inbox_id HAVING count(DISTINCT created_at) > 1""",
    "counted in two transactions": "SELECT inbox_id FROM fact GROUP BY inbox_id HAVING count(DISTINCT at) > 1",
    "shown twice": "SELECT inbox_id FROM message WHERE author = 'customer' GROUP BY inbox_id HAVING count(*) > 1",
    "done, but its words are missing": """
        SELECT i.dedup_key FROM inbox i WHERE i.state = 'done' AND i.kind IN ('text', 'choice')
        AND NOT EXISTS (SELECT 1 FROM message m WHERE m.inbox_id = i.id AND m.author = 'customer')""",
    "order of handling broken": """
        SELECT chat_id, seq FROM (
            SELECT chat_id, seq, done_at, lag(done_at) OVER (PARTITION BY chat_id ORDER BY seq) AS before
            FROM check_inbox WHERE outcome IN ('replied', 'silent', 'merged') AND dedup_key NOT LIKE 'timer:%'
        ) AS handled WHERE before > done_at""",
    "order of turns broken": """
        SELECT chat_id, seq FROM (
            SELECT chat_id, seq, turn_id, lag(turn_id) OVER (PARTITION BY chat_id ORDER BY seq) AS before
            FROM check_inbox WHERE outcome IN ('replied', 'silent', 'merged')
        ) AS handled WHERE before > turn_id""",
    "replied without a reply": """
        SELECT dedup_key FROM check_inbox i WHERE outcome = 'replied'
        AND NOT EXISTS (SELECT 1 FROM check_reply r WHERE r.cause_inbox_id = i.turn_id)""",
    "a reply to what is not done": """
        SELECT r.id FROM check_reply r JOIN check_inbox i ON i.id = r.cause_inbox_id
        WHERE i.state NOT IN ('done', 'dead')""",
    "ticket doubled": "SELECT cause_inbox_id FROM check_ticket GROUP BY cause_inbox_id, kind HAVING count(*) > 1",
    "ticket doubled by its words": """
        SELECT subject FROM ticket WHERE subject LIKE '%, case %' AND kind <> 'recovery'
        GROUP BY chat_id, subject HAVING count(*) > 1""",
    "rating doubled": "SELECT 1 FROM check_rating GROUP BY conversation_id, cycle HAVING count(*) > 1",
    "rating counted twice": "SELECT inbox_id FROM fact WHERE kind = 'rated' GROUP BY inbox_id HAVING count(*) > 1",
    "unfinished": "SELECT dedup_key, state FROM check_inbox WHERE state IN ('waiting', 'taken')",
    "reply unfinished": "SELECT id, state FROM check_reply WHERE state IN ('waiting', 'sending')",
}


@dataclass(frozen=True)
class Evidence:
    """What is known outside."""

    acknowledged: list[str]  # the senders' own ids of the messages
    sent: list[tuple[str, str, str]]  # address, key, text, as the provider saw them
    streams: dict[int, list[tuple[int, str, str]]]  # chat -> seq, author, text, as the customers saw them


def faults(connection: Connection, evidence: Evidence) -> list[str]:
    """Everything that is wrong, by name."""
    found = [f"verify: {rule}: {offenders}" for rule, offenders in verify(connection)["broken"].items()]
    found += [f"{name}: {tuple(row)}" for name, query in RULES.items() for row in connection.execute(text(query))]
    found += _lost(connection, evidence.acknowledged)
    found += _sent(connection, evidence.sent)
    return [*found, *_told(connection, evidence)]


def _lost(connection: Connection, acknowledged: Iterable[str]) -> Iterator[str]:
    """Every acknowledged message is in the inbox, once; a key is the sender's own id, or ends with it."""
    keys = connection.scalars(text("SELECT dedup_key FROM check_inbox"))
    kept = Counter(name for key in keys for name in (key, key.rpartition(":")[2]))
    for id in set(acknowledged):
        if kept[id] == 0:
            yield f"lost: {id}"
        elif kept[id] > 1:
            yield f"handled twice: {id}"


def _sent(connection: Connection, seen: list[tuple[str, str, str]]) -> Iterator[str]:
    """What the provider saw is what the reply rows say, each once and in order, unless it is marked uncertain."""
    query = select(reply).where(reply.c.channel == "platform").order_by(reply.c.id)
    replies = {f"r{row.id}": row for row in connection.execute(query)}
    times, order = Counter(key for _, key, _ in seen), defaultdict[str, list[int]](list)
    for address, key, words in seen:
        row = replies.get(key)
        if row is None or (row.address, row.body["text"]) != (address, words):
            yield f"sent, but not recorded: {key} {words[:30]!r}"
        elif row.state == "sent":
            order[address].append(row.id)
    for key, row in replies.items():
        if row.state == "sent" and times[key] != 1:
            yield f"{'sent twice' if times[key] else 'never sent'}, but not uncertain: {key} ({times[key]} times)"
        elif times[key] > max(row.attempts, 1):
            yield f"sent more often than tried: {key}"
    for address, ids in order.items():
        if ids != sorted(ids):
            yield f"order of replies broken: {address} {ids}"


def _told(connection: Connection, evidence: Evidence) -> Iterator[str]:
    """What customers read is what is recorded, and the ticket numbers they were told exist."""
    for chat, seen in evidence.streams.items():
        query = text("SELECT seq, author, text FROM message WHERE chat_id = :chat ORDER BY seq")
        recorded = [tuple(row) for row in connection.execute(query, {"chat": chat})]
        if recorded != seen:
            wrong = next((one, other) for one, other in zip_longest(recorded, seen) if one != other)
            yield f"the stream is not the record: chat {chat}, {wrong}"
    numbers = set(connection.scalars(text("SELECT number FROM check_ticket")))
    words = [words for _, _, words in evidence.sent] + [m[2] for seen in evidence.streams.values() for m in seen]
    for told in {number for said in words for number in re.findall(r"\*\*(T-[0-9A-Z]{8})\*\*", said)} - numbers:
        yield f"a ticket that does not exist: {told}"
