"""What comes of leased events: each turn is understood and decided, and whatever breaks breaks one event only.

The deciding is done on a thread of its own, so that receiving and acknowledging never wait for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Connection

from bot import texts
from bot.allowance import allowances, fitted
from bot.dialogue import Decision, Need, Policy, Turn, Wait
from bot.lanes import Lane
from bot.lookups import look
from bot.messages import Kind, Reply
from bot.record import Outcome
from bot.store import Away, Store
from bot.turns import turn as turn_of
from channels import Can

log = structlog.get_logger("worker")

ROUNDS = 3  # how often a decision may ask for more
PAUSE = 1.0  # seconds until the database is tried again
SLOW = 0.3  # seconds of deciding after which the customer sees that somebody is typing

Decide = Callable[[Turn], Decision | Need | Wait]
At = Callable[[str, str], Can]  # a channel's name and an address -> what can be done there
Typing = Callable[[str, str], None]  # lets the customer at an address see that somebody is typing


class Decider:
    """Makes outcomes of lanes.

    ``understand`` adds to a turn what its words mean (language, intent, answers) and ``decide`` decides it;
    ``apologise`` decides what the customer hears when an event could not be handled at all.
    """

    def __init__(
        self,
        store: Store,
        *,
        understand: Callable[[Turn], Turn],
        decide: Decide,
        apologise: Decide,
        policy: Callable[[], Policy],
        knowledge: Callable[[], Any],
        limits: Any,
        at: At,
        typing: Typing = lambda _channel, _address: None,
    ) -> None:
        self._store, self._understand, self._decide, self._apologise = store, understand, decide, apologise
        self._policy, self._knowledge, self._limits, self._at = policy, knowledge, limits, at
        self._typing = typing
        self._thread = ThreadPoolExecutor(1, "decide")

    async def outcomes(self, lanes: Sequence[Lane]) -> list[Outcome]:
        """What comes of each lane's event; an error is one, too. Raises Away when something cannot be looked up."""
        loop = asyncio.get_running_loop()
        asked = [lane for lane in lanes if not lane.body.get("unaddressed")]
        slow = loop.call_later(SLOW, lambda: [self._typing(lane.channel, lane.address) for lane in asked])
        try:
            return await self._outcomes(lanes)
        finally:
            slow.cancel()

    async def _outcomes(self, lanes: Sequence[Lane]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
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
                outcomes.append(self.failed(lane, error))
        for _ in range(ROUNDS + 1):
            if not turns:
                break
            results = await loop.run_in_executor(self._thread, self._think, dict(turns), open_lanes)
            needs = {i: r for i, r in results.items() if isinstance(r, Need)}
            outcomes += [r for r in results.values() if isinstance(r, Outcome)]
            turns, broken = await self._answer(turns, open_lanes, needs) if needs else ({}, [])
            outcomes += broken
        return outcomes + [self.failed(open_lanes[chat], RuntimeError("more than 3 rounds")) for chat in turns]

    def _think(self, turns: Mapping[int, Turn], lanes: Mapping[int, Lane]) -> dict[int, Need | Outcome]:
        """On the deciding thread: what comes of each turn, or what it needs first."""
        return {chat: self._thought(lanes[chat], turn) for chat, turn in turns.items()}

    def _thought(self, lane: Lane, turn: Turn) -> Need | Outcome:
        lost = lane.attempts > self._limits.attempts
        if lane.attempts > self._limits.attempts + 1:  # nor did the apology come to an end
            log.error("event_failed", inbox=lane.inbox_id, chat=lane.chat_id, attempt=lane.attempts, error=lane.fault)
            return Outcome(lane, error=lane.fault, dead=True, wordless=True)
        try:
            thought = self._apologise(turn) if lost else self._decide(self._understand(turn))
            if isinstance(thought, Need):
                return thought
            if isinstance(thought, Wait):
                return Outcome(lane, wait=thought)
            parts = self._parts(lane, thought)
        except Exception as error:
            if lane.attempts != self._limits.attempts:
                return self.failed(lane, error)
            lane.attempts, lane.fault = lane.attempts + 1, where(error)  # that was the last try: it is lost
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
            log.warning("not_counted", error=where(error))
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

        try:
            return await self._store.read(read), []
        except Away:
            raise
        except Exception as error:
            if len(needs) == 1:
                return {}, [self.failed(lanes[chat], error) for chat in needs]
        found: dict[int, Turn] = {}
        failed: list[Outcome] = []
        for chat, need in needs.items():
            one, broken = await self._answer(turns, lanes, {chat: need})
            found |= one
            failed += broken
        return found, failed

    def failed(self, lane: Lane, error: Exception) -> Outcome:
        """Try again later; after the last try the event is dead, and the chat goes on with an apology."""
        place = where(error)
        log.error("event_failed", inbox=lane.inbox_id, chat=lane.chat_id, attempt=lane.attempts, error=place)
        backoff = self._limits.backoff
        if lane.attempts < self._limits.attempts:
            pause = backoff[min(lane.attempts, len(backoff)) - 1] if backoff else 0.0
            return Outcome(lane, error=place, retry_at=time.time() + pause)
        outcome = Outcome(lane, error=place, dead=True)
        if not lane.buried:  # a second failure of the same kind buries it without words
            try:
                said = self._apologise(turn := self._turn(lane))
                if isinstance(said, Need):  # nothing can be read here
                    said = self._apologise(replace(turn, looked=dict.fromkeys(said.looks)))
                if isinstance(said, Decision):
                    outcome.decision, outcome.parts = said, self._parts(lane, said)
            except Exception as own:
                log.error("apology_failed", inbox=lane.inbox_id, error=where(own))
        lane.attempts, lane.buried = self._limits.attempts, True
        return outcome

    def _turn(self, lane: Lane) -> Turn:
        there = self._at(lane.channel, lane.address).people
        return turn_of(lane, self._policy(), self._knowledge(), people_there=there)


async def wait_out(error: Away) -> None:
    """The database is away: a while later it is tried again."""
    log.warning("database_away", reason=str(error))
    await asyncio.sleep(PAUSE)


def where(error: BaseException) -> str:
    """The kind of an error and the line it came from; never its text, which may hold a customer's words."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}"
