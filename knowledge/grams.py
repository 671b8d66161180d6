"""How alike texts are by what they are written with: cosines of TF-IDF vectors of their grams."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, count
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.floating[Any]]  # a value for every example; or a row of them for each of several texts
Rows: TypeAlias = NDArray[np.intp]
COMMON = 8  # a gram that more than one text in so many has is common
USUAL = 32  # and where all are compared with all, a product of matrices is cheaper than pairs from one in so many on
TOGETHER = 128  # texts compared with all at a time: the sums of more do not fit the processor's cache
LONGEST = 48  # bytes of a gram that count: one endless word must not make all the others' places as wide


def blocks(rows: Rows, onwards: bool = False) -> Iterator[tuple[Rows, int]]:
    """Rows, ``TOGETHER`` at a time, and the text from which on they are compared: the first, or their own first."""
    for at in range(0, len(rows), TOGETHER):
        yield rows[at : at + TOGETHER], int(rows[at]) if onwards else 0


class Grams:
    """Cosines of TF-IDF vectors, kept as postings: what a gram costs is where it occurs. A common gram costs less as a
    row with a place for every text, and has that, too. A gram's column is its place among all of them in order, which
    takes a sixth of the memory of a dictionary."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self.size = len(texts)
        numbers: defaultdict[str, int] = defaultdict(count().__next__)  # a new gram gets the next column
        lengths = np.fromiter(map(len, texts), np.intp, self.size)
        grams = np.fromiter(map(numbers.__getitem__, chain.from_iterable(texts)), np.intp, lengths.sum())
        spelled = [gram.encode(errors="surrogatepass") for gram in numbers]
        wide = min(max(map(len, spelled), default=0), LONGEST) + 1  # by one: what is cut off short of it is no gram
        self._grams, column = np.unique(np.array(spelled, f"S{wide}"), return_inverse=True)
        grams = column[grams]
        cells, times = np.unique(grams * self.size + np.repeat(np.arange(self.size), lengths), return_counts=True)
        columns, rows = np.divmod(cells, self.size or 1)
        self._frequency = np.bincount(columns, minlength=len(self._grams)).astype(np.int32)
        self._start = np.cumsum(self._frequency, dtype=np.int32) - self._frequency
        self._rarest = math.log(1 + self.size) + 1
        self._idf = (np.log((1 + self.size) / (1 + self._frequency)) + 1).astype(np.float32)
        self._rows = rows.astype(np.min_scalar_type(self.size))  # of each posting; there are many of them
        self._again = np.flatnonzero(times > 1).astype(np.int32)  # postings of what a text has more than once: few
        self._more = np.log(times[self._again]).astype(np.float32)
        ends = np.searchsorted(self._again, (self._start, self._start + self._frequency)).astype(np.int32)
        self._first, self._many = ends[0], ends[1] - ends[0]  # of these, those of each column
        squares = np.bincount(rows, self._unscaled(columns) ** 2, self.size)
        self._scale = 1 / np.sqrt(np.where(squares, squares, 1.0))
        common = self._frequency * COMMON > self.size
        tabled = common[columns]
        self._line = np.where(common, np.cumsum(common, dtype=np.int32) - 1, -1)  # of a column in the table; -1: rare
        self._table = np.zeros((np.count_nonzero(common), self.size), np.float32)
        self._table[self._line[columns[tabled]], rows[tabled]] = 1 + np.log(times[tabled])

    def _unscaled(self, columns: Rows) -> Vector:
        """The weight of each posting before its text is brought to length 1."""
        weights = self._idf[columns]
        weights[self._again] *= 1 + self._more
        return weights

    @property
    def rarity(self) -> Vector:
        """Of each column, 0 where every text has it."""
        return self._idf - 1

    @property
    def named(self) -> Iterable[str]:
        """The gram of each column."""
        return (gram.decode(errors="replace") for gram in self._grams.tolist())

    def columns(self, grams: Collection[str]) -> Rows:
        """The columns of the grams that some text has, each once, in order."""
        found = self.find(dict.fromkeys(grams))
        return np.sort(found[found >= 0])

    def find(self, grams: Collection[str]) -> Rows:
        """The column of each gram; -1: no text has it."""
        asked = np.array([gram.encode(errors="surrogatepass") for gram in grams], self._grams.dtype)
        at = self._grams.searchsorted(asked)
        at[at == len(self._grams)] = -1  # after the last one: not the last one either
        return np.where(self._grams[at] == asked, at, -1) if len(self._grams) else at

    def postings(self) -> tuple[Rows, Rows]:
        """Column and text of every gram of every text, once, column after column."""
        return np.repeat(np.arange(len(self._start)), self._frequency), self._rows.astype(np.intp)

    def similar(self, grams: Sequence[str]) -> Vector:
        """The cosine of a text with every text."""
        counts = Counter(grams)
        found = self.find(counts)
        known = found >= 0
        columns, times = found[known], np.array(list(counts.values()), float)[known]
        return self.cosines(columns, times, len(found) - len(columns))

    def cosines(self, columns: Rows, times: Vector | Rows, strange: int) -> Vector:
        """The same of a text that has these columns' grams so many times, and ``strange`` ones that no text has."""
        idf = self._idf[columns]
        weights = (1 + np.log(times)) * idf
        strangely = strange * self._rarest**2  # it makes the text unlike all of them
        weights *= idf / math.sqrt(float(weights @ weights) + strangely or 1.0)
        lines = self._line[columns]
        rare, common = lines < 0, lines >= 0
        tabled = weights[common].astype(np.float32) @ self._table.take(lines[common], 0)
        columns, weights = columns[rare], weights[rare]
        starts, often, many = self._start[columns], self._frequency[columns], self._many[columns]
        met = [self._rows[a:b] for a, b in zip(starts.tolist(), (starts + often).tolist(), strict=True)]
        rows = np.concatenate(met) if met else np.empty(0, np.intp)
        cosines = np.bincount(rows, weights.repeat(often), self.size).astype(float, copy=False)  # of none it counts
        if many.any():
            again = spans(self._first[columns], many)
            more = self._more[again] * weights.repeat(many)
            cosines += np.bincount(self._rows[self._again[again]], more, self.size)
        cosines += tabled
        cosines *= self._scale
        return cosines.astype(np.float32)

    def among(self, rows: Rows, onwards: bool = False) -> Iterator[Vector]:
        """The cosines of the texts in ``rows`` with every text, ``TOGETHER`` rows at a time; see ``blocks``.

        What many have is one product of matrices; what is rarer is added pair by pair, each where it is met.
        """
        columns = np.repeat(np.arange(len(self._start)), self._frequency)  # of each posting
        weights = (self._unscaled(columns) * self._scale[self._rows]).astype(np.float32)
        usual = self._frequency * USUAL > self.size
        table = np.zeros((np.count_nonzero(usual), self.size), np.float32)
        tabled = usual[columns]
        table[(np.cumsum(usual) - 1)[columns[tabled]], self._rows[tabled]] = weights[tabled]
        rare = np.flatnonzero(~tabled)
        rare = rare[np.argsort(self._rows[rare], kind="stable")]  # by text
        much = np.bincount(self._rows[rare], minlength=self.size)
        first = np.cumsum(much) - much
        met = np.zeros(len(self._start), np.intp)  # texts of each column that have been compared with all
        for some, since in blocks(rows, onwards):
            own = rare[spans(first[some], much[some])]
            start = (self._start + met)[columns[own]]
            often = self._frequency[columns[own]] - met[columns[own]]
            with_ = spans(start, often)
            line = np.arange(len(some)) * (self.size - since) - since
            where = np.repeat(np.repeat(line, much[some]), often) + self._rows[with_]
            products = weights[with_] * np.repeat(weights[own], often)
            cosines = table[:, some].T @ table[:, since:]
            cosines += np.bincount(where, products, cosines.size).reshape(cosines.shape)
            yield cosines
            if onwards:
                met += np.bincount(columns[own], minlength=len(met))


def spans(starts: NDArray[np.integer[Any]], lengths: NDArray[np.integer[Any]]) -> Rows:
    """The numbers from each start on, as many as its length, one span after the other."""
    ends = lengths.cumsum()
    return np.asarray(np.arange(lengths.sum()) + (starts - ends + lengths).repeat(lengths), np.intp)
