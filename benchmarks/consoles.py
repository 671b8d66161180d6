"""The console under load: how soon 200 open ones show a customer's words, and its pages with 100 000 conversations.

    python -m benchmarks.consoles [--consoles 200] [--messages 20] [--conversations 100000] [--together]

``live`` starts a server on SQLite: one console alone, then each with a conversation of its own in which customers write
in turn; with ``--together`` all look at the same one. Server and load share the machine, so what a message costs either
of them stands there too, all that goes on between two messages included. ``pages`` asks a console without a network, on
a database with a past; printed is the median of RUNS requests, and how the FAQ's use is read. The machine's load stands
beside the figures: they are worth as much as it was quiet.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import httpx2
import psutil
from sqlalchemy import Connection, select, text
from starlette.applications import Starlette
from starlette.routing import Mount

from benchmarks.ground import Server, aftercare
from benchmarks.history import PER_CHAT, fill
from bot.app import App
from bot.config import Settings
from bot.migrate import migrate
from bot.store import Store
from bot.tables import conversation
from handoff import accounts, sessions
from handoff.console import open_console

RUNS = 15
PAUSE = 0.7  # seconds between two messages of the customer
PAGES = (
    *(f"/?tab={tab}" for tab in ("mine", "queue", "all", "closed")),
    *("/tickets", "/tickets?whose=closed", "/tickets?view=board", "/customers?q=router", "/?q=router"),
    *("/alarms", "/wall", "/dead", "/faq", "/people", "/audit", "/conversations/{number}", "/list?tab=all", "/counts"),
)
LATELY = (  # what makes a past a present: some open, tickets, a month of answers and of questions without one
    "UPDATE conversation SET owner = 'queue', closed_at = NULL WHERE id % 500 = 0",
    "INSERT INTO handover (conversation_id, reason, priority, wants, packet, waiting_since) "
    "SELECT id, 'asked', id % 3, '{}', '{}', :now - id % 900 FROM conversation WHERE owner = 'queue'",
    "INSERT INTO ticket (number, conversation_id, chat_id, customer_id, cause_inbox_id, kind, state, owner, priority, "
    "subject, due_at, opened_at, closed_at, epoch) SELECT 'T-' || id, id, chat_id, customer_id, id * 10, 'question', "
    "CASE WHEN id % 10 THEN 'closed' ELSE 'new' END, 'queue', 'normal', 'The light is red', :now + id, opened_at, "
    "CASE WHEN id % 10 THEN :now END, 0 FROM conversation WHERE id % 5 = 0",
    "INSERT INTO fact (at, kind, chat_id, conversation_id, data) SELECT :now - id, 'answered', chat_id, id, "
    "json_object('entry', 'entry-' || (id % 90)) FROM conversation",
    "INSERT INTO fact (at, kind, chat_id, conversation_id, data) SELECT :now - id, 'unknown', chat_id, id, "
    "json_object('question', 'Can it fly to number ' || (id % 400)) FROM conversation WHERE id % 10 = 0",
)
USES = (
    "EXPLAIN QUERY PLAN SELECT json_extract(data, '$.entry'), conversation_id FROM fact "
    "WHERE kind = 'answered' AND at > 1 ORDER BY at DESC LIMIT 20000"
)


def told(name: str, seconds: list[float]) -> None:
    """One line of figures, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    p50, p95, p99 = (1000 * cuts[at] for at in (49, 94, 98))
    load = os.getloadavg()[0]
    line = f"{name:>12}: p50 {p50:7.1f}   p95 {p95:7.1f}   p99 {p99:7.1f}   max {1000 * max(seconds):7.1f}"
    print(f"{line}   load {load:.1f}")


# ---------------------------------------------------------------- open consoles


def live(consoles: int, messages: int, *, together: bool) -> None:
    """From the customer's request until each console has his words."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/a.db"
        with aftercare(Path(folder), database) as server:
            server.first_answer()
            tokens = asyncio.run(_agents(database, consoles))
            print(f"milliseconds from a customer's request to the event on a console, {messages} messages")
            alone = asyncio.run(_heard(server, database, tokens[:1], messages, 1))
            told("1 console", alone)
            everybody = asyncio.run(_heard(server, database, tokens, messages, 1 if together else consoles))
            told(f"{consoles} consoles", everybody)
            print(f"       ratio of medians: {statistics.median(everybody) / statistics.median(alone):.1f}")


async def _agents(database: str, many: int) -> list[str]:
    """Ten agents with as many sessions as there are consoles."""

    def write(connection: Connection) -> list[str]:
        ids = [accounts.add(connection, f"agent{n}", role="supervisor", name=f"Agent {n}") for n in range(10)]
        return [sessions.begin(connection, ids[n % 10], "benchmark") for n in range(many)]

    store = Store(database)
    made: list[str] = await store.write(write)
    await store.close()
    return made


async def _heard(server: Server, database: str, tokens: list[str], messages: int, rooms: int) -> list[float]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(server.url, connector=connector, timeout=aiohttp.ClientTimeout()) as http:
        customers = [await _customer(http) for _ in range(rooms)]
        await asyncio.sleep(3.0)
        numbers = await _latest(database, rooms)
        began: dict[str, float] = {}
        found: list[float] = []
        ready = asyncio.Semaphore(0)
        pages = [_page(http, token, numbers[n % rooms], began, found, ready) for n, token in enumerate(tokens)]
        open_ones = [asyncio.create_task(page) for page in pages]
        for _ in tokens:
            await ready.acquire()
        await asyncio.sleep(3.0)
        worked = _worked(server)
        for n in range(messages):
            words = f"words {n} {uuid4()}"
            began[words] = time.perf_counter()
            await _say(http, customers[n % rooms], words)
            await asyncio.sleep(PAUSE)
        wanted, end = messages * len(tokens) // rooms, time.perf_counter() + 40
        while len(found) < wanted and time.perf_counter() < end:
            await asyncio.sleep(0.1)
        cost = (1000 * (now - then) / messages for then, now in zip(worked, _worked(server), strict=True))
        print("       CPU a message: server {:.0f} ms, load {:.0f} ms".format(*cost))
        for page in open_ones:
            page.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)
    if len(found) < wanted:
        print(f"{wanted - len(found)} of {wanted} events did not come in time")
    return found


def _worked(server: Server) -> tuple[float, float]:
    """Seconds of CPU that the server and this process have taken."""
    its = psutil.Process(server.pids[0]).cpu_times()
    return its.user + its.system, time.process_time()


async def _customer(http: aiohttp.ClientSession) -> dict[str, str]:
    """A customer who has asked something: what he says who he is with."""
    async with http.post("/chat/session", json={}) as answer:
        headers = {"Authorization": f"Bearer {(await answer.json())['token']}"}
    await _say(http, headers, "How do I reset my router?")
    return headers


async def _say(http: aiohttp.ClientSession, headers: dict[str, str], words: str) -> None:
    async with http.post("/chat/messages", json={"id": str(uuid4()), "text": words}, headers=headers) as answer:
        answer.raise_for_status()


async def _latest(database: str, many: int) -> list[str]:
    """The numbers of the last conversations, in the order in which they were opened."""
    store = Store(database)
    query = select(conversation.c.number).order_by(conversation.c.id.desc()).limit(many)
    numbers = await store.read(lambda c: list(c.scalars(query)))
    await store.close()
    return numbers[::-1]


async def _page(
    http: aiohttp.ClientSession,
    token: str,
    number: str,
    began: dict[str, float],
    found: list[float],
    ready: asyncio.Semaphore,
) -> None:
    """One open console."""
    headers = {"Cookie": f"aftercare={token}"}
    async with http.get(f"/console/events?conversation={number}&after=0", headers=headers) as events:
        events.raise_for_status()
        first = True
        async for line in events.content:
            if first:
                first = False
                ready.release()
            if line.startswith(b"data: {") and b'"text":"words ' in line:
                now, words = time.perf_counter(), json.loads(line[6:]).get("text")
                if words in began:
                    found.append(now - began[words])


# ---------------------------------------------------------------- pages


def pages(conversations: int) -> None:
    """Server time of each page."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/a.db"
        began = time.perf_counter()
        fill(database, conversations * PER_CHAT)
        print(f"{conversations} conversations put in within {time.perf_counter() - began:.0f} s")
        asyncio.run(_pages(database, Path(folder)))


async def _pages(database: str, folder: Path) -> None:
    store = Store(database)
    await migrate(store)

    def lately(connection: Connection) -> tuple[str, str]:
        for statement in LATELY:
            connection.execute(text(statement), {"now": time.time()})
        connection.execute(text("ANALYZE"))
        who = accounts.add(connection, "chief", role="admin", name="Chief")
        number = connection.scalar(select(conversation.c.number).where(conversation.c.owner == "queue").limit(1))
        return sessions.begin(connection, who, "benchmark"), str(number)

    token, number = await store.write(lately)
    app = App(Settings(database=database, data=folder), store=store, channels=[])
    transport = httpx2.ASGITransport(app=Starlette(routes=[Mount("/console", app=open_console(app))]))
    base = "http://localhost"
    async with httpx2.AsyncClient(transport=transport, base_url=base, cookies={"aftercare": token}) as client:
        print("milliseconds of one request: median wall time, median CPU time, and the slowest")
        for path in PAGES:
            await _measured(client, path.format(number=number))
    for row in await store.read(lambda c: list(c.execute(text(USES)))):
        print(f"the FAQ's use is read by: {row[-1]}")
    await store.close()


async def _measured(client: httpx2.AsyncClient, path: str) -> None:
    wall, cpu = [], []
    for _ in range(RUNS):
        began, worked = time.perf_counter(), time.process_time()
        answer = await client.get(f"/console{path}")
        wall.append(1000 * (time.perf_counter() - began))
        cpu.append(1000 * (time.process_time() - worked))
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")
    median, worked = statistics.median(wall), statistics.median(cpu)
    print(f"{path:>28}: {median:7.1f} {worked:7.1f} {max(wall):7.1f}   load {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Measure what was asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--consoles", type=int, default=200)
    asked.add_argument("--messages", type=int, default=20)
    asked.add_argument("--conversations", type=int, default=100_000)
    asked.add_argument("--part", choices=("live", "pages"), action="append")
    asked.add_argument("--together", action="store_true")
    options: Any = asked.parse_args()
    parts = options.part or ["live", "pages"]
    if "live" in parts:
        live(options.consoles, options.messages, together=options.together)
    if "pages" in parts:
        pages(options.conversations)


if __name__ == "__main__":
    main()
