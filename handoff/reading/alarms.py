"""What somebody must see now: whose alarms they are, and that one of them was seen to."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, true, update

from bot.tables import chat, conversation, customer, ticket
from handoff.access import Actor, NotFound, audit, conversations, team_mates, tickets
from handoff.standards import MEASURED
from handoff.tables import agent, alarm, handover

SHOWN: Final = 100
OF_PROMISES: Final = tuple(f"{name}_{what}" for name in MEASURED for what in ("soon", "missed"))


def waiting(connection: Connection, actor: Actor) -> int:
    """How many alarms are for him."""
    its = select(func.count()).select_from(alarm).where(alarm.c.settled_at.is_(None), _his(connection, actor))
    return connection.scalar(its) or 0


def _his(connection: Connection, actor: Actor) -> ColumnElement[bool]:
    """An agent's own alarms; all of his team's, and of what his team may see, for whoever leads."""
    own = alarm.c.agent_id == actor.id
    if actor.sees_all:
        return true()
    if actor.role == "agent":
        return own
    seen = select(conversation.c.id).outerjoin(handover).where(conversations(connection, actor))
    mates = alarm.c.agent_id.in_(team_mates(connection, actor))
    work = select(ticket.c.id).where(tickets(connection, actor))
    return or_(own, mates, alarm.c.conversation_id.in_(seen), alarm.c.ticket_id.in_(work))


def unsettled(connection: Connection, actor: Actor) -> list[Any]:
    """His alarms that nobody has seen to, the newest first."""
    of = (conversation.c.number, conversation.c.owner, customer.c.name.label("customer_name"))
    work = (ticket.c.number.label("ticket"), ticket.c.closed_at, agent.c.name.label("agent_name"))
    its = select(alarm.c.id, alarm.c.at, alarm.c.kind, alarm.c.text, alarm.c.role, *of, *work)
    its = its.join(chat, chat.c.id == alarm.c.chat_id).join(customer, customer.c.id == chat.c.customer_id)
    its = its.outerjoin(conversation, conversation.c.id == alarm.c.conversation_id)
    its = its.outerjoin(agent, agent.c.id == alarm.c.agent_id).outerjoin(ticket, ticket.c.id == alarm.c.ticket_id)
    its = its.where(alarm.c.settled_at.is_(None), _his(connection, actor))
    return list(connection.execute(its.order_by(alarm.c.id.desc()).limit(SHOWN)))


def about(connection: Connection, actor: Actor, which: int) -> str:
    """The number of the ticket or conversation that one of his alarms is about; raises NotFound."""
    its = select(ticket.c.number, conversation.c.number.label("talk")).select_from(alarm)
    its = its.outerjoin(ticket, ticket.c.id == alarm.c.ticket_id)
    its = its.outerjoin(conversation, conversation.c.id == alarm.c.conversation_id)
    row = connection.execute(its.where(alarm.c.id == which, _his(connection, actor))).first()
    if row is None or not (row.number or row.talk):
        raise NotFound("there is no such alarm, or nothing in it to be taken")
    return str(row.number or row.talk)


def settle(connection: Connection, actor: Actor, which: int, *, taken: bool = False) -> None:
    """One of his alarms was seen to; ``taken``: what it is about is his now, so whatever else is told of the same
    promises is seen to as well. Raises NotFound."""
    its = alarm.c.settled_at.is_(None), _his(connection, actor)
    done = update(alarm).values({"settled_at": time.time(), "settled_by": actor.id})
    if not connection.execute(done.where(alarm.c.id == which, *its)).rowcount:
        raise NotFound("there is no such alarm, or it was seen to already")
    if taken:
        same = select(alarm.c.ticket_id, alarm.c.conversation_id).where(alarm.c.id == which)
        about = connection.execute(same).one()
        whole = alarm.c.ticket_id == about.ticket_id
        if about.ticket_id is None:
            whole = and_(alarm.c.ticket_id.is_(None), alarm.c.conversation_id == about.conversation_id)
        connection.execute(done.where(whole, alarm.c.kind.in_(OF_PROMISES), *its))
    audit(connection, actor, "alarm_settled", f"alarm:{which}")
