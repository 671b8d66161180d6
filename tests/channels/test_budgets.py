"""How fast each platform lets us write, as its channel declares it; and that a channel brings no other's library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.pace import Pace
from channels import Channel
from channels.slack import Slack
from channels.telegram import Telegram
from channels.wecom import Wecom

ROOT = Path(__file__).parent.parent.parent
KEYS: dict[str, Any] = {"corp_id": "ww1", "agent_id": "7", "app_secret": "x", "token": "t", "aes_key": "k" * 43}


def telegram() -> Telegram:
    return Telegram(token="666:x", secret="s" * 32)


def slack() -> Slack:
    return Slack(token="xoxb-1", secret="s" * 32)


def wecom(**more: Any) -> Wecom:
    return Wecom(secret="s" * 32, **KEYS, **more)


def minute(channel: Channel, address: str, *, wanted: int = 200, seconds: float = 60.0) -> int:
    """How many of so many messages go out to an address within the time, written as fast as allowed."""
    pace, now, sent = Pace(channel.can.budget, channel.place), 1000.0, 0
    while now < 1000.0 + seconds and sent < wanted:
        if pace.free_at(address) <= now and pace.room(now, 1):
            pace.spend(address, now)
            sent += 1
        now += 0.01
    return sent


@pytest.mark.parametrize(
    ("channel", "address", "many"),
    [
        (telegram(), "42", 60),  # one a second
        (telegram(), "-100200#42", 20),  # twenty a minute into a group, whoever asks there
        (telegram(), "-100200:7#43", 20),
        (slack(), "T1/D1", 60),
        (slack(), "T1/C1/1.2#U1", 60),
        (wecom(), "user/zhangsan", 30),
    ],
)
def test_a_minute_to_one_place(channel: Channel, address: str, many: int) -> None:
    assert abs(minute(channel, address) - many) <= 1


@pytest.mark.parametrize(
    ("channel", "one", "same", "other"),
    [
        (telegram(), "-100200#42", "-100200:7#43", "-100300#42"),
        (slack(), "T1/C1/1.2#U1", "T1/C1/3.4#U2", "T1/C2/1.2#U1"),
        (wecom(), "user/a", "user/a", "user/b"),
    ],
)
def test_a_platforms_no_holds_the_place_it_was_said_of(channel: Channel, one: str, same: str, other: str) -> None:
    pace = Pace(channel.can.budget, channel.place)
    pace.hold(one, 50.0)
    assert (pace.free_at(same), pace.free_at(other)) == (50.0, 0.0)
    assert pace.room(10.0, 1) == 1


def test_telegram_takes_25_a_second_from_us_over_all() -> None:
    channel = telegram()
    pace = Pace(channel.can.budget, channel.place)
    for chat in range(100):
        if pace.room(1.0, 1):
            pace.spend(str(chat), 1.0)
    assert len(pace._all) == 25


def test_kf_counts_five_and_the_application_does_not() -> None:
    channel = wecom()
    assert (channel.at("kf/wk1/wmA").replies, channel.at("kf/wk1/wmA").window) == (5, 48 * 3600)
    assert (channel.at("user/a").replies, channel.at("user/a").window) == (0, 0)
    assert [wecom(kf_sessions=how).at("kf/wk1/wmA").people for how in ("relay", "native")] == [False, True]


LIBRARIES = {"telegram": {"telegram", "httpx"}, "slack": {"slack_sdk", "slack_bolt"}, "wecom": {"wechatpy"}}
USE = """
import asyncio, sys
import bot.app
from channels import make
given = {"telegram": {"token": "666:x", "api_url": "http://127.0.0.1:9"},
         "slack": {"token": "xoxb-1", "api_url": "http://127.0.0.1:9"},
         "wecom": {**%r, "api_url": "http://127.0.0.1:9"}}[sys.argv[1]]
one = make(sys.argv[1], {"type": sys.argv[1], **given}, {"secret": "s" * 32})
asyncio.run(one.check())
print(*sorted(m for m in sys.modules if "." not in m))
"""


@pytest.mark.parametrize("kind", LIBRARIES)
def test_a_channel_brings_its_own_library_only(kind: str) -> None:
    """It is even used: the check calls a platform that is not there."""
    ran = subprocess.run([sys.executable, "-c", USE % KEYS, kind], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded, others = set(ran.stdout.split()), set().union(*(LIBRARIES[one] for one in LIBRARIES if one != kind))
    assert not loaded & others
    assert "channels" in loaded
