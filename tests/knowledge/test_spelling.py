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
        ("routers", "routers"),
        ("xqzvkwpt", "xqzvkwpt"),
        ("路由器", "路由器"),
    ],
)
def test_repair(written: str, meant: str) -> None:
    assert SPELLER.repair([written]) == [meant]


SHOP = Speller(
    text.split()
    for text in (
        "how do i set up the guest network",
        "the wlan key is gone",
        "other key for my wlan",
        "set a new wlan key",
        "a lan cable for each lan port of the lan, the lan light and the lan test",
        "i bought it on tmall",
        "refund from tmall",
        "who pays my tmall order",
        "a small box",
        "a small lamp",
        "the small and the small one",
        "my card did not arrive",
        "is my card lost",
        "can i block a phone",
        "do you block a phone that i block",
        "turn on iptv",
        "how do i turn on iptv",
        "my purchase doesn't show",
    )
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("is my crd lost", "is my card lost"),  # short, but said at this place
        ("hwo do i set up teh gest network", "how do i set up the guest network"),
        ("my puhcase", "my purchase"),  # two errors in seven letters, also
        ("it doesnt show", "it doesn't show"),
        ("the ont is new", "the ont is new"),  # short, and never said here
        ("set a new wlan key", "set a new wlan key"),  # the FAQ says it often, and what is near it as often
        ("refund of a tmall order", "refund of a tmall order"),
        ("unblock a phone", "unblock a phone"),  # the contrary of what the FAQ knows is no error
        ("turn on ipv 6", "turn on ipv 6"),  # what has a number after it is a name
        ("my phone's card", "my phone's card"),
        ("set up the ddns", "set up the ddns"),  # a name that customers use and the FAQ does not
        ("a wlan for the ac", "a wlan for the ac"),  # two letters may be anything
        ("my lq", "my lq"),
    ],
)
def test_the_words_beside_it_tell_what_was_meant(written: str, meant: str) -> None:
    assert " ".join(SHOP.repair(written.split())) == meant


def test_nothing_is_repaired_towards_nothing() -> None:
    assert Speller([]).repair(["routre", "msh"]) == ["route", "msh"]
