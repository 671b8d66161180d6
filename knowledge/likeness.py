"""How much more alike questions are than is typical, in words and in what they are taken for; which go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge.grams import Grams
from knowledge.index import ELSEWHERE, Knowledge
from knowledge.kernels import letters, stems, written_and_heard
from knowledge.meaning import Meanings
from knowledge.normal import units, words
from knowledge.space import UNSPACED

ALIKE = 0.05  # likeness beyond what is typical, from which on questions are about the same; see benchmarks/gaps.py
TAKEN_FOR = 0.2  # how much of likeness is being taken for the same answers
ACROSS = 0.6  # and how much that counts between two languages, where it is all there is
FAINT = 0.2  # a text that fits all labels together less than this is hardly taken for any
TYPICAL = 0.2  # who is more like all others than this is so not by chance: all are about one thing
USUAL, OFTEN = 0.06, 30  # what is said in a larger share of the questions, and so often, tells nothing of a topic
MEANT = 0.5  # weight of what English words mean, beside how they are written
MOST = 4000  # questions that are compared, the newest

Matrix: TypeAlias = NDArray[np.float64]


def likeness(knowledge: Knowledge, plain: Mapping[str, Sequence[str]], said: Mapping[str, Sequence[str]]) -> Matrix:
    """How much more than is typical each text is like each, one language after the other, 0 with itself.

    Within a language likeness is that of the words and of what they are taken for, between two the latter alone.
    ``said`` is all that was asked, answered or not.
    """
    fits = np.concatenate([_fits(knowledge, texts, language) for language, texts in plain.items()])
    taken = fits / np.maximum(np.linalg.norm(fits, axis=1, keepdims=True), FAINT)
    alike: Matrix = ACROSS * taken @ taken.T
    ends = np.cumsum([len(texts) for texts in plain.values()]).tolist()
    parts = [slice(end - len(texts), end) for texts, end in zip(plain.values(), ends, strict=True)]
    for part, (language, texts) in zip(parts, plain.items(), strict=True):
        alike[part, part] = _alike(texts, language, said[language]) + TAKEN_FOR * taken[part] @ taken[part].T
    np.fill_diagonal(alike, 0)
    for one, other in product(parts, parts):
        alike[one, other] -= _typical(alike[one, other])
    np.fill_diagonal(alike, 0)
    return alike


def _typical(alike: Matrix) -> Matrix:
    """How alike two texts are to be expected, as each is like all: some are like much, some like nothing."""
    rows, columns = (np.minimum(alike.mean(axis, keepdims=True), TYPICAL) for axis in (1, 0))
    return np.asarray(rows + columns - (rows.mean() + columns.mean()) / 2, float)


def _fits(knowledge: Knowledge, plain: Sequence[str], language: str) -> Matrix:
    """How much better than most labels of the FAQ each fits each text; the columns are the same in all languages."""
    labels = {label for space in knowledge.spaces.values() for label in space.labels}
    names = sorted(labels - {ELSEWHERE})  # whatever is strange is taken for that
    if not names or not (space := knowledge.spaces.get(language)):
        return np.zeros((len(plain), len(names)))
    column = {label: at for at, label in enumerate(space.labels)}
    scores = np.stack([space.fit(text).scores for text in plain])
    better = (scores - np.median(scores, 1, keepdims=True)).clip(0)
    return np.stack([better[:, column[name]] if name in column else np.zeros(len(plain)) for name in names], 1)


def clusters(alike: Matrix) -> list[tuple[list[int], float]]:
    """Rows that belong together, the most typical first, and how alike they are."""
    found = []
    for members in _linked(alike):
        among = alike[np.ix_(members, members)].sum(1) / max(len(members) - 1, 1)
        found.append(([members[i] for i in np.argsort(-among, kind="stable")], float(among.mean())))
    return found


def _alike(plain: Sequence[str], language: str, said: Sequence[str]) -> Matrix:
    """How alike the texts are in what not everybody says: "please", "urgent" and "router" do not make a topic."""
    # what is rare is told from all that is asked: what is missing is not rare among what has no answer
    rows, every = np.arange(len(plain)), [*plain, *said[-MOST:]]
    written = Grams(_telling([_grams(text, language) for text in every], len(plain)))
    alike = np.concatenate([block[:, rows] for block in written.among(rows)])
    if language in UNSPACED:
        return alike
    meant = Meanings(_telling([words(text) for text in every], len(plain)))
    near = np.concatenate([block[:, rows] for block in meant.among(rows)]).clip(0)
    return np.asarray((alike + MEANT * near) / (1 + MEANT), float)


def _telling(texts: Sequence[list[str]], since: int) -> list[list[str]]:
    """Each text without what is usual in those from ``since`` on."""
    seen = Counter(part for text in texts[since:] for part in set(text))
    usual = max(USUAL * (len(texts) - since), OFTEN)
    return [[part for part in text if seen[part] <= usual] for text in texts]


def _grams(text: str, language: str) -> list[str]:
    if language in UNSPACED:
        written, heard = written_and_heard(units(text))
        return [*written, *(f"~{sound}" for sound in heard)]
    return [*letters(words(text)), *stems(words(text))]


def _linked(alike: Matrix) -> list[list[int]]:
    """Average linkage, down to ALIKE: along chains of nearest neighbours."""
    near, size = alike.copy(), np.ones(len(alike))
    np.fill_diagonal(near, -np.inf)
    groups = {row: [row] for row in range(len(alike))}
    waiting, chain = list(groups), list[int]()
    while chain or waiting:
        here = chain[-1] if chain else waiting.pop()
        if here not in groups:
            continue
        chain = chain or [here]
        next_ = int(near[here].argmax())
        if len(chain) > 1 and near[here, chain[-2]] >= near[here, next_]:
            next_ = chain[-2]
        if near[here, next_] < ALIKE:
            chain.pop()
        elif len(chain) > 1 and next_ == chain[-2]:
            chain = chain[:-2]
            _join(near, size, here, next_)
            groups[here] += groups.pop(next_)
            waiting.append(here)
        else:
            chain.append(next_)
    return list(groups.values())


def _join(near: Matrix, size: Matrix, one: int, other: int) -> None:
    """``other`` becomes a part of ``one``."""
    mean = (near[one] * size[one] + near[other] * size[other]) / (size[one] + size[other])
    near[one], near[:, one] = mean, mean
    near[other], near[:, other] = -np.inf, -np.inf
    size[one] += size[other]
