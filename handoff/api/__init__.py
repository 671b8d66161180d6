"""The API for integrations: what the console can do, as JSON under /api/v1, with a token per integration."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp


def open_api(house: Any) -> ASGIApp:
    """The ASGI app for ``/api/v1/…`` and ``/openapi.json``. ``house`` is the running application."""
    from handoff.api.routes import api

    return api(house)
