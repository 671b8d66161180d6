"""Slack's interactions (buttons, shortcuts, forms, slash commands) as events of ours; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.messages import Inbound, Kind
from bot.text import clean
from channels.slack.reading import moment, plain, private_link, unread
from channels.slack.rendering import FORM, form, settled, words
from channels.slack.values import Call, Context, Heard, Place

TICKET: Final = "do:ticket"  # the wish whose button opens the form, beside the typed dialogue
RATING: Final = "rate:"  # buttons that turn into what was chosen


def interaction(context: Context, payload: Mapping[str, Any], raw: bytes) -> Heard:
    """A button, a shortcut, a form or a slash command. Raises what it likes on one that is not as documented."""
    context = _at(context, payload)
    match payload.get("type"):
        case "block_actions":
            return _press(context, payload, raw)
        case "view_submission" if payload["view"]["callback_id"] == FORM:
            return _filled_in(context, payload, raw)
        case "message_action" if payload["callback_id"] == FORM:
            return _about_this(context, payload, raw)
        case "view_closed":
            return Heard()
        case None if "command" in payload:
            return _command(context, payload, raw)
    return Heard(unread(context, raw))


def _at(context: Context, payload: Mapping[str, Any]) -> Context:
    team = payload.get("team") or {}
    return replace(context, team=context.team or team.get("id") or payload.get("team_id") or payload["user"]["team_id"])


def _press(context: Context, payload: Mapping[str, Any], raw: bytes) -> Heard:
    """A button of ours; only the asker's presses count, anybody else is told so and nothing is kept."""
    pressed = payload["actions"][0]
    if not str(pressed.get("action_id", "")).startswith("choice:"):
        return Heard()  # a link, opened by Slack itself
    user, box, message = payload["user"]["id"], payload.get("container") or {}, payload.get("message") or {}
    channel = (payload.get("channel") or {}).get("id") or box["channel_id"]
    asker = str(pressed.get("block_id", "")).partition("#")[2]
    ts = message.get("ts") or box["message_ts"]
    thread = message.get("thread_ts") or box.get("thread_ts") or ts
    place = Place(context.team, channel, thread, asker) if asker else Place(context.team, channel)
    if asker and asker != user:
        return Heard(calls=(_not_yours(context, place, user),))
    choice, label = clean(str(pressed["value"]))[:64], _label(message, pressed)
    key = f"{context.team}:{channel}:{ts}:{pressed['action_ts']}:{user}"
    inbound = Inbound(
        context.name,
        key,
        str(place),
        Kind.CHOICE,
        sender=user,
        name=_name(context, payload["user"]),
        text=clean(label)[:200],
        choice=choice,
        language=context.person(user).language,
        public=bool(asker),
        raw=raw,
        extra={"private": private_link(payload, context)} if asker else {},
        at=moment(pressed["action_ts"]),
    )
    return Heard(inbound, calls=_after(context, payload, choice, label, channel, ts))


def _label(message: Mapping[str, Any], pressed: Mapping[str, Any]) -> str:
    """What stands on the button."""
    rows = (b.get("elements", ()) for b in message.get("blocks") or () if b.get("type") == "actions")
    same = (b for row in rows for b in row if b.get("value") == pressed.get("value"))
    return str((next(same, pressed).get("text") or {}).get("text", ""))


def _after(
    context: Context, payload: Mapping[str, Any], choice: str, label: str, channel: str, ts: str
) -> tuple[Call, ...]:
    """What is done in Slack after a press: the form is opened, or the buttons turn into what was chosen."""
    user, message = payload["user"]["id"], payload.get("message") or {}
    if choice == TICKET and payload.get("trigger_id"):
        return (_open(context, user, payload["trigger_id"], "", {}),)
    if choice.startswith(RATING) and message.get("blocks"):
        new = {"channel": channel, "ts": ts, "text": message.get("text", ""), "blocks": settled(message, label)}
        return (Call("chat.update", new),)
    return ()


def _not_yours(context: Context, place: Place, user: str) -> Call:
    text = words(context.person(user).language)["theirs"].format(asker=f"<@{place.user}>")
    args = {"channel": place.channel, "user": user, "text": text, "thread_ts": place.thread}
    return Call("chat.postEphemeral", args)


def _open(
    context: Context, user: str, trigger: str, about: str, origin: Mapping[str, str], otherwise: Inbound | None = None
) -> Call:
    view = form(context.person(user).language, about, context.products, origin)
    return Call("views.open", {"trigger_id": trigger, "view": view}, otherwise)


def _about_this(context: Context, payload: Mapping[str, Any], raw: bytes) -> Heard:
    """The shortcut on a message: the form with its words; should that not open, the typed dialogue."""
    user, message, trigger = payload["user"]["id"], payload["message"], payload["trigger_id"]
    about, channel = clean(plain(context, message.get("text") or "")), payload["channel"]["id"]
    origin = {"channel": channel, "ts": message.get("ts") or payload.get("message_ts", "")}
    typed = Inbound(
        context.name,
        f"shortcut:{trigger}",
        f"{context.team}/@{user}",
        Kind.CHOICE,
        sender=user,
        name=_name(context, payload["user"]),
        text=about[: context.chars],
        choice=TICKET,
        language=context.person(user).language,
        raw=raw,
        extra={"about": origin},
    )
    return Heard(calls=(_open(context, user, trigger, about, origin, typed),))


def _filled_in(context: Context, payload: Mapping[str, Any], raw: bytes) -> Heard:
    """The form as it was sent: a wish for a ticket with its answers, once for each form however often it is sent."""
    user, view = payload["user"]["id"], payload["view"]
    filled = {name: _value(field[name]) for name, field in view["state"]["values"].items() if name in field}
    if not filled.get("what"):
        wrong = {"what": words(context.person(user).language)["empty"]}
        return Heard(answer={"response_action": "errors", "errors": wrong})
    inbound = Inbound(
        context.name,
        f"form:{view['id']}",
        f"{context.team}/@{user}",
        Kind.CHOICE,
        sender=user,
        name=_name(context, payload["user"]),
        text="\n".join(filter(None, (filled[part] for part in filled))),
        choice=TICKET,
        language=context.person(user).language,
        raw=raw,
        extra={"form": filled, "about": json.loads(view.get("private_metadata") or "{}")},
    )
    return Heard(inbound)


def _value(field: Mapping[str, Any]) -> str:
    chosen = (field.get("selected_option") or {}).get("value")
    return clean(str(field.get("value") or chosen or ""))[:2000].strip()


def _command(context: Context, payload: Mapping[str, Any], raw: bytes) -> Heard:
    """``/support``: alone it opens the form, with words it is a question; both are answered in private."""
    if "ssl_check" in payload:
        return Heard()
    user, channel, trigger = payload["user_id"], payload["channel_id"], payload["trigger_id"]
    text, person = clean(plain(context, payload.get("text", "")))[: context.chars].strip(), context.person(user)
    inbound = Inbound(
        context.name,
        f"command:{trigger}",
        f"{context.team}/@{user}",
        Kind.TEXT if text else Kind.CHOICE,
        sender=user,
        name=person.name or payload.get("user_name", ""),
        text=text,
        choice="" if text else TICKET,
        language=person.language,
        raw=raw,
    )
    if not text:
        return Heard(calls=(_open(context, user, trigger, "", {}, inbound),))
    if context.private.get(user) == channel:
        return Heard(inbound)
    line = words(person.language)["private"].format(link=private_link(payload, context))
    return Heard(inbound, answer={"response_type": "ephemeral", "text": line})


def _name(context: Context, user: Mapping[str, Any]) -> str:
    return context.person(user["id"]).name or str(user.get("name") or user.get("username") or "")
