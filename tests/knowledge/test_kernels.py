"""Examples compared with each other, many at a time, are as alike as each of them asked alone."""

from __future__ import annotations

import numpy as np
import pytest
from rapidfuzz import fuzz

from knowledge.grams import TOGETHER, Grams, Rows
from knowledge.kernels import Chinese, English, Kernel, Order

WORDS = "how do i reset the router wifi password led red light slow ax3000 camera offline please it is why when".split()
CHARACTERS = "怎么重置路由器无线密码红灯为什么慢摄像头离线wifi请问多久可以"


def texts(separator: str, alphabet: list[str], many: int) -> list[str]:
    """Sentences of one to nine words, some of them twice, some common and some rare words in them."""
    rng = np.random.default_rng(3)
    made = [separator.join(rng.choice(alphabet, rng.integers(1, 10))) for _ in range(many - 3)]
    return [*made, made[0], "", "?!"]


@pytest.mark.parametrize(
    "kernel_of",
    [
        lambda: (English, texts(" ", [*WORDS, *(f"rare{n}" for n in range(60))], 2 * TOGETHER + 9)),
        lambda: (Chinese, texts("", list(CHARACTERS), 2 * TOGETHER + 9)),
    ],
)
def test_together_and_alone(kernel_of: object) -> None:
    kind, said = kernel_of()  # type: ignore[operator]
    kernel: Kernel = kind(said)
    rows: Rows = np.arange(len(said))[::-1].copy()
    together = list(kernel.among(rows))
    assert [len(parts[next(iter(parts))]) for parts in together] == [TOGETHER, TOGETHER, 9]
    alone = [kernel.parts(said[row]) for row in rows.tolist()]
    for name in alone[0]:
        a, b = np.concatenate([parts[name] for parts in together]), np.stack([parts[name] for parts in alone])
        assert np.abs(a - b).max() < 1e-6  # places are kept in half the precision
        assert np.ptp(a) > 0.5
    assert np.concatenate([kernel.join(parts) for parts in together]) == pytest.approx(
        np.stack([kernel.join(parts) for parts in alone]), abs=1e-6
    )
    every = np.arange(len(said))
    for at, (some, onwards) in enumerate(zip(kernel.among(every), kernel.among(every, True), strict=True)):
        assert kernel.join(some)[:, at * TOGETHER :] == pytest.approx(kernel.join(onwards), abs=1e-6)


def test_cosines_are_those_of_the_vectors_written_out() -> None:
    said = [["a", "b", "a"], ["b", "c"], ["d"], []]
    idf = {gram: np.log(5 / (1 + sum(gram in text for text in said))) + 1 for gram in "abcd"}
    rows = np.array([[(1 + np.log(n)) * idf[g] if (n := text.count(g)) else 0.0 for g in "abcd"] for text in said])
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
    grams = Grams(said)
    (found,) = grams.among(np.arange(4))
    assert found == pytest.approx(rows @ rows.T, abs=1e-7)
    assert np.stack([grams.similar(text) for text in said]) == pytest.approx(rows @ rows.T, abs=1e-7)


def test_a_gram_nobody_knows_makes_a_text_unlike_all() -> None:
    grams = Grams([["a", "b"], ["c"]])
    assert grams.similar(["a", "b"])[0] == pytest.approx(1)
    assert 0 < grams.similar(["a", "b", "new"])[0] < 0.95
    assert grams.similar(["new"]).tolist() == [0, 0]


def test_the_share_in_order_is_that_of_the_longest_common_subsequence() -> None:
    said = ["", "的", "abc", "我的路由器", "路由我的器器", "器" * 70 + "路", "x" * 30 + "路由" * 20]
    order, cut = Order(said), [text[:64] for text in said]
    expected = [[fuzz.ratio(one, other) / 100 for other in cut] for one in cut]
    assert np.stack([order.similar(text) for text in said]) == pytest.approx(np.array(expected), abs=1e-6)
    assert np.concatenate(list(order.among(np.arange(7)))) == pytest.approx(np.array(expected), abs=1e-7)


def test_nothing_to_compare() -> None:
    assert Grams([]).similar(["a"]).shape == (0,)
    assert list(Grams([]).among(np.arange(0))) == []
    assert list(English([]).among(np.arange(0))) == []
