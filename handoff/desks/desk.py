"""A desk at work: keeps what is written there, has it done, and posts what happens; one process at a time does both."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from bot.duty import Duty
from bot.messages import Reply
from bot.store import Away, Unusable
from channels import Channel, DeskWord, NotSent, Refused
from handoff.access import audit
from handoff.desks import words
from handoff.desks.executing import Answered, Executor
from handoff.desks.posting import House, Poster
from handoff.desks.rendering import say
from handoff.desks.sending import ThrottledChannel

log = structlog.get_logger("desk")

POLL: Final = 1.0  # seconds; being woken is only quicker
BREATH: Final = 0.1  # seconds between two looks at what is new, however much happens
TRIES: Final = 6  # of what could not be done
PAUSE: Final = 1.0  # seconds between two, doubled each time
QUIET: Final = 3600.0  # seconds in which somebody who counts for nothing is written down once …
SWEEP: Final = 3600.0  # seconds between two sweeps of what was kept long enough
NOTED: Final = 30  # … and no more of them than so many


class Desk:
    """The desk on one channel. ``heard`` may be called in any process; ``run`` works in the one that has the duty."""

    def __init__(self, house: House, channel: Channel) -> None:
        self._store, self._hub, self._channel = house.store, house.hub, channel
        self._keep = float(house.settings.limits.keep_raw)
        self._duty = Duty(house.store, f"desk:{channel.name}", house.holder)
        self._throttled = ThrottledChannel(channel)
        self._poster, self._executor = Poster(house, channel, self._throttled), Executor(house, channel)
        self._woken = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}  # threads in which something is being done
        self._noted: dict[tuple[str, str], float] = {}  # who was written down lately, and for what

    # ------------------------------------------------------------ hearing

    async def heard(self, word: DeskWord) -> None:
        """Keep it to be done; returns after the commit. Raises ``store.Away`` and ``store.Unusable``.

        What cannot be kept for another reason is let go: it would come again for ever, and others behind it never.
        """
        try:
            await self._heard(word)
        except (Away, Unusable):
            raise
        except Exception as error:
            log.error("desk_unkeepable", channel=self._channel.name, error=type(error).__name__)

    async def _heard(self, word: DeskWord) -> None:
        """Keep the word of an agent; of anybody else only write down, now and then, that he wrote."""
        if word.nobody:
            return await self._ignored(word.sender, word.nobody)
        who = await self._store.read(lambda c: words.actor(c, self._channel.name, word.sender))
        if who is None:
            return await self._ignored(word.sender, "not linked")
        name, now = self._channel.name, time.time()
        await self._store.write(lambda c: words.keep(c, name, word, now), first=True)
        self._woken.set()
        return None

    async def _ignored(self, sender: str, why: str) -> None:
        now = time.monotonic()
        self._noted = {key: at for key, at in self._noted.items() if now - at < QUIET}
        if (sender, why) in self._noted or len(self._noted) >= NOTED:
            return
        self._noted[sender, why] = now
        log.warning("desk_ignored", channel=self._channel.name, why=why)
        subject = f"{self._channel.name}:{sender}"
        await self._store.write(lambda c: audit(c, None, "desk_ignored", subject, {"why": why}))

    # ------------------------------------------------------------ working

    async def run(self) -> None:
        """Do what was written, and post what happens, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen())
                group.create_task(self._tell())
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)
            await self._duty.drop()

    async def _tell(self) -> None:
        with self._hub.watch() as changed:
            while not self._hub.over:
                changed.clear()
                more = False
                try:
                    more = await self._duty.hold() and await self._poster.round()
                except Away as error:
                    log.warning("database_away", reason=str(error))
                await asyncio.sleep(BREATH)
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL / 2 if more else POLL):
                        await changed.wait()

    async def _listen(self) -> None:
        swept = 0.0
        while True:
            self._woken.clear()
            try:
                if await self._duty.hold():
                    await self._begin()
                    if time.time() - swept > SWEEP:
                        swept = time.time()
                        await self._store.write(
                            partial(words.forget, channel=self._channel.name, before=swept - self._keep)
                        )
            except Away as error:
                log.warning("database_away", reason=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL / 2):
                    await self._woken.wait()

    async def _begin(self) -> None:
        """Do what waits: in each thread one after the other, the threads beside each other."""
        for row in await self._store.read(lambda c: words.waiting(c, self._channel.name)):
            if row.thread not in self._busy:
                self._busy[row.thread] = task = asyncio.create_task(self._one(row))
                task.add_done_callback(partial(self._over, row.thread))

    def _over(self, thread: str, _: Any) -> None:
        self._busy.pop(thread, None)
        self._woken.set()  # there may be more in it

    async def _one(self, row: Any) -> None:
        """See to one word; what fails for now is tried again, and in the end its author is told."""
        try:
            outcome = await self._seen_to(row)
        except Exception as error:  # whatever it is, other words must not wait for it
            log.warning("desk_later", channel=self._channel.name, word=row.id, error=type(error).__name__)
            if isinstance(error, Away | NotSent) or row.attempts + 1 < TRIES:
                pause = max(PAUSE * 2 ** min(row.attempts, 6), getattr(error, "retry_after", 0.0))
                with suppress(Away):
                    await self._store.write(lambda c: words.later(c, row.id, pause))
                return
            outcome = "failed"
            with suppress(Exception):
                await self._answer(row, Answered(say(self._executor.lang, "wrong.again")))
        with suppress(Away):
            await self._store.write(lambda c: words.done(c, row.id, outcome))

    async def _seen_to(self, row: Any) -> str:
        """What became of it. Whoever wrote it must still be one of our people now."""

        def read(c: Connection) -> tuple[Any, Any]:
            name = self._channel.name
            return words.actor(c, name, row.sender), words.matter(c, name, row.thread)

        who, matter = await self._store.read(read)
        why = "not linked" if who is None else await self._channel.member(row.sender)
        if who is None or why:
            await self._ignored(row.sender, why)
            return "ignored"
        try:
            return await self._executor.do(row, who, matter)
        except Answered as told:
            if told.text:
                await self._answer(row, told)
            return "answered"

    async def _answer(self, row: Any, told: Answered) -> None:
        """Answer in the thread that the word was written in."""
        with suppress(Refused):  # it was deleted meanwhile
            await self._throttled.say(row.thread, Reply(told.text, told.choices), f"word:{row.id}", answer=True)
