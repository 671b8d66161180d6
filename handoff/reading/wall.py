"""The queue wall's figures: what waits, for how long, who is there, and how the standards stand."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import Connection, and_, case, func, select

from bot.tables import conversation, rating, timer
from handoff.agents import Actor, conversations
from handoff.reading import lists, talks
from handoff.tables import handover

DAY: Final = 86400.0  # seconds that "today's" figures look back
SOON: Final = 300.0  # seconds before a deadline in which it is at risk


def figures(connection: Connection, actor: Actor) -> dict[str, Any]:
    """What the actor's part of the house looks like now."""
    now = time.time()
    seen = conversations(connection, actor)
    counted = select(
        func.count(case((conversation.c.owner == "queue", 1))).label("waiting"),
        func.count(case((conversation.c.owner == "agent", 1))).label("working"),
        func.count(case((conversation.c.owner == "bot", 1))).label("bot"),
        func.min(case((conversation.c.owner == "queue", handover.c.waiting_since))).label("since"),
    )
    open_ones = counted.select_from(conversation.outerjoin(handover)).where(conversation.c.owner != "none", seen)
    people = [one for one in talks.colleagues(connection) if actor.sees_all or actor.teams & set(one.teams)]
    due = and_(timer.c.fired_at.is_(None), timer.c.kind.in_(lists.STANDARDS))
    standing = select(
        func.count(case((timer.c.due_at < now, 1))).label("late"),
        func.count(case((and_(timer.c.due_at >= now, timer.c.due_at < now + SOON), 1))).label("soon"),
        func.count(case((timer.c.due_at >= now + SOON, 1))).label("well"),
    )
    rated = select(func.avg(rating.c.score), func.count()).where(rating.c.created_at > now - DAY)
    return {
        "totals": connection.execute(open_ones).one(),
        "standing": connection.execute(standing.where(due)).one(),
        "rated": connection.execute(rated).one(),
        "people": people,
        "there": sum(one.presence == "online" for one in people),
        "room": sum(max(0, one.capacity - one.load) for one in people if one.presence == "online"),
        "line": lists.inbox(connection, actor, "queue"),
    }
