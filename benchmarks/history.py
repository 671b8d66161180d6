"""A database with a past: chats, conversations and messages that are long done, put in with bulk SQL."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, text

from bot.migrate import migrate
from bot.store import Store

PER_CHAT = 20  # messages of one chat
ADDRESS = "'old' || i"
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) "
PAST = "1700000000.0 + i"
CHAT = "(i * 5654354651) % 9007199254740881"  # spread like real ones
OF_CHAT = "(((i - 1) / 20 + 1) * 5654354651) % 9007199254740881"
SPOKEN = "'The light of my router has been red since the storm, number ' || i || ', what can I do about it?'"

PER_CHATS = (
    f"INSERT INTO customer (id, name, created_at) {NUMBERS} SELECT i, 'old', {PAST} FROM n",
    f"INSERT INTO identity (channel, sender, customer_id) {NUMBERS} SELECT 'web', {ADDRESS}, i FROM n",
    "INSERT INTO chat (id, channel, address, customer_id, inbox_seq, message_seq, fence, created_at) "
    f"{NUMBERS} SELECT {CHAT}, 'web', {ADDRESS}, i, 10, 20, 10, {PAST} FROM n",
    "INSERT INTO conversation (id, number, chat_id, customer_id, owner, epoch, answered, opened_at, closed_at) "
    f"{NUMBERS} SELECT i, 'C-OLD' || i, {CHAT}, i, 'none', 1, 5, {PAST}, {PAST} FROM n",
)
PER_EVENTS = (
    "INSERT INTO inbox (id, channel, dedup_key, chat_id, seq, kind, priority, state, outcome, turn_id, attempts, "
    f"shown, ready_at, received_at, done_at) {NUMBERS} SELECT i, 'web', 'old:' || i, (((i - 1) / 10 + 1) * 5654354651) "
    f"% 9007199254740881, (i - 1) % 10 + 1, 'text', 1, 'done', 'replied', i, 1, true, {PAST}, {PAST}, {PAST} FROM n",
    "INSERT INTO reply (id, chat_id, seq, part_no, cause_inbox_id, channel, address, state, created_at) "
    f"{NUMBERS} SELECT i, (((i - 1) / 10 + 1) * 5654354651) % 9007199254740881, (i - 1) % 10 * 2 + 2, 1, i, 'web', "
    f"'old' || ((i - 1) / 10 + 1), 'sent', {PAST} FROM n",
    f"INSERT INTO fact (at, kind, chat_id, conversation_id, inbox_id) {NUMBERS} SELECT {PAST}, 'answered', "
    "(((i - 1) / 10 + 1) * 5654354651) % 9007199254740881, (i - 1) / 10 + 1, i FROM n",
)
PER_MESSAGES = (
    "INSERT INTO message (chat_id, seq, conversation_id, author, text, inbox_id, created_at) "
    f"{NUMBERS} SELECT {OF_CHAT}, (i - 1) % 20 + 1, (i - 1) / 20 + 1, CASE i % 2 WHEN 1 THEN 'customer' ELSE 'bot' END, "
    f"{SPOKEN}, (i - 1) / 2 + 1, {PAST} FROM n",
)


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
            connection.execute(text(statement), {"count": count})
    if connection.dialect.name == "postgresql":
        for table in ("customer", "conversation", "inbox", "reply"):
            connection.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))
    connection.execute(text("ANALYZE"))
