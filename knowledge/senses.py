"""What Chinese characters sound like, and which words of customers' Chinese say the same thing: 没到账 and 没收到."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cache

from knowledge.normal import WORDS, units

FIRST = 0x4E00  # code point from which on characters have a reading


def readings() -> dict[str, str]:
    """Character -> syllable, without tone."""
    lines = (line.split() for line in (WORDS / "pinyin.txt").read_text(encoding="utf-8").splitlines())
    return {character: syllable for syllable, characters in lines for character in characters}


@cache
def _syllables() -> tuple[array[int], tuple[str, ...]]:
    """For each code point from ``FIRST`` on the number of its syllable, 0 = none; a tenth of a dictionary's memory."""
    known = readings()
    syllables = ("", *sorted(set(known.values())))
    number = {syllable: at for at, syllable in enumerate(syllables)}
    read = (known.get(chr(code), "") for code in range(FIRST, ord(max(known)) + 1))
    return array("H", (number[syllable] for syllable in read)), syllables


def sounds(split: Sequence[str]) -> list[str]:
    """Each character as it is read aloud, without tone; a Latin run stays itself."""
    numbers, syllables = _syllables()
    last = FIRST + len(numbers) - 1
    return [
        syllables[numbers[ord(unit[0]) - FIRST]] or unit if FIRST <= ord(unit[0]) <= last else unit for unit in split
    ]


@cache
def _groups() -> tuple[dict[str, tuple[str, ...]], dict[str, int]]:
    """Word -> the groups it stands in; and the most units of a word that begins with this sound.

    A word of several characters is known by its sound as well, so that a homophone in it does no harm.
    """
    found: dict[str, tuple[str, ...]] = {}
    longest: dict[str, int] = {}
    for number, line in enumerate((WORDS / "chinese.txt").read_text(encoding="utf-8").splitlines()):
        for word in line.split():
            written = units(word)
            heard = sounds(written)
            for key in {" ".join(written), " ".join(heard) if len(heard) > 1 else " ".join(written)}:
                found[key] = tuple(dict.fromkeys((*found.get(key, ()), f"#{number}")))
            longest[heard[0]] = max(longest.get(heard[0], 0), len(heard))
    return found, longest


def senses(split: Sequence[str], heard: Sequence[str]) -> list[str]:
    """The groups that the words of a text stand in, longest words first; ``heard`` are the ``sounds`` of its units."""
    groups, longest = _groups()
    found: list[str] = []
    at = 0
    while at < len(split):
        step = 1
        for size in range(min(longest.get(heard[at], 0), len(split) - at), 0, -1):
            named = groups.get(" ".join(split[at : at + size]))
            if not named and size > 1:
                named = groups.get(" ".join(heard[at : at + size]))
            if named:
                found += named
                step = size
                break
        at += step
    return found
