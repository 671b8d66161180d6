"""What a text written at a desk means: words for the customer, a command, or neither. Pure, and on the safe side.

Whatever begins a line with something like an exclamation mark is meant for us: it is a command we know, or it goes
nowhere. So do a command's name behind another sign (``/note``, ``1note``) and what looks like a note without its sign
(``note:``, ``internal note``), for a key that was missed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

COMMANDS: Final[dict[str, str]] = {  # what is typed -> what is meant
    **{name: name for name in "say note claim take transfer back close promise faq help".split()},
    **{name: name for name in "online busy away offline".split()},
    "说": "say",
    "备注": "note",
    "接待": "claim",
    "接管": "take",
    "转接": "transfer",
    "交还": "back",
    "关闭": "close",
    "承诺": "promise",
    "知识": "faq",
    "帮助": "help",
    "在线": "online",
    "忙碌": "busy",
    "离开": "away",
    "离线": "offline",
}
_BANGS: Final = frozenset("\u01c3\u203d\u2e18\u2e2e\u2d51")  # what looks like one by another name
_EMOJI: Final = re.compile(r":(?:\w+_)?exclamation(?:_\w+)?:|:bangbang:|:interrobang:")  # as Slack writes them
_BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
)  # letters by their kind, nothing to the eye
_SPEECH: Final = frozenset("*_~\"'“”‘’«»()（）[]【】「」《》<>&•·-–—")  # signs that words to a customer may begin with
_MENTIONS: Final = re.compile(r"(?:@[^\s!]+[ \t]*)+")  # before a command: whoever is named
_NOTED: Final = re.compile(  # what a note begins with that lacks its sign; "Note that it is hot" and 备注栏 do not
    r"internal\s+note(?![a-z])|(?<![a-z])notes?\s*(?:[-–—:,]|$)"
    r"|[内內]部[备備][注註]|[备備][注註](?:[\s。.:,-]|$)",
    re.IGNORECASE,
)
_NEAR: Final = 0.75  # how like a command's name a word must be to be taken for one misspelt


_INSIDE: Final = re.compile(  # a command somewhere in a text; "Great! Close it" and 太好了!关闭 are none
    rf"!(?:{'|'.join(filter(str.isascii, COMMANDS))})(?![a-z])|\s!\s?(?:{'|'.join(COMMANDS)})(?![a-z])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Said:
    """Words for the customer."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """Something for us to do."""

    name: str  # one of the meanings above
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Neither: it goes nowhere. ``reason``: unknown, inside (a command in the middle of a text), doubtful."""

    reason: str
    nearest: str = ""  # the command that was probably meant


def read(text: str) -> Said | Command | Wrong:
    """What it means. Only ``Said`` may ever reach a customer."""
    seen = visible(text)
    first, *others = seen.split("\n") if seen else [""]
    if _commands(first):
        return _command(seen)
    if any(map(_commands, others)) or _INSIDE.search(seen):
        return Wrong("inside")
    if nearest := next(filter(None, map(_slipped, [first, *others])), ""):
        return Wrong("doubtful", nearest)
    return Said(text.strip())


def visible(text: str) -> str:
    """The text as the eye has it: one width, nothing that is not seen, each kind of exclamation mark as ``!``."""
    plain = unicodedata.normalize("NFKC", _EMOJI.sub("!", text)).replace("\r", "\n")
    plain = re.sub("[\u0085\u2028\u2029\v\f]", "\n", plain)
    return "".join(_shown(char) for char in plain).strip()


@lru_cache(4096)
def _shown(char: str) -> str:
    if char in "\n\t":
        return char
    kind = unicodedata.category(char)
    if kind in ("Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me") or char in _BLANK:
        return ""
    return "!" if char in _BANGS or "EXCLAMATION" in unicodedata.name(char, "") else char


def _lead(line: str) -> str:
    """What stands before the first letter or digit, names of whoever is meant left aside."""
    named = _MENTIONS.match(line)
    start = named.end() if named else 0
    return line[:start] + _before(line[start:])


def _before(line: str) -> str:
    return line[: next((place for place, char in enumerate(line) if char.isalnum()), len(line))]


def _commands(line: str) -> bool:
    named = _MENTIONS.match(line)
    return "!" in _before(line[named.end() :] if named else line)


def _command(text: str) -> Command | Wrong:
    bare = text[len(_lead(text)) :]
    word = re.match(r"\w*", bare)
    name = word[0] if word else ""
    if known := COMMANDS.get(name.casefold()):
        return Command(known, bare[len(name) :].lstrip(" \t:：,，.。\n").rstrip())
    chinese = next((said for said in COMMANDS if not said.isascii() and bare.startswith(said)), "")
    if chinese:  # nobody writes a space there
        return Command(COMMANDS[chinese], bare[len(chinese) :].lstrip(" \t:：,，.。\n").rstrip())
    return Wrong("unknown", nearest(name))


def nearest(name: str) -> str:
    """The command that a misspelt one was probably meant to be, "" if none is like it."""
    found = get_close_matches(name.casefold(), COMMANDS, 1, _NEAR)
    return COMMANDS[found[0]] if found else ""


def _slipped(line: str) -> str:
    """The command that a line was probably meant to be although it has no exclamation mark; "" for ordinary words."""
    named = _MENTIONS.match(line.lstrip())
    bare = line.lstrip()[named.end() if named else 0 :]
    found = re.match(r"(?P<lead>[^A-Za-z\u4e00-\u9fff\u0370-\u058f]*)(?P<word>[^\W\d_]+)(?P<after>.?)", bare)
    if named and _NOTED.search(line):  # whoever is named may have a name of several words, and nothing behind it
        return "note"
    if not found:
        return ""
    if _NOTED.match(bare, found.start("word")):
        return "note"
    lead, word, after = found["lead"], found["word"], found["after"]
    beside = bool(lead) and not lead[-1].isspace() and not set(lead) <= _SPEECH
    if beside or after == "!":
        return nearest(word)
    return "note" if after == ":" and nearest(word) == "note" else ""
