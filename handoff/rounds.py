"""What falls due: one function per duty, run by whoever serves."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Column, ColumnElement, Connection, and_, delete, exists, func, literal, select, update

from bot.inbox import insert_events
from bot.messages import Inbound, Kind
from bot.policy import Policy
from bot.store import Away, Store
from bot.tables import chat, inbox, lease, note, reply, timer
from handoff.replanning import replan

log = structlog.get_logger("rounds")

AT_ONCE = 200  # timers entered in one transaction
POLL = 1.0  # seconds
SOON = 0.02  # seconds until a due timer is tried again whose chat is being written just now
UNQUEUED = (timer.c.fired_at.is_(None), timer.c.queued_at.is_(None))
SWEEP = 600.0  # seconds between two sweeps, at most
SET_BACK = 0.5  # seconds by which the clock may go back unnoticed
APART = 2.0  # seconds another host's clock may be ahead, or somebody may write after we looked at ours
LATEST = 3600.0  # seconds a platform may ask us to wait
SWEPT = 5000  # rows a sweep may touch in one transaction


def fire(connection: Connection, now: float) -> tuple[int, float | None]:
    """Enter the timers that are due as events of their chats; returns how many, and when the next is due.

    A timer is fired when its event is done, so that at no moment an open conversation is without one.
    """
    due = (
        select(timer, chat.c.channel, chat.c.address)
        .join(chat, chat.c.id == timer.c.chat_id)
        .where(timer.c.due_at <= now, *UNQUEUED)
        .order_by(timer.c.due_at)
        .limit(AT_ONCE)
        .with_for_update(of=(timer, chat), skip_locked=True)  # never waits, so it is part of no deadlock
    )
    rows = connection.execute(due).all()
    if rows:
        connection.execute(update(timer).where(timer.c.id.in_([r.id for r in rows])).values(queued_at=now))
        insert_events(connection, [_event(row) for row in rows], now)
    return len(rows), connection.scalar(select(func.min(timer.c.due_at)).where(*UNQUEUED))


def _event(row: Any) -> Inbound:
    what = {"timer": row.id, "due": row.due_at, "kind": row.kind, "subject": row.subject, "data": row.data}
    key = f"timer:{row.id}:{row.due_at}"  # a timer that was moved may fall due again
    return Inbound(row.channel, key, row.address, Kind.TIMER, extra=what)


def forget_raw(connection: Connection, now: float, keep: float) -> int:
    """Empty the raw bodies that were kept long enough; the keys stay, so that a redelivery changes nothing."""
    old = select(inbox.c.id).where(inbox.c.raw.is_not(None), inbox.c.received_at < now - keep, inbox.c.state != "dead")
    return connection.execute(update(inbox).where(inbox.c.id.in_(old.limit(SWEPT))).values(raw=None)).rowcount


def forget_notes(connection: Connection, now: float) -> int:
    """Drop the channels' notes that have expired."""
    return connection.execute(delete(note).where(note.c.expires_at < now)).rowcount


def pull_forward(connection: Connection, now: float, limits: Any, back: float, holder: str) -> None:
    """Bring forward what the clock put off before it was set back by ``back`` seconds (inf: who knows, we have just
    begun): all that waits for longer than anything is made to wait. Replies are moved by whoever sends them, by his
    clock, and so once."""
    ahead = now + APART
    put_off, begun = ahead + max(limits.backoff), ahead + limits.lease
    hurry: list[tuple[Column[float], float, ColumnElement[bool]]] = [
        (inbox.c.ready_at, put_off, inbox.c.state == "waiting"),
        (chat.c.ready_at, put_off, chat.c.ready_at.is_not(None)),
        (chat.c.lease_until, begun, and_(chat.c.lease_holder.is_not(None), chat.c.ready_at.is_not(None))),
        (timer.c.due_at, ahead + limits.burst, and_(timer.c.kind == "burst", *UNQUEUED)),
    ]
    for column, latest, waits in hurry:
        connection.execute(update(column.table).where(waits, column > latest).values({column: now}))
    if not math.isfinite(back):
        connection.execute(update(reply).where(reply.c.due_at > now + LATEST).values(due_at=now))
        return
    ours = exists().where(lease.c.name == literal("send:") + reply.c.channel, lease.c.holder == holder)
    late = update(reply).where(reply.c.due_at > now, ours)
    connection.execute(late.values(due_at=reply.c.due_at - back))  # as long as before: a platform may have asked for it


class Rounds:
    """Goes round until told to stop: enters due timers at their time, sweeps now and then.

    With a ``policy`` it begins by planning anew what is promised: the standards or the calendar may have changed.
    """

    def __init__(
        self, store: Store, *, limits: Any, woken: Callable[[], None], holder: str, policy: Policy | None = None
    ) -> None:
        self._store, self._limits, self._woken, self._policy = store, limits, woken, policy
        self._holder = holder
        self._ahead = math.inf  # of the clock that only counts
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._next = math.inf  # when the next look is due

    def wake(self, due: float) -> None:
        """A timer was set that falls due then."""
        if due < self._next:
            self._changed.set()

    def stop(self) -> None:
        """Return from ``run`` soon."""
        self._stopping.set()
        self._changed.set()

    async def run(self) -> None:
        """Enter timers and sweep until ``stop`` is called."""
        swept = 0.0
        while not self._stopping.is_set():
            self._changed.clear()
            self._next, pause = math.inf, POLL
            try:
                await self._watch_clock()
                if self._policy:
                    await replan(self._store, self._policy)
                    self._policy = None
                fired, next_due = await self._store.write(lambda c: fire(c, time.time()))
                if fired:
                    self._woken()
                if next_due is not None:
                    pause = min(POLL, max(0.0 if fired else SOON, next_due - time.time()))
                if time.time() - swept > min(SWEEP, self._limits.keep_raw):  # kept for minutes, it is not kept for ten
                    swept = time.time()
                    await self._sweep()
            except Away as error:
                log.warning("database_away", reason=str(error))
            self._next = time.time() + pause
            await self._rest(pause)

    async def _watch_clock(self) -> None:
        ahead = time.time() - time.monotonic()
        if (back := self._ahead - ahead) > SET_BACK:
            work = partial(pull_forward, now=time.time(), limits=self._limits, back=back, holder=self._holder)
            await self._store.write(work)
            self._woken()
        self._ahead = ahead

    async def _sweep(self) -> None:
        while await self._store.write(lambda c: forget_raw(c, time.time(), self._limits.keep_raw)) == SWEPT:
            await asyncio.sleep(0)
        await self._store.write(lambda c: forget_notes(c, time.time()))

    async def _rest(self, pause: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._changed.wait()
