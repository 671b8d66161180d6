"""What customers asked and did not get: gathered by likeness, the largest first, each with a patch to try."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from knowledge.examples import Intents
from knowledge.exchange import as_block, slug
from knowledge.faq import TO_WRITE, Entry
from knowledge.index import Knowledge, Ranking, build
from knowledge.likeness import MOST, clusters, likeness
from knowledge.normal import chinese, normal, units
from knowledge.review import given
from knowledge.senses import sounds
from knowledge.trials import Ask

SMALLEST = 3  # chats that make a gap
STRANGE = 2  # power to which being unknown counts: what is nearly known is asked in strange words rather than missing
SHOWN = 8  # examples of a gap in its patch, per language


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
    for one in asked:
        language = "zh" if chinese(one.text) >= 0.5 else "en"
        ranking = (ask or knowledge.ask)(one.text, language)
        if one.text.strip() and (ranking.outcome in ("unknown", "choose") or one.given == _best(ranking) != ""):
            sure = ranking.candidates[0].confidence if ranking.candidates else 0.0
            failed.append(_Failed(one, language, knowledge.wording(one.text), sure))
    if not failed:
        return []
    rows = sorted(failed[-MOST:], key=lambda one: one.language)
    plain: dict[str, list[str]] = {}
    for row in rows:
        plain.setdefault(row.language, []).append(row.plain)
    found = [_topic([rows[i] for i in members], cohesion) for members, cohesion in clusters(likeness(knowledge, plain))]
    return sorted((topic for topic in found if topic.size >= SMALLEST), key=lambda topic: -topic.weight)


def _topic(rows: Sequence[_Failed], cohesion: float) -> Topic:
    questions: dict[str, tuple[Asked, ...]] = {}
    for one in rows:
        questions[one.language] = (*questions.get(one.language, ()), one.asked)
    unknown = 1 - float(np.mean([one.sure for one in rows]))
    size = len({one.asked.chat for one in rows})
    return Topic(questions, size * math.sqrt(size * cohesion) * unknown**STRANGE)  # few are easily much alike


def _best(ranking: Ranking) -> str:
    return ranking.candidates[0].entry if ranking.candidates else ""


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
