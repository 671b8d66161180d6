"""Record: one transaction holds all that came of the turns: events done, states, messages, tickets, timers, facts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from bot.among import among
from bot.bulk import Query
from bot.dialogue import AddToTicket, Alarm, Decision, Learn, OpenTicket, Pending, Rate, Wait
from bot.effects import Writer
from bot.inbox import attachments
from bot.lanes import Lane
from bot.messages import Author, Kind, Reply
from bot.rows import Rows, Said
from bot.tables import chat, customer
from handoff.dialogue import EndPromise, MakePromise, MoveTicket, OwnTicket, PlanTicket, TicketWord
from handoff.recording import lock, write

HIS_OWN = frozenset({Kind.TEXT, Kind.CHOICE, Kind.EDIT, Kind.HELLO})  # events by which a customer shows himself
NOTIFY_MOST = 7000  # characters of one payload; PostgreSQL refuses 8000


@dataclass(slots=True)
class Outcome:
    """What came of a leased event: a decision, a wait for more words, or an error (``dead``: it was the last try)."""

    lane: Lane
    decision: Decision | None = None
    parts: tuple[
        tuple[Reply, ...], ...
    ] = ()  # of each thing said, what is to be sent; () = the channel shows it itself
    wait: Wait | None = None
    error: str = ""
    retry_at: float = 0.0
    dead: bool = False
    wordless: bool = False  # not even the customer's words could be written: the less is written now, the better


LOCK = Query(
    select(chat.c.id, chat.c.fence, chat.c.message_seq)
    .where(among(chat.c.id, "ids"), chat.c.lease_holder == bindparam("holder"))
    .order_by(chat.c.id)
    .with_for_update()
)
CUSTOMERS = Query(  # so that it does not lock out those who only refer to them
    select(customer.c.id).where(among(customer.c.id, "ids")).order_by(customer.c.id).with_for_update(key_share=True)
)
PROMISES = (MakePromise, EndPromise)
CHANGING = (Learn, OpenTicket, AddToTicket, Rate, MoveTicket, OwnTicket, PlanTicket, TicketWord, *PROMISES)


def record(connection: Connection, outcomes: Sequence[Outcome], *, holder: str, now: float) -> Rows:
    """Write the outcomes whose lease still holds; returns what was written, to be told once this is committed."""
    fences = {row.id: row for row in LOCK(connection, ids=[o.lane.chat_id for o in outcomes], holder=holder)}
    rows = Rows()
    _lock(connection, outcomes)
    lock(connection, (e for o in outcomes if o.decision for e in o.decision.effects))
    for outcome in sorted(outcomes, key=lambda o: o.lane.chat_id):
        mine = fences.get(outcome.lane.chat_id)
        if mine is None or mine.fence != outcome.lane.fence:
            continue  # somebody else has the chat now; he starts from what is committed
        outcome.lane.message_seq = mine.message_seq
        _one(connection, outcome, rows, now)
    shared = connection.dialect.name == "postgresql" and rows.said
    rows.write(connection, _told(rows.said, holder) if shared else "")
    return rows


def _lock(connection: Connection, outcomes: Iterable[Outcome]) -> None:
    """Take the rows of all customers of whom the turns change something, in one order: a customer may have several
    chats, and two groups would wait in a ring for what is his."""
    ids = {o.lane.customer_id for o in outcomes if _changes(o)}
    if ids and connection.dialect.name == "postgresql":
        CUSTOMERS(connection, ids=sorted(ids))


def _changes(outcome: Outcome) -> bool:
    effects = outcome.decision.effects if outcome.decision else ()
    return any(isinstance(e, CHANGING) for e in effects) or bool(_name(outcome.lane) and not outcome.wordless)


def _one(connection: Connection, outcome: Outcome, rows: Rows, now: float) -> None:
    """Add one outcome to the rows."""
    lane = outcome.lane
    if outcome.error and not outcome.dead:
        rows.events.append(_event(outcome, "waiting", None, now))
        rows.chats.append({"chat": lane.chat_id, "talk": lane.kept, "seq": lane.message_seq})
        return
    writer = Writer(connection, lane, rows, now)
    if lane.kind in HIS_OWN and not outcome.wordless:
        writer.unreachable = False
        _met(connection, lane)
    words = None if outcome.wordless else _show(lane, writer)
    if outcome.wait is not None:
        _wait(outcome.wait, lane, rows, writer, now)
        return
    replied = outcome.decision is not None and _decided(outcome.decision, outcome, rows, writer, now)
    if words is not None:
        words["conversation_id"] = writer.conversation_id  # it may have opened the conversation
    ending = {Kind.TIMER: "timer", Kind.COMMAND: "command"}.get(lane.kind, "replied" if replied else "silent")
    if outcome.dead:
        if outcome.decision is None:
            writer.put_off()
            if not outcome.wordless:  # nobody has been called, nor told: somebody must see it
                write(Alarm("event_failed"), writer)
        rows.events.append(_event(outcome, "dead", None, now))
    else:
        rows.events.append(_event(outcome, "done", ending, now, turn=writer.cause))
    rows.chats.append(_chat(lane, outcome.decision.talk if outcome.decision and not writer.lost else lane.talk))


def _met(connection: Connection, lane: Lane) -> None:
    """The customer has shown himself: he can be reached, and may tell his name for the first time."""
    if lane.unreachable:
        connection.execute(update(chat).where(chat.c.id == lane.chat_id).values(unreachable=False))
    if name := _name(lane):
        nameless = customer.c.id == lane.customer_id, customer.c.name == ""
        connection.execute(update(customer).where(*nameless).values(name=name[:200]))


def _name(lane: Lane) -> str:
    """The name that the customer tells for the first time."""
    known = lane.kind not in HIS_OWN or lane.customer.get("name")
    return "" if known else str(lane.body.get("name", ""))


def _decided(decision: Decision, outcome: Outcome, rows: Rows, writer: Writer, now: float) -> bool:
    """Write a decision's effects and finish the words that waited for it; True if anything was said."""
    lane = outcome.lane
    kept = {p.inbox_id for p in decision.talk.pending}
    gone = [p.inbox_id for p in lane.talk.pending if p.inbox_id not in kept]
    if gone and lane.kind is Kind.TIMER:
        writer.cause = gone[-1]  # the timer only set it off; the turn is that of the words it waited with
    replied = writer.apply(decision.effects, outcome.parts)
    if lane.talk.pending and writer.conversation_id != (lane.open.id if lane.open else None):
        its = {"place": lane.chat_id, "its": writer.conversation_id}  # opened just now: what waited belongs to it
        rows.belonging += [{**its, "heard": p.inbox_id} for p in lane.talk.pending]
    if gone and not decision.talk.pending:
        writer.drop_timer("burst", f"chat:{lane.chat_id}")
    spoken = "replied" if replied else "silent"
    end: dict[str, Any]
    for words in gone:
        if outcome.dead:  # its turn has not been handled, so nor have they
            end = {"state": "dead", "error": outcome.error, "outcome": None, "turn_id": None}
        else:
            ending = spoken if words == writer.cause else "merged"
            end = {"state": "done", "error": None, "outcome": ending, "turn_id": writer.cause}
        rows.joined.append({"event": words, "done_at": now, **end})
    return replied


def _show(lane: Lane, writer: Writer) -> dict[str, Any] | None:
    """The customer's words or button become a message of the chat, once; an edit changes the one it is of."""
    words, extra = str(lane.body.get("text", "")), lane.body.get("extra", {})
    if lane.kind is Kind.EDIT:
        writer.edit(str(lane.body.get("native", "")), words, deleted=bool(extra.get("deleted")))
    by_agent = lane.kind is Kind.NOTICE and extra.get("notice") == "agent"  # one of the platform's own people
    if lane.shown or not (by_agent or lane.kind in (Kind.TEXT, Kind.CHOICE)):
        return None
    author = Author.AGENT if by_agent else Author.CUSTOMER
    if lane.kind is Kind.CHOICE and "form" not in extra:
        choice = str(lane.body.get("choice", ""))
        words = dict(lane.talk.offered).get(choice, words or choice)
    files = [asdict(a) for a in attachments(lane.body)]
    return writer.message(author, words, native=str(lane.body.get("native", "")), attachments=files)


def _wait(wait: Wait, lane: Lane, rows: Rows, writer: Writer, now: float) -> None:
    native = str(lane.body.get("native", ""))
    words = Pending(lane.inbox_id, str(lane.body.get("text", "")), attachments(lane.body), native)
    writer.set_timer("burst", f"chat:{lane.chat_id}", wait.until.timestamp(), {})
    rows.events.append(_event(Outcome(lane), "taken", None, now))
    rows.chats.append(_chat(lane, lane.talk.but(pending=(*lane.talk.pending, words))))


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
        "shown": lane.shown or not (state == "waiting" or outcome.wordless),  # the lane stays as read
    }


def _chat(lane: Lane, talk: Any) -> dict[str, Any]:
    return {"chat": lane.chat_id, "talk": talk.as_json(), "seq": lane.message_seq}


def _told(said: Iterable[Said], holder: str) -> str:
    """Tells other processes which chats to look at; a payload too long says: look at all of yours."""
    places: dict[str, dict[str, int]] = defaultdict(dict)  # channel -> address -> the first message's seq
    for one in said:
        places[one.channel].setdefault(one.address, one.seq)
    payload = json.dumps({"from": holder, "at": places})
    return payload if len(payload) < NOTIFY_MOST else json.dumps({"from": holder, "at": {}})
