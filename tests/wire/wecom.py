"""qyapi.weixin.qq.com on a real socket, with its quirks; its callbacks are sealed by wechatpy, not by our cipher."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import aiohttp
from aiohttp import web
from wechatpy.work.crypto import WeChatCrypto

CORP, AGENT, SECRET, KF_SECRET = "ww1234567890abcdef", "1000002", "app-secret", "kf-secret"
TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
ALLOWED = {0: {1, 2, 3}, 1: {2, 3, 4}, 2: {3, 4}, 3: {3, 4}, 4: set()}  # moves of a kf session
EVENTS = ("event", "enter_session")


@dataclass
class Customer:
    """A kf customer's session."""

    state: int = 0
    person: str = ""
    left: int = 0  # messages we may still send
    wrote_at: float = 0.0


@dataclass
class Qyapi:
    """The API, and the platform behind it that calls our hook."""

    hook: str = ""
    url: str = ""
    tokens: dict[str, float] = field(default_factory=dict)  # token -> good until
    sent: list[dict[str, Any]] = field(default_factory=list)  # message/send, as delivered
    kf_sent: list[dict[str, Any]] = field(default_factory=list)
    cards: list[dict[str, Any]] = field(default_factory=list)  # updates
    calls: list[str] = field(default_factory=list)
    faults: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))  # path -> errcode | what it does
    media: dict[str, tuple[bytes, str, str]] = field(default_factory=dict)
    feed: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))  # kf account -> items
    customers: dict[tuple[str, str], Customer] = field(default_factory=lambda: defaultdict(Customer))
    pull_tokens: dict[str, float] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)  # response and welcome codes that are still good
    page: int = 1000
    rewind: int = 0  # items a cursor goes back, as it does after a failover
    statuses: list[int] = field(default_factory=list)  # what our hook answered
    life: float = 7200.0
    dropped: int = 0  # messages beyond 30 a minute to one member
    most: int = 30  # … if that is the number
    patience: float = 5.0  # seconds our hook has for an answer
    members: set[str] = field(default_factory=lambda: {"zhangsan", "lisi"})

    def __post_init__(self) -> None:
        self._ids: Iterator[int] = itertools.count(1)
        self._seen: dict[str, float] = {}
        self._crypto = WeChatCrypto(TOKEN, AES_KEY, CORP)
        self._minute: dict[str, list[float]] = defaultdict(list)

    async def __aenter__(self) -> Qyapi:
        app = web.Application(client_max_size=30 << 20)
        app.router.add_route("*", "/cgi-bin/{path:.+}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()
        await self._runner.cleanup()

    # ------------------------------------------------------------ the API

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.calls.append(path)
        if self.faults[path]:
            fault = self.faults[path].pop(0)
            match fault:
                case "hang":
                    await asyncio.sleep(30)
                case "reset":
                    assert request.transport
                    request.transport.abort()
                case "lost":  # it is done, but nobody hears of it
                    await self._done(request, path)
                    assert request.transport
                    request.transport.abort()
                case "kept":  # it is done, and the answer never comes
                    await self._done(request, path)
                    await asyncio.sleep(30)
                case "expire":
                    self.tokens.clear()
                case int() if 300 <= fault < 600:
                    return web.Response(status=fault, headers={"Location": "http://127.0.0.1:1/"})
                case int():
                    return web.json_response({"errcode": fault, "errmsg": f"fault {fault}"})
        return await self._done(request, path)

    async def _done(self, request: web.Request, path: str) -> web.StreamResponse:
        if path == "gettoken":
            return web.json_response(self._gettoken(request.query))
        token = request.query.get("access_token", "")
        if self.tokens.get(token, 0) < time.time():
            return web.json_response(error(42001 if token in self.tokens else 40014))
        if path == "media/get":
            return self._media_get(request.query.get("media_id", ""))
        if path == "media/upload":
            return web.json_response(await self._upload(request))
        body = await request.json() if request.can_read_body else {}
        answer = getattr(self, "_" + path.replace("/", "_"))(body, request.query)
        return web.json_response({"errcode": 0, "errmsg": "ok"} | answer)

    def _gettoken(self, query: Any) -> dict[str, Any]:
        if query.get("corpid") != CORP:
            return error(40013)
        if query.get("corpsecret") not in (SECRET, KF_SECRET):
            return error(40001)
        token = f"token{next(self._ids)}"
        self.tokens[token] = time.time() + self.life
        return {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": int(self.life)}

    def _message_send(self, body: dict[str, Any], _: Any) -> dict[str, Any]:
        user, kind = body["touser"], body["msgtype"]
        if user not in self.members:
            return {"invaliduser": user, "msgid": "m0"} if user == "gone" else error(81013)
        content = repr((user, kind, body[kind]))
        if body.get("enable_duplicate_check") and self._seen.get(content, 0) > time.time():
            return {"msgid": f"m{next(self._ids)}"}  # dropped, and said to be fine
        self._seen[content] = time.time() + body.get("duplicate_check_interval", 1800)
        now = time.time()
        self._minute[user] = [at for at in self._minute[user] if at > now - 60] + [now]
        if len(self._minute[user]) > self.most:
            self.dropped += 1
            return {"msgid": f"m{next(self._ids)}"}  # the rest is dropped silently
        if kind in ("text", "markdown"):
            body[kind]["content"] = body[kind]["content"].encode()[:2048].decode(errors="ignore")
        self.sent.append(body)
        more = {}
        if kind == "template_card":
            more["response_code"] = f"rc{next(self._ids)}"
        return {"msgid": f"m{next(self._ids)}", **more}

    def _message_update_template_card(self, body: dict[str, Any], _: Any) -> dict[str, Any]:
        if body["response_code"] not in self.codes:
            return error(42014)
        self.codes.discard(body["response_code"])
        self.cards.append(body)
        return {}

    def _kf_sync_msg(self, body: dict[str, Any], _: Any) -> dict[str, Any]:
        if body.get("token") and self.pull_tokens.get(body["token"], 0) < time.time():
            return error(95007)
        start = int((body.get("cursor") or "c0")[1:])
        start, self.rewind = max(0, start - self.rewind), 0
        items = self.feed[body["open_kfid"]]
        page = items[start : start + min(self.page, body["limit"])]
        end = start + len(page)
        return {"next_cursor": f"c{end}", "has_more": int(end < len(items)), "msg_list": page}

    def _kf_send_msg(self, body: dict[str, Any], _: Any) -> dict[str, Any]:
        customer = self.customers[body["open_kfid"], body["touser"]]
        if body.get("msgid") in [old["msgid"] for old in self.kf_sent]:
            return error(95033, "msgid exist")
        if customer.state not in (0, 1):
            return error(95018)
        if time.time() - customer.wrote_at > 48 * 3600:
            return error(95002)
        if customer.left <= 0:
            return error(95001)
        customer.left -= 1
        return self._kf_take(body)

    def _kf_send_msg_on_event(self, body: dict[str, Any], _: Any) -> dict[str, Any]:
        if body["code"] not in self.codes:
            return error(95006)
        self.codes.discard(body["code"])
        return self._kf_take(body)

    def _kf_take(self, body: dict[str, Any]) -> dict[str, Any]:
        assert len(body["msgid"]) <= 32
        assert len(body.get("text", {}).get("content", "").encode()) <= 2048
        assert len(body.get("msgmenu", {}).get("head_content", "").encode()) <= 1024
        self.kf_sent.append(body)
        return {"msgid": body["msgid"]}

    def _kf_service_state_get(self, body: dict[str, Any], _: Any) -> dict[str, Any]:
        customer = self.customers[body["open_kfid"], body["external_userid"]]
        return {"service_state": customer.state, "servicer_userid": customer.person}

    def _kf_service_state_trans(self, body: dict[str, Any], _: Any) -> dict[str, Any]:
        customer = self.customers[body["open_kfid"], body["external_userid"]]
        if body["service_state"] not in ALLOWED[customer.state]:
            return error(95016)
        customer.state, customer.person = body["service_state"], body.get("servicer_userid", "")
        return {"msg_code": "code"}

    def _kf_account_list(self, _body: Any, _: Any) -> dict[str, Any]:
        return {"account_list": [{"open_kfid": "wk1", "name": "售后", "manage_privilege": False}]}

    def _agent_get(self, _body: Any, query: Any) -> dict[str, Any]:
        if query["agentid"] != AGENT:
            return error(301002)
        return {"agentid": 1000002, "name": "售后助手", "allow_userinfos": {"user": [{"userid": "zhangsan"}]}}

    def _menu_create(self, body: dict[str, Any], query: Any) -> dict[str, Any]:
        assert query["agentid"] == AGENT
        assert all(len(button["name"].encode()) <= 16 for button in body["button"])
        return {}

    def _media_get(self, media_id: str) -> web.StreamResponse:
        if media_id not in self.media:
            return web.json_response(error(40007))
        content, name, kind = self.media[media_id]
        headers = {"Content-Disposition": f'attachment; filename="{name}"'} if name else {}
        return web.Response(body=content, content_type=kind, headers=headers)

    async def _upload(self, request: web.Request) -> dict[str, Any]:
        part = (await request.post())["media"]
        assert isinstance(part, web.FileField)
        media_id = f"up{next(self._ids)}"
        self.media[media_id] = (part.file.read(), part.filename, part.content_type)
        return {"errcode": 0, "type": request.query["type"], "media_id": media_id}

    # ------------------------------------------------------------ the platform: what people do

    async def push(self, fields: dict[str, Any], *, tries: int = 3, times: int = 1) -> int:
        """Tell our hook, sealed anew for every try, three times at most, until it says 200."""
        xml = as_xml({"ToUserName": CORP, "CreateTime": int(time.time()), **fields})
        status = 0
        for attempt in range(tries):
            status = await self.post(xml, f"nonce{next(self._ids)}")
            times -= status == 200
            if status == 200 and times <= 0:
                break
            await asyncio.sleep(0.01 * attempt)
        return status

    async def post(self, xml: str, nonce: str, /, at: float = 0.0, **changed: str) -> int:
        """One callback; ``changed`` query parameters make it a forgery."""
        timestamp = str(int(at or time.time()))
        body, signature = sealed(self._crypto, xml, nonce, timestamp)
        query = {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce, **changed}
        try:
            async with (
                asyncio.timeout(self.patience),
                self._http.post(self.hook, params=query, data=BytesIO(body.encode())) as answer,
            ):
                await answer.read()
                self.statuses.append(answer.status)
                return answer.status
        except (TimeoutError, aiohttp.ClientError):
            self.statuses.append(0)
            return 0

    async def says(self, user: str, text: str, **more: Any) -> int:
        """A member writes to the application."""
        message = {"MsgType": "text", "Content": text, "MsgId": 7000 + next(self._ids), "AgentID": AGENT}
        return await self.push({"FromUserName": user, **message, **more})

    async def presses(self, user: str, key: str) -> str:
        """A member presses a button of a card; the code for its update."""
        code = f"code{next(self._ids)}"
        self.codes.add(code)
        event = {"MsgType": "event", "Event": "template_card_event", "EventKey": key, "ResponseCode": code}
        await self.push({"FromUserName": user, **event, "CardType": "button_interaction", "AgentID": AGENT})
        return code

    async def kf_says(self, kfid: str, user: str, words: str = "", **more: Any) -> str:
        """A customer writes to a kf account; our hook is only told that there is something."""
        customer, now = self.customers[kfid, user], time.time()
        customer.left, customer.wrote_at = 5, now
        if customer.state == 4:
            customer.state = 0
        item = {"origin": 3, "msgtype": "text", "text": {"content": words}, "external_userid": user, **more}
        id = self._item(kfid, item)
        await self.kf_call(kfid)
        return id

    async def kf_event(self, kfid: str, event_type: str, user: str, **more: Any) -> str:
        """Something happened to a session."""
        event = {"event_type": event_type, "open_kfid": kfid, "external_userid": user, **more}
        if event_type == "enter_session" and "welcome_code" in event:
            self.codes.add(event["welcome_code"])
        id = self._item(kfid, {"origin": 4, "msgtype": "event", "event": event}, account="")
        await self.kf_call(kfid)
        return id

    async def kf_call(self, kfid: str) -> int:
        """``kf_msg_or_event``: nothing but a token for the pull."""
        token = f"ENC{next(self._ids)}"
        self.pull_tokens[token] = time.time() + 600
        return await self.push({"MsgType": "event", "Event": "kf_msg_or_event", "Token": token, "OpenKfId": kfid})

    def _item(self, kfid: str, item: dict[str, Any], account: str | None = None) -> str:
        id = f"kfmsg{next(self._ids)}"
        more = {"open_kfid": kfid} if account is None else {}
        self.feed[kfid].append({"msgid": id, "send_time": int(time.time()), **more, **item})
        return id


def error(code: int, said: str = "") -> dict[str, Any]:
    """An answer that refuses."""
    return {"errcode": code, "errmsg": said or f"error {code}, hint: [1700000000], from ip: 127.0.0.1"}


def as_xml(fields: dict[str, Any]) -> str:
    """The plain XML of a callback; a dict is an element with elements in it."""

    def inside(value: Any) -> str:
        if isinstance(value, dict):
            return "".join(f"<{name}>{inside(inner)}</{name}>" for name, inner in value.items())
        if isinstance(value, int):
            return str(value)
        return f"<![CDATA[{str(value).replace(']]>', ']]]]><![CDATA[>')}]]>"

    return f"<xml>{inside(fields)}</xml>"


def sealed(crypto: Any, xml: str, nonce: str, timestamp: str) -> tuple[str, str]:
    """The body and signature of a callback, by wechatpy."""
    outer = dict(re.findall(r"<(\w+)><!\[CDATA\[(.*?)\]\]>", crypto.encrypt_message(xml, nonce, timestamp)))
    sent = {"ToUserName": CORP, "Encrypt": outer["Encrypt"], "AgentID": AGENT}
    return as_xml(sent), outer["MsgSignature"]
