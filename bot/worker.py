"""The worker: lease chats, understand, decide, record. One beat of it is one transaction.

A beat writes what the last one decided and leases what is ready now; between two beats no transaction is open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from bot import metrics
from bot.decider import Decider, Typing, wait_out, where
from bot.hub import Hub
from bot.lanes import NEXT, Lane, excuse, take
from bot.record import Outcome, record
from bot.rows import Rows
from bot.store import Away, Held, Store

log = structlog.get_logger("worker")

POLL = 1.0  # seconds; being woken is only quicker
EXCUSED = 3600.0  # seconds after its receipt in which an event may be tried in vain through the database's fault
EXCUSES, SOON = 5, 0.02  # how often that is written down, and seconds between: another beat may have its row


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
        self._alone = False
        self._next_ready = 0.0
        self._recorded_at = 0.0
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

        The database being away is waited out: what was decided is recorded afterwards, if its lease lasts so long.
        """
        outcomes: list[Outcome] = []
        while outcomes or not self._stopping:
            self._woken.clear()
            try:
                lanes = await self._beat(outcomes)
                outcomes = await self._decider.outcomes(lanes) if lanes else []
                done = {one.lane.chat_id for one in outcomes}
                await self._given_up([lane for lane in lanes if lane.chat_id not in done])
            except Away as error:
                await wait_out(error)
                now = time.time()
                await self._given_up([one.lane for one in outcomes if one.lane.until <= now])
                outcomes = [one for one in outcomes if one.lane.until > now]
                continue
            except Exception as error:  # not even that it failed can be written: the leases run out
                log.error("beat_failed", error=where(error))
                outcomes = []
                await asyncio.sleep(POLL)
                continue
            if not outcomes and not self._stopping:
                await self._rest()

    async def _rest(self) -> None:
        """Until something may be ready. Of those who rest, the first to rise takes it; the others rest on."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(POLL, self._next_ready - time.time()))):
                while not self._woken.is_set():
                    await self._woken.wait()

    async def _given_up(self, lanes: Sequence[Lane]) -> None:
        """Lanes whose lease ran out while the database was away: they are taken anew, and the try counts, unless
        nobody else's could be recorded either."""
        now = time.time()
        common = [lane for lane in lanes if self._recorded_at <= lane.until - self._limits.lease]
        await self._excuse([lane for lane in common if now - lane.received_at < EXCUSED])

    async def _excuse(self, lanes: list[Lane]) -> None:
        """It was no fault of theirs: the try does not count. Nobody is waited for who keeps one locked for long."""
        for _ in range(EXCUSES if lanes else 0):
            with suppress(Away):
                lanes = await self._store.write(partial(excuse, lanes=lanes))
            if not lanes:
                break
            await asyncio.sleep(SOON)

    async def _beat(self, outcomes: list[Outcome]) -> list[Lane]:
        try:
            return await self._commit(outcomes)
        except Away as error:
            if not (outcomes and isinstance(error, Held)):
                raise
        except Exception as error:
            if len(outcomes) <= 1:
                return await self._commit([self._decider.failed(o.lane, error) for o in outcomes])
        for one in outcomes:  # one of them brought the group down: each on its own now
            try:
                await self._commit([one], most=0)
            except Held:  # nobody waits until it is let go
                await self._excuse([one.lane])
            except Away:
                raise
            except Exception as error:
                await self._commit([self._decider.failed(one.lane, error)], most=0)
        return []

    async def _commit(self, outcomes: Sequence[Outcome], most: int | None = None) -> list[Lane]:
        now = time.time()
        most = (0 if self._stopping else self._limits.group) if most is None else most
        self._alone = not self._alone

        def work(connection: Connection) -> tuple[Rows, list[Lane]]:
            rows = Rows()
            if outcomes:
                rows = record(connection, outcomes, holder=self._holder, now=now)
            lanes: list[Lane] = []
            if most:
                lease = self._limits.lease
                lanes = take(connection, holder=self._holder, now=now, lease=lease, most=most, alone=self._alone)
            if not lanes:
                self._next_ready = NEXT(connection)[0].ready_at or now + POLL
            return rows, lanes

        rows, lanes = await self._store.write(work, shared=True)
        self.beaten_at = time.monotonic()
        if outcomes:
            self._recorded_at = now
            self._hub.publish(rows.said)
            self._recorded(rows)
        metrics.ALARMS.labels("event_failed").inc(sum(one.wordless for one in outcomes))  # no row of it was written
        for one in (o for o in outcomes if o.wait):  # the customer should see that he was heard
            self._typing(one.lane.channel, one.lane.address)
        return lanes
