"""One spelling for what means the same: how texts look before they are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

LIMIT = 1000  # characters of a question that are compared; a longer one is somebody's whole story
WORDS = Path(__file__).parent / "words"

CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_CJK = re.compile(f"[{CJK}]")
_LATIN = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+(?:[.,:]\d+)*")
_UNIT = re.compile(rf"[{CJK}]|[a-z0-9\u00c0-\u024f]+")
_DIGIT = re.compile(r"\d")
_JOINT = re.compile(r"(?<![a-z0-9])([a-z]{1,6})[- ]?(\d{3,5}[a-z]{0,3})(?![a-z0-9])")  # beside a Chinese character, too
_MODEL = re.compile(r"(?<![a-z0-9])[a-z]{1,6}\d{3,5}[a-z]{0,3}(?![a-z0-9])")


@cache
def traditional() -> dict[int, int]:
    """Traditional characters → simplified ones, for ``str.translate``."""
    old, new = (WORDS / "traditional.txt").read_text(encoding="utf-8").splitlines()
    return str.maketrans(old, new)


def normal(text: str, models: Iterable[str] = ()) -> str:
    """Lower case, simplified, half width, one space, no invisible characters; ``models`` are written in one piece."""
    text = unicodedata.normalize("NFKC", text[: 4 * LIMIT])[:LIMIT]  # NFKC may grow a text eighteenfold
    text = " ".join(text.split())
    if not text.isprintable():
        text = " ".join("".join(c for c in text if unicodedata.category(c)[0] != "C").split())
    text = text.lower()
    if not text.isascii():
        text = text.replace("’", "'").translate(traditional())
    known = frozenset(models)
    if not known or not _DIGIT.search(text):
        return text
    return _JOINT.sub(lambda m: m[1] + m[2] if m[1] + m[2] in known else m[0], text)


def models(text: str) -> frozenset[str]:
    """Model numbers in a normalised text: a few letters and three to five digits, as in "ax3000"."""
    return frozenset(_MODEL.findall(text))


def words(text: str) -> list[str]:
    """The words of a normalised Latin text; a model number is one word."""
    spans = [(m.start(), m.end()) for m in _MODEL.finditer(text)]
    if not spans:
        return _WORD.findall(text)
    found, at = [], 0
    for start, end in spans:
        found += [*_WORD.findall(text[at:start]), text[start:end]]
        at = end
    return found + _WORD.findall(text[at:])


def units(text: str) -> list[str]:
    """A normalised Chinese text as single characters; a run of Latin letters and digits is one unit."""
    return _UNIT.findall(text)


def chinese(text: str) -> float:
    """The share of Chinese characters among the letters of a text: a Latin word counts as much as two characters."""
    own = len(_CJK.findall(text))
    other = sum(bool(_LATIN.match(w)) for w in _WORD.findall(_CJK.sub(" ", text)))
    return own / (own + 2 * other) if own else 0.0
