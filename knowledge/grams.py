"""How alike texts are by what they are written with: cosines of TF-IDF vectors of their grams."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, count
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]  # a value for every example; or a row of them for each of several texts
Rows: TypeAlias = NDArray[np.intp]
COMMON = 16  # a gram that more than one text in so many has is common
TOGETHER = 128  # texts compared with all at a time: the sums of more do not fit the processor's cache


def blocks(rows: Rows) -> Iterator[Rows]:
    """Rows, ``TOGETHER`` at a time."""
    return (rows[at : at + TOGETHER] for at in range(0, len(rows), TOGETHER))


class Grams:
    """Cosines of TF-IDF vectors, kept as postings: what a gram costs is where it occurs."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self.size = len(texts)
        numbers: defaultdict[str, int] = defaultdict(count().__next__)  # a new gram gets the next column
        lengths = np.fromiter(map(len, texts), np.intp, self.size)
        grams = np.fromiter(map(numbers.__getitem__, chain.from_iterable(texts)), np.intp, lengths.sum())
        self._column = dict(numbers)
        cells, times = np.unique(grams * self.size + np.repeat(np.arange(self.size), lengths), return_counts=True)
        columns, rows = np.divmod(cells, self.size or 1)
        self._frequency = np.bincount(columns, minlength=len(numbers))
        self._start = np.cumsum(self._frequency) - self._frequency
        self._rarest = math.log(1 + self.size) + 1
        self._idf = np.log((1 + self.size) / (1 + self._frequency)) + 1
        weights = (1 + np.log(times)) * self._idf[columns]
        self._weights = weights / np.sqrt(np.bincount(rows, weights**2, self.size))[rows]
        self._rows = rows.astype(np.int32)  # there are many of them

    def similar(self, grams: Sequence[str]) -> Vector:
        """The cosine of a text with every text."""
        counts = Counter(grams)
        known = [(column, n) for gram, n in counts.items() if (column := self._column.get(gram)) is not None]
        if not known:
            return np.zeros(self.size)
        columns, times = np.array(known).T
        weights = (1 + np.log(times)) * self._idf[columns]
        strange = (len(counts) - len(known)) * self._rarest**2  # grams no example has make it unlike all of them
        weights /= math.sqrt(float(weights @ weights) + strange)
        often = self._frequency[columns]
        met = _spans(self._start[columns], often)
        return np.asarray(
            np.bincount(self._rows[met], self._weights[met] * np.repeat(weights, often), self.size), float
        )

    def among(self, rows: Rows) -> Iterator[Vector]:
        """The cosines of the texts in ``rows`` with every text, ``TOGETHER`` rows at a time.

        What is common is one product of matrices; what is rare is added pair by pair, each where it is met.
        """
        columns = np.repeat(np.arange(len(self._start)), self._frequency)  # of each posting
        common = self._frequency * COMMON > self.size
        tabled = common[columns]
        table = np.zeros((np.count_nonzero(common), self.size))
        table[(np.cumsum(common) - 1)[columns[tabled]], self._rows[tabled]] = self._weights[tabled]
        rare = np.flatnonzero(~tabled)
        rare = rare[np.argsort(self._rows[rare], kind="stable")]  # by text
        much = np.bincount(self._rows[rare], minlength=self.size)
        first = np.cumsum(much) - much
        for some in blocks(rows):
            cosines = table[:, some].T @ table
            own = rare[_spans(first[some], much[some])]
            often = self._frequency[columns[own]]
            met = _spans(self._start[columns[own]], often)
            cells = np.repeat(np.repeat(np.arange(len(some)) * self.size, much[some]), often) + self._rows[met]
            products = self._weights[met] * np.repeat(self._weights[own], often)
            yield cosines + np.bincount(cells, products, cosines.size).reshape(cosines.shape)


def _spans(starts: Rows, lengths: Rows) -> Rows:
    """The numbers from each start on, as many as its length, one span after the other."""
    ends = np.cumsum(lengths)
    return np.arange(lengths.sum()) + np.repeat(starts - ends + lengths, lengths)
