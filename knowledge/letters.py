"""How alike English texts are by the letters of their words: who mistypes a word keeps most of its runs of letters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knowledge.grams import Grams, Rows, Vector
from knowledge.normal import models

SHORTEST, LONGEST = 2, 5  # letters of a run
KEPT = 4096  # words whose places are remembered: people use the same ones again and again


class Letters(Grams):
    """The runs of letters of texts that are given word by word."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        super().__init__([[run for word in text for run in runs(word)] for text in texts])
        self._places: dict[str, tuple[Rows, frozenset[str]]] = {}

    def similar(self, grams: Sequence[str]) -> Vector:
        """The cosine of a text, given by its words, with every text."""
        if not grams:
            return super().similar(grams)
        places = [self._placed(word) for word in grams]
        every = np.sort(np.concatenate([columns for columns, _ in places]))
        first = np.flatnonzero(np.concatenate((every[:1] >= 0, every[1:] != every[:-1])))
        times = np.concatenate((first[1:], (len(every),)))[: len(first)] - first
        return self.cosines(every[first], times, len(frozenset().union(*(strange for _, strange in places))))

    def _placed(self, word: str) -> tuple[Rows, frozenset[str]]:
        """The columns of a word's runs, and which of them no text has."""
        if (placed := self._places.get(word)) is None:
            if len(self._places) >= KEPT:
                self._places = {}
            found = self.find(split := runs(word))
            strange = frozenset(run for run, column in zip(split, found.tolist(), strict=True) if column < 0)
            placed = self._places[word] = found[found >= 0], strange
        return placed


def runs(word: str) -> list[str]:
    """Runs of letters within a word and its borders; a model number is one run, and counts as three."""
    edged = f" {word} "
    if models(word):
        return [edged] * 3
    return [edged[at : at + n] for n in range(SHORTEST, LONGEST + 1) for at in range(len(edged) - n + 1)]
