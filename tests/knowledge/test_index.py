"""Ranking: one index for answers and wishes, with guards, and no text that breaks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.examples import ELSEWHERE
from knowledge.faq import Entry, Faq, from_examples
from knowledge.index import Knowledge, build
from knowledge.review import expectation
from knowledge.why import explain


def entry(name: str, *questions: str, zh: tuple[str, ...] = (), **more: Any) -> Entry:
    """A short entry."""
    texts = {language: said for language, said in (("en", questions), ("zh", zh)) if said}
    return Entry(id=name, topic="faults", questions=texts, answer={"en": "So."}, **more)


RESET = entry(
    "factory-reset",
    "How do I reset the router?",
    "reset to factory settings",
    "erase everything on my router",
    "press the reset hole",
    "restore the factory state",
    zh=("怎么恢复出厂设置", "路由器怎么重置", "按复位孔", "清空路由器所有设置", "恢复到出厂状态"),
    **{"not": {"en": ("How do I restart the router?",), "zh": ("怎么重启路由器",)}},
)
PASSWORD = entry(
    "wifi-password",
    "How do I change my wifi password?",
    "new password for the wireless network",
    "set another wifi key",
    "change the wlan password",
    "I want a different wifi password",
    zh=("怎么改wifi密码", "无线密码修改", "想换个无线密码", "更改网络密码", "把wifi密码换掉"),
)
OLD = entry(
    "ax1800-slow",
    "Why is the AX1800 slow?",
    "AX1800 slow wifi",
    "my AX1800 is very slow",
    "speed of the AX1800",
    "slow AX1800",
    products=("AX1800",),
)
WISHES = {
    "warranty": {"en": ["Is it still under warranty?", "how long is the warranty"], "zh": ["还在保修期吗", "保修多久"]}
}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return build(Faq((RESET, PASSWORD, OLD)), WISHES)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("reset router to factory settings", "factory-reset"),
        ("how can i chnage my wfi pasword", "wifi-password"),
        ("路由器怎样恢復出廠設置？", "factory-reset"),
        ("無線密碼怎麼改", "wifi-password"),
        ("无线蜜码怎么改", "wifi-password"),
        ("wifi 密码 change 怎么弄", "wifi-password"),
        ("is my router under warranty", "intent:warranty"),
        ("还在保修吗", "intent:warranty"),
    ],
)
def test_finds_the_entry(knowledge: Knowledge, question: str, expected: str) -> None:
    ranking = knowledge.ask(question)
    assert ranking.candidates[0].entry == expected
    assert ranking.outcome in ("intent" if expected.startswith("intent:") else "answer", "choose")


@pytest.mark.parametrize("question", ["What is the capital of France?", "红烧肉怎么做好吃", "", "😀😀", "?!", "\ud800"])
def test_knows_what_it_does_not_know(knowledge: Knowledge, question: str) -> None:
    assert knowledge.ask(question).outcome in ("unknown", "choose")


def test_an_example_is_answered_and_its_contrast_is_not(knowledge: Knowledge) -> None:
    assert knowledge.ask("How do I reset the router?").outcome == "answer"
    for question in ("How do I restart the router?", "怎么重启路由器"):
        ranking = knowledge.ask(question)
        assert ranking.outcome != "answer"
        assert {"contrast"} == {g["guard"] for g in ranking.why["guards"] if g["entry"] == "factory-reset"}


@pytest.mark.parametrize(
    "question",
    [
        "I don't want to reset the router to factory settings",
        "I don't want to reset the router to factory settings, how else do I reset the router",
        "不想恢复出厂设置",
        "不想恢复出厂设置，有没有别的办法恢复出厂设置",
    ],
)
def test_what_is_not_wanted_is_not_answered(knowledge: Knowledge, question: str) -> None:
    ranking = knowledge.ask(question)
    assert ranking.outcome != "answer"
    assert "negation" in {g["guard"] for g in ranking.why["guards"]}


def test_another_model_is_another_question(knowledge: Knowledge) -> None:
    assert knowledge.ask("my AX1800 is slow").candidates[0].entry == "ax1800-slow"
    assert "ax1800-slow" not in [c.entry for c in knowledge.ask("my AX3000 is slow").candidates]
    owned = knowledge.ask("slow wifi speed", products=("AX3000",))
    assert "ax1800-slow" not in [c.entry for c in owned.candidates]


def test_an_expired_entry_is_not_given() -> None:
    sale = entry("sale", "Is there a sale?", "any discount", valid={"from": "2026-01-01", "to": "2026-01-31"})
    knowledge = build(Faq((sale, PASSWORD)))
    assert knowledge.ask("Is there a sale?", now=date(2026, 1, 31)).candidates[0].entry == "sale"
    assert "sale" not in [c.entry for c in knowledge.ask("Is there a sale?", now=date(2026, 2, 1)).candidates]


def test_two_entries_with_the_same_questions_are_asked_about() -> None:
    twins = [entry(name, *PASSWORD.questions["en"]) for name in ("one", "two")]
    ranking = build(Faq((*twins, RESET))).ask("How do I change my wifi password?")
    assert ranking.outcome == "choose"
    assert {c.entry for c in ranking.candidates[:2]} == {"one", "two"}


def test_why_says_all_that_decided(knowledge: Knowledge) -> None:
    why = knowledge.ask("chnage wifi password").why
    assert why["read_as"] == {"en": "change wifi password"}
    assert why["scores"][0]["entry"] == "wifi-password"
    assert why["scores"][0]["nearest"] in PASSWORD.questions["en"]
    assert set(why["scores"][0]["parts"]) == {"letters", "stems", "words"}
    assert why["version"] == knowledge.version
    assert why["runner_up"] == why["scores"][1]["entry"]
    assert why["threshold"]["choose"] <= why["threshold"]["answer"]


def test_same_words_same_decision(knowledge: Knowledge) -> None:
    again = build(Faq((RESET, PASSWORD, OLD)), WISHES)
    assert again.version == knowledge.version
    for question in ("reset router", "wfi password", "怎么改密码"):
        assert again.ask(question) == knowledge.ask(question)
    assert build(Faq((RESET, PASSWORD)), WISHES).version != knowledge.version


def test_stricter_modes_answer_less() -> None:
    questions = ["reset it", "wifi key", "change wifi password", "erase router", "speed of it", "factory reset"]
    answered = [
        sum(build(Faq((RESET, PASSWORD, OLD)), mode=mode).ask(q).outcome == "answer" for q in questions)
        for mode in ("strict", "balanced", "lenient", {"answer": 0.0}, {"answer": 1.1})
    ]
    assert answered[0] <= answered[1] <= answered[2] <= answered[3] == len(questions)
    assert answered[4] == 0


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("a", "reset")],
        [("a", "reset"), ("b", "reset")],
        [("a", "怎么重置"), ("b", "how")],
        [("ä ö/ü: {}\n", "reset it"), ("b", "")],
        [("a", "😀"), ("a", "!!!")],
    ],
)
def test_tiny_faqs(rows: list[tuple[str, str]]) -> None:
    knowledge = build(from_examples({"label": label, "text": text} for label, text in rows))
    for question in ("reset", "怎么重置", "", "how much"):
        assert knowledge.ask(question).outcome in ("answer", "choose", "unknown")


@pytest.mark.parametrize("text", ["x" * 10**6, "reset " * 10_000, "路由器" * 10_000, "\u0301" * 10**5, "a1" * 10**5])
def test_long_texts_are_asked_like_short_ones(knowledge: Knowledge, text: str) -> None:
    assert knowledge.ask(text).outcome in ("answer", "choose", "unknown")


@given(text=st.text(st.characters(), max_size=300), lang=st.sampled_from(["", "en", "zh", "xx"]))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_it(knowledge: Knowledge, text: str, lang: str) -> None:
    ranking = knowledge.ask(text, lang)
    assert ranking.outcome in ("answer", "choose", "unknown", "intent")
    confidences = [c.confidence for c in ranking.candidates]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= c <= 1 for c in confidences)


ELSEWHERE_TOLD = {"en": ("how do I reset my phone", "which phone should I buy"), "zh": ("怎么重置手机", "手机屏幕碎了")}


def test_what_has_no_answer_gets_none(knowledge: Knowledge) -> None:
    told = build(replace(knowledge.faq, elsewhere=ELSEWHERE_TOLD))
    assert told.version != knowledge.version
    for question in ("please, how can I reset a phone", "手机怎么重置"):
        assert knowledge.ask(question).outcome != "unknown"
        ranking = told.ask(question)
        assert ranking.outcome == "unknown"
        assert ELSEWHERE not in [c.entry for c in ranking.candidates]
        assert ranking.why["scores"][0]["entry"] == ELSEWHERE
        assert "no answer to questions like" in explain(ranking)
    assert told.ask("How do I reset the router?").outcome == "answer"
    assert "phone" not in expectation(told)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_small_faq_answers_its_questions_and_no_others(count: int) -> None:
    entries = (
        entry("reset", "How do I reset the router?", zh=("路由器怎么恢复出厂设置？",)),
        entry("restart", "How do I restart the router?", zh=("路由器怎么重启？",)),
        entry("update", "How do I update the router?", zh=("路由器怎么升级？",)),
    )[:count]
    knowledge = build(Faq(entries))
    for one in entries:
        for language, before, after in (("en", "hi ", " please"), ("zh", "请问", "")):
            ranking = knowledge.ask(before + one.questions[language][0] + after)
            assert (ranking.outcome, ranking.candidates[0].entry) == ("answer", one.id)
    for question in ("How can I bake bread?", "What is the capital of France?", "红烧肉怎么做", "今天天气怎么样"):
        assert knowledge.ask(question).outcome == "unknown"


def test_what_is_refused_is_left_out_where_the_rest_cannot_stand_alone() -> None:
    see = entry("see", "How do I see my wifi password?", "show the wifi password", "what is my wifi password")
    change = entry("change", "How do I change my wifi password?", "set a new wifi password", "edit the wifi password")
    knowledge = build(Faq((see, change, RESET)))
    ranking = knowledge.ask("I don't want to change my wifi password, only see it")
    assert ranking.candidates[0].entry == "see"
    assert [g["entry"] for g in ranking.why["guards"] if g["guard"] == "negation"] == ["change"]


def test_a_contrast_that_is_asked_elsewhere_leaves_the_answer_to_the_scores() -> None:
    against: Any = {"not": {"en": ["How do I get an invoice?"]}}
    fix = entry("fix", "change the name on my invoice", "correct the name on an invoice", **against)
    get = entry("get", "How do I get an invoice?", "download an invoice")
    question = "how do I get the name on the invoice changed"
    for entries, guarded in (((fix,), True), ((fix, get), False)):
        ranking = build(Faq(entries)).ask(question)
        assert ranking.candidates[0].entry == "fix"
        assert ("contrast" in [g["guard"] for g in ranking.why["guards"]]) is guarded


def test_an_example_that_refuses_something_is_taken_whole() -> None:
    cancel = entry(
        "order-cancel",
        "I don't want it any more, it is not shipped yet",
        "cancel my order",
        "please stop the order, I changed my mind",
        "can I still cancel what I bought",
    )
    track = entry(
        "order-tracking", "it is not shipped yet", "when is it shipped", "where is my parcel", "not sent yet, why"
    )
    known = build(Faq((cancel, track, RESET, PASSWORD)))
    assert known.ask("I don't want it any more, it is not shipped yet").candidates[0].entry == "order-cancel"


def test_a_bare_word_is_answered_where_the_answer_is_certain(knowledge: Knowledge) -> None:
    assert knowledge.ask("reset").outcome == "answer"
    assert knowledge.ask("复位").outcome == "choose"
