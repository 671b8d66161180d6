"""What is written of tickets and promises; every step of a ticket stands among its words."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from bot import dialogue as d
from bot.messages import Author
from bot.tables import ticket
from handoff.dialogue import EndPromise, MakePromise, MoveTicket, OwnTicket, PlanTicket, TicketWord
from handoff.leading import lead_of
from handoff.recording import write
from handoff.tables import agent, promise

if TYPE_CHECKING:
    from bot.effects import Writer

MINE = "agent"  # owner of a ticket that somebody sees to; else queue, or team:<name>


@write.register(d.OpenTicket)
def _(effect: d.OpenTicket, writer: Writer) -> None:
    who = _acting(writer, effect.agent)
    row = {
        "number": effect.number,
        "conversation_id": writer.conversation_id,
        "chat_id": writer.lane.chat_id,
        "customer_id": writer.lane.customer_id,
        "cause_inbox_id": writer.cause,
        "kind": effect.kind,
        "state": "assigned" if who else "new",
        "owner": MINE if who else "queue",
        "agent_id": who,
        "follows": _row(writer, effect.follows).id if effect.follows else None,
        "priority": effect.priority,
        "subject": effect.subject,
        "details": {**effect.details, "attachments": [asdict(a) for a in effect.attachments]},
        "due_at": effect.due_at.timestamp(),
        "opened_at": writer.now,
    }
    writer.connection.execute(insert(ticket).values(row))
    writer.fact("ticket", {"number": effect.number, "kind": effect.kind, "priority": effect.priority})


def _acting(writer: Writer, who: int | None) -> int | None:
    """The agent who is to see to a ticket, if he still may; else None."""
    if who is None:
        return None
    his = select(agent.c.id).where(agent.c.id == who, agent.c.disabled_at.is_(None))
    found: int | None = writer.connection.scalar(his.with_for_update(read=True))  # so he is until we are done
    return found


@write.register(d.AddToTicket)
def _(effect: d.AddToTicket, writer: Writer) -> None:
    files = [asdict(a) for a in effect.attachments]
    _word(writer, _row(writer, effect.number).id, "word", 0, effect.text, files)


@write.register(MoveTicket)
def _(effect: MoveTicket, writer: Writer) -> None:
    finished = effect.state in ("resolved", "closed")
    row = _row(writer, effect.number)
    values: dict[str, Any] = {
        "state": effect.state,
        "epoch": ticket.c.epoch + 1,
        "closed_at": writer.now if effect.state == "closed" else None,
        "resolved_at": (row.resolved_at or writer.now) if finished else None,
    }
    if effect.due_at:
        values["due_at"] = effect.due_at.timestamp()
    if effect.was == "closed" and row.agent_id and not _acting(writer, row.agent_id):
        values |= {"owner": "queue", "agent_id": None}
    if effect.text:
        values["details"] = {**row.details, "note": effect.text[:500]}
    moved = update(ticket).where(ticket.c.id == row.id, ticket.c.state == effect.was)
    if not writer.connection.execute(moved.values(**values)).rowcount:
        raise ValueError("the ticket was moved meanwhile")  # the event is tried again, on what is true now
    _word(writer, row.id, "move", effect.agent, f"{effect.state}\n{effect.text}".strip())
    writer.fact("ticket_moved", {"number": effect.number, "was": effect.was, "to": effect.state, "agent": effect.agent})


@write.register(OwnTicket)
def _(effect: OwnTicket, writer: Writer) -> None:
    row = _row(writer, effect.number)
    owner = MINE if effect.agent else f"team:{effect.team}" if effect.team else "queue"
    mine = update(ticket).where(ticket.c.id == row.id)
    writer.connection.execute(mine.values(owner=owner, agent_id=effect.agent, epoch=ticket.c.epoch + 1))
    writer.fact("ticket_owner", {"number": effect.number, "owner": owner, "agent": effect.agent})


@write.register(PlanTicket)
def _(effect: PlanTicket, writer: Writer) -> None:
    due = {"due_at": effect.due_at.timestamp()} if effect.due_at else {}
    mine = update(ticket).where(ticket.c.id == _row(writer, effect.number).id)
    writer.connection.execute(mine.values(clocks=dict(effect.clocks), **due))


@write.register(TicketWord)
def _(effect: TicketWord, writer: Writer) -> None:
    row, files = _row(writer, effect.number), [asdict(a) for a in effect.attachments]
    _word(writer, row.id, "remark" if effect.remark else "word", effect.agent, effect.text, files)
    if not effect.remark and effect.text:
        note = {**row.details, "note": effect.text[:500]}
        writer.connection.execute(update(ticket).where(ticket.c.id == row.id).values(details=note))


@write.register(MakePromise)
def _(effect: MakePromise, writer: Writer) -> None:
    lane = writer.lane
    named = select(promise.c.id).where(promise.c.number == effect.follows)
    row = {
        "number": effect.number,
        "conversation_id": writer.conversation_id,
        "ticket_id": _row(writer, effect.ticket).id if effect.ticket else None,
        "chat_id": lane.chat_id,
        "customer_id": lane.customer_id,
        "agent_id": _acting(writer, effect.agent) or lead_of(writer.connection, str(effect.agent)) or effect.agent,
        "text": effect.text,
        "due_at": effect.due_at.timestamp(),
        "follows": writer.connection.scalar(named) if effect.follows else None,
        "made_at": writer.now,
    }
    writer.connection.execute(insert(promise).values(row))
    writer.fact("promised", {"number": effect.number, "agent": effect.agent, "due_at": row["due_at"]})


@write.register(EndPromise)
def _(effect: EndPromise, writer: Writer) -> None:
    its = promise.c.number == effect.number, promise.c.customer_id == writer.lane.customer_id, promise.c.state == "open"
    ended = update(promise).where(*its).values(state=effect.state, proof=effect.proof, ended_at=writer.now)
    if not writer.connection.execute(ended).rowcount:
        raise ValueError("the promise has ended meanwhile")  # the event is tried again, on what is true now
    writer.fact("promise_ended", {"number": effect.number, "state": effect.state})


def _word(writer: Writer, which: int, kind: str, agent: int, text: str, files: Any = None) -> None:
    author = Author.AGENT if agent else Author.SYSTEM if kind == "move" else Author.CUSTOMER
    writer.rows.words.append(
        {
            "ticket_id": which,
            "author": author.value,
            "agent_id": agent or None,
            "kind": kind,
            "text": text,
            "attachments": files or None,
            "created_at": writer.now,
        }
    )


def _row(writer: Writer, number: str) -> Any:
    """The customer's own ticket. Raises ValueError for anybody else's."""
    its = ticket.c.number == number, ticket.c.customer_id == writer.lane.customer_id
    row = writer.connection.execute(select(ticket).where(*its).with_for_update(key_share=True)).first()
    if row is None:
        raise ValueError("a ticket that is not this customer's")
    return row
