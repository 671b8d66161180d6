"""Nothing is claimed that the numbers do not carry."""

from __future__ import annotations

import pytest

from knowledge.claim import choose, claim, needed, upper_bound
from knowledge.faq import from_examples
from knowledge.index import build


@pytest.mark.parametrize(
    ("wrong", "n", "bound"),
    [(0, 149, 0.0199), (1, 236, 0.0199), (2, 313, 0.02), (0, 59, 0.0495), (5, 5, 1.0), (0, 0, 1.0)],
)
def test_clopper_pearson(wrong: int, n: int, bound: float) -> None:
    assert upper_bound(wrong, n) == pytest.approx(bound, abs=1e-4)


def test_how_many_it_takes() -> None:
    assert (needed(0.02), needed(0.05)) == (149, 59)


def test_threshold_keeps_wrong_answers_rare() -> None:
    assert choose([(0.9, True), (0.8, True), (0.7, False), (0.6, True)], 0.2) == 0.8
    assert choose([(0.9, False)], 0.2) == 1.1
    assert choose([], 0.2) == 1.1


def test_few_questions_carry_no_claim_and_many_do() -> None:
    words = ["router", "camera", "invoice", "delivery", "password", "warranty"]
    rows = [
        {"label": w, "text": f"{w} {more}"} for w in words for more in ("", "question", "help", "problem", "please")
    ]
    knowledge = build(from_examples(rows))
    asked = [(w, f"{w} number {i}", "en") for i in range(60) for w in words]
    few, many = claim(knowledge.ask, asked[:20], 0.02), claim(knowledge.ask, asked, 0.03)
    assert not few.holds
    assert "cannot be claimed" in str(few)
    assert "149" in str(few)
    assert many.holds
    assert many.wrong == 0
    assert 100 < many.answered <= many.asked < 360
    assert many.as_json()["coverage"] > 0.8
    swapped = claim(knowledge.ask, [("router" if w == "camera" else w, text, "en") for w, text, _ in asked], 0.03)
    assert not swapped.holds
