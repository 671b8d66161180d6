"""Dates and times, in both languages, seen from Wednesday 4 March 2026, 10:00."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.days import number
from intents.times import times
from tests.intents.asked import NOW


def found(text: str, now: datetime = NOW) -> list[str]:
    return [value.replace("+08:00", "") for _, value, _, _ in times(text, now)]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("明天下午3点", "2026-03-05T15:00"),
        ("我想明天下午3点安装", "2026-03-05T15:00"),
        ("后天上午十点半", "2026-03-06T10:30"),
        ("大后天中午", "2026-03-07T12:00"),
        ("下周一", "2026-03-09"),
        ("这周六", "2026-03-07"),
        ("上周五", "2026-02-27"),
        ("下下周二", "2026-03-17"),
        ("周三晚上", "2026-03-04T18:00/2026-03-04T23:00"),
        ("星期天", "2026-03-08"),
        ("礼拜天下午", "2026-03-08T12:00/2026-03-08T18:00"),
        ("周末", "2026-03-07/2026-03-09"),
        ("下周", "2026-03-09/2026-03-16"),
        ("下个月", "2026-04"),
        ("三天后", "2026-03-07"),
        ("两天前买的", "2026-03-02"),
        ("二十天前", "2026-02-12"),
        ("半小时后", "2026-03-04T10:30"),
        ("一个半小时后", "2026-03-04T11:30"),
        ("两个月前", "2026-01-04"),
        ("3月5号", "2026-03-05"),
        ("三月五日上午9点", "2026-03-05T09:00"),
        ("12月20号", "2025-12-20"),
        ("2026年3月5日下午三点", "2026-03-05T15:00"),
        ("去年5月买的", "2025-05"),
        ("2025年11月", "2025-11"),
        ("去年双十一，11月11号", "2025-11-11"),
        ("今晚8点", "2026-03-04T20:00"),
        ("明早九点", "2026-03-05T09:00"),
        ("晚上12点", "2026-03-05T00:00"),
        ("凌晨12点", "2026-03-05T00:00"),
        ("下午3点一刻", "2026-03-04T15:15"),
        ("上午9点05分", "2026-03-05T09:05"),
        ("3点", "2026-03-04T15:00"),
        ("明天下午2点到4点", "2026-03-05T14:00/2026-03-05T16:00"),
        ("tomorrow at 10", "2026-03-05T10:00"),
        ("tomorrow", "2026-03-05"),
        ("tomorrow morning", "2026-03-05T06:00/2026-03-05T12:00"),
        ("the day after tomorrow in the evening", "2026-03-06T18:00/2026-03-06T23:00"),
        ("noon tomorrow", "2026-03-05T12:00"),
        ("tonight at 8", "2026-03-04T20:00"),
        ("next Monday", "2026-03-09"),
        ("can you come next monday afternoon", "2026-03-09T12:00/2026-03-09T18:00"),
        ("on sat", "2026-03-07"),
        ("last friday", "2026-02-27"),
        ("next week", "2026-03-09/2026-03-16"),
        ("in 2 hours", "2026-03-04T12:00"),
        ("in half an hour", "2026-03-04T10:30"),
        ("in a couple of days", "2026-03-06"),
        ("3 days ago", "2026-03-01"),
        ("two weeks from now", "2026-03-18"),
        ("a month ago", "2026-02-04"),
        ("5 March", "2026-03-05"),
        ("the 5th of March at 3pm", "2026-03-05T15:00"),
        ("March 5th, 2026 at 9:30 am", "2026-03-05T09:30"),
        ("bought it in May 2025", "2025-05"),
        ("2026-03-05 14:00", "2026-03-05T14:00"),
        ("2026-03-05T14:00", "2026-03-05T14:00"),
        ("2026/3/5", "2026-03-05"),
        ("15:30", "2026-03-04T15:30"),
        ("08:30", "2026-03-05T08:30"),
        ("at 3pm", "2026-03-04T15:00"),
        ("between 2pm and 4pm tomorrow", "2026-03-05T14:00/2026-03-05T16:00"),
    ],
)
def test_a_time(said: str, value: str) -> None:
    assert found(said) == [value]


@pytest.mark.parametrize(
    "said",
    (
        "my router may not work | the sun is shining | I sat in front of it | MAC 12:34:56:78 | ping 192.168.1.1 | 16:9"
        " | 2.4G and 5G | 25:00 | 2026-13-01 | 10 routers | after a few hours it is hot | 快一点 | 便宜一点可以吗"
        " | 有两点建议 | 一周三次 | 每周三 | 1个月 | 24小时内 | 5月份 | 八九点 | 2月30号"
        " | 早上网速慢 | 晚上网速很慢 | 以前天天断"
    ).split(" | "),
)
def test_no_time(said: str) -> None:
    assert found(said) == []


def test_two_times_stay_two() -> None:
    assert found("明天上午或者后天下午3点") == ["2026-03-05T06:00/2026-03-05T12:00", "2026-03-06T15:00"]


def test_without_a_time_zone_values_have_no_offset() -> None:
    assert [v for _, v, *_ in times("tomorrow at 10", NOW.replace(tzinfo=None))] == ["2026-03-05T10:00"]
    assert [v for _, v, *_ in times("tomorrow at 10", NOW)] == ["2026-03-05T10:00+08:00"]


def test_the_29th_of_february_is_in_a_leap_year() -> None:
    assert found("2月29号", NOW.replace(year=2027)) == ["2028-02-29"]
    assert found("2月29号") == []


@pytest.mark.parametrize(
    ("said", "value"), [("12", 12), ("十二", 12), ("二十", 20), ("三十五", 35), ("两", 2), ("半", 0.5), ("two", 2)]
)
def test_numbers(said: str, value: float) -> None:
    assert number(said) == value


_PIECES = st.sampled_from(
    "明天 后天 下 周 一 日 号 月 3 12 99 点 半 上午 下午 到 年 前 后 个 小时 - / :".split()
    + "tomorrow next mon at in am pm 2026 march 5th ago".split()
)


@given(st.lists(_PIECES, max_size=30).map("".join) | st.lists(_PIECES, max_size=30).map(" ".join))
def test_whatever_is_written_is_a_time_or_is_not(said: str) -> None:
    for kind, value, start, end in times(said, NOW):
        assert 0 <= start < end <= len(said)
        for moment in value.split("/"):
            if kind == "date":
                date.fromisoformat(moment)
            elif kind != "month":
                datetime.fromisoformat(moment)
