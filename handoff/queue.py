"""The queue: what waits, who is there, and the duty that brings them together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import structlog
from sqlalchemy import Connection, func, select, text

from bot.duty import Duty
from bot.inbox import Inbox
from bot.messages import Inbound, Kind
from bot.rows import TIMERS, Rows
from bot.store import Away, Store
from bot.tables import chat, conversation
from handoff.lookups import WORKING, presence
from handoff.routing import Colleague, Pair, Patience, Waiting, Wants, route
from handoff.settings import Handoff
from handoff.tables import agent, handover

log = structlog.get_logger("queue")

POLL: Final = 1.0  # seconds; being woken is only quicker
TAKES: Final = 5.0  # seconds an offer may be under way before it counts as lost
MOST: Final = 5000  # who waits, of those that are looked at


def snapshot(connection: Connection, now: float) -> tuple[list[Waiting], list[Colleague]]:
    """Who waits and who is there, as of one moment."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    owned = (
        select(conversation.c.agent_id, func.count().label("load"), func.max(handover.c.offered_at).label("given"))
        .join(handover, handover.c.conversation_id == conversation.c.id)
        .where(conversation.c.owner == "agent")
        .group_by(conversation.c.agent_id)
        .subquery()
    )
    there = select(agent, owned.c.load, owned.c.given).outerjoin(owned, owned.c.agent_id == agent.c.id)
    people = connection.execute(
        there.where(presence(now) == "online", agent.c.disabled_at.is_(None), agent.c.role.in_(WORKING))
    )
    team = [_colleague(row) for row in people]
    if not any(one.room for one in team):
        return [], team
    columns = conversation.c.number, conversation.c.epoch, handover.c.priority, handover.c.waiting_since
    line = (
        select(*columns, handover.c.wants)
        .join(conversation, conversation.c.id == handover.c.conversation_id)
        .where(handover.c.waiting_since.is_not(None))
        .order_by(handover.c.priority, handover.c.waiting_since)
        .limit(MOST)
    )
    return [_waiting(row) for row in connection.execute(line)], team


def _waiting(row: Any) -> Waiting:
    wants = row.wants
    return Waiting(
        number=row.number,
        epoch=row.epoch,
        priority=row.priority,
        since=row.waiting_since,
        wants=Wants(*(str(wants.get(name, "")) for name in Wants._fields)),
        preferred=int(wants.get("preferred") or 0),
        avoid=tuple(wants.get("avoid", ())),
    )


def _colleague(row: Any) -> Colleague:
    return Colleague(
        id=row.id,
        room=max(0, row.capacity - (row.load or 0)),
        capacity=max(1, row.capacity),
        languages=frozenset(row.languages),
        skills=frozenset(row.skills),
        teams=frozenset(row.teams),
        leads=row.role != "agent",
        given_at=row.given or 0.0,
    )


def release(connection: Connection, who: int, now: float) -> None:
    """What an agent has is to go back to the line: he may no longer act. Part of the caller's transaction."""
    his = select(conversation.c.number, conversation.c.chat_id).where(
        conversation.c.agent_id == who, conversation.c.owner == "agent"
    )
    rows = [
        {"subject": f"conversation:{row.number}", "kind": "released", "chat_id": row.chat_id, "due_at": now, "data": {}}
        for row in connection.execute(his)
    ]
    TIMERS(connection, rows)


class Dispatch:
    """Offers what waits to whoever suits it, until told to stop; one process at a time does, by lease.

    An offer is an event of its chat: it is decided there, and fails if the conversation or the agent's room is gone.
    """

    def __init__(self, store: Store, inbox: Inbox, duty: Duty, settings: Handoff) -> None:
        self._store, self._inbox, self._duty = store, inbox, duty
        self._patience = Patience(settings.widen_after, settings.escalate_after)
        self._auto = settings.mode == "auto"
        self._offered: dict[str, tuple[int, float]] = {}  # conversation -> the agent it was offered to, and when
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Somebody waits, or has room, who did not before."""
        self._woken.set()

    def heard(self, rows: Rows) -> None:
        """What was just committed: an offer that has an outcome is no longer under way."""
        for one in rows.results:
            if offered := one.data.get("offered"):
                self._offered.pop(str(offered), None)
        if rows.moved:
            self.wake()

    def stop(self) -> None:
        """Return from ``run`` soon."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Offer what waits until ``stop`` is called; where agents pick by themselves there is nothing to do."""
        while not self._stopping:
            self._woken.clear()
            with suppress(Away):
                if self._auto and await self._duty.hold() and await self.round():
                    continue
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._woken.wait()
        await self._duty.drop()

    async def round(self) -> bool:
        """One decision: read, decide, offer; True if anything was offered."""
        now = time.time()
        self._offered = {number: had for number, had in self._offered.items() if now - had[1] < TAKES}
        # As of before the snapshot: what ends while it is read may not be in it, and would be offered once more.
        under_way = {number: who for number, (who, _) in self._offered.items()}
        waiting, people = await self._store.read(lambda c: snapshot(c, now))
        free = [_less(one, sum(who == one.id for who in under_way.values())) for one in people]
        pairs = route([one for one in waiting if one.number not in under_way], free, now, self._patience)
        if pairs:
            await self._offer(pairs, now)
        return bool(pairs)

    async def _offer(self, pairs: Sequence[Pair], now: float) -> None:
        places = await self._store.read(lambda c: _places(c, [pair.number for pair in pairs]))
        offers = []
        for pair in pairs:
            channel, address = places[pair.number]
            extra = {"command": "offer", "agent": pair.agent, "epoch": pair.epoch, "number": pair.number}
            key = f"offer:{pair.number}:{pair.epoch}:{pair.agent}:{now}"  # offered again when he has room again
            offers.append(Inbound(channel, key, address, Kind.COMMAND, extra=extra))
        await self._inbox.receive(offers)
        self._offered |= {pair.number: (pair.agent, now) for pair in pairs}


def _less(one: Colleague, under_way: int) -> Colleague:
    return replace(one, room=max(0, one.room - under_way)) if under_way else one


def _places(connection: Connection, numbers: Sequence[str]) -> dict[str, tuple[str, str]]:
    its = select(conversation.c.number, chat.c.channel, chat.c.address).join(chat, chat.c.id == conversation.c.chat_id)
    rows = connection.execute(its.where(conversation.c.number.in_(numbers)))
    return {row.number: (row.channel, row.address) for row in rows}
