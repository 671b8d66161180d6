"""What customers asked and did not get: gathered by likeness, the largest first, each with a patch to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge.exchange import as_block, slug
from knowledge.faq import TO_WRITE, Entry
from knowledge.grams import Grams
from knowledge.index import ELSEWHERE, Intents, Knowledge, Ranking, build
from knowledge.kernels import letters, stems, written_and_heard
from knowledge.meaning import Meanings
from knowledge.normal import chinese, normal, units, words
from knowledge.review import given
from knowledge.senses import sounds
from knowledge.space import UNSPACED
from knowledge.trials import Ask

ALIKE = 0.05  # likeness beyond what is typical, from which on questions are about the same; see benchmarks/gaps.py
TAKEN_FOR = 0.2  # how much of likeness is being taken for the same answers
ACROSS = 0.6  # and how much that counts between two languages, where it is all there is
FAINT = 0.2  # a text that fits all labels together less than this is hardly taken for any
TYPICAL = 0.2  # who is more like all others than this is so not by chance: all are about one thing
USUAL, OFTEN = 0.06, 30  # what is said in a larger share of the questions, and so often, tells nothing of a topic
MEANT = 0.5  # weight of what English words mean, beside how they are written
SMALLEST = 3  # chats that make a gap
SHOWN = 8  # examples of a gap in its patch, per language
MOST = 4000  # questions that are compared, the newest

Matrix: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that was not answered well, in the customer's words."""

    text: str
    chat: str  # a person who asks ten times counts once
    reason: str  # unanswered, rephrased, low-rated, handed-over
    reply: str = ""  # what a human answered in public
    given: str = ""  # the entry that was given and did not help


@dataclass(frozen=True, slots=True)
class Gap:
    """A topic that is missing."""

    languages: tuple[str, ...]
    size: int  # chats
    reasons: dict[str, int]
    examples: tuple[str, ...]  # the most typical first
    nearest: str  # the entry it is taken for
    patch: str  # YAML, ready to be edited
    gain: float  # share of its other questions the patch would answer
    fresh: int  # so many they are
    collisions: tuple[str, ...]  # examples of other entries it would take away

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        said = "\n".join(f"    {text}" for text in self.examples)
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(self.reasons.items()))
        near = f"; nearest is '{self.nearest}'" if self.nearest else ""
        won = f"the block would answer {self.gain:.0%} of its {self.fresh} other questions" if self.fresh else ""
        lost = "take no question of others" if not self.collisions else f"take from others: {_listed(self.collisions)}"
        return f"{self.size} chats ({reasons}){near}\n{said}\n    → {', '.join(filter(None, (won, lost)))}"


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(f"“{text}”" for text in texts[:3]) + more


@dataclass(frozen=True, slots=True)
class _Failed:
    """A question that was not answered well, as it is compared, and how sure the best answer would be."""

    asked: Asked
    language: str
    plain: str
    sure: float


@dataclass(frozen=True, slots=True)
class Topic:
    """Questions that belong together and are not answered well, by language, the most typical first."""

    questions: dict[str, tuple[Asked, ...]]
    weight: float  # how large, how much alike, and how far from what is known

    @property
    def asked(self) -> tuple[Asked, ...]:
        """All of them."""
        return tuple(question for said in self.questions.values() for question in said)

    @property
    def size(self) -> int:
        """Chats."""
        return len({question.chat for question in self.asked})


def gaps(
    knowledge: Knowledge,
    asked: Iterable[Asked],
    intents: Intents | None = None,
    *,
    ask: Ask | None = None,
    most: int = 10,
) -> list[Gap]:
    """The largest topics that ``knowledge`` does not answer, from what customers asked.

    ``ask`` decides as a chat would; None: the knowledge alone does.
    """
    return [_described(knowledge, topic, intents) for topic in topics(knowledge, asked, ask)[:most]]


def topics(knowledge: Knowledge, asked: Iterable[Asked], ask: Ask | None = None) -> list[Topic]:
    """What is missing, the weightiest first."""
    failed: list[_Failed] = []
    said: dict[str, list[str]] = {}
    for one in asked:
        language, plain = "zh" if chinese(one.text) >= 0.5 else "en", knowledge.wording(one.text)
        said.setdefault(language, []).append(plain)
        ranking = (ask or knowledge.ask)(one.text, language)
        if one.text.strip() and (ranking.outcome in ("unknown", "choose") or one.given == _best(ranking) != ""):
            sure = ranking.candidates[0].confidence if ranking.candidates else 0.0
            failed.append(_Failed(one, language, plain, sure))
    if not failed:
        return []
    rows = sorted(failed[-MOST:], key=lambda one: one.language)
    texts = {language: [one.plain for one in rows if one.language == language] for language in said}
    alike = likeness(knowledge, {language: texts[language] for language in sorted(said) if texts[language]}, said)
    found = [_topic([rows[i] for i in members], cohesion) for members, cohesion in clusters(alike)]
    return sorted((one for one in found if one.size >= SMALLEST), key=lambda topic: -topic.weight)


def _topic(rows: Sequence[_Failed], cohesion: float) -> Topic:
    questions: dict[str, tuple[Asked, ...]] = {}
    for one in rows:
        questions[one.language] = (*questions.get(one.language, ()), one.asked)
    unknown = 1 - float(np.mean([one.sure for one in rows]))
    return Topic(questions, len({one.asked.chat for one in rows}) * cohesion * unknown)


def _best(ranking: Ranking) -> str:
    return ranking.candidates[0].entry if ranking.candidates else ""


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


def _described(knowledge: Knowledge, topic: Topic, intents: Intents | None) -> Gap:
    texts = {language: list(dict.fromkeys(q.text.strip() for q in said)) for language, said in topic.questions.items()}
    tops = Counter(_best(knowledge.ask(text)) for said in texts.values() for text in said)
    replies = {lang: next((q.reply for q in said if q.reply), "") for lang, said in topic.questions.items()}
    entry = _draft(knowledge, texts, replies)
    patched = build(replace(knowledge.faq, entries=(*knowledge.faq.entries, entry)), intents, mode=knowledge.mode)
    fresh = [patched.ask(text) for said in texts.values() for text in said[SHOWN:]]
    won = sum(r.outcome == "answer" and _best(r) == entry.id for r in fresh)
    taken = [
        out.example.text
        for space in patched.spaces.values()
        for out in space.left_out()
        if out.astray and out.label == entry.id and given(out, space, patched)
    ]
    return Gap(
        languages=tuple(texts),
        size=topic.size,
        reasons=dict(Counter(question.reason for question in topic.asked)),
        examples=tuple(text for said in texts.values() for text in said[:SHOWN]),
        nearest=tops.most_common(1)[0][0],
        patch=as_block([entry]),
        gain=won / len(fresh) if fresh else 0.0,
        fresh=len(fresh),
        collisions=tuple(taken),
    )


def _draft(knowledge: Knowledge, texts: Mapping[str, Sequence[str]], replies: Mapping[str, str]) -> Entry:
    """An entry with the most typical questions; what people answered, or else what to write."""
    questions = {language: tuple(said[:SHOWN]) for language, said in texts.items()}
    answer = {language: replies[language] or TO_WRITE.get(language, TO_WRITE["en"]) for language in texts}
    names = (slug(" ".join(sounds(units(normal(said[0]))))) for said in texts.values())
    name = "-".join(next(filter(None, names), "").split("-")[:6]) or "new-entry"
    free = next(n for n in (name, *(f"{name}-{i}" for i in range(2, 99))) if not knowledge.entry(n))
    return Entry(id=free, topic="new", questions=questions, answer=answer)
