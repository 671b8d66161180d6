"""How much more alike questions are than is typical, in words and in what they are taken for; which go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge.courtesy import plainly
from knowledge.examples import ELSEWHERE
from knowledge.index import Knowledge
from knowledge.kernels import Chinese, English
from knowledge.normal import units, words
from knowledge.space import UNSPACED, Space

ALIKE = 0.08  # likeness beyond what is typical, from which on questions are about the same; see benchmarks/gaps.py
TAKEN_FOR = 0.15  # how much of likeness is being taken for the same answers
ACROSS = 0.6  # and how much that counts between two languages, where it is all there is
LEVEL = 0.7  # power that brings the second and third of these answers nearer to the first
FAINT = 0.2  # a text that fits all labels together less than this is hardly taken for any
TYPICAL = 0.2  # who is more like all others than this is so not by chance: all are about one thing
USUAL, OFTEN = 0.06, 20  # with what more questions than this share, and so many, begin or end is not what is asked
LONGEST = 6  # words of such a beginning or end
MOST = 4000  # questions that are compared, the newest

Matrix: TypeAlias = NDArray[np.float64]


def likeness(knowledge: Knowledge, plain: Mapping[str, Sequence[str]]) -> Matrix:
    """How much more than is typical each text is like each, one language after the other, 0 with itself.

    Within a language likeness is that of the words and of what they are taken for, between two the latter alone.
    """
    spaces = {language: knowledge.spaces.get(language) for language in plain}
    asked = {language: _asked(texts, language, spaces[language]) for language, texts in plain.items()}
    taken = np.concatenate([_taken(knowledge, texts, spaces[language]) for language, texts in asked.items()])
    alike: Matrix = ACROSS * taken @ taken.T
    ends = np.cumsum([len(texts) for texts in asked.values()]).tolist()
    parts = [slice(end - len(texts), end) for texts, end in zip(asked.values(), ends, strict=True)]
    for part, (language, texts) in zip(parts, asked.items(), strict=True):
        alike[part, part] = _alike(texts, language, spaces[language]) + TAKEN_FOR * taken[part] @ taken[part].T
    np.fill_diagonal(alike, 0)
    for one, other in product(parts, parts):
        alike[one, other] -= _typical(alike[one, other])
    np.fill_diagonal(alike, 0)
    return alike


def _asked(plain: Sequence[str], language: str, space: Space | None) -> list[str]:
    """The texts, repaired, without courtesies and without what many begin or end with: "since day 5"."""
    told = [plainly(space.repaired(text) if space else text) for text in plain]
    split = [units(text) if language in UNSPACED else words(text) for text in told]
    bare = [text[::-1] for text in _without_beginnings([text[::-1] for text in _without_beginnings(split)])]
    return [("" if language in UNSPACED else " ").join(text) for text in bare]


def _without_beginnings(split: Sequence[list[str]]) -> list[list[str]]:
    heads = [tuple("0" if word.isdecimal() else word for word in text[:LONGEST]) for text in split]
    seen = Counter(head[:n] for head in heads for n in range(1, len(head) + 1))
    usual = max(USUAL * len(split), OFTEN)
    common = [sum(seen[head[:n]] > usual for n in range(1, len(head) + 1)) for head in heads]
    return [text[min(n, len(text) - 1) :] for text, n in zip(split, common, strict=True)]


def _taken(knowledge: Knowledge, asked: Sequence[str], space: Space | None) -> Matrix:
    """What each text is taken for, as a direction; the labels are the same in all languages."""
    labels = {label for known in knowledge.spaces.values() for label in known.labels}
    names = sorted(labels - {ELSEWHERE})  # whatever is strange is taken for that
    if not names or not space:
        return np.zeros((len(asked), len(names)))
    column = {label: at for at, label in enumerate(space.labels)}
    scores = np.stack([space.fit(text).scores for text in asked])
    better = (scores - np.median(scores, 1, keepdims=True)).clip(0) ** LEVEL
    fits = np.stack([better[:, column[name]] if name in column else np.zeros(len(asked)) for name in names], 1)
    return np.asarray(fits / np.maximum(np.linalg.norm(fits, axis=1, keepdims=True), FAINT**LEVEL), float)


def _alike(asked: Sequence[str], language: str, space: Space | None) -> Matrix:
    """How alike the texts are, in all the ways that questions of their language are compared in; what is rare counts,
    and that is told from the FAQ, too: what is missing is not rare among what has no answer.
    """
    known = [example.normal for example in space.examples] if space else []
    kernel = (Chinese if language in UNSPACED else English)([*asked, *known])
    ways = (parts.values() for parts in kernel.among(np.arange(len(asked))))
    return np.concatenate([np.mean([way[:, : len(asked)].clip(0) for way in some], 0) for some in ways])


def _typical(alike: Matrix) -> Matrix:
    """How alike two texts are to be expected, as each is like all: some are like much, some like nothing."""
    rows, columns = (np.minimum(alike.mean(axis, keepdims=True), TYPICAL) for axis in (1, 0))
    return np.asarray(rows + columns - (rows.mean() + columns.mean()) / 2, float)


def clusters(alike: Matrix) -> list[tuple[list[int], float]]:
    """Rows that belong together, the most typical first, and how alike they are."""
    found = []
    for members in _linked(alike):
        among = alike[np.ix_(members, members)].sum(1) / max(len(members) - 1, 1)
        found.append(([members[i] for i in np.argsort(-among, kind="stable")], float(among.mean())))
    return found


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
