"""What our own people write and press at their desk, a channel in which each conversation is a thread; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.text import clean
from channels import DeskWord
from channels.slack.reading import ELSEWHERE, WRITTEN, at, attachment, plain
from channels.slack.values import Context, Heard, Place

_NAMED: Final = re.compile(r"<@(\w+)")


def at_desk(context: Context, payload: Mapping[str, Any]) -> Heard | None:
    """What of it was meant for us; None for what did not happen at the desk."""
    if not context.desk:
        return None
    if payload.get("type") == "event_callback":
        said = payload["event"]
        channel = said.get("channel")
        if isinstance(channel, Mapping):
            channel = channel.get("id")
        if channel != context.desk:
            return None
        if said["type"] not in ("message", "app_mention"):
            return Heard()
        return Heard(desk=_message(at(context, payload), said))
    if payload.get("type") == "block_actions":
        box = payload.get("container") or {}
        if ((payload.get("channel") or {}).get("id") or box.get("channel_id")) == context.desk:
            team = context.team or str((payload.get("team") or {}).get("id") or "")
            return Heard(desk=_press(replace(context, team=team), payload, box))
    return None


def _message(context: Context, said: Mapping[str, Any]) -> DeskWord | None:
    """A message, a new version of one, or that it was deleted; None for what nobody says."""
    match said.get("subtype") or "":
        case "message_deleted":
            return _changed(context, said, said.get("previous_message") or {}, "deleted")
        case "message_changed" if said["message"].get("subtype") == "tombstone":
            return _changed(context, said, said.get("previous_message") or {}, "deleted")
        case "message_changed":
            new = said["message"]
            same = new.get("text") == (said.get("previous_message") or {}).get("text")
            return None if same or not new.get("edited") else _changed(context, said, new, "edited")
        case "bot_message":
            return _word(context, said, said)
        case subtype if subtype in WRITTEN:
            return _word(context, said, said)
    return None  # somebody has joined, a topic was set …


def _changed(context: Context, said: Mapping[str, Any], message: Mapping[str, Any], how: Any) -> DeskWord | None:
    one = _word(context, said, message)
    if one is None:
        return None
    version = (message.get("edited") or {}).get("ts", "") if how == "edited" else "deleted"
    return replace(one, key=f"{one.key}:{version}", change=how, files=())


def _word(context: Context, said: Mapping[str, Any], message: Mapping[str, Any]) -> DeskWord | None:
    user, ts = str(message.get("user") or message.get("bot_id") or ""), str(message.get("ts") or said.get("deleted_ts"))
    if not user or user == context.user:
        return None  # our own
    text = str(message.get("text") or "")
    key = f"{context.team}:{said['channel']}:{ts}"
    files = [f for f in message.get("files") or () if f.get("mode") not in ELSEWHERE and not f.get("is_external")]
    files = [f for f in files if f.get("mode") not in ("tombstone", "hidden_by_limit")]
    kept = [attachment(context, key, file) for file in files]
    how = [{"file": f["id"], "url": _url(f), "name": a.name, "type": a.type} for a, f in zip(kept, files, strict=True)]
    return DeskWord(
        key=key,
        thread=str(Place(context.team, context.desk, str(message.get("thread_ts") or ts))),
        sender=user,
        text=clean(plain(context, text))[: context.chars],
        native=ts,
        nobody=_nobody(context, said, message, text),
        below=bool(context.user) and message.get("parent_user_id") == context.user,
        mentions=tuple(name for name in _NAMED.findall(text) if name != context.user),
        files=tuple(zip(kept, how, strict=True)),
    )


def _url(file: Mapping[str, Any]) -> str:
    return str(file.get("url_private_download") or file.get("url_private") or "")


def _nobody(context: Context, said: Mapping[str, Any], message: Mapping[str, Any], text: str) -> str:
    """Why a message counts for nothing, whoever sent it; "" if it may count."""
    if message.get("bot_id") or message.get("bot_profile") or message.get("user") == "USLACKBOT":
        return "bot"
    homes = {one.get(name) for one in (said, message) for name in ("user_team", "source_team", "team")}
    if homes - {None, "", context.team}:  # of another company, in a channel that two share
        return "stranger"
    shared = any(one.get("is_share") for one in message.get("attachments") or ())
    return "forwarded" if shared and not text.strip() else ""


def _press(context: Context, payload: Mapping[str, Any], box: Mapping[str, Any]) -> DeskWord | None:
    pressed, user, message = payload["actions"][0], payload["user"], payload.get("message") or {}
    if not str(pressed.get("action_id", "")).startswith("choice:"):
        return None  # a link
    ts = str(message.get("ts") or box["message_ts"])
    thread = str(message.get("thread_ts") or box.get("thread_ts") or ts)
    strange = (user.get("team_id") or context.team) != context.team
    return DeskWord(
        key=f"{context.team}:{context.desk}:{ts}:{pressed['action_ts']}:{user['id']}",
        thread=str(Place(context.team, context.desk, thread)),
        sender=str(user["id"]),
        choice=clean(str(pressed["value"]))[:64],
        below=True,
        nobody="stranger" if strange else "",
    )
