"""What English words mean, as a table of places: "modem" lies near "router" although they share no letter."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from knowledge.grams import Rows, Vector, blocks
from knowledge.normal import WORDS
from knowledge.spelling import english


@cache
def places() -> NDArray[np.int8]:
    """A row per word of ``english()``; read from disk as far as it is used."""
    return np.asarray(np.load(WORDS / "meaning.npy", mmap_mode="r"))


class Meanings:
    """Cosines between texts as sums of their words' places; a word counts the more, the rarer it is in the FAQ."""

    def __init__(self, texts: Sequence[list[str]]) -> None:
        seen = Counter(word for text in texts for word in set(text))
        self._rarest = math.log(1 + len(texts)) + 1
        self._rarity = {word: self._rarest - math.log(1 + n) for word, n in seen.items()}
        self._texts = np.stack([self._place(text) for text in texts]) if texts else np.empty((0, 1), np.float32)

    def _place(self, text: list[str]) -> NDArray[np.float32]:
        known = [word for word in text if word in english()]
        if not known:
            return np.zeros(places().shape[1], np.float32)
        weights = np.array([self._rarity.get(word, self._rarest) for word in known])
        place = weights @ places()[[english()[word] for word in known]]
        return np.asarray(place / (math.sqrt(place @ place) or 1.0), np.float32)

    def similar(self, text: list[str]) -> Vector:
        """The cosine of a text with every text."""
        return np.asarray(self._texts @ self._place(text))

    def among(self, rows: Rows, onwards: bool = False) -> Iterator[Vector]:
        """The cosines of the texts in ``rows`` with every text, ``TOGETHER`` rows at a time; see ``blocks``."""
        for some, since in blocks(rows, onwards):
            yield self._texts[some] @ self._texts[since:].T
