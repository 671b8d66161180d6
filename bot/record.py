"""Record: one transaction holds all that came of the turns: events done, states, messages, tickets, timers, facts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, text, update

from bot.bulk import Bulk, among, inserts
from bot.dialogue import Decision, Pending, Wait
from bot.effects import ANSWERED, DROPPED, TIMERS, Rows, Said, Writer
from bot.inbox import attachments
from bot.lanes import NEXT_READY, Lane
from bot.messages import Author, Kind
from bot.tables import chat, fact, inbox, message, reply, ticket_word

TOPIC = "aftercare"  # NOTIFY channel: which addresses have new messages
NOTIFY = text(f"SELECT pg_notify('{TOPIC}', :payload)")
NOTIFY_MOST = 7000  # characters of one payload; PostgreSQL refuses 8000


@dataclass(slots=True)
class Outcome:
    """What came of a leased event: a decision, a wait for more words, or an error (``dead``: it was the last try)."""

    lane: Lane
    decision: Decision | None = None
    wait: Wait | None = None
    error: str = ""
    retry_at: float = 0.0
    dead: bool = False


LOCK = (
    select(chat.c.id, chat.c.fence, chat.c.message_seq)
    .where(among(chat.c.id, "ids"), chat.c.lease_holder == bindparam("holder"))
    .order_by(chat.c.id)
    .with_for_update()
)
STATES = Bulk(
    {"chat": chat.c.id, "talk": chat.c.talk, "seq": chat.c.message_seq},
    lambda new: (
        update(chat)
        .where(chat.c.id == new["chat"])
        .values(
            talk=new["talk"], message_seq=new["seq"], lease_holder=None, lease_until=None, ready_at=NEXT_READY
        )
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
JOIN = {name: EVENT[name] for name in ("state", "outcome", "turn_id", "done_at")}
JOINED = Bulk(
    {"event": inbox.c.id, **JOIN},
    lambda new: update(inbox).where(inbox.c.id == new["event"]).values({name: new[name] for name in JOIN}),
)
MESSAGES = inserts(
    message, "chat_id seq conversation_id author native text choices attachments why inbox_id created_at"
)
REPLIES = inserts(reply, "chat_id seq part_no cause_inbox_id channel address body state due_at created_at")
FACTS = inserts(fact, "at kind chat_id conversation_id customer_id inbox_id data")
WORDS = inserts(ticket_word, "ticket_id author text attachments created_at")


def record(
    connection: Connection, outcomes: Sequence[Outcome], *, holder: str, now: float, shown: frozenset[str]
) -> Rows:
    """Write the outcomes whose lease still holds; returns what was written, to be told once this is committed.

    ``shown``: channels that show messages from the database themselves (the web), so that nothing is to be sent.
    """
    fences = {row.id: row for row in connection.execute(LOCK, {"ids": [o.lane.chat_id for o in outcomes], "holder": holder})}
    rows, joined = Rows(), []
    for outcome in sorted(outcomes, key=lambda o: o.lane.chat_id):
        mine = fences.get(outcome.lane.chat_id)
        if mine is None or mine.fence != outcome.lane.fence:
            continue  # somebody else has the chat now; he starts from what is committed
        outcome.lane.message_seq = mine.message_seq
        joined += _one(connection, outcome, rows, now, shown)
    _write(connection, rows, joined)
    if connection.dialect.name == "postgresql" and rows.said:
        _notify(connection, rows.said, holder)
    return rows


def _one(
    connection: Connection, outcome: Outcome, rows: Rows, now: float, shown: frozenset[str]
) -> list[dict[str, Any]]:
    """Add one outcome to the rows; returns the events of the burst that it completes."""
    lane = outcome.lane
    if outcome.error and not outcome.dead:
        rows.events.append(_event(outcome, "waiting", None, now))
        rows.chats.append(_chat(lane, lane.talk))
        return []
    writer = Writer(connection, lane, rows, now, shown)
    customer_words = _show(lane, rows, writer)
    if outcome.wait is not None:
        return _wait(outcome.wait, lane, rows, writer, now)
    talk, joined, turn = lane.talk, [], lane.inbox_id
    replied = False
    if outcome.decision is not None:
        talk = outcome.decision.talk
        gone = [p.inbox_id for p in lane.talk.pending if p not in talk.pending]
        if gone and lane.kind is Kind.TIMER:
            turn = gone[-1]  # the timer only set it off; the turn is that of the words it waited with
        writer.cause = turn
        replied = writer.apply(outcome.decision.effects)
        if gone and not talk.pending:
            writer.drop_timer("burst", f"chat:{lane.chat_id}")
        spoken = "replied" if replied else "silent"
        joined = [
            {
                "event": i,
                "state": "done",
                "outcome": spoken if i == turn else "merged",
                "turn_id": turn,
                "done_at": now,
            }
            for i in gone
        ]
    if customer_words is not None:
        customer_words["conversation_id"] = writer.conversation_id
    kinds = {Kind.TIMER: "timer", Kind.COMMAND: "command"}
    state, ending = ("dead", None) if outcome.dead else ("done", kinds.get(lane.kind, "replied" if replied else "silent"))
    rows.events.append(_event(outcome, state, ending, now, turn=turn))
    rows.chats.append(_chat(lane, talk))
    return joined


def _show(lane: Lane, rows: Rows, writer: Writer) -> dict[str, Any] | None:
    """The customer's words or button become a message of the chat, once."""
    if lane.shown or lane.kind not in (Kind.TEXT, Kind.CHOICE):
        return None
    words = str(lane.body.get("text", ""))
    if lane.kind is Kind.CHOICE:
        choice = str(lane.body.get("choice", ""))
        words = dict(lane.talk.offered).get(choice, words or choice)
    files = [asdict(a) for a in attachments(lane.body)]
    return writer.message(Author.CUSTOMER, words, native=str(lane.body.get("native", "")), attachments=files)


def _wait(wait: Wait, lane: Lane, rows: Rows, writer: Writer, now: float) -> list[dict[str, Any]]:
    words = Pending(lane.inbox_id, str(lane.body.get("text", "")), attachments(lane.body))
    writer.set_timer("burst", f"chat:{lane.chat_id}", wait.until.timestamp(), {})
    rows.events.append(_event(Outcome(lane), "taken", None, now))
    rows.chats.append(_chat(lane, lane.talk.but(pending=(*lane.talk.pending, words))))
    return []


def _event(outcome: Outcome, state: str, ending: str | None, now: float, turn: int | None = None) -> dict[str, Any]:
    lane, finished = outcome.lane, state in ("done", "dead")
    return {
        "event": lane.inbox_id,
        "state": state,
        "outcome": ending,
        "turn_id": (turn or lane.inbox_id) if state == "done" else None,
        "attempts": lane.attempts,
        "error": outcome.error or None,
        "ready_at": outcome.retry_at or now,
        "done_at": now if finished else None,
        "shown": lane.shown or state != "waiting",  # the lane itself stays as read: this may be rolled back
    }


def _chat(lane: Lane, talk: Any) -> dict[str, Any]:
    return {"chat": lane.chat_id, "talk": talk.as_json(), "seq": lane.message_seq}


def _write(connection: Connection, rows: Rows, joined: list[dict[str, Any]]) -> None:
    MESSAGES(connection, rows.messages)
    REPLIES(connection, rows.replies)
    FACTS(connection, rows.facts)
    WORDS(connection, rows.words)
    ANSWERED(connection, rows.answered)
    DROPPED(connection, [{"of": subject, "what": kind} for subject, kind in sorted(rows.dropped)])
    TIMERS(connection, [rows.timers[key] for key in sorted(rows.timers)])
    JOINED(connection, joined)
    EVENTS(connection, rows.events)
    STATES(connection, rows.chats)  # last: which event is next depends on the states above


def _notify(connection: Connection, said: Iterable[Said], holder: str) -> None:
    """Tell other processes which chats to look at; a payload too long says: look at all of yours."""
    places: dict[str, set[str]] = defaultdict(set)
    for one in said:
        places[one.channel].add(one.address)
    payload = json.dumps({"from": holder, "at": {channel: sorted(addresses) for channel, addresses in places.items()}})
    payload = payload if len(payload) < NOTIFY_MOST else json.dumps({"from": holder, "at": {}})
    connection.execute(NOTIFY, {"payload": payload})
