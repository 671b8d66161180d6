"""One spelling for what means the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.normal import LIMIT, chinese, models, normal, units, words
from knowledge.wording import Wording


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("  ＡＸ３０００　怎麼重設？ ", "ax3000 怎么重设?"),
        ("網絡連線設定", "网络连线设定"),
        ("re\u200bset\u0000 my\tRouter\n", "reset my router"),
        ("I can’t", "i can't"),
        ("\ud800😀", "😀"),
    ],
)
def test_one_spelling(written: str, read: str) -> None:
    assert normal(written) == read


def test_models_are_written_in_one_piece_if_the_faq_knows_them() -> None:
    wording = Wording(["How do I reset the AX3000?"], {})
    assert wording("reset ax-3000") == wording("reset AX 3000") == "reset ax3000"
    assert wording("in 2024") == "in 2024"
    assert wording("AX-3000怎么复位") == "ax3000怎么复位"


def test_synonyms_are_replaced_as_whole_words() -> None:
    wording = Wording([], {"en": (("wifi", "wi-fi", "wlan"),), "zh": (("密码", "口令"),)})
    assert wording("My Wi-Fi and wlans") == "my wifi and wlans"
    assert wording("改口令") == "改密码"


def test_words_and_units() -> None:
    assert words("reset the ax3000, isn't it") == ["reset", "the", "ax3000", "isn't", "it"]
    assert units("我的wifi6慢") == ["我", "的", "wifi6", "慢"]
    assert models("ax3000 and c5 and hg-210") == {"ax3000"}


@pytest.mark.parametrize(("text", "share"), [("reset", 0.0), ("重置", 1.0), ("", 0.0), ("😀", 0.0)])
def test_share_of_chinese(text: str, share: float) -> None:
    assert chinese(text) == share


@given(st.text(st.characters(), max_size=3000))
def test_any_text_becomes_short_and_stays_so(text: str) -> None:
    once = normal(text)
    assert len(once) <= LIMIT
    assert "\x00" not in once
    assert normal(once) == once
