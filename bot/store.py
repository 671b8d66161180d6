"""The database, one transaction at a time.

Work on the database is a plain function of a connection: ``await store.write(work)`` runs it in one transaction
and commits, ``await store.read(work)`` runs it in one that only reads. Nothing else commits.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.util import await_, greenlet_spawn

from bot.databaseurl import file_of, for_driver
from bot.jsontext import dumps, loads

R = TypeVar("R")
Work = Callable[[Connection], R]

# SQLSTATE: no connection, nobody let in, no such database, deadlock, nothing left, shut, going or coming
# or nothing may be written, it took too long, or others were in the way
AWAY = ("08", "28", "3D000", "40P01", "53", "55000", "57P0", "25006", "25P03", "25P04", "40001", "55P03", "57014")


class Away(Exception):
    """The database cannot be reached or cannot write just now (away, disk full, locked). Nothing was changed."""


class Unusable(Exception):
    """What the URL names is no database of ours, or we may not use it."""

    exit_code = 2


JSON: dict[str, Any] = {"json_serializer": dumps, "json_deserializer": loads}


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


def _sqlite(engine: Engine, *, begin: str, durable: bool) -> None:
    """SQLAlchemy's defaults lose updates on SQLite: BEGIN is ours, and writers take the lock when they begin."""

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


class _Sqlite:
    """A SQLite file: one thread writes, a few read. A whole transaction is one hop to its thread, where an async
    driver would take one per statement and twice the CPU."""

    def __init__(self, url: URL, *, durable: bool, readers: int) -> None:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        self._writer = sqlite_engine(url, begin="BEGIN IMMEDIATE", durable=durable)
        self._reader = sqlite_engine(url, begin="BEGIN", durable=durable, pool_size=readers)
        self._writing, self._reading = ThreadPoolExecutor(1, "write"), ThreadPoolExecutor(readers, "read")
        self._turnstile = Turnstile()
        self._file, self._inode = Path(str(url.database)), 0

    async def write(self, work: Work[R], first: bool) -> R:
        async with self._turnstile.turn(first=first):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._writing, self._transaction, self._writer, work)

    async def read(self, work: Work[R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._transaction, self._reader, work)

    def _transaction(self, engine: Engine, work: Work[R]) -> R:
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
        for thread, engine in ((self._writing, self._writer), (self._reading, self._reader)):
            thread.shutdown()
            engine.dispose()


class _Postgres:
    """A PostgreSQL database, through asyncpg. BEGIN is ours here, too: hot statements go to the driver itself."""

    def __init__(self, url: URL, *, durable: bool, pool: int) -> None:
        settings = {} if durable else {"synchronous_commit": "off"}
        dsn = url.render_as_string(hide_password=False)  # the driver reads it as every program of PostgreSQL's does
        options: dict[str, Any] = {"connect_args": {"dsn": dsn, "server_settings": settings, "timeout": 5}}
        sizes: dict[str, Any] = {"pool_size": pool, "max_overflow": pool, "pool_timeout": 5}
        self._engine = create_engine("postgresql+asyncpg://", isolation_level="AUTOCOMMIT", **sizes, **JSON, **options)

    async def write(self, work: Work[R], _first: bool) -> R:
        return await greenlet_spawn(self._transaction, work)

    async def read(self, work: Work[R]) -> R:
        return await greenlet_spawn(self._transaction, work)

    def _transaction(self, work: Work[R]) -> R:
        with self._engine.begin() as connection:
            driver: Any = connection.connection.driver_connection
            try:
                await_(driver.execute("BEGIN"))
                result = work(connection)
                await_(driver.execute("COMMIT"))
            except Exception:
                connection.exec_driver_sql("ROLLBACK")  # where it is lost, the layer sees it and gives it up
                raise
            except BaseException:  # told to stop in the middle of something: its locks must not outlive it
                driver.terminate()
                connection.invalidate()
                raise
        return result

    async def close(self) -> None:
        await greenlet_spawn(self._engine.dispose)


class Store:
    """A database by its SQLAlchemy URL: ``sqlite:///FILE`` or ``postgresql://…``.

    ``durable=False`` trades safety for speed in tests that do not ask about crashes.
    """

    def __init__(self, url: str, *, durable: bool = True, pool: int = 4) -> None:
        file = file_of(url)
        self.dialect = "sqlite" if file else "postgresql"
        self.url = URL.create("sqlite", database=str(file)) if file else make_url(for_driver(url))
        self.writers = 1 if self.dialect == "sqlite" else 2  # transactions that may write at the same time
        self.writable = True  # whether the last writing went well
        self._database: _Sqlite | _Postgres
        if self.dialect == "sqlite":
            self._database = _Sqlite(self.url, durable=durable, readers=pool)
        else:
            self._database = _Postgres(self.url, durable=durable, pool=pool)

    async def write(self, work: Work[R], *, first: bool = False) -> R:
        """Run ``work`` in one transaction and commit it. ``first``: somebody waits for an acknowledgement."""
        try:
            with _reachable():
                result = await self._database.write(work, first)
        except Away:
            self.writable = False
            raise
        self.writable = True
        return result

    async def read(self, work: Work[R]) -> R:
        """Run ``work`` in one transaction that only reads."""
        with _reachable():
            return await self._database.read(work)

    async def listen(self, topic: str, heard: Callable[[str], None]) -> None:
        """Call ``heard`` with every payload told on ``topic`` until the connection ends; PostgreSQL only."""
        import asyncpg  # only where PostgreSQL is used

        url = self.url.render_as_string(hide_password=False)
        closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with _reachable():
            connection = await asyncpg.connect(url, timeout=5)
        connection.add_termination_listener(lambda _: None if closed.done() else closed.set_result(None))
        try:
            await connection.add_listener(topic, lambda _c, _p, _t, payload: heard(str(payload)))
            await closed
        finally:
            await connection.close(timeout=1)

    async def close(self) -> None:
        """Close every connection."""
        await self._database.close()


@contextmanager
def _reachable() -> Iterator[None]:
    """Whatever says that the database is not there, or cannot write, is ``Away``."""
    try:
        yield
    except PendingRollbackError as error:  # the server had hung up before we could take back what was begun
        raise Away(_first_line(error.__context__ or error)) from error
    except (OperationalError, InterfaceError, sqlite3.OperationalError, NoConnection, OSError, TimeoutError) as error:
        raise Away(_first_line(error)) from error
    except Exception as error:
        if _away(error):
            raise Away(_first_line(error)) from error
        if "file is not a database" in str(getattr(error, "orig", error)):
            raise Unusable("the file that database names is not a SQLite database; name another") from None
        if "unrecognized configuration parameter" in str(error):
            raise Unusable(f"the URL of the database: {_first_line(error)}; leave it out") from None
        raise


def _away(error: Exception) -> bool:
    """Whether it is the database that cannot, not the question that is wrong: by SQLSTATE, also where only asyncpg
    has a name for it."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    orig = getattr(error, "orig", error)
    damaged = isinstance(orig, sqlite3.DatabaseError) and "malformed" in str(orig)
    state = str(getattr(orig, "sqlstate", None) or "")
    return damaged or state.startswith(AWAY) or (isinstance(error, InternalError) and not state)  # the driver's own


def sqlite_engine(url: URL, *, begin: str = "BEGIN IMMEDIATE", durable: bool = True, pool_size: int = 1) -> Engine:
    """An engine on a SQLite file, with our way of beginning transactions."""
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        connect_args={"check_same_thread": False, "cached_statements": 256},
        **JSON,
    )
    _sqlite(engine, begin=begin, durable=durable)
    return engine


def _first_line(error: BaseException) -> str:
    error = getattr(error, "orig", None) or error  # the database's own words
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
