"""What a slow or a hostile peer may hold of ours: a connection ends when it should, and works until then."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn

from bot import connection
from bot.server import listen

QUICK = 0.15  # seconds
PATIENCE = 20  # seconds a busy machine may take


@dataclass
class Site:
    """A running server: what its app has been asked, and what became of it."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", scope["path"] != "/no"
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                self.ended.append("gone")
                return
            body, more = body + event["body"], event["more_body"]
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        if scope["path"] == "/flood":
            listening = asyncio.create_task(receive())
            while not listening.done():
                await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            self.ended.append("not read")
        await send({"type": "http.response.body", "body": b"ok"})

    async def ask(self, *pieces: bytes, pause: float = 0.0) -> bytes:
        """Send the pieces; everything that comes until the other side hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        reading = asyncio.create_task(_all_of(reader))
        try:
            for piece in pieces:
                if reading.done():
                    break
                writer.write(piece)
                await asyncio.sleep(pause)
            async with asyncio.timeout(PATIENCE):
                return await reading
        finally:
            reading.cancel()
            writer.close()


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    """What comes, also if in the end the other side hangs up on what we were still saying."""
    said = b""
    with suppress(ConnectionResetError):
        while piece := await reader.read(65536):
            said += piece
    return said


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    for name in ("HEAD_TIME", "GRACE", "STALL"):
        monkeypatch.setattr(connection, name, QUICK)
    one = Site()
    listener = listen("127.0.0.1", 0)
    one.port = listener.getsockname()[1]
    config = uvicorn.Config(
        one.app,
        log_config=None,
        interface="asgi3",
        lifespan="off",
        ws="none",
        **{**connection.settings(), "limit_concurrency": 6},
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield one
    server.should_exit = True
    await running


GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
CLOSE = b"Connection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


async def test_who_says_nothing_is_not_waited_for(site: Site) -> None:
    assert await site.ask() == b""


@pytest.mark.parametrize("pieces", [(b"GET / HT",), (GET, b"A: b\r\n"), (GET, *[b"A: b\r\n"] * 40)])
async def test_a_head_that_does_not_end(site: Site, pieces: tuple[bytes, ...]) -> None:
    answer = await site.ask(*pieces, pause=QUICK / 10)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert not site.bodies


async def test_a_head_that_is_too_long(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_TIME", PATIENCE)  # a busy machine takes its time to send it
    answer = await site.ask(GET, *[b"A: " + b"b" * 1000 + b"\r\n"] * 100, pause=0.0005)
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("head", [b"Content-Length: 9\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"])
async def test_a_body_that_does_not_come(site: Site, head: bytes) -> None:
    assert (await site.ask(POST + head)).startswith(b"HTTP/1.1 408 ")
    assert site.ended == ["gone"]


async def test_a_body_that_comes_byte_by_byte(site: Site) -> None:
    answer = await site.ask(POST, b"Content-Length: 999\r\n\r\n", *[b"x"] * 100, pause=QUICK / 10)
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_slow_body_that_comes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "GRACE", 1.0)
    pieces = [b"x" * 1000] * 10  # it takes longer than GRACE, and is faster than PACE
    answer = await site.ask(POST, b"Content-Length: 10000\r\n" + CLOSE, *pieces, pause=0.12)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert site.bodies == [b"x" * 10_000]


async def test_who_is_refused_while_he_speaks_hears_it(site: Site) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(POST.replace(b"/ ", b"/no ") + b"Content-Length: 50000\r\n" + CLOSE)
    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
    writer.write(b"x" * 50_000)
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b"\r\n0\r\n\r\n"
    writer.close()


async def test_what_comes_after_a_body_is_nobodys(site: Site) -> None:
    body = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX-Late: y\r\n\r\n"
    assert (await site.ask(POST + body)).startswith(b"HTTP/1.1 200 ")
    assert site.bodies == [b"abc"]


async def test_several_requests_in_one_piece_and_one_in_several(site: Site) -> None:
    whole = POST + b"Content-Length: 3\r\n\r\n"
    answer = await site.ask(whole + b"abc" + whole + b"de", b"f" + GET[:9], GET[9:] + CLOSE, pause=0.01)
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert site.bodies == [b"abc", b"def", b""]


async def test_who_asks_for_another_protocol_is_answered_in_this_one(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for wish in (b"websocket", b"h2c"):
        answer = await site.ask(GET + b"Upgrade: " + wish + b"\r\nConnection: Upgrade\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
    assert not caplog.records, "anybody could fill the log, and it would ask for a library that is not needed"


async def test_an_empty_line_keeps_no_connection(site: Site) -> None:
    answer = await site.ask(GET + b"\r\n", b"\r\n", pause=QUICK)
    assert answer.count(b"HTTP/1.1 200 OK") == 1


async def test_who_does_not_read_is_let_go(site: Site) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1000)
    writer.write(GET.replace(b"/ ", b"/flood ") + b"\r\n")
    async with asyncio.timeout(PATIENCE):
        while not site.ended:
            await asyncio.sleep(0.01)
    assert site.ended == ["not read"]
    writer.close()


async def test_one_connection_too_many(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_TIME", PATIENCE)
    idle = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(5)]
    answer = await site.ask(GET + CLOSE)
    assert answer.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert b"Retry-After: 5\r\n" in answer
    reader, writer = idle[0]  # those who were there first are served
    writer.write(GET + CLOSE)
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    for _, writer in idle:
        writer.close()


def test_all_the_files_we_may_have_are_asked_for() -> None:
    assert connection.most() >= connection.SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft in (hard, connection.MOST + connection.SPARE) or soft > connection.MOST
