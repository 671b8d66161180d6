"""One transaction of a command, beside a running server or without one."""

from __future__ import annotations

import asyncio

from bot.config import Settings
from bot.databaseurl import file_of
from bot.migrate import migrate, newest, revision
from bot.store import Away, R, Store, Work

WAY_OUT = "`aftercare migrate` makes it so"


class NotReady(Exception):
    """The database is not there, or is not that of this version."""


def run(settings: Settings, work: Work[R], *, write: bool = False) -> R:
    """Run ``work`` in one transaction on the database as it is, and return its result. Raises NotReady."""
    file = file_of(settings.database)
    if file and not file.exists():
        raise NotReady(f"there is no database at {file}; {WAY_OUT}")
    try:
        return asyncio.run(_run(settings.database, work, write=write))
    except Away as error:
        raise NotReady(f"the database cannot be reached: {error}") from None


def run_on_upgraded(settings: Settings, work: Work[R]) -> R:
    """Run ``work`` in one transaction that writes, on a database that is created or upgraded first. Raises Away."""
    return asyncio.run(_run_on_upgraded(settings.database, work))


async def _run(database: str, work: Work[R], *, write: bool) -> R:
    store = Store(database, pool=1)
    try:
        if await store.read(revision) != newest():
            raise NotReady(f"the database is not that of this version; {WAY_OUT}")
        return await (store.write if write else store.read)(work)
    finally:
        await store.close()


async def _run_on_upgraded(database: str, work: Work[R]) -> R:
    store = Store(database, pool=1)
    try:
        await migrate(store)
        return await store.write(work)
    finally:
        await store.close()
