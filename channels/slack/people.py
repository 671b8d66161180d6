"""Who people in Slack are: names for the agents, languages for the forms, and who is none of the company's own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import structlog

from channels.slack.client import Client, Failed
from channels.slack.values import Person

log = structlog.get_logger("slack")

KNOWN: Final = 4096  # people and private chats remembered
TRUSTED: Final = 300.0  # seconds for which somebody counts as one of us without being asked about again
OUTSIDE: Final = ("deleted", "is_bot", "is_restricted", "is_stranger", "is_ultra_restricted")  # what guests are called


class People:
    """The people of the workspace who wrote lately, and whether they are the company's own."""

    def __init__(self, api: Client) -> None:
        self._api = api
        self.known: dict[str, Person] = {}
        self._ours: dict[str, tuple[str, float]] = {}  # person -> why he is none of ours, and until when that is known

    async def meet(self, user: str) -> None:
        """Ask once who somebody is."""
        try:
            told = await self._told(user, include_locale="true")
        except Exception as error:
            log.info("slack_call_failed", method="users.info", error=error_of(error))
            return
        profile = told.get("profile") or {}
        name = profile.get("display_name") or profile.get("real_name") or told.get("real_name") or told.get("name")
        remember(self.known, user, Person(str(name or "")[:200], str(told.get("locale") or "")))

    async def outside(self, user: str, team: str) -> str:
        """Why somebody is none of this workspace's own people, "" if he is one. Raises Failed, or as aiohttp does."""
        why, until = self._ours.get(user, ("", 0.0))
        if until > time.monotonic():
            return why
        told = await self._told(user)
        why = next((name.removeprefix("is_") for name in OUTSIDE if told.get(name)), "")
        if (told.get("team_id") or team) != team:
            why = why or "stranger"
        remember(self._ours, user, (why, time.monotonic() + TRUSTED))
        return why

    async def _told(self, user: str, **more: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (await self._api.ask("users.info", user=user, **more))["user"]
        return found


def error_of(error: Exception) -> str:
    """What went wrong, by Slack's name for it."""
    return error.error if isinstance(error, Failed) else type(error).__name__


def remember(known: dict[str, Any], key: str, value: Any) -> None:
    """Put a value into a bounded mapping; the oldest one makes room."""
    known.pop(key, None)
    known[key] = value
    if len(known) > KNOWN:
        del known[next(iter(known))]
