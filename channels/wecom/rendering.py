"""A reply as WeCom takes it: text, markdown and cards for the application, text and menus for kf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from bot.messages import Choice, Reply
from channels import Budget, Can
from channels.dialects import plain, wecom_markdown
from channels.fit import clip, measured

POINTER = "👇"  # above buttons that have no words of their own
LIMIT = 2048  # bytes of a text or markdown message; the rest is cut off without a word
MENU_HEAD, MENU_LABEL, MENU_ITEMS = 1024, 128, 10  # bytes, bytes, items of a kf menu
CARD_TEXT, CARD_TITLE, CARD_LABEL, CARD_BUTTONS = 320, 26, 20, 6  # bytes, then characters that a card shows; buttons
DUPLICATES = 1800  # seconds in which WeCom drops a message that it has sent already
WINDOW = 48 * 3600.0  # seconds after a customer's words in which kf lets us write
KF_REPLIES = 5  # messages that may follow each of the customer's

_MARKS = ("\u200b", "\u200c")  # take no room
_MARK = 12  # of them at the end of a text: 36 bytes
_SEAM = "\u200b"
Body = dict[str, Any]


def _size(text: str) -> int:
    """Bytes of a markdown text in the longer of both dialects."""
    return max(measured(plain, "bytes")(text), measured(wecom_markdown, "bytes")(text))


CAN = Can(
    most_buttons=CARD_BUTTONS,
    max_text=LIMIT - _MARK * len(_MARKS[0].encode()),
    text_unit="bytes",
    measure=_size,
    beside_buttons=CARD_TEXT,
    budget=Budget(per_minute=30, overall=100),  # beyond 30 a minute to one member the rest is dropped silently
)
CAN_KF = Can(
    most_buttons=MENU_ITEMS,
    max_text=LIMIT,
    text_unit="bytes",
    measure=measured(plain, "bytes"),
    beside_buttons=MENU_HEAD,
    window=WINDOW,
    replies=KF_REPLIES,
    budget=Budget(overall=100),
)


def app(reply: Reply, key: str, task: str, *, markdown: bool) -> Body:
    """The message to a member. ``task`` is the unique id of a card."""
    if reply.choices:
        return _card(plain(reply.text).strip(), reply.choices, task)
    return _words(reply.text, key, markdown=markdown)


def kf(reply: Reply) -> Body:
    """The message to a customer."""
    text = plain(reply.text).strip()
    return _menu(text, reply.choices) if reply.choices else _text(text)


def file(kind: str, media_id: str) -> Body:
    """A file that was uploaded; the same for both."""
    return {"msgtype": kind, kind: {"media_id": media_id}}


def file_kind(media_type: str, size: int) -> str:
    """What WeCom calls a file of this type; what is too large for its kind is just a file."""
    kind, most = {
        "image/png": ("image", 10 << 20),
        "image/jpeg": ("image", 10 << 20),
        "audio/amr": ("voice", 2 << 20),
        "video/mp4": ("video", 10 << 20),
    }.get(media_type, ("file", 0))
    return kind if size <= most else "file"


def pressed(label: str) -> Body:
    """What replaces the buttons of a card once one of them was pressed."""
    return {"replace_name": clip(f"✓ {label}", CARD_LABEL)}


def sealed(text: str, key: str) -> str:
    """The text with an invisible mark of the reply: WeCom takes equal texts for duplicates, equal replies they are."""
    number = crc32(key.encode())
    return text + "".join(_MARKS[number >> bit & 1] for bit in range(_MARK))


def _words(source: str, key: str, *, markdown: bool) -> Body:
    unmarked, marked = plain(source).strip(), wecom_markdown(source).strip()
    if markdown and marked.replace(_SEAM, "") != unmarked:
        return {"msgtype": "markdown", "markdown": {"content": sealed(marked, key)}}
    return _text(sealed(unmarked, key))


def _text(content: str) -> Body:
    return {"msgtype": "text", "text": {"content": content}}


def _card(text: str, choices: Sequence[Choice], task: str) -> Body:
    """Labels too long for a button are listed above."""
    numbered = any(len(choice.label) > CARD_LABEL for choice in choices)
    listed = "\n".join(f"{n}. {choice.label}" for n, choice in enumerate(choices, 1)) if numbered else ""
    head, _, rest = text.partition("\n")
    title, rest = (head, rest) if len(head) <= CARD_TITLE else (clip(head, CARD_TITLE), text)
    below = "\n".join(filter(None, (rest.strip(), listed)))
    names = [f"{n}. {choice.label}" if numbered else choice.label for n, choice in enumerate(choices, 1)]
    buttons = [
        {"text": clip(name, CARD_LABEL), "style": 1, "key": f"{choice.id}|{clip(choice.label, 80)}"}
        for name, choice in zip(names, choices, strict=True)
    ]
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": title or POINTER},
        "task_id": task,
        "button_list": buttons[:CARD_BUTTONS],
    }
    return {"msgtype": "template_card", "template_card": card | ({"sub_title_text": below} if below else {})}


def _menu(head: str, choices: Sequence[Choice]) -> Body:
    items = [
        {"type": "click", "click": {"id": choice.id, "content": _within(choice.label, MENU_LABEL)}}
        for choice in choices[:MENU_ITEMS]
    ]
    return {"msgtype": "msgmenu", "msgmenu": {"list": items} | ({"head_content": head} if head else {})}


def _within(text: str, most: int) -> str:
    """The text in at most so many bytes."""
    short, room = text, len(text)
    while len(short.encode()) > most:
        room -= 1
        short = clip(text, room)
    return short
