"""How alike a question is to each example, between 0 and 1: one kernel for English, one for Chinese."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge.grams import Grams, Rows, Vector, blocks
from knowledge.letters import Letters
from knowledge.meaning import Meanings
from knowledge.normal import units, words
from knowledge.senses import senses, sounds

Parts: TypeAlias = dict[str, Vector]  # name of a way to compare → what it says
COMPARED = 64  # characters whose order is compared: the bits of a number
ALL = np.uint64(2**COMPARED - 1)
KEPT = 4096  # words whose stems are remembered: people use the same ones again and again
_ENDINGS = ("ingly", "edly", "ing", "ies", "ed", "es", "er", "ly", "s", "e")


class Encoder(Protocol):
    """Turns texts of its languages into vectors of meaning, of length 1."""

    @property
    def name(self) -> str:
        """The model, and which version of it."""

    @property
    def languages(self) -> Sequence[str]:
        """What it understands."""

    def examples(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row per text; may be remembered."""

    def question(self, text: str) -> NDArray[np.float32]:
        """One vector, independent of all other questions."""


class Kernel(Protocol):
    """A way to compare questions of one language."""

    ridge: float  # how far the scores may stray from the examples
    written: Grams  # of the examples, among them what ``told`` gives

    def told(self, text: str) -> list[str]:
        """What a normalised text tells, gram by gram."""

    def tells(self, gram: str) -> bool:
        """Is it one of those that ``told`` may give?"""

    def parts(self, text: str, meaning: Vector | None = None) -> Parts:
        """The single comparisons of a normalised text with every example, for ``join`` and for ``why``.

        ``meaning``: what the encoder found of this question; it is then not asked again.
        """

    def among(self, rows: Rows, onwards: bool = False) -> Iterator[Parts]:
        """The same of the examples in ``rows``, ``TOGETHER`` of them at a time.

        With every example, or ``onwards``, if the rows are all there are, with those from their own first on: the
        others have been compared before.
        """

    def join(self, parts: Parts) -> Vector:
        """The kernel itself; it may use up the parts."""


class Way(Protocol):
    """One way to compare the examples with each other."""

    def among(self, rows: Rows, onwards: bool = False) -> Iterator[Vector]:
        """How alike those in ``rows`` are to every one, ``TOGETHER`` rows at a time; see ``blocks``."""


class Order:
    """The share of characters that two texts have in the same order: their longest common subsequence, by bits.

    A text's characters are the bits of one number, and a number tells for every text which of them are met already: a
    character of another text is then three sums with the numbers of the few texts it occurs in (Hyyrö 2004).
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [text[:COMPARED] for text in texts]
        self._lengths = np.fromiter(map(len, self._texts), np.intp, len(texts))
        bits: defaultdict[str, dict[int, int]] = defaultdict(dict)  # character -> text -> where in it
        for row, text in enumerate(self._texts):
            for at, character in enumerate(text):
                bits[character][row] = bits[character].get(row, 0) | 1 << at
        self._places = {
            character: (np.fromiter(where, np.intp), np.fromiter(where.values(), np.uint64))
            for character, where in bits.items()
        }

    def similar(self, text: str, since: int = 0) -> Vector:
        """The share of a text with every text, or with those from ``since`` on."""
        left = np.full(len(self._texts), ALL)
        for character in text[:COMPARED]:
            if found := self._places.get(character):
                rows, places = found
                if since:
                    later = slice(rows.searchsorted(since), None)
                    rows, places = rows[later], places[later]
                some = left[rows]
                met = some & places
                left[rows] = (some + met) | (some - met)
        common = 2.0 * np.bitwise_count(~left[since:])
        both = len(text[:COMPARED]) + self._lengths[since:]
        return np.divide(common, both, out=np.ones(len(both), np.float32), where=both > 0, casting="same_kind")

    def among(self, rows: Rows, onwards: bool = False) -> Iterator[Vector]:
        """The shares of the texts in ``rows`` with every text, ``TOGETHER`` rows at a time; see ``blocks``."""
        for some, since in blocks(rows, onwards):
            yield np.stack([self.similar(self._texts[row], since) for row in some.tolist()])


class Meant:
    """What an encoder makes of the texts."""

    def __init__(self, texts: Sequence[str], encoder: Encoder) -> None:
        self._places, self._encoder = encoder.examples(texts), encoder

    def similar(self, text: str) -> Vector:
        """The cosine of a text with every text."""
        return np.asarray(self._places @ self._encoder.question(text))

    def among(self, rows: Rows, onwards: bool = False) -> Iterator[Vector]:
        """The cosines of the texts in ``rows`` with every text, ``TOGETHER`` rows at a time; see ``blocks``."""
        for some, since in blocks(rows, onwards):
            yield self._places[some] @ self._places[since:].T


def _meant(ask: Meant | None, text: str, known: Vector | None) -> Parts:
    """What an encoder makes of a text, if there is one; ``known``: it has been asked."""
    if known is None and ask:
        known = ask.similar(text)
    return {} if known is None else {"meaning": known}


def _among(rows: Rows, onwards: bool, ways: Mapping[str, Way | None]) -> Iterator[Parts]:
    """Every way to compare that there is, side by side."""
    known = {name: way.among(rows, onwards) for name, way in ways.items() if way}
    for parts in zip(*known.values(), strict=True):
        yield dict(zip(known, parts, strict=True))


# ---------------------------------------------------------------- English, and whatever is written in words


class English:
    """Letters within words, stems with their neighbours, what words mean, and with an encoder the whole sentence."""

    def __init__(self, texts: Sequence[str], encoder: Encoder | None = None) -> None:
        split = [words(text) for text in texts]
        self.ridge = 0.2 if encoder else 0.15
        self._letters = Letters(split)
        self.written = Grams([stems(w) for w in split])
        self._words = Meanings(split)
        self._meaning = Meant(texts, encoder) if encoder else None

    def told(self, text: str) -> list[str]:
        """Its words, without their endings."""
        return [stem(word) for word in words(text)]

    def tells(self, gram: str) -> bool:
        """Single words do."""
        return " " not in gram

    def parts(self, text: str, meaning: Vector | None = None) -> Parts:
        """Letters, stems and what is meant, word by word and by an encoder."""
        split = words(text)
        parts = {
            "letters": self._letters.similar(split),
            "stems": self.written.similar(stems(split)),
            "words": self._words.similar(split),
        }
        return parts | _meant(self._meaning, text, meaning)

    def among(self, rows: Rows, onwards: bool = False) -> Iterator[Parts]:
        """See Kernel."""
        meant = {"meaning": self._meaning, "words": self._words}
        return _among(rows, onwards, {"letters": self._letters, "stems": self.written, **meant})

    def join(self, parts: Parts) -> Vector:
        """Sharpened, so that one close example counts for more than many remote ones."""
        lexical = apart(
            (2 * np.exp(parts["letters"] + parts["stems"] - 2) + np.exp(4 * (parts["words"] - 1))) / 3, LEAST
        )
        return (3 * np.exp(4 * (parts["meaning"] - 1)) + lexical) / 4 if "meaning" in parts else lexical


LEAST = (2 * math.exp(-2) + math.exp(-4)) / 3  # English texts that have nothing in common


def apart(alike: Vector, least: float) -> Vector:
    """Likeness counted from that of texts which have nothing in common: it is 0, or one answer would fit them all."""
    return (alike - least) / (1 - least)


def stems(split: Sequence[str]) -> list[str]:
    """The words without their endings, alone and in pairs."""
    bare = [stem(word) for word in split]
    return bare + [f"{a} {b}" for a, b in pairwise(bare)]


@lru_cache(maxsize=KEPT)
def stem(word: str) -> str:
    """A word without its commonest ending; crude, but the same for questions and examples."""
    word = word.removesuffix("'s").replace("'", "")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            root = word[: -len(ending)] + ("y" if ending == "ies" else "")
            doubled = len(root) > 3 and root[-1] == root[-2] and ending in ("ing", "ed", "er")
            return root[:-1] if doubled else root
    return word


# ---------------------------------------------------------------- Chinese


class Chinese:
    """Characters, their sounds, the order of both, and what words mean; no dictionary has to cut a text rightly."""

    def __init__(self, texts: Sequence[str], encoder: Encoder | None = None) -> None:
        split = [units(text) for text in texts]
        self.ridge = 0.35
        both = [written_and_heard(u) for u in split]
        self.written = Grams([written for written, _ in both])
        self._sounds = Grams([heard for _, heard in both])
        self._order = Order(["".join(u) for u in split])
        self._meaning = Meant(texts, encoder) if encoder else None

    def told(self, text: str) -> list[str]:
        """Its characters, alone and in pairs, and what its words mean."""
        return _read(text)[0]

    def tells(self, gram: str) -> bool:
        """All do: no dictionary tells where a word ends."""
        return True

    def parts(self, text: str, meaning: Vector | None = None) -> Parts:
        """Characters, sounds, order and, with a multilingual encoder, meaning."""
        split = units(text)
        written, heard = _read(text)
        parts = {
            "characters": self.written.similar(written),
            "sounds": self._sounds.similar(heard),
            "order": self._order.similar("".join(split)),
        }
        return parts | _meant(self._meaning, text, meaning)

    def among(self, rows: Rows, onwards: bool = False) -> Iterator[Parts]:
        """See Kernel."""
        ways: dict[str, Way | None] = {"characters": self.written, "sounds": self._sounds}
        return _among(rows, onwards, ways | {"order": self._order, "meaning": self._meaning})

    def join(self, parts: Parts) -> Vector:
        """Characters and sounds alike, order half; sharpened as in English."""
        lexical = apart(np.exp(0.8 * (parts["characters"] + parts["sounds"] + 0.5 * parts["order"]) - 2), math.exp(-2))
        return (np.exp(4 * (parts["meaning"] - 1)) + lexical) / 2 if "meaning" in parts else lexical


@lru_cache(maxsize=8)
def _read(text: str) -> tuple[list[str], list[str]]:
    """A normalised text as it is written and heard, once for all that a question is asked for; nobody changes it."""
    return written_and_heard(units(text))


def written_and_heard(split: Sequence[str]) -> tuple[list[str], list[str]]:
    """A text's characters and its sounds, alone and in pairs, and among them what its words mean.

    Meaning counts twice beside the characters: they differ where two people say the same thing.
    """
    heard = sounds(split)
    meant = senses(split, heard)
    return [*pairs(split), *meant, *meant], [*pairs(heard), *meant]


def pairs(split: Sequence[str]) -> list[str]:
    """Every unit alone and with the next one."""
    return [*split, *(f"{a} {b}" for a, b in pairwise(split))]
