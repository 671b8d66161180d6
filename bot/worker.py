"""The worker: lease chats, understand, decide, record. One beat of it is one transaction.

A beat writes what the last one decided and leases what is ready now; between two beats no transaction is open, and
the deciding is done on a thread of its own, so that receiving and acknowledging never wait for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Connection

from bot import texts
from bot.allowance import allowances, fitted
from bot.dialogue import Decision, Need, Policy, Turn, Wait
from bot.hub import Hub
from bot.lanes import NEXT, Lane, take
from bot.lookups import look
from bot.messages import Kind, Reply
from bot.record import Outcome, record
from bot.rows import Rows
from bot.store import Away, Store
from bot.turns import turn as turn_of
from channels import Can

log = structlog.get_logger("worker")

ROUNDS = 3  # how often a decision may ask for more
POLL = 1.0  # seconds; being woken is only quicker
SLOW = 0.3  # seconds of deciding after which the customer sees that somebody is typing

Brain = Callable[[Turn], Decision | Need | Wait]
At = Callable[[str, str], Can]  # a channel's name and an address -> what can be done there


class Worker:
    """Works the chats of a database until told to stop.

    ``mind`` makes a Turn understood (language, intent, answers) and ``brain`` decides it; ``sorry`` decides what the
    customer hears when an event could not be handled at all.
    """

    def __init__(
        self,
        store: Store,
        hub: Hub,
        *,
        mind: Callable[[Turn], Turn],
        brain: Brain,
        sorry: Brain,
        policy: Callable[[], Policy],
        knowledge: Callable[[], Any],
        limits: Any,
        at: At,
        typing: Callable[[str, str], None] = lambda _channel, _address: None,
        recorded: Callable[[Rows], None] = lambda _: None,
    ) -> None:
        self._store, self._hub, self._mind, self._brain, self._sorry = store, hub, mind, brain, sorry
        self._policy, self._knowledge, self._limits, self._at = policy, knowledge, limits, at
        self._recorded, self._typing = recorded, typing
        self._holder = hub.process
        self._woken = asyncio.Event()
        self._stopping = False
        self._thread = ThreadPoolExecutor(1, "decide")
        self._alone = False
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

        The database being away is waited out: what was decided is recorded afterwards, if its lease lasts so long.
        """
        outcomes: list[Outcome] = []
        while outcomes or not self._stopping:
            self._woken.clear()
            try:
                lanes = await self._beat(outcomes)
                outcomes = await self._decide(lanes) if lanes else []
            except Away as error:
                await self._away(error)
                outcomes = [one for one in outcomes if one.lane.until > time.time()]  # others are counted anew
                continue
            except Exception as error:  # not even that it failed can be written: the leases run out
                log.error("beat_failed", error=_where(error))
                outcomes = []
                await asyncio.sleep(POLL)
                continue
            if not outcomes and not self._stopping:
                await self._rest()

    async def _away(self, error: Away) -> None:
        log.warning("database_away", reason=str(error))
        await asyncio.sleep(POLL)

    async def _rest(self) -> None:
        """Until something may be ready. Of those who rest, the first to rise takes it; the others rest on."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(POLL, self._next_ready - time.time()))):
                while not self._woken.is_set():
                    await self._woken.wait()

    async def _beat(self, outcomes: list[Outcome]) -> list[Lane]:
        try:
            return await self._commit(outcomes)
        except Away:
            raise
        except Exception as error:
            if len(outcomes) <= 1:
                return await self._commit([self._failed(o.lane, error) for o in outcomes])
        for one in outcomes:  # one of them brought the group down: each on its own now
            try:
                await self._commit([one], most=0)
            except Away:
                raise
            except Exception as error:
                await self._commit([self._failed(one.lane, error)], most=0)
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

        rows, lanes = await self._store.write(work)
        self.beaten_at = time.monotonic()
        if outcomes:
            self._hub.publish(rows.said)
            self._recorded(rows)
        for one in (o for o in outcomes if o.wait):  # the customer should see that he was heard
            self._typing(one.lane.channel, one.lane.address)
        return lanes

    # ------------------------------------------------------------ deciding

    async def _decide(self, lanes: Sequence[Lane]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        asked = [lane for lane in lanes if not lane.body.get("unaddressed")]
        slow = loop.call_later(SLOW, lambda: [self._typing(lane.channel, lane.address) for lane in asked])
        await self._count(lanes)
        outcomes = [Outcome(lane, Decision(lane.talk)) for lane in lanes if lane.stale]
        open_lanes = {lane.chat_id: lane for lane in lanes if not lane.stale}
        turns: dict[int, Turn] = {}
        for chat, lane in open_lanes.items():
            try:
                if lane.broken:
                    raise lane.broken
                turns[chat] = self._turn(lane)
            except Exception as error:
                outcomes.append(self._failed(lane, error))
        for _ in range(ROUNDS + 1):
            if not turns:
                break
            results = await loop.run_in_executor(self._thread, self._think, dict(turns), open_lanes)
            needs = {i: r for i, r in results.items() if isinstance(r, Need)}
            outcomes += [r for r in results.values() if isinstance(r, Outcome)]
            turns, broken = await self._answer(turns, open_lanes, needs) if needs else ({}, [])
            outcomes += broken
        slow.cancel()
        return outcomes + [self._failed(open_lanes[chat], RuntimeError("more than 3 rounds")) for chat in turns]

    def _think(self, turns: Mapping[int, Turn], lanes: Mapping[int, Lane]) -> dict[int, Need | Outcome]:
        """On the deciding thread: what comes of each turn, or what it needs first."""
        return {chat: self._thought(lanes[chat], turn) for chat, turn in turns.items()}

    def _thought(self, lane: Lane, turn: Turn) -> Need | Outcome:
        lost = lane.attempts > self._limits.attempts
        if lane.attempts > self._limits.attempts + 1:  # nor did the apology come to an end
            return Outcome(lane, error=lane.fault, dead=True, wordless=True)
        try:
            thought = self._sorry(turn) if lost else self._brain(self._mind(turn))
            if isinstance(thought, Need):
                return thought
            if isinstance(thought, Wait):
                return Outcome(lane, wait=thought)
            parts = self._parts(lane, thought)
        except Exception as error:
            if lane.attempts != self._limits.attempts:
                return self._failed(lane, error)
            lane.attempts, lane.fault = lane.attempts + 1, _where(error)  # that was the last try: it is lost
            return self._thought(lane, turn)
        if lost:
            lane.attempts, lane.buried = self._limits.attempts, True
            return Outcome(lane, thought, parts, error=lane.fault, dead=True)
        return Outcome(lane, thought, parts)

    async def _count(self, lanes: Sequence[Lane]) -> None:
        """Where a platform counts our messages: how many are left. The customer's own words start it anew."""
        places = {lane.chat_id: self._at(lane.channel, lane.address) for lane in lanes}
        counted = [lane for lane in lanes if places[lane.chat_id].replies]
        if not counted:
            return
        wrote = {lane.chat_id: lane.received_at if lane.kind in (Kind.TEXT, Kind.CHOICE) else None for lane in counted}
        theirs = {lane.chat_id for lane in counted if lane.kind == Kind.COMMAND and not (lane.open and lane.open.agent)}
        wanted = {chat: (places[chat], at, chat in theirs) for chat, at in wrote.items()}
        try:
            left = await self._store.read(lambda c: allowances(c, wanted))
        except Exception as error:  # then the platform will say so
            log.warning("not_counted", error=_where(error))
            return
        for lane in counted:
            lane.left = left[lane.chat_id]

    def _parts(self, lane: Lane, decision: Decision) -> tuple[tuple[Reply, ...], ...]:
        can, replies = self._at(lane.channel, lane.address), [said.reply for said in decision.replies]
        more = texts.say(decision.talk.language, "shortened") if lane.left is not None else ""
        return fitted(can, replies, lane.left, more)

    async def _answer(
        self, turns: Mapping[int, Turn], lanes: Mapping[int, Lane], needs: Mapping[int, Need]
    ) -> tuple[dict[int, Turn], list[Outcome]]:
        """The turns with what they need; whose looking breaks has failed, and he alone."""

        def read(connection: Connection) -> dict[int, Turn]:
            return {
                chat: replace(turns[chat], looked={**turns[chat].looked, **look(connection, lanes[chat], need.looks)})
                for chat, need in needs.items()
            }

        while True:
            try:
                return await self._store.read(read), []
            except Away as error:
                await self._away(error)
                if any(lanes[chat].until < time.time() for chat in needs):  # they are taken anew, and counted
                    return {}, []
            except Exception as error:
                if len(needs) == 1:
                    return {}, [self._failed(lanes[chat], error) for chat in needs]
                break
        found: dict[int, Turn] = {}
        failed: list[Outcome] = []
        for chat, need in needs.items():
            one, broken = await self._answer(turns, lanes, {chat: need})
            found |= one
            failed += broken
        return found, failed

    def _failed(self, lane: Lane, error: Exception) -> Outcome:
        """Try again later; after the last try the event is dead, and the chat goes on with an apology."""
        where = _where(error)
        log.error("event_failed", inbox=lane.inbox_id, chat=lane.chat_id, attempt=lane.attempts, error=where)
        backoff = self._limits.backoff
        if lane.attempts < self._limits.attempts:
            pause = backoff[min(lane.attempts, len(backoff)) - 1] if backoff else 0.0
            return Outcome(lane, error=where, retry_at=time.time() + pause)
        outcome = Outcome(lane, error=where, dead=True)
        if not lane.buried:  # a second failure of the same kind buries it without words
            try:
                said = self._sorry(turn := self._turn(lane))
                if isinstance(said, Need):  # nothing can be read here
                    said = self._sorry(replace(turn, looked=dict.fromkeys(said.looks)))
                if isinstance(said, Decision):
                    outcome.decision, outcome.parts = said, self._parts(lane, said)
            except Exception as own:
                log.error("apology_failed", inbox=lane.inbox_id, error=_where(own))
        lane.attempts, lane.buried = self._limits.attempts, True
        return outcome

    def _turn(self, lane: Lane) -> Turn:
        there = self._at(lane.channel, lane.address).people
        return turn_of(lane, self._policy(), self._knowledge(), people_there=there)


def _where(error: BaseException) -> str:
    """The kind of an error and the line it came from; never its text, which may hold a customer's words."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}"
