"""What our own people write and press at their desk, a channel in which each conversation is a thread; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.text import clean
from channels import DeskWord
from channels.slack.reading import ELSEWHERE, WRITTEN, at, attachment, plain
from channels.slack.values import Heard, Here, Place

_NAMED: Final = re.compile(r"<@(\w+)")


def at_desk(here: Here, payload: Mapping[str, Any]) -> Heard | None:
    """What of it was meant for us; None for what did not happen at the desk."""
    if not here.desk:
        return None
    if payload.get("type") == "event_callback":
        said = payload["event"]
        channel = said.get("channel")
        if isinstance(channel, Mapping):
            channel = channel.get("id")
        if channel != here.desk:
            return None
        if said["type"] not in ("message", "app_mention"):
            return Heard()
        return Heard(desk=_message(at(here, payload), said))
    if payload.get("type") == "block_actions":
        box = payload.get("container") or {}
        if ((payload.get("channel") or {}).get("id") or box.get("channel_id")) == here.desk:
            team = here.team or str((payload.get("team") or {}).get("id") or "")
            return Heard(desk=_press(replace(here, team=team), payload, box))
    return None


def _message(here: Here, said: Mapping[str, Any]) -> DeskWord | None:
    """A message, a new version of one, or that it was deleted; None for what nobody says."""
    match said.get("subtype") or "":
        case "message_deleted":
            return _changed(here, said, said.get("previous_message") or {}, "deleted")
        case "message_changed" if said["message"].get("subtype") == "tombstone":
            return _changed(here, said, said.get("previous_message") or {}, "deleted")
        case "message_changed":
            new = said["message"]
            same = new.get("text") == (said.get("previous_message") or {}).get("text")
            return None if same or not new.get("edited") else _changed(here, said, new, "edited")
        case "bot_message":
            return _word(here, said, said)
        case subtype if subtype in WRITTEN:
            return _word(here, said, said)
    return None  # somebody has joined, a topic was set …


def _changed(here: Here, said: Mapping[str, Any], message: Mapping[str, Any], how: Any) -> DeskWord | None:
    one = _word(here, said, message)
    if one is None:
        return None
    version = (message.get("edited") or {}).get("ts", "") if how == "edited" else "deleted"
    return replace(one, key=f"{one.key}:{version}", change=how, files=())


def _word(here: Here, said: Mapping[str, Any], message: Mapping[str, Any]) -> DeskWord | None:
    user, ts = str(message.get("user") or message.get("bot_id") or ""), str(message.get("ts") or said.get("deleted_ts"))
    if not user or user == here.user:
        return None  # our own
    text = str(message.get("text") or "")
    key = f"{here.team}:{said['channel']}:{ts}"
    files = [f for f in message.get("files") or () if f.get("mode") not in ELSEWHERE and not f.get("is_external")]
    files = [f for f in files if f.get("mode") not in ("tombstone", "hidden_by_limit")]
    kept = [attachment(here, key, file) for file in files]
    how = [{"file": f["id"], "url": _url(f), "name": a.name, "type": a.type} for a, f in zip(kept, files, strict=True)]
    return DeskWord(
        key=key,
        thread=str(Place(here.team, here.desk, str(message.get("thread_ts") or ts))),
        sender=user,
        text=clean(plain(here, text))[: here.chars],
        native=ts,
        nobody=_nobody(here, said, message, text),
        below=bool(here.user) and message.get("parent_user_id") == here.user,
        mentions=tuple(name for name in _NAMED.findall(text) if name != here.user),
        files=tuple(zip(kept, how, strict=True)),
    )


def _url(file: Mapping[str, Any]) -> str:
    return str(file.get("url_private_download") or file.get("url_private") or "")


def _nobody(here: Here, said: Mapping[str, Any], message: Mapping[str, Any], text: str) -> str:
    """Why it counts for nothing whoever sent it."""
    if message.get("bot_id") or message.get("bot_profile") or message.get("user") == "USLACKBOT":
        return "bot"
    homes = {one.get(name) for one in (said, message) for name in ("user_team", "source_team", "team")}
    if homes - {None, "", here.team}:  # of another company, in a channel that two share
        return "stranger"
    shared = any(one.get("is_share") for one in message.get("attachments") or ())
    return "forwarded" if shared and not text.strip() else ""


def _press(here: Here, payload: Mapping[str, Any], box: Mapping[str, Any]) -> DeskWord | None:
    pressed, user, message = payload["actions"][0], payload["user"], payload.get("message") or {}
    if not str(pressed.get("action_id", "")).startswith("choice:"):
        return None  # a link
    ts = str(message.get("ts") or box["message_ts"])
    thread = str(message.get("thread_ts") or box.get("thread_ts") or ts)
    strange = (user.get("team_id") or here.team) != here.team
    return DeskWord(
        key=f"{here.team}:{here.desk}:{ts}:{pressed['action_ts']}:{user['id']}",
        thread=str(Place(here.team, here.desk, thread)),
        sender=str(user["id"]),
        choice=clean(str(pressed["value"]))[:64],
        below=True,
        nobody="stranger" if strange else "",
    )
