"""How much of what a question tells a label's own texts tell, too: "how do I … my …" is a frame and says nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from knowledge.grams import Grams, Rows, Vector, spans

WEIGHT = 0.15  # of what is shared, beside likeness; on seven sets of questions all from 0.1 to 0.2 is better than none
MOST = 3.0  # times as much as the usual question tells: who shares more is no surer
BLOCK = 128  # texts whose words are looked up at a time


class Evidence:
    """What a label's score gains or loses: 0 is a usual question that the label's texts say word for word.

    A word weighs the more, the fewer texts have it. The ridge sees only how alike texts are: a short one is like many,
    and one that shares its beginning with all questions of a label is rather like each of them.
    """

    def __init__(self, grams: Grams, tells: Callable[[str], bool], labels: Rows, count: int, asked: Rows) -> None:
        """``tells`` which grams count; ``labels`` of each text, of ``count``, -1 = none; ``asked`` is what is asked."""
        self._grams, self._count = grams, count
        columns, rows = grams.postings()
        owned = labels[rows] >= 0
        cells, times = np.unique(columns[owned] * count + labels[rows[owned]], return_counts=True)
        self._labels = (cells % count).astype(np.int32)  # that have each column's word, column after column
        self._many = np.bincount(cells // count, minlength=len(grams.rarity)).astype(np.int32)
        self._first = np.cumsum(self._many, dtype=np.int32) - self._many
        self._weights = grams.rarity * np.fromiter(map(tells, grams.named), bool, len(grams.rarity))
        self._once = cells[times == 1]
        single = np.fromiter((" " not in gram and gram[:1] != "#" for gram in grams.named), bool, len(self._many))
        self._apart = np.where(single, np.log(count / np.maximum(self._many, 1)), 0.0)
        told = np.bincount(rows, self._weights[columns], grams.size)[asked]
        self._usual = (float(np.median(told)) if len(told) else 0.0) or 1.0

    def of(self, columns: Rows) -> Vector:
        """A value per label, of the ``columns`` that a question's words (or units and their pairs) are."""
        many = self._many[columns]
        found = self._labels[spans(self._first[columns], many)]
        return self._value(np.bincount(found, np.repeat(self._weights[columns], many), self._count).astype(float))

    def apart(self, columns: Rows, label: int) -> float:
        """How well the words that a question has in common with a label single it out, as a logarithm: below 0 at least
        one other label is to be expected to have them all as well, by chance.
        """
        many = self._many[columns]
        common = np.repeat(self._apart[columns], many)[self._labels[spans(self._first[columns], many)] == label]
        return float(common.sum() - np.log(self._count))

    def left_out(self, rows: Rows, own: Rows) -> NDArray[np.float64]:
        """The same of known texts, each as if it were not: its ``own`` label has of it what its other texts have."""
        columns, whose = self._grams.postings()
        order = np.argsort(whose, kind="stable")
        columns, much = columns[order], np.bincount(whose, minlength=self._grams.size)
        start = np.cumsum(much) - much
        found = np.empty((len(rows), self._count))
        for at in range(0, len(rows), BLOCK):
            some = rows[at : at + BLOCK]
            said = columns[spans(start[some], much[some])]
            line = np.repeat(np.arange(len(some)), much[some])
            weights, many = self._weights[said], self._many[said]
            cells = np.repeat(line, many) * self._count + self._labels[spans(self._first[said], many)]
            shared = np.bincount(cells, np.repeat(weights, many), len(some) * self._count).astype(float)
            shared = shared.reshape(len(some), -1)
            mine = own[at : at + BLOCK]
            alone = np.isin(said * self._count + mine[line], self._once)
            shared[np.arange(len(some)), mine] -= np.bincount(line, weights * alone, len(some))
            found[at : at + BLOCK] = self._value(shared)
        return found

    def _value(self, shared: Vector) -> Vector:
        return np.asarray(WEIGHT * (np.log1p(np.minimum(shared / self._usual, MOST)) - np.log(2)), float)
