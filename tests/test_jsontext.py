"""JSON as it is kept: the same for every value, whichever of the two writers took it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jsontext import dumps, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(VALUES)
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    assert json.loads(dumps(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"words": "你好 é"}, '{"words":"你好 é"}'),
        ({1: (2, None)}, '{"1":[2,null]}'),
        ([2**70], "[1180591620717411303424]"),
    ],
)
def test_it_is_written_short_and_legible(value: Any, text: str) -> None:
    assert dumps(value) == text
    assert loads('{"words":"你好"}') == {"words": "你好"}
