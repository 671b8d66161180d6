"""Typing errors are repaired, words that are right are left alone."""

from __future__ import annotations

import pytest

from knowledge.spelling import Speller

SPELLER = Speller(
    [
        *[["router", "password", "mesh", "pppoe", "firmware", "installation", "wifi"]] * 3,
        ["pasword"],  # an example written as customers write
    ]
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ruoter", "router"),
        ("pasword", "password"),
        ("firmwrae", "firmware"),
        ("instalaton", "installation"),  # two errors, believed in a long word
        ("pppoe", "pppoe"),  # the FAQ knows it, English does not
        ("weather", "weather"),  # English knows it, the FAQ does not
        ("weathr", "weather"),
        ("mash", "mash"),
        ("msh", "msh"),  # too short to tell
        ("xqzvkwpt", "xqzvkwpt"),
        ("路由器", "路由器"),
        ("dont", "don't"),  # and not "done"
        ("wont", "won't"),
        ("well", "well"),
    ],
)
def test_repair(written: str, meant: str) -> None:
    assert SPELLER.repair([written]) == [meant]
