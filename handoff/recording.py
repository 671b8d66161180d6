"""What each effect that concerns people writes: who has a conversation, what waits, tickets, alarms, notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, and_, func, insert, select, update

from bot import dialogue as d
from bot.bulk import insert as upsert
from bot.messages import Author
from bot.rows import CommandResult
from bot.tables import conversation, message, reply, ticket
from handoff.dialogue import Assign, Presence, Queue, Remark, Result, Settle, Snooze
from handoff.lookups import GONE
from handoff.tables import agent, alarm, handover, remark

if TYPE_CHECKING:
    from bot.effects import Writer

CLAIMED: Final = "claimed"  # reason of a hand-over that an agent began himself


def lock(connection: Connection, effects: Iterable[d.Effect]) -> None:
    """Take the rows of all agents a group's turns concern, in one order, so that two groups cannot wait in a ring."""
    if ids := sorted({e.agent for e in effects if isinstance(e, Assign | Presence)}):
        connection.execute(select(agent.c.id).where(agent.c.id.in_(ids)).order_by(agent.c.id).with_for_update())


def refused(writer: Writer, wanted: Assign) -> bool:
    """Whether the agent cannot take the conversation, seen under his lock; the reason is the command's result."""
    row = writer.connection.execute(select(agent).where(agent.c.id == wanted.agent)).first()
    told: dict[str, Any] = {}
    if row is None or row.disabled_at is not None:
        told = {"reason": "nobody"}
    elif wanted.within_capacity and (row.presence != "online" or (row.seen_at or 0.0) <= writer.now - GONE):
        told = {"reason": "away", "by": row.name}
    elif wanted.within_capacity and load(writer.connection, wanted.agent) >= row.capacity:
        told = {"reason": "busy", "by": row.name}
    elif here := writer.lane.open:
        its = select(conversation.c.epoch, agent.c.name).outerjoin(agent, agent.c.id == conversation.c.agent_id)
        now = writer.connection.execute(its.where(conversation.c.id == here.id)).one()
        if now.epoch != here.epoch:
            told = {"reason": "taken", "by": now.name or ""}
    if told:
        offered = {"offered": writer.open.number} if wanted.within_capacity and writer.open else {}
        write(Result(False, told | offered), writer)
    return bool(told)


def load(connection: Connection, which: int) -> int:
    """How many open conversations an agent has: always counted, never stored."""
    owned = select(func.count()).where(conversation.c.agent_id == which, conversation.c.owner == "agent")
    return connection.scalar(owned) or 0


def let_go(writer: Writer) -> None:
    """The open conversation leaves the queue, or its agent."""
    if writer.open and writer.open.owner != "bot":
        _change(writer, waiting_since=None, snoozed_until=None)
        writer.rows.moved = True


@singledispatch
def write(effect: d.Effect, writer: Writer) -> None:
    """Write an effect that concerns people. Raises TypeError for one that is none of ours."""
    raise TypeError(f"no such effect: {effect!r}")


@write.register(Assign)
def _(effect: Assign, writer: Writer) -> None:
    here = _open(writer)
    if here.owner == "queue":
        its = select(handover.c.waiting_since, handover.c.wants).where(handover.c.conversation_id == here.id)
        known = writer.connection.execute(its).first()
        since = known and (known.wants.get("queued") or known.waiting_since)  # an agent may have had it before
        writer.fact("served", {"agent": effect.agent, "waited": writer.now - since if since else None})
    let_go(writer)
    mine = {"owner": "agent", "agent_id": effect.agent, "served_by": effect.agent}
    writer.change(here.id, **mine, epoch=conversation.c.epoch + 1)
    row = {"conversation_id": here.id, "reason": CLAIMED, "priority": 2, "offered_at": writer.now}
    new = upsert(handover).values(row)
    writer.connection.execute(
        new.on_conflict_do_update(index_elements=["conversation_id"], set_={"offered_at": writer.now})
    )
    writer.withdrawn = _withdraw(writer)
    writer.fact("owner", {"owner": "agent", "agent": effect.agent, "was": here.owner, "withdrawn": writer.withdrawn})
    writer.open = replace(here, owner="agent", agent=effect.agent)


def _withdraw(writer: Writer) -> tuple[int, ...]:
    """Take back what the bot has said and nobody has begun to send; the messages' numbers."""
    lane = writer.lane
    its = message.c.chat_id == reply.c.chat_id, message.c.seq == reply.c.seq
    by_bot = select(message.c.seq).where(*its, message.c.author == Author.BOT.value).exists()
    due = reply.c.channel == lane.channel, reply.c.address == lane.address, reply.c.due_at.is_not(None)
    gone = update(reply).where(*due, reply.c.state == "waiting", reply.c.chat_id == lane.chat_id)
    gone = gone.where(by_bot).values(state="withdrawn", due_at=None).returning(reply.c.seq)
    return tuple(sorted(set(writer.connection.scalars(gone))))


@write.register(Queue)
def _(effect: Queue, writer: Writer) -> None:
    here = _open(writer)
    old = writer.connection.execute(select(handover).where(handover.c.conversation_id == here.id)).first()
    since = effect.since.timestamp() if effect.since else (old and old.waiting_since) or writer.now
    row = {
        "reason": effect.reason,
        "priority": effect.priority,
        "wants": dict(effect.wants),
        "packet": dict(effect.packet) or (old.packet if old else {}),
        "waiting_since": since,
        "offered_at": None,
        "snoozed_until": None,
    }
    new = upsert(handover).values(conversation_id=here.id, **row)
    writer.connection.execute(new.on_conflict_do_update(index_elements=["conversation_id"], set_=row))
    if here.owner != "queue":
        writer.change(here.id, owner="queue", agent_id=None, epoch=conversation.c.epoch + 1)
        writer.fact("owner", {"owner": "queue", "reason": effect.reason, "was": here.owner, "agent": here.agent})
    writer.open = replace(here, owner="queue", agent=None)
    writer.rows.moved = True


@write.register(Remark)
def _(effect: Remark, writer: Writer) -> None:
    here = writer.open or writer.lane.last
    if here is None:
        raise ValueError("a note, but there is no conversation")
    row = {
        "conversation_id": here.id,
        "agent_id": effect.agent,
        "text": effect.text,
        "attachments": [asdict(a) for a in effect.attachments] or None,
        "created_at": writer.now,
    }
    writer.connection.execute(insert(remark).values(row))


@write.register(Snooze)
def _(effect: Snooze, writer: Writer) -> None:
    _change(writer, snoozed_until=effect.until.timestamp() if effect.until else None)


@write.register(Presence)
def _(effect: Presence, writer: Writer) -> None:
    mine = update(agent).where(agent.c.id == effect.agent, agent.c.presence != "offline")
    writer.connection.execute(mine.values(presence=effect.presence))
    writer.fact("presence", {"agent": effect.agent, "presence": effect.presence})


@write.register(Result)
def _(effect: Result, writer: Writer) -> None:
    lane, data = writer.lane, dict(effect.data)
    if writer.withdrawn:
        data["withdrawn"] = list(writer.withdrawn)
    writer.rows.results.append(CommandResult(lane.inbox_id, lane.chat_id, lane.seq, effect.done, data))
    lost = not effect.done and effect.data.get("reason") != "gone"  # what is gone waits for nobody else
    writer.rows.moved = writer.rows.moved or lost


@write.register(d.Alarm)
def _(effect: d.Alarm, writer: Writer) -> None:
    owner = writer.open.agent if writer.open else None
    row = {
        "at": writer.now,
        "kind": effect.kind,
        "chat_id": writer.lane.chat_id,
        "conversation_id": writer.conversation_id,
        "agent_id": effect.agent or (None if effect.role or effect.ticket else owner),
        "text": effect.text,
        "role": effect.role,
        "ticket_id": _ticket(writer, effect.ticket),
    }
    writer.connection.execute(insert(alarm).values(row))
    writer.fact("alarm", {"kind": effect.kind, "text": effect.text})


@write.register(Settle)
def _(effect: Settle, writer: Writer) -> None:
    if effect.ticket:
        about = alarm.c.ticket_id == _ticket(writer, effect.ticket)
    else:
        about = and_(alarm.c.ticket_id.is_(None), alarm.c.conversation_id == writer.conversation_id)
    done = update(alarm).where(about, alarm.c.kind.in_(effect.kinds), alarm.c.settled_at.is_(None))
    writer.connection.execute(done.values(settled_at=writer.now))


def _ticket(writer: Writer, number: str) -> int | None:
    mine = ticket.c.number == number, ticket.c.customer_id == writer.lane.customer_id
    return writer.connection.scalar(select(ticket.c.id).where(*mine)) if number else None


def _open(writer: Writer) -> d.ConversationView:
    if writer.open is None:
        raise ValueError("people are given a conversation, but none is open")
    return writer.open


def _change(writer: Writer, **values: Any) -> None:
    if writer.open:
        its = update(handover).where(handover.c.conversation_id == writer.open.id)
        writer.connection.execute(its.values(**values))
