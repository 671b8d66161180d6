"""Whatever a customer sends and however poor an FAQ is: an answer or "unknown", never an exception."""

from __future__ import annotations

import pytest

from knowledge.ask import as_json
from knowledge.faq import Faq, from_examples
from knowledge.index import Knowledge, build
from knowledge.review import review
from knowledge.why import explain

ROWS = [("reset", "reset the router"), ("reset", "factory reset"), ("bill", "send me a bill"), ("bill", "发票在哪")]
KNOWN = build(from_examples({"label": label, "text": text} for label, text in ROWS))
ODD = {
    "empty": "",
    "blank": " \t\n",
    "one letter": "a",
    "one character": "票",
    "emoji": "🙂👨‍👩‍👧‍👦🇨🇳",
    "punctuation": "?!…。？！",
    "a megabyte": "reset the router " * 60_000,
    "a megabyte without a space": "票" * 350_000,
    "zero width": "\u200b\u200d\ufeff",
    "zero width within": "re\u200bset the rou\u200dter",
    "mixed scripts": "reset 路由器 сброс リセット إعادة",
    "repeated words": "reset " * 10_000,
    "control characters": "reset\x00\x07\x1b[31m",
    "half a character": "reset \ud83d",
    "combining": "e" + "\u0301" * 5_000,
    "one that grows when normalised": "\ufdfa" * 5_000,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_any_question_has_an_outcome(text: str) -> None:
    ranking = KNOWN.ask(text)
    assert ranking.outcome in ("answer", "choose", "unknown")
    assert set(as_json(ranking, text)) >= {"outcome", "entry", "confidence", "candidates"}
    assert len(explain(ranking)) < 20_000, "a flood is not told in full"


def test_nothing_is_unknown_and_what_cannot_be_seen_does_not_matter() -> None:
    for name in ("empty", "blank", "emoji", "punctuation", "zero width"):
        assert KNOWN.ask(ODD[name]).outcome == "unknown", name
    seen, hidden = (KNOWN.ask(text).candidates for text in ("reset the router", ODD["zero width within"]))
    assert [(c.entry, c.confidence) for c in seen] == [(c.entry, c.confidence) for c in hidden]


POOR = {
    "nothing": [],
    "one entry with one example": [("reset", "reset the router")],
    "two that are the same": [("one", "reset the router"), ("two", "reset the router")],
    "one example each": [("one", "reset the router"), ("two", "send me a bill")],
    "odd labels": [("", "reset the router"), ("A b/ç 🙂", "send me a bill"), ("a:b", "hello"), ("\n", "factory reset")],
    "an example without words": [("one", "?!"), ("two", "reset the router"), ("two", "🙂")],
    "one language each": [("one", "reset the router"), ("two", "发票在哪")],
}


@pytest.mark.parametrize("rows", POOR.values(), ids=POOR)
@pytest.mark.parametrize("mode", ["strict", "balanced", "lenient"])
def test_a_poor_faq_is_asked_and_looked_over(rows: list[tuple[str, str]], mode: str) -> None:
    faq: Faq = from_examples({"label": label, "text": text} for label, text in rows)
    knowledge: Knowledge = build(faq, mode=mode)
    for text in ("reset the router", "怎么开发票", "", "🙂"):
        assert knowledge.ask(text).outcome in ("answer", "choose", "unknown")
    assert review(knowledge).rate


def test_what_is_the_same_in_two_entries_is_offered_not_answered_and_told() -> None:
    rows = [
        {"label": label, "text": text} for label in ("one", "two") for text in ("reset the router", "factory reset")
    ]
    knowledge = build(from_examples(rows))
    assert knowledge.ask("reset the router").outcome != "answer"
    assert "also stands in 'one'" in str(review(knowledge))
