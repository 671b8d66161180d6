"""Posts at a desk, as fast as its platform lets us; answers to people go before news."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Final

import structlog

from bot.messages import Reply
from bot.pace import Pace
from channels import Channel, NotSent, Refused, Unknown
from channels.fit import parts

log = structlog.get_logger("desk")

ANSWERS: Final = 5  # messages a minute that news leave free in a group
TIMEOUT: Final = 20.0  # seconds for one message
LOOK: Final = 0.05  # seconds, at least, between two looks whether it is our turn


class ThrottledChannel:
    """Writes at a desk within its platform's budget. What may be lost is posted again: a rare double beats silence."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        budget = channel.can.budget
        fewer = max(1, budget.per_group_minute - ANSWERS) if budget.per_group_minute else 0
        self._all = Pace(budget, channel.place)
        self._news = Pace(replace(budget, per_group_minute=fewer), channel.place)
        self._answers = 0  # that wait for their turn
        self._out: dict[str, int] = {}  # key -> how many parts of it are out already

    async def begin(self, title: str, head: Reply, key: str) -> str:
        """Open a thread; returns its address. Raises as ``Channel.send`` does, and TimeoutError."""
        await self._turn(self._channel.desk, answer=False)
        async with asyncio.timeout(TIMEOUT):
            return await self._channel.begin(title, head, key)

    async def say(self, address: str, reply: Reply, key: str, *, answer: bool = False) -> None:
        """Post all parts of a reply.

        Raises NotSent, and Refused where the place itself is gone; a second call with this ``key`` posts the rest.
        """
        can = self._channel.can
        whole = parts(reply, can, can.measure)
        for number in range(self._out.get(key, 0), len(whole)):
            await self._turn(address, answer=answer)
            try:
                await self._post(address, whole[number], f"{key}:{number}")
            except Refused as refused:
                if refused.gone:
                    raise
                log.warning("desk_post_refused", channel=self._channel.name, why=str(refused)[:200])
            self._out[key] = number + 1
        self._out.pop(key, None)

    async def _post(self, address: str, part: Reply, key: str) -> None:
        for again in (True, False):
            try:
                async with asyncio.timeout(TIMEOUT):
                    await self._channel.send(address, part, key)
                return
            except NotSent as error:
                if error.retry_after:
                    for pace in (self._all, self._news):
                        pace.hold(address, time.monotonic() + error.retry_after, everything=error.everything)
                raise
            except (Unknown, TimeoutError):
                log.warning("desk_post_uncertain", channel=self._channel.name, again=again)

    async def _turn(self, address: str, *, answer: bool) -> None:
        pace = self._all if answer else self._news
        self._answers += answer
        try:
            while (wait := pace.free_at(address) - time.monotonic()) > 0 or (self._answers and not answer):
                await asyncio.sleep(max(LOOK, min(wait, 1.0)))
        finally:
            self._answers -= answer
        for one in (self._all, self._news):
            one.spend(address, time.monotonic())
