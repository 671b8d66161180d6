"""What a careful colleague would notice."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from knowledge.doubts import doubts
from knowledge.faq import Entry, Faq
from knowledge.index import build
from knowledge.review import EXAMPLES, review
from knowledge.why import explain

RESET = ["reset the router", "factory reset", "how do I reset it", "erase all settings", "press the reset pin"]
LIGHT = ["the light is red", "red lamp on the modem", "why is the light blinking", "what does the led mean", "led off"]
BILL = ["send me an invoice", "where is my bill", "I need a receipt", "invoice for my order", "tax invoice"]


def entry(name: str, questions: list[str], **more: Any) -> Entry:
    values: dict[str, Any] = {"topic": "topic", "questions": {"en": questions}, "answer": {"en": "So."}}
    return Entry(id=name, file="faq.yaml", line=7, **values | more)


WORDS = "router camera invoice delivery password warranty cable account antenna storage".split()
MORE = ["question", "broken", "price", "where is the", "help"]
PARCEL = ["open a parcel", "where is the parcel", "parcel arrives late", "track a parcel"]
BOLD = {"answer": 0.45, "choose": 0.2}  # of so few examples nothing stands out enough to be answered otherwise
GOOD = [entry("reset", RESET), entry("light", LIGHT), entry("bill", BILL)]


def said(*entries: Entry) -> str:
    return str(review(build(Faq(entries), mode=BOLD), ["en"], date(2026, 6, 1)))


def test_a_good_faq_has_nothing_to_say_against_it() -> None:
    found = review(build(Faq(tuple(GOOD))), ["en"], date(2026, 6, 1))
    assert found.problems == ()
    assert "of 15 example questions" in found.rate


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (entry("new", ["Reset the ROUTER", "a", "b", "c", "d"]), "faq.yaml:7: new: question “Reset the ROUTER” also"),
        (entry("new", ["invoice now", "please invoice", "x", "y", "z"], not_={"en": ["Invoice now"]}), "at once"),
        (entry("new", ["one", "two"]), "only 2 example questions in en"),
        (entry("new", ["v", "w", "x", "y", "z"], valid={"to": "2026-05-31"}), "expired on 2026-05-31"),
        (entry("new", ["v", "w", "x", "y", "z"], answer={"en": "See [this](htps://a.b)"}), "leads nowhere"),
        (entry("new", ["v", "w", "x", "y", "z"], answer={"en": "See [this](https://nowhere)"}), "leads nowhere"),
        (entry("new", RESET), "no question in 'en' leads here"),
        (
            entry("new", ["please do reset the router", *PARCEL]),
            "faq.yaml:7: new: 1 question would be answered by 'reset', and 1 the other way: “please do",
        ),
        (entry("new", ["v", "w", "x", "y", "z"], valid={"from": "2066-05-31"}), "is not given before 2066-05-31"),
        (entry("new", ["v", "w", "x", "y", "z"], answer={"en": "See [this](https://a.b"}), "is never closed"),
        (entry("new", ["v", "w", "x", "y", "?!"]), "“?!” has no words"),
        (entry("new", ["v", "w", "x", "y", "z" * 301]), "has 301 characters"),
        (
            entry("new", ["v", "w", "x", "y", "z"], topic="topics"),
            "nothing else is about 'topics' (did you mean 'topic'?)",
        ),
        (
            entry("new", ["v", "w", "x", "y", "z"], answer={"en": "Wait 8 s.", "zh": "等 9 秒。"}),
            "says 8 in 'en' where",
        ),
    ],
)
def test_what_is_noticed(bad: Entry, what: str) -> None:
    assert what in said(*GOOD, bad)


@pytest.mark.parametrize(
    ("en", "zh"), [("until 8 p.m.", "到20:00"), ("15% off", "8.5 折即85%"), ("1,500", "1500"), ("two", "2")]
)
def test_numbers_may_be_written_otherwise(en: str, zh: str) -> None:
    told = [p.what for p in doubts(Faq((entry("new", RESET, answer={"en": en, "zh": f"是{zh}。"}),)))]
    assert told == []


def test_the_gravest_pairs_come_first_and_the_others_are_counted() -> None:
    stray = {"router": ["camera help please", "is the camera broken"], "invoice": ["delivery price please"]}
    entries = [entry(w, [f"{w} {m}" for m in MORE] + stray.get(w, [])) for w in WORDS]
    found = review(build(Faq(tuple(entries)), mode=BOLD), ["en"])
    assert len(found.pairs) > 1
    counts = [sum(map(int, re.findall(r" (\d+) ", pair.what.partition("“")[0]))) for pair in found.pairs]
    assert counts == sorted(counts, reverse=True)
    assert [str(pair) in str(found) for pair in found.pairs] == [True] * len(counts)
    assert found.brief(1).splitlines()[-2].startswith(f"… and {len(counts) - 1} more pairs of answers")
    assert all(pair.what.count("“") <= EXAMPLES for pair in found.pairs)


def test_a_text_in_the_wrong_language_is_noticed() -> None:
    bad = entry("new", ["红灯", "v", "w", "x", "y"], answer={"en": "So.", "zh": "Only English"})
    found = str(review(build(Faq((*GOOD, bad)))))
    assert "“红灯” stands under 'en'" in found
    assert "“Only English” stands under 'zh'" in found


def test_swapped_answers_are_noticed() -> None:
    asked = {w: [f"{w} {m}" for m in MORE] for w in WORDS}
    entries = [entry(w, said, answer={"en": f"About the {w} we say this."}) for w, said in asked.items()]
    assert "belonged" not in said_of(entries)
    entries[0], entries[1] = (
        entries[0].model_copy(update={"answer": entries[1].answer}),
        entries[1].model_copy(update={"answer": entries[0].answer}),
    )
    assert "router: the answer in 'en' reads as if it belonged to 'camera'" in said_of(entries)


def said_of(entries: list[Entry]) -> str:
    return str(review(build(Faq(tuple(entries)))))


def test_why_is_told_in_words() -> None:
    knowledge = build(Faq(tuple(GOOD)))
    text = explain(knowledge.ask("how to reste the router"))
    assert "Read as    how to reset the router" in text
    assert "answered with 'reset'" in text
    assert "nearest example: reset the router" in text
    assert knowledge.version in text
    assert "nothing in the FAQ" in explain(build(Faq()).ask("hello"))
    for question in ("", "led", "what is the capital of france", "I don't want to reset the router"):
        assert "Outcome" in explain(knowledge.ask(question))
