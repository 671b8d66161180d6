"""The closed forms say what refitting without the held-out rows would say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.calibration import POORER, Calibration, calibrate
from knowledge.ridge import BLOCK, HeldOut, Lesson, Single, factor, firmly, fit

RIDGE = 0.3
LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 3], np.intp)
ASKED = np.array([True] * 9 + [False])
NOTHING = np.zeros((10, 4))  # is told by these texts


def kernel() -> Single:
    points = np.random.default_rng(1).normal(size=(len(LABELS), 3)) + LABELS[:, None]
    return np.asarray(np.exp(-((points[:, None] - points[None]) ** 2).sum(2) / 4), np.float32)


def refitted(out: list[int], row: int, landmarks: list[int]) -> NDArray[np.float64]:
    """The scores of a row by a model that never saw the rows ``out``, neither as examples nor as landmarks."""
    k = kernel().astype(float)
    keep, basis = ([i for i in rows if i not in out] for rows in (range(len(LABELS)), landmarks))
    known = k[np.ix_(keep, basis)]
    system = known.T @ known + RIDGE * k[np.ix_(basis, basis)]
    return np.asarray(k[row, basis] @ np.linalg.solve(system, known.T @ np.eye(4)[LABELS[keep]]))


@pytest.mark.parametrize("landmarks", [list(range(10)), [0, 1, 2, 4, 6, 8]], ids=["exact", "landmarks"])
def test_held_out_scores_are_those_of_a_refitted_model(landmarks: list[int]) -> None:
    few = np.array(landmarks, np.intp)
    _, held_out = fit(kernel()[:, few], few, Lesson(LABELS, ASKED, 4), RIDGE, NOTHING)
    alone = [refitted([i], i, landmarks) for i in range(len(LABELS))]
    assert held_out.best.tolist() == [int(s.argmax()) for s in alone]
    right = [float(s.max()) for i, s in enumerate(alone) if ASKED[i] and s.argmax() == LABELS[i]]
    assert held_out.right == pytest.approx(right, abs=1e-3)
    foreign = []
    for i in np.flatnonzero(ASKED).tolist():
        scores = refitted([j for j, label in enumerate(LABELS) if label == LABELS[i]], i, landmarks)
        foreign.append(np.delete(scores, LABELS[i]).max())
    assert sorted(held_out.foreign) == pytest.approx(sorted(foreign), abs=1e-3)


def test_landmarks_lose_nothing_where_they_span_everything() -> None:
    points = np.random.default_rng(1).normal(size=(len(LABELS), 3)) + LABELS[:, None]
    flat = (points @ points.T).astype(np.float32)  # rank three: four texts can stand for all
    lesson, few = Lesson(LABELS, ASKED, 4), np.array([0, 3, 5, 8], np.intp)
    exact, held_out = fit(flat.copy(), np.arange(len(LABELS)), lesson, RIDGE, NOTHING)
    near, also = fit(flat[:, few], few, lesson, RIDGE, NOTHING)
    assert flat @ exact == pytest.approx(flat[:, few] @ near, abs=1e-4)
    assert also.right == pytest.approx(held_out.right, abs=1e-4)
    assert also.foreign == pytest.approx(held_out.foreign, abs=1e-4)


def test_landmarks_may_say_nearly_the_same() -> None:
    rng = np.random.default_rng(4)
    labels = np.arange(900) % 5
    points = rng.normal(size=(900, 3)) / 1000 + labels[:, None]
    alike = np.exp(-((points[:, None] - points[None]) ** 2).sum(2)).astype(np.float32)
    few = np.arange(0, 900, 2)
    weights, _ = fit(alike[:, few].copy(), few, Lesson(labels, np.ones(900, bool), 5), RIDGE, np.zeros((900, 5)))
    assert ((alike[:, few] @ weights).argmax(1) == labels).all()


def test_factor_of_the_inverse_by_halves() -> None:
    n = 2 * BLOCK + 77
    a = np.random.default_rng(0).normal(size=(n, n)).astype(np.float32)
    a = np.asarray(a @ a.T / n + np.eye(n), np.float32)
    half = factor(a.copy())
    assert not np.triu(half, 1).any()
    assert np.abs(half.T @ half @ a - np.eye(n)).max() < 1e-4


def test_confidence_is_the_share_of_right_answers() -> None:
    rng = np.random.default_rng(2)
    good, bad = rng.normal(0.7, 0.15, 600), rng.normal(0.35, 0.15, 200)
    made = calibrate(HeldOut(good, bad, rng.normal(0.3, 0.1, 600), np.zeros(800, np.intp), good, good, good))
    fresh = np.concatenate([rng.normal(0.7, 0.15, 6000), rng.normal(0.35, 0.15, 2000), rng.normal(0.3, 0.1, 2667)])
    true = np.arange(len(fresh)) < 6000
    sure = np.array([made.confidence(s) for s in fresh])
    for low in (0.2, 0.4, 0.6, 0.8):
        inside = (sure >= low) & (sure < low + 0.2)
        odds = np.exp(-POORER) * sure[inside] / (1 - sure[inside])  # held-out questions do so much worse than new ones
        assert true[inside].mean() == pytest.approx((odds / (1 + odds)).mean(), abs=0.1)
    assert made.lenient < made.strict
    assert np.mean(sure[:6000] >= made.lenient) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("sure", "ahead"), [(0.5, 0.1), (0.6, 0.1), (0.9, 0.9 - 6 / 7)])
def test_a_runner_up_is_judged_by_its_odds(sure: float, ahead: float) -> None:
    assert Calibration.margin("balanced", sure) == pytest.approx(ahead)
    assert Calibration.margin("lenient", sure) == 0
    assert Calibration.margin({"margin": 0.3}, sure) == 0.3


def test_nothing_to_learn_from_is_no_error() -> None:
    empty = np.empty(0)
    made = calibrate(HeldOut(empty, empty, empty, np.empty(0, np.intp), empty, empty, empty))
    assert not made.attainable
    assert 0 < made.lenient < 0.5 < made.confidence(0.9)


def test_what_is_no_kernel_in_the_strict_sense_becomes_one() -> None:
    odd = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.9], [0.1, 0.9, 1.0]], np.float32)  # b is like a and c, these not
    assert np.linalg.eigvalsh(odd)[0] < 0
    half = firmly(odd)
    assert np.linalg.eigvalsh(odd)[0] > 0
    assert half.T @ half @ odd == pytest.approx(np.eye(3), abs=1e-3)
