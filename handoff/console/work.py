"""What an agent does to a conversation from the console: every deed goes through the desk's one door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import unquote

from starlette.responses import FileResponse, JSONResponse, Response

from bot.files import SHOWN
from bot.messages import Attachment
from channels.gate import Refused, form_file
from handoff.agents import Unknown, access
from handoff.console.gate import Asked, words
from handoff.desk import COMMANDS
from handoff.reading import talks

MOST_FILES: Final = 10
_STORED = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


async def command(asked: Asked) -> Response:
    """POST /conversations/{number}/commands/{name} {key, …}: 200 done, 409 with the winner's name, 202 under way."""
    name, number, data = asked.path("name"), asked.path("number"), await asked.data()
    if name not in COMMANDS or name == "offer":  # offers are made by the queue alone
        raise Unknown("there is no such command")
    if its := words(data, "ticket", 16):
        await asked.read(lambda c: access(c, asked.actor, its, "ticket.command"))
    return await done(asked, number, name, data)


async def done(asked: Asked, number: str, name: str, data: dict[str, Any]) -> Response:
    """Let the desk's door do it to the conversation, or the ticket, of this number, and tell what came of it."""
    key = words(data, "key", 64)
    if not key:
        raise Refused(400, "key must be made anew for every command")
    if "text" in data:
        data["text"] = words(data, "text", asked.house.settings.limits.message_chars)
    files = await _files(asked, number, data.pop("files", []))
    del data["key"]
    told = await asked.house.door.command(asked.actor, number, name, data, key, files)
    return JSONResponse({"state": told.state, **told.data}, told.status)


async def _files(asked: Asked, number: str, ids: Any) -> list[Attachment]:
    """The attachments with these ids, which must be of the conversation's own chat."""
    if not isinstance(ids, list) or len(ids) > MOST_FILES:
        raise Refused(400, f"files must be a list of at most {MOST_FILES} ids")
    if not ids:
        return []
    address = await asked.read(lambda c: talks.address(c, number))
    found = [await asked.house.files.open(str(id)[:64], address) for id in ids]
    if None in found:
        raise Unknown("there is no such file")
    return [one[0] for one in found if one]


async def upload(asked: Asked) -> Response:
    """POST /conversations/{number}/files: a file to be sent, or put to a note."""
    number, request = asked.path("number"), asked.request
    here = await asked.read(lambda c: talks.talk(c, asked.actor, number))
    declared = request.headers.get("content-type", "")
    stream: AsyncIterator[bytes] = request.stream()
    name = unquote(request.headers.get("x-file-name", ""))
    if declared.startswith("multipart/"):
        stream, name, declared = await form_file(request, asked.house.settings.limits.file_bytes)
    kept = await asked.house.files.put(stream, name, declared, here["address"])
    return JSONResponse({"attachment": asdict(kept)}, 201)


async def download(asked: Asked) -> Response:
    """GET /conversations/{number}/files/{id}: a file of this conversation's chat."""
    number = asked.path("number")
    here = await asked.read(lambda c: talks.talk(c, asked.actor, number))
    found = await asked.house.files.open(asked.path("id"), here["address"])
    if found is None:
        raise Unknown("there is no such file")
    attachment, path = found
    return FileResponse(
        path,
        media_type=attachment.type,
        filename=attachment.name,
        content_disposition_type="inline" if attachment.type in SHOWN else "attachment",
        headers={**_STORED, "Cache-Control": "private, max-age=3600"},
    )
