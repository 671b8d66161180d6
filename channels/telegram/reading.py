"""What Telegram sends, as events of ours: pure, and the same on every redelivery."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bot.messages import Attachment, Inbound, Kind
from bot.text import clean
from channels.fetching import NOTE
from channels.telegram.places import address_of, asker_of
from channels.telegram.rendering import MARK, marked
from channels.telegram.values import Context, Heard, Press
from channels.telegram.words import FROM_GROUP, command, meaning

if TYPE_CHECKING:
    from telegram import CallbackQuery, Message, Update, User

KINDS: Final = ("message", "edited_message", "callback_query")  # of updates; we ask Telegram for no others


def unreadable(channel: str, raw: bytes) -> Inbound:
    """Bytes of Telegram's that mean nothing to us, to be kept as they are."""
    return Inbound(channel, f"unreadable:{hashlib.sha256(raw).hexdigest()}", None, raw=raw)


def read(event: Mapping[str, Any], raw: bytes, context: Context) -> Heard:
    """What an update means. One that does not look like Telegram's raises whatever it likes."""
    from telegram import Update

    try:
        update = Update.de_json(dict(event), None)
    except TypeError:  # some content is of a Bot API older or newer than the library's: the rest counts
        update = Update.de_json(_core(event), None)
    if update.callback_query:
        return _press(update, update.callback_query, raw, context)
    if message := update.message or update.edited_message:
        return _message(update, message, raw, context)
    if event.keys() & set(Update.ALL_TYPES):  # known, and nothing to us
        return Heard()
    raise ValueError("an unknown kind of update")


def _core(event: Mapping[str, Any]) -> dict[str, Any]:
    """The update with nothing in its message but who, where, when and the words."""

    def core(what: Any) -> Any:
        return {"in_part": True, **{k: v for k, v in what.items() if k in _CORE}} if isinstance(what, dict) else what

    return {kind: core(what) for kind, what in event.items()}


_CORE: Final = frozenset(
    "message_id date edit_date chat from sender_chat message_thread_id is_topic_message text entities caption "
    "caption_entities photo document id data chat_instance message".split()
)


def _message(update: Update, message: Message, raw: bytes, context: Context) -> Heard:
    user, where = message.from_user, message.chat.id
    _numbers(update.update_id, where, message.message_id, user and user.id)
    _numbers(message.message_thread_id, message.migrate_to_chat_id)
    if new := message.migrate_to_chat_id:
        return Heard(notes={f"moved:{new}": str(message.chat.id).encode()})
    said, group = _said(message), message.chat.type in ("group", "supergroup")
    if said is None or not (group or message.chat.type == "private") or _nobody(message):
        return Heard()
    edited = update.edited_message is not None
    asker = message.sender_chat.id if message.sender_chat else user.id if user else message.chat.id
    home, key = context.moved.get(message.chat.id, message.chat.id), f"{message.chat.id}:{message.message_id}"
    topic = message.message_thread_id if message.is_topic_message else None
    one = Inbound(
        context.channel,
        f"{key}:{update.update_id}",
        address_of(home, topic, asker, group=group),
        Kind.EDIT if edited else Kind.TEXT,
        sender=str(asker),
        name=_name(message),
        text=clean(said).strip(),
        native=str(message.message_id),
        language=(user.language_code or "") if user else "",
        public=group,
        addressed=not group or _addressed(message, context),
        raw=raw,
        extra=_extra(message, group, context),
        at=message.edit_date or message.date,
    )
    if edited:
        return Heard() if message.location else Heard(_plainly(one, context))  # a live location moves all the time
    one, notes = _with_file(_commanded(_plainly(one, context), context), message, context)
    if group and one.addressed:
        notes[f"asked:{one.address}"] = one.native.encode()  # what the answer replies to
    return Heard(one, notes)


def _numbers(*ids: Any) -> None:
    """The library takes what comes; an id that is no number is not Telegram's."""
    if not all(id is None or type(id) is int for id in ids):  # True is an int, too
        raise TypeError("an id is not a number")


def _nobody(message: Message) -> bool:
    """Bots, and posts of a channel that Telegram copies into its group."""
    bot = message.from_user is not None and message.from_user.is_bot and message.sender_chat is None
    return bot or bool(message.is_automatic_forward)


def _name(message: Message) -> str:
    named = message.sender_chat or message.from_user
    shown = (named.title if message.sender_chat else named.full_name) if named else ""  # type: ignore[union-attr]
    return " ".join(clean(shown or "").split())[:100]


def _addressed(message: Message, context: Context) -> bool:
    """In a group: commanded, replied to, or mentioned."""
    if given := command(message.text or ""):
        return given[1] in ("", context.username.lower())
    before = message.reply_to_message
    # the first message of a topic looks like what every other one replies to
    if before and before.from_user and before.from_user.id == context.id and not before.forum_topic_created:
        return True
    named = {**message.parse_entities(["mention"]), **message.parse_caption_entities(["mention"])}
    if context.username and f"@{context.username}".lower() in (name.lower() for name in named.values()):
        return True
    entities = (*message.entities, *message.caption_entities)
    return any(e.user is not None and e.user.id == context.id for e in entities)


def _plainly(one: Inbound, context: Context) -> Inbound:
    """Without our name, which is no part of what is asked."""
    if not (one.public and context.username):
        return one
    bare = re.sub(rf"\s*@{re.escape(context.username)}\b[\s,:，：]*", " ", one.text, flags=re.IGNORECASE)
    return one if one.text.startswith("/") else replace(one, text=bare.strip())


def _commanded(one: Inbound, context: Context) -> Inbound:
    given = command(one.text)
    if not given or given[1] not in ("", context.username.lower()):
        return one
    meant = meaning(given[0], given[2])
    if meant is None:
        return one
    start = {"asked": True, **({"start": given[2][:64]} if given[2] else {})} if given[0] == "start" else {}
    text = one.text if meant.kind is Kind.CHOICE else meant.text
    return replace(one, kind=meant.kind, text=text, choice=meant.choice, extra={**one.extra, **start})


def _said(message: Message) -> str | None:
    """The words, or words for what is none; None for a message that nobody wrote, e.g. "joined the group"."""
    if words := message.text or message.caption:
        return words
    if message.contact:
        who = message.contact
        return " ".join(filter(None, (who.first_name, who.last_name, who.phone_number)))
    if message.location:
        here = f"📍 {message.location.latitude:.6f}, {message.location.longitude:.6f}"
        return f"{message.venue.title}, {message.venue.address} {here}" if message.venue else here
    if message.sticker:
        return message.sticker.emoji or ""
    if message.dice:
        return message.dice.emoji
    if message.poll:
        return "\n".join((message.poll.question, *(f"- {option.text}" for option in message.poll.options)))
    return "" if message.effective_attachment or message.story or message.api_kwargs else None


def _extra(message: Message, group: bool, context: Context) -> dict[str, Any]:
    seen = ("contact", "venue", "location", "sticker", "dice", "poll", "story", "voice", "video_note")
    facts: dict[str, Any] = {
        "kind": next((kind for kind in seen if getattr(message, kind)), ""),
        "album": message.media_group_id,
        "forwarded": message.forward_origin is not None,
        "reply_to": str(message.reply_to_message.message_id) if message.reply_to_message else "",
        "private": private_link(context.username) if group else "",
        "answer_unasked": group and context.answer_unasked,
    }
    return {name: value for name, value in facts.items() if value}


def private_link(username: str) -> str:
    """Opens a private chat with the bot."""
    return f"https://t.me/{username}?start={FROM_GROUP}" if username else ""


FILES: Final = {  # a message has at most one of these; an animation is also a document
    "photo": "jpg image/jpeg",
    "animation": "mp4 video/mp4",
    "document": "bin application/octet-stream",
    "video": "mp4 video/mp4",
    "video_note": "mp4 video/mp4",
    "voice": "ogg audio/ogg",
    "audio": "mp3 audio/mpeg",
}


def _with_file(one: Inbound, message: Message, context: Context) -> tuple[Inbound, dict[str, bytes | None]]:
    """The event with its attachment, and the note that says where its bytes are to be had."""
    kind = next((kind for kind in FILES if getattr(message, kind)), "")
    if not kind:
        return one, {}
    found = getattr(message, kind)
    file = found[-1] if kind == "photo" else found  # the largest
    ending, usual = FILES[kind].split()
    name = clean(getattr(file, "file_name", None) or "") or f"{kind}-{message.message_id}.{ending}"
    mime = getattr(file, "mime_type", None) or usual
    id = attachment_id(context, one.key, file.file_unique_id)
    how = {"file": file.file_id, "owner": one.address, "name": name, "type": mime, "at": int(message.date.timestamp())}
    how |= {"public": True} if one.public else {}
    attachment = Attachment(id, name[:200], mime[:100], int(file.file_size or 0))
    return replace(one, attachments=(attachment,)), {f"{NOTE}{id}": json.dumps(how).encode()}


def attachment_id(context: Context, key: str, file: str) -> str:
    """Unguessable, and the same whenever the event is read."""
    told = f"{context.channel}\0{key}\0{file}".encode()
    return urlsafe_b64encode(hmac.digest(context.secret.encode(), told, "sha256")[:18]).decode()


def _press(update: Update, query: CallbackQuery, raw: bytes, context: Context) -> Heard:
    message, user, data = query.message, query.from_user, query.data or ""
    _numbers(update.update_id, user.id, message and message.chat.id)
    if message is None or not data:  # of an inline message: we send none
        return Heard(press=Press(query.id))
    group = message.chat.type != "private"
    choice, mine = asker_of(data, user.id, context.secret) if group else (data, True)
    press = Press(query.id, mine, user.language_code or "", message.chat.id, message.message_id)
    if not mine:
        return Heard(press=press)
    rows = _keyboard(message)
    label = next((b["text"] for row in rows for b in row if b.get("callback_data") == data), "")
    topic = getattr(message, "message_thread_id", None) if getattr(message, "is_topic_message", None) else None
    home = context.moved.get(message.chat.id, message.chat.id)
    one = Inbound(
        context.channel,
        f"{query.id}:{update.update_id}",
        address_of(home, topic, user.id, group=group),
        Kind.CHOICE,
        sender=str(user.id),
        name=_who(user),
        text=clean(label.removeprefix(MARK)),
        choice=clean(choice),
        language=user.language_code or "",
        public=group,
        raw=raw,
        extra={"private": private_link(context.username)} if group and context.username else {},
    )
    return Heard(one, press=replace(press, keyboard=marked(rows, data)))


def _who(user: User) -> str:
    return " ".join(clean(user.full_name).split())[:100]


def _keyboard(message: Any) -> list[list[dict[str, Any]]]:
    """The buttons under a message; a deleted or very old one shows none."""
    markup = getattr(message, "reply_markup", None)
    return [[button.to_dict() for button in row] for row in markup.inline_keyboard] if markup else []
