"""What goes to Telegram, as the calls of its Bot API: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any, Final

from bot.messages import Attachment, Choice, Reply
from channels.dialects import plain, telegram_html
from channels.fit import clip
from channels.mentions import MENTION
from channels.pieces import length
from channels.telegram.places import Place, button_data

TEXT: Final = 4096  # UTF-16 units of a message …
CAPTION: Final = 1024  # … and of the words under a picture or file
PHOTO_BYTES: Final = 10_000_000
_PHOTOS: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
MARK: Final = "✓ "  # before the button that was pressed
_ROW: Final = 30  # columns of labels that fit beside each other on a telephone
_LABEL: Final = 64


@dataclass(frozen=True, slots=True)
class Call:
    """One call; ``file`` is to be uploaded as the parameter ``field``."""

    method: str
    payload: dict[str, Any]
    field: str = ""
    file: Attachment | None = None


def shown_length(text: str) -> int:
    """How long a markdown text is for Telegram, which counts what is left after its markup."""
    return length("utf16", unescape(re.sub(r"<[^>]*>", "", telegram_html(text))))


def render(reply: Reply, place: Place, secret: str, reply_to: int | None = None) -> Call:
    """The call that says it: words, or a file with its words below; buttons are under either."""
    more: dict[str, Any] = {"chat_id": place.chat}
    if place.topic:
        more["message_thread_id"] = place.topic
    if reply_to:
        more["reply_parameters"] = {"message_id": reply_to, "allow_sending_without_reply": True}
    if reply.choices:
        more["reply_markup"] = {"inline_keyboard": keyboard(reply.choices, place.user, secret)}
    words = telegram_html(reply.text)
    if place.user is None and place.chat < 0:  # where our own people work
        words = MENTION.sub(r'<a href="tg://user?id=\1">\2</a>', words)
    if not reply.attachments:
        said = {"text": words, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
        return Call("sendMessage", {**more, **said})
    [file] = reply.attachments  # others are parts of their own
    caption = {"caption": words, "parse_mode": "HTML"} if words.strip() else {}
    photo = file.type in _PHOTOS and file.size <= PHOTO_BYTES
    method, field = ("sendPhoto", "photo") if photo else ("sendDocument", "document")
    return Call(method, {**more, **caption}, field, file)


def plainly(call: Call, text: str) -> Call:
    """The same message without markup, for when Telegram does not understand ours."""
    field, most = ("caption", CAPTION) if "caption" in call.payload else ("text", TEXT)
    payload = {name: value for name, value in call.payload.items() if name != "parse_mode"}
    words = plain(text)
    while length("utf16", words) > most:
        words = clip(words, len(words) - (length("utf16", words) - most + 1) // 2)
    return Call(call.method, {**payload, field: words}, call.field, call.file)


def as_document(call: Call) -> Call:
    """The same picture as a file, for when Telegram does not take it for a picture."""
    return Call("sendDocument", call.payload, "document", call.file)


def keyboard(choices: Sequence[Choice], user: int | None, secret: str) -> list[list[dict[str, Any]]]:
    """Buttons in rows: short ones beside each other, long ones one per row."""
    rows: list[list[dict[str, Any]]] = []
    room = 0
    widest = max(_width(choice.label) for choice in choices) + 4
    for choice in choices:
        if room < widest:
            rows.append([])
            room = _ROW
        rows[-1].append({"text": clip(choice.label, _LABEL), "callback_data": button_data(choice.id, user, secret)})
        room -= widest
    return rows


def _width(label: str) -> int:
    return sum(2 if char > "\u2e80" else 1 for char in label)


def marked(rows: Sequence[Sequence[Mapping[str, Any]]], data: str) -> list[list[dict[str, Any]]]:
    """The keyboard with a mark at the button that was pressed last; the others stay, for a change of mind."""

    def shown(button: Mapping[str, Any]) -> str:
        bare = str(button["text"]).removeprefix(MARK)
        return MARK + bare if button.get("callback_data") == data else bare

    return [[{**button, "text": shown(button)} for button in row] for row in rows]
