"""Looks an FAQ over as a careful colleague would: what collides, what is out of date, what cannot be reached."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from bot.strictyaml import Problem
from knowledge.faq import Entry
from knowledge.index import INTENT, Knowledge
from knowledge.space import Role, Space

_LINK = re.compile(r"\[[^\]]*\]\(([^)]*)\)")
MANY = 10  # entries from which on an answer can be called strange
STRANGE = (
    0.028  # measured on 94 entries: swapped answers score 0.027 at most for their entry, right ones 0.031 at least
)
SCHEMES = ("http", "https", "mailto", "tel")


@dataclass(frozen=True)
class Review:
    """What to look at, and what to expect."""

    problems: tuple[Problem, ...]
    rate: str

    def __str__(self) -> str:
        return "\n".join([*map(str, self.problems), self.rate])


def review(knowledge: Knowledge, languages: Iterable[str] = (), today: date | None = None) -> Review:
    """All doubts about an FAQ that can be read; they stop nothing."""
    found = list(knowledge.faq.problems(tuple(languages), today))
    for entry in knowledge.faq.entries:
        found += [Problem(entry.file, entry.line, f"{entry.id}: {what}") for what in _links(entry)]
    for space in knowledge.spaces.values():
        for label, what in [
            *_twice(space),
            *_collisions(space, knowledge),
            *_strange_answers(space),
            *_unreachable(space),
        ]:
            if at := knowledge.entry(label):
                found.append(Problem(at.file, at.line, f"{label}: {what}"))
    return Review(tuple(sorted(found)), expectation(knowledge))


def _links(entry: Entry) -> Iterator[str]:
    targets = [link.url for link in entry.links]
    targets += [target for answer in entry.answer.values() for target in _LINK.findall(answer)]
    for target in targets:
        parts = urlsplit(target)
        web = parts.scheme in ("http", "https")
        if parts.scheme not in SCHEMES or (web and "." not in parts.netloc) or not (parts.netloc or parts.path):
            yield f"link '{target}' leads nowhere; it should begin with https://, mailto: or tel:"


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


def _collisions(space: Space, knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    """Questions another entry would surely answer, did they not stand where they stand."""
    answer, _ = space.calibration.threshold(knowledge.mode)
    for out in space.left_out():
        if out.astray and out.sure >= answer:
            kind = "the wish" if out.label.startswith(INTENT) else "entry"
            whose = f"{kind} '{out.label.removeprefix(INTENT)}' ({out.sure:.0%} sure)"
            yield out.example.label, f"question “{out.example.text}” would be answered by {whose}"


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
            if space.labels[int(scores.argmax())] == example.label:
                reached.add(example.label)
    for label in space.labels:
        if label not in reached:
            yield label, f"no question in '{space.language}' leads here; others are nearer to all of its examples"


def expectation(knowledge: Knowledge) -> str:
    """What customers who ask like the examples can expect, in one line."""
    answered = right = offered = total = 0
    for space in knowledge.spaces.values():
        answer, choose = space.calibration.threshold(knowledge.mode)
        for out in space.left_out():
            total += 1
            answered += out.sure >= answer
            right += out.sure >= answer and not out.astray
            offered += choose <= out.sure < answer
    if not total:
        return "the FAQ is empty: every question will be unknown"
    return (
        f"of {total} example questions, each taken out in turn, {answered / total:.0%} would be answered "
        f"({right / (answered or 1):.0%} of them rightly), {offered / total:.0%} get choices, "
        f"{(total - answered - offered) / total:.0%} are unknown"
    )
