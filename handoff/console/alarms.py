"""What somebody must see now: a list of alarms, and the click that says it was seen to."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from channels.gate import Refused
from handoff.agents import allowed
from handoff.console.gate import Asked, fits
from handoff.console.nav import shell
from handoff.reading import alarms as reading


async def alarms(asked: Asked) -> Response:
    """GET /alarms: those nobody has seen to, the newest first."""
    values = await asked.read(lambda c: {"rows": reading.unsettled(c, asked.actor), **shell(c, asked.actor)})
    return asked.page("alarms.html", **values, may=allowed(asked.actor, "alarm.command"), section="alarms")


async def settle(asked: Asked) -> Response:
    """POST /alarms {id}: one of them was seen to."""
    which = str((await asked.data()).get("id", ""))
    if not fits(which):
        raise Refused(400, "id must be the number of an alarm")
    await asked.write(lambda c: reading.settle(c, asked.actor, int(which)))
    asked.house.hub.stir()
    return JSONResponse({})
