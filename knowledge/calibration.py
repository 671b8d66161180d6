"""From a score to an honest confidence, and from confidences to thresholds, by the FAQ alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge.ridge import HeldOut

Numbers: TypeAlias = NDArray[np.float64]

FOREIGN = 0.25  # share of questions without an answer that is assumed
PRIOR = (12.0, -4.6)  # slope and offset when there is nothing to learn from: even odds at a score of 0.38
PULL = (0.1, 1.0)  # how firmly it is held to where much is known: standard deviations of 3 and of 1; else more firmly
PRECISION = 0.9  # of "strict"
MANY = 100  # held-out examples from which on what they say is believed over the prior
LENIENT = 0.2  # from where on to offer an answer, at least, when too little is known to tell
POORER = 0.6  # what leaving an example out takes from the odds: its entry is the poorer for it. As log odds; on nine
# sets of questions (eight FAQs) the best value lay between 0.1 and 1.2
EVEN = 0.5  # "balanced" answers from here on. From 0.4 to 0.5 as many questions come out right; fewer nonsense is given
APART = 1.5  # of "strict" and "balanced": an answer is only offered if its odds are not so many times its runner-up's


@dataclass(frozen=True)
class Calibration:
    """``confidence`` = the chance that the best answer is right; thresholds per mode."""

    slope: float = PRIOR[0]
    offset: float = PRIOR[1]
    lenient: float = LENIENT  # 95 % of the questions it gets right lie above
    strict: float = 0.9
    attainable: bool = False  # does any threshold give strict's precision?

    def confidence(self, score: float) -> float:
        """Chance that an answer with this score is right."""
        return 1 / (1 + math.exp(-max(-40.0, min(40.0, self.slope * score + self.offset))))

    def threshold(self, mode: str | Mapping[str, float]) -> tuple[float, float]:
        """From which confidence on to answer, and from which on to offer choices."""
        if not isinstance(mode, str):
            answer = mode.get("answer", EVEN)
            return answer, min(answer, mode.get("choose", self.lenient))
        lenient = min(self.lenient, EVEN)
        return {"strict": max(self.strict, EVEN), "balanced": EVEN, "lenient": lenient}[mode], lenient

    @staticmethod
    def margin(mode: str | Mapping[str, float], sure: float) -> float:
        """How far the best answer, with this confidence, must be ahead of the next one to be given."""
        if not isinstance(mode, str):
            return mode.get("margin", 0.0)
        return 0.0 if mode == "lenient" else sure - sure / (sure + APART * (1 - sure))


def calibrate(held_out: HeldOut) -> Calibration:
    """Platt scaling on held-out best scores; foreign questions weigh a quarter of all."""
    known = np.concatenate([held_out.right, held_out.wrong])
    if not len(known) or not len(held_out.foreign):
        return Calibration()
    scores = np.concatenate([known, held_out.foreign]).astype(float)
    truth = np.zeros(len(scores))
    truth[: len(held_out.right)] = 1
    weights = np.full(len(scores), 1.0)
    weights[len(known) :] = FOREIGN / (1 - FOREIGN) * len(known) / len(held_out.foreign)
    slope, offset = _platt(scores, truth, weights)
    offset += POORER * min(1.0, len(known) / MANY)
    sure = _sigmoid(slope * scores + offset)
    lenient = float(np.quantile(sure[: len(held_out.right)], 0.05)) if len(held_out.right) else LENIENT
    lenient = lenient if len(held_out.right) >= MANY else max(lenient, LENIENT)
    strict = _precise(sure, truth, weights)
    return Calibration(slope, offset, min(lenient, EVEN), strict or 0.95, strict is not None)


def _sigmoid(x: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-np.clip(x, -40, 40)))


def _platt(scores: Numbers, truth: Numbers, weights: Numbers) -> tuple[float, float]:
    """Logistic regression of truth on score by Newton's method, held near the prior where examples are few."""
    x = np.stack([scores, np.ones_like(scores)], 1)
    prior = beta = np.array(PRIOR)
    pull = np.diag(PULL) * (1 + MANY / max(1.0, float(truth.sum())))  # few right ones show little
    for _ in range(50):
        p = _sigmoid(x @ beta)
        gradient = x.T @ (weights * (truth - p)) - pull @ (beta - prior)
        step = np.linalg.solve((x * (weights * p * (1 - p))[:, None]).T @ x + pull, gradient)
        beta = beta + step * min(1.0, 4 / (np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return max(float(beta[0]), 0.1), float(beta[1])


def _precise(sure: Numbers, truth: Numbers, weights: Numbers) -> float | None:
    """The lowest confidence from which on nine answers of ten are right."""
    order = np.argsort(-sure, kind="stable")
    right = np.cumsum((truth * weights)[order]) / np.cumsum(weights[order])
    good = np.flatnonzero(right >= PRECISION)
    return float(sure[order][good[-1]]) if len(good) else None
