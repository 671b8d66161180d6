"""Customers of a web chat: each sends a message, waits until its answer is on the stream, and sends the next.

Runs in a process of its own: reads one ``Task`` as JSON from standard input, prints one ``Measured`` as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import uvloop
from httptools import HttpResponseParser

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


class Wire(asyncio.Protocol):
    """One connection, kept open. It is bare, because what the customers take of the machine the server has not."""

    def __init__(self, heard: Callable[[bytes], None] | None = None) -> None:
        """``heard`` is told what an answer's body brings, as it comes; without it a body is kept until it is whole."""
        self._heard, self._parser = heard, HttpResponseParser(self)
        self._body = b""
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._transport: Any = None

    @classmethod
    async def to(cls, url: str, heard: Callable[[bytes], None] | None = None) -> Wire:
        """Connect to a server."""
        at = urlsplit(url)
        _, wire = await asyncio.get_running_loop().create_connection(
            lambda: cls(heard), at.hostname or "", at.port or 80
        )
        return wire

    async def ask(self, request: bytes) -> bytes:
        """Send a request; returns the body of its answer. Raises RuntimeError if that says no."""
        if self._transport.is_closing():
            raise RuntimeError("the server hung up")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._answer.done():
            self._answer.set_exception(RuntimeError("the server hung up"))

    def on_body(self, body: bytes) -> None:
        """A piece of an answer."""
        if self._heard:
            self._heard(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """An answer is whole."""
        body, self._body = self._body, b""
        if self._parser.get_status_code() < 300:
            self._answer.set_result(body)
        else:
            self._answer.set_exception(RuntimeError(f"{self._parser.get_status_code()}: {body.decode()}"))


class Customer:
    """One chat: a token, a stream, and at most one question that is not answered yet."""

    def __init__(self, url: str) -> None:
        self._url, self._head = url, f"Host: {urlsplit(url).netloc}\r\n"
        self._asked = ""
        self._heard = False
        self._rest = b""
        self._answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wires: list[Wire] = []

    async def come(self) -> None:
        """Open the chat and its stream."""
        self._wires = [await Wire.to(self._url), await Wire.to(self._url, self._read)]
        session = json.loads(await self._wires[0].ask(self._post("/chat/session", {})))
        self._head += f"Authorization: Bearer {session['token']}\r\n"
        stream = f"GET /chat/events HTTP/1.1\r\n{self._head}\r\n".encode()
        self._streaming = asyncio.create_task(self._wires[1].ask(stream))

    async def ask(self, message: dict[str, str]) -> float:
        """Send it; returns the seconds until its answer was on the stream."""
        self._asked, self._heard = str(uuid4()), False
        self._answer = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        async with asyncio.timeout(PATIENCE):
            await self._wires[0].ask(self._post("/chat/messages", {"id": self._asked, **message}))
            await self._answer
        return time.perf_counter() - began

    async def leave(self) -> None:
        """Close the stream."""
        for wire in self._wires:
            wire.close()
        await asyncio.gather(self._streaming, return_exceptions=True)

    def _post(self, path: str, content: dict[str, str]) -> bytes:
        body = json.dumps(content).encode()
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"POST {path} HTTP/1.1\r\n{self._head}{kind}\r\n".encode() + body

    def _read(self, chunk: bytes) -> None:
        *frames, self._rest = (self._rest + chunk).split(b"\n\n")
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
    customers = [Customer(task.url) for _ in range(task.chats)]
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
    print(json.dumps(asdict(uvloop.run(run(Task(**task))))))


if __name__ == "__main__":
    main()
