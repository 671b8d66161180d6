"""Somebody of ours named in a message so that his platform tells him: a mark that each platform writes in its own way.

The signs are of Unicode's private area. They are read only where our own people work; in a text of anybody else they
are ``dropped``.
"""

from __future__ import annotations

import re
from typing import Final

_BEGIN, _MIDDLE, _END = "\ue000", "\ue001", "\ue002"
MENTION: Final = re.compile(f"{_BEGIN}(\\w+){_MIDDLE}([^{_END}]*){_END}")  # who, and the name to be shown
_SIGNS: Final = dict.fromkeys(map(ord, (_BEGIN, _MIDDLE, _END)))


def mention(who: str, name: str) -> str:
    """A person of the platform, by his id there; without one only the name."""
    return f"{_BEGIN}{who}{_MIDDLE}{name}{_END}" if who else name


def dropped(text: str) -> str:
    """A text in which nobody is named."""
    return text.translate(_SIGNS)
