"""Text from outside, made safe to keep."""

from __future__ import annotations

import re

_UNKEEPABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def clean(text: str) -> str:
    """Drop control characters (PostgreSQL keeps no NUL), mend lone surrogates (UTF-8 has none), one kind of line end.

    Everything else is the customer's and stays: bidi marks and zero-width joiners belong to names and emoji.
    """
    if not _UNKEEPABLE.search(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
