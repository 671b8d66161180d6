"""Whether a platform answers: what may have arrived there is sent once more only when it does.

A second attempt into the same silence would be lost like the first, and there is no third.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from typing import Final

import structlog

log = structlog.get_logger("outbox")

PAUSES: Final = (1.0, 2.0, 5.0)  # seconds until it is asked again
MOST: Final = 15.0  # and from then on


class Answers:
    """One platform: ``sure`` unless something of ours is in doubt and it has answered nothing since."""

    def __init__(self, ask: Callable[[], Awaitable[None]], woken: asyncio.Event, *, timeout: float) -> None:
        self._ask, self._woken, self._timeout = ask, woken, timeout
        self._asking: asyncio.Task[None] | None = None
        self.sure = True

    def doubt(self, pause: float = 0.0) -> None:
        """Something may have arrived or not; the platform is asked after so many seconds."""
        self.sure = False
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._until_it_answers(pause))

    def heard(self) -> None:
        """It took a message."""
        self.sure = True

    def stop(self) -> None:
        """Ask no more."""
        if self._asking:
            self._asking.cancel()

    async def _until_it_answers(self, pause: float) -> None:
        for wait in chain((pause,), PAUSES, repeat(MOST)):
            await asyncio.sleep(wait)
            try:
                async with asyncio.timeout(self._timeout):
                    await self._ask()
                break
            except Exception as error:
                log.info("platform_silent", error=type(error).__name__)
        self.sure = True
        self._woken.set()
