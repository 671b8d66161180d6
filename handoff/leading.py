"""Who leads whom, and keeps what somebody has promised who may no longer act."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from bot.tables import ticket
from handoff.lookups import THERE, presence
from handoff.tables import agent, alarm, promise

LEADS: Final = ("supervisor", "admin")


def lead_of(connection: Connection, which: str) -> int | None:
    """Who leads whoever this is (an agent's id, or ""): a supervisor of his team, else of the whole house, else an
    admin; rather somebody who is there and has few tickets. None if nobody else leads."""
    teams = connection.scalar(select(agent.c.teams).where(agent.c.id == int(which))) if which.isdigit() else ()
    work = select(func.count()).where(ticket.c.agent_id == agent.c.id, ticket.c.closed_at.is_(None)).correlate(agent)
    columns = (agent.c.id, agent.c.role, agent.c.teams, presence(time.time()).label("presence"))
    leads = select(*columns, work.scalar_subquery().label("work"))
    leads = leads.where(agent.c.role.in_(LEADS), agent.c.disabled_at.is_(None))

    def fitness(one: Any) -> tuple[Any, ...]:
        near = 0 if set(one.teams) & set(teams or ()) else 1 if not one.teams else 2
        return near == 2, one.role == "admin", near, one.presence not in THERE, one.work, one.id

    found = [one for one in connection.execute(leads) if str(one.id) != which]
    return min(found, key=fitness).id if found else None


def pass_promises_on(connection: Connection, which: int, now: float) -> None:
    """His open promises become those of whoever leads him, who is told of each. Part of the caller's transaction, which
    disables him."""
    open_ones = promise.c.agent_id == which, promise.c.state == "open"
    rows = connection.execute(select(promise).where(*open_ones).order_by(promise.c.id)).all()
    to = lead_of(connection, str(which)) if rows else None
    if to is None:
        return
    connection.execute(update(promise).where(promise.c.id.in_([row.id for row in rows])).values(agent_id=to))
    told = {"at": now, "kind": "promise_passed", "agent_id": to}
    of = ("chat_id", "conversation_id", "ticket_id", "text")
    connection.execute(insert(alarm), [{**told, **{name: getattr(row, name) for name in of}} for row in rows])
