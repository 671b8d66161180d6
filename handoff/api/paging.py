"""Pages of a list: each names the next by a cursor that only we read."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from fastapi import Query

from channels.http import HttpError

MOST: Final = 100
_LARGEST: Final = 2**53

Cursor = Annotated[
    str, Query(max_length=200, pattern=r"^[\w-]*$", description="The next of the page before; empty: the first page.")
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="So many at most.")]


def after(cursor: str, parts: int = 1) -> tuple[float, ...]:
    """Where the page begins; () for the first. Raises HttpError."""
    if not cursor:
        return ()
    try:
        found = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        found = None
    sound = isinstance(found, list) and len(found) == parts
    if not (sound and all(type(one) in (int, float) and 0 <= one < _LARGEST for one in found)):
        raise HttpError(400, "cursor is none that a page of this list gave")
    return tuple(found)


def before(cursor: str) -> int:
    """The id that the page stands before; 0 for the first page. Raises HttpError."""
    place = after(cursor)
    return int(place[0]) if place else 0


def page(rows: Sequence[Any], limit: int, place: Callable[[Any], tuple[float, ...]]) -> dict[str, Any]:
    """A page of ``limit`` from so many rows and one more."""
    more = len(rows) > limit
    shown = [dict(getattr(row, "_mapping", row)) for row in rows[:limit]]
    last = place(shown[-1]) if more else ()
    following = urlsafe_b64encode(json.dumps(last).encode()).decode().rstrip("=") if more else None
    return {"items": shown, "next": following}


def by_id(row: Any) -> tuple[float, ...]:
    """The place of what is listed by its id."""
    return (row["id"],)
