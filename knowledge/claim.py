"""How rarely it answers wrongly, said only as far as the numbers carry it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from knowledge.trials import Ask

SURE = 0.95  # confidence of the bound


@dataclass(frozen=True, slots=True)
class Claim:
    """What may be said about a threshold, from questions that were not used to choose it."""

    threshold: float  # answer from this confidence on; 1.1 = none of the chosen half was good enough
    holds: bool  # is the upper bound within what was asked for?
    bound: float  # with 95 % confidence at most this share of the answers is wrong
    wrong: int
    answered: int
    asked: int
    foreign: float  # share of the questions that have no answer
    max_wrong: float

    @property
    def coverage(self) -> float:
        """Share of all questions that are answered."""
        return self.answered / (self.asked or 1)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self) | {"coverage": round(self.coverage, 4)}

    def __str__(self) -> str:
        base = (
            f"n = {self.asked} questions that were not used to choose the threshold, {self.foreign:.0%} without an "
            f"answer: {self.answered} answered ({self.coverage:.0%}), {self.wrong} of them wrong"
        )
        if self.holds:
            return (
                f"From a confidence of {self.threshold:.2f} on, at most {self.bound:.1%} of the answers are wrong "
                f"(95 % confidence).\n{base}."
            )
        return (
            f"“At most {self.max_wrong:.1%} wrong” cannot be claimed: the bound is {self.bound:.1%}.\n{base}; "
            f"with none wrong it takes {needed(self.max_wrong)} answered ones."
        )


def claim(ask: Ask, labelled: Iterable[tuple[str, str, str]], max_wrong: float) -> Claim:
    """Choose a threshold on one half of (label, text, language) rows, state what it does on the other.

    A label is an entry's id, or "" or "unknown" for a question without an answer. Halves go by the text's hash.
    """
    halves: tuple[list[tuple[float, bool]], list[tuple[float, bool]]] = ([], [])
    foreign = 0
    for label, text, language in labelled:
        side = hashlib.sha256(text.encode("utf-8", "replace")).digest()[0] % 2
        found = ask(text, language).candidates
        outside = label in ("", "unknown")
        halves[side].append((found[0].confidence, not outside and found[0].entry == label) if found else (0.0, False))
        foreign += outside and side
    threshold = choose(halves[0], max_wrong)
    answered = [right for sure, right in halves[1] if sure >= threshold]
    wrong, bound = answered.count(False), upper_bound(answered.count(False), len(answered))
    share = foreign / (len(halves[1]) or 1)
    return Claim(threshold, bound <= max_wrong, bound, wrong, len(answered), len(halves[1]), share, max_wrong)


def choose(decided: Iterable[tuple[float, bool]], max_wrong: float) -> float:
    """The lowest confidence from which on the share of wrong answers stays within half of what is allowed."""
    best, wrong = 1.1, 0
    for n, (sure, right) in enumerate(sorted(decided, reverse=True), 1):
        wrong += not right
        if wrong / n <= max_wrong / 2:
            best = sure
    return best


def upper_bound(wrong: int, n: int) -> float:
    """Clopper-Pearson: the share of wrong ones at which seeing so few would be a 5 % chance."""
    if wrong >= n:
        return 1.0
    low, high = wrong / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(wrong, n, middle) > 1 - SURE else (low, middle)
    return high


def needed(max_wrong: float) -> int:
    """How many answered questions, none of them wrong, carry the claim."""
    return math.ceil(math.log(1 - SURE) / math.log(1 - max_wrong)) if 0 < max_wrong < 1 else 0


def _at_most(wrong: int, n: int, share: float) -> float:
    """The chance of so few wrong ones among n."""
    if share >= 1:
        return 0.0
    ways = (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(wrong + 1))
    logs = (w + k * math.log(share) + (n - k) * math.log1p(-share) for k, w in enumerate(ways))
    return math.fsum(map(math.exp, logs))
