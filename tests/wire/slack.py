"""A Slack of our own on a real socket: its Web API, its events and how it sends them, with what is odd about them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

SCOPES = (
    "app_mentions:read,channels:history,chat:write,commands,files:read,files:write,groups:history,im:history,im:write,"
    "mpim:history,users:read"
)
ME = {"team_id": "T1", "user_id": "UBOT", "is_bot": True}


class FakeSlack:
    """``faults[method]`` holds what goes wrong next: an error's name, "429:2", "500", "hang", "reset" before anything
    is done; "late" (the connection breaks), "kept" (no answer comes) when it is done.

    ``scale`` is the length of a second of Slack's timers: the 3 s for an answer, the retries after 0, 60 and 300 s;
    ``again`` is that of the retries alone.
    """

    def __init__(self, *, scale: float = 1.0, strict: bool = False, again: float = 0.0) -> None:
        self.secret, self.scale, self.strict, self._again = "shh", scale, strict, again
        self.hurried = 0  # messages that came quicker than one a second into a channel
        self.hook = ""  # where events go; "" = to the socket
        self.faults: defaultdict[str, deque[str]] = defaultdict(deque)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.posted: list[dict[str, Any]] = []  # every message of the bot, in order
        self.files: dict[str, bytes] = {}
        self.acks: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.tokens = {"xoxb-1"}
        self.people: dict[str, dict[str, Any]] = {}  # what else users.info tells of somebody
        self.joined = {"C0DESK00"}  # channels we are in
        self._numbers = itertools.count(1)
        self._enough = False  # the last answer said X-Slack-No-Retry
        self._triggers: dict[str, float] = {}
        self._said: dict[str, float] = {}  # channel -> when something was last posted
        self.sockets: list[web.WebSocketResponse] = []  # those that are open
        self._acked: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> FakeSlack:
        app = web.Application(client_max_size=20 << 20)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/{id}", self._upload)
        app.router.add_get("/files/{id}", self._file)
        app.router.add_get("/socket", self._socket)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.home = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
        self.url = f"{self.home}/api/"
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        for socket in self.sockets:
            await socket.close()
        await self._http.close()
        await self._runner.cleanup()

    def ts(self) -> str:
        """A new timestamp: Slack's name for a message in its channel."""
        return f"{int(time.time())}.{next(self._numbers):06}"

    # ------------------------------------------------------------ the Web API

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args = await request.json() if request.content_type == "application/json" else {}
        args = {**request.query, **args}
        self.calls.append((method, args))
        fault = self.faults[method].popleft() if self.faults[method] else ""
        if fault in ("hang", "reset") or fault.isdecimal() or fault.startswith("429"):
            return await _wrong(request, fault)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens and method != "apps.connections.open":
            fault = fault or "invalid_auth"
        do = getattr(self, "_" + method.replace(".", "_"), None)
        answer = (
            {"ok": False, "error": fault}
            if fault and fault not in ("late", "kept")
            else do(args)
            if do
            else {"ok": True}
        )
        if fault == "kept":
            await asyncio.sleep(30)
        if fault == "late" and request.transport:
            request.transport.abort()  # taken, and nobody will know
        if answer.get("error") == "ratelimited":
            return web.json_response(answer, status=429, headers={"Retry-After": "1"})
        return web.json_response(answer, headers={"X-OAuth-Scopes": SCOPES})

    def _auth_test(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"ok": True, **ME, "user": "aftercare", "team": "Test", "url": "https://test.slack.com/"}

    def _users_info(self, args: Mapping[str, Any]) -> dict[str, Any]:
        profile = {"display_name": f"{args['user']} Doe"}
        who = {"id": args["user"], "profile": profile, "locale": "zh-CN", "team_id": "T1"}
        return {"ok": True, "user": who | self.people.get(args["user"], {})}

    def _conversations_history(self, args: Mapping[str, Any]) -> dict[str, Any]:
        return {"ok": args["channel"] in self.joined, "error": "not_in_channel", "messages": []}

    def _conversations_open(self, args: Mapping[str, Any]) -> dict[str, Any]:
        return {"ok": True, "channel": {"id": f"D{args['users']}"}}

    def _chat_postMessage(self, args: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 # Slack's own name
        blocks = args.get("blocks") or []
        if error := _refused(blocks, args.get("text", "")):
            return {"ok": False, "error": error}
        now, channel = time.monotonic(), args["channel"]
        if self.strict and now - self._said.get(channel, -9) < 0.9 * self.scale:
            self.hurried += 1
            return {"ok": False, "error": "ratelimited"}
        self._said[channel] = now
        message = {"type": "message", "user": "UBOT", "bot_id": "B1", "ts": self.ts(), **args}
        self.posted.append(message)
        return {"ok": True, "channel": channel, "ts": message["ts"], "message": message}

    def _chat_update(self, args: Mapping[str, Any]) -> dict[str, Any]:
        old = next((m for m in self.posted if m["ts"] == args["ts"]), None)
        if old is None:
            return {"ok": False, "error": "message_not_found"}
        old.update(args)
        return {"ok": True, "ts": args["ts"]}

    def _views_open(self, args: Mapping[str, Any]) -> dict[str, Any]:
        if self._triggers.pop(args["trigger_id"], 0) < time.monotonic():  # 3 s, and once
            return {"ok": False, "error": "expired_trigger_id"}
        view = {**args["view"], "id": f"V{next(self._numbers)}"}
        self.views.append(view)
        return {"ok": True, "view": view}

    def _files_getUploadURLExternal(self, args: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 # Slack's own name
        id = f"F{next(self._numbers)}"
        return {"ok": True, "upload_url": f"{self.home}/upload/{id}", "file_id": id}

    def _files_completeUploadExternal(self, args: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 # Slack's own name
        return {"ok": all(f["id"] in self.files for f in args["files"]), "files": args["files"]}

    def _apps_connections_open(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"ok": True, "url": self.home.replace("http", "ws") + "/socket"}

    async def _upload(self, request: web.Request) -> web.Response:
        self.files[request.match_info["id"]] = await request.read()
        return web.Response(text="OK")

    async def _file(self, request: web.Request) -> web.Response:
        fault = self.faults["file"].popleft() if self.faults["file"] else ""
        if fault == "elsewhere":
            raise web.HTTPFound(f"{self.home}/files/secret")
        if fault or request.headers.get("Authorization") != "Bearer xoxb-1":
            return web.Response(status=int(fault or 403), text="<html>sign in</html>", content_type="text/html")
        return web.Response(body=self.files[request.match_info["id"]], content_type="image/png")

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.sockets.append(socket)
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    ack = json.loads(message.data)
                    self.acks.append(ack)
                    if (waiting := self._acked.get(ack.get("envelope_id", ""))) and not waiting.done():
                        waiting.set_result(ack)
        finally:
            self.sockets.remove(socket)
        return socket

    # ------------------------------------------------------------ what happens in Slack

    def envelope(self, event: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """An event as the Events API wraps it."""
        id = f"Ev{next(self._numbers)}"
        return {"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": id, "event": dict(event),
                "authorizations": [ME], **more}  # fmt: skip

    def message(self, text: str, *, channel: str = "DU1", user: str = "U1", **more: Any) -> dict[str, Any]:
        """Somebody writes."""
        kind, ts = {"D": "im"}.get(channel[0], "channel"), self.ts()
        said = {"type": "message", "channel": channel, "user": user, "text": text, "ts": ts, "channel_type": kind}
        return self.envelope({**said, "event_ts": ts, **more})

    def mention(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The same message once more, as Slack tells of it when it names the app: under another event id."""
        said = {k: v for k, v in message["event"].items() if k != "channel_type"}
        return self.envelope({**said, "type": "app_mention"})

    def press(self, message: Mapping[str, Any], choice: str, *, user: str = "U1", **more: Any) -> dict[str, Any]:
        """Somebody presses a button of a message of the bot."""
        rows = [block for block in message["blocks"] if block["type"] == "actions"]
        row, button = next((r, b) for r in rows for b in r["elements"] if b["value"] == choice)
        action = {**button, "block_id": row["block_id"], "action_ts": self.ts()}
        return self._acting("block_actions", user, actions=[action], message=dict(message),
                            channel={"id": message["channel"]}, **more)  # fmt: skip

    def shortcut(self, message: Mapping[str, Any], *, user: str = "U1") -> dict[str, Any]:
        """The shortcut on a message."""
        said = message["event"]
        return self._acting(
            "message_action", user, callback_id="ticket", message=said, channel={"id": said["channel"], "name": "x"}
        )

    def submit(self, view: Mapping[str, Any], *, user: str = "U1", **filled: str) -> dict[str, Any]:
        """A form is sent."""
        values = {name: {name: {"type": "plain_text_input", "value": text}} for name, text in filled.items()}
        return self._acting("view_submission", user, view={**view, "state": {"values": values}})

    def command(self, text: str, *, channel: str = "C1", user: str = "U1") -> dict[str, Any]:
        """``/support``."""
        return {"command": "/support", "text": text, "team_id": "T1", "channel_id": channel, "user_id": user,
                "user_name": "alice", "api_app_id": "A1", "trigger_id": self.trigger()}  # fmt: skip

    def _acting(self, type: str, user: str, **more: Any) -> dict[str, Any]:
        who = {"id": user, "username": user.lower(), "team_id": "T1"}
        return {"type": type, "team": {"id": "T1"}, "user": who, "api_app_id": "A1", "trigger_id": self.trigger(),
                **more}  # fmt: skip

    def trigger(self) -> str:
        """What a form can be opened with, for 3 s."""
        id = f"tr.{next(self._numbers)}"
        self._triggers[id] = time.monotonic() + 3 * self.scale
        return id

    # ------------------------------------------------------------ how it is told

    async def tell(self, payload: Mapping[str, Any]) -> tuple[list[int], Any]:
        """Send it until it is taken, as Slack does: events up to four times, all else once. Statuses, last answer."""
        statuses: list[int] = []
        answer: Any = None
        self._enough = False
        for number, pause in enumerate((0, 0, 60, 300) if "event" in payload else (0,)):
            await asyncio.sleep(pause * (self._again or self.scale))
            status, answer = await (self._by_http if self.hook else self._by_socket)(payload, number)
            statuses.append(status)
            if 200 <= status < 300 or self._enough:
                break
        return statuses, answer

    async def _by_http(self, payload: Mapping[str, Any], number: int) -> tuple[int, Any]:
        body = json.dumps(payload)
        if "command" in payload:
            body = urlencode(payload)
        elif "event" not in payload and payload.get("type") != "url_verification":
            body = urlencode({"payload": body})
        again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"} if number else {}
        return await self.post(body.encode(), again)

    async def post(self, raw: bytes, headers: Mapping[str, str] | None = None, *, at: float = 0) -> tuple[int, Any]:
        """A signed request; 0 = no answer in 3 s."""
        stamp = str(int(at or time.time()))
        mark = hmac.new(self.secret.encode(), b"v0:%s:%s" % (stamp.encode(), raw), hashlib.sha256).hexdigest()
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mark}", **(headers or {})}
        try:
            async with (
                asyncio.timeout(3 * self.scale),
                self._http.post(self.hook, data=BytesIO(raw), headers=signed) as answer,
            ):
                self._enough = answer.headers.get("X-Slack-No-Retry") == "1" and answer.status >= 300
                return answer.status, await answer.read()
        except (TimeoutError, aiohttp.ClientError):
            return 0, None

    async def _by_socket(self, payload: Mapping[str, Any], number: int) -> tuple[int, Any]:
        id = f"env{next(self._numbers)}"
        kind = "events_api" if "event" in payload else "slash_commands" if "command" in payload else "interactive"
        self._acked[id] = asyncio.get_running_loop().create_future()
        envelope = {"envelope_id": id, "type": kind, "payload": dict(payload), "retry_attempt": number}
        if not self.sockets:
            return 0, None
        await self.sockets[next(self._numbers) % len(self.sockets)].send_json(envelope)  # any of them gets it
        try:
            ack = await asyncio.wait_for(self._acked[id], 3 * self.scale)
        except TimeoutError:
            return 0, None
        return 200, ack.get("payload")


async def _wrong(request: web.Request, fault: str) -> web.StreamResponse:
    if fault == "hang":
        await asyncio.sleep(30)
    if fault == "reset" and request.transport:
        request.transport.abort()
    if fault.startswith("429"):
        headers = {"Retry-After": fault.partition(":")[2] or "1"}
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
    return web.Response(status=int(fault) if fault.isdecimal() else 500, text="<html>oops</html>")


def _refused(blocks: list[dict[str, Any]], text: str) -> str:
    """What Slack does not take."""
    buttons = [b for block in blocks if block["type"] == "actions" for b in block["elements"]]
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    names = [block["block_id"] for block in blocks if "block_id" in block]
    long = any(not 0 < len(t) <= 3000 for t in texts) or any(len(b["text"]["text"]) > 75 for b in buttons)
    many = len(blocks) > 50 or any(len(b.get("elements", ())) > 25 for b in blocks)
    if long or many or len(set(names)) < len(names) or any(len(b["value"]) > 2000 for b in buttons):
        return "invalid_blocks"
    if sum(map(len, texts)) > 13_200:
        return "msg_blocks_too_long"
    return "" if text or blocks else "no_text"
