"""A transport that sends what is written within one turn of the loop in one piece: a head with its body, one event
with the next. A system call costs more than everything else that is done for an event of a stream."""

from __future__ import annotations

import asyncio
from typing import Any, Final

ENOUGH: Final = 65_536  # bytes held at most: whoever writes without a pause must feel how fast the other end reads


class BufferedTransport:
    """Holds what is written until the loop comes round; everything else is the wrapped transport's."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._soon = transport, loop.call_soon
        self._held: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it when the loop comes round, or at once if much is held already."""
        if not self._held:
            self._soon(self._send)
        self._held.append(data)
        self._size += len(data)
        if self._size > ENOUGH:
            self._send()

    def close(self) -> None:
        """Send what is held, and close when it is sent."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        held, self._held, self._size = self._held, [], 0
        if held and not self._transport.is_closing():
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))
