"""Socket Mode: Slack's events over a connection that we open, each acknowledged after its commit."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from slack_sdk.socket_mode.aiohttp import SocketModeClient

log = structlog.get_logger("slack")

Take = Callable[[Mapping[str, Any], bytes], Awaitable[Mapping[str, Any] | None]]
TURN = 2.0  # seconds between two looks whether the connection is still ours to hold, and still there
PATIENCE = 20.0  # seconds without a connection


class Socket:
    """One connection, held by one process at a time. ``take`` stores an event or raises; then it comes again."""

    def __init__(self, token: str, url: str, take: Take, hold: Callable[[], Awaitable[bool]]) -> None:
        self._token, self._url, self._take, self._hold = token, url, take, hold
        self._client: SocketModeClient | None = None
        self._lost = 0  # looks in a row at which there was no connection

    async def run(self) -> None:
        """Until cancelled. The SDK connects anew by itself; where it does not succeed we begin from the start."""
        try:
            while True:
                if not await self._hold():
                    await self._close()
                elif self._client is None:
                    await self._open()
                elif await self._client.is_connected():
                    self._lost = 0
                elif (lost := self._lost + 1) * TURN > PATIENCE:
                    log.error("slack_socket_closed", error="no connection")
                    await self._close()
                else:
                    self._lost = lost
                await asyncio.sleep(TURN)
        finally:
            await self._close()

    async def _open(self) -> None:
        from slack_sdk.socket_mode.aiohttp import SocketModeClient
        from slack_sdk.web.async_client import AsyncWebClient

        quiet = logging.getLogger("slack_sdk.socket_mode")
        quiet.setLevel(logging.CRITICAL)  # it writes a traceback every few seconds; we say it once
        web = AsyncWebClient(base_url=self._url)
        self._client = client = SocketModeClient(self._token, quiet, web, ping_interval=5)
        client.message_listeners.append(self._heard)
        error = "no answer"
        try:
            async with asyncio.timeout(PATIENCE):
                await client.connect_to_new_endpoint(force=True)
        except Exception as failed:  # of Slack, of the network, or of patience
            error = _named(failed)
        if await client.is_connected():
            self._lost = 0
            log.info("slack_socket_open")
        else:
            log.error("slack_socket_closed", error=error)
            await self._close()

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        tasks = [t for t in (client.message_processor, client.current_session_monitor, client.message_receiver) if t]
        with suppress(Exception):  # it is given up whatever it says
            await client.close()  # type: ignore[no-untyped-call] # the SDK's own
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _heard(self, client: Any, message: dict[str, Any], _raw: str | None = None) -> None:
        envelope, payload = message.get("envelope_id"), message.get("payload")
        if not envelope:
            return  # hello, disconnect
        try:
            read = payload if isinstance(payload, dict) else {}
            answer = await self._take(read, json.dumps(payload).encode())  # a retry's envelope has another id
        except Exception as error:  # not stored, so not acknowledged: Slack brings it again
            log.warning("slack_cannot_store", error=type(error).__name__)
            return
        said: dict[str, Any] = {"envelope_id": envelope}
        with suppress(ConnectionError):  # it comes again by the next connection, and is known by its key
            await client.send_socket_mode_response(said | ({"payload": dict(answer)} if answer else {}))


def _named(error: BaseException) -> str:
    response = getattr(error, "response", None)
    return str(response.get("error")) if response is not None and hasattr(response, "get") else type(error).__name__
