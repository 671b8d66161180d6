"""Says things on Telegram: a rendered call, in a plainer form where Telegram wants it; and topics at the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from channels import Office, Refused
from channels.telegram.client import Client, Malformed
from channels.telegram.places import Place
from channels.telegram.rendering import Call, as_document, plainly

log = structlog.get_logger("telegram")

TITLE = 128  # characters of a topic's name
NO_FORUM = ("not a forum", "chat_not_forum", "not enough rights", "topics are not")


async def say(client: Client, office: Office, call: Call, text: str, address: str) -> str:
    """Send it; returns the message's id. Raises as ``Client.call`` does."""
    try:
        return await _call(client, office, call, address)
    except Malformed:
        if "parse_mode" in call.payload:
            log.warning("telegram_markup_refused")
            return await _call(client, office, plainly(call, text), address)
        return await _call(client, office, as_document(call), address)


async def _call(client: Client, office: Office, call: Call, address: str) -> str:
    if call.file is None:
        return str((await client.call(call.method, call.payload))["message_id"])
    found = await office.files.open(call.file.id, address)
    if found is None:
        raise Refused("the file is not there")
    attachment, path = found
    content = await asyncio.to_thread(path.read_bytes)
    sent = await client.upload(call.method, call.payload, call.field, content, attachment.name)
    return str(sent["message_id"])


async def begin(
    client: Client,
    office: Office,
    desk: Place,
    chat: int,
    title: str,
    key: str,
    first: Callable[[str], Awaitable[str]],
) -> str:
    """The address of a new topic at the desk, in which the ``first`` message stands; made once for a key.

    In a group without topics that of all that holds the key. ``chat`` is the group as it is now. Raises NotSent,
    Unknown, Refused, BadToken.
    """
    note = f"topic:{key}"
    made = await office.note(note)
    place = replace(desk, topic=int(made)) if made else await _topic(client, desk, chat, title, key)
    if place.topic and not made:
        await office.receive([], {note: str(place.topic).encode()})
    try:
        await first(str(place))
    except Refused:  # it was deleted meanwhile: next time another
        await office.receive([], {note: None})
        raise
    await office.receive([], {note: None})
    return str(place)


async def _topic(client: Client, desk: Place, chat: int, title: str, key: str) -> Place:
    try:
        found = await client.call("createForumTopic", {"chat_id": chat, "name": title[:TITLE]})
    except Refused as refused:
        if refused.gone or not any(why in str(refused).lower() for why in NO_FORUM):
            raise
        log.warning("telegram_desk_without_topics", why=str(refused)[:100])
        return replace(desk, matter=key)
    return replace(desk, topic=int(found["message_thread_id"]))
