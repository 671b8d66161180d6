"""What is written in Slack, as events of ours; pure, so that a redelivery reads the same."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qsl

from bot.files import safe_name
from bot.messages import Attachment, Inbound, Kind
from bot.text import clean
from channels.slack.values import Context, Heard, Place

WRITTEN: Final = frozenset({"", "file_share", "thread_broadcast", "me_message"})  # kinds of messages that people write
BESIDE: Final = ("channel_", "file_", "group_", "im_", "member_", "message_", "reaction_", "team_", "user_")  # no words
FORGED_AFTER: Final = 300  # seconds a signature is good for
_TAG = re.compile(r"<([^<>]*)>")
ELSEWHERE: Final = frozenset({"external", "email", "list", "quip", "canvas"})  # files whose bytes Slack has not got


def signed(secret: str, stamp: str, signature: str, raw: bytes, now: float) -> bool:
    """Whether Slack has sent these bytes, lately. Not the SDK's: that raises on what is no UTF-8 or no number."""
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 12) or abs(now - int(stamp)) > FORGED_AFTER:
        return False
    own = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={own}".encode(), signature.encode("utf-8", "replace"))


def unpack(raw: bytes) -> dict[str, Any]:
    """A request's body: JSON, a form with JSON in it, or the form of a slash command; raises ValueError."""
    if raw.lstrip()[:1] == b"{":
        data = json.loads(raw)
    else:
        form = dict(parse_qsl(raw.decode(), keep_blank_values=True, errors="replace"))
        data = json.loads(form["payload"]) if "payload" in form else form
    if not isinstance(data, dict):
        raise ValueError("not an object")
    return data


def unread(context: Context, raw: bytes) -> Inbound:
    """What nobody could make sense of: kept as it came."""
    return Inbound(context.name, f"unread:{hashlib.sha256(raw).hexdigest()}", None, raw=raw)


def event(context: Context, payload: Mapping[str, Any], raw: bytes) -> Heard:
    """An event of the Events API. Raises what it likes on one that is not as Slack documents them."""
    said = payload["event"]
    context = at(context, payload)
    match said["type"]:
        case "message" | "app_mention":
            return _message(context, payload, said, raw)
        case "app_home_opened":
            return _hello(context, payload, said, raw) if said.get("tab") == "messages" else Heard()
    return Heard() if said["type"].startswith(BESIDE) else Heard(unread(context, raw))


def at(context: Context, payload: Mapping[str, Any]) -> Context:
    """Who we are as the event itself has it: a stranger of Slack Connect brings a team of his own."""
    ours: Mapping[str, Any] = next(iter(payload.get("authorizations") or ()), {})
    team = ours.get("team_id") or payload.get("context_team_id") or payload["team_id"]
    user = ours.get("user_id") if ours.get("is_bot") else ""
    return replace(context, team=team, user=user or context.user)


def _hello(context: Context, payload: Mapping[str, Any], said: Mapping[str, Any], raw: bytes) -> Heard:
    place, person = Place(context.team, said["channel"]), context.person(said["user"])
    hello = Inbound(
        context.name,
        payload["event_id"],
        str(place),
        Kind.HELLO,
        sender=said["user"],
        name=person.name,
        language=person.language,
        raw=raw,
    )
    return Heard(hello)


def _message(context: Context, payload: Mapping[str, Any], said: Mapping[str, Any], raw: bytes) -> Heard:
    match said.get("subtype") or "":
        case "message_deleted":
            old = said.get("previous_message") or {}
            return _gone(context, said, old, said["deleted_ts"], raw)
        case "message_changed" if said["message"].get("subtype") == "tombstone":  # deleted, but its thread stays
            old = said.get("previous_message") or {}
            return _gone(context, said, old, said["message"]["ts"], raw)
        case "message_changed":
            new = said["message"]
            same = new.get("text") == (said.get("previous_message") or {}).get("text")
            if same or not new.get("edited"):  # a link was unfolded, a thread has grown
                return Heard()
            return _written(context, payload, said, new, raw)
        case subtype if subtype in WRITTEN:
            return _written(context, payload, said, said, raw)
    return Heard()  # somebody has joined, a topic was set …


def _written(
    context: Context, payload: Mapping[str, Any], said: Mapping[str, Any], message: Mapping[str, Any], raw: bytes
) -> Heard:
    """Words and files of a person; a bot's are no business of ours, least of all our own."""
    if not _person(context, message):
        return Heard()
    user, place, text = message["user"], _place(context, said, message), message.get("text") or ""
    version = (message.get("edited") or {}).get("ts", "")
    key = ":".join(filter(None, (context.team, said["channel"], message["ts"], version)))
    private, person = not place.thread, context.person(user)
    files = [f for f in message.get("files") or () if f.get("mode") not in ("tombstone", "hidden_by_limit")]
    held = [f for f in files if f.get("mode") not in ELSEWHERE and not f.get("is_external")]
    kept = [attachment(context, key, file) for file in held]
    notes = (
        {}
        if version
        else {f"file:{a.id}": _wanted(a, f, str(place), message["ts"]) for a, f in zip(kept, held, strict=True)}
    )
    words = [plain(context, text), *_passed_on(context, message, text)]
    words += [f"{f.get('title') or f.get('name') or ''} {f.get('url_private') or ''}" for f in files if f not in held]
    below_ours = message.get("parent_user_id") == context.user
    to_us = below_ours or said["type"] == "app_mention" or f"<@{context.user}" in text
    inbound = Inbound(
        context.name,
        key,
        str(place),
        Kind.EDIT if version else Kind.TEXT,
        sender=user,
        name=person.name or (message.get("user_profile") or {}).get("display_name", ""),
        text=clean("\n".join(filter(str.strip, words)))[: context.chars].strip(),
        native=message["ts"],
        attachments=() if version else tuple(kept),
        language=person.language,
        public=not private,
        addressed=private or to_us,
        raw=raw,
        extra={} if private else _in_public(payload, context),
        at=moment(message["ts"]),
    )
    return Heard(inbound, {} if version else notes)  # with the first version its files were noted


def _gone(context: Context, said: Mapping[str, Any], old: Mapping[str, Any], ts: str, raw: bytes) -> Heard:
    """A message was deleted: a new version of it, without words."""
    if not _person(context, old):
        return Heard()
    place = _place(context, said, old)
    deleted = Inbound(
        context.name,
        f"{context.team}:{said['channel']}:{ts}:deleted",
        str(place),
        Kind.EDIT,
        sender=old["user"],
        native=ts,
        public=bool(place.thread),
        addressed=not place.thread,
        raw=raw,
        extra={"deleted": True},
    )
    return Heard(deleted)


def _person(context: Context, message: Mapping[str, Any]) -> bool:
    user = message.get("user")
    machine = message.get("bot_id") or message.get("bot_profile") or user in (context.user, "USLACKBOT")
    return bool(user) and not machine


def _place(context: Context, said: Mapping[str, Any], message: Mapping[str, Any]) -> Place:
    channel = said["channel"]
    if (said.get("channel_type") or ("im" if channel.startswith("D") else "")) == "im":
        return Place(context.team, channel)
    return Place(context.team, channel, message.get("thread_ts") or message["ts"], message["user"])


def attachment(context: Context, key: str, file: Mapping[str, Any]) -> Attachment:
    """Its id is unguessable, and the same whenever the event is read."""
    mark = hmac.new(context.secret.encode(), f"{context.name}\0{key}\0{file['id']}".encode(), hashlib.sha256).digest()
    name = safe_name(file.get("name") or file.get("title") or "")
    kind = str(file.get("mimetype") or "application/octet-stream")[:100]
    return Attachment(urlsafe_b64encode(mark[:18]).decode(), name, kind, int(file.get("size") or 0))


def _wanted(attachment: Attachment, file: Mapping[str, Any], owner: str, at: str) -> bytes:
    """The note by which the file is fetched later; a stranger's has no address yet, only its id."""
    url = file.get("url_private_download") or file.get("url_private") or ""
    which = {
        "file": file["id"],
        "url": url,
        "owner": owner,
        "at": float(at),
        **({"public": True} if "#" in owner else {}),
    }
    return json.dumps({**which, "name": attachment.name, "type": attachment.type}).encode()


def _passed_on(context: Context, message: Mapping[str, Any], text: str) -> list[str]:
    """The words of messages that were forwarded; what Slack unfolds from a link is nobody's words."""
    shared = (a for a in message.get("attachments") or () if a.get("is_share") or not text)
    return [plain(context, str(a.get("text") or a.get("fallback") or "")) for a in shared]


def plain(context: Context, text: str) -> str:
    """Slack's markup as people would write it; our own name is left out."""
    return unescape(_TAG.sub(lambda tag: _named(context, tag[1]), text)).strip()


def _named(context: Context, tag: str) -> str:
    target, _, label = tag.partition("|")
    if target.startswith("@"):
        known = label or context.person(target[1:]).name
        return "" if target[1:] == context.user else f"@{known or target[1:]}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:]}"
    address = target.removeprefix("mailto:").removeprefix("tel:")
    return address if label in ("", address, address.split("://")[-1]) else f"{label} ({address})"


def _in_public(payload: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What the engine may want to know where others read along."""
    return {"private": private_link(payload, context)} | ({"answer_unasked": True} if context.answer_unasked else {})


def private_link(payload: Mapping[str, Any], context: Context) -> str:
    """Opens the private chat with us."""
    return f"https://slack.com/app_redirect?app={payload.get('api_app_id', '')}&team={context.team}"


def moment(ts: str) -> datetime | None:
    """When a message was written, in seconds since 1970."""
    try:
        return datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return None
