"""Telegram in the kit, both ways in."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from channels import Channel
from channels.telegram import Telegram
from tests.kit.driver import ANN, PUBLIC, Driver, Seen
from tests.wire import telegram as wire
from tests.wire.telegram import TOKEN, Bad

PAYLOADS = Path(__file__).parent.parent / "payloads" / "telegram"
PEOPLE: dict[int, dict[str, Any]] = {0: wire.ANN, 1: wire.LI, PUBLIC: wire.ANN}
HOOK = "hook-secret_1"
KINDS = ("message", "edited_message", "callback_query")
FAULTS: dict[str, Any] = {
    "busy": Bad(429, "Too Many Requests: retry after 3", retry_after=3),
    "broken": Bad(502, "Bad Gateway"),
    "lost": "lost",
    "kept": "kept",
    "gone": Bad(403, "Forbidden: bot was blocked by the user"),
    "refused": Bad(400, "Bad Request: not enough rights to send text messages to the chat"),
}


def person(who: int) -> dict[str, Any]:
    """Somebody; beyond the two there are as many as are needed."""
    return PEOPLE.get(who) or {"id": 1000 + who, "is_bot": False, "first_name": f"P{who}", "language_code": "en"}


class Polling(Driver):
    """Updates by getUpdates."""

    name: ClassVar[str] = "telegram-polling"
    hook: ClassVar[bool] = False
    duty = "poll"
    largest = 4096
    cannot: ClassVar[Mapping[str, str]] = {
        "hook": "we ask for updates",
        "signed": "we ask for updates, under our token",
        "dated": "there is no signature",
        "twin": "an update is always the same",
        "delete": "bots are not told",
    }

    async def __aenter__(self) -> Driver:
        self.platform = wire.Telegram()
        self._running = self.platform.running()
        await self._running.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.__aexit__(None, None, None)

    def tasks(self) -> set[Any]:
        return set(self.platform._tasks)

    def channel(self) -> Channel:
        return Telegram(
            token=TOKEN,
            secret="s" * 32,
            api_url=self.platform.url,
            webhook_secret=HOOK if self.hook else "",
            poll_seconds=1.0,
            poll_pause=0.02,
        )

    async def connect(self, url: str) -> None:
        if self.hook:
            self.platform.webhook = {"url": f"{url}/hooks/telegram", "secret_token": HOOK}

    def _update(self, kind: str, what: Any) -> dict[str, Any]:
        return {"update_id": next(self.platform._updates), kind: what}

    def text(self, words: str, who: int = ANN) -> Any:
        if who == PUBLIC:
            return self._update("message", self.platform.message(f"@aftercare_bot {words}", chat=wire.GROUP))
        return self._update("message", self.platform.message(words, user=person(who)))

    def press(self, seen: Seen, label: str, who: int = ANN) -> Any:
        return self._update("callback_query", self.platform.query(seen.raw, label, person(who)))

    def late(self) -> None:
        self.platform.callback_life = 0.0

    def edit(self, event: Any, words: str) -> Any:
        changed = {**event.get("message", event.get("edited_message")), "text": words, "edit_date": int(time.time())}
        changed.pop("entities", None)
        return self._update("edited_message", changed)

    def picture(self, content: bytes, name: str = "a.png", who: int = ANN) -> Any:
        self.platform.files[f"photos/{name}"] = content
        file: dict[str, Any] = {"file_id": f"photos/{name}", "file_unique_id": name, "file_size": len(content)}
        document = {**file, "file_name": name, "mime_type": "image/png"}
        return self._update("message", self.platform.message(user=person(who), document=document))

    def no_file(self) -> None:
        self.platform.faults.append(("getFile", Bad(500, "Internal Server Error")))

    def odd(self) -> list[Any]:
        names = ("unknown_kind", "from_the_future", "live_location_moved", "channel_post", "joined")
        known = [json.loads((PAYLOADS / f"{name}.json").read_bytes()) for name in names]
        broken = [{"message": 7}, {"message": {"chat": []}}, {"callback_query": {"id": 7}}, {}]
        return [{**one, "update_id": next(self.platform._updates)} for one in (*known, *broken)]

    async def deliver(self, event: Any) -> bool:
        """Confirmed by the offset of a later question; until then it is there to be asked for."""
        if event not in self.platform._pending:
            self.platform._pending.append(event)
            self.platform._news.set()
        end = time.monotonic() + 2.0
        while event in self.platform._pending:
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.005)
        return True

    async def tell(self, event: Any) -> bool:
        while not await self.deliver(event):
            pass
        return True

    def seen(self, who: int = ANN) -> list[Seen]:
        chat: Any = wire.GROUP["id"] if who == PUBLIC else person(who)["id"]
        return [_seen(message) for message in self.platform.shown[chat]]

    async def files_seen(self, who: int = ANN) -> list[bytes]:
        return self.platform.sent_files[person(who)["id"]]

    def fault(self, *kinds: str) -> None:
        self.platform.faults += [("sendMessage", FAULTS[kind]) for kind in kinds]

    def strict(self) -> None:
        self.platform.strict, self.platform.scale = True, 0.9

    def hurried(self) -> int:
        return self.platform.hurried

    def size(self, seen: Seen) -> int:
        return len(seen.words.encode("utf-16-le")) // 2


class Webhook(Polling):
    """Updates by POST."""

    name = "telegram-webhook"
    hook = True
    cannot: ClassVar[Mapping[str, str]] = {
        "dated": "the secret in the header has no date",
        "twin": "an update is always the same",
        "delete": "bots are not told",
        "held": "every process may be called",
    }

    async def deliver(self, event: Any) -> bool:
        status, _ = await self.platform.post(raw_of(event))
        return 200 <= status < 300

    async def tell(self, event: Any) -> bool:
        """By Telegram's own queue of the chat."""
        what = next((event[kind] for kind in KINDS if kind in event), None) if isinstance(event, dict) else None
        if not isinstance(what, dict) or not isinstance(what.get("chat") or what.get("from"), dict):
            return await self.deliver(event)
        known = len(self.platform.deliveries)
        self.platform.deliver(event)
        while (event["update_id"], 200) not in self.platform.deliveries[known:]:
            await asyncio.sleep(0.003)
        return True

    def odd(self) -> list[Any]:
        return [*super().odd(), b"", b"\xff\xfe{", b"[" * 9000, b"[]", b'"text"', b"null", b'{"a":' * 9000]

    async def forged(self) -> list[int]:
        good = json.dumps(self.text("forged")).encode()
        return [(await self.platform.post(good, secret))[0] for secret in ("", "wrong", HOOK + "x", HOOK[:-1], "\xfc")]

    async def oversized(self) -> int:
        return (await self.platform.post(json.dumps(self.text("x" * (1 << 20))).encode()))[0]


def raw_of(event: Any) -> bytes:
    """An update as it is sent; bytes are sent as they are."""
    return event if isinstance(event, bytes) else json.dumps(event).encode()


def _seen(message: dict[str, Any]) -> Seen:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    labels = tuple(button["text"].removeprefix("✓ ") for row in rows for button in row)
    return Seen(message.get("text") or message.get("caption") or "", labels, message)
