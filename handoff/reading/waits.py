"""How much waits for whom, for the lists' tabs and the badges: read for many people at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, case, func, select

from bot.tables import chat, conversation
from handoff.access import Actor, wanted
from handoff.reading import alarms
from handoff.reading.lists import unread
from handoff.tables import agent, alarm, handover


def counts(connection: Connection, actors: Collection[Actor]) -> dict[Actor, dict[str, int]]:
    """How many conversations each has, how many of them are unread, how many wait, how many his team has, the newest
    that waits, and how many alarms are for him. What is the same for several is read once, from small indices."""
    if not actors:
        return {}
    own, held, people = _own(connection, actors), _held(connection), _teams(connection)
    waiting: dict[Any, dict[str, int]] = {}
    rung = _rung(connection, actors)
    found = {}
    for actor in actors:
        scope = "all" if actor.sees_all else actor.teams
        if scope not in waiting:
            waiting[scope] = _waiting(connection, actor)
        mates = (id for id, teams in people.items() if (actor.teams & teams if actor.teams else not teams))
        team = sum(held[id] for id in mates if id != actor.id)
        found[actor] = {**own.get(actor.id, {"mine": 0, "unread": 0}), **waiting[scope], "team": team}
        found[actor]["alarms"] = rung[actor]
    return found


def _own(connection: Connection, actors: Collection[Actor]) -> dict[int, dict[str, int]]:
    owned = conversation.join(chat, chat.c.id == conversation.c.chat_id)
    new = func.count(case((unread(conversation.c.agent_id), 1))).label("unread")
    query = select(conversation.c.agent_id, func.count().label("mine"), new).select_from(owned)
    query = query.where(conversation.c.owner == "agent", conversation.c.agent_id.in_({actor.id for actor in actors}))
    rows = connection.execute(query.group_by(conversation.c.agent_id))
    return {row.agent_id: {"mine": row.mine, "unread": row.unread} for row in rows}


def _held(connection: Connection) -> Counter[int]:
    query = select(conversation.c.agent_id, func.count()).where(conversation.c.owner == "agent")
    return Counter({row[0]: row[1] for row in connection.execute(query.group_by(conversation.c.agent_id))})


def _teams(connection: Connection) -> dict[int, frozenset[str]]:
    return {row.id: frozenset(row.teams) for row in connection.execute(select(agent.c.id, agent.c.teams))}


def _waiting(connection: Connection, actor: Actor) -> dict[str, int]:
    line = select(func.count().label("queue"), func.coalesce(func.max(handover.c.conversation_id), 0).label("newest"))
    row = connection.execute(line.where(handover.c.waiting_since.is_not(None), wanted(actor))).one()
    return {"queue": row.queue, "newest": row.newest}


def _rung(connection: Connection, actors: Collection[Actor]) -> dict[Actor, int]:
    """The alarms of each: agents have their own, whoever is over the whole house all."""
    query = select(alarm.c.agent_id, func.count()).where(alarm.c.settled_at.is_(None)).group_by(alarm.c.agent_id)
    by = Counter({row[0]: row[1] for row in connection.execute(query)})
    found = {}
    for actor in actors:
        led = actor.role != "agent" and not actor.sees_all
        found[actor] = alarms.waiting(connection, actor) if led else by.total() if actor.sees_all else by[actor.id]
    return found
