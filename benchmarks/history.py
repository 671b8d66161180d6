"""A database with a past: chats, conversations and messages that are long done, put in with bulk SQL."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, text

from bot.migrate import migrate
from bot.store import Store

PER_CHAT = 20  # messages of one chat
CHAT = "({} * 5654354651) % 9007199254740881"  # spread like real ids
OF = {  # what the statements below have in common
    "n": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)",
    "at": "1700000000.0 + i",
    "chat": CHAT.format("i"),
    "event_chat": CHAT.format("((i - 1) / 10 + 1)"),
    "message_chat": CHAT.format("((i - 1) / 20 + 1)"),
    "words": "'The light of my router has been red since the storm, number ' || i || ', what can I do about it?'",
}
PER_CHATS = (
    "INSERT INTO customer (id, name, created_at) {n} SELECT i, 'old', {at} FROM n",
    "INSERT INTO identity (channel, sender, customer_id) {n} SELECT 'web', 'old' || i, i FROM n",
    "INSERT INTO chat (id, channel, address, customer_id, inbox_seq, message_seq, fence, created_at) "
    "{n} SELECT {chat}, 'web', 'old' || i, i, 10, 20, 10, {at} FROM n",
    "INSERT INTO conversation (id, number, chat_id, customer_id, owner, epoch, answered, opened_at, closed_at) "
    "{n} SELECT i, 'C-OLD' || i, {chat}, i, 'none', 1, 5, {at}, {at} FROM n",
)
PER_EVENTS = (
    "INSERT INTO inbox (id, channel, dedup_key, chat_id, seq, kind, priority, state, outcome, turn_id, attempts, "
    "shown, ready_at, received_at, done_at) {n} SELECT i, 'web', 'old:' || i, {event_chat}, (i - 1) % 10 + 1, "
    "'text', 1, 'done', 'replied', i, 1, true, {at}, {at}, {at} FROM n",
    "INSERT INTO reply (id, chat_id, seq, part_no, cause_inbox_id, channel, address, state, created_at) "
    "{n} SELECT i, {event_chat}, (i - 1) % 10 * 2 + 2, 1, i, 'web', 'old' || ((i - 1) / 10 + 1), 'sent', {at} FROM n",
    "INSERT INTO fact (at, kind, chat_id, conversation_id, inbox_id) "
    "{n} SELECT {at}, 'answered', {event_chat}, (i - 1) / 10 + 1, i FROM n",
)
PER_MESSAGES = (
    "INSERT INTO message (chat_id, seq, conversation_id, author, text, inbox_id, created_at) {n} SELECT "
    "{message_chat}, (i - 1) % 20 + 1, (i - 1) / 20 + 1, CASE i % 2 WHEN 1 THEN 'customer' ELSE 'bot' END, {words}, "
    "(i - 1) / 2 + 1, {at} FROM n",
)
NEXT = "SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"


def fill(database: str, messages: int) -> None:
    """Create the database with so many stored messages."""
    asyncio.run(_fill(database, messages))


async def _fill(database: str, messages: int) -> None:
    store = Store(database, durable=False)
    await migrate(store)
    if messages >= PER_CHAT:
        await store.write(lambda connection: _past(connection, messages))
    await store.close()


def _past(connection: Connection, messages: int) -> None:
    chats = messages // PER_CHAT
    for statements, count in ((PER_CHATS, chats), (PER_EVENTS, chats * 10), (PER_MESSAGES, chats * PER_CHAT)):
        for statement in statements:
            connection.execute(text(statement.format(**OF)), {"count": count})
    if connection.dialect.name == "postgresql":
        for table in ("customer", "conversation", "inbox", "reply"):
            connection.execute(text(NEXT.format(table=table)))
    connection.execute(text("ANALYZE"))
