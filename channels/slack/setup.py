"""Checks how the Slack app is set up: a line for each thing it needs, with what is wrong and where to click."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

from channels.slack.client import Client, Failed
from channels.slack.manifest import SCOPES

SKEW = 60  # seconds; beyond 300 every signature is refused
APPS = "https://api.slack.com/apps → your app →"

Line = tuple[bool, str]

DESK_OTHER = "look at the channel's settings, or name another one in config.yaml"
DESK = {
    "channel_not_found": "copy its id (C…) from the channel's details in Slack; into a private one the app is invited",
    "is_archived": "it is archived; name another one in config.yaml",
    "missing_scope": f"add what is needed at {APPS} OAuth & Permissions → Bot Token Scopes, then press Reinstall",
    "not_in_channel": "in that channel type /invite @ and the app's name",
}


async def check(api: Client, secret: str, app_token: str, hook: str, desk: str = "") -> list[Line]:
    """Ask Slack what is right and what is wrong with the setup."""
    lines = [line async for line in _token(api)] + [line async for line in _ways_in(api, secret, app_token, hook)]
    return lines + [line async for line in _desk(api, desk) if desk]


async def _desk(api: Client, desk: str) -> AsyncIterator[Line]:
    """Whether we can work in the agents' channel: who may read it is in it, and may write there."""
    from aiohttp import ClientError

    try:
        await api.ask("conversations.history", channel=desk, limit="1")
        yield True, f"the desk {desk} is a channel we are in"
    except Failed as failed:
        yield False, f"the desk {desk} cannot be used ({failed}): {DESK.get(failed.error, DESK_OTHER)}"
    except (ClientError, TimeoutError) as error:
        yield False, f"the desk {desk} cannot be looked at ({type(error).__name__})"


async def _token(api: Client) -> AsyncIterator[Line]:
    from aiohttp import ClientError

    try:
        told = await api.call("auth.test")
    except Failed as failed:
        where = f"copy the Bot User OAuth Token (xoxb-…) from {APPS} OAuth & Permissions into SLACK_BOT_TOKEN"
        yield False, f"Slack refuses the bot token ({failed.error}): {where}"
        return
    except (ClientError, TimeoutError) as error:
        yield False, f"{api.url} cannot be reached ({type(error).__name__}): check network, proxy and SLACK_API_URL"
        return
    yield True, f"we are {told.get('user')} in {told.get('team')} ({told.get('url', '')})"
    headers = {name.lower(): value for name, value in told["headers"].items()}
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    missing = [f"{scope} ({why})" for scope, why in SCOPES.items() if scope not in granted]
    if not granted:
        yield True, "the server does not tell which scopes the token has"
    elif missing:
        add = f"add them at {APPS} OAuth & Permissions → Bot Token Scopes, then press Reinstall"
        yield False, f"the token lacks {', '.join(missing)}: {add}"
    else:
        yield True, "all scopes are granted"
    if sent := _time(headers.get("date", "")):
        skew = abs(time.time() - sent)
        said = "the clock agrees with Slack's" if skew <= SKEW else f"this clock is {skew:.0f} s off: set it (NTP)"
        yield skew <= SKEW, said


def _time(date: str) -> float:
    """Seconds since 1970, 0 for what is no date."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError):
        return 0.0


async def _ways_in(api: Client, secret: str, app_token: str, hook: str) -> AsyncIterator[Line]:
    from aiohttp import ClientError

    if secret:
        yield True, f"events are taken at {hook}: that is the Request URL at {APPS} Event Subscriptions"
    if app_token:
        try:
            await api.try_socket(app_token)
            yield True, "Socket Mode lets us in"
        except Failed as failed:
            where = f"turn it on at {APPS} Socket Mode; token (xapp-…, connections:write) at Basic Information"
            yield False, f"Socket Mode refuses SLACK_APP_TOKEN ({failed.error}): {where}"
        except (ClientError, TimeoutError) as error:
            yield False, f"Socket Mode cannot be reached ({type(error).__name__})"
    if not (secret or app_token):
        both = "SLACK_SIGNING_SECRET (events over HTTP) or SLACK_APP_TOKEN (Socket Mode)"
        yield False, f"nothing can come in: set {both}, see {APPS} Basic Information"
