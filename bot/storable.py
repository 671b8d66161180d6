"""What a platform sent, made storable: whatever it is, a column can hold it, and so it can be acknowledged."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Final

from bot.messages import Inbound
from bot.text import clean

KEY: Final = 400  # characters of the key of an event …
NAME: Final = 255  # … and of an address, a sender, a message's own id: as the tables have it


def storable(one: Inbound) -> Inbound:
    """The event with its words cleaned. One with a key or a name that no column can hold becomes an unreadable one,
    whose bytes are kept."""
    if _plain(one):
        return one
    if not (one.sound and _has_fitting_names(one)):
        mark = hashlib.sha256(one.raw or repr(one).encode("utf-8", "replace")).hexdigest()
        return Inbound(one.channel, f"unkeepable:{mark}", None, raw=one.raw)
    words = {"text": one.text, "name": one.name, "language": one.language, "choice": one.choice}
    changed: dict[str, Any] = {field: said for field, word in words.items() if (said := clean(word)) != word}
    if one.extra and (extra := cleaned(dict(one.extra))) != one.extra:
        changed["extra"] = extra
    return replace(one, **changed) if changed else one


def fits(name: str) -> bool:
    """Whether a column for names can hold it as it is."""
    return len(name) <= NAME and clean(name) == name


def _plain(one: Inbound) -> bool:
    """Whether nothing needs to be changed, as in nearly every event: one cheap look at all of it."""
    names = (one.address or "", one.sender, one.native)
    try:
        said = "".join((one.key, *names, one.text, one.name, one.language, one.choice))
    except TypeError:
        return False
    return not one.extra and len(one.key) <= KEY and all(len(name) <= NAME for name in names) and clean(said) == said


def _has_fitting_names(one: Inbound) -> bool:
    names = (one.address or "", one.sender, one.native)
    return len(one.key) <= KEY and clean(one.key) == one.key and all(map(fits, names))


def cleaned(value: Any) -> Any:
    """A JSON value with every text in it cleaned, however deep."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(str(key)): cleaned(inner) for key, inner in value.items()}
        case list() | tuple():
            return [cleaned(inner) for inner in value]
    return value
