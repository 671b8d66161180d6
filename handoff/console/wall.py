"""The queue wall for whoever leads: what waits, for how long, who is there, and how the standards stand."""

from __future__ import annotations

from starlette.responses import Response

from handoff.console.gate import Asked
from handoff.console.nav import shell
from handoff.reading import wall as reading


async def wall(asked: Asked) -> Response:
    """GET /wall."""
    values = await asked.read(lambda c: {**reading.figures(c, asked.actor), **shell(c, asked.actor)})
    return asked.page("wall.html", **values, section="wall")


async def figures(asked: Asked) -> Response:
    """GET /wall/figures: the part that changes."""
    return asked.page("_wall.html", **await asked.read(lambda c: reading.figures(c, asked.actor)))
