"""The database, one transaction at a time.

Work on the database is a plain function of a connection: ``await store.write(work)`` runs it in one transaction
and commits, ``await store.read(work)`` runs it in one that only reads. Nothing else commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import InterfaceError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoConnection

from bot.databaseurl import file_of, for_driver

if TYPE_CHECKING:
    from bot.postgres import Postgres
    from bot.sqlite import Sqlite

R = TypeVar("R")
Work = Callable[[Connection], R]


class Away(Exception):
    """The database cannot be reached or cannot write just now (away, disk full, locked). Nothing was changed."""


class RowLocked(Away):
    """A row that is needed is kept locked by somebody else; what has nothing to do with it can still be written."""


class Unusable(Exception):
    """What the URL names is no database of ours, or we may not use it."""

    exit_code = 2


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
        self._database: Sqlite | Postgres
        if self.dialect == "sqlite":
            from bot.sqlite import Sqlite  # the driver of the other one is not loaded

            self._database = Sqlite(self.url, durable=durable, readers=pool)
        else:
            from bot.postgres import Postgres

            self._database = Postgres(self.url, durable=durable, pool=pool)

    async def write(self, work: Work[R], *, first: bool = False, shared: bool = False) -> R:
        """Run ``work`` in one transaction and commit it. ``first``: somebody waits for an acknowledgement. ``shared``:
        it is the work of several, who do not wait for long for a row that only one of them needs: raises RowLocked."""
        try:
            with self._reachable():
                result = await self._database.write(work, first, shared)
        except RowLocked:
            raise
        except Away:
            self.writable = False
            raise
        self.writable = True
        return result

    async def read(self, work: Work[R]) -> R:
        """Run ``work`` in one transaction that only reads."""
        with self._reachable():
            return await self._database.read(work)

    async def listen(self, topic: str, heard: Callable[[str], None]) -> None:
        """Call ``heard`` with every payload told on ``topic`` until the connection ends; PostgreSQL only."""
        from bot.postgres import listen

        with self._reachable():
            await listen(self.url, topic, heard)

    async def close(self) -> None:
        """Close every connection."""
        await self._database.close()

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """Whatever says that the database is not there, or cannot write, is ``Away``."""
        try:
            yield
        except PendingRollbackError as error:  # the server had hung up before we could take back what was begun
            raise Away(_first_line(error.__context__ or error)) from error
        except (OperationalError, InterfaceError, NoConnection, OSError, TimeoutError) as error:
            raise Away(_first_line(error)) from error
        except Exception as error:
            if self._database.away(error):
                raise (RowLocked if self._database.row_locked(error) else Away)(_first_line(error)) from error
            if "file is not a database" in str(getattr(error, "orig", error)):
                raise Unusable("the file that database names is not a SQLite database; name another") from None
            if "unrecognized configuration parameter" in str(error):
                raise Unusable(f"the URL of the database: {_first_line(error)}; leave it out") from None
            raise


def _first_line(error: BaseException) -> str:
    error = getattr(error, "orig", None) or error  # the database's own words
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
