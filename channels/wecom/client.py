"""The way to WeCom's API: one secret, one access token that all processes share, and plain outcomes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from hashlib import sha256
from io import BytesIO
from typing import Any

import aiohttp

from channels import NotSent, Office, Unknown
from channels.wecom.errors import EXPIRED, RENEW, Fault

_EARLY = 300.0  # seconds before its end in which a token is not used any more
_PATIENCE = 3.0  # seconds in which another process may renew the token
_LOOK = 0.2  # seconds between two looks whether it has
_PIECE = 64 << 10
_ERRORS = ("application/json", "text/plain")  # types of an answer that is no file
_LONG = aiohttp.ClientTimeout(total=300.0, sock_read=30.0)  # of a file


class Connections:
    """The connections to one API server. Closed, it still serves what was begun."""

    def __init__(self, url: str, timeout: float) -> None:
        self.url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None
        self._busy, self._shut = 0, False

    def open(self) -> None:
        """Keep connections from now on."""
        self._shut = False

    async def close(self) -> None:
        """Close the connections and keep none from now on."""
        self._shut = True
        await self._rest()

    async def _rest(self) -> None:
        if self._shut and not self._busy and self._session:
            session, self._session = self._session, None
            await session.close()

    @asynccontextmanager
    async def request(self, method: str, path: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to one request, redirects not followed; raises NotSent or Unknown."""
        self._session = self._session or aiohttp.ClientSession(timeout=self._timeout)
        self._busy += 1
        try:
            url = f"{self.url}/cgi-bin/{path}"
            async with self._session.request(method, url, allow_redirects=False, **more) as answer:
                if answer.status != 200:
                    raise NotSent(f"HTTP {answer.status} from {path}", 5.0)  # WeCom's own refusals come with 200
                yield answer
        except aiohttp.ClientConnectorError as error:
            raise NotSent(f"{path}: cannot connect") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unknown(f"{path}: {type(error).__name__}") from error
        finally:
            self._busy -= 1
            await self._rest()


class Client:
    """What one secret may do. ``office`` is where the token is shared; without one it is kept to itself."""

    def __init__(self, line: Connections, corp_id: str, secret: str) -> None:
        self._connections, self._corp_id, self._secret = line, corp_id, secret
        self._note = f"token:{sha256(f'{corp_id} {secret}'.encode()).hexdigest()[:16]}"
        self._token, self._until = "", 0.0
        self._renewing = asyncio.Lock()
        self.office: Office | None = None
        self.clock = 0.0  # seconds by which WeCom's clock is ahead of ours, as of the last token

    async def post(self, path: str, body: Mapping[str, Any], **query: str) -> dict[str, Any]:
        """One call; raises Fault, NotSent or Unknown."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        return await self._call("POST", path, params=query, data=raw, headers={"Content-Type": "application/json"})

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """One question; raises as ``post`` does."""
        return await self._call("GET", path, params=query)

    async def upload(self, kind: str, content: bytes, name: str, media_type: str) -> str:
        """The media_id of a file, good for three days."""
        head = {"name": "media", "filename": name.replace('"', "'"), "content_type": media_type}
        return str((await self._call("POST", "media/upload", params={"type": kind}, file=(content, head)))["media_id"])

    @asynccontextmanager
    async def download(self, media_id: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """A file somebody sent, to be streamed; raises as ``post`` does."""
        token = await self.token()
        for last in (False, True):
            query = {"access_token": token, "media_id": media_id}
            async with self._connections.request("GET", "media/get", params=query, timeout=_LONG) as answer:
                if "Content-Disposition" in answer.headers or answer.content_type not in _ERRORS:
                    yield answer
                    return
                said = _object(await answer.content.read(_PIECE))
            token = await self._another(token, said, "media/get", last=last)

    async def _call(self, method: str, path: str, *, file: Any = None, **more: Any) -> dict[str, Any]:
        query, token = more.pop("params", {}), await self.token()
        for last in (False, True):
            data = {"data": _form(*file)} if file else {}
            params = {**query, "access_token": token}
            async with self._connections.request(method, path, params=params, **data, **more) as answer:
                said = _object(await answer.read())
            if not said.get("errcode"):
                break
            token = await self._another(token, said, path, last=last)
        return said

    async def _another(self, token: str, said: Mapping[str, Any], path: str, *, last: bool) -> str:
        """The token to try again with; raises Fault if a token is not what is wrong, or was renewed already."""
        code = _code(said) or EXPIRED  # JSON without an error, where a file should be
        if last or code not in RENEW:
            raise Fault(code, path, str(said.get("errmsg", "")))
        return await self.token(stale=token)

    async def token(self, stale: str = "") -> str:
        """A token that is not ``stale``; one process fetches it for all. Raises Fault or NotSent."""
        async with self._renewing:
            if self._good(stale) or await self._noted(stale):
                return self._token
            if self.office and not await self.office.hold("token"):
                end = time.monotonic() + _PATIENCE
                while time.monotonic() < end:
                    await asyncio.sleep(_LOOK)
                    if await self._noted(stale):
                        return self._token
            await self._fetch()
            return self._token

    def _good(self, stale: str) -> bool:
        return self._token not in ("", stale) and self._until > time.time()

    async def _noted(self, stale: str) -> bool:
        """Take the token another process wrote down, if it is one to use."""
        noted = await self.office.note(self._note) if self.office else None
        if noted:
            self._token, self._until = json.loads(noted)
        return bool(noted) and self._good(stale)

    async def _fetch(self) -> None:
        query = {"corpid": self._corp_id, "corpsecret": self._secret}
        try:
            async with self._connections.request("GET", "gettoken", params=query) as answer:
                said = _object(await answer.read())
                self.clock = _ahead(answer.headers.get("Date", ""))
        except Unknown as error:
            raise NotSent(str(error)) from error  # nothing but the question for a token was asked
        if code := _code(said):
            raise Fault(code, "gettoken", str(said.get("errmsg", "")))
        lives, token = said.get("expires_in") or 7200, said.get("access_token")
        if not isinstance(token, str) or not isinstance(lives, int | float):
            raise NotSent("gettoken: no token")
        self._token, self._until = token, time.time() + max(lives - _EARLY, lives / 2)
        if self.office:
            await self.office.receive([], {self._note: json.dumps([self._token, self._until]).encode()})


def _form(content: bytes, head: Mapping[str, str]) -> aiohttp.FormData:
    """Made anew for each attempt; names are not percent-encoded, WeCom shows them as they are."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field(head["name"], BytesIO(content), filename=head["filename"], content_type=head["content_type"])
    return form


def _object(raw: bytes) -> dict[str, Any]:
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unknown("the answer is not JSON") from error
    if not isinstance(said, dict) or "errcode" not in said:  # 0 is good; no number is no answer of WeCom's
        raise Unknown("the answer says nothing")
    return said


def _code(said: Mapping[str, Any]) -> int:
    code = said.get("errcode") or 0
    return code if isinstance(code, int) else -1  # WeCom's own number for "busy, try again"


def _ahead(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return 0.0
