"""Kernel ridge regression in closed form, with what it would have said of each example had it not known it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.floating[Any]]
BLOCK = 512  # rows that are inverted directly, and rows of held-out scores made at a time


@dataclass(frozen=True)
class HeldOut:
    """What the model says of examples it was not allowed to know."""

    right: Matrix  # best score where the best label was the example's own, one example left out
    wrong: Matrix  # best score where it was another's
    foreign: Matrix  # best score with the example's whole entry left out: a question without an answer
    best: NDArray[np.intp]  # the best label of each row left out


def inverse(a: Matrix) -> Matrix:
    """The inverse of a symmetric positive definite matrix by halves: nearly all of it is matrix products."""
    n = len(a)
    if n <= BLOCK:
        return np.linalg.inv(a)
    h = n // 2
    top = inverse(a[:h, :h])
    across = top @ a[:h, h:]
    rest = inverse(a[h:, h:] - a[h:, :h] @ across)
    out = np.empty_like(a)
    out[h:, h:] = rest
    out[:h, h:] = -across @ rest
    out[h:, :h] = out[:h, h:].T
    out[:h, :h] = top - out[:h, h:] @ across.T
    return out


def fit(
    kernel: Matrix, labels: NDArray[np.intp], asked: NDArray[np.bool_], count: int, ridge: float
) -> tuple[Matrix, HeldOut]:
    """Weights (rows x labels), and the held-out scores of the rows that are ``asked``. ``kernel`` is used up."""
    kernel[np.diag_indices(len(kernel))] += ridge
    solved = inverse(kernel)
    targets = np.zeros((len(labels), count), kernel.dtype)
    targets[np.arange(len(labels)), labels] = 1
    weights = solved @ targets
    return weights, _held_out(solved, weights, targets, labels, asked)


def _held_out(
    solved: Matrix, weights: Matrix, targets: Matrix, labels: NDArray[np.intp], asked: NDArray[np.bool_]
) -> HeldOut:
    """One example out: y - w / diag. A whole group G out: y_G - inverse(solved_GG) w_G. No refitting is needed."""
    n, diagonal = len(labels), np.diag(solved)[:, None]
    best, score = np.empty(n, np.intp), np.empty(n)
    for at in range(0, n, BLOCK):
        rows = slice(at, at + BLOCK)
        alone = targets[rows] - weights[rows] / diagonal[rows]
        best[rows] = alone.argmax(1)
        score[rows] = alone.max(1)
    foreign = []
    order = np.argsort(labels, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        without = targets[group] - np.linalg.solve(solved[np.ix_(group, group)], weights[group])
        without[:, labels[group]] = 0
        foreign.append(without.max(1)[asked[group]])
    right = best == labels
    return HeldOut(score[right & asked], score[~right & asked], np.concatenate(foreign), best)
