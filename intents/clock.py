"""Times of day as people write them, in Chinese and English: 下午3点半, 15:00, 10am, noon, in the morning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from typing import Final

from intents.days import number

PARTS: Final = {"morning": (time(6), time(12)), "afternoon": (time(12), time(18)), "evening": (time(18), time(23))}
_ZH_PARTS = dict.fromkeys(("凌晨", "清晨", "清早", "早上", "早晨", "一早", "上午"), "morning") | {"中午": "noon"}
_ZH_PARTS |= {"下午": "afternoon", "午后": "afternoon", "傍晚": "evening", "晚上": "evening"}
_N = "[0-9]{1,2}|[零一二两三四五六七八九十]{1,3}"
_ZH = re.compile(  # both halves may be missing: what is empty is skipped
    rf"(?=[凌清早一上中下午傍晚0-9零二两三四五六七八九十])(?P<part>{'|'.join(_ZH_PARTS)})?(?:的|大概|大约)?"
    rf"(?:(?<![0-9.:零一二两三四五六七八九十])(?P<h>{_N})[点时](?:(?P<word>半|整|钟|一刻|三刻)|(?P<m>{_N})分?)?)?"
)
_WORDS = {"半": 30, "一刻": 15, "三刻": 45}
_EN = re.compile(
    r"(?P<at>\b(?:at|around|about|by|from|after|before) )?(?<![^\WT])(?<![:.$¥-])"
    r"(?P<h>[0-9]{1,2})(?::(?P<m>[0-5][0-9]))?(?![0-9:])(?: ?(?P<half>[ap]\.?m\b\.?|o'?clock\b))?",
    re.IGNORECASE,
)
_EN_PART = re.compile(
    r"\b(?:in the |at )?(?P<part>morning|afternoon|evening|night|noon|midday|midnight)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Clock:
    """A time or a part of the day. ``firm`` stands by itself; what is not counts beside a day or as a whole message."""

    start: int
    end: int
    hour: int = -1  # as it is said; -1 = only the part of the day is said
    minute: int = 0
    part: str = ""
    firm: bool = True
    exact: bool = False  # am, pm or 24 hours: nothing to guess

    def time(self, part: str = "") -> time:
        """The time meant: 3 is 15:00 unless something says otherwise. Raises ValueError for 25 o'clock."""
        part, hour = self.part or part, self.hour
        later = part in ("afternoon", "evening") or (part == "noon" and hour < 3) or (not part and 0 < hour < 7)
        if later and not self.exact and hour < 12:
            hour += 12
        elif hour == 24 or (hour == 12 and part in ("morning", "evening") and not self.exact):
            hour = 0
        return time(hour, self.minute)


def clocks(text: str) -> list[Clock]:
    """Every time of day in a text."""
    found: list[Clock] = []
    if re.search("[点时午晨晚早]", text):
        found += _chinese(text)
    if re.search("[0-9]", text):
        found += _english(text)
    for match in _EN_PART.finditer(text) if re.search("(?i)noon|m?night|morning|evening|midday", text) else ():
        part = match["part"].lower()
        if part in ("noon", "midday"):
            found.append(Clock(*match.span(), 12, exact=True))
        elif part == "midnight":
            found.append(Clock(*match.span(), 0, firm=False, exact=True))
        else:
            found.append(Clock(*match.span(), part="evening" if part == "night" else part, firm=False))
    return found


def _chinese(text: str) -> Iterator[Clock]:
    for match in _ZH.finditer(text):
        part = _ZH_PARTS.get(match["part"] or "", "")
        if match["h"]:
            try:
                hour, minute = int(number(match["h"])), int(number((match["m"] or "零").lstrip("零") or "零"))
            except ValueError:  # 八九点: some time around then
                continue
            firm = bool(part or match["m"] or match["word"])  # 一点 is also "a little"
            yield Clock(*match.span(), hour, minute or _WORDS.get(match["word"] or "", 0), part, firm)
        elif part:
            yield Clock(*match.span(), 12 if part == "noon" else -1, 0, part, firm=False)


def _english(text: str) -> Iterator[Clock]:
    for match in _EN.finditer(text):
        half, hour = (match["half"] or "").lower()[:1], int(match["h"])
        if half in ("a", "p") and 0 < hour <= 12:
            hour = hour % 12 + (12 if half == "p" else 0)
        elif not (match["m"] or half == "o" or match["at"]):
            continue
        exact = half in ("a", "p") or match["h"].startswith("0")
        yield Clock(*match.span(), hour, int(match["m"] or 0), firm=bool(match["m"] or half), exact=exact)
