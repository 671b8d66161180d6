"""A SQLite file as a database: one thread writes, a few read."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event

from bot.jsontext import JSON

R = TypeVar("R")


class Turnstile:
    """Lets one writer in at a time; those who hold up an acknowledgement go first."""

    def __init__(self) -> None:
        self._busy = False
        self._first: deque[asyncio.Future[None]] = deque()
        self._then: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, *, first: bool) -> AsyncIterator[None]:
        """Wait for one's turn."""
        if self._busy:
            line = self._first if first else self._then
            waiter = asyncio.get_running_loop().create_future()
            line.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._next()
                raise
        self._busy = True
        try:
            yield
        finally:
            self._next()

    def _next(self) -> None:
        self._busy = False
        for line in (self._first, self._then):
            while line:
                waiter = line.popleft()
                if not waiter.done():
                    self._busy = True
                    waiter.set_result(None)
                    return


class Sqlite:
    """A SQLite file: one thread writes, a few read. A whole transaction is one hop to its thread, where an async
    driver would take one per statement and twice the CPU."""

    def __init__(self, url: URL, *, durable: bool, readers: int) -> None:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        self._writer = _engine(url, begin="BEGIN IMMEDIATE", durable=durable)
        self._reader = _engine(url, begin="BEGIN", durable=durable, pool_size=readers)
        self._writing, self._reading = ThreadPoolExecutor(1, "write"), ThreadPoolExecutor(readers, "read")
        self._turnstile = Turnstile()
        self._file, self._inode = Path(str(url.database)), 0

    async def write(self, work: Callable[[Connection], R], first: bool, _shared: bool) -> R:
        """See ``Store.write``."""
        async with self._turnstile.turn(first=first):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._writing, self._transaction, self._writer, work)

    async def read(self, work: Callable[[Connection], R]) -> R:
        """See ``Store.read``."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._transaction, self._reader, work)

    def _transaction(self, engine: Engine, work: Callable[[Connection], R]) -> R:
        """A transaction on the file that is there now: what is written into one that was moved away would be lost."""
        if not self._inode and not self._file.exists():
            self._file.touch(0o600)  # what customers say is nobody else's; what SQLite puts beside it follows
        inode = self._file.stat().st_ino
        if inode != self._inode and self._inode:
            self._writer.dispose()
            self._reader.dispose()
        with engine.begin() as connection:
            result = work(connection)
        self._inode = inode
        return result

    async def close(self) -> None:
        """Close every connection."""
        for thread, engine in ((self._writing, self._writer), (self._reading, self._reader)):
            thread.shutdown()
            engine.dispose()

    @staticmethod
    def away(error: Exception) -> bool:
        """Whether it is the file that cannot be read or written just now, not the question that is wrong."""
        own = getattr(error, "orig", error)
        damaged = isinstance(own, sqlite3.DatabaseError) and "malformed" in str(own)
        return damaged or isinstance(own, sqlite3.OperationalError)

    @staticmethod
    def row_locked(_error: Exception) -> bool:
        """Whether only a row is locked: here it is all or nothing."""
        return False


def _engine(url: URL, *, begin: str, durable: bool, pool_size: int = 1) -> Engine:
    """An engine with our way of beginning transactions: SQLAlchemy's defaults lose updates on SQLite. BEGIN is ours,
    and writers take the lock when they begin."""
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        connect_args={"check_same_thread": False, "cached_statements": 256},
        **JSON,
    )

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={'FULL' if durable else 'OFF'}",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "temp_store=MEMORY",
            "cache_size=-16000",
            "mmap_size=268435456",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
