"""Words that say the same thing are found in Chinese, also when they are misspelt by their sound."""

from __future__ import annotations

import pytest

from knowledge.faq import from_examples
from knowledge.index import build
from knowledge.kernels import written_and_heard
from knowledge.normal import WORDS, units
from knowledge.senses import readings, senses, sounds


def meant(text: str) -> set[str]:
    split = units(text)
    return set(senses(split, sounds(split)))


@pytest.mark.parametrize(
    ("one", "other"),
    [("卡丢了", "卡不见了"), ("钱没到账", "款没收到"), ("密码忘记了", "口令想不起来"), ("充值", "冲值")],
)
def test_they_share_a_sense(one: str, other: str) -> None:
    assert meant(one) & meant(other)


def test_the_longest_word_counts() -> None:
    assert meant("银行卡") == meant("储蓄卡")
    assert not meant("忘记") & meant("登记")
    assert meant("") == set()


def test_a_word_of_one_character_is_not_known_by_its_sound() -> None:
    assert meant("丢")
    assert not meant("丢") & meant("铥")


def test_the_table_is_in_order() -> None:
    for line in (WORDS / "chinese.txt").read_text(encoding="utf-8").splitlines():
        words = line.split()
        assert len(words) >= 2, line
        assert len(set(words)) == len(words), line


def test_grams_hold_characters_sounds_and_senses() -> None:
    written, heard = written_and_heard(units("卡丢了"))
    assert {"卡", "卡 丢"} <= set(written)
    assert readings()["卡"] in heard
    assert set(written) & set(heard)


def test_other_words_find_the_same_answer() -> None:
    rows = [
        ("lost", "银行卡丢了"),
        ("lost", "卡遗失怎么挂失"),
        ("rate", "存款利率是多少"),
        ("rate", "定期一年有多少利息"),
    ]
    knowledge = build(from_examples({"label": label, "text": text} for label, text in rows))
    assert knowledge.ask("借记卡找不着啦").candidates[0].entry == "lost"
