"""What WeCom sends, as events: pure translations of a callback's fields and of a page of kf messages."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.messages import Attachment, Inbound, Kind
from bot.text import clean
from channels.fetching import NOTE

_MEDIA = {  # kind of message -> name and type of its file
    "image": ("image.jpg", "image/jpeg"),
    "voice": ("voice.amr", "audio/amr"),
    "video": ("video.mp4", "video/mp4"),
    "shortvideo": ("video.mp4", "video/mp4"),
    "file": ("file", "application/octet-stream"),
}
# Events that ask nothing of us: no customer said anything.
_SILENT = frozenset(
    "enter_agent location view unsubscribe batch_job_result change_contact template_card_menu_event "
    "scancode_push scancode_waitmsg pic_sysphoto pic_photo_or_album pic_weixin location_select "
    "servicer_status_change close_inactive_agent reopen_inactive_agent change_app_admin".split()
)
HINT = "zh"  # WeCom does not tell what people read; whoever writes English is answered in English
_SEPARATOR = "|"  # between a choice's id and its label, in the key of a button
HANDED_OVER = frozenset({1, 2, 4})  # change_type of a kf session: a person of the company took it; 3: it is over


@dataclass
class Heard:
    """What came of a callback or a page: events, and notes to be committed with them."""

    inbounds: list[Inbound] = field(default_factory=list)
    notes: dict[str, bytes | None] = field(default_factory=dict)
    failed: list[tuple[str, str, int]] = field(default_factory=list)  # (address, msgid, fail_type) of messages of ours


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads for one channel. ``secret`` makes the ids of files; ``most`` is the longest text, in characters."""

    channel: str
    secret: str
    most: int = 8000

    # ------------------------------------------------------------ the application

    def callback(self, said: Mapping[str, str], raw: bytes) -> Heard:
        """A decrypted callback of the application; ``raw`` are the bytes the fields were read from."""
        user, kind = said.get("FromUserName", ""), said.get("MsgType", "")
        if kind == "event":
            return self._event(said, raw)
        key, address = f"msg:{said.get('MsgId', '')}", f"user/{user}"
        if not user or not said.get("MsgId") or not _known(kind):
            return self.unreadable(raw)
        message = {
            "text": {"content": said.get("Content", "")},
            "location": {
                "name": said.get("Label", ""),
                "latitude": said.get("Location_X", ""),
                "longitude": said.get("Location_Y", ""),
            },
            "link": {
                "title": said.get("Title", ""),
                "desc": said.get("Description", ""),
                "url": said.get("Url", ""),
            },
        }
        heard = Heard()
        files = self._files(heard, key, address, kind, said)
        heard.inbounds.append(
            Inbound(
                self.channel,
                key,
                address,
                sender=address,
                language=HINT,
                text=self._text(kind, message.get(kind, {})),
                native=said["MsgId"],
                attachments=files,
                raw=raw,
                at=_at(said.get("CreateTime")),
            )
        )
        return heard

    def _event(self, said: Mapping[str, str], raw: bytes) -> Heard:
        """Events have no id: their content is it."""
        event, user = said.get("Event", "").lower(), said.get("FromUserName", "")
        at, key = _at(said.get("CreateTime")), f"event:{hashlib.sha256(raw).hexdigest()}"
        if event in _SILENT:
            return Heard()
        if event == "kf_msg_or_event" and said.get("OpenKfId"):
            return Heard(notes=due(said["OpenKfId"], said.get("Token", ""), said.get("CreateTime", "")))
        if not user or event not in ("subscribe", "click", "template_card_event"):
            return self.unreadable(raw)
        address = f"user/{user}"
        if event == "subscribe":
            hello = Inbound(self.channel, key, address, Kind.HELLO, sender=address, language=HINT, raw=raw, at=at)
            return Heard([hello])
        choice, separated, label = clean(said.get("EventKey", "")).partition(_SEPARATOR)
        pressed = choice if separated and len(choice.encode()) <= 64 else ""
        kind = Kind.CHOICE if pressed else Kind.TEXT  # a menu of the company's own says what its key says
        words = self._cut(label if pressed else choice)
        more = {"response_code": code} if (code := said.get("ResponseCode")) else {}
        inbound = Inbound(self.channel, key, address, kind, address, text=words, choice=pressed, raw=raw, at=at)
        return Heard([replace(inbound, language=HINT, extra=more)])

    def unreadable(self, raw: bytes) -> Heard:
        """What we do not understand is kept, for somebody to look at."""
        return Heard([Inbound(self.channel, f"unread:{hashlib.sha256(raw).hexdigest()}", None, raw=raw)])

    # ------------------------------------------------------------ kf

    def page(self, items: Sequence[Any], kfid: str, states: Mapping[str, str], since: float = 0.0) -> Heard:
        """A page of ``sync_msg``. ``states``: address -> the person who has it; ``since``: older ones are not ours."""
        heard, now = Heard(), dict(states)
        for item in items:
            one = Heard()  # whatever an odd one breaks, the rest of the page is not held up by it
            try:
                self._item(one, item, kfid, now, since)
            except Exception:
                one = self.unreadable(_raw(item))
            heard.inbounds += one.inbounds
            heard.notes |= one.notes
            heard.failed += one.failed
        return heard

    def _item(self, heard: Heard, item: Any, kfid: str, states: dict[str, str], since: float) -> None:
        if not isinstance(item, dict) or not isinstance(item.get("msgid"), str):
            heard.inbounds += self.unreadable(_raw(item)).inbounds
        elif item.get("msgtype") == "event":
            self._kf_event(heard, item, kfid, states)
        elif _number(item.get("send_time")) >= since:
            self._kf_message(heard, item, kfid, states)

    def _kf_message(self, heard: Heard, item: Mapping[str, Any], kfid: str, states: Mapping[str, str]) -> None:
        kind, user = str(item.get("msgtype")), item.get("external_userid")
        if not user or not _known(kind):
            heard.inbounds += self.unreadable(_raw(item)).inbounds
            return
        address, key = f"kf/{item.get('open_kfid') or kfid}/{user}", f"kf:{item['msgid']}"
        body = _inner(item, kind)
        pressed = str(body.get("menu_id") or "") if kind == "text" else ""
        ours = item.get("origin") == 5  # a person of the company wrote it, in WeCom itself
        person = str(item.get("servicer_userid") or "") if ours else states.get(address, "")
        heard.inbounds.append(
            Inbound(
                self.channel,
                key,
                address,
                Kind.NOTICE if ours else Kind.CHOICE if pressed else Kind.TEXT,
                sender=f"external/{user}",
                language=HINT,
                text=self._text(kind, body),
                choice=pressed[:64],
                native=item["msgid"],
                attachments=self._files(heard, key, address, kind, item),
                addressed=not person,
                raw=_raw(item),
                extra=({"person": person} if person else {}) | ({"notice": "agent"} if ours else {}),
                at=_at(item.get("send_time")),
            )
        )

    def _kf_event(self, heard: Heard, item: Mapping[str, Any], kfid: str, states: dict[str, str]) -> None:
        event = _inner(item, "event")
        kind, user = event.get("event_type"), event.get("external_userid")
        address = f"kf/{event.get('open_kfid') or kfid}/{user}"
        if kind in _SILENT:
            return
        if not user:
            heard.inbounds += self.unreadable(_raw(item)).inbounds
        elif kind == "enter_session":
            self._entered(heard, item, event, address)
        elif kind == "msg_send_fail":
            failed = str(event.get("fail_msgid") or "")
            if clean(address + failed) == address + failed:  # else nothing of ours is called so
                heard.failed.append((address, failed, int(_number(event.get("fail_type")))))
        elif kind == "session_status_change":
            self._session(heard, item, event, address, states)
        elif kind == "user_recall_msg":
            gone = str(event.get("recall_msgid") or "")  # words taken back are an edit to nothing
            heard.inbounds.append(self._happened(item, event, address, Kind.EDIT, {"deleted": True}, gone))
        else:
            heard.inbounds += self.unreadable(_raw(item)).inbounds

    def _session(
        self, heard: Heard, item: Mapping[str, Any], event: Mapping[str, Any], address: str, states: dict[str, str]
    ) -> None:
        """A person of the company has taken a session, or has ended it."""
        person = str(event.get("new_servicer_userid") or "") if event.get("change_type") in HANDED_OVER else ""
        states[address] = person
        heard.notes[f"state:{address}"] = person.encode() or None
        told = {"notice": "taken", "person": person} if person else {"notice": "returned"}
        heard.inbounds.append(self._happened(item, event, address, Kind.NOTICE, told))

    def _entered(self, heard: Heard, item: Mapping[str, Any], event: Mapping[str, Any], address: str) -> None:
        """Greeted only where WeCom lets us: with a code, good for 20 seconds, once in 48 hours."""
        code = event.get("welcome_code")
        if not code:
            return
        heard.notes[f"welcome:{address}"] = json.dumps([code, _number(item.get("send_time"))]).encode()
        scene = {k: v for k in ("scene", "scene_param") if (v := event.get(k))} | {"asked": True}
        heard.inbounds.append(self._happened(item, event, address, Kind.HELLO, scene))

    def _happened(
        self, item: Mapping[str, Any], event: Mapping[str, Any], address: str, kind: Kind, extra: Any, native: str = ""
    ) -> Inbound:
        return Inbound(
            self.channel,
            f"kf:{item['msgid']}",
            address,
            kind,
            sender=f"external/{event['external_userid']}",
            language=HINT,
            native=native,
            raw=_raw(item),
            extra=extra,
            at=_at(item.get("send_time")),
        )

    # ------------------------------------------------------------ both

    def _text(self, kind: str, body: Mapping[str, Any]) -> str:
        def part(name: str) -> str:
            return " ".join(str(body.get(name) or "").split())

        match kind:
            case "text":
                return self._cut(str(body.get("content") or ""))
            case "location":
                said = f"📍 {part('name')} {part('address')} ({part('latitude')}, {part('longitude')})"
            case "link":
                said = f"🔗 {part('title')} {part('url')}"
            case "business_card":
                said = f"👤 {part('userid')}"
            case "miniprogram":
                said = f"🔗 {part('title')}"
            case _:
                said = ""
        return self._cut(" ".join(said.split()))

    def _cut(self, text: str) -> str:
        return clean(text).strip()[: self.most]

    def _files(
        self, heard: Heard, key: str, address: str, kind: str, said: Mapping[str, Any]
    ) -> tuple[Attachment, ...]:
        """The file of a message, to be fetched later; a redelivery gives it the same id."""
        media = str(_inner(said, kind).get("media_id") or said.get("MediaId") or "")
        if kind not in _MEDIA or not media:
            return ()
        usual, media_type = _MEDIA[kind]
        at = _number(said.get("CreateTime") or said.get("send_time"))
        digest = hashlib.blake2b(f"{self.channel}\0{key}\0{media}".encode(), key=self.secret.encode()[:64])
        id = urlsafe_b64encode(digest.digest()[:18]).decode()
        name = clean(str(said.get("FileName") or "")) or usual
        errand = {"media": media, "owner": address, "name": name, "type": media_type, "at": at}
        heard.notes[f"{NOTE}{id}"] = json.dumps(errand).encode()
        return (Attachment(id, name, media_type, 0),)


def due(kfid: str, token: str, created: str) -> dict[str, bytes | None]:
    """A note that a pull is due; each call leaves its own, so that none is crossed out unseen."""
    mark = hashlib.sha256(token.encode()).hexdigest()[:16]
    return {f"due:{kfid}:{created}:{mark}": token.encode()}


def _inner(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = item.get(name)
    return inner if isinstance(inner, dict) else {}


def _known(kind: str) -> bool:
    return kind in _MEDIA or kind in ("text", "location", "link", "business_card", "miniprogram")


def _raw(item: Any) -> bytes:
    return json.dumps(item).encode()  # ASCII: a lone surrogate stays an escape


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _at(value: Any) -> datetime | None:
    seconds = _number(value)
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 1e11 else None
