"""The examples of one language, and how well a question fits the labels they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import compress
from operator import not_

import numpy as np

from knowledge.calibration import Calibration, calibrate
from knowledge.evidence import Evidence
from knowledge.grams import Rows, Vector, blocks
from knowledge.kernels import Chinese, Encoder, English, Kernel, Parts
from knowledge.normal import words
from knowledge.ridge import DIGITS, Lesson, Single, fit
from knowledge.spelling import Speller

EXACT = 10_000  # texts up to which the model is exact: landmarks cost as much and lose three points in a hundred
LANDMARKS = 4000  # of more texts, so many speak for all
NEAR = 0.6  # who is as like an example says what it says, in however common words
REPAIRED = 0.7  # how far the repaired text is believed over the written one
UNSPACED = ("zh",)  # languages written without spaces between words


class Role(StrEnum):
    """What a text is to its label."""

    QUESTION = "question"  # is answered with it
    ANSWER = "answer"  # is the answer: its words help to find it, but nobody asks like that
    NAME = "name"  # is what its author calls it, and helps as well
    AGAINST = "against"  # must not be answered with it


@dataclass(frozen=True, slots=True)
class Example:
    """A text of the FAQ, as written and as compared."""

    label: str
    text: str
    normal: str
    role: Role = Role.QUESTION


@dataclass(frozen=True, slots=True)
class Fit:
    """How a question fits: a score per label of the space, and how alike it is to every example."""

    text: str  # what was compared, after repair
    scores: Vector
    alike: Vector
    parts: Parts
    told: Rows  # which of the examples' words and units it has
    near: dict[str, int] = field(default_factory=dict, compare=False)  # label → its question most alike, once found


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An example as if it were unknown."""

    example: Example
    label: str  # what it would get
    sure: float  # how sure that would be
    own: float  # score of the label it belongs to
    second: float  # how sure the next best label would be

    @property
    def astray(self) -> bool:
        """Would it go to another label?"""
        return self.label != self.example.label


class Space:
    """One language's examples, solved and calibrated. Immutable after it is made."""

    def __init__(self, language: str, examples: Sequence[Example], encoder: Encoder | None = None) -> None:
        self.language = language
        self.labels = tuple(dict.fromkeys(e.label for e in examples if e.role is Role.QUESTION))
        known = frozenset(self.labels)
        taught = [e.role is not Role.AGAINST and e.label in known for e in examples]
        examples = (*compress(examples, taught), *compress(examples, map(not_, taught)))  # what is taught first
        self.examples = examples
        self.taught = np.arange(sum(taught))
        self._alphabetical = np.array(sorted(range(len(self.labels)), key=self.labels.__getitem__), np.intp)
        self._questions = self._of(Role.QUESTION)
        self._against = self._of(Role.AGAINST)
        against = {e.text for e in examples if e.role is Role.AGAINST}
        self._answered = frozenset(e.text for e in examples if e.role is Role.QUESTION and e.text in against)
        self._speller = None if language in UNSPACED else Speller([words(e.normal) for e in examples])
        texts = [self.repaired(e.normal) for e in examples]
        self._kernel: Kernel = (Chinese if language in UNSPACED else English)(texts, encoder)
        self._solve()

    def repaired(self, text: str) -> str:
        """A normalised text with its misspelt words as the examples or a word list have them."""
        split = words(text) if self._speller else []
        better = self._speller.repair(split) if self._speller else split
        return text if better == split else " ".join(better)

    def _of(self, role: Role) -> dict[str, Rows]:
        """Label → its examples of one role."""
        found: dict[str, list[int]] = {}
        for row, example in enumerate(self.examples):
            if example.role is role:
                found.setdefault(example.label, []).append(row)
        return {label: np.array(rows) for label, rows in found.items()}

    def _solve(self) -> None:
        number = {label: i for i, label in enumerate(self.labels)}
        taught = self.examples[: len(self.taught)]
        lesson = Lesson(
            labels=np.array([number[e.label] for e in taught], np.intp),
            asked=np.array([e.role is Role.QUESTION for e in taught], bool),
            count=len(self.labels),
        )
        few = len(taught) <= EXACT
        chosen = self.taught if few else np.linspace(0, len(taught) - 1, LANDMARKS).astype(np.intp)
        self._landmarks = slice(len(taught)) if few else chosen
        owners = np.full(len(self.examples), -1)
        asked = self.taught[lesson.asked]
        owners[asked] = lesson.labels[lesson.asked]
        self._evidence = Evidence(self._kernel.written, self._kernel.tells, owners, lesson.count, asked)
        told = self._evidence.left_out(self.taught, lesson.labels)
        weights, self.held_out = fit(self._compared(chosen), chosen, lesson, self._kernel.ridge, told)
        self._weights = weights.astype(np.float32)  # what a question costs is mostly reading this
        self.calibration: Calibration = calibrate(self.held_out)

    def _compared(self, landmarks: Rows) -> Single:
        """The kernel of all texts that are taught with the landmarks; where they are the same, each pair once."""
        many = len(self.taught)
        if len(landmarks) < many:
            return np.concatenate([self._kernel.join(parts)[:, :many] for parts in self._kernel.among(landmarks)]).T
        kernel = np.empty((many, many), np.float32)
        known = self._kernel.among(self.taught, True)
        for (some, since), parts in zip(blocks(self.taught, True), known, strict=True):
            kernel[some, since:] = self._kernel.join(parts)[:, : many - since]
            kernel[since:, some] = kernel[some, since:].T
        return kernel

    def fit(self, text: str) -> Fit:
        """Compare a normalised text, as repaired and as written; an encoder reads it once, repaired."""
        repaired = self.repaired(text)
        parts = self._kernel.parts(repaired)
        alike = self._kernel.join(parts)
        if repaired != text:
            written = self._kernel.join(self._kernel.parts(text, parts.get("meaning")))
            alike = (1 - REPAIRED) * written + REPAIRED * alike
        told = self._kernel.written.columns(self._kernel.told(repaired))
        scores = alike[self._landmarks] @ self._weights + self._evidence.of(told)
        return Fit(repaired, np.round(scores.astype(float), DIGITS), alike, parts, told)

    def nearest(self, fit: Fit, label: str) -> int:
        """The row of the question of this label that is most alike."""
        if (row := fit.near.get(label)) is None:
            rows = self._questions[label]
            row = fit.near[label] = int(rows[fit.alike[rows].argmax()])
        return row

    def ranked(self, fit: Fit) -> Iterator[tuple[str, float]]:
        """Every label and its score, best first; of equals the first in the alphabet."""
        order = self._alphabetical[np.argsort(-fit.scores[self._alphabetical], kind="stable")]
        return ((self.labels[at], float(fit.scores[at])) for at in order.tolist())

    def vague(self, fit: Fit, label: str) -> bool:
        """Are the words that a question has in common with this label said of others as well, and is it like none of
        the label's own questions?
        """
        lone = self._evidence.apart(fit.told, self.labels.index(label)) < 0
        return lone and float(fit.alike[self.nearest(fit, label)]) < NEAR

    def left_out(self, role: Role = Role.QUESTION) -> Iterator[LeftOut]:
        """What would become of each question (or answer), did it not stand where it stands."""
        held_out = self.held_out
        for place, row in enumerate(self.taught.tolist()):
            if (example := self.examples[row]).role is role:
                best, own, second = (float(x[place]) for x in (held_out.score, held_out.own, held_out.second))
                sure = self.calibration.confidence
                yield LeftOut(example, self.labels[int(held_out.best[place])], sure(best), own, sure(second))

    def asked(self, against: str) -> bool:
        """Is a contrast, as it is written, also a question that has an answer? Then that answer speaks for itself."""
        return against in self._answered

    def contrast(self, fit: Fit, label: str) -> tuple[str, float]:
        """The text against this label that is most alike, and how much more so than all the label's own questions."""
        against = self._against.get(label)
        if against is None:
            return "", 0.0
        row = int(against[fit.alike[against].argmax()])
        return self.examples[row].text, float(fit.alike[row] - fit.alike[self.nearest(fit, label)])
