"""Repairs typing errors in a question, towards what the FAQ says and how it says it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import compress, pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.normal import WORDS

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
ENDINGS, BEGINNINGS = ("'s", "s"), ("un", "re")  # what a known word may have as well
SHORTEST, LONGEST = 3, 30  # letters of a word that is repaired
SHORT = 4  # letters below which a word has too many neighbours for any but what the FAQ says at this place
FAR, FARTHER = 6, 8  # letters from which two errors are believed where the FAQ says so, and from which anywhere
OFTEN = 3  # times the FAQ has a word that English does not know, for it to be a word and no slip
TWICE = 6.0  # how much less likely two errors are than one, as a logarithm
SPOKEN = 0.5  # how far the FAQ is believed on which words follow each other
ENGLISH = 0.025  # the chance of an English word is so much / (10 + its rank), beside its share in the FAQ
SHORTENED = 200  # rank of "didn't" and the like; the list has them last
EDGE = ""  # stands before and after a text
HEARD = 4096  # words whose ranks are remembered


class Numbers:
    """Texts and a number of each, found by their place in order: a fifth of a dictionary's memory."""

    def __init__(self, texts: Sequence[str], numbers: Iterable[int], default: int) -> None:
        known = np.array([text.encode(errors="replace") for text in texts], np.bytes_)
        order = known.argsort()
        self._texts, self._default = known[order], default
        self._numbers = np.fromiter(numbers, np.int32, len(texts))[order]

    def __contains__(self, text: str) -> bool:
        return self[text] != self._default

    def __getitem__(self, text: str) -> int:
        """Its number, the default if it is none of them."""
        return int(self.of([text])[0])

    def of(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """The numbers of several."""
        asked = np.array([text.encode(errors="replace") for text in texts], np.bytes_)
        if not len(self._texts):
            return np.full(len(asked), self._default, np.int32)
        at = self._texts.searchsorted(asked)
        at[at == len(self._texts)] = 0
        return np.where(self._texts[at] == asked, self._numbers[at], self._default).astype(np.int32)


class Ranks(Numbers):
    """The commonest words and their rank, which comes after all others if a word is none of them."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(words, range(len(words)), len(words))
        self._rank = lru_cache(maxsize=HEARD)(super().__getitem__)

    def __len__(self) -> int:
        return self._default

    def __getitem__(self, text: str) -> int:
        """Its rank."""
        return self._rank(text)


@cache
def english() -> Ranks:
    """The commonest English words and their rank."""
    return Ranks((WORDS / "english.txt").read_text(encoding="ascii").split())


@cache
def technical() -> frozenset[str]:
    """Names and abbreviations of the trade, which look like errors."""
    return frozenset((WORDS / "technical.txt").read_text(encoding="ascii").split())


class Speller:
    """``repair`` turns a word that neither the FAQ nor English knows into the known one that was most likely meant:
    near in its letters, common in the FAQ, and common there beside the words before and after it.
    """

    def __init__(self, texts: Iterable[Sequence[str]]) -> None:
        said = list(texts)
        counts = Counter(word for text in said for word in text if _spelt(word))
        sure = sorted(w for w in counts if len(w) >= SHORT - 1 and (w in english() or counts[w] >= OFTEN))
        self.own = frozenset(w for w in counts if w in english() or not self._slip(w, sure, counts))
        self._long = sorted(w for w in self.own if len(w) >= FAR - 2)
        self._counts = {EDGE: len(said)} | {w: counts[w] for w in self.own}
        self._all = max(1, sum(self._counts.values()))
        pairs = Counter(
            f"{a} {b}" for text in said for a, b in pairwise((EDGE, *text, EDGE)) if max(len(a), len(b)) <= LONGEST
        )
        self._pairs = Numbers(list(pairs), pairs.values(), 0)

    @staticmethod
    def _slip(word: str, sure: list[str], counts: Mapping[str, int]) -> bool:
        """Did the admin mistype it, or write it as customers do? Then the commoner word is meant here too."""
        if len(word) < SHORT or counts[word] >= OFTEN:
            return False
        near = process.extract(word, sure, scorer=OSA.distance, score_cutoff=1, limit=3)
        return any(counts[other] > counts[word] for other, _, _ in near if other != word)

    def repair(self, words: list[str]) -> list[str]:
        """The same words, the misspelt ones put right, each after those before it."""
        right = [EDGE]
        for word, after in pairwise((*words, EDGE)):
            right.append(self._meant(right[-1], word, after) if self._strange(word) else word)
        return right[1:]

    def _strange(self, word: str) -> bool:
        known = any(part in self.own or part in english() or part in technical() for part in (word, *bare(word)))
        return not known and SHORTEST <= len(word) <= LONGEST and _spelt(word)

    def _meant(self, before: str, word: str, after: str) -> str:
        """The likeliest of the words it may be; itself if there is none."""
        unknown = self._strange(after)

        def likely(near: str) -> float:
            fits = self._follows(before, near) * (1.0 if unknown else self._follows(near, after))
            return math.log(fits) - errors[near]

        errors = dict(self._near(before, word, after))
        return max(sorted(errors), key=likely, default=word)

    def _near(self, before: str, word: str, after: str) -> Iterator[tuple[str, float]]:
        """What a word may be, and what its errors take from that."""

        def said(near: str) -> bool:
            return f"{before} {near}" in self._pairs or f"{near} {after}" in self._pairs

        if len(word) >= FAR:
            far = process.extract(word, self._long, scorer=OSA.distance, score_cutoff=2, limit=20)
            yield from ((near, TWICE) for near, _, _ in far if len(word) >= FARTHER or said(near))
        near = set(neighbours(word))
        known = near & self.own
        if len(word) >= SHORT:
            some = sorted(near)
            also = compress(some, english().of(some) < len(english()))
            yield from ((other, 0.0) for other in known.union(also))
        elif not after[:1].isdigit():
            yield from ((other, 0.0) for other in known if len(other) >= SHORTEST and said(other))

    def _follows(self, before: str, word: str) -> float:
        """The chance of a word (or the end) after another (or the beginning), as the FAQ speaks."""
        rank = SHORTENED if "'" in word else english()[word]
        chance = self._counts.get(word, 0) / self._all + ENGLISH / (10 + rank)
        seen = self._pairs[f"{before} {word}"] / max(1, self._counts.get(before, 0))
        return SPOKEN * seen + (1 - SPOKEN) * chance


def bare(word: str) -> Iterator[str]:
    """A word without its ending or beginning: it is known if that is."""
    yield from (word.removesuffix(ending) for ending in ENDINGS if word.endswith(ending))
    begun = (word.removeprefix(beginning) for beginning in BEGINNINGS if word.startswith(beginning))
    yield from (rest for rest in begun if len(rest) >= SHORT)


def _spelt(word: str) -> bool:
    return word.isascii() and word.replace("'", "").isalpha()


def neighbours(word: str) -> Iterator[str]:
    """All that one missing, doubled, wrong or swapped letter may have made ``word`` from."""
    for i in range(len(word) + 1):
        head, tail = word[:i], word[i:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
