"""How alike a question is to each example, between 0 and 1: one kernel for English, one for Chinese."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from knowledge.meaning import Meanings
from knowledge.normal import WORDS, models, units, words

Vector: TypeAlias = NDArray[np.float64]
Parts: TypeAlias = dict[str, Vector]  # name of a way to compare → its value for every example
UNSEEN = 0.3  # how much a gram no example has makes a question unlike all of them
RATIO = 64  # characters that are compared by edit distance


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

    def parts(self, text: str, row: int = -1) -> Parts:
        """The single comparisons of a normalised text with every example, for ``join`` and for ``why``.

        ``row``: the text is this example itself, so what is known of it need not be worked out again.
        """

    def join(self, parts: Parts) -> Vector:
        """The kernel itself."""

    def forget(self) -> None:
        """The examples have been compared with each other: ``row`` will not be asked for again."""


class Grams:
    """Cosines of TF-IDF vectors, kept as postings: what a gram costs is where it occurs."""

    def __init__(self, texts: Sequence[list[str]]) -> None:
        self.size = len(texts)
        counts = [Counter(text) for text in texts]
        seen = Counter(gram for count in counts for gram in count)
        self._column = {gram: i for i, gram in enumerate(seen)}
        frequency = np.fromiter(seen.values(), float, len(seen))
        self._rarest = math.log(1 + self.size) + 1
        self._idf = np.log((1 + self.size) / (1 + frequency)) + 1
        self._start = np.concatenate([[0], np.cumsum(frequency)]).astype(np.int64).tolist()
        self._rows = np.empty(self._start[-1], np.int32)
        self._weights = np.empty(self._start[-1])
        free = self._start.copy()
        self._vectors = [self._vector(count) for count in counts]
        for row, (columns, weights) in enumerate(self._vectors):
            for column, weight in zip(columns, weights.tolist(), strict=True):
                self._rows[free[column]], self._weights[free[column]] = row, weight
                free[column] += 1

    def _vector(self, count: Counter[str]) -> tuple[list[int], Vector]:
        known = [(self._column[gram], n) for gram, n in count.items() if gram in self._column]
        columns = [column for column, _ in known]
        weights = (1 + np.log(np.array([n for _, n in known], float))) * self._idf[columns] if known else np.empty(0)
        strange = UNSEEN * (len(count) - len(known)) * self._rarest**2
        return columns, weights / (math.sqrt(float(weights @ weights) + strange) or 1.0)

    def forget(self) -> None:
        """Let go of what is only needed to compare the texts with each other."""
        self._vectors = []

    def similar(self, grams: list[str], row: int = -1) -> Vector:
        """The cosine of a text, or of the text in a row, with every text."""
        columns, weights = self._vectors[row] if row >= 0 else self._vector(Counter(grams))
        if not columns:
            return np.zeros(self.size)
        spans = [slice(self._start[c], self._start[c + 1]) for c in columns]
        rows = np.concatenate([self._rows[s] for s in spans])
        products = np.concatenate([self._weights[s] for s in spans])
        products *= np.repeat(weights, [s.stop - s.start for s in spans])
        return np.bincount(rows, products, self.size).astype(float)


# ---------------------------------------------------------------- English, and whatever is written in words


class English:
    """Letters within words, stems with their neighbours, and what the words mean; an encoder knows that better."""

    def __init__(self, texts: Sequence[str], encoder: Encoder | None = None) -> None:
        split = [words(text) for text in texts]
        self.ridge = 0.2 if encoder else 0.13
        self._letters = Grams([letters(w) for w in split])
        self._stems = Grams([stems(w) for w in split])
        self._words = Meanings(split)
        self._encoder = encoder
        self._meanings = encoder.examples(texts) if encoder else None

    def parts(self, text: str, row: int = -1) -> Parts:
        """Letters, stems and, with an encoder, meaning."""
        split = words(text) if row < 0 else []
        parts = {"letters": self._letters.similar(letters(split), row), "stems": self._stems.similar(stems(split), row)}
        if self._encoder and self._meanings is not None:
            place = self._meanings[row] if row >= 0 else self._encoder.question(text)
            parts["meaning"] = (self._meanings @ place).astype(float)
        else:
            parts["words"] = self._words.similar(split, row)
        return parts

    def join(self, parts: Parts) -> Vector:
        """Sharpened, so that one close example counts for more than many remote ones."""
        written = np.exp(parts["letters"] + parts["stems"] - 2)
        if "meaning" in parts:
            return (2 * np.exp(4 * (parts["meaning"] - 1)) + written) / 3
        return (2 * written + np.exp(4 * (parts["words"] - 1))) / 3

    def forget(self) -> None:
        """See Kernel."""
        self._letters.forget()
        self._stems.forget()


def letters(split: Sequence[str]) -> list[str]:
    """Runs of two to five letters within each word and its borders; a model number is one run."""
    runs: list[str] = []
    for word in split:
        edged = f" {word} "
        if models(word):
            runs += [edged] * 3
            continue
        runs += [edged[i : i + n] for n in range(2, 6) for i in range(len(edged) - n + 1)]
    return runs


def stems(split: Sequence[str]) -> list[str]:
    """The words without their endings, alone and in pairs."""
    bare = [stem(word) for word in split]
    return bare + [f"{a} {b}" for a, b in pairwise(bare)]


@cache
def _endings() -> tuple[str, ...]:
    return ("ingly", "edly", "ing", "ies", "ed", "es", "er", "ly", "s", "e")


def stem(word: str) -> str:
    """A word without its commonest ending; crude, but the same for questions and examples."""
    word = word.removesuffix("'s").replace("'", "")
    for ending in _endings():
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            root = word[: -len(ending)] + ("y" if ending == "ies" else "")
            doubled = len(root) > 3 and root[-1] == root[-2] and ending in ("ing", "ed", "er")
            return root[:-1] if doubled else root
    return word


# ---------------------------------------------------------------- Chinese


class Chinese:
    """Characters, their sounds and the order of both; no dictionary cuts words, so none is cut wrongly."""

    def __init__(self, texts: Sequence[str], encoder: Encoder | None = None) -> None:
        split = [units(text) for text in texts]
        self.ridge = 0.3
        self._characters = Grams([pairs(u) for u in split])
        self._sounds = Grams([pairs(sounds(u)) for u in split])
        self._texts = ["".join(u)[:RATIO] for u in split]
        self._encoder = encoder
        self._meanings = encoder.examples(texts) if encoder else None

    def parts(self, text: str, row: int = -1) -> Parts:
        """Characters, sounds, order and, with a multilingual encoder, meaning."""
        split = units(text) if row < 0 else []
        whole = "".join(split)[:RATIO] if row < 0 else self._texts[row]
        order = process.cdist([whole], self._texts, scorer=fuzz.ratio)[0]
        parts = {
            "characters": self._characters.similar(pairs(split), row),
            "sounds": self._sounds.similar(pairs(sounds(split)), row),
            "order": np.asarray(order, float) / 100,
        }
        if self._encoder and self._meanings is not None:
            place = self._meanings[row] if row >= 0 else self._encoder.question(text)
            parts["meaning"] = (self._meanings @ place).astype(float)
        return parts

    def join(self, parts: Parts) -> Vector:
        """Characters and sounds alike, order half; sharpened as in English."""
        lexical = np.exp(0.8 * (parts["characters"] + parts["sounds"] + 0.5 * parts["order"]) - 2)
        return (np.exp(4 * (parts["meaning"] - 1)) + lexical) / 2 if "meaning" in parts else lexical

    def forget(self) -> None:
        """See Kernel."""
        self._characters.forget()
        self._sounds.forget()


def pairs(split: Sequence[str]) -> list[str]:
    """Every unit alone and with the next one."""
    return [*split, *(f"{a} {b}" for a, b in pairwise(split))]


@cache
def readings() -> dict[str, str]:
    """Character -> syllable, without tone."""
    lines = (line.split() for line in (WORDS / "pinyin.txt").read_text(encoding="utf-8").splitlines())
    return {character: syllable for syllable, characters in lines for character in characters}


def sounds(split: Sequence[str]) -> list[str]:
    """Each character as it is read aloud, without tone; a Latin run stays itself."""
    return [readings().get(unit, unit) for unit in split]
