"""Kernel ridge regression in closed form, with what it would have said of each example had it not known it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]
Floating = TypeVar("Floating", NDArray[np.float64], NDArray[np.float32])
DIRECT = 128  # rows that are inverted directly
BLOCK = 512  # rows of held-out scores made at a time
DIGITS = 5  # of a score that count: two answers with the same questions are a tie, whatever rounding says
REFINED = 2  # times that the weights are put right: what is wrong with them shrinks a thousandfold each time
JITTER = 1e-8  # keeps the landmarks' system solvable when two of them are the same text


@dataclass(frozen=True)
class Lesson:
    """What is to be learnt: the label of every text, and which texts are questions people ask."""

    labels: Rows
    asked: NDArray[np.bool_]
    count: int  # of labels


@dataclass(frozen=True)
class HeldOut:
    """What the model says of questions it was not allowed to know."""

    right: Matrix  # best score where the best label was the question's own, that question left out
    wrong: Matrix  # best score where it was another's; an entry's only question cannot be known without it
    foreign: Matrix  # best score with the question's whole entry left out: a question without an answer
    best: Rows  # the best label of each text left out
    score: Matrix  # and its score
    own: Matrix  # the score of its own label, whatever the text tells
    second: Matrix  # the score of the label after the best


def fit(kernel: Matrix, landmarks: Rows, lesson: Lesson, ridge: float, told: Matrix) -> tuple[Matrix, HeldOut]:
    """Weights (landmarks x labels) and held-out scores, from the kernel of all texts with the landmarks, used up here.

    ``told`` (texts x labels) is what the scores gain by what a text tells, left out as well.

    With every text a landmark this is exact: inverted in half the precision and twice as fast, the weights then put
    right in full, the held-out scores good to four digits. With fewer, the model is the best one the landmarks can
    carry (Nystrom); the inverse of the whole system, ``(1 - B P B') / ridge``, is then never written down.
    """
    n = len(kernel)
    targets = np.zeros((n, lesson.count))
    targets[np.arange(n), lesson.labels] = 1
    if len(landmarks) == n:
        kernel[np.diag_indices(n)] += ridge
        solved = inverse(kernel.astype(np.float32))
        weights = np.asarray(solved @ targets.astype(np.float32), float)
        for _ in range(REFINED):
            weights += solved @ (targets - kernel @ weights).astype(np.float32)
        diagonal = np.diag(solved).astype(float)
        return weights, _held_out(
            diagonal, lambda g: solved[np.ix_(g, g)].astype(float), weights, targets, lesson, told
        )
    system = kernel.T @ kernel + ridge * kernel[landmarks]
    system[np.diag_indices(len(system))] += JITTER * np.trace(system)
    system = np.asarray(np.linalg.inv(system), float)  # by halves it fails if landmarks say nearly the same
    weights = system @ (kernel.T @ targets)
    across = kernel @ system
    diagonal = (1 - np.einsum("ij,ij->i", across, kernel)) / ridge

    def block(group: Rows) -> Matrix:
        return (np.eye(len(group)) - across[group] @ kernel[group].T) / ridge

    return weights, _held_out(diagonal, block, (targets - kernel @ weights) / ridge, targets, lesson, told)


def _held_out(
    diagonal: Matrix, block: Callable[[Rows], Matrix], duals: Matrix, targets: Matrix, lesson: Lesson, told: Matrix
) -> HeldOut:
    """One row out: y - d / diagonal. A whole group out: y_G - inverse(block_GG) d_G. Nothing is fitted again."""
    n, labels, asked = len(targets), lesson.labels, lesson.asked
    best, score, own, second = np.empty(n, np.intp), np.empty(n), np.empty(n), np.empty(n)
    for at in range(0, n, BLOCK):
        rows = slice(at, at + BLOCK)
        alone = targets[rows] - duals[rows] / diagonal[rows, None]
        own[rows] = alone[np.arange(len(alone)), labels[rows]]
        alone = np.round(alone + told[rows], DIGITS)
        best[rows], score[rows] = alone.argmax(1), alone.max(1)
        alone[np.arange(len(alone)), best[rows]] = -np.inf
        second[rows] = alone.max(1)
    foreign = []
    order = np.argsort(labels, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        without = targets[group] - np.linalg.solve(block(group), duals[group])
        without = without + told[group]
        without[:, labels[group]] = -np.inf if lesson.count > 1 else 0
        foreign.append(without.max(1)[asked[group]])
    right, known = best == labels, asked & (np.bincount(labels[asked], minlength=lesson.count)[labels] > 1)
    return HeldOut(score[right & known], score[~right & known], np.concatenate(foreign), best, score, own, second)


def inverse(a: Floating) -> Floating:
    """The inverse of a symmetric positive definite matrix by halves: nearly all of it is matrix products."""
    n = len(a)
    if n <= DIRECT:
        return np.asarray(np.linalg.inv(a), a.dtype)
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
