"""What our own people write and press at their desk, a group in which each conversation is a topic; pure.

In a group without topics a conversation is what replies to our messages about it: each of them begins with its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.files import safe_name
from bot.messages import Attachment
from bot.text import clean
from channels import DeskWord
from channels.telegram.reading import FILES, attachment_id
from channels.telegram.values import Context, Heard, Press

_KINDS: Final = ("message", "edited_message", "callback_query")
_FORWARDED: Final = ("forward_origin", "forward_date", "forward_from", "forward_from_chat", "forward_sender_name")
_NEWS: Final = re.compile(  # what a group tells of itself; nobody said it
    "new_chat|left_chat|group_chat_created|supergroup_chat_created|pinned_message|forum_topic|general_forum|"
    "message_auto_delete|migrate|video_chat|write_access|boost_added"
)


def at_desk(event: Mapping[str, Any], context: Context) -> Heard | None:
    """What of it was meant for us; None for what did not happen at the desk. Raises what it likes on odd events."""
    kind = next((kind for kind in _KINDS if kind in event), "")
    if not (context.desk and kind):
        return None
    what = event[kind]
    message = (what.get("message") or {}) if kind == "callback_query" else what
    here = int((message.get("chat") or {}).get("id") or 0)
    if context.desk not in (here, context.moved.get(here, here)):
        return None
    if "migrate_to_chat_id" in message:
        return Heard(notes={f"moved:{int(message['migrate_to_chat_id'])}": str(here).encode()})
    if kind == "callback_query":
        return Heard(press=Press(str(what["id"])), desk=_press(what, message, context))
    return Heard(desk=_word(message, context, edited=kind == "edited_message"))


def _word(message: Mapping[str, Any], context: Context, *, edited: bool) -> DeskWord | None:
    """A message or a new version of it; None for what nobody says, and for our own."""
    sender = message.get("from") or {}
    if sender.get("id") == context.id or any(map(_NEWS.match, message)):
        return None
    who = message.get("sender_chat") or sender
    key = f"{int(message['chat']['id'])}:{int(message['message_id'])}"
    text = str(message.get("text") or message.get("caption") or (message.get("sticker") or {}).get("emoji") or "")
    mentions = [e["user"]["id"] for e in message.get("entities") or () if isinstance(e.get("user"), dict)]
    return DeskWord(
        key=f"{key}:{message.get('edit_date', 0)}" if edited else key,
        thread=_thread(message, context),
        sender=str(who.get("id") or ""),
        text=clean(text).strip(),
        native=str(message["message_id"]),
        change="edited" if edited else "",
        album=str(message.get("media_group_id") or ""),
        nobody=_nobody(message, sender),
        below=((message.get("reply_to_message") or {}).get("from") or {}).get("id") == context.id,
        mentions=tuple(map(str, mentions)),
        files=() if edited else tuple(_files(message, context, key)),
    )


def _press(query: Mapping[str, Any], message: Mapping[str, Any], context: Context) -> DeskWord:
    return DeskWord(
        key=f"press:{query['id']}",
        thread=_thread(message, context, pressed=True),
        sender=str(query["from"]["id"]),
        choice=clean(str(query.get("data") or ""))[:64],
        below=True,
        nobody="bot" if query["from"].get("is_bot") else "",
    )


def _thread(message: Mapping[str, Any], context: Context, *, pressed: bool = False) -> str:
    """The topic; without one the conversation with whose number our message begins that this is a reply to."""
    if message.get("is_topic_message"):
        return f"{context.desk}:{int(message['message_thread_id'])}"
    about = message if pressed else message.get("reply_to_message") or {}
    ours = (about.get("from") or {}).get("id") == context.id
    found = NUMBER.match(str(about.get("text") or about.get("caption") or "")) if ours else None
    return f"{context.desk}~{found[0]}" if found else str(context.desk)


NUMBER: Final = re.compile(r"C-[0-9A-Z]{8}\b")  # other numbers may stand in what people wrote, but never in front


def _nobody(message: Mapping[str, Any], sender: Mapping[str, Any]) -> str:
    """Why a message counts for nothing, whoever sent it; "" if it may count."""
    if message.get("sender_chat") or message.get("is_automatic_forward"):
        return "anonymous"
    if sender.get("is_bot") or message.get("via_bot"):
        return "bot"
    return "forwarded" if any(name in message for name in _FORWARDED) else ""


def _files(message: Mapping[str, Any], context: Context, key: str) -> Iterator[tuple[Attachment, dict[str, Any]]]:
    kind = next((kind for kind in FILES if message.get(kind)), "")
    if not kind:
        return
    found = message[kind][-1] if kind == "photo" else message[kind]
    ending, usual = FILES[kind].split()
    name = safe_name(str(found.get("file_name") or f"{kind}-{message['message_id']}.{ending}"))
    mime = str(found.get("mime_type") or usual)[:100]
    id = attachment_id(context, key, str(found["file_unique_id"]))
    yield (
        Attachment(id, name, mime, int(found.get("file_size") or 0)),
        {"file": str(found["file_id"]), "name": name, "type": mime},
    )
