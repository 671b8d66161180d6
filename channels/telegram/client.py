"""The Bot API, called with python-telegram-bot on aiohttp, and what its errors mean to the outbox."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import aiohttp

from channels import NotSent, Refused, Unknown
from channels.fetching import Lost

if TYPE_CHECKING:
    from telegram import Bot
    from telegram.error import TelegramError

CONNECT: Final = 5.0  # seconds
ANSWER: Final = 30.0  # seconds; sending as a whole has the outbox's limit
DOWNLOAD: Final = 60.0
IDLE: Final = 4.0  # seconds a connection is kept for the next call
GONE: Final = (
    *("chat not found", "user is deactivated", "peer_id_invalid", "group chat was deleted"),
    *("message thread not found", "topic_deleted"),
)


class BadToken(Exception):
    """Telegram does not know our token (any more)."""


class Moved(Exception):
    """The group has become a supergroup."""

    def __init__(self, to: int) -> None:
        super().__init__(f"the group is now {to}")
        self.to = to


class Malformed(Refused):
    """Telegram does not understand our markup, or does not take our picture for one."""


class Contested(Exception):
    """Another program reads this bot's updates, or they go to a webhook."""


OFFICIAL: Final = "https://api.telegram.org"  # a server of one's own may send to any address


class Client:
    """One bot's connection. Made when it is first used, for the library takes half a second to import."""

    def __init__(self, token: str, api_url: str) -> None:
        self._token, self._url = token, api_url.rstrip("/")
        self._bot: Bot | None = None
        self._session: aiohttp.ClientSession | None = None
        self.skew = 0.0  # seconds by which our clock is ahead of Telegram's

    @property
    def official(self) -> bool:
        """Whether this is Telegram's own server."""
        return self._url == OFFICIAL

    async def call(self, method: str, payload: Mapping[str, Any], *, patience: float = ANSWER) -> Any:
        """The result of a call, just as it came. Raises NotSent, Unknown, Refused, BadToken, Moved or Contested."""
        bot = self._bot = self._bot or self._connected()
        from telegram.error import TelegramError

        try:
            return await bot.do_api_request(method, dict(payload), read_timeout=patience)
        except TelegramError as error:
            raise meant(error) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # JSON, but none of Telegram's
            raise Unknown("this is no answer of Telegram's") from error

    async def upload(self, method: str, payload: Mapping[str, Any], field: str, content: bytes, name: str) -> Any:
        """A call with a file; raises like ``call``."""
        from telegram import InputFile

        return await self.call(method, {**payload, field: InputFile(content, filename=name)})

    @asynccontextmanager
    async def download(self, file: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of a file, from the API's own host and nowhere else; raises Lost, or as ``call`` does."""
        try:
            place = (await self.call("getFile", {"file_id": file})).get("file_path") or ""
        except Refused as error:
            raise Lost(str(error), large="too big" in str(error).lower()) from error
        if not place or place.startswith("/") or ".." in place or "://" in place:
            raise Lost("Telegram names no place of its own for the file")
        url = f"{self._url}/file/bot{self._token}/{quote(place)}"
        patience = aiohttp.ClientTimeout(total=DOWNLOAD, sock_connect=CONNECT)
        try:
            async with self._http().get(url, allow_redirects=False, timeout=patience) as answer:
                if answer.status in (400, 404, 410):
                    raise Lost(f"status {answer.status}")
                if answer.status != 200:
                    raise NotSent(f"status {answer.status}")
                yield answer.content.iter_chunked(64 << 10)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unknown(type(error).__name__) from error  # its words may hold the address, and that the token

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session:
            await session.close()

    def _told(self, date: str) -> None:
        with suppress(ValueError, TypeError):
            self.skew = time.time() - parsedate_to_datetime(date).timestamp()

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            # A connection that the server closes just as it is used again leaves a reply in doubt: use none that is old
            connector = aiohttp.TCPConnector(limit=100, keepalive_timeout=IDLE)
            self._session = aiohttp.ClientSession(connector=connector)
        return self._session

    def _connected(self) -> Bot:
        os.environ.setdefault("PTB_TIMEDELTA", "1")  # how the library will do it one day; until then it warns
        from telegram import Bot
        from telegram.warnings import PTBUserWarning

        from channels.telegram.request import AiohttpRequest

        # What comes is taken as it is, so that one odd update does not spoil the hundred it came with.
        warnings.filterwarnings("ignore", "Please use 'Bot", PTBUserWarning)
        most, polling = (AiohttpRequest(self._http, self._told) for _ in range(2))
        return Bot(self._token, f"{self._url}/bot", f"{self._url}/file/bot", most, polling)


def meant(error: TelegramError) -> Exception:
    """What an error of the library means to whoever called."""
    from telegram import error as known

    if strange := _strange(error.__cause__):
        return strange
    match error:
        case known.RetryAfter():
            wait = error.retry_after
            return NotSent("too many requests", float(wait if isinstance(wait, int) else wait.total_seconds()))
        case known.ChatMigrated():
            return Moved(error.new_chat_id)
        case known.Forbidden():
            return Refused(str(error), gone=True)
        case known.InvalidToken():
            return BadToken(str(error))
        case known.Conflict():
            return Contested(str(error))
        case known.BadRequest():
            return _refused(str(error))
        case known.NetworkError():  # a status of 500 and above
            return NotSent(str(error)[:200])
    return Unknown(str(error)[:200])


def _strange(cause: BaseException | None) -> Exception | None:
    """What went wrong before Telegram itself could say anything."""
    from telegram.error import InvalidToken, TelegramError

    if isinstance(cause, InvalidToken):  # the library says so of every 401 and 404
        return _strange(cause.__cause__)
    if isinstance(cause, TelegramError):  # the status of an error, and no JSON: a proxy's, or whose ever
        return NotSent("somebody answers in Telegram's stead")
    return cause if isinstance(cause, NotSent | Unknown) else None


def _refused(why: str) -> Refused:
    said = why.lower()
    if "can't parse entities" in said or "photo_invalid" in said or "image_process" in said:
        return Malformed(why)
    return Refused(why, gone=any(words in said for words in GONE))
