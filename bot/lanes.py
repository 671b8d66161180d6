"""Lease the chats that have something waiting, and read what their turns need: one lane per chat, one event each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, literal_column, or_, select, update

from bot.among import among
from bot.bulk import Bulk, Query, Together
from bot.dialogue import ConversationView, Talk, TicketView
from bot.messages import Kind
from bot.tables import chat, conversation, customer, inbox, rating, ticket, timer

TICKETS_SHOWN = 20
FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2, 9998))  # a year is left for sums and zones


@dataclass(slots=True)
class Lane:
    """One leased chat and the event at its head."""

    chat_id: int
    channel: str
    address: str
    customer_id: int
    fence: int
    talk: Talk
    kept: Mapping[str, Any]  # the talk as it stands in the database
    message_seq: int
    customer: Mapping[str, Any]
    inbox_id: int
    seq: int
    kind: Kind
    body: Mapping[str, Any]
    attempts: int  # this one included
    shown: bool
    received_at: float
    until: float  # the lease
    broken: Exception | None = None  # something that it is made of cannot be read
    fault: str = "it never finished"  # why it is lost, if it is
    buried: bool = False  # given up: what is left is to say so
    stale: bool = False  # a timer that was moved or dropped after it fell due
    unreachable: bool = False  # the customer had blocked us, or left
    left: int | None = None  # messages that may still be sent, where a platform counts them
    open: ConversationView | None = None
    last: ConversationView | None = None
    tickets: list[TicketView] = field(default_factory=list)


WAITING = inbox.c.state == literal_column("'waiting'")  # in so many words, as the partial index has it
_waiting = select(inbox.c.id).where(inbox.c.chat_id == chat.c.id, WAITING)
_head = _waiting.order_by(inbox.c.priority, inbox.c.seq).limit(1).correlate(chat)

READY = Query(
    select(chat, customer.c.name.label("customer_name"), customer.c.tier, customer.c.known)
    .join(customer, customer.c.id == chat.c.customer_id)
    .where(
        chat.c.ready_at <= bindparam("now"), or_(chat.c.lease_until.is_(None), chat.c.lease_until <= bindparam("now"))
    )
    .order_by(chat.c.ready_at)
    .limit(bindparam("most"))
    .with_for_update(of=chat, skip_locked=True)
)
_first = inbox.alias()
HEADS = Query(
    select(_first, timer.c.due_at.label("timer_due"))
    .select_from(chat)
    .join(_first, _first.c.id == _head.scalar_subquery())
    .outerjoin(timer, and_(timer.c.id == _first.c.timer_id, timer.c.fired_at.is_(None)))
    .where(among(chat.c.id, "ids"))
)
LEASED = Bulk(
    {
        "chat": chat.c.id,
        "holder": chat.c.lease_holder,
        "until": chat.c.lease_until,
        "event": chat.c.trying,
        "tries": chat.c.tries,
    },
    lambda new: (
        update(chat)
        .where(chat.c.id == new["chat"])
        .values(lease_holder=new["holder"], lease_until=new["until"], fence=chat.c.fence + 1)
        .values(trying=new["event"], tries=new["tries"])
    ),
)
OVERTAKEN = Bulk(  # a command came before an event that had been tried: that keeps its count
    {"event": inbox.c.id, "tries": inbox.c.attempts},
    lambda new: (
        update(inbox).where(inbox.c.id == new["event"], WAITING).values(attempts=inbox.c.attempts + new["tries"])
    ),
)
TAKEN = Together(LEASED, OVERTAKEN)
NOT_YET = Bulk(
    {"chat": chat.c.id, "ready": chat.c.ready_at},
    lambda new: update(chat).where(chat.c.id == new["chat"]).values(ready_at=new["ready"]),
)
NEXT_READY = (
    select(inbox.c.ready_at)
    .where(inbox.c.chat_id == chat.c.id, WAITING)
    .order_by(inbox.c.priority, inbox.c.seq)
    .limit(1)
    .correlate(chat)
    .scalar_subquery()
)
NEXT = Query(
    select(func.min(chat.c.ready_at).label("ready_at")).where(
        chat.c.ready_at.is_not(None), chat.c.lease_holder.is_(None)
    )
)
_one = conversation.alias()
_none: ColumnElement[str] = literal_column("'none'")
_his = select(_one.c.id).where(_one.c.chat_id == chat.c.id).correlate(chat)
_here = _his.where(_one.c.owner != _none).scalar_subquery()  # in the words of the index of open ones
_last = _his.where(_one.c.owner == _none).order_by(_one.c.id.desc()).limit(1).scalar_subquery()
MATTERS = Query(
    select(conversation, rating.c.score, rating.c.created_at.label("rated_at"))
    .select_from(chat)
    .join(conversation, or_(conversation.c.id == _here, conversation.c.id == _last))
    .outerjoin(rating, and_(rating.c.conversation_id == conversation.c.id, rating.c.cycle == conversation.c.cycle))
    .where(among(chat.c.id, "ids"))
)
_nth = func.row_number().over(partition_by=ticket.c.customer_id, order_by=ticket.c.id.desc())
_newest = (
    select(ticket, _nth.label("nth")).where(among(ticket.c.customer_id, "ids"), ticket.c.closed_at.is_(None)).subquery()
)
TICKETS = Query(select(_newest).where(_newest.c.nth <= TICKETS_SHOWN).order_by(_newest.c.id.desc()))


def moment(seconds: float) -> datetime:
    """A stored time as the engine sees it: the nearest it can reckon with."""
    return datetime.fromtimestamp(min(LAST, max(FIRST, seconds)), UTC)  # in this order also of what is no number


def take(
    connection: Connection, *, holder: str, now: float, lease: float, most: int, retry: bool = False
) -> list[Lane]:
    """Lease up to ``most`` ready chats, count the attempt of each head event, and read their states.

    An event that was tried before may be the one that brings its neighbours down: it goes alone, when nothing else is
    ready or ``retry`` says that it is its turn.
    """
    ready = {row.id: row for row in READY(connection, now=now, most=most)}
    if not ready:
        return []
    heads = {row.chat_id: row for row in HEADS(connection, ids=list(ready))}
    _put_off(connection, [(i, heads[i].ready_at if i in heads else None) for i in ready], now)
    due = [heads[i] for i in ready if i in heads and heads[i].ready_at <= now]
    begun = {h.id: _begun(ready[h.chat_id], h) for h in due}
    fresh = [h for h in due if h.attempts + begun[h.id] == 0]
    tried = [h for h in due if h.attempts + begun[h.id] > 0]
    chosen = tried[:1] if tried and (retry or not fresh) else fresh
    if not chosen:
        return []
    mine = {"holder": holder, "until": now + lease}
    leases = [{**mine, "chat": h.chat_id, "event": h.id, "tries": begun[h.id] + 1} for h in chosen]
    homes = [home for h in chosen if (home := ready[h.chat_id]).trying not in (None, h.id)]
    TAKEN(connection, leases, [{"event": home.trying, "tries": home.tries} for home in homes])
    lanes = [_lane(ready[h.chat_id], h, begun[h.id], now + lease) for h in chosen]
    _matters(connection, {lane.chat_id: lane for lane in lanes})
    _tickets(connection, lanes)
    return lanes


def _begun(home: Any, head: Any) -> int:
    """How often the handling of the event has begun without an end: whoever held the lease has died of something."""
    return int(home.tries) if home.trying == head.id else 0


def _put_off(connection: Connection, heads: Iterable[tuple[int, float | None]], now: float) -> None:
    NOT_YET(connection, [{"chat": i, "ready": ready} for i, ready in heads if ready is None or ready > now])


def _lane(home: Any, head: Any, begun: int, until: float) -> Lane:
    lane = Lane(
        chat_id=home.id,
        channel=home.channel,
        address=home.address,
        customer_id=home.customer_id,
        fence=home.fence + 1,
        talk=Talk(),
        kept=home.talk,
        message_seq=home.message_seq,
        customer={},
        inbox_id=head.id,
        seq=head.seq,
        kind=Kind(head.kind),
        body=head.body,
        attempts=head.attempts + begun + 1,
        shown=head.shown,
        received_at=head.received_at,
        until=until,
        unreachable=home.unreachable,
    )
    try:
        lane.talk = Talk.from_json(home.talk)
        lane.customer = {**home.known, "name": home.customer_name, "tier": home.tier}
        lane.stale = lane.kind is Kind.TIMER and head.timer_due != head.body["extra"]["due"]
    except Exception as error:  # what cannot be read fails the event of its own lane, not the beat
        lane.broken = error
    return lane


def _matters(connection: Connection, lanes: Mapping[int, Lane]) -> None:
    for row in MATTERS(connection, ids=list(lanes)):
        lane = lanes[row.chat_id]
        try:
            if row.owner == "none":
                lane.last = view(row)
            else:
                lane.open = view(row)
        except Exception as error:
            lane.broken = error


def view(row: Any) -> ConversationView:
    """A conversation's row, with its rating in this cycle, as the engine may know it."""
    return ConversationView(
        id=row.id,
        number=row.number,
        owner=row.owner,
        epoch=row.epoch,
        cycle=row.cycle,
        opened_at=moment(row.opened_at),
        closed_at=moment(row.closed_at) if row.closed_at else None,
        answered=row.answered,
        agent=row.agent_id,
        served_by=row.served_by,
        rated=row.score,
        rated_at=moment(row.rated_at) if row.rated_at else None,
    )


def _tickets(connection: Connection, lanes: Iterable[Lane]) -> None:
    by_customer: dict[int, list[Lane]] = {}
    for lane in lanes:
        by_customer.setdefault(lane.customer_id, []).append(lane)
    for row in TICKETS(connection, ids=list(by_customer)):
        for lane in by_customer[row.customer_id]:
            try:
                lane.tickets.append(ticket_view(row))
            except Exception as error:
                lane.broken = error


def ticket_view(row: Any) -> TicketView:
    """A ticket's row as the engine may know it."""
    return TicketView(
        number=row.number,
        kind=row.kind,
        state=row.state,
        subject=row.subject,
        opened_at=moment(row.opened_at),
        due_at=moment(row.due_at),
        last_word=str(row.details.get("note", "")),
        ended_at=moment(ended) if (ended := row.resolved_at or row.closed_at) else None,
        agent=row.agent_id,
        id=row.id,
        follows=row.follows,
        priority=row.priority,
        clocks=row.clocks,
    )
