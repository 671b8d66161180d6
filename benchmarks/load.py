"""Customers of a web chat: each sends a message, waits until its answer is on the stream, and sends the next.

Runs in a process of its own: reads one ``Task`` as JSON from standard input, prints one ``Measured`` as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from typing import Any
from uuid import uuid4

import aiohttp
import psutil

PATIENCE = 60.0  # seconds for one answer


@dataclass(frozen=True, slots=True)
class Task:
    """What to send, and at which pace. ``rate``: messages a second in all, evenly spaced; 0: as answers come."""

    url: str
    messages: list[dict[str, str]]  # {"text"} or {"choice"}; every one is sent at most once if there are enough
    chats: int
    seconds: float
    rate: float = 0.0
    warm_up: float = 1.0
    pids: list[int] = field(default_factory=list)  # processes whose CPU time is counted, with their children


@dataclass(slots=True)
class Measured:
    """What the customers saw; times in seconds."""

    began: float  # wall clock
    messages: int
    seconds: float
    latencies: list[float]
    cpu: float  # of the server's processes, per message
    own_cpu: float  # of the customers, per message: what the machine has not left for the server


class Customer:
    """One chat: a token, a stream, and at most one question that is not answered yet."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self._headers: dict[str, str] = {}
        self._asked = ""
        self._heard = False
        self._answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading: asyncio.Task[None] | None = None

    async def come(self) -> None:
        """Open the chat and its stream."""
        async with self._http.post(f"{self._url}/chat/session", json={}) as response:
            response.raise_for_status()
            self._headers = {"Authorization": f"Bearer {(await response.json())['token']}"}
        stream = await self._http.get(f"{self._url}/chat/events", headers=self._headers)
        stream.raise_for_status()
        self._reading = asyncio.create_task(self._read(stream))

    async def ask(self, message: dict[str, str]) -> float:
        """Send it; returns the seconds until its answer was on the stream."""
        self._asked, self._heard = str(uuid4()), False
        self._answer = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        body = {"id": self._asked, **message}
        async with self._http.post(f"{self._url}/chat/messages", json=body, headers=self._headers) as response:
            if response.status != 202:
                raise RuntimeError(f"{response.status}: {await response.text()}")
            await response.read()
        async with asyncio.timeout(PATIENCE):
            await self._answer
        return time.perf_counter() - began

    async def leave(self) -> None:
        """Close the stream."""
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, stream: aiohttp.ClientResponse) -> None:
        rest = b""
        async for chunk in stream.content.iter_any():
            *frames, rest = (rest + chunk).split(b"\n\n")
            for frame in frames:
                self._seen(frame)

    def _seen(self, frame: bytes) -> None:
        """An answer counts when one's own words stood on the stream before it."""
        _, found, data = frame.partition(b"data: ")
        if not found:
            return
        event = json.loads(data)
        if event.get("id") == self._asked:
            self._heard = True
        elif self._heard and event.get("author") == "bot" and not self._answer.done():
            self._answer.set_result(None)


def cpu(pids: list[int]) -> float:
    """CPU seconds these processes and their children have used."""
    total = 0.0
    for pid in pids:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
    return total


async def closed(
    customers: list[Customer], messages: Iterator[dict[str, str]], until: float
) -> list[tuple[float, float]]:
    """Each customer asks again as soon as he is answered; returns (when answered, how long it took)."""
    answered: list[tuple[float, float]] = []

    async def talk(customer: Customer) -> None:
        while time.perf_counter() < until:
            took = await customer.ask(next(messages))
            answered.append((time.perf_counter(), took))

    await asyncio.gather(*(talk(customer) for customer in customers))
    return answered


async def paced(
    customers: list[Customer], messages: Iterator[dict[str, str]], until: float, rate: float
) -> list[tuple[float, float]]:
    """A question every 1/rate seconds, whatever became of the one before."""
    answered: list[tuple[float, float]] = []
    due, asking = time.perf_counter(), set()

    async def one(customer: Customer) -> None:
        took = await customer.ask(next(messages))
        answered.append((time.perf_counter(), took))

    for customer in cycle(customers):
        due += 1 / rate
        if due > until:
            break
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(one(customer))
        asking.add(task)
        task.add_done_callback(asking.discard)
    await asyncio.gather(*asking)
    return answered


async def run(task: Task) -> Measured:
    """Let the customers in, warm up, measure."""
    messages = cycle(task.messages)
    limits = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=limits, timeout=aiohttp.ClientTimeout(None, sock_connect=10)) as http:
        customers = [Customer(http, task.url) for _ in range(task.chats)]
        for customer in customers:
            await customer.come()
        warm = list(islice(messages, task.chats))
        await asyncio.gather(*(c.ask(m) for c, m in zip(customers, warm, strict=True)))
        if not task.rate:
            await closed(customers, messages, time.perf_counter() + task.warm_up)
        wall, began, used, own = time.time(), time.perf_counter(), cpu(task.pids), time.process_time()
        until = began + task.seconds
        if task.rate:
            answered = await paced(customers, messages, until, task.rate)
        else:
            answered = await closed(customers, messages, until)
        used, own = cpu(task.pids) - used, time.process_time() - own
        for customer in customers:
            await customer.leave()
    last = max(at for at, _ in answered)
    n = len(answered)
    return Measured(wall, n, last - began, sorted(took for _, took in answered), used / n, own / n)


def main() -> None:
    """One task from standard input."""
    task: dict[str, Any] = json.load(sys.stdin)
    print(json.dumps(asdict(asyncio.run(run(Task(**task))))))


if __name__ == "__main__":
    main()
