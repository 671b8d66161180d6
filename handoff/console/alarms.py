"""What somebody must see now: a list of alarms, and the click that says it was seen to."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from channels.http import HttpError
from handoff.access import allowed
from handoff.commands import CommandOutcome
from handoff.console.gate import Asked, fits, words
from handoff.console.nav import shell
from handoff.reading import alarms as reading


async def alarms(asked: Asked) -> Response:
    """GET /alarms: those nobody has seen to, the newest first."""
    values = await asked.read(lambda c: {"rows": reading.unsettled(c, asked.actor), **shell(c, asked.actor)})
    return asked.page("alarms.html", **values, may=allowed(asked.actor, "alarm.command"), section="alarms")


async def settle(asked: Asked) -> Response:
    """POST /alarms {id, take, key}: one of them was seen to; ``take``: by taking over what it is about."""
    data = await asked.data()
    which, key = str(data.get("id", "")), words(data, "key", 64)
    if not fits(which):
        raise HttpError(400, "id must be the number of an alarm")
    go = {}
    if data.get("take"):
        number = await asked.read(lambda c: reading.about(c, asked.actor, int(which)))
        told = await _take(asked, number, key or f"alarm:{which}")
        if told.state != "done":
            return JSONResponse({"state": told.state, **told.data}, told.status)
        go = {"go": f"/console/{'tickets' if number.startswith('T-') else 'conversations'}/{number}"}
    await asked.write(lambda c: reading.settle(c, asked.actor, int(which), taken=bool(go)))
    asked.house.hub.stir()
    return JSONResponse(go)


async def _take(asked: Asked, number: str, key: str) -> CommandOutcome:
    """The ticket, or the conversation, is his now, if he may."""
    name, data = "claim", dict[str, Any](take=True)
    if number.startswith("T-"):
        name, data = "ticket_own", {"ticket": number, "to_agent": asked.actor.id}
    told: CommandOutcome = await asked.house.commands.do(asked.actor, number, name, data, key)
    return told
