"""The files of a conversation: kept for its chat alone, and shown to whoever may see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse

from bot.messages import Attachment
from channels.http import file_response, upload_of
from handoff.access import NotFound
from handoff.reading import talks


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
    stream, name, declared = await upload_of(request, house.settings.limits.file_bytes)
    kept: Attachment = await house.files.put(stream, name, declared, address)
    return kept


async def served(house: Any, number: str, id: str) -> FileResponse:
    """A file of this conversation's chat. Raises NotFound."""
    address = await house.store.read(lambda c: talks.address(c, number))
    found = await house.files.open(id, address)
    if found is None:
        raise NotFound("there is no such file")
    attachment, path = found
    return file_response(attachment, path, {"Cache-Control": "private, max-age=3600"})
