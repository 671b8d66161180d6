"""Public places: what is surely known is answered, all else is silence, or goes on in private."""

from __future__ import annotations

from typing import Any

import pytest

from bot.dialogue import Alarm, Close, Decision, Event, Fact, Open, OpenTicket, SetTimer, Talk, Turn
from bot.engine import decide
from bot.messages import Kind
from tests.talks import POLICY, START, knowledge, understood

LINK = "https://t.me/halden_bot?start=group"


def say(text: str, *, kind: Kind = Kind.TEXT, addressed: bool = True, choice: str = "", **data: Any) -> Decision:
    event = Event(
        1, kind, START, text=text, choice=choice, public=True, addressed=addressed, data={"private": LINK, **data}
    )
    turn = Turn(
        START,
        event,
        Talk(),
        POLICY,
        knowledge(),
        understood=understood(text) if kind is Kind.TEXT else None,
        numbers=("C-00000001", "T-00000001"),
    )
    decision = decide(turn)
    assert isinstance(decision, Decision)
    return decision


def kinds(decision: Decision) -> list[type]:
    return [type(e) for e in decision.effects]


QUESTION = next(text for label, text in knowledge().examples if not label.startswith("intent:") and text.isascii())


def test_a_known_question_is_answered_and_its_matter_closed_without_a_rating() -> None:
    decision = say(QUESTION)
    assert {Open, Close, Fact} <= set(kinds(decision))
    assert SetTimer not in kinds(decision)
    [said] = decision.replies
    assert not [c for c in said.reply.choices if not c.id.startswith("ans:")]
    assert said.why


@pytest.mark.parametrize("text", ["open a ticket", "where is my ticket", "I want to complain", "human", "zorp blimf"])
def test_what_is_personal_or_unknown_goes_on_in_private(text: str) -> None:
    decision = say(text)
    [said] = decision.replies
    assert f"[private chat]({LINK})" in said.reply.text
    assert not {Open, OpenTicket} & set(kinds(decision))


def test_what_was_not_said_to_us_is_left_alone() -> None:
    assert say(QUESTION, addressed=False).replies == ()
    assert say("open a ticket", addressed=False).effects == ()


def test_unless_the_channel_allows_it_and_we_are_very_sure() -> None:
    assert len(say(QUESTION, addressed=False, answer_unasked=True).replies) == 1
    assert say("zorp blimf", addressed=False, answer_unasked=True).replies == ()


@pytest.mark.parametrize(
    "text", ["You are a bunch of liars!!! Third time it broke!!!", "你们就是一群骗子！！！第三次了！！！"]
)
def test_anger_is_reported_and_not_argued_with(text: str) -> None:
    decision = say(text, addressed=False)
    assert decision.replies == ()
    assert Alarm("angry_in_public", text) in decision.effects


def test_danger_is_answered_for_everybody_to_read() -> None:
    decision = say("there is smoke coming out of the router", addressed=False)
    assert Alarm in kinds(decision)
    assert "Your safety comes first" in decision.replies[0].reply.text
    assert OpenTicket not in kinds(decision)


@pytest.mark.parametrize("choice", ["do:ticket", "do:human", "flow:ticket:what:x:1"])
def test_personal_buttons_lead_to_the_private_chat(choice: str) -> None:
    [said] = say("", kind=Kind.CHOICE, choice=choice).replies
    assert LINK in said.reply.text
