"""The pattern language: phrases an admin can write, matched by look-ups that cannot run away.

A message becomes *units*: a run of Latin letters and digits, one Chinese character, one emoji, or a break for
punctuation. A phrase is followed through them by keeping the set of places it may have reached: no backtracking, so
the time is linear in the message whatever an admin writes. How lines are written stands at the top of human.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeAlias

COMMA: Final = ","  # a break within a message
LINE: Final = "\n"  # a break between two messages of a burst
GAP: Final = "..."
_REACH = 6  # units a gap may skip
_DEEP = 4  # brackets in brackets
_CLOSED = 24  # units of the longest message that may consist of closed phrases only

_BREAK = frozenset(",.!?;:，。！？；：、…")
_STRETCHED = re.compile(r"([a-z])\1{2,}|([\u3400-\u9fff])\2{2,}")
_UNIT = re.compile(
    r"[a-z0-9\u00df-\u024f]+|[\u3400-\u9fff]|[\u2600-\u27bf\u2b50\U0001f000-\U0001f3fa\U0001f400-\U0001faff]"
    rf"|[\n{''.join(sorted(_BREAK))}]"
)
_TOKEN = re.compile(r"\.{3}|[()\[\]|]|[^()\[\]|\s.]+|\.")


class PatternError(ValueError):
    """A line of the pattern language that cannot be read."""


@dataclass(frozen=True, slots=True)
class Meanings:
    """Closed phrases with their names, by their first units; ``units`` are all that stand in any of them."""

    phrases: Mapping[str, tuple[tuple[str, Phrase], ...]]
    units: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Several phrases, by their first units; an optional one may be missing."""

    phrases: Mapping[str, tuple[Phrase, ...]]
    optional: bool = False


Phrase: TypeAlias = "tuple[str | Group, ...]"  # words, gaps and groups one after another


def units(text: str) -> list[str]:
    """The units of a folded text; "soooo" is "so", 好好好好 is 好好, and an apostrophe is not written."""
    text = _STRETCHED.sub(r"\1\2\2", text.replace("'", "").replace("\u2019", ""))
    return [COMMA if unit in _BREAK else unit for unit in _UNIT.findall(text)]


# ---------------------------------------------------------------- reading a line


def phrase(line: str) -> Phrase:
    """A folded line as it is followed. Raises ``PatternError``."""
    tokens = _TOKEN.findall(line.replace("…", GAP))
    found, rest = _sequence(tokens, 0, 0)
    if rest != len(tokens):
        raise PatternError(f"unexpected {tokens[rest]!r}")
    if found.count(GAP) > 2:
        raise PatternError("more than two gaps (...) in one phrase")
    for start, end in _between_gaps(found):
        if not any(_needed(item) for item in found[start:end]):
            raise PatternError("a word that is always there is missing: at the beginning, at the end or between gaps")
    return found


def _between_gaps(found: Phrase) -> Iterator[tuple[int, int]]:
    cuts = [-1, *(at for at, item in enumerate(found) if item == GAP), len(found)]
    yield from ((start + 1, end) for start, end in pairwise(cuts))


def _needed(item: str | Group) -> bool:
    return not (isinstance(item, Group) and item.optional)


def _sequence(tokens: Sequence[str], at: int, depth: int) -> tuple[Phrase, int]:
    """Words, gaps and groups up to the end, a ``|`` or a closing bracket."""
    found: list[str | Group] = []
    while at < len(tokens) and tokens[at] not in "|)]":
        sign = tokens[at]
        at += 1
        if sign in ("(", "["):
            inner, at = _alternatives(tokens, at, sign, depth + 1)
            found.append(inner)
        elif sign == GAP:
            if depth:
                raise PatternError("a gap (...) stands outside brackets")
            found.append(GAP)
        else:
            found += [unit for unit in units(sign) if unit != COMMA]
    return tuple(found), at


def _alternatives(tokens: Sequence[str], at: int, bracket: str, depth: int) -> tuple[Group, int]:
    """Phrases divided by ``|`` up to the bracket that closes them."""
    close = ")" if bracket == "(" else "]"
    if depth > _DEEP:
        raise PatternError("too many brackets in brackets")
    found: list[Phrase] = []
    while True:
        one, at = _sequence(tokens, at, depth)
        if not any(map(_needed, one)):
            raise PatternError(f"nothing stands between two signs of {bracket}|{close}")
        found.append(one)
        if at == len(tokens) or tokens[at] != "|":
            break
        at += 1
    if at == len(tokens) or tokens[at] != close:
        raise PatternError(f"a bracket is not closed: {close!r} is missing")
    return group(found, optional=bracket == "["), at + 1


def group(phrases: Iterable[Phrase], *, optional: bool = False) -> Group:
    """Phrases indexed by the units they can begin with."""
    index: dict[str, tuple[Phrase, ...]] = {}
    for one in phrases:
        for first in _firsts(one):
            index[first] = (*index.get(first, ()), one)
    return Group(index, optional)


def _firsts(one: Phrase) -> Iterator[str]:
    for item in one:
        yield from (item,) if isinstance(item, str) else item.phrases
        if _needed(item):
            return


# ---------------------------------------------------------------- following a text


def ends(phrases: Group, text: Sequence[str], at: int) -> set[int]:
    """Where phrases that begin here may end."""
    found = {at} if phrases.optional else set()
    if at < len(text):
        for one in phrases.phrases.get(text[at], ()):
            found |= _through(one, text, at)
    return found


def _through(one: Phrase, text: Sequence[str], at: int) -> set[int]:
    reached = {at}
    for item in one:
        if item == GAP:
            reached = {place for start in reached for place in _skipped(text, start)}
        elif isinstance(item, str):
            reached = {place + 1 for place in reached if place < len(text) and text[place] == item}
        else:
            reached = {end for place in reached for end in ends(item, text, place)}
        if not reached:
            break
    return reached


def _skipped(text: Sequence[str], start: int) -> Iterator[int]:
    """Places a gap leads to: not beyond a break."""
    for place in range(start, min(start + _REACH + 1, len(text))):
        yield place
        if text[place] in (COMMA, LINE):
            return


def spans(phrases: Group, text: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Phrases in a text from left to right, the longest at each place, not overlapping."""
    free = 0
    if phrases.phrases.keys().isdisjoint(text):  # nearly always: worth asking first
        return
    for at, unit in enumerate(text):
        if at >= free and unit in phrases.phrases and (reached := ends(phrases, text, at)):
            free = max(reached)
            yield at, free


def meanings(phrases: Mapping[str, Iterable[Phrase]]) -> Meanings:
    """Closed phrases by name, indexed by the units they can begin with."""
    index: dict[str, tuple[tuple[str, Phrase], ...]] = {}
    for name, some in phrases.items():
        for first, those in group(some).phrases.items():
            index[first] = (*index.get(first, ()), *((name, one) for one in those))
    return Meanings(index, frozenset(unit for some in index.values() for _, one in some for unit in _within(one)))


def _within(one: Phrase) -> Iterator[str]:
    for item in one:
        if isinstance(item, str):
            yield item
        else:
            yield from (unit for some in item.phrases.values() for inner in some for unit in _within(inner))


def closed(index: Meanings, text: Sequence[str]) -> frozenset[str]:
    """What a message means that consists of closed phrases only ("ok thanks bye"), in the fewest pieces."""
    words = [unit for unit in text if unit not in (COMMA, LINE)]
    if not 0 < len(words) <= _CLOSED or not index.units.issuperset(words):  # nearly always: worth asking first
        return frozenset()
    best: list[tuple[int, frozenset[str]] | None] = [(0, frozenset()), *[None] * len(words)]
    for at in range(len(words)):
        if (so_far := best[at]) is None:
            continue
        for name, one in index.phrases.get(words[at], ()):
            for end in _through(one, words, at):
                old = best[end]
                if old is None or old[0] > so_far[0] + 1:
                    best[end] = (so_far[0] + 1, so_far[1] | {name})
                elif old[0] == so_far[0] + 1:
                    best[end] = (old[0], old[1] | so_far[1] | {name})
    return (best[-1] or (0, frozenset()))[1]


# ---------------------------------------------------------------- what is heard anywhere


@dataclass(frozen=True, slots=True)
class Tone:
    """How something is said, whatever the words."""

    exclamations: int = 0  # so many exclamation marks in a row, 0 = not listened to
    capitals: int = 0  # so many letters or more, nine of ten in words of capitals

    def heard(self, raw: str) -> str:
        """The part of the text as it was typed that has this tone, "" if none."""
        if self.exclamations and (mark := re.search(rf"(?:[!！] ?){{{self.exclamations}}}", raw.replace("‼", "!!"))):
            return mark[0]
        words = re.findall(r"(?<![^\W_])[A-Za-z']{2,40}(?![^\W_])", raw) if self.capitals else []
        letters = sum(map(len, words))
        loud = sum(len(word) for word in words if word.isupper())
        return raw.strip()[:40] if words and letters >= self.capitals and loud >= 0.9 * letters else ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One file of phrases that may be heard anywhere in a message."""

    within: Group
    but: Group  # phrases that do not count, whatever they contain
    tone: Tone = field(default_factory=Tone)

    def excepts(self, text: Sequence[str]) -> bool:
        """Whether phrases stand in it that do not count."""
        return next(spans(self.but, text), None) is not None

    def heard(self, text: Sequence[str], raw: str = "") -> str:
        """The words (or the tone) that are meant, "" if nothing is."""
        loud = self.tone.heard(raw)
        if not loud and next(spans(self.within, text), None) is None:
            return ""
        excepted = list(spans(self.but, text))
        left = list(text)
        for start, end in excepted:
            left[start:end] = [COMMA] * (end - start)
        for start, end in spans(self.within, left):
            return spelled(left[start:end])
        return "" if excepted else loud


def spelled(text: Iterable[str]) -> str:
    """Units as one writes them."""
    return re.sub(r"(?<=[^\x00-\u024f]) | (?=[^\x00-\u024f])", "", " ".join(text))
