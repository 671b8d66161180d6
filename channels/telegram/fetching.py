"""Brings the files that customers sent into the house, from the notes that say where they are."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Any

import structlog

from bot.files import FileRefused
from channels import Office
from channels.telegram.wire import Lost, Wire

log = structlog.get_logger("telegram")

POLL = 5.0  # seconds; being woken only makes it quicker
PAUSE = 2.0  # seconds before a second try; doubled for each further one …
LONGEST = 300.0  # … up to this


class Fetcher:
    """Fetches one file after the other; one process at a time does."""

    def __init__(self, name: str, wire: Wire) -> None:
        self._name, self._wire = name, wire
        self._tries: dict[str, tuple[int, float]] = {}  # how often, and not again before
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be a file."""
        self._woken.set()

    async def run(self, office: Office) -> None:
        """Until cancelled."""
        while True:
            self._woken.clear()
            try:
                if await office.hold("fetch"):
                    for key, note in (await office.notes("file:")).items():
                        if self._tries.get(key, (0, 0.0))[1] <= time.monotonic() and await office.hold("fetch"):
                            await self._one(office, key, json.loads(note))
            except Exception as error:  # the store is away
                log.warning("telegram_cannot_fetch", channel=self._name, error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), POLL)

    async def _one(self, office: Office, key: str, how: dict[str, Any]) -> None:
        id = key.removeprefix("file:")
        try:
            if not await office.files.open(id, how["owner"]):  # kept, but the note was not yet torn out
                async with self._wire.download(how["file"]) as stream:
                    await office.files.keep(id, stream, how["name"], how["type"], how["owner"])
            log.info("telegram_file_kept", channel=self._name, file=id)
        except FileRefused as error:
            log.info("telegram_file_refused", channel=self._name, file=id, why=type(error).__name__)
        except Lost as error:
            if not error.ever and time.time() < how["until"]:
                return self._later(key)
            log.warning("telegram_file_lost", channel=self._name, file=id, why=str(error))
        except Exception as error:  # one file must not keep the others from coming
            log.warning("telegram_cannot_fetch", channel=self._name, file=id, error=type(error).__name__)
            return self._later(key)
        self._tries.pop(key, None)
        await office.receive([], {key: None})
        return None

    def _later(self, key: str) -> None:
        tries = self._tries.get(key, (0, 0.0))[0] + 1
        self._tries[key] = (tries, time.monotonic() + min(PAUSE * 2 ** (tries - 1), LONGEST))
