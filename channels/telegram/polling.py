"""Asks Telegram for updates: commit, then move the offset; one process at a time does."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog

from channels import NotSent, Office, Refused, Unknown
from channels.telegram.client import Client, Contested
from channels.telegram.reading import KINDS

log = structlog.get_logger("telegram")

OFFSET: Final = "offset"
STALE: Final = 6 * 86400  # seconds; after a quiet week Telegram numbers updates from anywhere, perhaps below our offset
HEARTBEAT: Final = 4.0  # seconds between two signs that we still poll
MOST: Final = 100  # updates at once

Take = Callable[[list[Any], Mapping[str, bytes | None]], Awaitable[None]]


class Poller:
    """Long polling. What ``take`` has committed is confirmed by the next question, never earlier."""

    def __init__(self, name: str, client: Client, take: Take, *, seconds: float, pause: float) -> None:
        self._name, self._client, self._take = name, client, take
        self._seconds, self._pause = seconds, pause

    async def run(self, office: Office) -> None:
        """Ask for updates until cancelled; raises BadToken."""
        while True:
            try:
                if await office.hold("poll"):
                    await self._listen(office)
            except Contested as error:
                log.error("telegram_updates_go_elsewhere", channel=self._name, why=str(error), hint="channel setup")
                await asyncio.sleep(self._pause * 4)
            except (NotSent, Unknown, Refused) as error:
                wait = max(self._pause, getattr(error, "retry_after", 0.0))
                log.warning("telegram_away", channel=self._name, why=str(error)[:200])
                await asyncio.sleep(wait - self._pause)
            await asyncio.sleep(self._pause)

    async def _listen(self, office: Office) -> None:
        """Ask for updates until another process has this duty."""
        offset = _read(await office.note(OFFSET))
        while (updates := await self._ask(office, offset)) is not None:
            # an empty answer confirms all before it: from then on no offset is needed, and none can be out of date
            after = _after(updates)
            if not updates and not offset:
                continue
            try:
                await self._take(updates, {OFFSET: _written(after)})
            except Exception as error:  # the store is away: they come again
                log.warning("telegram_cannot_store", channel=self._name, error=type(error).__name__)
                await asyncio.sleep(self._pause)
                continue
            offset = after
            if updates and not after:  # nothing that can be confirmed: it comes again, and at once
                await asyncio.sleep(self._pause)

    async def _ask(self, office: Office, offset: int) -> list[Any] | None:
        """The next updates; None if the duty is another's now."""
        what = {"timeout": int(self._seconds), "limit": MOST, "allowed_updates": list(KINDS)}
        if offset:
            what["offset"] = offset
        asked = asyncio.create_task(self._client.call("getUpdates", what, patience=self._seconds + 10))
        try:
            while True:
                done, _ = await asyncio.wait({asked}, timeout=HEARTBEAT)
                if not await office.hold("poll"):
                    return None
                if done:
                    if not isinstance(updates := asked.result(), list):
                        raise Unknown("these are no updates")
                    return updates
        finally:
            asked.cancel()


def _after(updates: list[Any]) -> int:
    ids = [one.get("update_id") for one in updates if isinstance(one, dict)]
    known = [id for id in ids if isinstance(id, int)]
    return known[-1] + 1 if known else 0


def _written(offset: int) -> bytes | None:
    return json.dumps({"offset": offset, "at": int(time.time())}).encode() if offset else None


def _read(note: bytes | None) -> int:
    kept = json.loads(note) if note else {}
    return int(kept["offset"]) if kept.get("at", 0) > time.time() - STALE else 0
