"""Markdown as a terminal shows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.dialects import plain
from channels.tree import parse


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("Hello **you** and *me*", "Hello you and me"),
        ("one\ntwo", "one\ntwo"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("# Title\ntext", "Title\n\ntext"),
        ("- a\n- b\n  - c", "• a\n• b\n  • c"),
        ("3. a\n4. b\n   more", "3. a\n4. b\n   more"),
        ("`code` and\n\n```\na\n  b\n```", "code and\n\n    a\n      b"),
        ("[terms](https://x.example/a)", "terms (https://x.example/a)"),
        ("<https://x.example>", "https://x.example"),
        ("[us](mailto:a@x.example)", "us (a@x.example)"),
        ("[no](javascript:alert(1))", "[no](javascript:alert(1))"),
        ("[no](/relative)", "no"),
        ("<b>no</b> <script>x</script>", "<b>no</b> <script>x</script>"),
        ("![a picture](https://x.example/p.png)", "a picture"),
        ("| a | b |\n|---|---|\n| **1** | 2 |", "a | b\n1 | 2"),
        ("> quoted", "quoted"),
        ("a\n\n---\n\nb", "a\n\n———\n\nb"),
        ("2 * 3 * 4, snake_case_name", "2 * 3 * 4, snake_case_name"),
        ("", ""),
    ],
)
def test_plain(markdown: str, shown: str) -> None:
    assert plain(markdown) == shown


@pytest.mark.parametrize("text", ["**注意：**请先断电", "请**重启（长按）**路由器", "见**“设置”**页"])
def test_bold_beside_chinese_needs_no_spaces(text: str) -> None:
    assert plain(text) == text.replace("**", "")


@given(st.text(max_size=300))
def test_any_text_can_be_shown(text: str) -> None:
    assert parse(text).tag == "doc"
    assert isinstance(plain(text), str)
