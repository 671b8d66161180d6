"""Every sentence the bot itself says, one YAML per language; what is put into a sentence is data, never markup."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.strictyaml import YamlError, load

LONGEST: Final = 300  # characters of one inserted value
PLACE: Final = re.compile(r"\{(\w+)\}")  # where a value is put into a sentence
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~])")
_LINE_START = re.compile(r"^(?:([-+=])|(\d+)([.)]))")  # what would begin a list or a heading
_UNSEEN = re.compile("[\x00-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_UNITS = (("minute", 60, 90), ("hour", 3600, 47.5), ("day", 86400, math.inf))  # and how many at most


class Markup(str):
    """Markdown an admin wrote: put in as it stands."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Written:
    """Markdown an admin wrote in each language: put in as it stands in the one that is spoken."""

    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Word:
    """Another sentence of ours, to be put into one."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    otherwise: str = ""  # the key to take if there is no such sentence


def read(directory: Path) -> dict[str, dict[str, str]]:
    """language -> key -> sentence. Raises YamlError for a file that is no flat list of sentences."""
    texts = {}
    for file in sorted(directory.glob("*.yaml")):
        node = load(file)
        if wrong := [key for key, said in node.data.items() if not isinstance(said, str)]:
            raise YamlError([node.problem("must be one sentence: 'key: text'", key) for key in wrong])
        texts[file.stem] = {key: said.rstrip("\n") for key, said in node.data.items()}
    return texts


TEXTS: Final = read(Path(__file__).parent)


def has(key: str) -> bool:
    """Whether there is such a sentence."""
    return key in TEXTS["en"]


def whole(lang: str, key: str) -> str:
    """The sentence if nothing is to be put into it, else ""."""
    sentence = TEXTS.get(lang, TEXTS["en"])[key]
    return "" if "{" in sentence else sentence


def say(lang: str, key: str, **values: Any) -> str:
    """The sentence as markdown: text is escaped, a float is a time in seconds, a tuple is lines."""
    sentence = TEXTS.get(lang, TEXTS["en"])[key]
    return PLACE.sub(lambda place: _filled(lang, values[place[1]], _starts_line(place)), sentence)


def put_in(sentence: str, values: Mapping[str, Any]) -> str:
    """A sentence with values put in as they stand."""
    return PLACE.sub(lambda place: str(values[place[1]]), sentence)


def _starts_line(place: re.Match[str]) -> bool:
    return place.start() == 0 or place.string[place.start() - 1] == "\n"


def _filled(lang: str, value: Any, starts_line: bool) -> str:
    match value:
        case Markup():
            return value
        case Written():
            return value.said.get(lang) or next(iter(value.said.values()))
        case Word():
            key = value.key if has(value.key) else value.otherwise or value.key
            return say(lang, key, **value.values)
        case tuple():
            return "\n".join(_filled(lang, line, starts_line) for line in value)
        case float():
            return within(lang, value)
    return at_line_start(escape(str(value))) if starts_line else escape(str(value))


def escape(text: str) -> str:
    """Somebody's text on one line, readable as it was typed and meaning nothing as markdown."""
    line = " ".join(_UNSEEN.sub(" ", text).split())
    return literal(line if len(line) <= LONGEST else line[: LONGEST - 1] + "…")


def literal(line: str) -> str:
    """A line that means nothing as markdown; what begins it is not looked at."""
    return _MARKUP.sub(r"\\\1", line)


def at_line_start(text: str) -> str:
    """Escaped text that begins a line, where a dash would begin a list."""
    return _LINE_START.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}\\{m[3]}", text)


def within(lang: str, seconds: float) -> str:
    """A time people say: 45 minutes, 2 hours, 3 days; rounded up, because it is a promise."""
    unit, length = next((unit, length) for unit, length, most in _UNITS if seconds <= most * length)
    n = max(1, math.ceil(seconds / length - 0.01))
    return say(lang, f"time.{unit}" if n == 1 else f"time.{unit}s", n=n)
