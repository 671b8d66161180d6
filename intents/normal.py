"""A message in one spelling: as a person may still read it, and as it is compared."""

from __future__ import annotations

import re
import unicodedata

from knowledge.normal import traditional

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ud800-\udfff]"
)


def clean(text: str) -> str:
    """Half width, no invisible characters, single spaces; case and lines stay."""
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    return "\n".join(line for line in (" ".join(line.split()) for line in text.split("\n")) if line)


def fold(text: str) -> str:
    """A clean text for comparing: lower case, simplified characters."""
    return text.lower().translate(traditional())
