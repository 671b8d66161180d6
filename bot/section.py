"""What a block of config.yaml is made of: times, counts, shares, and the rule for keys."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST: Final = 36500 * 86400.0  # a hundred years


def seconds(value: Any) -> float:
    """A time as people write it: "1.2s", "500ms", "15m", "2h", "30d", or a bare number of seconds."""
    if match := re.fullmatch(r"(\d{1,9}(?:\.\d+)?) ?(ms|[smhd])?", str(value)):
        if (found := float(match[1]) * _UNITS[match[2] or "s"]) <= _LONGEST:
            return found
        raise ValueError("must not be longer than 36500d")
    raise ValueError(f"must be a time like 1.2s, 15m, 2h or 30d, not {str(value)[:60]!r}")


Duration = Annotated[float, BeforeValidator(seconds)]  # in seconds
Span = Annotated[Duration, Field(gt=0)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]  # any column holds it
Bytes = Annotated[int, Field(ge=1024, le=1 << 40)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A block of config.yaml: keys it does not know are mistakes, a key without a value has its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value != "" or key not in cls.model_fields}
