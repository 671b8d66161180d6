"""Keeps the knowledge in force in step with the files: rebuilt beside the event loop, swapped whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

log = logging.getLogger("aftercare.knowledge")
LOOK = 0.5  # seconds between two looks at the files; between two equal ones nobody is writing
ENDINGS = (".yaml", ".yml")

State = frozenset[tuple[Path, int, int, int]]  # path, inode, size in bytes, and time in ns of the last writing


class Versioned(Protocol):
    """What can be told from its successor."""

    @property
    def version(self) -> str:
        """Changes when the content does."""


T = TypeVar("T", bound=Versioned)


class Shelf(Generic[T]):
    """``now`` is the knowledge in force; ``problem`` says why the files on disk are not it ("" = they are)."""

    def __init__(self, make: Callable[[], T], folders: Iterable[Path], now: T, read: State | None = None) -> None:
        """``make`` reads the folders and builds, again and again; ``now`` is what it made at the start, of the files as
        they were in ``read``: building takes a while, and what is saved meanwhile is not in it.
        """
        self._make = make
        self._folders = tuple(folders)
        self._read = read or state(self._folders)  # the files as they were when they were read last
        self.now = now
        self.problem = ""

    async def watch(self, stop: asyncio.Event | None = None) -> None:
        """Until stopped, turn every good change into the knowledge in force; turns under way keep theirs.

        We look ourselves: who waits to be told of changes is not told of a folder or a link that was replaced whole.
        """
        stop, before = stop or asyncio.Event(), self._read
        while not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await stop.wait()
            found = await asyncio.to_thread(state, self._folders)
            if found is not None and found == before != self._read:
                self._read = found
                await self.reload()
            before = found

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


def state(folders: Iterable[Path]) -> State | None:
    """What tells one state of the files from another; None if a folder went while we looked."""
    found = set()
    try:
        paths = [path for folder in folders for path in folder.rglob("*") if path.suffix in ENDINGS]
    except OSError:
        return None
    for path in paths:
        try:
            told = path.stat()
            found.add((path, told.st_ino, told.st_size, told.st_mtime_ns))
        except OSError:  # a link that leads nowhere, or not for us to see: that is to be said
            found.add((path, 0, 0, 0))
    return frozenset(found)
