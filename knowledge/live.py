"""Keeps the knowledge in force in step with the files: rebuilt beside the event loop, swapped whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from watchfiles import awatch

log = logging.getLogger("aftercare.knowledge")
SETTLE = 200  # milliseconds without a further write before a change is read
POLL = 50  # milliseconds between looks for one


class Versioned(Protocol):
    """What can be told from its successor."""

    @property
    def version(self) -> str:
        """Changes when the content does."""


T = TypeVar("T", bound=Versioned)


class Shelf(Generic[T]):
    """``now`` is the knowledge in force; ``problem`` says why the files on disk are not it ("" = they are)."""

    def __init__(self, make: Callable[[], T], folders: Iterable[Path], now: T) -> None:
        """``make`` reads the folders and builds, again and again; ``now`` is what it made at the start."""
        self._make = make
        self._folders = tuple(folders)
        self.now = now
        self.problem = ""

    async def watch(self, stop: asyncio.Event | None = None) -> None:
        """Until stopped, turn every good change into the knowledge in force; turns under way keep theirs."""
        async for _ in self._changes(stop):
            await self.reload()

    async def reload(self) -> bool:
        """Read again; False and a ``problem`` if the files cannot be used, then what was in force stays."""
        try:
            fresh = await asyncio.to_thread(self._make)
        except Exception as error:  # whatever an edit can break must not take the bot down
            self.problem = str(error) or type(error).__name__
            log.error("knowledge not reloaded, version %s stays in force: %s", self.now.version, self.problem)
            return False
        changed = fresh.version != self.now.version
        self.now, self.problem = fresh, ""
        if changed:
            log.info("knowledge reloaded, version %s", fresh.version)
        return changed

    def _changes(self, stop: asyncio.Event | None) -> AsyncIterator[object]:
        return awatch(
            *self._folders,
            watch_filter=lambda _, path: path.endswith((".yaml", ".yml")),
            debounce=2000,
            step=SETTLE,
            rust_timeout=1000,
            poll_delay_ms=POLL,
            stop_event=stop,
        )
