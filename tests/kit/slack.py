"""Slack in the kit: events over HTTP, and over Socket Mode."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from html import unescape
from typing import Any, ClassVar

import pytest

from channels import Channel
from channels.slack import Slack, socket_mode
from tests.kit.driver import ANN, PUBLIC, Driver, Seen
from tests.wire.slack import FakeSlack

FAULTS = {"busy": "429:3", "broken": "503", "lost": "late", "kept": "kept", "gone": "is_archived", "refused": "no_text"}


class Http(Driver):
    """Signed requests."""

    name: ClassVar[str] = "slack-http"
    socket: ClassVar[bool] = False
    largest = 13_200  # characters over all blocks
    cannot: ClassVar[Mapping[str, str]] = {"held": "every process may be called"}

    async def __aenter__(self) -> Driver:
        self.slack = FakeSlack(scale=1.0, again=0.003)
        await self.slack.__aenter__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(socket_mode, "TURN", 0.03)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._patch.undo()
        await self.slack.__aexit__()

    def channel(self) -> Channel:
        return Slack(
            secret="s" * 32,
            token="xoxb-1",
            api_url=self.slack.url,
            signing_secret="" if self.socket else self.slack.secret,
            app_token="xapp-1" if self.socket else "",
            send_timeout=6.0,
            message_chars=50_000,
        )

    async def connect(self, url: str) -> None:
        self.slack.hook = f"{url}/hooks/slack"

    def text(self, words: str, who: int = ANN) -> Any:
        if who == PUBLIC:
            return self.slack.message(f"<@UBOT> {_typed(words)}", channel="C1", user=user(ANN))
        return self.slack.message(_typed(words), channel=f"D{user(who)}", user=user(who))

    def press(self, seen: Seen, label: str, who: int = ANN) -> Any:
        rows = [block for block in seen.raw["blocks"] if block["type"] == "actions"]
        value = next(b["value"] for row in rows for b in row["elements"] if b["text"]["text"] == label)
        return self.slack.press(seen.raw, value, user=user(who))

    def late(self) -> None:
        self.slack.faults["views.open"].append("expired_trigger_id")

    def edit(self, event: Any, words: str) -> Any:
        old, ts = event["event"].get("message") or event["event"], self.slack.ts()
        new = {**old, "text": _typed(words), "edited": {"user": old["user"], "ts": ts}}
        return self._changed(old, "message_changed", message=new, ts=ts)

    def delete(self, event: Any) -> Any:
        return self._changed(event["event"], "message_deleted", deleted_ts=event["event"]["ts"])

    def _changed(self, old: Any, how: str, **more: Any) -> Any:
        where = {"type": "message", "subtype": how, "channel": old["channel"], "channel_type": "im"}
        return self.slack.envelope({**where, "previous_message": old, **more})

    def picture(self, content: bytes, name: str = "a.png", who: int = ANN) -> Any:
        id = f"F{next(self.slack._numbers)}"
        self.slack.files[id] = content
        file = {"id": id, "name": name, "mimetype": "image/png", "size": len(content), "mode": "hosted"}
        file["url_private_download"] = f"{self.slack.home}/files/{id}"
        return self.slack.message("", channel=f"D{user(who)}", user=user(who), subtype="file_share", files=[file])

    def no_file(self) -> None:
        self.slack.faults["file"].append("503")

    def twin(self, event: Any) -> Any:
        """A message that names the app comes as ``app_mention`` too."""
        return self.slack.mention(event)

    def odd(self) -> list[Any]:
        broken: list[Any] = [
            {"type": "message"},
            {"type": "quantum_leap", "user": "U1"},
            {"type": "message", "channel": 7},
        ]
        named = [self.slack.envelope(one) for one in broken]
        bodies = () if self.socket else (b"\xff\xfe", b"[]", b"payload=%5B", b"[" * 9000, b'{"a":' * 9000, b"")
        return [
            *bodies,
            *named,
            {"type": "event_callback", "team_id": "T1"},
            {"type": "block_actions", "user": {"id": "U1"}},
        ]

    async def deliver(self, event: Any) -> bool:
        if isinstance(event, bytes):
            return (await self.slack.post(event))[0] == 200
        status, _ = await (self.slack._by_socket if self.socket else self.slack._by_http)(event, 0)
        return status == 200

    async def tell(self, event: Any) -> bool:
        if isinstance(event, bytes):
            return await self.deliver(event)
        return (await self.slack.tell(event))[0][-1] == 200

    async def forged(self) -> list[int]:
        body, now = json.dumps(self.text("forged")).encode(), str(int(time.time()))
        odd = [{"X-Slack-Request-Timestamp": "soon"}, {"X-Slack-Signature": "v0=\xfc"}, {"X-Slack-Signature": ""}]
        odd += [{"X-Slack-Request-Timestamp": now + "9" * 30}, {"X-Slack-Signature": "v0=" + "0" * 64}]
        statuses = [(await self.slack.post(body, headers))[0] for headers in odd]
        self.slack.secret = "other"
        statuses.append((await self.slack.post(body))[0])
        self.slack.secret = "shh"
        return statuses

    async def stale(self) -> list[int]:
        body = json.dumps(self.text("stale")).encode()
        return [(await self.slack.post(body, at=time.time() + by))[0] for by in (-400, 400, -86400)]

    async def oversized(self) -> int:
        return (await self.slack.post(b"x" * ((1 << 20) + 1)))[0]

    def seen(self, who: int = ANN) -> list[Seen]:
        channel = "C1" if who == PUBLIC else f"D{user(who)}"
        return [_seen(message) for message in self.slack.posted if message["channel"] == channel]

    async def files_seen(self, who: int = ANN) -> list[bytes]:
        done = [args for method, args in self.slack.calls if method == "files.completeUploadExternal"]
        mine = [file["id"] for args in done if args["channel_id"] == f"D{user(who)}" for file in args["files"]]
        return [self.slack.files[id] for id in mine]

    def fault(self, *kinds: str) -> None:
        self.slack.faults["chat.postMessage"].extend(FAULTS[kind] for kind in kinds)

    def strict(self) -> None:
        self.slack.strict, self.slack.scale = True, 1.0

    def hurried(self) -> int:
        return self.slack.hurried

    def size(self, seen: Seen) -> int:
        blocks = seen.raw.get("blocks") or []
        return sum(len(b["text"]["text"]) for b in blocks if b["type"] == "section") or len(seen.raw["text"])


class Socket(Http):
    """Envelopes over a websocket that we open."""

    name = "slack-socket"
    duty = "socket"
    socket = True
    cannot: ClassVar[Mapping[str, str]] = {
        "hook": "we open the connection",
        "signed": "we open the connection, under our token",
        "dated": "there is no signature",
    }

    async def connect(self, url: str) -> None:
        self.slack.hook = ""
        for _ in range(500):
            if self.slack.sockets:
                return
            await asyncio.sleep(0.01)

    async def disconnect(self) -> None:
        await asyncio.sleep(0)


def user(who: int) -> str:
    """Slack's name for somebody."""
    return f"U{who + 1}"


def _typed(words: str) -> str:
    """As Slack sends what people type."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _seen(message: dict[str, Any]) -> Seen:
    blocks = message.get("blocks") or []
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section"] or [message.get("text", "")]
    labels = tuple(b["text"]["text"] for block in blocks if block["type"] == "actions" for b in block["elements"])
    return Seen(unescape(re.sub(r"<(https?://[^|>]+)\|([^>]*)>", r"\2", "\n".join(texts))), labels, message)
