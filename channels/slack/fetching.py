"""Files that customers sent are fetched from Slack after the event is stored, however often that takes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import structlog

from bot.files import FileRefused
from channels import Office
from channels.slack.calling import Api, Failed, NotFound

log = structlog.get_logger("slack")

TURN = 4.0  # seconds between two looks; a new file wakes it
PATIENCE = 24 * 3600.0  # seconds after which a file is given up
PAUSES = (1.0, 5.0, 30.0, 120.0, 600.0)  # seconds before trying a file again


class Fetcher:
    """Walks the notes of files that are still to be had; one process at a time does."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._woken = asyncio.Event()
        self._tries: dict[str, tuple[int, float]] = {}  # note -> how often it failed, when to try again

    def wake(self) -> None:
        """There is a new one."""
        self._woken.set()

    async def run(self, office: Office) -> None:
        """Until cancelled."""
        while True:
            self._woken.clear()
            try:
                if await office.hold("fetch"):
                    await self._round(office)
            except Exception as error:  # the database is away: the notes will still be there
                log.warning("slack_fetching_failed", error=type(error).__name__)
            due = min((at for _, at in self._tries.values()), default=time.time() + TURN) - time.time()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), min(TURN, max(due, 0.1)))

    async def _round(self, office: Office) -> None:
        notes = await office.notes("file:")
        self._tries = {key: tried for key, tried in self._tries.items() if key in notes}
        for key, note in notes.items():
            wanted = json.loads(note)
            if self._tries.get(key, (0, 0.0))[1] > time.time():
                continue
            if await self._fetched(office, key.removeprefix("file:"), wanted):
                await office.receive([], {key: None})
                self._tries.pop(key, None)
            else:
                tries = self._tries.get(key, (0, 0.0))[0] + 1
                self._tries[key] = (tries, time.time() + PAUSES[min(tries, len(PAUSES)) - 1])

    async def _fetched(self, office: Office, id: str, wanted: Mapping[str, Any]) -> bool:
        """Whether the matter is settled: the file is here, or never will be."""
        from aiohttp import ClientError

        try:
            url = wanted["url"] or await self._address(wanted["file"])
            async with self._api.download(url) as pieces:
                await office.files.keep(id, pieces, wanted["name"], wanted["type"], wanted["owner"])
        except (NotFound, FileRefused) as error:
            log.warning("slack_file_refused", file=wanted["file"], error=type(error).__name__)
        except (Failed, ClientError, TimeoutError) as error:
            known = error.error if isinstance(error, Failed) else type(error).__name__
            scope = error.needed if isinstance(error, Failed) else ""
            log.warning("slack_file_failed", file=wanted["file"], error=known, needed=scope)
            return float(wanted["at"]) < time.time() - PATIENCE
        return True

    async def _address(self, file: str) -> str:
        """Where a file is that Slack only named, as it does with strangers'."""
        found = (await self._api.ask("files.info", file=file)).get("file") or {}
        url = str(found.get("url_private_download") or found.get("url_private") or "")
        if not url or found.get("is_external"):
            raise NotFound("nowhere")
        return url
