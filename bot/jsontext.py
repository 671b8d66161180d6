"""Values as JSON text and back, for what is written and read with every message."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

_any = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
loads = orjson.loads


def dumps(value: Any) -> str:
    """A value as JSON, without spaces, every letter as itself."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a number of more than 64 bits, a key that is no text: rare, and fine
        return _any(value)


JSON: Final[dict[str, Any]] = {"json_serializer": dumps, "json_deserializer": loads}  # for SQLAlchemy's engines
