"""The terminal in the kit: one customer at a keyboard."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar, TextIO, cast

from channels import Channel
from channels.terminal import Terminal
from tests.kit.driver import ABILITIES, ANN, Driver, Seen

ONE = "one person at a keyboard"


class Keyboard(Driver):
    """Lines in, lines out."""

    name: ClassVar[str] = "terminal"
    cannot: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(ABILITIES, ONE),
        "buttons": "choices are numbered, and typed",
        "limits": "it takes a hundred thousand characters",
    }

    async def __aenter__(self) -> Driver:
        self._shown: list[Seen] = []
        self._keys = -1
        self._files: list[TextIO] = []
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()
        for file in self._files:
            file.close()

    def channel(self) -> Channel:
        there, self._keys = os.pipe()
        self._files.append(os.fdopen(there, encoding="utf-8", errors="surrogateescape"))
        return Terminal(lines=self._files[-1], out=cast("TextIO", self))

    def write(self, words: str) -> int:
        """What the terminal shows."""
        self._shown.append(Seen(words.removesuffix("> "), (), words))
        return len(words)

    def flush(self) -> None:
        """At once."""

    async def disconnect(self) -> None:
        if self._keys >= 0:
            os.close(self._keys)
            self._keys = -1

    def text(self, words: str, who: int = ANN) -> Any:
        return words.replace("\n", " ")

    async def deliver(self, event: Any) -> bool:
        os.write(self._keys, f"{event}\n".encode("utf-8", "replace"))
        return True

    def seen(self, who: int = ANN) -> list[Seen]:
        return self._shown if who == ANN else []
