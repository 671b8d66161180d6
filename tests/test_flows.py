"""Every flow, as the dialogue it holds; and what holds for all of them: journals, back, changed code, old buttons."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.flows import FLOWS, buttons, matter, opening, reading, wording
from bot.flows.draft import Draft
from bot.flows.journal import LONGEST
from bot.flows.pleasantries import praises
from bot.flows.reading import Heard
from bot.flows.steps import Ask, Flow, Known, Say, Ticket
from bot.messages import Kind
from intents.reading import shipped
from knowledge.index import Candidate, Ranking
from tests import talks
from tests.talks import TALKS, ByHeart, Chat, played, understood

DIALOGUES = {
    f"{file.stem}: {talk.splitlines()[0]}": f"# ---- {talk}"
    for file in sorted(TALKS.glob("*.txt"))
    for talk in file.read_text("utf-8").split("# ---- ")[1:]
}


@pytest.mark.parametrize("talk", list(DIALOGUES.values()), ids=list(DIALOGUES))
def test_word_for_word(talk: str) -> None:
    assert played(talk) == talk


def test_every_file_of_dialogues_is_played() -> None:
    assert {file.suffix for file in TALKS.iterdir()} == {".txt"}
    assert all(file.read_text("utf-8").startswith("# ---- ") for file in TALKS.iterdir())


def test_a_flow_is_a_file_of_its_name() -> None:
    assert {flow.__module__ for flow in FLOWS.values()} == {f"bot.flows.{name}" for name in FLOWS}


class InShort(ByHeart):
    """Knows nothing of a text that is long."""

    def ask(self, text: str, lang: str = "", **scope: Any) -> Ranking:
        return super().ask(text, lang, **scope) if len(text) < 40 else Ranking("unknown")


def test_a_wish_in_one_clause_of_a_long_message_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    known = InShort()
    monkeypatch.setattr(talks, "knowledge", lambda: known)
    chat = Chat()
    told = "My name is Jo. I need an installation. It is the AX3000, at 3 Elm Road, Hull. My phone is 07700 900123."
    said = [line for line in chat.write(told) if line.startswith("bot: ")]
    assert said[0] == "bot: Thank you for telling me all that. I'll put it down as “Installation”."
    assert said[1].startswith("bot: When would suit you?")
    assert dict(chat.talk.journal)["start"]["named"]["address"] == "3 Elm Road, Hull"


class Torn(ByHeart):
    """Between an answer and a wish wherever both are in a text."""

    def ask(self, text: str, lang: str = "", **scope: Any) -> Ranking:
        ranking = super().ask(text, lang, **scope)
        both = Candidate("reset-router", 0.84, ""), Candidate("intent:repair", 0.8, "")
        return Ranking("choose", both) if "reset" in text and ranking.outcome == "intent" else ranking


@pytest.fixture
def torn(monkeypatch: pytest.MonkeyPatch) -> Chat:
    known = Torn()
    monkeypatch.setattr(talks, "knowledge", lambda: known)
    return Chat()


def says(chat: Chat, text: str) -> list[str]:
    """What comes of words that nothing follows."""
    return [*chat.write(text), *chat.later(seconds=10)]


def test_a_wish_beside_its_matter_is_no_choice(torn: Chat) -> None:
    assert "bot: Which product is it about?" in says(torn, "I need a repair, the reset button fell off")
    assert dict(torn.talk.journal)["start"]["what"] == "I need a repair, the reset button fell off"


def test_a_wish_beside_a_question_is_a_choice(torn: Chat) -> None:
    said = says(torn, "I need a repair, or how do I reset it?")
    assert "bot: Just to be sure: which of these do you mean?" in said


@pytest.mark.parametrize("fact", ["SO2026030512", "07700 900123"])
def test_who_gives_facts_for_a_form_that_is_offered_fills_it_in(torn: Chat, fact: str) -> None:
    says(torn, "I need a repair or a reset")
    assert "bot: Thank you, noted. And which of these do you mean?" in says(torn, "AX3000")
    says(torn, fact)
    assert (torn.talk.flow, torn.talk.asked) == ("ticket", "serial")


# ---------------------------------------------------------------- what holds for all flows


def before(known: Known) -> Flow:
    """A flow as it was when the customer began."""
    name = yield Ask("name", reading.words, key="human.what", free=True)
    yield Say("thanks")
    colour = yield Ask("colour", reading.words, key="ticket.change", free=True)
    yield Ticket("question", f"{name} {colour}")
    yield Ask("more", reading.words, key="ask.contact", free=True)


def after(known: Known) -> Flow:
    """The same after an admin's change: another question in between, and the thanks are gone."""
    name = yield Ask("name", reading.words, key="human.what", free=True)
    yield Ask("size", reading.words, key="complaint.what", free=True)
    colour = yield Ask("colour", reading.words, key="ticket.change", free=True)
    yield Ticket("question", f"{name} {colour}")


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch) -> Chat:
    """A chat in which ``before`` is what a ticket wish starts."""
    monkeypatch.setitem(FLOWS, "ticket", before)
    chat = Chat()
    chat.write("open a ticket")
    chat.later(seconds=9)
    return chat


def test_a_flow_that_changed_asks_only_what_is_new(flow: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    flow.write("Ann")
    flow.later(seconds=9)
    monkeypatch.setitem(FLOWS, "ticket", after)
    said = flow.write("blue")
    assert said[0].startswith("bot: One moment, I have to ask that again.")
    assert flow.talk.asked == "colour"
    assert dict(flow.talk.journal)["size"] == "blue"


def test_a_flow_that_is_gone_lets_the_customer_go(flow: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(FLOWS, "ticket")
    assert "Hold the" in flow.write("how do i reset my router")[0]
    assert flow.talk.flow == ""


def test_nothing_said_or_done_is_repeated_by_the_next_turn(flow: Chat) -> None:
    said = flow.write("Ann")
    flow.later(seconds=9)
    assert [line[:4] for line in said] == ["bot:", "bot:"]
    said = flow.write("blue")
    assert sum("ticket" in line for line in said) == 1
    assert "very welcome" not in "".join(said)


def test_back_never_crosses_an_effect(flow: Chat) -> None:
    flow.write("Ann")
    flow.later(seconds=9)
    flow.write("blue")
    flow.later(seconds=9)
    assert flow.talk.asked == "more"
    assert flow.write("back")[0].startswith("bot: I can't go back any further")
    assert flow.talk.asked == "more"
    assert len(flow.tickets) == 1


def test_back_goes_one_question_at_a_time(flow: Chat) -> None:
    flow.write("Ann")
    flow.later(seconds=9)
    assert flow.talk.asked == "colour"
    flow.write("back")
    assert flow.talk.asked == "name"
    assert len(flow.talk.journal) == 1


def test_the_journal_holds_what_was_known_when_the_flow_began() -> None:
    chat = Chat()
    chat.customer["contact"] = "old@example.com"
    chat.write("open a ticket")
    chat.customer["contact"] = "new@example.com"
    chat.later(seconds=9)
    chat.write("the cable is broken")
    chat.later(seconds=9)
    assert "old@example.com" in "".join(chat.write("AX3000"))


def test_turning_in_circles_ends_with_a_person() -> None:
    chat = Chat()
    for words in ("open a ticket", "the cable is broken", "skip", "skip"):
        chat.later(seconds=9)
        chat.write(words)
    while not chat.tickets:
        chat.later(seconds=9)
        for words in ("2", "1", "the cable is broken again", "hm"):
            chat.write(words)
    assert [t.kind for t in chat.tickets] == ["urgent"]
    assert len(chat.talk.journal) < LONGEST + 5


def test_a_person_ends_the_flow_even_if_nothing_is_left_to_ask() -> None:
    chat = Chat()
    chat.customer["contact"] = "jo@example.com"
    for words in ("open a ticket", "the cable is broken", "human"):
        chat.later(seconds=9)
        chat.write(words)
    assert chat.talk.flow == ""
    assert [(t.kind, t.subject) for t in chat.tickets] == [("urgent", "the cable is broken")]


def test_a_flow_under_an_agents_feet_is_over() -> None:
    chat = Chat()
    chat.write("open a ticket")
    chat.agent("takes over")
    chat.agent("gives back")
    assert "Hold the" in chat.write("how do i reset my router")[0]


# ---------------------------------------------------------------- how answers are read


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("t-7k2m9qxa", "T-7K2M9QXA"),
        ("T7K2M9QXA", "T-7K2M9QXA"),
        ("7k2m9qxa please", "T-7K2M9QXA"),
        ("工单7K2M9QXA怎么样了", "T-7K2M9QXA"),
        ("Ｔ－７Ｋ２Ｍ９ＱＸＡ", "T-7K2M9QXA"),
        ("abcdefgh", "T-ABCDEFGH"),
        ("telephone", ""),
        ("13800138", ""),
        ("nothing", ""),
    ],
)
def test_ticket_numbers_as_people_type_them(text: str, number: str) -> None:
    own = ["T-ABCDEFGH"]
    assert reading.ticket_number(Heard(text, understood(text)), own) == number


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1", "a"),
        (" 2. ", "b"),
        ("（３）", "c"),
        ("②", "b"),
        ("4", ""),
        ("0", ""),
        ("yes, send it!", "a"),
        ("换货", "c"),
        ("exchange", ""),
        ("12345", ""),
    ],
)
def test_buttons_can_be_typed(text: str, found: str) -> None:
    offered = (("a", "Yes, send it"), ("b", "2 🙁"), ("c", "换货"))
    assert buttons.typed(text, offered, None) == found


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("5", "5"),
        ("５", "5"),
        ("★★★★", "4"),
        ("5 stars", "5"),
        ("满意", "4"),
        ("非常不满意", "1"),
        ("五", "5"),
        ("hm", ""),
    ],
)
def test_scores_can_be_typed(text: str, score: str) -> None:
    offered = tuple((f"rate:C-1:1:{n}", f"{n} 😀") for n in "12345")
    assert buttons.typed(text, offered, understood(text)).removeprefix("rate:C-1:1:") == score


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("it is 138 0013 8000", "13800138000"),
        ("Jo@Example.com", "Jo@Example.com"),
        ("+49 30 1234567", "+49301234567"),
        ("no", "skip"),
        ("不用", "skip"),
        ("12", None),
        ("call me", None),
    ],
)
def test_contacts(text: str, contact: str | None) -> None:
    read = reading.contact(Heard(text, understood(text)))
    assert (read and read.replace(" ", "").casefold()) == (contact and contact.casefold())


@pytest.mark.parametrize("text", ["不告诉你", "I won't tell you", "none of your business"])
def test_who_does_not_tell_is_not_asked_again(text: str) -> None:
    assert reading.contact(Heard(text, understood(text))) == "skip"


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("call me at 13800138000", "13800138000"),
        ("13800138000", "13800138000"),
        ("打我电话 13800138000", "13800138000"),
        ("my e-mail is jo@example.com", "jo@example.com"),
        ("0161 496 1111 thats her number her name is sue", "0161 496 1111"),
        ("sorry, 0161 496 0304", "0161 496 0304"),
        ("call 07700 900111", "07700 900111"),
        ("mi teléfono es +34 600 123 456", "+34600123456"),
        ("0123 456 789 is my order number", ""),
        ("is 13800138000 your number?", ""),
        ("13800138000 一直打不通怎么办", ""),
        ("call me", ""),
    ],
)
def test_contacts_given_freely(text: str, contact: str) -> None:
    assert matter.given_freely(Heard(text, understood(text))) == contact


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("AX3000", "AX3000"),
        ("the white one with four antennas", "the white one with four antennas"),
        ("白色带四根天线的那个老款路由器吧好像", "白色带四根天线的那个老款路由器吧好像"),
        ("白色的小盒子", "白色的小盒子"),
        ("it just keeps dropping all night", None),
        ("我已经说过很多遍了还是一直断", None),
        ("no idea", "skip"),
    ],
)
def test_products(text: str, product: str | None) -> None:
    assert reading.product(Heard(text, understood(text))) == product


@pytest.mark.parametrize("text", ["no", "不用了", "hello", "thanks", "ok"])
def test_what_is_no_matter(text: str) -> None:
    assert reading.words(Heard(text, understood(text))) is None


@pytest.mark.parametrize(
    "text", ["没事了", "没事了，已经断电", "is it safe to use now?", "I unplugged it", "火灭了", "现在能用了吗"]
)
def test_a_danger_that_is_over(text: str) -> None:
    assert wording.is_calm(text)


@pytest.mark.parametrize("text", ["没事先预约", "how do I change the password", "电源线多长"])
def test_words_about_no_danger(text: str) -> None:
    assert not wording.is_calm(text)


BLAME = """
the technician who came yesterday was late · your engineer was very unfriendly and impatient · Tom did a terrible job
the man who installed it was drunk · the fitter was not on time · I spoke to Anna yesterday
the installer never showed up · please tell the technician I am at home until six
Anna would be great if she came · was the technician nice?
安装的小伙子没来 · 小王服务很差 · 你们的工程师太不专业了 · 师傅说要换主板 · 客服小李骂我 · 你们的客服一点都不耐心
维修师傅乱收费 · 昨天来的师傅忘了拿走工具 · 师傅人很好，就是迟到了
"""


def test_what_is_said_of_our_people_is_praise_only_if_it_praises() -> None:
    said = shipped().examples["praise"]
    assert [text for texts in said.values() for text in texts if not praises(drafted(text))] == []
    assert [text for text in re.split(r" · |\n", BLAME.strip()) if praises(drafted(text))] == []


def drafted(text: str) -> Draft:
    """What is decided about these words, at its beginning."""
    return Draft(Chat().turn(Kind.TEXT, text=text))


@pytest.mark.parametrize(
    ("before", "correction", "right"),
    [
        ("5 High Street, Oxford", "12 Mill Lane", "12 Mill Lane, Oxford"),
        ("5 High Street, Oxford", "12 Baker Street London", "12 Baker Street London"),
        ("5 High Street, Oxford", "12 Mill Lane, Halden", "12 Mill Lane, Halden"),
        ("上海市浦东新区，张江路5号", "北京市朝阳区建国路1号", "北京市朝阳区建国路1号"),
        ("上海市浦东新区张江路5号", "张江路50号", "上海市浦东新区张江路50号"),
    ],
)
def test_a_corrected_street_keeps_its_town_unless_one_is_said(before: str, correction: str, right: str) -> None:
    assert wording.corrected_address(correction, before) == right


@pytest.mark.parametrize(
    "private", ["2 routers for my house", "我家里用", "自己用", "个人购买", "no company", "没有公司", "在家里用"]
)
def test_who_buys_for_himself_has_no_company(private: str) -> None:
    assert wording.is_private(private)


@pytest.mark.parametrize(
    "firm",
    [
        "皇家中学",
        "Household Goods Ltd",
        "我们公司有30个人，想采购20台路由器",
        "商家用的路由器",
        "国家中医药局",
        "a hotel, for my father",
    ],
)
def test_a_firm_is_one_whatever_its_name_holds(firm: str) -> None:
    assert not wording.is_private(firm)


@pytest.mark.parametrize(
    "said", ["我没说取消", "电视信号不来了", "别取消", "don't cancel it", "I do not want to cancel it"]
)
def test_what_is_not_taken_back_is_still_wanted(said: str) -> None:
    assert not opening.is_unwanted(said)
