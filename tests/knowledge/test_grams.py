"""A gram's column is its place among all of them: what no text has is found nowhere, however like it is."""

import numpy as np
import pytest

from knowledge.grams import LONGEST, Grams

TEXTS = [["router", "重启", "reset"], ["router", "zebra"], ["重启", "重启"]]


def test_only_what_some_text_has_is_found() -> None:
    grams = Grams(TEXTS)
    every = list(grams.named)
    assert sorted(every) == sorted({gram for text in TEXTS for gram in text})
    assert list(grams.columns(every)) == list(range(len(every)))
    near_by = ["", "route", "routers", "zebras", "zzz", "重", "重启动动动动", "aaa", "\ud800", "x" * 999]
    assert not len(grams.columns(near_by))
    assert [every[at] for at in grams.columns(["zebra", *near_by, "zebra"])] == ["zebra"]


@pytest.mark.parametrize("texts", [[], [[]], [[], []]])
def test_of_nothing_nothing_is_found(texts: list[list[str]]) -> None:
    grams = Grams(texts)
    assert not len(grams.columns(["router"]))
    assert not grams.similar(["router"]).any()


def test_an_endless_word_is_as_long_as_others() -> None:
    endless = ["a" * 5000, "a" * 5001, "b" * LONGEST]
    grams = Grams([[word] for word in endless])
    assert len(list(grams.named)) == 2
    assert grams.similar(endless[:1]) == pytest.approx([1, 1, 0])
    assert not len(grams.columns(["b" * (LONGEST + 1), "b" * (LONGEST - 1)]))


def test_more_texts_than_small_numbers_can_count() -> None:
    texts = [["same"] if row % 2 else ["other"] for row in range(70_000)]
    assert np.array_equal(np.flatnonzero(Grams(texts).similar(["same"])), np.arange(1, 70_000, 2))
