"""What is taught beside the questions: an entry's name."""

from __future__ import annotations

import pytest

from knowledge.examples import written
from knowledge.faq import from_examples
from knowledge.index import build
from knowledge.space import Role


def names(*rows: tuple[str, str]) -> list[tuple[str, str, str]]:
    """Language, id and name of every entry that has a name."""
    _, taught = written(from_examples({"label": label, "text": text} for label, text in rows), {})
    return [(lang, e.label, e.text) for lang, some in taught.items() for e in some if e.role is Role.NAME]


@pytest.mark.parametrize(
    ("label", "text", "found"),
    [
        ("lost_or-stolen.card", "where is it", ("en", "lost or stolen card")),
        ("CardArrival", "where is it", ("en", "card arrival")),
        ("退货", "怎么退", ("zh", "退货")),
        ("退货", "how to return", None),  # no Chinese is asked
        ("card_arrival", "卡在哪", None),
        ("q", "where is it", None),
        ("12", "where is it", None),
    ],
)
def test_an_id_in_words_is_a_name(label: str, text: str, found: tuple[str, str] | None) -> None:
    assert names((label, text), ("other", text)) == [
        *([(found[0], label, found[1])] if found else []),
        *([("en", "other", "other")] if text.isascii() else []),
    ]


def test_numbered_ids_are_no_names() -> None:
    assert names(("faq-1", "where is it"), ("faq-2", "who are you")) == []


def test_a_name_finds_its_answer_and_is_no_example() -> None:
    rows = [("direct_debit", "money goes out each month"), ("card_arrival", "is it in the post")]
    rows += [("direct_debit", "a firm takes what it likes"), ("card_arrival", "when will you send it")]
    found = build(from_examples({"label": a, "text": b} for a, b in rows)).ask("cancel my direct debit").candidates[0]
    assert found.entry == "direct_debit"
    assert found.nearest in [text for _, text in rows]
