"""Courtesies at the beginning and end of a question are not asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import load
from bot.knowledge_base import load_knowledge
from knowledge.courtesy import plainly
from knowledge.index import Knowledge

ROOT = Path(__file__).parents[2]
AROUND = {
    "en": (
        *("hi {}", "Hello, {}", "hey there, {}", "Good morning! {}", "Excuse me, {}", "Dear support team, {}"),
        *("Quick question: {}", "{}, thanks", "{} please", "hello, {}? Thank you very much!", "Please help, {}"),
        *("I'm sorry to bother you again. {}. Thanks in advance", "good evening, I have a question. {}"),
        *("could you please tell me {}", "Hi all,\n{}\nbest regards", "{}? any ideas?", "Wonderful, thank you. {}"),
    ),
    "zh": (
        *("你好，{}", "您好 {}", "你好{}", "请问{}", "请问一下，{}", "亲，{}", "在吗？{}", "{}，谢谢", "{}谢谢"),
        *("{}，麻烦了", "{}，急！", "客服你好，{}", "你好，请问{}？非常感谢！", "不好意思打扰一下，{}"),
        *("你好，我想问一下{}", "想咨询下，{}", "你好\n{}\n在线等", "你能告诉我{}", "好的，谢谢。{}"),
    ),
}


@pytest.fixture(scope="module")
def demo() -> Knowledge:
    """What the demo company knows."""
    return load_knowledge(load(ROOT / "config.yaml")).knowledge


@pytest.mark.parametrize(
    ("lang", "asked"),
    [
        ("en", "how do I reset my router"),
        ("en", "where is my parcel"),
        ("en", "can I return the camera after 10 days"),
        ("zh", "怎么改WiFi密码"),
        ("zh", "摄像头离线了怎么办"),
        ("zh", "保修期多久"),
    ],
)
def test_a_polite_question_gets_the_answer_of_the_plain_one(demo: Knowledge, lang: str, asked: str) -> None:
    plain = demo.ask(asked, lang)
    assert plain.outcome == "answer"
    for around in AROUND[lang]:
        ranking = demo.ask(around.format(asked), lang)
        assert (ranking.outcome, ranking.candidates[0].entry) == ("answer", plain.candidates[0].entry), around


@pytest.mark.parametrize(
    "text",
    [
        "hi-fi speakers do not connect",
        "早上好卡",
        "晚上好慢",
        "hidden network",
        "hello",
        "refund please",
        "你好，谢谢",
        "thanks to the update my wifi is dead",
        "so slow",
        "ok google does not find the camera",
        "help menu of the app",
        "what does urgent mean in the app",
        "is a router a present one says thank you for, or not",
        "退货太麻烦了",
        "客服电话是多少",
        "早上网速慢",
        "师傅什么时候来",
        "有问题的配件怎么换",
        "急救电话",
        "怎么请问候语音",
    ],
)
def test_what_is_asked_stays(text: str) -> None:
    assert plainly(text) == text


@pytest.mark.parametrize(
    "text", ["hi " * 333, "dear " + "a" * 990, "请" * 1000, "thank you so " * 70, "a question " * 90]
)
def test_a_flood_of_courtesies_is_read(text: str) -> None:
    assert plainly(text.strip())
