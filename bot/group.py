"""Group commit: what waits together is written together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from bot.store import Away

LINGER = 0.003  # seconds; a commit costs as much as four messages


class Group:
    """Items that wait together are written together: one commit for all, each told its own result after it,
    or why it was left out.

    While a commit is under way the next group gathers. A group that is smaller than the last one lingers for a moment,
    because the others are likely to be on their way; who comes alone after one alone waits for nobody. If a group fails
    for a reason that lies in one of its items, each is tried alone, so that no innocent is refused for its neighbour.
    """

    def __init__(self, write: Callable[[list[Any]], Any], most: int = 256) -> None:
        self._write, self._most = write, most
        self._waiting: deque[tuple[Any, asyncio.Future[Any]]] = deque()
        self._running: asyncio.Task[None] | None = None
        self._last = 0  # how many were written together

    async def put(self, item: Any) -> Any:
        """Write one item; returns its result after the commit, or raises what went wrong."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            if len(self._waiting) < self._last:
                await asyncio.sleep(LINGER)
            self._last = min(self._most, len(self._waiting))
            group = [self._waiting.popleft() for _ in range(self._last)]
            try:
                _tell(group, await self._write([item for item, _ in group]))
            except Away as error:
                _fail(group, error)
            except Exception as error:
                await self._alone(group, error)

    async def _alone(self, group: list[tuple[Any, asyncio.Future[Any]]], error: Exception) -> None:
        for one in group if len(group) > 1 else ():
            try:
                _tell([one], await self._write([one[0]]))
            except Exception as own:
                _fail([one], own)
        _fail(group, error)  # the one that was alone already; the others have been told


def _tell(group: list[tuple[Any, asyncio.Future[Any]]], results: Iterable[Any]) -> None:
    for (_, future), result in zip(group, results, strict=True):
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


def _fail(group: list[tuple[Any, asyncio.Future[Any]]], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
