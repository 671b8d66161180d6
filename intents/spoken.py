"""Numbers as they are spelled out: 幺三八 零零幺三 八零零零, "one three eight double zero"; read as if typed."""

from __future__ import annotations

import re
from typing import Final

LEAST: Final = 7  # signs of a number that somebody spells out: fewer may be "one, two or three"
_DIGITS: Final = {
    **{word: str(n) for n, word in enumerate("zero one two three four five six seven eight nine".split())},
    **{sign: str(n) for n, sign in enumerate("零一二三四五六七八九")},
    "oh": "0",
    "o": "0",
    "〇": "0",
    "○": "0",
    "幺": "1",
    "ling": "0",
    "yao": "1",
}
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3}
_SPOKEN = rf"(?:(?:{'|'.join(_TIMES)}) )?(?:(?:zero|oh?|one|two|three|four|five|six|seven|eight|nine)(?![a-z])|[0-9])"
_SIGN = rf"(?:{_SPOKEN}|[零〇○幺一二三四五六七八九])"
_NUMBER = re.compile(
    rf"(?<![a-z0-9])(?P<head>(?-i:[A-Z]{{2}}|[A-Za-z] [A-Za-z](?= ))[ .-]?)?{_SIGN}"
    rf"(?:[ ,，、.-]{{0,2}}(?:{_SIGN}|(?(head)[a-z](?![a-z])|(?!))))*(?![十百千万亿])",
    re.IGNORECASE,
)
_PIECE = re.compile(rf"(?:({'|'.join(_TIMES)}) )?([a-z]+|[0-9]|[零〇○幺一二三四五六七八九])", re.IGNORECASE)


def digits(text: str) -> str:
    """A text in which every number that is spelled out stands in figures; all else is as it was."""
    return _NUMBER.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    head, said = found["head"] or "", found[0].casefold()[len(found["head"] or "") :]
    pieces = [(piece[1], piece[2]) for piece in _PIECE.finditer(said)]
    spoken = sum(sign in _DIGITS for _, sign in pieces)
    number = "".join(_DIGITS.get(sign, sign) * _TIMES.get(times, 1) for times, sign in pieces)
    if len(head) + len(number) < LEAST or spoken < LEAST // 2:
        return found[0]
    return re.sub("[ .-]", "", head).upper() + (number.upper() if head else number)
