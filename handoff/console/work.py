"""What an agent does to a conversation from the console: its commands, and its files."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from channels.http import HttpError
from handoff.access import NotFound, require
from handoff.commands import CommandOutcome
from handoff.console.gate import Asked, words
from handoff.desk import COMMANDS
from handoff.reading import files

MOST_FILES: Final = 10


async def command(asked: Asked) -> Response:
    """POST /conversations/{number}/commands/{name} {key, …}: 200 done, 409 with the winner's name, 202 under way."""
    name, number, data = asked.path("name"), asked.path("number"), await asked.data()
    if name not in COMMANDS or name == "offer":  # offers are made by the queue alone
        raise NotFound("there is no such command")
    if its := words(data, "ticket", 16):
        await asked.read(lambda c: require(c, asked.actor, its, "ticket.command"))
    return await done(asked, number, name, data)


async def done(asked: Asked, number: str, name: str, data: dict[str, Any]) -> Response:
    """Give a command, and answer with what came of it."""
    told = await ordered(asked, number, name, data)
    return JSONResponse({"state": told.state, **told.data}, told.status)


async def ordered(asked: Asked, number: str, name: str, data: dict[str, Any]) -> CommandOutcome:
    """What came of a command to a conversation, a ticket, or for a customer; raises HttpError for what is none."""
    key = words(data, "key", 64)
    if not key:
        raise HttpError(400, "key must be made anew for every command")
    if "text" in data:
        data["text"] = words(data, "text", asked.house.settings.limits.message_chars)
    ids = data.pop("files", [])
    if not isinstance(ids, list) or len(ids) > MOST_FILES:
        raise HttpError(400, f"files must be a list of at most {MOST_FILES} ids")
    sent = await files.attached(asked.house, number, [str(id)[:64] for id in ids])
    del data["key"]
    told: CommandOutcome = await asked.house.commands.do(asked.actor, number, name, data, key, sent)
    return told


async def upload(asked: Asked) -> Response:
    """POST /conversations/{number}/files: a file to be sent, or put to a note."""
    kept = await files.keep(asked.house, asked.path("number"), asked.request)
    return JSONResponse({"attachment": asdict(kept)}, 201)


async def download(asked: Asked) -> Response:
    """GET /conversations/{number}/files/{id}: a file of this conversation's chat."""
    return await files.served(asked.house, asked.path("number"), asked.path("id"))
