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
        for label, what in [*_twice(space), *_collisions(space, knowledge), *_unreachable(space)]:
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
    """Questions another entry would surely answer, did it not stand where it stands."""
    answer, _ = space.calibration.threshold(knowledge.mode)
    for example, label, sure in space.left_out():
        if label != example.label and sure >= answer:
            kind = "the wish" if label.startswith(INTENT) else "entry"
            name = label.removeprefix(INTENT)
            yield example.label, f"question “{example.text}” would be answered by {kind} '{name}' ({sure:.0%} sure)"


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
        for example, label, sure in space.left_out():
            total += 1
            answered += sure >= answer
            right += sure >= answer and label == example.label
            offered += choose <= sure < answer
    if not total:
        return "the FAQ is empty: every question will be unknown"
    return (
        f"of {total} example questions, each taken out in turn, {answered / total:.0%} would be answered "
        f"({right / (answered or 1):.0%} of them rightly), {offered / total:.0%} get choices, "
        f"{(total - answered - offered) / total:.0%} are unknown"
    )
