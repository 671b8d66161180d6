"""All that is known of a message before anything is decided."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents import understand
from intents.understanding import Understanding
from knowledge.index import Candidate, Ranking
from tests.intents.asked import NOW, PRODUCTS, Silent


def said(text: str) -> Understanding:
    return understand(text, Silent(), now=NOW, products=PRODUCTS)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hi", "greeting"),
        ("你好，在吗？", "greeting"),
        ("ok thanks bye", "goodbye"),
        ("好的，谢谢", "thanks"),
        ("thanks!!!", "thanks"),
        ("好的", "yes"),
        ("no thanks", "no"),
        ("不用转人工", "no"),
        ("hi, agent please", "human"),
        ("Can I talk to a real person about my bill?", "human"),
        ("算了，不用了", "cancel"),
        ("返回上一步", "back"),
        ("it works now, thank you!", "solved"),
        ("不好了", "not_helpful"),
        ("that didn't help", "not_helpful"),
        ("请说中文", "language"),
        ("菜单", "help"),
        ("please", ""),
        ("是不是", ""),
        ("my router is broken", ""),
    ],
)
def test_closed_messages_win_before_the_ranking(text: str, intent: str) -> None:
    understood = said(text)
    assert (understood.intent, understood.intent_confidence) == (intent, 1.0 if intent else 0.0)
    assert (understood.ranking is None) is bool(intent)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (text, "yes")
        for text in ("yes", "yep", "好的", "对", "ok", "嗯嗯", "好的谢谢", "yes, it is blinking", "对，就是这个", "👍")
    ]
    + [
        (text, "no")
        for text in (
            "不用了",
            "不是",
            "没有",
            "nope",
            "no thanks",
            "no, it is the AX1800",
            "不是，是AX1800",
            "没有了谢谢",
        )
    ]
    + [
        (text, "")
        for text in ("", "是不是", "好慢", "没有网络", "no internet", "可以退货吗", "对不起", "AX3000", "yes and no")
    ],
)
def test_yes_and_no(text: str, answer: str) -> None:
    assert said(text).yes_no == answer


@pytest.mark.parametrize(
    ("text", "score"),
    [
        (text, 5)
        for text in (
            "5",
            "５",
            "五",
            "five stars!",
            "5星好评",
            "5/5",
            "★★★★★",
            "非常满意",
            "great",
            "给你们打5分",
            "谢谢 5分",
        )
    ]
    + [(text, 4) for text in ("4分", "4/5", "4 out of 5", "★★★★☆", "⭐️⭐️⭐️⭐️", "满意", "good", "还不错")]
    + [(text, 3) for text in ("3", "一般", "ok", "so so", "还行")]
    + [(text, 2) for text in ("2", "不满意", "bad", "不太满意")]
    + [(text, 1) for text in ("1", "非常不满意", "terrible", "很差", "非常不滿意")]
    + [
        (text, None)
        for text in ("", "0", "6", "10", "5分钟", "good router", "1 2", "☆☆☆☆☆", "★★★★★★", "谢谢", "my camera is bad")
    ],
)
def test_ratings(text: str, score: int | None) -> None:
    assert said(text).rating == score


def test_one_line_of_a_burst_is_enough() -> None:
    assert said("my router is dead\n人工").wants_person
    assert said("the light is red\nstop").wants_stop
    assert not said("the light is red\nhuman detection").wants_person


def test_flags() -> None:
    understood = said("路由器冒烟了！！！赶紧派人来，第三次了")
    assert understood.emergency == "冒烟"
    assert understood.angry
    assert understood.urgent
    assert said("how do I turn the firewall off").emergency == ""


def test_the_faq_is_asked_about_the_models_that_are_named() -> None:
    knowledge = Silent(Ranking("intent", (Candidate("intent:repair", 0.8, "I need a repair"),)))
    understood = understand("ＡＸ３０００ 坏了，要修", knowledge, hint="en", now=NOW, products=PRODUCTS)
    assert knowledge.asked == [("AX3000 坏了,要修", "zh", ("AX3000",))]
    assert (understood.intent, understood.intent_confidence) == ("repair", 0.8)
    understand("wifi", knowledge, hint="zh", now=NOW)
    assert knowledge.asked[-1] == ("wifi", "zh", ())


def test_nothing_is_asked_about_nothing() -> None:
    knowledge = Silent()
    assert understand("\u200b \x00", knowledge, now=NOW) == Understanding(text="", language="")
    assert knowledge.asked == []


def test_case_and_lines_of_the_text_stay() -> None:
    assert said("My  ＷｉＦｉ\r\n\r\nis  slow").text == "My WiFi\nis slow"


@given(st.text(max_size=300) | st.text(alphabet="不是好对yes no!5分人工.,\n\ud800\u200d😀", max_size=60))
def test_any_text_is_understood(text: str) -> None:
    understood = said(text)
    assert understood.yes_no in ("", "yes", "no")
    assert understood.rating in (None, 1, 2, 3, 4, 5)


def test_a_flood_is_cut() -> None:
    assert len(said("不要 a@b.c 明天3点 " * 70_000).text) <= 8000
