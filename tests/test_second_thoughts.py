"""What the demo company's customers go on asking, refuse, and add: with its real answers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import intents
from bot.config import load
from bot.dialogue import Alarm, Fact
from bot.interpreter import policy
from bot.knowledge_base import KnowledgeBase, load_knowledge
from bot.strictyaml import load as load_yaml
from tests import talks
from tests.talks import Chat

ROOT = Path(__file__).parent.parent
SETTINGS = load(ROOT / "config.yaml")
KNOWN = "What I said above is all I know about that.", "这方面我知道的就是上面这些了。"


@pytest.fixture(scope="module")
def base() -> KnowledgeBase:
    """What the demo company knows."""
    return load_knowledge(SETTINGS)


@pytest.fixture
def chat(base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> Chat:
    """A customer of the demo company."""
    monkeypatch.setattr(talks, "knowledge", lambda: base.knowledge)
    return Chat(policy=dataclasses.replace(policy(SETTINGS), burst=0.0))


@pytest.mark.parametrize(
    ("before", "then", "entry"),
    [
        ("How do I change my Wi-Fi password?", "and the name?", "wifi-name-change"),
        ("How do I change my Wi-Fi password?", "and for guests?", "guest-network"),
        ("怎么改wifi密码", "那名字呢", "wifi-name-change"),
        ("How do I set up my new router?", "and the mesh?", "mesh-add-node"),
        ("C2能装室外吗", "那C5呢", "camera-outdoor-mount"),
        ("维修要多久", "那多少钱呢", "repair-price"),
        ("怎么寄修", "那邮费谁出呢", "return-postage"),
        ("I forgot my password", "the wifi one", "wifi-password-view"),
        ("the light is red", "the one on the modem", "ont-los-red"),
        ("How do I send a device in for repair?", "and who pays for that?", "return-postage"),
        ("How do I restart my router?", "what about my refund?", "refund-time"),  # says enough by itself
        ("How do I restart my router?", "what about the red light?", "router-lights"),
    ],
)
def test_a_few_words_are_asked_with_the_question_before(chat: Chat, before: str, then: str, entry: str) -> None:
    chat.write(before)
    assert chat.talk.last_entry not in ("", entry)
    chat.write(then)
    assert chat.talk.last_entry == entry


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ("do you deliver on sunday", "and on Saturday?"),
        ("周六送货吗", "那周日呢"),
        ("How do I restart my router?", "and pizza?"),
        ("How do I restart my router?", "and the camera?"),
        ("路由器怎么重启", "那披萨呢"),
        ("how long is the warranty", "what about batteries?"),
    ],
)
def test_where_they_add_nothing_known_that_is_said_once(chat: Chat, before: str, then: str) -> None:
    chat.write(before)
    assert any(said.startswith(tuple(f"bot: {known}" for known in KNOWN)) for said in chat.write(then))
    assert not any(said.startswith(tuple(f"bot: {known}" for known in KNOWN)) for said in chat.write(then))


def test_what_they_most_likely_mean_is_offered(chat: Chat) -> None:
    chat.write("how long does a repair take")
    assert "  [What does a repair cost when the warranty is over?] [None of these]" in chat.write("how much is it then")


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ("How do I restart my router?", "and it is still red"),
        ("How do I restart my router?", "and can I talk to someone?"),
        ("How do I restart my router?", "and how do I change the password?"),
        ("路由器怎么重启", "还没好呢"),
        ("路由器怎么重启", "那算了"),
        ("路由器怎么重启", "那人工呢"),
        ("路由器怎么重启", "那帮我报修吧"),
    ],
)
def test_what_goes_on_from_nothing_is_heard_alone(chat: Chat, before: str, then: str) -> None:
    chat.write(before)
    assert not any(known in said for said in chat.write(then) for known in KNOWN)


REFUSED = load_yaml(ROOT / "intents" / "examples" / "service.yaml").data
VERBS = tuple("open create raise file log submit repair arrange book return refund exchange order install rate".split())
SAID = [
    *(f"{no} {said}" for wish in REFUSED.values() for said in wish["en"] if said.lower().startswith(VERBS)
      for no in ("please don't", "I don't want to", "no need to")),
    *(f"{no}{said}" for wish in REFUSED.values() for said in wish["zh"]
      if said.startswith(("提交", "申请", "预约", "办理", "登记", "投诉", "换货", "退货", "报修")) and len(said) < 8
      for no in ("不要", "我不想", "不用", "别给我")),
    "please don't let anyone call me", "nobody should call me", "no calls please", "no refund please",
    "no human please", "no technician please", "not interested in a refund", "no calls or visits please",
    "不要让客服给我打电话", "别让人给我打电话", "不用给我回电话", "别派师傅上门", "我说了不退款",
]  # fmt: skip


def test_what_is_refused_is_not_opened(base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talks, "knowledge", lambda: base.knowledge)
    opened, rules = [], dataclasses.replace(policy(SETTINGS), burst=0.0)
    for said in SAID:
        one = Chat(policy=rules)
        one.write(said)
        opened += [said] * bool(one.tickets or one.talk.flow)
    assert len(SAID) > 150
    assert opened == []


@pytest.mark.parametrize(
    ("said", "wished"),
    [
        ("I don't want a refund, I want an exchange", "exchange"),
        ("no exchange, I want my money back", "return"),
        ("I want a refund, not a repair", "return"),
        ("我不要维修，我要退款", "return"),
        ("不是要退货，是要换货", "exchange"),
        ("不是要退货是要换货", "exchange"),
        ("不要修，直接给我换", "exchange"),
        ("I don't want it any more, I want to return it", "return"),
    ],
)
def test_what_is_wished_instead_is_opened(chat: Chat, said: str, wished: str) -> None:
    chat.write(said)
    assert dict(chat.talk.journal)["start"]["kind"] == wished


@pytest.mark.parametrize(
    "said",
    ["no one calls me back", "no one called", "no motion alerts on my phone", "no installation manual in the box"],
)
def test_what_is_missed_is_not_refused(chat: Chat, said: str) -> None:
    assert "bot: All right. I'm here whenever you need me." not in chat.write(said)


def test_whose_call_has_not_come_may_be_angry(chat: Chat) -> None:
    chat.write("no one called")
    assert any(isinstance(one, Alarm) for one in chat.effects)


def test_a_question_beside_a_refused_person_is_answered(chat: Chat) -> None:
    chat.write("no human please, how do I reset my router?")
    assert (chat.talk.last_entry, chat.tickets) == ("factory-reset", [])


def test_two_short_wishes_are_heard_apart(chat: Chat) -> None:
    assert any("[申请换货]" in said for said in chat.write("不想退，想换"))


def test_a_cancelled_form_does_not_come_back_after_another(chat: Chat) -> None:
    for said in ("I want a repair", "dead camera", "cancel"):
        chat.write(said)
    chat.press("do:ticket")
    for said in ("my app crashes", "skip", "jo@example.com", "yes"):
        chat.write(said)
    assert [ticket.kind for ticket in chat.tickets] == ["question"]
    chat.write("go on")
    assert chat.talk.flow == ""


@pytest.mark.parametrize(
    "said",
    [
        "I don't need a ticket I need a person now",
        "I don't want a call I want a human",
        "我不要报修我要人工",
        "不想等了转人工",
        "human detection is broken\nhuman",
        "please call me at 13800138000\nhuman",
        "I don't want to talk to a bot",
        "don't make me wait, get me a human",
        "我不想跟机器人说话",
    ],
)
def test_whoever_refuses_the_bot_gets_a_person(chat: Chat, said: str) -> None:
    chat.write(said)
    assert [ticket.kind for ticket in chat.tickets] == ["urgent"]


@pytest.mark.parametrize(
    ("said", "entry"),
    [
        ("bye! by the way, can I return it?", "return-rules"),
        ("It works now, thank you. How do I change my Wi-Fi password?", "wifi-password-change"),
        ("谢谢，再见！对了，退货要多久能退款？", "refund-time"),
    ],
)
def test_a_question_beside_manners_is_answered(base: KnowledgeBase, said: str, entry: str) -> None:
    ranking = intents.understand(said, base.knowledge, hint="en", now=talks.START).decision
    assert (ranking.outcome, ranking.candidates[0].entry) == ("answer", entry)


def test_an_answer_that_is_forbidden_is_not_given(chat: Chat) -> None:
    chat.write("how do I reset my router? Don't tell me to restart it")
    assert (chat.talk.last_entry, chat.talk.answered) == ("factory-reset", 1)


@pytest.mark.parametrize(
    ("said", "entries"),
    [
        ("How do I set the HG-210 to bridge mode and how do I create an account in Hailan Home",
         ["ont-bridge-mode", "account-register"]),
        ("Why does my Wi-Fi keep disconnecting and why is my account locked", ["wifi-drops", "account-locked"]),
        ("How do I restart my router? And another thing: Why is the LOS light on the HG-210 red?",
         ["ont-los-red", "router-reboot"]),
        ("路由器发烫正常吗，另外Wi-Fi 密码忘了，在哪里能看到", ["router-overheating", "wifi-password-view"]),
    ],
)  # fmt: skip
def test_each_of_several_questions_is_answered(chat: Chat, said: str, entries: list[str]) -> None:
    chat.write(said)
    assert [one.data["entry"] for one in chat.effects if isinstance(one, Fact) and one.kind == "answered"] == entries


def test_one_that_may_mean_several_things_is_asked_back_beside_the_other(chat: Chat) -> None:
    said = chat.write("How do I reset it? also my camera is offline")
    assert chat.talk.last_entry == "camera-offline"
    assert "bot: Just to be sure: which of these do you mean?" in said
