"""The web chat in the kit: browsers that keep a stream open and send what was not acknowledged again."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, ClassVar
from uuid import uuid4

import aiohttp

from channels import Channel
from channels.dialects import plain
from channels.web import Web
from tests.kit.driver import ANN, Driver, Seen

KEY = "w" * 32


class Browsers(Driver):
    """Several customers on the page."""

    name: ClassVar[str] = "web"
    cannot: ClassVar[Mapping[str, str]] = {
        "dated": "a session's token is good for months",
        "twin": "a browser sends the same bytes",
        "odd": "what is no message is refused, with the reason",
        "late": "a press is a message",
        "others": "a chat is one customer's own",
        "edit": "the page has no edits",
        "delete": "the page has no deletions",
        "files": "the page brings the file before the message",
        "net": "browsers read what was recorded: nothing is sent",
        "gone": "nothing is sent",
        "limits": "the page shows any length",
        "pace": "nothing is sent",
        "held": "every process may be asked",
    }

    async def __aenter__(self) -> Driver:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, connect=2))
        self._tokens: dict[int, str] = {}
        self._lock = asyncio.Lock()
        self._read: defaultdict[int, dict[int, Seen]] = defaultdict(dict)
        self._streams: dict[int, asyncio.Task[None]] = {}
        self._url = ""
        return self

    async def __aexit__(self, *_: object) -> None:
        for stream in self._streams.values():
            stream.cancel()
        await asyncio.gather(*self._streams.values(), return_exceptions=True)
        await self._http.close()

    def tasks(self) -> set[Any]:
        return set(self._streams.values())

    def channel(self) -> Channel:
        return Web(secret=KEY, sessions_per_minute=600, messages_per_minute=6000, message_chars=50_000)

    async def connect(self, url: str) -> None:
        self._url = url

    def text(self, words: str, who: int = ANN) -> Any:
        return {"who": who, "said": {"id": str(uuid4()), "text": words}}

    def press(self, seen: Seen, label: str, who: int = ANN) -> Any:
        chosen = next(one for one in seen.raw["choices"] if one["label"] == label)
        return {"who": who, "said": {"id": str(uuid4()), "choice": chosen["id"]}}

    async def _session(self, who: int) -> str:
        async with self._lock:
            if who not in self._tokens:
                async with self._http.post(f"{self._url}/chat/session", json={}) as answer:
                    self._tokens[who] = (await answer.json())["token"]
                self._streams[who] = asyncio.create_task(self._stream(who))
        return self._tokens[who]

    async def _stream(self, who: int) -> None:
        """As a browser's EventSource does it."""
        while True:
            last = max(self._read[who], default=0)
            headers = {"Authorization": f"Bearer {self._tokens[who]}", "Last-Event-ID": str(last)}
            try:
                async with self._http.get(f"{self._url}/chat/events", headers=headers) as answer:
                    async for line in answer.content:
                        if line.startswith(b"data: ") and b'"seq"' in line:
                            self._heard(who, json.loads(line[6:]))
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.02)

    def _heard(self, who: int, message: Mapping[str, Any]) -> None:
        assert message["seq"] not in self._read[who] or message["author"] == "customer"
        self._read[who][message["seq"]] = Seen(
            plain(message["text"]), tuple(c["label"] for c in message["choices"]), message
        )

    async def deliver(self, event: Any) -> bool:
        headers = {"Authorization": f"Bearer {await self._session(event['who'])}"}
        try:
            async with self._http.post(f"{self._url}/chat/messages", json=event["said"], headers=headers) as answer:
                return answer.status == 202
        except aiohttp.ClientError:
            return False

    async def tell(self, event: Any) -> bool:
        for _ in range(20):
            if await self.deliver(event):
                return True
            await asyncio.sleep(0.02)
        return False

    async def forged(self) -> list[int]:
        good, statuses = await self._session(ANN), []
        said = {"id": str(uuid4()), "text": "forged"}
        tokens = (
            "",
            "Bearer",
            "Bearer x",
            f"Bearer {good}x",
            f"Bearer {good[:-2]}",
            f"Basic {good}",
            "Bearer " + "x" * 5000,
        )
        for token in tokens:
            headers = {"Authorization": token} if token else {}
            async with self._http.post(f"{self._url}/chat/messages", json=said, headers=headers) as answer:
                statuses.append(answer.status)
        return statuses

    async def oversized(self) -> int:
        headers = {"Authorization": f"Bearer {await self._session(ANN)}"}
        raw = BytesIO(json.dumps({"id": str(uuid4()), "text": "x" * (1 << 20)}).encode())
        async with self._http.post(f"{self._url}/chat/messages", data=raw, headers=headers) as answer:
            return answer.status

    def seen(self, who: int = ANN) -> list[Seen]:
        return [seen for _, seen in sorted(self._read[who].items()) if seen.raw["author"] != "customer"]

    def readers(self) -> Sequence[int]:
        return tuple(self._streams)

    async def files_seen(self, who: int = ANN) -> list[bytes]:
        found = []
        for seen in self.seen(who):
            for one in seen.raw["attachments"]:
                async with self._http.get(f"{self._url}{one['url']}") as answer:
                    found.append(await answer.read())
        return found
