"""The forms of tickets: what is wrong in them is told with its line, and a kind of one's own is a form of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.flows.reading import READERS
from bot.strictyaml import YamlError
from handoff import forms
from tests.talks import POLICY, Chat

SHIPPED = forms.SHIPPED.read_text("utf-8")
TUNING = """
  tuning:
    label: {en: Tuning, zh: 调试}
    asks: {what: required, floor: optional}
"""
FLOOR = """
  floor:
    label: {en: Floor, zh: 楼层}
    ask: {en: Which floor is it on?, zh: 在几楼？}

kinds:
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("  recovery:", "  restoring:", r"forms.yaml:\d+: the kind 'recovery' is missing"),
        ("{what: required, company: optional", "{what: required, firm: optional", "unknown field 'firm'"),
        ("contact: required}\n  emergency", "contact: yes}\n  emergency", "kinds.urgent.asks.contact: 'yes' is not"),
        ("label: {en: Repair, zh: 维修}", "label: {en: Repair}", "label is missing in zh"),
        ("ask: {en: Which product is it about?, zh: 请问是哪款产品？}", "ask: {en: ''}", "ask is missing in en"),
        ("    read: serial", "    read: cereal", r"'cereal' is not allowed \(did you mean 'serial'\?\)"),
        ("  bought:\n", "  start:\n", "'start' has a meaning of its own here"),
        ("  bought:\n", "  Bought:\n", "'Bought' must be small letters"),
        ("  what:\n", "  whatever:\n", "the field 'what' is missing"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert right in SHIPPED
    file = tmp_path / "forms.yaml"
    file.write_text(SHIPPED.replace(right, wrong, 1), "utf-8")
    with pytest.raises(YamlError, match=said) as error:
        forms.read(file, ("en", "zh"))
    lines = SHIPPED.replace(right, wrong, 1).splitlines()
    assert all(0 < problem.line <= len(lines) for problem in error.value.problems)


def test_every_way_of_reading_can_be_had() -> None:
    assert READERS.keys() == set(forms.Field.model_fields["read"].annotation.__args__)  # type: ignore[union-attr]


def test_a_wish_of_ones_own_with_a_kind_of_ones_own_is_a_dialogue(tmp_path: Path) -> None:
    file = tmp_path / "forms.yaml"
    file.write_text(SHIPPED.replace("\nkinds:\n", FLOOR, 1) + TUNING, "utf-8")
    own = forms.read(file, ("en", "zh"))
    chat = Chat(policy=replace(POLICY, forms=own))
    assert chat.press("do:tuning")[1].startswith("bot: What happened?")
    chat.later(seconds=9)
    assert chat.write("The antenna hums")[0] == "bot: Which floor is it on?"
    chat.later(seconds=9)
    assert chat.write("the third")[:3] == [
        "bot: Shall I send this to my colleagues?",
        "  - What happened: The antenna hums",
        "  - Floor: the third",
    ]
    assert "* ticket T-00000001 tuning normal 24h 'The antenna hums' floor=the third" in chat.press("Yes, send it")


def test_the_house_opens_its_own_kinds_itself() -> None:
    assert Chat().press("do:recovery") == ["bot: That button is no longer valid. Just write what you need."]
