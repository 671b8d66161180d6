"""The queue wall's figures: what waits, for how long, who is there, and how the standards stand."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, true, union_all

from bot.tables import conversation, fact, rating, ticket, timer
from handoff.access import Actor, conversations, team_mates, tickets
from handoff.reading import lists, talks
from handoff.standards import MEASURED
from handoff.tables import handover

DAY: Final = 86400.0  # seconds that "today's" figures look back
EARLY: Final = 0.5  # of the time that was promised: who needs no more has done better than promised


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
    rated = select(func.avg(rating.c.score), func.count()).where(rating.c.created_at > now - DAY)
    return {
        "totals": connection.execute(open_ones).one(),
        "standing": _standing(connection, actor, now),
        "kept": _kept(connection, actor, now),
        "rated": connection.execute(rated).one(),
        "people": people,
        "there": sum(one.presence == "online" for one in people),
        "room": sum(max(0, one.capacity - one.load) for one in people if one.presence == "online"),
        "line": lists.inbox(connection, actor, "queue"),
    }


def _standing(connection: Connection, actor: Actor, now: float) -> Any:
    """How many clocks run that are late, at risk (somebody was warned), and well."""
    late, warned = lists.due_at < now, lists.warned > 0
    counts = select(
        func.count(case((late, 1))).label("late"),
        func.count(case((and_(~late, warned), 1))).label("soon"),
        func.count(case((and_(~late, ~warned), 1))).label("well"),
    )
    running = timer.c.fired_at.is_(None), timer.c.kind.in_(MEASURED)
    return connection.execute(counts.where(*running, _watched(connection, actor))).one()


def _watched(connection: Connection, actor: Actor) -> ColumnElement[bool]:
    """The timers of what he may see."""
    if actor.sees_all:
        return true()
    talk = select("conversation:" + conversation.c.number).outerjoin(handover)
    work = select("ticket:" + ticket.c.number).where(ticket.c.closed_at.is_(None), tickets(connection, actor))
    mine = conversation.c.owner != "none", conversations(connection, actor)
    return timer.c.subject.in_(union_all(talk.where(*mine), work))


def _kept(connection: Connection, actor: Actor, now: float) -> Any:
    """What was promised and met lately, in half the time even, and missed."""
    met = fact.c.kind == "standard_met"
    early = fact.c.data["took"].as_float() <= EARLY * fact.c.data["promised"].as_float()
    counts = select(
        func.count(case((met, 1))).label("met"),
        func.count(case((and_(met, early), 1))).label("early"),
        func.count(case((~met, 1))).label("missed"),
    )
    lately = fact.c.kind.in_(("standard_met", "standard_missed")), fact.c.at > now - DAY
    his = true() if actor.sees_all else fact.c.data["agent"].as_integer().in_(team_mates(connection, actor))
    return connection.execute(counts.where(*lately, his)).one()
