"""What a message names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.strictyaml import load
from intents.entities import entities
from intents.normal import clean
from intents.reading import ValueFile, number, shipped
from tests.intents.asked import NOW, PRODUCTS

VALUES = load(Path(__file__).parents[2] / "intents" / "values.yaml").data


def named(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in entities(clean(text), NOW, PRODUCTS, shipped().numbers)]


@pytest.mark.parametrize(
    ("said", "kind", "value"),
    [
        *[
            (said, "ticket", "T-7KQ2M9XD")
            for said in ("T-7KQ2M9XD", "t7kq2m9xd", "Ｔ－７ＫＱ２Ｍ９ＸＤ", "T 7kq2m9xd", "t—7kq2m9xd")
        ],
        ("where is t-7kq2m9xd?", "ticket", "T-7KQ2M9XD"),
        ("工单T-1O2I3L45怎么样了", "ticket", "T-10213145"),
        ("hl24 a7x9 k2m4", "serial", "HL24A7X9K2M4"),
        ("序列号：HL24A7X9K2M4。", "serial", "HL24A7X9K2M4"),
        ("serial HL25C5AB12CD", "serial", "HL25C5AB12CD"),
        ("我的订单 260305128866 到哪了", "order", "260305128866"),
        ("order #112-8372633-9", "order", "11283726339"),
        ("so 2026 030512", "order", "SO2026030512"),
        ("我的手机13812345678", "phone", "13812345678"),
        ("+86 138 1234 5678", "phone", "13812345678"),
        ("０５７１－８８８８００００", "phone", "057188880000"),
        ("400-820-8820", "phone", "4008208820"),
        ("call +1 (415) 555-0123 please", "phone", "+14155550123"),
        ("+44 20 7946 0958", "phone", "+442079460958"),
        ("(415) 555-0123", "phone", "4155550123"),
        ("mail me at Foo.Bar+x@example.co.uk.", "email", "foo.bar+x@example.co.uk"),
        ("邮箱abc@example.com谢谢", "email", "abc@example.com"),
        *[
            (said, "model", "AX3000")
            for said in ("ax3000", "AX 3000", "ax-3000", "ＡＸ３０００", "我的AX3000坏了", "order AX3000")
        ],
        ("hg210", "model", "HG-210"),
        ("the x20pro", "model", "X20 Pro"),
        ("the x20", "model", "X20"),
        ("¥1,299.00", "amount", "1299.00 CNY"),
        ("￥199", "amount", "199 CNY"),
        ("199元", "amount", "199 CNY"),
        ("300块钱", "amount", "300 CNY"),
        ("$20", "amount", "20 USD"),
        ("20 dollars", "amount", "20 USD"),
        ("请用英文", "language", "en"),
        ("in Chinese please", "language", "zh"),
        ("明天下午3点", "datetime", "2026-03-05T15:00+08:00"),
    ],
)
def test_one_thing_named(said: str, kind: str, value: str) -> None:
    assert named(said) == [(kind, value)]


@pytest.mark.parametrize(
    "said",
    (
        "telephone | t telephone | don't disconnect me | AX30000 | MAX3000 | a@b | @ | 192.168.1.1:8080 | T-SHIRT | 12"
        " | in order to reset | HL router is very bad | order AX6000 | v1.2.3 | 10.0.0.1 255.255.255.0 | fe80::1ff:fe23"
    ).split(" | "),
)
def test_nothing_named(said: str) -> None:
    assert named(said) == []


def test_several_things_in_their_order() -> None:
    said = "call 13812345678 tomorrow at 10 about HL24A7X9K2M4, order SO2026030512, my AX3000 and AX1800"
    assert [kind for kind, _ in named(said)] == ["phone", "datetime", "serial", "order", "model", "model"]


@pytest.mark.parametrize("kind", ["serial", "order"])
def test_the_examples_of_the_forms_of_numbers(kind: str) -> None:
    form = ValueFile.model_validate(VALUES[kind])

    def found(said: str) -> bool:
        return any(one.kind == kind for one in entities(clean(said), NOW, (), shipped().numbers))

    assert [said for said in form.examples if not found(said)] == []
    assert [said for said in form.counter if found(said)] == []


def test_a_form_of_its_own() -> None:
    form = {"serial": number(ValueFile(shapes=("@@-##X",)))}
    assert [e.value for e in entities("device ab 12x here", NOW, (), form)] == ["AB12X"]


@given(st.text(max_size=400))
def test_any_text(said: str) -> None:
    text = clean(said)
    for one in entities(text, NOW, PRODUCTS, shipped().numbers):
        assert one.text in text
        assert one.value


@pytest.mark.parametrize(
    "piece",
    ["1", "a", "a@", "a.", "@", "+1 ", "t-", "明天", "3点", "ax ", "13812345678 ", "hl 1", "5月", "order 1", "周"],
)
def test_a_flood_of_one_piece_is_read_to_its_end(piece: str) -> None:
    flood = piece * (8000 // len(piece))
    for one in entities(flood, NOW, PRODUCTS, shipped().numbers):
        assert one.text in flood
