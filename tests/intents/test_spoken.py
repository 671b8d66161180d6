"""Numbers that are spelled out."""

from __future__ import annotations

import pytest

from intents.spoken import digits


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("幺三八 零零幺三 八零零零", "13800138000"),
        ("电话是幺三八，零零幺三，八零零零，谢谢", "电话是13800138000，谢谢"),
        ("一三八零零一三八零零零", "13800138000"),
        ("我的电话138零零幺三八零零零", "我的电话13800138000"),
        ("零五七幺八八八八零零零零", "057188880000"),
        ("one three eight double zero one three eight triple zero", "13800138000"),
        ("it's oh one three one, four nine six, oh oh oh oh", "it's 01314960000"),
        ("zero seven seven zero zero nine zero zero one two three please", "07700900123 please"),
        ("order SO two zero two six zero three zero five one two", "order SO2026030512"),
        ("H L two four A seven X nine K two M four", "HL24A7X9K2M4"),
        ("h l two four a seven x nine k two m four", "HL24A7X9K2M4"),
        ("HL二四A七X九K二M四", "HL24A7X9K2M4"),
    ],
)
def test_a_number_that_is_spelled_out_is_read(said: str, read: str) -> None:
    assert digits(said) == read


@pytest.mark.parametrize(
    "said",
    [
        "周一二三四五六都行",
        "one, two or three of them",
        "I need two routers and one camera",
        "三千五百二十一块",
        "138 0013 8000",
        "0131 496 0000",
        "2026-03-05 at 3 o'clock",
        "二〇二六年三月五日",
        "so one of the two is dead",
        "一台不亮，两台很慢，三台能用",
        "1 2 3 4 5 6 7 8",
        "192.168.1.1",
    ],
)
def test_what_is_counted_or_written_stays(said: str) -> None:
    assert digits(said) == said
