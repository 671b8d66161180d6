"""The terminal: one customer at a keyboard, choices by number."""

from __future__ import annotations

import asyncio
import sys
from getpass import getuser
from typing import TextIO
from uuid import uuid4

from bot.messages import Inbound, Kind, Reply
from bot.text import clean
from channels import Can, Channel
from channels.dialects import plain

ADDRESS = "here"


class Terminal(Channel):
    """The channel of ``aftercare chat``: every line typed is a message."""

    can = Can(buttons=False, max_text=100_000)

    def __init__(
        self, *, name: str = "terminal", language: str = "", lines: TextIO = sys.stdin, out: TextIO = sys.stdout
    ) -> None:
        super().__init__(name=name)
        self._language, self._lines, self._out = language, lines, out

    async def run(self) -> None:
        """Say hello, then read lines until the end of input."""
        await self.office.receive([hello(self.name, self._language)])
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, self._lines.readline):
            if text := clean(line).strip():
                await self.office.receive([read(self.name, text, self._language)])

    async def send(self, address: str, reply: Reply, key: str) -> str:
        """Print a reply and the prompt below it; returns ``key``."""
        self._out.write(f"\n{render(reply)}\n\n> ")
        self._out.flush()
        return key


def hello(name: str, language: str) -> Inbound:
    """The event of a customer who has opened the chat; he is greeted the first time."""
    return Inbound(name, str(uuid4()), ADDRESS, Kind.HELLO, sender=_user(), language=language)


def read(name: str, text: str, language: str) -> Inbound:
    """A typed line as an event."""
    return Inbound(name, str(uuid4()), ADDRESS, sender=_user(), text=text, language=language)


def render(reply: Reply) -> str:
    """A reply as plain text; its buttons are numbered lines already, its files are named."""
    lines = [plain(reply.text)]
    lines += [f"  [{a.name}, {a.size} bytes]" for a in reply.attachments]
    return "\n".join(lines)


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return ADDRESS
