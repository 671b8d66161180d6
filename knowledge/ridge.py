"""Kernel ridge regression in closed form, with what it would have said of each example had it not known it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float64]
Single: TypeAlias = NDArray[np.float32]  # half the precision, half the room and twice as fast
Rows: TypeAlias = NDArray[np.intp]
DIRECT = 128  # rows that are factored directly
FIRMER = 1e-3  # of the mean of a diagonal: what it grows by first
BLOCK = 512  # rows that are worked on at a time
DIGITS = 5  # of a score that count: two answers with the same questions are a tie, whatever rounding says
JITTER = 1e-6  # of the landmarks' trace: keeps their system solvable when two of them are the same text


@dataclass(frozen=True)
class Lesson:
    """What is to be learnt: the label of every text, and which texts are questions people ask."""

    labels: Rows
    asked: NDArray[np.bool_]
    count: int  # of labels

    @property
    def targets(self) -> Matrix:
        """A row per text: 1 for its own label."""
        return np.eye(self.count)[self.labels]


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


def fit(kernel: Single, landmarks: Rows, lesson: Lesson, ridge: float, told: Matrix) -> tuple[Matrix, HeldOut]:
    """Weights (landmarks x labels) and held-out scores, from the kernel of all texts with the landmarks, used up here.

    ``told`` (texts x labels) is what the scores gain by what a text tells, left out as well.
    """
    solve = _exact if len(landmarks) == len(kernel) else _spanned
    return solve(kernel, landmarks, lesson, ridge, told)


def _exact(kernel: Single, _: Rows, lesson: Lesson, ridge: float, told: Matrix) -> tuple[Matrix, HeldOut]:
    """Every text speaks for itself. Nothing is fitted again: without one row the model says y - d / diagonal of it,
    without a group y_G - inverse(block_GG) d_G. The weights are put right once, in full: a thousand times as good.
    """
    targets = lesson.targets
    kernel[np.diag_indices(len(kernel))] += ridge
    half = firmly(kernel)

    def solved(x: Matrix) -> Single:
        return np.asarray(half.T @ below(half, x.astype(np.float32)))

    weights = solved(targets).astype(float)
    missed = targets.copy()
    for at in range(0, len(kernel), BLOCK):
        missed[at : at + BLOCK] -= kernel[at : at + BLOCK].astype(float) @ weights
    weights += solved(missed)
    alone = targets - weights / np.einsum("ij,ij->j", half, half)[:, None]

    def without(group: Rows) -> Matrix:
        own = half[group[0] :, group]
        return np.asarray(targets[group] - np.linalg.solve((own.T @ own).astype(float), weights[group]), float)

    return weights, _held_out(alone, without, lesson, told)


def _spanned(kernel: Single, landmarks: Rows, lesson: Lesson, ridge: float, told: Matrix) -> tuple[Matrix, HeldOut]:
    """The best model that the landmarks can carry (Nystrom), in places where it is a plain ridge regression.

    What is left out must not stay as a landmark either, or it would still know itself: that is a direction of these
    places that nothing may have a part in.
    """
    targets = lesson.targets
    among = kernel[landmarks]
    among[np.diag_indices(len(among))] += JITTER * np.trace(among)
    base = firmly(among)
    _times(kernel, base)
    half = firmly(kernel.T @ kernel + ridge * np.eye(len(base), dtype=np.float32))
    _times(kernel, half)
    places, base = kernel, below(half, base)  # the model is places @ places.T, and kernel @ base.T are the places
    learnt = places.T @ targets.astype(np.float32)
    speaks = np.full(len(places), -1)
    speaks[landmarks] = np.arange(len(landmarks))

    def said(own: Single) -> Matrix:
        return np.asarray(own @ learnt, float)

    alone = np.empty_like(targets)
    for at in range(0, len(places), BLOCK):
        rows = slice(at, at + BLOCK)
        own, spoken = places[rows].copy(), speaks[rows] >= 0
        towards = base[:, speaks[rows][spoken]].T
        towards = towards / np.linalg.norm(towards, axis=1, keepdims=True)
        own[spoken] -= np.einsum("ij,ij->i", own[spoken], towards)[:, None] * towards
        alone[rows] = targets[rows] - (targets[rows] - said(own)) / (1 - np.einsum("ij,ij->i", own, own))[:, None]

    def without(group: Rows) -> Matrix:
        own, gone = places[group], speaks[group][speaks[group] >= 0]
        if len(gone):
            towards = np.linalg.qr(base[:, gone])[0]
            own = own - (own @ towards) @ towards.T
        system = np.eye(len(group)) - own @ own.T
        return np.asarray(targets[group] - np.linalg.solve(system, targets[group] - said(own)), float)

    return np.asarray(base.T @ learnt, float), _held_out(alone, without, lesson, told)


def _times(kernel: Single, half: Single) -> None:
    """``kernel @ half.T``, in its place."""
    for at in range(0, len(kernel), BLOCK):
        kernel[at : at + BLOCK] = below(half, kernel[at : at + BLOCK].T).T


def _held_out(alone: Matrix, without: Callable[[Rows], Matrix], lesson: Lesson, told: Matrix) -> HeldOut:
    """From what is said of each text without it, and of a group of them without the group."""
    labels, asked, every = lesson.labels, lesson.asked, np.arange(len(alone))
    own = alone[every, labels]
    alone += told
    np.round(alone, DIGITS, out=alone)
    best = alone.argmax(1)
    score = alone[every, best]
    alone[every, best] = -np.inf
    foreign = []
    order = np.argsort(labels, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        scores = without(group) + told[group]
        scores[:, labels[group]] = -np.inf if lesson.count > 1 else 0
        foreign.append(scores.max(1)[asked[group]])
    right, known = best == labels, asked & (np.bincount(labels[asked], minlength=lesson.count)[labels] > 1)
    return HeldOut(score[right & known], score[~right & known], np.concatenate(foreign), best, score, own, alone.max(1))


def firmly(a: Single) -> Single:
    """``factor(a)``. Not every way to compare makes a kernel in the strict sense, the order of characters does not:
    where there is none, the diagonal of ``a`` grows until there is.
    """
    more = FIRMER * float(np.trace(a)) / len(a)
    while True:
        try:
            return factor(a.copy())
        except np.linalg.LinAlgError:
            a[np.diag_indices(len(a))] += more
            more *= 10


def factor(a: Single) -> Single:
    """The lower triangle whose ``half.T @ half`` is the inverse of a symmetric positive definite matrix, used up here.

    By halves: nearly all of it is matrix products.
    """
    n, h = len(a), len(a) // 2
    if n <= DIRECT:
        a[:] = np.tril(np.linalg.inv(np.linalg.cholesky(a)))
        return a
    top = factor(a[:h, :h])
    across = below(top, a[:h, h:]).T
    a[h:, h:] -= across @ across.T
    rest = factor(a[h:, h:])
    across = below(rest, across)
    a[:h, h:] = 0
    left = a[h:, :h]
    for at in range(0, h, BLOCK):
        left[:, at : at + BLOCK] = -across[:, at:] @ top[at:, at : at + BLOCK]
    return a


def below(half: Single, x: Single) -> Single:
    """``half @ x``, where ``half`` is a lower triangle."""
    out = np.empty((len(half), x.shape[1]), half.dtype)
    for at in range(0, len(half), BLOCK):
        np.matmul(half[at : at + BLOCK, : at + BLOCK], x[: at + BLOCK], out=out[at : at + BLOCK])
    return out
