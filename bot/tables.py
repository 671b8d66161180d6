"""All that is kept. Times are UTC seconds since 1970 as doubles: the same on both databases, cheap to compare."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.schema import Json, empty, identifier, metadata, only, open_rows

customer = Table(
    "customer",
    metadata,
    identifier(),
    Column("name", String(200), nullable=False, server_default=""),
    Column("tier", String(40), nullable=False, server_default=""),
    empty("known"),  # what he told us: language, contact, product, when he was last asked for a rating
    Column("created_at", Double, nullable=False),
)

identity = Table(
    "identity",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("sender", String(255), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
)

chat = Table(
    "chat",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # inbox.chat_id(channel, address)
    Column("channel", String(64), nullable=False),
    Column("address", String(255), nullable=False),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    empty("talk"),  # dialogue.Talk
    Column("inbox_seq", Integer, nullable=False, server_default="0"),
    Column("message_seq", Integer, nullable=False, server_default="0"),
    Column("ready_at", Double),  # when its first waiting event may be handled; NULL = nothing waits
    Column("lease_holder", String(64)),
    Column("lease_until", Double),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("trying", BigInteger),  # the event it is leased for; still there when whoever held the lease has died
    Column("tries", SmallInteger, nullable=False, server_default="0"),  # how often that has begun and never ended
    Column("unreachable", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("channel", "address"),
    open_rows("ix_chat_ready", "ready_at", where="ready_at IS NOT NULL"),
)

inbox = Table(
    "inbox",
    metadata,
    identifier(),
    Column("channel", String(64), nullable=False),
    Column("dedup_key", String(400), nullable=False),
    Column("chat_id", ForeignKey("chat.id")),
    Column("seq", Integer, nullable=False, server_default="0"),
    Column("kind", String(16), nullable=False),
    Column("priority", SmallInteger, nullable=False),  # 0: agents' commands, 1: all else
    empty("body"),  # the Inbound without what has a column of its own
    Column("raw", LargeBinary),  # as the platform sent it; emptied after limits.keep_raw
    Column("state", String(8), nullable=False),
    Column("outcome", String(8)),
    Column("turn_id", BigInteger),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("error", Text),
    Column("shown", Boolean, nullable=False, server_default=text("false")),  # its words stand among the messages
    Column("timer_id", BigInteger),  # the timer that this event is
    Column("ready_at", Double, nullable=False),
    Column("received_at", Double, nullable=False),
    Column("done_at", Double),
    UniqueConstraint("channel", "dedup_key"),
    only("state", "waiting", "taken", "done", "dead"),
    only("outcome", "replied", "silent", "merged", "command", "timer"),
    CheckConstraint("(state = 'done') = (outcome IS NOT NULL)", name="done_has_outcome"),
    CheckConstraint("(state = 'done') = (turn_id IS NOT NULL)", name="done_has_turn"),
    CheckConstraint("chat_id IS NOT NULL OR state = 'dead'", name="unreadable_is_dead"),
    open_rows("ix_inbox_waiting", "chat_id", "priority", "seq", where="state = 'waiting'"),
    open_rows("ix_inbox_dead", "id", where="state = 'dead'"),
    open_rows("ix_inbox_raw", "received_at", where="raw IS NOT NULL"),
)

message = Table(
    "message",
    metadata,
    Column("chat_id", ForeignKey("chat.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), index=True),
    Column("author", String(10), nullable=False),
    Column("agent_id", BigInteger),  # who of us, when author is "agent"
    Column("native", String(255), nullable=False, server_default=""),  # the platform's id of a customer's message
    Column("text", Text, nullable=False),
    Column("choices", Json),
    Column("attachments", Json),
    Column("why", Json),
    Column("inbox_id", ForeignKey("inbox.id")),
    Column("created_at", Double, nullable=False),
    only("author", "customer", "bot", "agent", "system"),
)

reply = Table(
    "reply",
    metadata,
    identifier(),
    Column("chat_id", ForeignKey("chat.id"), nullable=False),
    Column("seq", Integer, nullable=False),  # of the message
    Column("part_no", SmallInteger, nullable=False),
    Column("cause_inbox_id", ForeignKey("inbox.id"), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("address", String(255), nullable=False),
    Column("body", Json),  # Reply; NULL where the channel shows the message itself (web)
    Column("state", String(10), nullable=False),
    Column("provider_id", String(255)),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("due_at", Double),  # NULL: nothing is left to do
    Column("error", Text),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("chat_id", "seq", "part_no", "channel", "address"),
    only("state", "waiting", "sending", "sent", "uncertain", "dead", "withdrawn"),
    open_rows("ix_reply_due", "channel", "address", "id", where="due_at IS NOT NULL"),
    open_rows("ix_reply_dead", "id", where="state = 'dead'"),
    Index("ix_reply_cause", "cause_inbox_id"),
)

conversation = Table(
    "conversation",
    metadata,
    identifier(),
    Column("number", String(16), nullable=False, unique=True),
    Column("chat_id", ForeignKey("chat.id"), nullable=False, index=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    Column("owner", String(8), nullable=False),
    Column("agent_id", BigInteger),
    Column("served_by", BigInteger),  # the agent who had it last in this cycle; NULL: the bot alone
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("cycle", Integer, nullable=False, server_default="1"),  # the first is 1; reopening starts the next
    Column("answered", Integer, nullable=False, server_default="0"),
    Column("opened_at", Double, nullable=False),
    Column("closed_at", Double),
    Column("close_reason", String(40)),
    only("owner", "bot", "queue", "agent", "none"),
    CheckConstraint("(owner = 'agent') = (agent_id IS NOT NULL)", name="agent_owns"),
    CheckConstraint("(owner = 'none') = (closed_at IS NOT NULL)", name="closed_has_no_owner"),
    open_rows("uq_conversation_open", "chat_id", where="owner <> 'none'", unique=True),
    open_rows("ix_conversation_agent", "agent_id", where="owner = 'agent'"),
)

ticket = Table(
    "ticket",
    metadata,
    identifier(),
    Column("number", String(16), nullable=False, unique=True),
    Column("conversation_id", ForeignKey("conversation.id"), index=True),
    Column("chat_id", ForeignKey("chat.id"), nullable=False),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    Column("cause_inbox_id", ForeignKey("inbox.id"), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("owner", String(40), nullable=False),
    Column("priority", String(10), nullable=False),
    Column("subject", Text, nullable=False),
    empty("details"),
    Column("due_at", Double, nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("closed_at", Double),
    Column("agent_id", BigInteger),  # whose it is, when owner is "agent"
    Column("resolved_at", Double),
    Column("follows", BigInteger),  # the ticket that this one carries on
    Column("epoch", Integer, nullable=False, server_default="0"),  # bumped by every move
    empty("clocks"),  # what is promised on it: see handoff/standards.py
    CheckConstraint("owner <> ''", name="has_owner"),
    open_rows("ix_ticket_open", "agent_id", "due_at", where="closed_at IS NULL"),
)

ticket_word = Table(
    "ticket_word",
    metadata,
    identifier(),
    Column("ticket_id", ForeignKey("ticket.id"), nullable=False, index=True),
    Column("author", String(10), nullable=False),
    Column("agent_id", BigInteger),
    Column("kind", String(8), nullable=False, server_default="word"),  # word, move, remark (for colleagues only)
    Column("text", Text, nullable=False),
    Column("attachments", Json),
    Column("created_at", Double, nullable=False),
)

rating = Table(
    "rating",
    metadata,
    identifier(),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("comment", Text, nullable=False, server_default=""),
    Column("agent_id", BigInteger),
    Column("created_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    UniqueConstraint("conversation_id", "cycle"),
    CheckConstraint("score BETWEEN 1 AND 5", name="score"),
)

timer = Table(
    "timer",
    metadata,
    identifier(),
    Column("subject", String(80), nullable=False),  # conversation:C-…, ticket:T-…, chat:…
    Column("kind", String(40), nullable=False),
    Column("chat_id", ForeignKey("chat.id"), nullable=False),
    Column("due_at", Double, nullable=False),
    Column("queued_at", Double),  # when it entered the inbox; it is fired when that event is done
    Column("fired_at", Double),
    empty("data"),
    open_rows("uq_timer_unfired", "subject", "kind", where="fired_at IS NULL", unique=True),
    open_rows("ix_timer_due", "due_at", where="fired_at IS NULL AND queued_at IS NULL"),
)

fact = Table(
    "fact",
    metadata,
    identifier(),
    Column("at", Double, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("chat_id", BigInteger),
    Column("conversation_id", BigInteger),
    Column("customer_id", BigInteger),
    Column("inbox_id", BigInteger),
    empty("data"),
    Index("ix_fact_kind_at", "kind", "at"),
    open_rows("ix_fact_course", "conversation_id", "id", where="kind IN ('owner', 'closed', 'reopened')"),
)

file = Table(
    "file",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("type", String(100), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("owner", String(255), nullable=False),
    Column("created_at", Double, nullable=False),
)

note = Table(
    "note",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("value", LargeBinary, nullable=False),  # encrypted
    Column("expires_at", Double),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(80), primary_key=True),  # sending for a channel, polling, rounds …
    Column("holder", String(64), nullable=False),
    Column("until", Double, nullable=False),
)
