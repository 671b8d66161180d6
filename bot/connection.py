"""One connection from outside: uvicorn's, with bounds on what a slow or a hostile peer may hold of ours."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, Literal, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.transport import BufferedTransport

HEAD_TIME: Final = 10.0  # seconds for a request line and its headers, the wait for the first byte included
HEAD_BYTES: Final = 65_536
GRACE: Final = 20.0  # seconds a body may come as slowly as it likes, and in which it is looked at again
PACE: Final = 1024  # bytes a second it must bring after that
STALL: Final = 60.0  # seconds nobody reads what we sent
NEW: Final = 256  # connections that may come in before the first of them is looked at
SPARE: Final = 400  # open files for those and for the rest of the house
MOST: Final = 65_536  # connections of one process, if the system allows as many


class Connection(HttpToolsProtocol):
    """Ends what comes too slowly, is too long in the head, is not read, or is one connection too many."""

    transport: asyncio.Transport
    _coming: Literal["head", "body", ""] = "head"  # what of a request is not here yet
    _timer: asyncio.TimerHandle | None = None  # runs while something is not here
    _stalled: asyncio.TimerHandle | None = None
    _bytes = 0  # of the head, or of the body since it was last looked at
    _piece = 0  # bytes of the piece being read
    _requests = 0
    _last = False  # the peer wants no connection after this request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A peer has connected: it is refused if it is one too many, else its request must come in time."""
        super().connection_made(cast("asyncio.Transport", BufferedTransport(transport, self.loop)))
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self.connections.discard(self)  # or uvicorn would count it against the others
            self._end(HTTPStatus.TOO_MANY_REQUESTS)
        else:
            self._watch(HEAD_TIME, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop all timers, and let a writer that waits see the end."""
        super().connection_lost(exc)
        self._stop_watching()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """A piece of a request, or several requests."""
        if self.transport.is_closing():
            return
        before, self._piece = (self._coming, self._requests), len(data)
        self._bytes += len(data)
        super().data_received(data)
        if before != (self._coming, self._requests):
            self._stop_watching()
            if self._coming == "head":
                self._watch(HEAD_TIME, self._head_is_late)
            elif self._coming == "body":
                self._watch(GRACE, self._look_at_body)
        elif self._coming == "head" and self._bytes > HEAD_BYTES:
            self._end(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif not self._coming and self._timer is None and self.cycle.response_complete:  # an empty line after a request
            self._watch(HEAD_TIME, self.transport.close)

    # ------------------------------------------------------------ what the parser finds

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._coming, self._bytes = "head", self._piece
        self._requests += 1
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what comes after a body is nobody's."""
        if self._coming == "head":
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._coming, self._bytes = "body", 0
        super().on_headers_complete()
        self._last = not self.cycle.keep_alive
        # Until the body is here: a peer that is still sending would not read an answer before we hang up.
        self.cycle.keep_alive = True

    def on_message_complete(self) -> None:
        """The whole request is here."""
        self._coming = ""
        if self._last:
            self.cycle.keep_alive = False
        if self._last and self.cycle.response_complete:
            self.transport.close()
        super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Who asks for another protocol is answered in this one: nothing is missing that the log should ask for."""

    # ------------------------------------------------------------ what takes too long

    def _watch(self, seconds: float, then: Callable[[], None]) -> None:
        self._timer = self.loop.call_later(seconds, then)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        if self._bytes:
            self._end(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _look_at_body(self) -> None:
        """A slow line is welcome, a standing one is not; while it is we who do not read, nothing is counted late."""
        late = self._bytes < GRACE * PACE and not self.flow.read_paused
        if self.cycle.response_complete:  # it was refused, and nobody needs the rest
            self.transport.close()
        elif late and self.cycle.response_started:
            self.transport.abort()
        elif late:
            self._end(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self._bytes = 0
            self._watch(GRACE, self._look_at_body)

    def pause_writing(self) -> None:
        """The peer reads more slowly than we write."""
        super().pause_writing()
        self._stalled = self._stalled or self.loop.call_later(STALL, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read what it was sent: it does not stall any more."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _end(self, status: HTTPStatus) -> None:
        line = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        self.transport.write(f"{line}Content-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n".encode())
        self.transport.close()


def most() -> int:
    """How many connections this process may hold: what the system allows us, of which we ask for all, less our own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + SPARE if hard == resource.RLIM_INFINITY else min(hard, MOST + SPARE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    allowed: int = wanted if soft == resource.RLIM_INFINITY else soft
    return max(allowed - SPARE, SPARE)


def settings() -> dict[str, Any]:
    """What uvicorn is told of this."""
    return {"http": Connection, "limit_concurrency": most() + 1, "backlog": NEW}
