"""The agents' console: pages rendered here, kept live by one stream of events, without a build step or foreign code."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp


def open_console(house: Any) -> ASGIApp:
    """The ASGI app to be mounted at /console. ``house`` is the running application (``handoff.console.gate.House``)."""
    from handoff.console.routes import console

    return console(house)
