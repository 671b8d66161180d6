"""The files of a conversation: kept for its chat alone, and shown to whoever may see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import FileResponse

from bot.files import SHOWN
from bot.messages import Attachment
from channels.http import form_file
from handoff.agents import NotFound
from handoff.reading import talks

_STORED: Final = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


async def attached(house: Any, number: str, ids: Sequence[str]) -> list[Attachment]:
    """The attachments with these ids, which must be of the conversation's, or ticket's, own chat. Raises NotFound."""
    if not ids:
        return []
    address = await house.store.read(lambda c: talks.address(c, number))
    found = [await house.files.open(id, address) for id in ids]
    if None in found:
        raise NotFound("there is no such file")
    return [one[0] for one in found if one]


async def keep(house: Any, number: str, request: Request) -> Attachment:
    """Keep the file that a request brings, as its body or in a form, for this chat. Raises FileRefused, HttpError."""
    address = await house.store.read(lambda c: talks.address(c, number))
    declared = request.headers.get("content-type", "")
    stream: AsyncIterator[bytes] = request.stream()
    name = unquote(request.headers.get("x-file-name", ""))
    if declared.startswith("multipart/"):
        stream, name, declared = await form_file(request, house.settings.limits.file_bytes)
    kept: Attachment = await house.files.put(stream, name, declared, address)
    return kept


async def served(house: Any, number: str, id: str) -> FileResponse:
    """A file of this conversation's chat. Raises NotFound."""
    address = await house.store.read(lambda c: talks.address(c, number))
    found = await house.files.open(id, address)
    if found is None:
        raise NotFound("there is no such file")
    attachment, path = found
    return FileResponse(
        path,
        media_type=attachment.type,
        filename=attachment.name,
        content_disposition_type="inline" if attachment.type in SHOWN else "attachment",
        headers={**_STORED, "Cache-Control": "private, max-age=3600"},
    )
