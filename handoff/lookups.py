"""How people, and what waits for them, look to a decision: read when it asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func, select

from bot.lanes import Lane, moment
from bot.tables import conversation, fact, ticket
from handoff.dialogue import AgentView, DeskView, HandoverView, PromiseView
from handoff.tables import agent, handover, promise

WORKING: Final = ("agent", "supervisor", "admin")  # roles that talk with customers
THERE: Final = ("online", "busy")  # presences of somebody who is in the house
GONE: Final = 120.0  # seconds without a sign of somebody after which he is not there, whatever he said
LATELY: Final = 3600.0  # seconds from which the pace is known …
FEW: Final = 3  # … if so many were served in them
SERVED: Final = 50  # the last ones that are looked at


def desk(connection: Connection, now: float) -> DeskView:
    """Whether anybody is there for one who would join the line now."""
    people = _people(connection, now)
    if not people:
        return DeskView()
    counts = select(handover.c.priority, func.count()).where(handover.c.waiting_since.is_not(None))
    waiting = connection.execute(counts.group_by(handover.c.priority)).all()
    before = [sum(n for priority, n in waiting if priority <= mine) for mine in range(3)]
    return _seen(connection, people, (before[0], before[1], before[2]), now)


def place(connection: Connection, number: str, now: float) -> DeskView | None:
    """How the desk looks to a conversation that waits already; None if it does not."""
    mine = select(handover).join(conversation, conversation.c.id == handover.c.conversation_id)
    row = connection.execute(mine.where(conversation.c.number == number, handover.c.waiting_since.is_not(None))).first()
    if row is None:
        return None
    earlier = (handover.c.priority < row.priority) | (
        (handover.c.priority == row.priority) & (handover.c.waiting_since < row.waiting_since)
    )
    ahead = connection.scalar(
        select(func.count()).select_from(handover).where(handover.c.waiting_since.is_not(None), earlier)
    )
    return _seen(connection, _people(connection, now), (ahead or 0,) * 3, now)


def presence(now: float) -> ColumnElement[str]:
    """Whether somebody is there, for a query on ``agent``: as he said, as long as his page or his deeds show it."""
    return case((agent.c.seen_at > now - GONE, agent.c.presence), else_="offline")


def _people(connection: Connection, now: float) -> list[Any]:
    """Everybody who works with customers, with his load."""
    owned = (
        select(conversation.c.agent_id, func.count().label("load"))
        .where(conversation.c.owner == "agent")
        .group_by(conversation.c.agent_id)
        .subquery()
    )
    columns = (agent.c.id, agent.c.capacity, agent.c.teams, presence(now).label("presence"))
    who = select(*columns, func.coalesce(owned.c.load, 0).label("load"))
    who = who.outerjoin(owned, owned.c.agent_id == agent.c.id)
    return list(connection.execute(who.where(agent.c.disabled_at.is_(None), agent.c.role.in_(WORKING))))


def _seen(connection: Connection, people: list[Any], ahead: tuple[int, int, int], now: float) -> DeskView:
    free = sum(max(0, one.capacity - one.load) for one in people if one.presence == "online")
    there = any(one.presence in THERE for one in people)
    return DeskView(bool(people), there, ahead, free, pace(connection, now) if there else None)


def pace(connection: Connection, now: float) -> float | None:
    """Seconds from one who was served to the next, as it was lately; None where too few were."""
    recent = (
        select(fact.c.at)
        .where(fact.c.kind == "served", fact.c.at > now - LATELY)
        .order_by(fact.c.at.desc())
        .limit(SERVED)
    )
    times = list(connection.scalars(recent))
    return (now - times[-1]) / len(times) if len(times) >= FEW else None


def agent_view(connection: Connection, which: str) -> AgentView | None:
    """Who this is; None for nobody, or somebody who may no longer act."""
    if not (which.isascii() and which.isdigit() and len(which) < 18):  # else it is no id a database knows
        return None
    row = connection.execute(select(agent).where(agent.c.id == int(which), agent.c.disabled_at.is_(None))).first()
    if row is None:
        return None
    return AgentView(row.id, row.name, row.role, row.presence, tuple(row.languages), tuple(row.teams))


def handover_view(connection: Connection, number: str) -> HandoverView | None:
    """What people were told of an open conversation."""
    its = select(handover).join(conversation, conversation.c.id == handover.c.conversation_id)
    row = connection.execute(its.where(conversation.c.number == number)).first()
    if row is None:
        return None
    since, until = row.waiting_since, row.snoozed_until
    return HandoverView(
        reason=row.reason,
        priority=row.priority,
        wants=row.wants,
        packet=row.packet,
        waiting_since=moment(since) if since is not None else None,
        snoozed_until=moment(until) if until is not None else None,
    )


def team_is_there(connection: Connection, team: str) -> bool:
    """Whether somebody of a team is in the house."""
    return any(team in one.teams for one in _people(connection, time.time()) if one.presence in THERE)


def team_has_members(connection: Connection, team: str) -> bool:
    """Whether anybody belongs to a team, in the house or not."""
    whose = select(agent.c.teams).where(agent.c.disabled_at.is_(None), agent.c.role.in_(WORKING))
    return any(team in teams for teams in connection.scalars(whose))


def promise_view(connection: Connection, lane: Lane, number: str) -> PromiseView | None:
    """One of the customer's own promises."""
    its = select(promise, ticket.c.number.label("about")).outerjoin(ticket, ticket.c.id == promise.c.ticket_id)
    row = connection.execute(its.where(promise.c.number == number, promise.c.customer_id == lane.customer_id)).first()
    if row is None:
        return None
    return PromiseView(number, row.agent_id, row.text, moment(row.due_at), row.state, row.about or "")


PEOPLE: Final[dict[str, Callable[[Connection, Lane, str], Any]]] = {
    "desk": lambda connection, _lane, _key: desk(connection, time.time()),
    "place": lambda connection, _lane, number: place(connection, number, time.time()),
    "handover": lambda connection, _lane, number: handover_view(connection, number),
    "agent": lambda connection, _lane, which: agent_view(connection, which),
    "promise": promise_view,
    "team": lambda connection, _lane, name: team_is_there(connection, name),
    "members": lambda connection, _lane, name: team_has_members(connection, name),
}
