"""Language by script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.language import language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *[
            (said, "")
            for said in ("", "ok", "OK", "wifi", "Wi-Fi", "AX3000", "my ax3000", "12345", "😀😀", "emoji", "???")
        ],
        *[
            (said, "")
            for said in ("yes", "thx", "td", "T-7KQ2M9XD", "http://example.com/my/page", "somebody@example.com")
        ],
        *[
            (said, "")
            for said in ("ルーターの設定", "電源が入らない", "Привет, как дела", "라우터", "เราเตอร์", "δρομολογητής")
        ],
        *[(said, "") for said in ("Hola, mi router no funciona", "Je ne comprends pas", "Wie kann ich das machen")],
        *[(said, "en") for said in ("my café has no wifi", "please come to the Hotel Les Deux", "El Paso office")],
        *[(said, "en") for said in ("hello", "no internet", "reset router", "how to say 你好", "my AX3000 is dead")],
        *[
            (said, "zh")
            for said in ("重置", "怎么办", "AX3000 怎么重置", "我的router坏了", "wifi 密码", "OK的", "怎么 reset")
        ],
        *[(said, "zh") for said in ("繁體中文怎麼設定", "TP-Link router 连不上", "好", "HL24A7X9K2M4 还在保吗")],
    ],
)
def test_language(text: str, code: str) -> None:
    assert language(text) == code


@given(st.text(max_size=500))
def test_any_text_has_one_of_three(text: str) -> None:
    assert language(text) in ("", "en", "zh")
