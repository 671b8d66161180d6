"""The lock on a SQLite file: one process serves it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Busy(Exception):
    """Another process serves this SQLite file, or could without our noticing."""


class ServingLock:
    """The lock on a SQLite file that its one serving process holds; the operating system drops it with the process."""

    def __init__(self, database: str) -> None:
        self._database = Path(database).resolve()  # by whatever link it is reached, it is one file
        self._path = Path(f"{self._database}.lock")
        self._fd = -1

    def take(self) -> None:
        """Take the lock or raise Busy: it has another name, by which it has another lock, or somebody has this one."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # what customers say is nobody else's
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            place = os.pread(fd, 200, 0).decode("utf-8", "replace")
            os.close(fd)
            where = f"; its web chat is at {place}" if place else ""
            raise Busy(f"another aftercare process serves {self._database}{where}") from None
        self._fd = fd
        os.ftruncate(fd, 0)
        if self._database.exists() and (names := self._database.stat().st_nlink) > 1:
            self.drop()
            raise Busy(
                f"{self._database} has {names} names (hard links), but SQLite keeps what it writes beside one name: "
                "served or read by two, it would be destroyed. Remove the other names; `aftercare backup` makes a copy"
            )

    def tell(self, place: str) -> None:
        """Where whoever finds the lock taken can reach us: the web chat's address."""
        os.pwrite(self._fd, place.encode(), 0)

    def drop(self) -> None:
        """Let go."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
