"""Mistakes an admin may make are told; those that need no index here, all of them in benchmarks/mutations.py."""

from __future__ import annotations

import pytest

from benchmarks.mutations import (
    Mutation,
    bad_date,
    bad_id,
    caught,
    dangling_follow_up,
    expired,
    few_examples,
    misspelt_topic,
    no_examples,
    number_in_one_language,
    open_link,
    question_in_the_wrong_language,
    twice_the_same_id,
    unwritten,
    wrong_language,
    wrong_link,
    wrong_year,
)

NEEDS_NO_INDEX: tuple[Mutation, ...] = (
    *(few_examples, no_examples, bad_id, twice_the_same_id, bad_date, expired, wrong_year, wrong_language),
    *(question_in_the_wrong_language, dangling_follow_up, wrong_link, open_link, number_in_one_language),
    *(misspelt_topic, unwritten),
)


@pytest.mark.parametrize("mutation", NEEDS_NO_INDEX, ids=lambda mutation: mutation.__name__)
def test_a_mistake_is_told(mutation: Mutation) -> None:
    def never() -> tuple[set[str], set[tuple[str, str]]]:
        raise AssertionError("not told before the index was made")

    assert caught(mutation, 2, never)
