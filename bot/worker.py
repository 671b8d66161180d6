"""The worker: lease chats, understand, decide, record. One beat of it is one transaction.

A beat writes what the last one decided and leases what is ready now; between two beats no transaction is open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy import Connection

from bot import metrics
from bot.decider import Decider, Typing, wait_out, where
from bot.hub import Hub
from bot.lanes import NEXT, Lane, take
from bot.record import Outcome, record
from bot.rows import Rows
from bot.store import Away, Store

log = structlog.get_logger("worker")

POLL = 1.0  # seconds; being woken is only quicker


class Worker:
    """Works the chats of a database until told to stop. ``recorded`` is told what has just been committed."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        decider: Decider,
        *,
        limits: Any,
        typing: Typing = lambda _channel, _address: None,
        recorded: Callable[[Rows], None] = lambda _: None,
    ) -> None:
        self._store, self._hub, self._decider, self._limits = store, hub, decider, limits
        self._recorded, self._typing = recorded, typing
        self._holder = hub.process
        self._woken = asyncio.Event()
        self._stopping = False
        self._retrying = asyncio.Lock()  # however many were refused, they take one connection
        self._refused_last = False  # whether nothing was recorded since the database refused something
        self._retry_next = False  # whether it is the turn of an event that was tried before
        self._next_ready = 0.0
        self.beaten_at = time.monotonic()

    def wake(self) -> None:
        """Something may be ready."""
        self._woken.set()

    def stop(self) -> None:
        """Finish what is leased and return from ``run``."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Beat until stopped; may run ``store.writers`` times at once, so that one beat decides while another commits.

        What the database refuses is tried one by one beside it: one of them may be at fault, and the next beat is for
        others.
        """
        lanes: list[Lane] = []
        outcomes: list[Outcome] = []
        async with asyncio.TaskGroup() as refused:
            while lanes or not self._stopping:
                self._woken.clear()
                try:
                    lanes, outcomes = await self._commit(outcomes), []
                    outcomes = await self._decider.outcomes(lanes) if lanes else []
                except Exception as error:
                    if lanes:
                        refused.create_task(self._one_by_one(lanes, outcomes))
                    if self._refused_last or not lanes:  # nor could others': it is the database
                        await self._pause(error)
                    self._refused_last, lanes, outcomes = True, [], []
                    continue
                if not lanes and not self._stopping:
                    await self._rest()

    async def _rest(self) -> None:
        """Until something may be ready. Of those who rest, the first to rise takes it; the others rest on."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(POLL, self._next_ready - time.time()))):
                while not self._woken.is_set():
                    await self._woken.wait()

    async def _pause(self, error: Exception) -> None:
        if isinstance(error, Away):
            await wait_out(error)
        else:
            log.error("beat_failed", error=where(error))
            await asyncio.sleep(POLL)

    async def _one_by_one(self, lanes: Sequence[Lane], outcomes: Sequence[Outcome]) -> None:
        """Each on its own, again and again until its lease runs out: then it is taken anew, and the try counts."""
        decided = {one.lane.chat_id: one for one in outcomes}
        while lanes := [lane for lane in lanes if time.time() < lane.until]:
            refused, reason = [], Away()
            for lane in lanes:
                try:
                    async with self._retrying:
                        if lane.chat_id not in decided:
                            [decided[lane.chat_id]] = await self._decider.outcomes([lane])
                        await self._commit_alone(decided[lane.chat_id])
                    self.wake()
                except Away as error:
                    refused.append(lane)
                    reason = error
                except Exception as error:  # not even that it failed can be written
                    log.error("beat_failed", error=where(error))
            if refused:
                await wait_out(reason)
            lanes = refused

    async def _commit_alone(self, outcome: Outcome) -> None:
        try:
            await self._commit([outcome], most=0)
        except Away:
            raise
        except Exception as error:
            await self._commit([self._decider.failed(outcome.lane, error)], most=0)

    async def _commit(self, outcomes: Sequence[Outcome], most: int | None = None) -> list[Lane]:
        now = time.time()
        most = (0 if self._stopping else self._limits.group) if most is None else most

        def work(connection: Connection) -> tuple[Rows, list[Lane]]:
            rows = Rows()
            if outcomes:
                rows = record(connection, outcomes, holder=self._holder, now=now)
            lanes: list[Lane] = []
            if most:
                lease = self._limits.lease
                lanes = take(connection, holder=self._holder, now=now, lease=lease, most=most, retry=self._retry_next)
            if not lanes:
                self._next_ready = NEXT(connection)[0].ready_at or now + POLL
            return rows, lanes

        rows, lanes = await self._store.write(work, shared=True)
        self.beaten_at = time.monotonic()
        if outcomes:
            self._refused_last = False
            self._hub.publish(rows.said)
            self._recorded(rows)
        if wordless := {one.lane.inbox_id for one in outcomes if one.wordless}:  # no row of the alarm was written
            metrics.ALARMS.labels("event_failed").inc(sum(row["event"] in wordless for row in rows.events))
        if lanes:
            self._retry_next = not self._retry_next
        for one in (o for o in outcomes if o.wait):  # the customer should see that he was heard
            self._typing(one.lane.channel, one.lane.address)
        return lanes
