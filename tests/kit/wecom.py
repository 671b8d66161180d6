"""WeCom in the kit: members through the application, and customers in WeChat through kf."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from bot.joining import SEAM
from channels import Channel
from channels.wecom.envelope import fields
from tests.kit.driver import ANN, Driver, Seen
from tests.wire.wecom import AGENT, CORP, Qyapi, as_xml, sealed
from tests.wire.wecom_firm import channel

BARE = "<xml><ToUserName>x</ToUserName><FromUserName>zhangsan</FromUserName>{}</xml>"
SEALED_ODD = (
    "<!DOCTYPE x><xml/>",
    "no xml at all",
    "<xml></xml>",
    "<xml>" + "<a>" * 500 + "</a>" * 500 + "</xml>",
    BARE.format("<MsgType>hologram</MsgType><MsgId>77</MsgId>"),
    BARE.format("<MsgType>event</MsgType><Event>quantum_leap</Event>"),
    BARE.format("<MsgType>text</MsgType><Content>without an id</Content>"),
)


class App(Driver):
    """Callbacks that hold the message."""

    name: ClassVar[str] = "wecom-app"
    own_repeats = 1
    largest = 2048  # bytes
    send: ClassVar[str] = "message/send"
    faults: ClassVar[Mapping[str, Any]] = {
        "busy": -1,
        "broken": 503,
        "lost": "lost",
        "kept": "kept",
        "gone": 81013,
        "refused": 40058,
    }
    cannot: ClassVar[Mapping[str, str]] = {
        "others": "cards are shown to one member",
        "edit": "WeCom has no edits",
        "delete": "WeCom does not tell the application",
        "pace": "30 a minute: tests/test_pace.py counts them",
        "held": "every process may be called",
    }

    async def __aenter__(self) -> Driver:
        self.qyapi = Qyapi(members={"zhangsan", "lisi", *(f"m{n}" for n in range(2, 40))})
        await self.qyapi.__aenter__()
        self._in_time = True
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.qyapi.__aexit__()

    def channel(self) -> Channel:
        return channel(self.qyapi, send_timeout=6.0, message_chars=50_000)

    async def connect(self, url: str) -> None:
        self.qyapi.hook = f"{url}/hooks/wecom"

    def _said(self, who: int, kind: str, **more: Any) -> dict[str, Any]:
        return {"FromUserName": member(who), "CreateTime": int(time.time()), "MsgType": kind, "AgentID": AGENT, **more}

    def _id(self) -> int:
        return 7000 + next(self.qyapi._ids)

    def text(self, words: str, who: int = ANN) -> Any:
        return self._said(who, "text", Content=words, MsgId=self._id())

    def press(self, seen: Seen, label: str, who: int = ANN) -> Any:
        buttons = seen.raw["template_card"]["button_list"]
        key = next(button["key"] for button in buttons if button["text"] == label)
        code = f"code{self._id()}"
        if self._in_time:
            self.qyapi.codes.add(code)
        return self._said(who, "event", Event="template_card_event", EventKey=key, ResponseCode=code)

    def late(self) -> None:
        self._in_time = False

    def picture(self, content: bytes, name: str = "a.png", who: int = ANN) -> Any:
        self.qyapi.media[name] = (content, name, "image/png")
        return self._said(who, "image", MediaId=name, MsgId=self._id())

    def no_file(self) -> None:
        self.qyapi.faults["media/get"].append(503)

    def twin(self, event: Any) -> Any:
        return event  # each time it is told it is sealed anew

    def odd(self) -> list[Any]:
        return list(SEALED_ODD)

    async def deliver(self, event: Any) -> bool:
        xml = event if isinstance(event, str) else as_xml({"ToUserName": CORP, **event})
        return await self.qyapi.post(xml, f"nonce{next(self.qyapi._ids)}") == 200

    async def tell(self, event: Any) -> bool:
        """Three times, and no more."""
        return await self.deliver(event) or await self.deliver(event) or await self.deliver(event)

    async def forged(self) -> list[int]:
        xml, post = as_xml({"ToUserName": CORP, **self.text("forged")}), self.qyapi.post
        statuses = [await post(xml, "n", msg_signature=mark) for mark in ("", "0" * 40, "é" * 40)]
        statuses += [await post(xml, "n", nonce="other"), await post(xml, "n", timestamp="1" * 40)]
        for body in (b"<!DOCTYPE x><xml/>", b"", b"\xff\xfe", b"<xml><Encrypt>AAAA</Encrypt></xml>"):
            async with self.qyapi._http.post(self.qyapi.hook, params={"nonce": "n"}, data=body) as answer:
                statuses.append(answer.status)
        return statuses

    async def stale(self) -> list[int]:
        xml = as_xml({"ToUserName": CORP, **self.text("stale")})
        return [await self.qyapi.post(xml, "n", at=time.time() + by) for by in (-3 * 3600, 3 * 3600)]

    async def checked(self) -> bool:
        """The address is checked, as when an administrator saves it."""
        now = str(int(time.time()))
        body, mark = sealed(self.qyapi._crypto, "1616140317555161061", "n", now)
        echo = fields(body.encode())["Encrypt"]
        query = {"msg_signature": mark, "timestamp": now, "nonce": "n", "echostr": echo}
        async with self.qyapi._http.get(self.qyapi.hook, params=query) as answer:
            return await answer.read() == b"1616140317555161061"

    async def oversized(self) -> int:
        return await self.qyapi.post(as_xml({"ToUserName": CORP, **self.text("x" * (1 << 20))}), "n")

    def _sent(self, who: int) -> list[dict[str, Any]]:
        return [body for body in self.qyapi.sent if body["touser"] == member(who)]

    def seen(self, who: int = ANN) -> list[Seen]:
        return [seen for body in self._sent(who) if (seen := _seen(body))]

    async def files_seen(self, who: int = ANN) -> list[bytes]:
        sent = (body for body in self._sent(who) if body["msgtype"] in ("image", "file"))
        return [self.qyapi.media[body[body["msgtype"]]["media_id"]][0] for body in sent]

    def fault(self, *kinds: str) -> None:
        self.qyapi.faults[self.send] += [self.faults[kind] for kind in kinds]

    def size(self, seen: Seen) -> int:
        body = seen.raw
        return len(body[body["msgtype"]]["content"].encode()) if body["msgtype"] in ("text", "markdown") else 0


class Kf(App):
    """Callbacks that say no more than that there is something to pull."""

    name = "wecom-kf"
    send = "kf/send_msg"
    faults: ClassVar[Mapping[str, Any]] = {**App.faults, "gone": 40096}
    somewhere = "kf/wk1/wm0"
    duty = "kf_wk1"
    burst = 4  # five messages may follow each of his
    cannot: ClassVar[Mapping[str, str]] = {
        "others": "a customer is alone with us",
        "edit": "WeChat has no edits",
        "late": "menus are words: nothing is to be answered quickly",
        "pace": "none is documented but the five messages",
    }

    def text(self, words: str, who: int = ANN) -> Any:
        return self._item(who, "text", text={"content": words})

    def _item(self, who: int, kind: str, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        whose = {"open_kfid": "wk1", "external_userid": f"wm{who}", "origin": 3}
        return {"msgid": f"kf{self._id()}", "send_time": now, **whose, "msgtype": kind, **more}

    def press(self, seen: Seen, label: str, who: int = ANN) -> Any:
        items = (item["click"] for item in seen.raw["msgmenu"]["list"])
        chosen = next(click for click in items if click["content"] == label)
        return self._item(who, "text", text={"content": label, "menu_id": chosen["id"]})

    def delete(self, event: Any) -> Any:
        gone = {"event_type": "user_recall_msg", "open_kfid": "wk1", "external_userid": event["external_userid"]}
        item = {"msgid": f"kf{self._id()}", "send_time": int(time.time()), "origin": 4, "msgtype": "event"}
        return {**item, "event": {**gone, "recall_msgid": event["msgid"]}}

    def picture(self, content: bytes, name: str = "a.png", who: int = ANN) -> Any:
        self.qyapi.media[name] = (content, name, "image/png")
        return self._item(who, "image", image={"media_id": name})

    def odd(self) -> list[Any]:
        strange = [
            self._item(ANN, "hologram"),
            {**self._item(ANN, "text"), "msgid": 7},
            {"msgid": f"x{self._id()}", "send_time": time.time()},
        ]
        event = {"msgtype": "event", "event": {"event_type": "quantum_leap", "external_userid": "wm0"}}
        return [*SEALED_ODD, *strange, {**self._item(ANN, "event"), **event}, 7, None, [[]], {"msgtype": [[]]}]

    async def deliver(self, event: Any) -> bool:
        """It is in the account's feed, or read once more: the cursor goes back, as it does after a failover."""
        if isinstance(event, str):
            return await super().deliver(event)
        feed = self.qyapi.feed["wk1"]
        if event in feed:
            self.qyapi.rewind = len(feed)
        else:
            feed.append(event)
            if isinstance(event, dict) and event.get("origin") == 3:
                customer = self.qyapi.customers["wk1", event["external_userid"]]
                customer.left, customer.wrote_at = 5, time.time()
        token = f"ENC{self._id()}"
        self.qyapi.pull_tokens[token] = time.time() + 600
        call = {"MsgType": "event", "Event": "kf_msg_or_event", "Token": token, "OpenKfId": "wk1"}
        return await super().deliver({"CreateTime": int(time.time()), **call})

    def seen(self, who: int = ANN) -> list[Seen]:
        """What waited together comes as one message, and is as many answers."""
        return [replace(one, words=words) for one in super().seen(who) for words in one.words.split(SEAM)]

    def _sent(self, who: int) -> list[dict[str, Any]]:
        return [body for body in self.qyapi.kf_sent if body["touser"] == f"wm{who}"]


def member(who: int) -> str:
    """WeCom's name for somebody."""
    return ("zhangsan", "lisi")[who] if who < 2 else f"m{who}"


def _seen(body: dict[str, Any]) -> Seen | None:
    match body["msgtype"]:
        case "text" | "markdown":
            return Seen(body[body["msgtype"]]["content"], (), body)
        case "template_card":
            card = body["template_card"]
            words = f"{card['main_title']['title']} {card.get('sub_title_text', '')}"
            return Seen(words, tuple(button["text"] for button in card["button_list"]), body)
        case "msgmenu":
            menu = body["msgmenu"]
            return Seen(menu.get("head_content", ""), tuple(i["click"]["content"] for i in menu["list"]), body)
    return None
