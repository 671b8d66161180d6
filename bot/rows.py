"""What a group of turns adds, by table, so that each table is written once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

from sqlalchemy import Connection, delete, func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import Insert

from bot.bulk import Bulk, Together, inserts
from bot.lanes import NEXT_READY
from bot.messages import Reply
from bot.tables import chat, conversation, fact, inbox, message, reply, ticket_word, timer
from handoff.tables import command_result

TOPIC = "aftercare"  # NOTIFY channel: which addresses have new messages
UNFIRED = timer.c.fired_at.is_(None)
ANSWERED = Bulk(
    {"which": conversation.c.id, "more": conversation.c.answered},
    lambda new: (
        update(conversation)
        .where(conversation.c.id == new["which"])
        .values(answered=conversation.c.answered + new["more"])
    ),
)
DROPPED = Bulk(
    {"of": timer.c.subject, "what": timer.c.kind},
    lambda new: delete(timer).where(tuple_(timer.c.subject, timer.c.kind).in_(select(new["of"], new["what"])), UNFIRED),
)


def _moved(new: Insert) -> Insert:
    """One unfired timer per subject and kind: setting it again moves it."""
    values = {"due_at": new.excluded.due_at, "data": new.excluded.data, "queued_at": None}
    return new.on_conflict_do_update(
        index_elements=["subject", "kind"], index_where=text("fired_at IS NULL"), set_=values
    )


TIMERS = inserts(timer, "subject kind chat_id due_at data", also=_moved)
STATES = Bulk(
    {"chat": chat.c.id, "talk": chat.c.talk, "seq": chat.c.message_seq},
    lambda new: (
        update(chat)
        .where(chat.c.id == new["chat"])
        .values(talk=new["talk"], message_seq=new["seq"], ready_at=NEXT_READY)
        .values(lease_holder=None, lease_until=None, trying=None, tries=0)
    ),
)
EVENT = {
    "state": inbox.c.state,
    "outcome": inbox.c.outcome,
    "turn_id": inbox.c.turn_id,
    "attempts": inbox.c.attempts,
    "error": inbox.c.error,
    "ready_at": inbox.c.ready_at,
    "done_at": inbox.c.done_at,
    "shown": inbox.c.shown,
}
EVENTS = Bulk(
    {"event": inbox.c.id, **EVENT},
    lambda new: update(inbox).where(inbox.c.id == new["event"]).values({name: new[name] for name in EVENT}),
)
JOIN = {name: EVENT[name] for name in ("state", "outcome", "turn_id", "error", "done_at")}
JOINED = Bulk(
    {"event": inbox.c.id, **JOIN},
    lambda new: update(inbox).where(inbox.c.id == new["event"]).values({name: new[name] for name in JOIN}),
)
BELONGING = Bulk(
    {"place": message.c.chat_id, "heard": message.c.inbox_id, "its": message.c.conversation_id},
    lambda new: (
        update(message)
        .where(message.c.chat_id == new["place"], message.c.inbox_id == new["heard"])
        .where(message.c.conversation_id.is_(None))
        .values(conversation_id=new["its"])
    ),
)
MESSAGES = inserts(
    message, "chat_id seq conversation_id author agent_id native text choices attachments why inbox_id created_at"
)
REPLIES = inserts(reply, "chat_id seq part_no cause_inbox_id channel address body state due_at created_at")
FACTS = inserts(fact, "at kind chat_id conversation_id customer_id inbox_id data")
RESULTS = inserts(command_result, "inbox_id done data", also=lambda new: new.on_conflict_do_nothing())
WORDS = inserts(ticket_word, "ticket_id author agent_id kind text attachments created_at")
TOLD = Bulk({"payload": message.c.text}, lambda new: select(func.pg_notify(literal(TOPIC), new["payload"])))
NEW = Together(MESSAGES, REPLIES, FACTS, WORDS, ANSWERED, TIMERS, RESULTS, EVENTS)
LAST = Together(STATES, TOLD)  # which event is next depends on the states above


@dataclass(slots=True)
class Said:
    """A message as followers of the chat see it."""

    channel: str
    address: str
    seq: int
    data: dict[str, Any]
    conversation_id: int | None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of an agent's command, and by which event of which chat it came in."""

    inbox_id: int
    chat_id: int
    seq: int
    done: bool
    data: dict[str, Any]


@dataclass(slots=True)
class Rows:
    """What a group of turns adds, by table, so that each table is written once."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)
    words: list[dict[str, Any]] = field(default_factory=list)
    answered: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    chats: list[dict[str, Any]] = field(default_factory=list)
    timers: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)  # by (subject, kind)
    dropped: set[tuple[str, str]] = field(default_factory=set)
    joined: list[dict[str, Any]] = field(default_factory=list)  # earlier events of a burst that a turn completes
    belonging: list[dict[str, Any]] = field(default_factory=list)  # words said before their conversation was opened
    said: list[Said] = field(default_factory=list)
    results: list[CommandResult] = field(default_factory=list)  # of agents' commands
    moved: bool = False  # somebody waits, or has room, who did not before

    def write(self, connection: Connection, told: str = "") -> None:
        """All of it, in the caller's transaction; ``told``: what other processes hear of it."""
        DROPPED(connection, [{"of": subject, "what": kind} for subject, kind in sorted(self.dropped)])
        timers = [self.timers[key] for key in sorted(self.timers)]
        results = [{"inbox_id": r.inbox_id, "done": r.done, "data": r.data} for r in self.results]
        more = (self.facts, self.words, self.answered, timers, results, self.events)
        NEW(connection, self.messages, self.replies, *more)
        BELONGING(connection, self.belonging)
        JOINED(connection, self.joined)
        LAST(connection, self.chats, [{"payload": told}] if told else ())

    @property
    def next_due(self) -> float:
        """When the first of the new timers falls due."""
        return min((t["due_at"] for t in self.timers.values()), default=math.inf)

    @property
    def to_send(self) -> bool:
        """Whether a channel has anything to deliver."""
        return any(r["due_at"] for r in self.replies)


def event_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """A message's row as the web chat and the console get it."""
    by = {"agent": row["agent_id"]} if row["agent_id"] else {}
    return {
        "seq": row["seq"],
        "id": row["native"] or str(row["seq"]),
        "author": row["author"],
        **by,
        "text": row["text"],
        "choices": row["choices"] or [],
        "attachments": row["attachments"] or [],
        "at": row["created_at"],
    }


class Extras(TypedDict):
    """What goes with the text of a message."""

    choices: list[dict[str, str]]
    attachments: list[dict[str, Any]]


def extras(reply: Reply) -> Extras:
    """A reply's buttons and files, as they are kept."""
    return {
        "choices": [{"id": c.id, "label": c.label} for c in reply.choices],
        "attachments": [asdict(a) for a in reply.attachments],
    }
