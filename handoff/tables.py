"""What is kept of people: agents and their sessions, hand-overs, internal notes, promises, the audit."""

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
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.schema import Json, beside, empty, identifier, many, metadata, only, open_rows

agent = Table(
    "agent",
    metadata,
    identifier(),
    Column("login", String(100), nullable=False, unique=True),  # lower case
    Column("name", String(100), nullable=False),  # as customers and colleagues see it
    Column("role", String(12), nullable=False),
    Column("password", String(200), nullable=False, server_default=""),  # argon2id; "" until the link is used
    many("teams"),
    many("skills"),  # products and kinds of service; empty = all
    many("languages"),  # empty = all
    Column("capacity", SmallInteger, nullable=False, server_default="4"),  # conversations at a time
    Column("presence", String(8), nullable=False, server_default="offline"),
    Column("seen_at", Double),
    Column("disabled_at", Double),
    Column("created_at", Double, nullable=False),
    only("role", "agent", "supervisor", "admin", "auditor"),
    only("presence", "online", "busy", "away", "offline"),
)

agent_link = Table(  # one-use links: the first password, or a new one
    "agent_link",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("agent_id", ForeignKey("agent.id"), nullable=False, index=True),
    Column("expires_at", Double, nullable=False),
    Column("used_at", Double),
)

agent_session = Table(
    "agent_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("agent_id", ForeignKey("agent.id"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
)

agent_identity = Table(  # who an agent is on a platform: only linked people count
    "agent_identity",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("sender", String(255), primary_key=True),
    Column("agent_id", ForeignKey("agent.id"), nullable=False, index=True),
    Column("created_at", Double, nullable=False),
)

throttle = Table(  # tries that failed, by login and by address
    "throttle",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("until", Double, nullable=False),
)

api_token = Table(  # one per integration
    "api_token",
    metadata,
    identifier(),
    Column("name", String(100), nullable=False, unique=True),
    Column("token_hash", String(64), nullable=False),
    Column("agent_id", ForeignKey("agent.id"), nullable=False, index=True),  # whose role and teams it has
    many("scopes"),
    Column("created_at", Double, nullable=False),
    Column("used_at", Double),
    Column("expires_at", Double),  # NULL: never
    Column("revoked_at", Double),
)

audit = Table(  # append-only
    "audit",
    metadata,
    identifier(),
    Column("at", Double, nullable=False),
    Column("agent_id", BigInteger),  # NULL: the command line, or nobody who could be named
    Column("action", String(60), nullable=False),
    Column("subject", String(120), nullable=False, server_default=""),
    empty("data"),
    Index("ix_audit_subject_id", "subject", "id"),
)
beside(
    audit,
    "sqlite",
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END",
    "CREATE TRIGGER audit_is_not_emptied BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END",
)
beside(
    audit,
    "postgresql",
    "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit only grows'; END $$",
    "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()",
)

handover = Table(  # what people need to know of an open conversation that is, or was, with them
    "handover",
    metadata,
    Column("conversation_id", ForeignKey("conversation.id"), primary_key=True),
    Column("reason", String(40), nullable=False),
    Column("priority", SmallInteger, nullable=False),  # 0 urgent, 1 high, 2 normal
    empty("wants"),  # language, product, service, team, preferred agent
    empty("packet"),
    Column("waiting_since", Double),  # NULL: it does not wait
    Column("offered_at", Double),  # when it was given to its agent
    Column("snoozed_until", Double),
    open_rows("ix_handover_waiting", "priority", "waiting_since", where="waiting_since IS NOT NULL"),
)

alarm = Table(  # what people must see now, until one of them has seen to it
    "alarm",
    metadata,
    identifier(),
    Column("at", Double, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("chat_id", ForeignKey("chat.id"), nullable=False),
    Column("conversation_id", ForeignKey("conversation.id"), index=True),
    Column("agent_id", BigInteger),  # the owner it is for; NULL: nobody's yet. Supervisors see all of them
    Column("text", Text, nullable=False, server_default=""),
    Column("settled_at", Double),
    Column("settled_by", BigInteger),
    Column("role", String(12), nullable=False, server_default=""),  # who must have the authority: supervisor, admin
    Column("ticket_id", BigInteger, index=True),  # the ticket it is about
    open_rows("ix_alarm_open", "at", where="settled_at IS NULL"),
)

remark = Table(  # an internal note: never a message, so that it cannot leak as one
    "remark",
    metadata,
    identifier(),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False, index=True),
    Column("agent_id", ForeignKey("agent.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("attachments", Json),
    Column("created_at", Double, nullable=False),
)

seen = Table(  # how far an agent has read a chat, and whether he is looking or typing now
    "seen",
    metadata,
    Column("agent_id", ForeignKey("agent.id"), primary_key=True),
    Column("chat_id", ForeignKey("chat.id"), primary_key=True),
    Column("seq", Integer, nullable=False, server_default="0"),
    Column("looking_at", Double),
    Column("typing_at", Double),
    Index("ix_seen_chat_id", "chat_id"),
)

customer_note = Table(  # what colleagues should know of a customer; it is only added to
    "customer_note",
    metadata,
    identifier(),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    Column("agent_id", ForeignKey("agent.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)

desk_place = Table(  # where a desk on a platform shows a conversation: a second address of the customer's chat
    "desk_place",
    metadata,
    Column("conversation_id", ForeignKey("conversation.id"), primary_key=True),
    Column("channel", String(64), primary_key=True),
    Column("address", String(255), nullable=False),
    empty("shown"),  # how far what happens in it was posted there: see handoff/desks/threads.py
    Column("live", Boolean, nullable=False, server_default=text("true")),  # something may still have to be posted
    Index("ix_desk_place_channel_address", "channel", "address"),
    open_rows("ix_desk_place_live", "channel", where="live"),
)

desk_word = Table(  # what people wrote or pressed at a desk; it enters a conversation as a command, if at all
    "desk_word",
    metadata,
    identifier(),
    Column("channel", String(64), nullable=False),
    Column("key", String(300), nullable=False),  # the platform's event
    Column("thread", String(255), nullable=False),
    Column("sender", String(255), nullable=False),
    Column("native", String(255), nullable=False),  # the message, should it be changed later
    empty("body"),
    Column("outcome", String(20), nullable=False, server_default=""),  # "" = to be done; else what it was
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("ready_at", Double, nullable=False),
    Column("received_at", Double, nullable=False),
    UniqueConstraint("channel", "key"),
    Index("ix_desk_word_native", "channel", "native"),
    open_rows("ix_desk_word_waiting", "channel", "id", where="outcome = ''"),
)

promise = Table(
    "promise",
    metadata,
    identifier(),
    Column("number", String(16), nullable=False, unique=True),
    Column("conversation_id", ForeignKey("conversation.id"), index=True),
    Column("ticket_id", ForeignKey("ticket.id"), index=True),
    Column("chat_id", ForeignKey("chat.id"), nullable=False),
    Column("customer_id", ForeignKey("customer.id"), nullable=False, index=True),
    Column("agent_id", ForeignKey("agent.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("state", String(12), nullable=False, server_default="open"),
    Column("proof", Text, nullable=False, server_default=""),
    Column("follows", BigInteger),  # the promise that this one renegotiates
    Column("made_at", Double, nullable=False),
    Column("ended_at", Double),
    only("state", "open", "kept", "renegotiated", "broken"),
    CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
)

command_result = Table(  # what came of an agent's command, for the request that waits for it
    "command_result",
    metadata,
    Column("inbox_id", ForeignKey("inbox.id"), primary_key=True),
    Column("done", Boolean, nullable=False),
    empty("data"),
)
