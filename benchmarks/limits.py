"""What this machine can do at most: durable commits a second on the same kind of database, with nothing around them."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SECONDS = 2.0
GROUP = 32
WORDS = "x" * 200


class Limit(NamedTuple):
    """Rows a second: one commit each, and in groups of 32."""

    single: float
    grouped: float


def sqlite_limit(folder: Path) -> Limit:
    """SQLite with ``synchronous=FULL``, through Python's own driver."""
    connection = sqlite3.connect(folder / "limit.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, words TEXT)")

    def commit(rows: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO row (words) VALUES (?)", [(WORDS,)] * rows)
        connection.execute("COMMIT")

    limit = Limit(_rate(lambda: commit(1), 1), _rate(lambda: commit(GROUP), GROUP))
    connection.close()
    return limit


def _rate(commit: Callable[[], None], rows: int) -> float:
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        commit()
        done += rows
    return done / (time.perf_counter() - began)


def postgres_limit(url: str) -> Limit:
    """PostgreSQL with its default durability, through asyncpg."""
    return asyncio.run(_postgres(url))


async def _postgres(url: str) -> Limit:
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE IF NOT EXISTS one_row (id BIGSERIAL PRIMARY KEY, words TEXT)")
    insert = await connection.prepare("INSERT INTO one_row (words) SELECT unnest($1::text[])")

    async def rate(rows: int) -> float:
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < SECONDS:
            await insert.fetch([WORDS] * rows)
            done += rows
        return done / (time.perf_counter() - began)

    limit = Limit(await rate(1), await rate(GROUP))
    await connection.close()
    return limit
