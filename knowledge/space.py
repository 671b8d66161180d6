"""The examples of one language, and how well a question fits the labels they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.calibration import Calibration, calibrate
from knowledge.kernels import Chinese, Embed, English, Kernel, Parts, Vector
from knowledge.normal import words
from knowledge.ridge import fit
from knowledge.spelling import Speller

LARGE = 4000  # examples from which on single precision is enough
SINGLE = ("zh",)  # languages written without spaces between words


@dataclass(frozen=True, slots=True)
class Example:
    """A question and the label it belongs to; ``against`` = it must *not* be answered with it."""

    label: str
    text: str  # as written
    normal: str
    against: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """How a question fits: a score per label of the space, and how alike it is to every example."""

    text: str  # what was compared, after repair
    scores: Vector
    alike: Vector
    parts: Parts


class Space:
    """One language's examples, solved and calibrated. Immutable after it is made."""

    def __init__(self, language: str, examples: Sequence[Example], embed: Embed | None = None) -> None:
        self.language = language
        self.examples = tuple(examples)
        self.labels = tuple(dict.fromkeys(e.label for e in examples if not e.against))
        place = {label: i for i, label in enumerate(self.labels)}
        self.rows: dict[str, list[int]] = {}  # label → its examples
        self.contrasts: dict[str, list[int]] = {}  # label → the examples against it
        for row, example in enumerate(examples):
            (self.contrasts if example.against else self.rows).setdefault(example.label, []).append(row)
        texts = [e.normal for e in examples]
        self._kernel: Kernel = (Chinese if language in SINGLE else English)(texts, embed)
        self._speller = None if language in SINGLE else Speller({w for text in texts for w in words(text)})
        self._taught = [row for row, e in enumerate(examples) if not e.against]
        self._solve([texts[row] for row in self._taught], np.array([place[examples[r].label] for r in self._taught]))

    def _solve(self, texts: list[str], owners: NDArray[np.intp]) -> None:
        n = len(texts)
        kernel = np.empty((n, n), np.float32 if n > LARGE else np.float64)
        for row, text in enumerate(texts):
            kernel[row] = self._kernel.join(self._kernel.parts(text))[self._taught]
        kernel = (kernel + kernel.T) / 2
        self._weights, self.held_out = fit(kernel, owners, len(self.labels), self._kernel.ridge)
        self.calibration: Calibration = calibrate(self.held_out)

    def fit(self, text: str) -> Fit:
        """Compare a normalised text, as written and as repaired; the scores are the mean of both."""
        parts = self._kernel.parts(text)
        alike = self._kernel.join(parts)
        if self._speller:
            split = words(text)
            repaired = self._speller.repair(split)
            if repaired != split:
                text = " ".join(repaired)
                parts = self._kernel.parts(text)
                alike = (alike + self._kernel.join(parts)) / 2
        return Fit(text, np.asarray(alike[self._taught] @ self._weights, float), alike, parts)

    def nearest(self, fit: Fit, label: str) -> int:
        """The row of the example of this label that is most alike."""
        rows = self.rows[label]
        return rows[int(fit.alike[rows].argmax())]

    def contrast(self, fit: Fit, label: str) -> str:
        """The example against this label that is more alike than all its own; "" = none."""
        against = self.contrasts.get(label)
        if not against:
            return ""
        row = against[int(fit.alike[against].argmax())]
        return self.examples[row].text if fit.alike[row] > fit.alike[self.rows[label]].max() else ""
