"""Days as people name them, in Chinese and English: 下周一, 3月5号, 三天后, next Monday, 5 March, in two weeks."""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

Named = date | datetime | tuple[date, date] | str  # a day, a moment, days (the last not in), a month "2026-03"


@dataclass(frozen=True, slots=True)
class Day:
    """What a piece of text names, and the part of the day it says along with it ("tonight", 明早)."""

    start: int
    end: int
    named: Named
    part: str = ""


_ZH = dict(zip("零〇一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_EN: dict[str, float] = {
    word: n for n, word in enumerate("zero one two three four five six seven eight nine ten".split())
}
_EN |= {"a": 1, "an": 1, "a couple of": 2, "a few": 3, "half an": 0.5}


def number(text: str) -> float:
    """A small number in digits, Chinese or English: ``12``, ``十二``, ``两``, ``半``, ``two``. Raises ValueError."""
    if text in _EN:
        return _EN[text]
    if text == "半":
        return 0.5
    tens, ten, ones = text.rpartition("十")
    if ten:
        return (_ZH.get(tens, 0) if tens else 1) * 10 + (_ZH.get(ones, 0) if ones else 0)
    return _ZH[text] if text in _ZH else int(text)


# ---------------------------------------------------------------- how days are written

_N = r"[0-9]{1,3}|[零〇一二两三四五六七八九十]{1,3}"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = r"(?P<weekday>mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_EN_N = rf"[0-9]{{1,3}}|{'|'.join(sorted(_EN, key=len, reverse=True))}"
_EN_SPAN = rf"(?P<n>{_EN_N}) (?P<unit>minute|min|hour|hr|day|week|month|year)s?"

_RELATIVE = {"大前天": -3, "前天": -2, "昨": -1, "今": 0, "明": 1, "后天": 2, "大后天": 3}
_RELATIVE |= {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2}
_RELATIVE |= {"day before yesterday": -2, "this": 0}
_AWAY = {"上上": -2, "上": -1, "last": -1, "这": 0, "本": 0, "今": 0, "this": 0, "下": 1, "next": 1, "下下": 2}
_YEARS = {"前": -2, "去": -1, "今": 0, "明": 1}
_UNITS = {"分钟": "min", "小时": "hour", "钟头": "hour", "天": "day", "日": "day", "周": "week", "星期": "week"}
_UNITS |= {"礼拜": "week", "月": "month", "年": "year", "minute": "min", "hr": "hour"}


def _full(match: re.Match[str], now: datetime) -> Day:
    return Day(*match.span(), date(int(match[1]), int(match[2]), int(match[3])))


def _zh_date(match: re.Match[str], now: datetime) -> Day:
    month, day = int(number(match["m"])), int(number(match["d"]))
    if match["y"]:
        return Day(*match.span(), date(now.year + _YEARS[match["y"]], month, day))
    return Day(*match.span(), _nearest(month, day, now))


def _zh_month(match: re.Match[str], now: datetime) -> Day:
    year = int(match["y"]) if match["y"] else now.year + _YEARS[match["r"]]
    return Day(*match.span(), date(year, int(number(match["m"])), 1).strftime("%Y-%m"))


def _relative(match: re.Match[str], now: datetime) -> Day:
    word = match[0].lower()
    part = next((part for sign, part in _PARTS.items() if word.endswith(sign)), "")
    known = next(key for key in sorted(_RELATIVE, key=len, reverse=True) if word.startswith(key))
    return Day(*match.span(), now.date() + timedelta(_RELATIVE[known]), part)


_PARTS = {"晚": "evening", "早": "morning", "night": "evening", "morning": "morning", "afternoon": "afternoon"}
_PARTS |= {"evening": "evening"}


def _zh_weekday(match: re.Match[str], now: datetime) -> Day:
    monday = now.date() - timedelta(now.weekday())
    if match["d"] == "末":
        saturday = monday + timedelta(5 + 7 * _AWAY.get(match["away"] or "", 0))
        return Day(*match.span(), (saturday, saturday + timedelta(2)))
    weekday = "一二三四五六日".index(match["d"].replace("天", "日"))
    if match["away"]:
        return Day(*match.span(), monday + timedelta(weekday + 7 * _AWAY[match["away"]]))
    return Day(*match.span(), _coming(weekday, now))


def _en_weekday(match: re.Match[str], now: datetime) -> Day | None:
    word, away = match["weekday"].lower(), (match["away"] or "").lower()
    if not away and len(word) == 3:  # "sun" and "sat" alone are words of their own
        return None
    weekday = _WEEKDAYS.index(word[:3])
    if away == "last":
        return Day(*match.span(), now.date() - timedelta((now.weekday() - weekday - 1) % 7 + 1))
    if away in ("next", "this"):
        return Day(*match.span(), now.date() + timedelta(weekday - now.weekday() + 7 * _AWAY[away]))
    return Day(*match.span(), _coming(weekday, now))


def _stretch(match: re.Match[str], now: datetime) -> Day:
    """A whole week, weekend or month."""
    away, unit = _AWAY[match["away"].lower()], match["unit"].lower()
    if unit in ("month", "月"):
        return Day(*match.span(), _month_away(now, away).strftime("%Y-%m"))
    start = now.date() - timedelta(now.weekday() - 7 * away)
    if unit == "weekend":
        return Day(*match.span(), (start + timedelta(5), start + timedelta(7)))
    return Day(*match.span(), (start, start + timedelta(7)))


def _offset(match: re.Match[str], now: datetime) -> Day:
    much, unit = number(match["n"].lower()), match["unit"].lower()
    unit = _UNITS.get(unit, unit)
    much = (much + 0.5 if match.groupdict().get("half") else much) * (-1 if match["way"] in ("前", "ago") else 1)
    if unit in ("min", "hour"):
        return Day(*match.span(), now + timedelta(minutes=much * (60 if unit == "hour" else 1)))
    if unit in ("day", "week"):
        return Day(*match.span(), now.date() + timedelta(round(much * (7 if unit == "week" else 1))))
    month = _month_away(now, round(much * (12 if unit == "year" else 1)))
    return Day(*match.span(), month.replace(day=min(now.day, (_month_away(month, 1) - timedelta(1)).day)))


def _en_date(match: re.Match[str], now: datetime) -> Day:
    month, day = _MONTHS.index(match["month"][:3].lower()) + 1, int(match["d"])
    named = date(int(match["y"]), month, day) if match["y"] else _nearest(month, day, now)
    return Day(*match.span(), named)


def _en_month(match: re.Match[str], now: datetime) -> Day:
    return Day(*match.span(), f"{match['y']}-{_MONTHS.index(match['month'][:3].lower()) + 1:02}")


def _nearest(month: int, day: int, now: datetime) -> date:
    """A date without a year: the one nearest to now, so that bookings lie ahead and purchases behind."""
    years = [year for year in (now.year - 1, now.year, now.year + 1) if (month, day) != (2, 29) or isleap(year)]
    return min((date(year, month, day) for year in years), key=lambda named: abs(named - now.date()))


def _coming(weekday: int, now: datetime) -> date:
    return now.date() + timedelta((weekday - now.weekday()) % 7)


def _month_away(now: date, away: int) -> date:
    """The first of the month so many months away."""
    months = now.year * 12 + now.month - 1 + away
    return date(months // 12, months % 12 + 1, 1)


Rule = tuple[re.Pattern[str], Callable[[re.Match[str], datetime], Day | None]]


def _rules(*rules: tuple[str, Callable[[re.Match[str], datetime], Day | None]]) -> tuple[Rule, ...]:
    return tuple((re.compile(form, re.IGNORECASE), meaning) for form, meaning in rules)


_FULL = r"(20[0-9]{2}) ?[-/.年] ?([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2})(?:日|号|(?![\w/-])|(?=T[0-9]))"
_ZH_UNIT = r"(?P<unit>分钟|小时|钟头|天|日|周|星期|礼拜|(?<=[个半])月|年)"
_DIGITS = _rules((r"(?<![\w.-])" + _FULL, _full))
_CHINESE = _rules(
    (rf"(?:(?P<y>[今明去前])年)?(?P<m>{_N})月(?P<d>{_N})(?:日|号|(?=[^\w]|$))", _zh_date),
    (rf"(?:(?P<y>20[0-9]{{2}})年|(?P<r>[今明去前])年)(?P<m>{_N})月份?", _zh_month),
    (r"大前天|(?<!以)前天|昨[天晚日]|今[天晚早日]|明[天晚早日](?!白)|大后天|后天", _relative),
    (
        r"(?<![一二两三四五六七八九十每0-9])(?P<away>上上|上|这|本|下下|下)?个?"
        r"(?:周|星期|礼拜)(?P<d>[一二三四五六日天末])(?![次个边])",
        _zh_weekday,
    ),
    (r"(?P<away>[上这本下])个?(?P<unit>周|星期|礼拜|(?<=个)月|(?<=[本上下])月)(?![一二三四五六日天末])", _stretch),
    (rf"(?P<n>{_N}|半)个?(?P<half>半)?{_ZH_UNIT}[之以]?(?P<way>[后前])", _offset),
)
_ENGLISH = _rules(
    (
        r"\b(?:day after tomorrow|day before yesterday|today|tonight|tomorrow|yesterday"
        r"|this (?:morning|afternoon|evening))\b",
        _relative,
    ),
    (rf"\b(?:(?P<away>next|this|last|on|by|coming) )?{_WEEKDAY}\b", _en_weekday),
    (r"\b(?P<away>next|this|last) (?P<unit>week|weekend|month)\b", _stretch),
    (rf"\b(?P<way>in) {_EN_SPAN}\b", _offset),
    (rf"\b{_EN_SPAN} (?P<way>ago|later|from now)\b", _offset),
    (rf"\b(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? (?P<y>20[0-9]{{2}}))?\b", _en_date),
    (rf"\b{_MONTH} (?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y>20[0-9]{{2}}))?(?![\w:])", _en_date),
    (rf"\b{_MONTH},? (?P<y>20[0-9]{{2}})\b", _en_month),
)
_ZH_SIGN = re.compile("[天日号月周期拜晚早后前年]")
_EN_SIGN = re.compile(r"day|tomorrow|night|morning|noon|evening|week|month|year|hour|min|ago|[0-9]", re.IGNORECASE)
_EN_SHORT = re.compile(r"(?:next|this|last|on|by|coming) (?:mon|tue|wed|thu|fri|sat|sun)\b", re.IGNORECASE)


def days(text: str, now: datetime) -> Iterator[Day]:
    """Every day named in a text, the surest rule first; pieces may overlap."""
    rules = _DIGITS if "20" in text else ()
    if _ZH_SIGN.search(text):
        rules += _CHINESE
    if _EN_SIGN.search(text) or _EN_SHORT.search(text):
        rules += _ENGLISH
    for form, meaning in rules:
        for match in form.finditer(text):
            try:
                day = meaning(match, now)
            except (ValueError, OverflowError, KeyError):  # 31 February, 零十, a thousand years from now
                continue
            if day:
                yield day
