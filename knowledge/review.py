"""Looks an FAQ over as a careful colleague would: what collides, what is out of date, what cannot be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from bot.strictyaml import Problem
from knowledge.doubts import doubts
from knowledge.examples import ELSEWHERE, INTENT
from knowledge.index import TIE, Knowledge, named
from knowledge.ridge import DIGITS
from knowledge.space import LeftOut, Role, Space

MANY = 10  # entries from which on an answer can be called strange
STRANGE = (
    0.028  # measured on 94 entries: swapped answers score 0.027 at most for their entry, right ones 0.031 at least
)
SAME = 1.5 * 10**-DIGITS  # two scores that are no further apart are one
PAIRS = 15  # pairs of answers that are told unless all are wanted
EXAMPLES = 3  # questions of a pair that are told


@dataclass(frozen=True)
class Review:
    """What to look at, the gravest of ``pairs`` first, and what to expect."""

    problems: tuple[Problem, ...]
    pairs: tuple[Problem, ...]  # two answers that take each other's questions
    rate: str

    def brief(self, most: int = PAIRS) -> str:
        """To be read in a minute."""
        left = len(self.pairs) - most
        more = [f"… and {left} more pairs of answers, with fewer such questions; --all tells them"] if left > 0 else []
        return "\n".join([*map(str, (*self.problems, *self.pairs[:most])), *more, self.rate])

    def __str__(self) -> str:
        return self.brief(len(self.pairs))


def review(knowledge: Knowledge, languages: Iterable[str] = (), today: date | None = None) -> Review:
    """All doubts about an FAQ that can be read; they stop nothing."""
    found = doubts(knowledge.faq, tuple(languages), today)
    for space in knowledge.spaces.values():
        for label, what in [*_twice(space), *_strange_answers(space), *_unreachable(space)]:
            if at := knowledge.entry(label):
                found.append(Problem(at.file, at.line, f"{label}: {what}"))
    return Review(tuple(sorted(found)), tuple(_pairs(knowledge)), expectation(knowledge))


def given(out: LeftOut, space: Space, knowledge: Knowledge) -> bool:
    """Would it be answered at once, rather than with a choice or not at all?"""
    answer, _ = space.calibration.threshold(knowledge.mode)
    ahead = out.sure - out.second
    tie = ahead < space.calibration.margin(knowledge.mode, out.sure) or (out.second >= answer and ahead < TIE)
    return out.sure >= answer and not tie


def _twice(space: Space) -> Iterator[tuple[str, str]]:
    """The same question in two places, however it is written."""
    first: dict[str, str] = {}
    for example in space.examples:
        if example.role is not Role.QUESTION:
            continue
        other = first.setdefault(example.normal, example.label)
        if other != example.label:
            yield example.label, f"question “{example.text}” also stands in '{other}'"
    for example in space.examples:
        if example.role is Role.AGAINST and first.get(example.normal) == example.label:
            yield example.label, f"“{example.text}” is a question of this entry and under 'not' at once"


def _pairs(knowledge: Knowledge) -> Iterator[Problem]:
    """Two answers (or an answer and a wish) that would get each other's questions, did they not stand where they do."""
    taken: dict[tuple[str, str], list[LeftOut]] = {}
    for space in knowledge.spaces.values():
        for out in space.left_out():
            if out.astray and given(out, space, knowledge):
                taken.setdefault((min(out.example.label, out.label), max(out.example.label, out.label)), []).append(out)
    for pair in sorted(taken, key=lambda pair: (-len(taken[pair]), -max(o.sure for o in taken[pair]), pair)):
        outs = sorted(taken[pair], key=lambda out: -out.sure)
        own = next((o.example.label for o in outs if not o.example.label.startswith(INTENT)), outs[0].label)
        if at := knowledge.entry(own):
            yield Problem(at.file, at.line, _told(own, pair[own == pair[0]], outs))


def _told(own: str, other: str, outs: list[LeftOut]) -> str:
    """One line on two that collide: how often, and by which questions above all."""
    lost = sum(o.example.label == own for o in outs)
    won = len(outs) - lost
    name = named(other)
    said = ", ".join(f"“{o.example.text}”" for o in outs[:EXAMPLES])
    if not lost:
        return f"{own}: would answer {_questions(won)} of {name}: {said}"
    return f"{own}: {_questions(lost)} would be answered by {name}{f', and {won} the other way' * (won > 0)}: {said}"


def _questions(count: int) -> str:
    return f"{count} question{'s' * (count > 1)}"


def _strange_answers(space: Space) -> Iterator[tuple[str, str]]:
    """Answers that have nothing in common with their questions: swapped, or pasted into the wrong entry."""
    if len(space.labels) < MANY:
        return
    for out in space.left_out(Role.ANSWER):
        if out.astray and out.own < STRANGE:
            yield out.example.label, f"the answer in '{space.language}' reads as if it belonged to '{out.label}'"


def _unreachable(space: Space) -> Iterator[tuple[str, str]]:
    """Entries that lose even their own questions."""
    reached = set()
    for example in space.examples:
        if example.role is Role.QUESTION and example.label not in reached:
            scores = space.fit(example.normal).scores
            best = int((scores > scores.max() - SAME).argmax())  # of two entries with the same questions, the first
            if space.labels[best] == example.label:
                reached.add(example.label)
    for label in space.labels:
        if label not in reached:
            yield label, f"no question in '{space.language}' leads here; others are nearer to all of its examples"


def expectation(knowledge: Knowledge) -> str:
    """What customers who ask like the examples can expect, in one line."""
    answered = right = offered = total = 0
    for space in knowledge.spaces.values():
        _, choose = space.calibration.threshold(knowledge.mode)
        for out in space.left_out():
            if out.example.label == ELSEWHERE:
                continue
            known = out.label != ELSEWHERE and choose <= out.sure
            at_once = known and given(out, space, knowledge)
            total += 1
            answered += at_once
            right += at_once and not out.astray
            offered += known and not at_once
    if not total:
        return "the FAQ is empty: every question will be unknown"
    return (
        f"of {total} example questions, each taken out in turn, {answered / total:.0%} would be answered "
        f"({right / (answered or 1):.0%} of them rightly), {offered / total:.0%} get choices, "
        f"{(total - answered - offered) / total:.0%} are unknown"
    )
