"""What English words mean, as a table of places: "modem" lies near "router" although they share no letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

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
        self._rarest = np.log(1 + len(texts)) + 1
        self._rarity = {word: self._rarest - np.log(1 + n) for word, n in seen.items()}
        self._texts = np.stack([self._place(text) for text in texts]) if texts else np.empty((0, 1), np.float32)

    def _place(self, text: list[str]) -> NDArray[np.float32]:
        known = [(english()[word], self._rarity.get(word, self._rarest)) for word in text if word in english()]
        if not known:
            return np.zeros(places().shape[1], np.float32)
        rows, weights = zip(*known, strict=True)
        place = np.asarray(weights) @ places()[list(rows)]
        return np.asarray(place / (np.linalg.norm(place) or 1.0), np.float32)

    def similar(self, text: list[str], row: int = -1) -> NDArray[np.float64]:
        """The cosine of a text, or of the text in a row, with every text."""
        return np.asarray(self._texts @ (self._texts[row] if row >= 0 else self._place(text)), float)
