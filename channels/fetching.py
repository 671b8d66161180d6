"""Files that customers sent, brought into the house after their message was stored, however often that takes.

A channel commits with the message a note ``file:<id>`` that says where the file is: JSON with ``owner`` (the address),
``name``, ``type``, ``at`` (when it was sent, UTC seconds), ``public`` if others read along, and what else it needs.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import structlog

from bot.files import FileRefused, TooLarge
from bot.messages import Inbound, Kind
from channels import Office

log = structlog.get_logger("channels")

NOTE: Final = "file:"  # what the keys of the notes begin with
POLL: Final = 4.0  # seconds between two looks; being woken only makes it quicker
PAUSES: Final = (1.0, 2.0, 5.0, 30.0, 120.0, 600.0)  # seconds before trying a file again
GIVE_UP: Final = 24 * 3600.0  # seconds after which a file is given up

Errand = Mapping[str, Any]
Bring = Callable[[str, Errand], Awaitable[None]]


class Lost(Exception):
    """The file will never be had; the message says why, for the log. ``large``: the platform says it is too large."""

    def __init__(self, why: str, *, large: bool = False) -> None:
        super().__init__(why)
        self.large = large


class Fetcher:
    """Fetches one file after the other; one process at a time does.

    ``bring`` keeps the file under its id. It raises Lost or FileRefused if that is settled, anything else to try again.
    """

    def __init__(self, name: str, bring: Bring) -> None:
        self._name, self._bring = name, bring
        self._tries: dict[str, tuple[int, float]] = {}  # note -> how often it failed, and not again before
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at once: there may be a file to fetch."""
        self._woken.set()

    async def run(self, office: Office) -> None:
        """Fetch the files that are to be had until cancelled."""
        while True:
            self._woken.clear()
            try:
                if await office.hold("fetch"):
                    await self._round(office)
            except Exception as error:  # the store is away: the notes will still be there
                log.warning("fetching_failed", channel=self._name, error=type(error).__name__)
            due = min((at for _, at in self._tries.values()), default=POLL + time.monotonic()) - time.monotonic()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(POLL, max(due, 0.05))):
                    await self._woken.wait()

    async def _round(self, office: Office) -> None:
        errands = await office.notes(NOTE)
        self._tries = {key: tried for key, tried in self._tries.items() if key in errands}
        for key, errand in errands.items():
            if self._tries.get(key, (0, 0.0))[1] <= time.monotonic() and await office.hold("fetch"):
                await self._one(office, key, json.loads(errand))

    async def _one(self, office: Office, key: str, errand: Errand) -> None:
        """Fetch one. Its note is torn out when it is here or never will be; the customer is told of the latter."""
        id, most, told = key.removeprefix(NOTE), office.files.limit >> 20, list[Inbound]()
        try:
            if not await office.files.open(id, errand["owner"]):  # else: kept, but the note was not yet torn out
                await self._bring(id, errand)
            log.info("file_kept", channel=self._name, file=id[:6])
        except FileRefused as error:
            log.warning("file_refused", channel=self._name, file=id[:6], why=type(error).__name__)
            told = [_notice(self._name, id, errand, "large" if isinstance(error, TooLarge) else "kind", most)]
        except Lost as error:
            log.warning("file_lost", channel=self._name, file=id[:6], why=str(error))
            told = [_notice(self._name, id, errand, "large" if error.large else "lost", most)]
        except Exception as error:  # whatever it is, the other files must not wait for this one
            why = str(error) if type(error).__module__.startswith("channels.") else type(error).__name__
            log.warning("file_later", channel=self._name, file=id[:6], why=why[:200])
            if time.time() - float(errand.get("at") or 0) < GIVE_UP:
                return self._later(key)
            told = [_notice(self._name, id, errand, "lost", most)]
        await office.receive(told, {key: None})
        return None

    def _later(self, key: str) -> None:
        tries = self._tries.get(key, (0, 0.0))[0] + 1
        self._tries[key] = (tries, time.monotonic() + PAUSES[min(tries, len(PAUSES)) - 1])


def _notice(channel: str, id: str, errand: Errand, why: str, most: int) -> Inbound:
    """What the engine is told, so that it tells the customer in a sentence; ``most``: megabytes."""
    more = {"notice": "file", "why": why, "name": str(errand.get("name", ""))[:100], "most": most}
    public = bool(errand.get("public"))
    return Inbound(channel, f"refused:{id}", errand["owner"], Kind.NOTICE, public=public, extra=more)
