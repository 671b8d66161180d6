"""What customers asked and did not get: gathered by likeness, the largest first, each with a patch to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge.faq import Entry
from knowledge.index import Intents, Knowledge, build
from knowledge.kernels import Chinese, English, Kernel
from knowledge.normal import chinese
from knowledge.space import UNSPACED

ALIKE = 0.27  # kernel value from which on two questions may be about the same
SMALLEST = 3  # chats that make a gap
SHOWN = 8  # examples of a gap in its patch
MOST = 4000  # questions per language that are compared, the newest

Matrix: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that was not answered well, in the customer's words."""

    text: str
    chat: str  # a person who asks ten times counts once
    reason: str  # unanswered, rephrased, low-rated, handed-over
    reply: str = ""  # what a human answered in public


@dataclass(frozen=True, slots=True)
class Gap:
    """A topic that is missing."""

    language: str
    size: int  # chats
    reasons: dict[str, int]
    examples: tuple[str, ...]  # the most typical first
    nearest: str  # the entry it is taken for
    patch: str  # YAML, ready to be edited
    gain: float  # share of its other questions the patch would answer
    collisions: tuple[str, ...]  # examples of other entries it would take away

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        said = "\n".join(f"    {text}" for text in self.examples)
        taken = f", would take away {len(self.collisions)} examples of others" if self.collisions else ""
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(self.reasons.items()))
        head = f"{self.size} chats ({reasons}), taken for '{self.nearest}', a patch would answer {self.gain:.0%}{taken}"
        return f"{head}\n{said}"


def gaps(knowledge: Knowledge, asked: Iterable[Asked], intents: Intents | None = None, *, most: int = 10) -> list[Gap]:
    """The largest topics that ``knowledge`` does not answer, from what customers asked."""
    by_language: dict[str, list[tuple[Asked, float]]] = {}
    for one in asked:
        ranking = knowledge.ask(one.text)
        if one.text.strip() and ranking.outcome in ("unknown", "choose"):
            sure = ranking.candidates[0].confidence if ranking.candidates else 0.0
            by_language.setdefault("zh" if chinese(one.text) >= 0.5 else "en", []).append((one, sure))
    found: list[tuple[float, str, list[Asked]]] = []
    for language, questions in by_language.items():
        questions = questions[-MOST:]
        for members, cohesion in clusters(knowledge, [q.text for q, _ in questions], language):
            group = [questions[i][0] for i in members]
            chats, known = len({q.chat for q in group}), float(np.mean([questions[i][1] for i in members]))
            if chats >= SMALLEST:
                found.append((chats * cohesion**0.5 * (1 - known) ** 2, language, group))
    found.sort(key=lambda gap: -gap[0])
    return [_described(knowledge, language, group, intents) for _, language, group in found[:most]]


def clusters(knowledge: Knowledge, texts: Sequence[str], language: str) -> list[tuple[list[int], float]]:
    """Rows that belong together, the most typical first, and how alike they are, from the densest text outwards."""
    plain = [knowledge.wording(text) for text in texts]
    kernel: Kernel = (Chinese if language in UNSPACED else English)(plain)
    alike = np.stack([kernel.join(kernel.parts(text)) for text in plain])
    alike = (alike + alike.T) / 2
    free = np.ones(len(texts), bool)
    found = []
    while free.any():
        near = np.where(free[None] & (alike >= ALIKE), alike, 0.0).sum(1) * free
        members = _grown(alike, int(near.argmax()), free)
        free[members] = False
        mean = alike[np.ix_(members, members)].mean(1)
        found.append(([members[i] for i in np.argsort(-mean, kind="stable")], float(mean.mean())))
    return found


def _grown(alike: Matrix, seed: int, free: NDArray[np.bool_]) -> list[int]:
    """A seed and, one after the other, whatever is alike to most of what is already there."""
    members, total = [seed], alike[seed].copy()
    open_ = free.copy()
    open_[seed] = False
    while open_.any():
        best = int(np.where(open_, total, -1.0).argmax())
        if total[best] / len(members) < ALIKE * 0.8:
            break
        members.append(best)
        total += alike[best]
        open_[best] = False
    return members


def _described(knowledge: Knowledge, language: str, group: Sequence[Asked], intents: Intents | None) -> Gap:
    texts = list(dict.fromkeys(q.text.strip() for q in group))
    tops = [r.candidates[0].entry for r in (knowledge.ask(t) for t in texts) if r.candidates]
    entry = _draft(language, texts[:SHOWN], next((q.reply for q in group if q.reply), ""))
    patched = build(replace(knowledge.faq, entries=(*knowledge.faq.entries, entry)), intents, mode=knowledge.mode)
    fresh = [patched.ask(text) for text in texts[SHOWN:]]
    won = sum(r.outcome == "answer" and r.candidates[0].entry == entry.id for r in fresh)
    space = patched.spaces[language]
    answer, _ = space.calibration.threshold(knowledge.mode)
    taken = [o.example.text for o in space.left_out() if o.astray and o.label == entry.id and o.sure >= answer]
    return Gap(
        language=language,
        size=len({q.chat for q in group}),
        reasons=dict(Counter(q.reason for q in group)),
        examples=tuple(texts[:SHOWN]),
        nearest=Counter(tops).most_common(1)[0][0] if tops else "",
        patch=patch(entry),
        gain=won / len(fresh) if fresh else 0.0,
        collisions=tuple(taken),
    )


def _draft(language: str, questions: Sequence[str], reply: str) -> Entry:
    answer = {language: reply or "Write the answer here."}
    return Entry(id="new-entry", topic="new", questions={language: tuple(questions)}, answer=answer)


def patch(entry: Entry) -> str:
    """An entry as YAML to paste into a file of the FAQ."""
    from knowledge.exchange import as_block

    return as_block([entry])
