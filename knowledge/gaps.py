"""What customers asked and did not get: gathered by likeness, the largest first, each with a patch to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge.exchange import as_block, slug
from knowledge.faq import TO_WRITE, Entry
from knowledge.grams import Grams
from knowledge.index import Intents, Knowledge, Ranking, build
from knowledge.kernels import letters, stems, written_and_heard
from knowledge.meaning import Meanings
from knowledge.normal import chinese, normal, units, words
from knowledge.review import given
from knowledge.senses import sounds
from knowledge.space import UNSPACED
from knowledge.trials import Ask

ALIKE = 0.11  # likeness from which on questions are about the same; measured by benchmarks/gaps.py
TAKEN_FOR = 0.2  # how much of likeness is being taken for the same answers
FAINT = 0.2  # a text that fits all labels together less than this is hardly taken for any
SAME = 0.75  # two topics taken for the same answers to this degree are one, in whatever language they are
USUAL, OFTEN = 0.06, 30  # what is said in a larger share of the questions, and so often, tells nothing of a topic
MEANT = 0.5  # weight of what English words mean, beside how they are written
SMALLEST = 3  # chats that make a gap
SHOWN = 8  # examples of a gap in its patch, per language
MOST = 4000  # questions per language that are compared, the newest

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
class Topic:
    """Questions that belong together and are not answered well, by language, the most typical first."""

    questions: dict[str, tuple[Asked, ...]]
    weight: float  # how large, how much alike, and how far from what is known
    taken_for: Matrix  # how much more than other questions they fit each known label

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
    failed: dict[str, list[tuple[Asked, float]]] = {}
    said: dict[str, list[str]] = {}
    for one in asked:
        language = "zh" if chinese(one.text) >= 0.5 else "en"
        said.setdefault(language, []).append(knowledge.wording(one.text))
        ranking = (ask or knowledge.ask)(one.text, language)
        if one.text.strip() and (ranking.outcome in ("unknown", "choose") or one.given == _best(ranking) != ""):
            sure = ranking.candidates[0].confidence if ranking.candidates else 0.0
            failed.setdefault(language, []).append((one, sure))
    found = [
        topic
        for language, rows in failed.items()
        for topic in _of_one(knowledge, language, rows[-MOST:], said[language])
    ]
    return sorted(_joined(found), key=lambda topic: -topic.weight)


def _best(ranking: Ranking) -> str:
    return ranking.candidates[0].entry if ranking.candidates else ""


def _of_one(
    knowledge: Knowledge, language: str, rows: Sequence[tuple[Asked, float]], said: Sequence[str]
) -> Iterator[Topic]:
    """The topics of one language; ``said`` is all that was asked in it, answered or not."""
    plain = [knowledge.wording(question.text) for question, _ in rows]
    fits = _fits(knowledge, plain, language)
    usual = fits.mean(0)
    for members, cohesion in clusters(plain, fits, language, said):
        if len({rows[i][0].chat for i in members}) < SMALLEST:
            continue
        known = float(np.mean([rows[i][1] for i in members]))
        questions = tuple(rows[i][0] for i in members)
        weight = len({question.chat for question in questions}) * cohesion * (1 - known) ** 2
        yield Topic({language: questions}, weight, (fits[members].mean(0) - usual).clip(0))


def _fits(knowledge: Knowledge, plain: Sequence[str], language: str) -> Matrix:
    """How much better than most labels of the FAQ each fits each text; the columns are the same in all languages."""
    names = sorted({label for space in knowledge.spaces.values() for label in space.labels})
    scores = np.zeros((len(plain), len(names)))
    if space := knowledge.spaces.get(language):
        column = {name: at for at, name in enumerate(names)}
        columns = [column[label] for label in space.labels]
        for row, text in enumerate(plain):
            fit = space.fit(text).scores
            scores[row, columns] = (fit - np.median(fit)).clip(0)
    return scores


def _joined(found: Sequence[Topic]) -> list[Topic]:
    """Topics that are taken for the same answers become one: they are the same in other words, or another language."""
    whole: list[Topic] = []
    for topic in sorted(found, key=lambda topic: -topic.weight):
        likeness = [_cosine(topic.taken_for, other.taken_for) for other in whole]
        at = int(np.argmax(likeness)) if likeness else -1
        if at < 0 or likeness[at] < SAME:
            whole.append(topic)
            continue
        both = dict(whole[at].questions)
        for language, questions in topic.questions.items():
            both[language] = (*both.get(language, ()), *questions)
        whole[at] = replace(whole[at], questions=both, weight=whole[at].weight + topic.weight)
    return whole


def _cosine(one: Matrix, other: Matrix) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other) or 1.0))


def clusters(plain: Sequence[str], fits: Matrix, language: str, said: Sequence[str]) -> list[tuple[list[int], float]]:
    """Rows that belong together, the most typical first, and how alike they are."""
    alike, length = _alike(plain, language, said), np.linalg.norm(fits, axis=1, keepdims=True)
    place, near = fits / (length + 1e-9), np.minimum(length / FAINT, 1)
    alike += TAKEN_FOR * (near @ near.T) * (place @ place.T - alike)
    found = []
    for members in _linked(alike):
        mean = alike[np.ix_(members, members)].mean(1)
        found.append(([members[i] for i in np.argsort(-mean, kind="stable")], float(mean.mean())))
    return found


def _alike(plain: Sequence[str], language: str, said: Sequence[str]) -> Matrix:
    """How alike the texts are in what not everybody says: "please", "urgent" and "router" do not make a topic."""
    seen = Counter(gram for text in said for gram in set(_grams(text, language)))
    usual = max(USUAL * len(said), OFTEN)
    rows = np.arange(len(plain))
    written = Grams([[gram for gram in _grams(text, language) if seen[gram] <= usual] for text in plain])
    alike = np.concatenate(list(written.among(rows)))
    if language in UNSPACED:
        return alike
    named = Counter(word for text in said for word in set(words(text)))
    meant = Meanings([[word for word in words(text) if named[word] <= usual] for text in plain])
    return np.asarray((alike + MEANT * np.concatenate(list(meant.among(rows))).clip(0)) / (1 + MEANT), float)


def _grams(text: str, language: str) -> list[str]:
    if language in UNSPACED:
        written, heard = written_and_heard(units(text))
        return [*written, *(f"~{sound}" for sound in heard)]
    return [*letters(words(text)), *stems(words(text))]


def _linked(alike: Matrix) -> list[list[int]]:
    """Average linkage, down to ALIKE: along chains of nearest neighbours."""
    near, size = alike.copy(), np.ones(len(alike))
    np.fill_diagonal(near, -1)
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
    near[other], near[:, other] = -1, -1
    near[one, one] = -1
    size[one] += size[other]


def _described(knowledge: Knowledge, topic: Topic, intents: Intents | None) -> Gap:
    group = topic.asked
    texts = {language: list(dict.fromkeys(q.text.strip() for q in said)) for language, said in topic.questions.items()}
    tops = Counter(_best(knowledge.ask(text)) for said in texts.values() for text in said)
    entry = _draft(
        knowledge, texts, {lang: next((q.reply for q in said if q.reply), "") for lang, said in topic.questions.items()}
    )
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
        reasons=dict(Counter(question.reason for question in group)),
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
    name = next(
        (name for said in texts.values() for name in [slug(" ".join(sounds(units(normal(said[0])))))] if name), ""
    )
    name = "-".join(name.split("-")[:6]) or "new-entry"
    free = next(n for n in (name, *(f"{name}-{i}" for i in range(2, 99))) if not knowledge.entry(n))
    return Entry(id=free, topic="new", questions=questions, answer=answer)
