"""A Bot API server with Telegram's manners: queues, retries, limits, expiry, strict markup; on a real socket."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import aiohttp
from aiohttp import web

TOKEN = "666:wire-test-token"
BOT = {
    "id": 666,
    "is_bot": True,
    "first_name": "Aftercare",
    "username": "aftercare_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
}
ANN = {"id": 42, "is_bot": False, "first_name": "Ann", "language_code": "en"}
LI = {"id": 43, "is_bot": False, "first_name": "丽", "language_code": "zh-hans"}
GROUP = {"id": -100200, "type": "supergroup", "title": "Owners"}
DESK: dict[str, Any] = {"id": -100900, "type": "supergroup", "title": "Agents"}
TAGS = {"b", "strong", "i", "em", "u", "s", "code", "pre", "a", "tg-spoiler", "blockquote"}

LIFE = {"callback_query": 150.0}  # seconds for which an update is delivered; all else for a day
DAY = 86_400.0
HONOURED = 3600.0  # seconds of Retry-After at most

WORDS = ("text", "caption", "url", "description", "callback_query_id")  # parameters that are never JSON


class Bad(Exception):
    """The answer is an error: status, description, parameters."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


class Entities(HTMLParser):
    """What is left of HTML, if Telegram takes it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in TAGS:
            raise Bad(400, f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}" at byte offset 0')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Bad(400, "Bad Request: can't parse entities: Unmatched end tag at byte offset 0")

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(text: str, mode: str, most: int) -> str:
    """The text as it will be shown; raises Bad."""
    if mode == "HTML":
        entities = Entities()
        entities.feed(text)
        entities.close()
        if entities.open:
            raise Bad(400, "Bad Request: can't parse entities: Can't find end tag")
        text = entities.text
    if len(text.encode("utf-16-le")) // 2 > most:
        raise Bad(400, "Bad Request: message is too long" if most == 4096 else "Bad Request: caption is too long")
    return text


class Telegram:
    """The platform and its people: they write with ``say`` and ``press``, what they see is in ``shown``."""

    def __init__(self, *, scale: float = 0.01, callback_life: float = 150.0) -> None:
        self.scale, self.callback_life = scale, callback_life
        self.strict = False  # refuse what comes quicker than once a second to a chat, or 20 times a minute to a group
        self.hurried = 0  # how often that was so
        self.expired: list[int] = []  # updates that were given up
        self.url = ""
        self.forum, self.standing = True, "administrator"  # of the agents' group, and what the bot is in it
        self.topics: dict[int, str] = {}  # of it
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.shown: dict[int, list[dict[str, Any]]] = defaultdict(list)  # chat -> messages of the bot
        self.answered: list[dict[str, Any]] = []
        self.deliveries: list[tuple[int, int]] = []  # update, status it was answered with
        # method -> Bad, or "hang", "reset" before anything is done, "kept", "lost" when it is done; each used once
        self.faults: list[tuple[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.sent_files: dict[int, list[bytes]] = defaultdict(list)  # chat -> what the bot sent
        self.webhook: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}
        self._pending: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._updates, self._messages = itertools.count(900_001), itertools.count(1)
        self._pressed: dict[str, float] = {}
        self._queues: dict[Any, asyncio.Queue[dict[str, Any]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._poll: asyncio.Event | None = None  # of the question for updates that is open: another one ends it
        self._asked = (0, 0.0)  # the last offset, and when
        self._said: dict[int, list[float]] = defaultdict(list)  # chat -> when we wrote to it
        self._hooked_at = -1e9
        self._http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Telegram]:
        """Serve until left."""
        app = web.Application(client_max_size=60 << 20)
        app.router.add_route("*", "/bot{token}/{method}", self._method)
        app.router.add_get("/file/bot{token}/{path:.*}", self._file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._http = aiohttp.ClientSession()
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._http.close()
            await runner.cleanup()

    # ------------------------------------------------------------ people

    def message(self, text: str = "", *, user: Any = ANN, chat: Any = None, **more: Any) -> dict[str, Any]:
        """A message as Telegram tells of it."""
        where = chat or {"id": user["id"], "type": "private", "first_name": user["first_name"]}
        said: dict[str, Any] = {"message_id": next(self._messages), "date": int(time.time()), "chat": where}
        said |= {"from": user} | more
        if text:
            said["text"] = text
            marks = [(m, "mention") for m in re.finditer(r"@\w+", text)]
            marks += [(m, "bot_command") for m in re.finditer(r"^/\w+(@\w+)?", text)]
            found = [{"type": kind, "offset": m.start(), "length": m.end() - m.start()} for m, kind in marks]
            said |= {"entities": found} if found else {}
        return said

    def say(self, text: str = "", **more: Any) -> dict[str, Any]:
        """Somebody writes."""
        said = self.message(text, **more)
        self.happen("message", said)
        return said

    def edit(self, said: dict[str, Any], text: str) -> None:
        """Somebody changes what he wrote."""
        self.happen("edited_message", said | {"text": text, "edit_date": int(time.time()) + 1})

    def album(self, *files: str, caption: str = "", **more: Any) -> None:
        """Pictures sent together: one update each, the words with the first."""
        group = str(next(self._messages) + 10_000)
        for file in files:
            photo = [{"file_id": file, "file_unique_id": file, "width": 1, "height": 1, "file_size": 48}]
            words = {"caption": caption} if caption else {}
            self.say(photo=photo, media_group_id=group, **words, **more)
            caption = ""

    def number_anew(self) -> None:
        """After a quiet week updates are numbered from anywhere, perhaps from below."""
        self._updates = itertools.count(random.randrange(1000, 800_000))  # noqa: S311

    def press(self, message: dict[str, Any], label: str, user: Any = ANN) -> str:
        """Somebody presses a button; returns the id of the callback query."""
        query = self.query(message, label, user)
        self.happen("callback_query", query)
        return str(query["id"])

    def query(self, message: dict[str, Any], label: str, user: Any = ANN) -> dict[str, Any]:
        """What Telegram tells of a button that was pressed."""
        rows = message["reply_markup"]["inline_keyboard"]
        data = next(b["callback_data"] for row in rows for b in row if b["text"].removeprefix("✓ ") == label)
        id = str(next(self._updates)) + "77"
        self._pressed[id] = time.monotonic()
        return {"id": id, "from": user, "message": message, "chat_instance": "1", "data": data}

    def happen(self, kind: str, what: dict[str, Any]) -> dict[str, Any]:
        """An update is made and delivered."""
        update = {"update_id": next(self._updates), kind: what}
        self.deliver(update)
        return update

    def deliver(self, update: dict[str, Any]) -> None:
        """Into the queue of its chat, or of the user whose button it is; or to whoever polls."""
        if not self.webhook:
            self._pending.append(update)
            self._news.set()
            return
        query = update.get("callback_query")
        what = next(value for key, value in update.items() if key != "update_id")
        line = ("user", query["from"]["id"]) if query else ("chat", what["chat"]["id"])
        if line not in self._queues:
            self._queues[line] = asyncio.Queue()
            self._tasks.append(asyncio.create_task(self._deliver(self._queues[line])))
        self._queues[line].put_nowait(update)

    async def _deliver(self, queue: asyncio.Queue[dict[str, Any]]) -> None:
        """One after the other; the first that fails holds up its queue, until it expires."""
        while True:
            update, pause, began = await queue.get(), 1.0, time.monotonic()
            life = min((LIFE.get(kind, DAY) for kind in update), default=DAY)
            while True:
                status, wait = await self.post(json.dumps(update).encode())
                self.deliveries.append((update["update_id"], status))
                if 200 <= status < 300:
                    break
                if time.monotonic() - began > life * self.scale:
                    self.expired.append(update["update_id"])
                    break
                await asyncio.sleep(min(wait or pause, HONOURED) * self.scale)
                pause = min(pause * 2, random.uniform(60, 120))  # noqa: S311

    async def post(self, body: bytes, secret: str | None = None) -> tuple[int, float]:
        """One delivery to the webhook: status and Retry-After."""
        assert self._http
        given = self.webhook.get("secret_token") if secret is None else secret
        headers = {"content-type": "application/json"} | ({"X-Telegram-Bot-Api-Secret-Token": given} if given else {})
        try:
            async with self._http.post(self.webhook["url"], data=BytesIO(body), headers=headers) as answer:
                return answer.status, float(answer.headers.get("Retry-After", 0))
        except aiohttp.ClientError:
            return 0, 0.0

    async def seen(self, chat: int, many: int, seconds: float = 8.0) -> list[dict[str, Any]]:
        """The bot's messages of a chat, once there are so many."""
        end = time.monotonic() + seconds
        while len(self.shown[chat]) < many:
            assert time.monotonic() < end, (self.shown[chat], self.calls[-5:])
            await asyncio.sleep(0.01)
        return self.shown[chat]

    async def ended(self, query: str, seconds: float = 8.0) -> dict[str, Any]:
        """What a press was answered with, once it is."""
        async with asyncio.timeout(seconds):
            while not (found := [one for one in self.answered if one["id"] == query]):
                await asyncio.sleep(0.01)
        return found[0]

    def called(self, method: str) -> list[dict[str, Any]]:
        """The payloads of every call of a method."""
        return [payload for name, payload in self.calls if name == method]

    # ------------------------------------------------------------ the Bot API

    async def _method(self, request: web.Request) -> web.StreamResponse:
        method, form = request.match_info["method"], await request.post()
        payload = {k: v if isinstance(v, web.FileField) or k in WORDS else _value(str(v)) for k, v in form.items()}
        self.calls.append((method, payload))
        try:
            if request.match_info["token"] != TOKEN:
                raise Bad(401, "Unauthorized")
            if fault := next((f for f in self.faults if f[0] == method), None):
                self.faults.remove(fault)
                if fault[1] == "hang":
                    await asyncio.sleep(30)
                if fault[1] in ("kept", "lost"):
                    await self._do(method, payload)
                if fault[1] == "kept":
                    await asyncio.sleep(30)
                if isinstance(fault[1], str) and request.transport:
                    request.transport.abort()
                    return web.Response()
                raise fault[1]
            result = await self._do(method, payload)
        except Bad as bad:
            error = {"ok": False, "error_code": bad.status, "description": bad.description}
            return web.json_response(
                error | ({"parameters": bad.parameters} if bad.parameters else {}), status=bad.status
            )
        return web.json_response({"ok": True, "result": result})

    async def _do(self, method: str, payload: dict[str, Any]) -> Any:
        action = getattr(self, f"api_{method}", None)
        if action is None:
            raise Bad(404, "Not Found")
        if self.strict and method.startswith("send") and method != "sendChatAction":
            self._hasten(payload["chat_id"])
        return await action(**payload)

    def _hasten(self, chat: int) -> None:
        """Raises Bad for a message that comes too soon after the one before it, or as the 21st to a group."""
        now, said = time.monotonic(), self._said[chat]
        if (said and now - said[-1] < self.scale) or (
            chat < 0 and len(said) > 19 and now - said[-20] < 60 * self.scale
        ):
            self.hurried += 1
            raise Bad(429, "Too Many Requests: retry after 1", retry_after=1)
        said.append(now)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        place = request.match_info["path"]
        if place == "elsewhere":
            raise web.HTTPFound("http://127.0.0.1:9/secret")
        return web.Response(body=self.files[place]) if place in self.files else web.Response(status=404)

    async def api_getMe(self) -> dict[str, Any]:  # noqa: N802
        return BOT

    async def api_getUpdates(self, timeout: int = 0, limit: int = 100, offset: int = 0, **_: Any) -> Any:  # noqa: N802, ASYNC109
        if self.webhook:
            raise Bad(409, "Conflict: can't use getUpdates method while webhook is active")
        if self._poll:
            self._poll.set()
        self._poll = over = asyncio.Event()
        again = offset and self._asked[0] == offset and time.monotonic() - self._asked[1] < 0.5
        self._asked = (offset, time.monotonic())
        try:
            if offset:
                self._pending = [u for u in self._pending if u["update_id"] >= offset]
            if not self._pending and timeout:
                self._news.clear()
                waits = [asyncio.create_task(one.wait()) for one in (self._news, over)]
                try:
                    await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for wait in waits:
                        wait.cancel()
            if over.is_set():
                raise Bad(409, "Conflict: terminated by other getUpdates request; make sure that only one bot runs")
            return self._pending[: 1 if again else limit]
        finally:
            if self._poll is over:
                self._poll = None

    async def api_setWebhook(self, url: str, **more: Any) -> bool:  # noqa: N802
        if time.monotonic() - self._hooked_at < self.scale:
            raise Bad(429, "Too Many Requests: retry after 1", retry_after=1)
        self._hooked_at = time.monotonic()
        self.webhook = {"url": url, **more}
        return True

    async def api_deleteWebhook(self, **_: Any) -> bool:  # noqa: N802
        self.webhook = {}
        return True

    async def api_getWebhookInfo(self) -> dict[str, Any]:  # noqa: N802
        return {"url": self.webhook.get("url", ""), "has_custom_certificate": False, "pending_update_count": 0}

    async def api_setMyCommands(self, commands: Any, language_code: str = "") -> bool:  # noqa: N802
        self.settings[f"commands:{language_code}"] = commands
        return True

    async def api_getMyCommands(self, language_code: str = "") -> Any:  # noqa: N802
        return self.settings.get(f"commands:{language_code}", [])

    async def api_setMyDescription(self, description: str, language_code: str = "") -> bool:  # noqa: N802
        self.settings[f"description:{language_code}"] = description
        return True

    async def api_sendChatAction(self, chat_id: int, action: str, **_: Any) -> bool:  # noqa: N802
        return bool(action)

    async def api_sendMessage(self, text: str = "", parse_mode: str = "", **more: Any) -> Any:  # noqa: N802
        shown = parsed(text, parse_mode, 4096)
        if not shown.strip():
            raise Bad(400, "Bad Request: message text is empty")
        return self._say({"text": shown}, **more)

    async def api_sendPhoto(self, photo: Any, caption: str = "", parse_mode: str = "", **more: Any) -> Any:  # noqa: N802
        content = photo.file.read()
        if not content.startswith((b"\xff\xd8", b"\x89PN")):
            raise Bad(400, "Bad Request: IMAGE_PROCESS_FAILED")
        self.sent_files[more["chat_id"]].append(content)
        return self._say({"photo": [], "caption": parsed(caption, parse_mode, 1024)}, **more)

    async def api_sendDocument(self, document: Any, caption: str = "", parse_mode: str = "", **more: Any) -> Any:  # noqa: N802
        content = document.file.read()
        self.sent_files[more["chat_id"]].append(content)
        file = {"file_name": document.filename, "file_size": len(content)}
        return self._say({"document": file, "caption": parsed(caption, parse_mode, 1024)}, **more)

    async def api_answerCallbackQuery(self, callback_query_id: Any, **more: Any) -> bool:  # noqa: N802
        if time.monotonic() - self._pressed.get(str(callback_query_id), -1e9) > self.callback_life:
            raise Bad(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.answered.append({"id": str(callback_query_id), **more})
        return True

    async def api_editMessageReplyMarkup(self, chat_id: int, message_id: int, reply_markup: Any) -> Any:  # noqa: N802
        message = next(m for m in self.shown[chat_id] if m["message_id"] == message_id)
        if message.get("reply_markup") == reply_markup:
            raise Bad(400, "Bad Request: message is not modified")
        message["reply_markup"] = reply_markup
        return message

    async def api_createForumTopic(self, chat_id: int, name: str, **_: Any) -> dict[str, Any]:  # noqa: N802
        if not self.forum:
            raise Bad(400, "Bad Request: the chat is not a forum")
        if not 1 <= len(name) <= 128:
            raise Bad(400, "Bad Request: TOPIC_TITLE_INVALID")
        topic = next(self._messages)
        self.topics[topic] = name
        return {"message_thread_id": topic, "name": name, "icon_color": 7322096}

    async def api_getChat(self, chat_id: int) -> dict[str, Any]:  # noqa: N802
        if chat_id != DESK["id"]:
            raise Bad(400, "Bad Request: chat not found")
        return DESK | {"is_forum": self.forum}

    async def api_getChatMember(self, chat_id: int, user_id: int) -> dict[str, Any]:  # noqa: N802
        return {"user": BOT, "status": self.standing, "can_manage_topics": self.standing == "administrator"}

    async def api_getFile(self, file_id: str) -> dict[str, Any]:  # noqa: N802
        if file_id == "huge":
            raise Bad(400, "Bad Request: file is too big")
        return {"file_id": file_id, "file_unique_id": file_id, "file_path": file_id}

    def _say(self, content: dict[str, Any], *, chat_id: int, reply_markup: Any = None, **more: Any) -> dict[str, Any]:
        for button in itertools.chain(*(reply_markup or {}).get("inline_keyboard", ())):
            if not 1 <= len(button["callback_data"].encode()) <= 64:
                raise Bad(400, "Bad Request: BUTTON_DATA_INVALID")
        where = {"id": chat_id, "type": "private" if chat_id > 0 else "supergroup", "title": "Owners"}
        said = {"message_id": next(self._messages), "date": int(time.time()), "chat": where, "from": BOT, **content}
        said |= {"reply_markup": reply_markup} if reply_markup else {}
        said |= {"reply_to": more["reply_parameters"]["message_id"]} if "reply_parameters" in more else {}
        if topic := more.get("message_thread_id"):
            if chat_id == DESK["id"] and topic not in self.topics:
                raise Bad(400, "Bad Request: message thread not found")
            said |= {"message_thread_id": topic, "is_topic_message": True}
        self.shown[chat_id].append(said)
        return said


def _value(text: str) -> Any:
    """A form's field: numbers and objects come as JSON, words as they are."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict | list | bool) or re.fullmatch(r"-?\d{1,15}", text) else text
