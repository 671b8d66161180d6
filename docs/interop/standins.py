"""Stand-ins of Telegram and Slack that others wrote, behind the same words as the kit's own platforms (tests/kit)."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import socket
import time
from contextlib import suppress
from html import unescape
from pathlib import Path
from typing import Any, ClassVar

import aiohttp

from tests.kit.driver import ANN, Driver, Seen

HERE = Path(__file__).parent
TOKEN, HOOK = "666:test", "S3cret"


class Process(Driver):
    """A stand-in in a process of its own; ``home`` holds its node_modules."""

    home: ClassVar[Path] = Path()
    port = 0

    def command(self) -> list[str]:
        raise NotImplementedError

    async def __aenter__(self) -> Driver:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = (self.folder / "standin.log").open("wb")
        environment = {**os.environ, "PORT": str(self.port)}
        self._process = await asyncio.create_subprocess_exec(
            *self.command(), stdout=self._log, stderr=self._log, env=environment
        )
        self._http = aiohttp.ClientSession()
        for _ in range(200):
            try:
                async with self._http.get(self.url):
                    return self
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
        raise SystemExit(f"the stand-in did not start: {self.folder}/standin.log")

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()
        with suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()
        self._log.close()

    async def post(self, path: str, **body: Any) -> Any:
        """One request to it."""
        async with self._http.post(f"{self.url}/{path}", json=body) as answer:
            return await answer.json(content_type=None)

    async def look(self) -> None:
        """Ask it what people see by now."""


class TelegramPolling(Process):
    """telegram-test-api."""

    name = "telegram-polling"
    hook: ClassVar[str] = ""

    def command(self) -> list[str]:
        return ["node", str(HERE / "telegram.cjs"), str(self.home)]

    def settings(self) -> dict[str, Any]:
        """The block of config.yaml."""
        own = {"type": "telegram", "token": TOKEN, "api_url": self.url, "poll_seconds": 3, "poll_pause": 0.2}
        return {"telegram": own | ({"webhook_secret": self.hook} if self.hook else {})}

    def _from(self, who: int) -> dict[str, Any]:
        person = {"id": 42 + who, "first_name": ("Ann", "丽")[who], "is_bot": False, "language_code": ("en", "zh")[who]}
        chat = {"id": 42 + who, "first_name": person["first_name"], "type": "private"}
        return {"from": person, "chat": chat, "date": int(time.time())}

    def text(self, words: str, who: int = ANN) -> Any:
        return ("sendMessage", {"botToken": TOKEN, **self._from(who), "text": words})

    def press(self, seen: Seen, label: str, who: int = ANN) -> Any:
        rows = seen.raw["reply_markup"]["inline_keyboard"]
        data = next(b["callback_data"] for row in rows for b in row if b["text"].removeprefix("✓ ") == label)
        there = self._from(who)
        message = {**seen.raw, "chat": there["chat"], "date": there["date"]}
        return ("sendCallback", {"botToken": TOKEN, "from": there["from"], "data": data, "message": message})

    def picture(self, content: bytes, name: str = "a.png", who: int = ANN) -> Any:
        self._file = {"base64": base64.b64encode(content).decode()}
        photo = [{"file_id": name, "file_unique_id": name, "width": 1, "height": 1, "file_size": len(content)}]
        return (
            "_raw",
            {"token": TOKEN, "update": {"message": {"message_id": 9000, **self._from(who), "photo": photo}}},
        )

    def edit(self, event: Any, words: str) -> Any:
        """Of the last message: the stand-in counts them."""
        changed = {**self._from(ANN), "message_id": self._last, "edit_date": int(time.time()), "text": words}
        return ("_raw", {"token": TOKEN, "update": {"edited_message": changed}})

    async def deliver(self, event: Any) -> bool:
        path, body = event
        if path == "_raw" and "photo" in str(body):
            await self.post("_file/a.png", **self._file)
        self._sending = asyncio.create_task(self._send(path, body))  # by webhook it answers when we have acknowledged
        return True

    async def _send(self, path: str, body: Any) -> None:
        answer = await self.post(path, **body)
        self._last = (answer.get("result") or {}).get("messageId", 0) if isinstance(answer.get("result"), dict) else 0

    def native(self, rows: list[Any]) -> None:
        """Which message of ANN's came last, as we have stored it."""
        self._last = int(rows[-1])

    async def look(self) -> None:
        self._shown: dict[int, list[Seen]] = {}
        for who in (0, 1):
            async with self._http.get(f"{self.url}/_said/{42 + who}") as answer:
                self._shown[who] = [self._seen(one) for one in await answer.json()]

    def _seen(self, message: dict[str, Any]) -> Seen:
        markup = message.get("reply_markup") or {}
        markup = json.loads(markup) if isinstance(markup, str) else markup
        labels = tuple(b["text"].removeprefix("✓ ") for row in markup.get("inline_keyboard", ()) for b in row)
        words = unescape(re.sub(r"<[^>]*>", "", message.get("text") or ""))
        return Seen(words, labels, {**message, "reply_markup": markup})

    def seen(self, who: int = ANN) -> list[Seen]:
        return self._shown[who]


class TelegramWebhook(TelegramPolling):
    """The same, calling us."""

    name = "telegram-webhook"
    hook = HOOK


class SlackHttp(Process):
    """local-slack, calling us."""

    name = "slack-http"
    mode: ClassVar[str] = "events"

    def command(self) -> list[str]:
        app = {"appId": "A01APP", "botUserId": "U0BOT", "botName": "helpbot", "botToken": "xoxb-test-token"}
        app |= {"appToken": "xapp-test-token", "signingSecret": "test-signing-secret", "mode": self.mode}
        app |= {"requestUrl": f"http://127.0.0.1:{self.ours}/hooks/slack"}
        users = [{"id": "U01ALICE", "name": "alice", "real_name": "Alice Anderson"}, {"id": "U02BOB", "name": "bob"}]
        channels = [{"id": "C01GEN", "name": "general", "members": ["U01ALICE", "U02BOB", "U0BOT"]}]
        space = {"name": "Test Workspace", "domain": "test-workspace", "teamId": "T01TEST"}
        config = self.folder / "slack.yaml"
        config.write_text(json.dumps({"workspace": space, "app": app, "users": users, "channels": channels}))
        program = self.home / "node_modules" / "local-slack-linux-x64" / "bin" / "local-slack"
        return [str(program), "--config", str(config), "--port", str(self.port), "--base-host", "127.0.0.1"]

    ours: ClassVar[int] = 0  # the port of our server

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._private: dict[int, str] = {}  # person -> his private chat with us

    def settings(self) -> dict[str, Any]:
        """The block of config.yaml."""
        secret = (
            {"signing_secret": "test-signing-secret"} if self.mode == "events" else {"app_token": "xapp-test-token"}
        )
        return {"slack": {"type": "slack", "token": "xoxb-test-token", "api_url": self.url, **secret}}

    def text(self, words: str, who: int = ANN) -> Any:
        return ("message", {"channel": user(who), "user": user(who), "text": words})

    def press(self, seen: Seen, label: str, who: int = ANN) -> Any:
        rows = [block for block in seen.raw["blocks"] if block["type"] == "actions"]
        row, button = next((r, b) for r in rows for b in r["elements"] if b["text"]["text"] == label)
        action = {"type": "button", "block_id": row["block_id"], **{k: button[k] for k in ("action_id", "value")}}
        channel = self._private[who]
        return ("interact", {"channel": channel, "messageTs": seen.raw["ts"], "user": user(who), "action": action})

    def picture(self, content: bytes, name: str = "a.png", who: int = ANN) -> Any:
        (self.folder / name).write_bytes(content)
        return ("browser", {"path": str(self.folder / name)})

    def edit(self, event: Any, words: str) -> Any:
        return ("edit-message", {"channel": self._last[0], "ts": self._last[1], "user": user(ANN), "text": words})

    async def deliver(self, event: Any) -> bool:
        path, body = event
        if path == "browser":
            await self.by_hand(body["path"])
            return True
        answer = await self.post(f"_control/{path}", **body)
        if path == "message":
            self._last = (answer["message"].get("channel") or answer.get("channel"), answer["message"]["ts"])
        return True

    async def by_hand(self, path: str) -> None:
        """A file is sent in the browser: its control API has no word for that."""
        from playwright.async_api import async_playwright

        async with async_playwright() as play:
            browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = await browser.new_page(viewport={"width": 1300, "height": 1000})
            await page.goto(self.url)
            await page.get_by_role("button", name="Alice Anderson").first.click()
            await page.set_input_files("input[type=file]", path)
            await page.wait_for_timeout(500)
            await page.get_by_role("button", name="Send").last.click()
            await page.wait_for_timeout(1500)
            await page.screenshot(path=self.folder / "slack.png")
            await browser.close()

    async def look(self) -> None:
        self._shown: dict[int, list[Seen]] = {}
        async with self._http.get(f"{self.url}/_control/state") as answer:
            places = (await answer.json())["channels"]
        for who in (0, 1):
            self._private[who] = next((p["id"] for p in places if p["is_im"] and user(who) in p["members"]), "")
            said: list[Any] = []
            if self._private[who]:
                async with self._http.get(f"{self.url}/_control/messages/{self._private[who]}") as answer:
                    said = (await answer.json())["messages"]
            self._shown[who] = [self._seen(one) for one in said if one.get("bot_id") or one.get("user") == "U0BOT"]

    def _seen(self, message: dict[str, Any]) -> Seen:
        blocks = message.get("blocks") or []
        texts = [b["text"]["text"] for b in blocks if b["type"] == "section"] or [message.get("text", "")]
        labels = tuple(b["text"]["text"] for block in blocks if block["type"] == "actions" for b in block["elements"])
        words = re.sub(r"<(https?://[^|>]+)\|([^>]*)>", r"\2", "\n".join(texts))
        return Seen(unescape(unescape(words)).replace("*", ""), labels, message)

    def seen(self, who: int = ANN) -> list[Seen]:
        return self._shown[who]


class SlackSocket(SlackHttp):
    """The same over Socket Mode."""

    name = "slack-socket"
    mode = "socket"


def free_port() -> int:
    """A port nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def user(who: int) -> str:
    """Slack's name for somebody."""
    return ("U01ALICE", "U02BOB")[who]
