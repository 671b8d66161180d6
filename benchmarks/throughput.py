"""Durable messages a second, end to end: HTTP in, stored, acknowledged, handled, recorded, on the customer's stream.

The server is ``aftercare serve`` as anybody runs it, the customers are a process of their own. In the same run: what
this machine's disk can do at most, and opsdroid with the same matcher and everything in memory. Prints one table.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parent.parent))  # so that it can be run as a script

from benchmarks import limits, questions
from benchmarks.ground import HOME, Server, aftercare, free_port, load, postgres, running
from benchmarks.history import fill
from benchmarks.load import Measured, Task
from bot.store import Store
from knowledge import faq

CHATS = (1, 32, 64)
RATE = 50.0  # lone questions a second
FEW = 1000  # stored messages, to compare with many
VENV = HOME / "data" / "benchmark" / "opsdroid"
OPSDROID = ("opsdroid==0.31.0", "setuptools<81", "numpy", "pydantic", "pyyaml", "rapidfuzz")
HEAD = (
    "what",
    "on",
    "chats",
    "messages/s",
    "of the limit",
    "× opsdroid",
    "CPU µs/message",
    "× opsdroid's",
    "receipt to record, p50 / p99 ms",
    "seen by the customer, p50 / p99 ms",
)


@dataclass
class Bench:
    """One run: what was asked for, and the rows so far."""

    seconds: float
    chats: tuple[int, ...]
    rows: int
    folder: Path
    said: dict[str, list[dict[str, str]]]
    table: list[tuple[str, ...]] = field(default_factory=list)
    opsdroid: dict[tuple[str, int], Measured] = field(default_factory=dict)

    def task(self, server: Server, what: str, chats: int, rate: float = 0.0) -> Measured:
        """Let so many customers loose."""
        return load(Task(server.url, self.said[what], chats, self.seconds, rate, pids=server.pids))

    def add(self, what: str, on: str, *cells: str) -> None:
        """A row of the table, also told at once."""
        row = (what, on, *cells, *([""] * (len(HEAD) - 2 - len(cells))))
        self.table.append(row)
        print("·", *(cell for cell in row if cell), flush=True)

    def measured(self, what: str, on: str, chats: int, seen: Measured, limit: float, inside: list[float]) -> None:
        """A row about a load."""
        speed, other = seen.messages / seen.seconds, self.opsdroid.get((what, chats))
        self.add(
            what,
            on,
            str(chats),
            f"{speed:,.0f}",
            f"{speed / limit:.1%}" if limit else "",
            f"{speed / (other.messages / other.seconds):.2f}" if other else "",
            f"{seen.cpu * 1e6:,.0f}",
            f"{seen.cpu / other.cpu:.2f}" if other else "",
            _spread(inside),
            _spread(seen.latencies),
        )


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return ""
    ordered = sorted(seconds)
    return f"{ordered[len(ordered) // 2] * 1e3:.1f} / {ordered[int(len(ordered) * 0.99)] * 1e3:.1f}"


def recorded(database: str, since: float) -> list[float]:
    """Seconds from receipt to record of every message since then."""
    query = text("SELECT done_at - received_at FROM inbox WHERE received_at >= :since AND outcome = 'replied'")

    async def read() -> list[float]:
        store = Store(database)
        found = await store.read(lambda c: [float(row[0]) for row in c.execute(query, {"since": since})])
        await store.close()
        return found

    return asyncio.run(read())


# ---------------------------------------------------------------- databases


@dataclass(frozen=True)
class Ground:
    """A kind of database: new ones on demand, and what it can do at most."""

    name: str
    limit: limits.Limit
    folder: Path
    url: str = ""  # PostgreSQL's, with {name}

    def database(self, name: str) -> str:
        """A new, empty database."""
        if not self.url:
            return f"sqlite:///{self.folder}/{name}.db"
        asyncio.run(_create(self.url.format(name="postgres"), name))
        return self.url.format(name=name)


async def _create(url: str, name: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


@contextmanager
def ground(name: str, folder: Path) -> Iterator[Ground]:
    """SQLite or PostgreSQL, ready to be measured."""
    if name == "sqlite":
        yield Ground("SQLite", limits.sqlite_limit(folder), folder)
        return
    with postgres(folder / "pg") as (url, _):
        yield Ground("PostgreSQL", limits.postgres_limit(url.format(name="postgres")), folder, url)


# ---------------------------------------------------------------- what is measured


def speed(bench: Bench, place: Ground, workers: int, chats: tuple[int, ...]) -> None:
    """Buttons and questions, as fast as answers come; and lone questions at an even pace."""
    on = f"{place.name}, {workers} process{'es' * (workers > 1)}"
    database = place.database(f"speed{workers}")
    with aftercare(bench.folder, database, workers) as server:
        server.first_answer()
        for what in ("buttons", "questions"):
            for many in chats:
                seen = bench.task(server, what, many)
                bench.measured(what, on, many, seen, place.limit.grouped, recorded(database, seen.began))
        if workers == 1:
            seen = bench.task(server, "questions", 50, RATE)
            bench.measured(f"lone questions, {RATE:.0f}/s", on, 50, seen, 0, recorded(database, seen.began))


def flat(bench: Bench, place: Ground) -> None:
    """The same load on a short and on a long history, in turns."""
    databases = {count: place.database(f"flat{count}") for count in (FEW, bench.rows)}
    for count, database in databases.items():
        fill(database, count)
    rates: dict[int, list[float]] = {count: [] for count in databases}
    costs: dict[int, list[float]] = {count: [] for count in databases}
    for count in (FEW, bench.rows) * 3:
        with aftercare(bench.folder, databases[count]) as server:
            server.first_answer()
            seen = bench.task(server, "buttons", 32)
            rates[count].append(seen.messages / seen.seconds)
            costs[count].append(seen.cpu)
    slower, dearer = (statistics.median(of[FEW]) / statistics.median(of[bench.rows]) for of in (rates, costs))
    cost = f"CPU × {1 / dearer:.2f}"
    many = f"{bench.rows:,} stored messages instead of {FEW:,}"
    bench.add(many, place.name, "32", f"time × {slower:.2f}", "", "", cost)


def start(bench: Bench, place: Ground) -> None:
    """From nothing, again, and with answers that were edited meanwhile in both languages."""
    database = place.database("start")
    shutil.rmtree(bench.folder / "data", ignore_errors=True)
    for what in ("first start ever", "start", "start, answers edited"):
        with aftercare(bench.folder, database, edited=what.endswith("edited")) as server:
            took = server.first_answer()
            time.sleep(2)
            idle = f"idle {server.memory():.0f} MB"
            bench.add(what, place.name, "", f"first answer after {took:.2f} s", "", "", idle)


def opsdroid(bench: Bench) -> None:
    """The same customers, the same matcher, everything in memory."""
    python = VENV / "bin" / "python"
    if not (VENV / "installed").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *OPSDROID], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"opsdroid cannot be installed here ({type(error).__name__}); going on without it")
            return
        (VENV / "installed").touch()
    port = free_port()
    command = [str(python), "-m", "benchmarks.opsdroid_shop", str(port)]
    with running(command, port, bench.folder) as server:
        server.first_answer()
        for what in ("buttons", "questions"):
            for many in bench.chats:
                seen = bench.opsdroid[what, many] = bench.task(server, what, many)
                bench.measured(what, "opsdroid, in memory", many, seen, 0, [])


# ---------------------------------------------------------------- the run


def machine() -> str:
    """What it ran on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    chip = names[0] if names else platform.processor() or platform.machine()
    busy = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {chip}; Python {platform.python_version()}; SQLite {sqlite3.sqlite_version}; "
        f"load average before: {busy:.1f}"
    )


def options() -> argparse.Namespace:
    """What to run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=["sqlite", "postgresql", "opsdroid"], help="may be repeated")
    parser.add_argument("--part", action="append", choices=["speed", "flat", "start"], help="may be repeated")
    parser.add_argument("--quick", action="store_true", help="shorter runs, 64 chats only, a tenth of the rows")
    parser.add_argument("--seconds", type=float, default=6.0, help="of one measurement")
    parser.add_argument("--rows", type=int, default=1_000_000, help="stored messages of the long history")
    return parser.parse_args()


def main() -> None:
    """Measure, then print the table."""
    warnings.simplefilter("ignore")
    wanted, answers = options(), faq.read(HOME / "knowledge" / "faq", ("en", "zh"))
    kinds, parts = wanted.only or ["opsdroid", "sqlite", "postgresql"], wanted.part or ["speed", "start", "flat"]
    VENV.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=VENV.parent))  # on the disk the product would use, not on one in memory
    said = {"buttons": questions.buttons(answers), "questions": questions.texts(answers, 40_000)}
    seconds, rows = (3.0, wanted.rows // 10) if wanted.quick else (wanted.seconds, wanted.rows)
    bench = Bench(seconds, CHATS[-1:] if wanted.quick else CHATS, rows, folder, said)
    place = machine()
    try:
        if "opsdroid" in kinds and "speed" in parts:
            opsdroid(bench)
        for kind in (k for k in kinds if k != "opsdroid"):
            with ground(kind, folder) as own:
                on = f"{own.name}, nothing else"
                bench.add("limit: one row a commit", on, "1", f"{own.limit.single:,.0f}")
                bench.add("limit: 32 rows a commit", on, "32", f"{own.limit.grouped:,.0f}", "100%")
                run(bench, own, parts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{place}\n")
    for line in (HEAD, tuple("---" for _ in HEAD), *bench.table):
        print("|", " | ".join(line), "|")


def run(bench: Bench, place: Ground, parts: list[str]) -> None:
    """The parts wanted, on one kind of database."""
    if "start" in parts:
        start(bench, place)
    if "speed" in parts:
        speed(bench, place, 1, bench.chats)
        if place.url:
            for workers in (2, 4):
                speed(bench, place, workers, bench.chats[-1:])
    if "flat" in parts:
        flat(bench, place)


if __name__ == "__main__":
    main()
