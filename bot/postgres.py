"""A PostgreSQL database, through asyncpg."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.exc import DBAPIError, InternalError
from sqlalchemy.util import await_, greenlet_spawn

from bot.jsontext import JSON

R = TypeVar("R")

# SQLSTATE: no connection, nobody let in, no such database, deadlock, nothing left, shut, going or coming
# or nothing may be written, it took too long, or others were in the way
AWAY = ("08", "28", "3D000", "40P01", "53", "55000", "57P0", "25006", "25P03", "25P04", "40001", "55P03", "57014")

ROW_LOCKED = ("55P03", "57014")  # a shorter statement_timeout ends the wait for a lock first
BEGIN = "BEGIN"
SHARED = "BEGIN; SET LOCAL lock_timeout = '2s'"  # a customer's platform waits for three


class Postgres:
    """A pool of connections. BEGIN is ours here, too: hot statements go to the driver itself."""

    def __init__(self, url: URL, *, durable: bool, pool: int) -> None:
        settings = {} if durable else {"synchronous_commit": "off"}
        dsn = url.render_as_string(hide_password=False)  # the driver reads it as every program of PostgreSQL's does
        options: dict[str, Any] = {"connect_args": {"dsn": dsn, "server_settings": settings, "timeout": 5}}
        sizes: dict[str, Any] = {"pool_size": pool, "max_overflow": pool, "pool_timeout": 5}
        self._engine = create_engine("postgresql+asyncpg://", isolation_level="AUTOCOMMIT", **sizes, **JSON, **options)

    async def write(self, work: Callable[[Connection], R], _first: bool, shared: bool) -> R:
        """See ``Store.write``."""
        return await greenlet_spawn(self._transaction, work, SHARED if shared else BEGIN)

    async def read(self, work: Callable[[Connection], R]) -> R:
        """See ``Store.read``."""
        return await greenlet_spawn(self._transaction, work)

    def _transaction(self, work: Callable[[Connection], R], begin: str = BEGIN) -> R:
        with self._engine.begin() as connection:
            driver: Any = connection.connection.driver_connection
            try:
                await_(driver.execute(begin))
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
        """Close every connection."""
        await greenlet_spawn(self._engine.dispose)

    @staticmethod
    def away(error: Exception) -> bool:
        """Whether it is the server that cannot, not the question that is wrong: by SQLSTATE, also where only asyncpg
        has a name for it."""
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return True
        state = _sqlstate(error)
        return state.startswith(AWAY) or (isinstance(error, InternalError) and not state)  # the driver's own

    @staticmethod
    def row_locked(error: Exception) -> bool:
        """Whether somebody else may keep locked what is needed."""
        return _sqlstate(error) in ROW_LOCKED


def _sqlstate(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")


async def listen(url: URL, topic: str, heard: Callable[[str], None]) -> None:
    """Call ``heard`` with every payload told on ``topic`` until the connection, one of its own, ends."""
    closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    connection = await asyncpg.connect(url.render_as_string(hide_password=False), timeout=5)
    connection.add_termination_listener(lambda _: None if closed.done() else closed.set_result(None))
    try:
        await connection.add_listener(topic, lambda _c, _p, _t, payload: heard(str(payload)))
        await closed
    finally:
        await connection.close(timeout=1)
