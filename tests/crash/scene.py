"""A scene: a world that goes on, and processes in it that die and are started again."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import Connection, text

from bot.store import Store
from tests.crash.checker import Evidence, faults
from tests.crash.load import DICE, Provider, World
from tests.crash.points import POINTS
from tests.crash.victim import Orders, live

NURSERY = multiprocessing.get_context("forkserver")
NURSERY.set_forkserver_preload(["__main__", "tests.crash.victim"])
LONGEST = 30.0  # seconds in which a point must be reached
OPEN = "SELECT count(*) FROM inbox WHERE state IN ('waiting', 'taken')"
DUE = "SELECT count(*) FROM reply WHERE due_at IS NOT NULL OR state = 'sending'"


def plan(kills: int, points: Sequence[str] = POINTS) -> Iterator[tuple[str, int]]:
    """How each life ends: at these points in turn, at which arrival; every fifth wherever it is just then ("")."""
    turns = cycle(points)
    for n in range(kills):
        yield ("", 0) if n % 5 == 4 else (next(turns), DICE.randint(1, 4))


class Scene:
    """One database, one provider, one world; processes are born and die."""

    def __init__(
        self, database: str, folder: Path, *, processes: int = 1, variant: str = "", moody: bool = True
    ) -> None:
        self._ports = [_free_port() for _ in range(processes)]
        self.provider, self.world = Provider(moody=moody), World(self._ports)
        self._orders = Orders(database, folder, 0, "", variant=variant)
        self._lives: list[BaseProcess | None] = [None] * processes
        self.deaths: Counter[str] = Counter()

    async def __aenter__(self) -> Scene:
        await self.provider.__aenter__()
        self._orders = replace(self._orders, provider=self.provider.url)
        await self.world.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for life in filter(None, self._lives):
            life.kill()
            life.join()
        await self.world.__aexit__()
        await self.provider.__aexit__()

    def start(self, point: str = "", nth: int = 1, *, which: int = 0) -> None:
        """A process is started; it will die at the nth arrival at the point."""
        orders = replace(self._orders, port=self._ports[which], point=point, nth=nth)
        life = NURSERY.Process(target=live, args=(orders,), daemon=True)
        life.start()
        self._lives[which] = life

    def kill(self, which: int = 0) -> None:
        """kill -9, from outside."""
        life, self._lives[which] = self._lives[which], None
        if life is not None:
            life.kill()
            life.join()
            assert life.exitcode == -signal.SIGKILL, f"a process ended by itself, see {self._orders.folder}/lives.log"

    async def lead(self, point: str, nth: int, *, which: int = 0) -> None:
        """A whole life: until its point, or until a random moment."""
        self.start(point, nth, which=which)
        life, end = self._lives[which], time.monotonic() + (LONGEST if point else DICE.uniform(0.05, 1.0))
        while life and life.is_alive() and time.monotonic() < end:
            await asyncio.sleep(0.01)
        assert not (point and life and life.is_alive()), f"in {LONGEST:.0f} s it never came to '{point}' ({nth})"
        self.deaths[point or "at random"] += 1
        self.kill(which)

    async def verdict(self, patience: float = 30.0) -> list[str]:
        """The last process may finish its work, as long as it gets on within so many seconds; then all is looked at."""
        self.start()
        self.provider.moody = False
        await self.world.end()
        store = Store(self._orders.database)
        try:
            least, end = math.inf, 0.0
            while (left := await store.read(self._left)) and (left < least or time.monotonic() < end):
                if left < least:
                    least, end = left, time.monotonic() + patience
                await asyncio.sleep(0.05)
            for which in range(len(self._lives)):
                self.kill(which)
            return await store.read(lambda c: faults(c, self.evidence))
        finally:
            await store.close()

    @property
    def evidence(self) -> Evidence:
        """What the world knows."""
        streams = {visitor.chat: visitor.seen for visitor in self.world.visitors}
        return Evidence(self.world.acknowledged, self.provider.seen, streams)

    def _left(self, connection: Connection) -> int:
        """How much is not handled, not sent, or not seen by a visitor yet; a chat that is not there may be lost."""
        last = {row.id: row.message_seq for row in connection.execute(text("SELECT id, message_seq FROM chat"))}
        unseen = sum(last.get(v.chat, 1) - (v.seen[-1][0] if v.seen else 0) for v in self.world.visitors)
        return int((connection.scalar(text(OPEN)) or 0) + (connection.scalar(text(DUE)) or 0) + unseen)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
