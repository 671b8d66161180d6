"""Record: one transaction holds all that came of the turns: events done, states, messages, tickets, ratings, timers, facts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, text, update

from bot.dialogue import Decision, Pending, Wait
from bot.effects import DROP, Rows, Said, Writer, set_timers
from bot.inbox import attachments
from bot.lanes import NEXT_READY, Lane
from bot.messages import Author, Kind
from bot.tables import chat, fact, inbox, message, reply, ticket_word

TOPIC = "aftercare"  # NOTIFY channel: which addresses have new messages
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
    .where(chat.c.id.in_(bindparam("ids", expanding=True)), chat.c.lease_holder == bindparam("holder"))
    .order_by(chat.c.id)
    .with_for_update()
)
STATE = (
    update(chat)
    .where(chat.c.id == bindparam("chat"))
    .values(
        talk=bindparam("new_talk"),
        message_seq=bindparam("new_seq"),
        lease_holder=None,
        lease_until=None,
        ready_at=NEXT_READY,
    )
)
EVENT = (
    update(inbox)
    .where(inbox.c.id == bindparam("event"))
    .values(
        state=bindparam("new_state"),
        outcome=bindparam("new_outcome"),
        turn_id=bindparam("turn"),
        attempts=bindparam("tries"),
        error=bindparam("new_error"),
        ready_at=bindparam("ready"),
        done_at=bindparam("done"),
        shown=bindparam("now_shown"),
    )
)
JOINED = (
    update(inbox)
    .where(inbox.c.id == bindparam("event"))
    .values(
        state="done", outcome=bindparam("new_outcome"), turn_id=bindparam("turn"), done_at=bindparam("done")
    )
)


def record(
    connection: Connection, outcomes: Sequence[Outcome], *, holder: str, now: float, shown: frozenset[str]
) -> list[Said]:
    """Write the outcomes whose lease still holds; returns what followers should see, once this is committed.

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
        _notify(connection, rows.said)
    return rows.said


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
            {"event": i, "new_outcome": spoken if i == turn else "merged", "turn": turn, "done": now} for i in gone
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
    lane.shown = True
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
        "new_state": state,
        "new_outcome": ending,
        "turn": (turn or lane.inbox_id) if state == "done" else None,
        "tries": lane.attempts,
        "new_error": outcome.error or None,
        "ready": outcome.retry_at or now,
        "done": now if finished else None,
        "now_shown": lane.shown,
    }


def _chat(lane: Lane, talk: Any) -> dict[str, Any]:
    return {"chat": lane.chat_id, "new_talk": talk.as_json(), "new_seq": lane.message_seq}


def _write(connection: Connection, rows: Rows, joined: list[dict[str, Any]]) -> None:
    for table, values in (
        (message, rows.messages),
        (reply, rows.replies),
        (fact, rows.facts),
        (ticket_word, rows.words),
    ):
        if values:
            connection.execute(insert(table), values)
    if rows.dropped:
        connection.execute(DROP, [{"of": subject, "what": kind} for subject, kind in sorted(rows.dropped)])
    if rows.timers:
        connection.execute(set_timers(connection), [rows.timers[key] for key in sorted(rows.timers)])
    if joined:
        connection.execute(JOINED, joined)
    if rows.events:
        connection.execute(EVENT, rows.events)
    if rows.chats:
        connection.execute(STATE, rows.chats)  # last: which event is next depends on the states above


def _notify(connection: Connection, said: Iterable[Said]) -> None:
    """Tell other processes which chats to look at; a payload too long says: look at all of yours."""
    places: dict[str, set[str]] = defaultdict(set)
    for one in said:
        places[one.channel].add(one.address)
    payload = json.dumps({c: sorted(a) for c, a in places.items()})
    payload = payload if len(payload) < NOTIFY_MOST else "{}"
    connection.execute(text("SELECT pg_notify(:topic, :payload)"), {"topic": TOPIC, "payload": payload})
