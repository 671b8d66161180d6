"""Chinese sentences with English words in them."""

from __future__ import annotations

import pytest

from intents import understand
from intents.reading import shipped
from tests.intents.asked import NOW, PRODUCTS, Silent


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("ok帮我open个ticket", "ok帮我开个工单"),
        ("我要Refund", "我要退款"),
        ("check一下我的ticket status", "查一下我的工单进度"),
        ("我的 camera not working 了", "我的摄像头用不了了"),
        ("帮我reset一下", "帮我重置一下"),
        ("路由器的status灯红了", "路由器的status灯红了"),  # the name of the light
        ("怎么设置return键", "怎么设置return键"),
        ("AX3000的reset 键在哪", "AX3000的reset 键在哪"),
        ("手机case", "手机case"),
        ("mac book连不上", "mac book连不上"),
        ("port forwarding怎么设置", "port forwarding怎么设置"),
        ("e-ticket 有吗", "e-ticket 有吗"),
        ("where is my ticket", "where is my ticket"),
        ("ticket", "ticket"),
    ],
)
def test_what_the_knowledge_is_asked(text: str, asked: str) -> None:
    knowledge = Silent()
    assert understand(text, knowledge, now=NOW, products=PRODUCTS).text == text
    assert [said for said, *_ in knowledge.asked] == [asked]


def test_a_wish_in_two_languages() -> None:
    understood = understand("帮我cancel我的repair", Silent(), now=NOW, products=PRODUCTS)
    assert (understood.intent, understood.language) == ("cancel", "zh")


def test_every_word_has_its_meaning() -> None:
    words = shipped().mixed.words
    assert len(words) > 20
    assert all(word.isascii() and word == word.lower() and not meaning.isascii() for word, meaning in words.items())
