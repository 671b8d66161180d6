"""Slack's Web API: one session for all calls, and what an error means for the message that was to be sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from bot.messages import Attachment
from channels import NotSent, Refused, Unknown
from channels.fetching import Lost

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

REAL: Final = "https://slack.com/api/"
FILES: Final = "files.slack.com"  # the one host of Slack's that the bytes of files come from and go to
PIECE: Final = 64 << 10

GONE: Final = frozenset(  # nobody can be reached at this place any more
    "cannot_dm_bot channel_not_found is_archived is_inactive not_in_channel user_disabled user_not_found".split()
)
LATER: Final = frozenset("accesslimited ratelimited rate_limited request_timeout service_unavailable".split())
DOUBTFUL: Final = frozenset({"fatal_error", "internal_error"})  # Slack: "some aspect of it may have succeeded"
NO_ENTRY: Final = frozenset(  # nothing will be taken from us until an admin has done something about it
    "access_denied account_inactive ekm_access_denied invalid_auth missing_scope no_permission not_allowed_token_type "
    "not_authed org_login_required team_access_not_granted team_added_to_org token_expired token_revoked".split()
)
TOO_MUCH: Final = frozenset("invalid_blocks invalid_blocks_format msg_blocks_too_long".split())
LOCKED: Final = 300.0  # seconds until we knock again where we are not let in


class Failed(Exception):
    """Slack's answer is an error. ``error``: its name for it; ``status`` 0 = there was no HTTP answer of its own."""

    def __init__(self, error: str, status: int = 200, retry_after: float = 0.0, needed: str = "") -> None:
        super().__init__(f"{error} (needed: {needed})" if needed else error)
        self.error, self.status, self.retry_after, self.needed = error, status, retry_after, needed


class Client:
    """The calls of one app in one workspace; ``url`` may be another server that speaks Slack's Web API."""

    def __init__(self, token: str, url: str = "", *, timeout: float = 10.0) -> None:
        split = urlsplit(url or REAL)
        self.url = split._replace(path=f"{split.path.rstrip('/') or '/api'}/").geturl()
        self._own = {("https", FILES)} | ({(split.scheme, split.netloc)} if self.url != REAL else set())
        self._token, self._timeout = token, timeout
        self._session: ClientSession | None = None
        self._busy, self._over = 0, False

    async def call(self, method: str, **args: Any) -> Mapping[str, Any]:
        """The answer, with its headers under ``headers``; raises Failed, or what aiohttp raises."""
        return await self._call(method, self._token, {"json": args})

    async def ask(self, method: str, **args: Any) -> Mapping[str, Any]:
        """The same for the methods that read no JSON: users.info, files.info, files.getUploadURLExternal."""
        return await self._call(method, self._token, {"http_verb": "GET", "params": args})

    async def try_socket(self, app_token: str) -> None:
        """Whether Socket Mode would let us in; raises Failed."""
        await self._call("apps.connections.open", app_token, {})

    async def _call(self, method: str, token: str, how: dict[str, Any]) -> Mapping[str, Any]:
        from slack_sdk.errors import SlackApiError
        from slack_sdk.web.async_client import AsyncWebClient

        async with self.session() as session:
            # no retry handlers: the SDK's own sends a message again when nobody knows whether it arrived
            client = AsyncWebClient(token, self.url, session=session, retry_handlers=[])
            try:
                answer = await client.api_call(method, **how)
            except SlackApiError as error:
                raise _failed(error.response) from None
            except (AttributeError, TypeError, ValueError) as error:  # JSON, but no object
                raise Failed("http_200") from error
        return {**dict(answer.data), "headers": answer.headers} if isinstance(answer.data, dict) else {}

    @asynccontextmanager
    async def session(self) -> AsyncIterator[ClientSession]:
        """The one connection pool. After ``close`` each use brings its own: replies may still be on their way out."""
        from aiohttp import ClientSession, ClientTimeout

        if self._session is None or self._session.closed:
            self._session = ClientSession(timeout=ClientTimeout(total=self._timeout, connect=self._timeout / 2))
        self._busy += 1
        try:
            yield self._session
        finally:
            self._busy -= 1
            await self._close_if_over()

    def open(self) -> None:
        """Keep connections from now on."""
        self._over = False

    async def close(self) -> None:
        """Close them, as soon as nothing is under way."""
        self._over = True
        await self._close_if_over()

    async def _close_if_over(self) -> None:
        if self._over and not self._busy and self._session:
            session, self._session = self._session, None
            await session.close()

    # ------------------------------------------------------------ files

    @asynccontextmanager
    async def download(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of a file at Slack's own host; raises Lost, Failed, or what aiohttp raises."""
        if not self.own(url):
            raise Lost("not at Slack")
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self.session() as session, session.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status in (301, 302, 303, 307, 308, 401, 403) or answer.content_type == "text/html":
                raise Failed("missing_scope", answer.status, needed="files:read")  # it shows its log-in page
            if answer.status in (404, 410):
                raise Lost("deleted")
            if answer.status != 200:
                raise Failed(f"http_{answer.status}", answer.status)
            yield _pieces(answer)

    async def address_of(self, file: str) -> str:
        """Where a file is that Slack only named, as it does with strangers'; raises Lost or Failed."""
        found = (await self.ask("files.info", file=file)).get("file") or {}
        url = str(found.get("url_private_download") or found.get("url_private") or "")
        if not url or found.get("is_external"):
            raise Lost("nowhere")
        return url

    async def upload(self, file: Attachment, path: Path) -> str:
        """Bring the bytes to Slack; returns the id. Nobody sees them yet: what goes wrong leaves nothing in doubt."""
        try:
            async with sending():
                return await self._upload(file, path)
        except Unknown as error:
            raise NotSent(str(error)) from error

    async def _upload(self, file: Attachment, path: Path) -> str:
        size = (await asyncio.to_thread(path.stat)).st_size
        ready = await self.ask("files.getUploadURLExternal", filename=file.name, length=size)
        if not self.own(url := str(ready["upload_url"])):
            raise Failed("upload_url_elsewhere")
        data = await asyncio.to_thread(path.open, "rb")
        try:
            async with self.session() as session, session.post(url, data=data, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise Failed("upload", answer.status)
        finally:
            data.close()
        return str(ready["file_id"])

    def own(self, url: str) -> bool:
        """Whether an address is Slack's own for files, or that of the server in Slack's stead."""
        split = urlsplit(url)
        return (split.scheme, split.netloc) in self._own


async def _pieces(answer: ClientResponse) -> AsyncIterator[bytes]:
    async for piece in answer.content.iter_chunked(PIECE):
        yield piece


def _failed(response: Any) -> Failed:
    """The failure that a response tells of: the SDK's, or aiohttp's where the SDK could not read it."""
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    data = getattr(response, "data", None)
    data = data if isinstance(data, dict) else {}
    headers = getattr(response, "headers", None) or {}
    wait = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    after = float(wait) if str(wait).isdecimal() else 0.0
    error = str(data.get("error") or ("ratelimited" if status == 429 else f"http_{status}"))
    return Failed(error, status, after, str(data.get("needed", "")))


def meaning(failed: Failed) -> NotSent | Unknown | Refused:
    """What an error says about a message that was to be sent."""
    error, nameless = failed.error, failed.error.startswith("http_")
    if failed.status == 429 or error in LATER:
        return NotSent(error, failed.retry_after or 1.0)
    if error in NO_ENTRY and not failed.needed.startswith("files:"):  # words go out without that permission
        return NotSent(error, LOCKED, everything=True)
    if error in DOUBTFUL or failed.status == 504 or (nameless and failed.status < 300):
        return Unknown(error, told=error in DOUBTFUL)
    if failed.status >= 500 or nameless:  # Slack says what is wrong with 200: this is a proxy, or the like
        return NotSent(error, failed.retry_after)
    return Refused(error, gone=error in GONE)


@asynccontextmanager
async def sending() -> AsyncIterator[None]:
    """Every way a call can go wrong, as what it means for the message."""
    from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError

    try:
        yield
    except Failed as failed:
        raise meaning(failed) from failed
    except (ClientConnectorError, ConnectionTimeoutError) as error:
        raise NotSent(f"Slack cannot be reached: {type(error).__name__}") from error
    except (ClientError, TimeoutError) as error:
        raise Unknown(type(error).__name__) from error
