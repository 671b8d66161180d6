"""What words look like, whatever was asked: a question, an address, a number to be reached at."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from bot.cues import cue

_PHONE = re.compile(r"(?<![\w.])(?:\+|00)?[(\d](?:[\s().-]{0,2}\d){5,15}\)?(?!\w)")
_MAIL = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]{2,}")
_QUESTION = cue("wording.question")
_DANGER_OVER = cue("wording.danger_over")
_CLAUSES = re.compile(r"[,，;；。\n]+|[.!?](?=\s|$)|[!！?？]")
_BEFORE_ADDRESS = cue("wording.before_address")
_TOWN = cue("wording.town")
_GIVES_UP = cue("wording.gives_up")
_ADDRESS = cue("wording.address")
_THAT_IS_ALL = cue("wording.that_is_all")
_SENDS = cue("wording.sends")
_NO_FIRM = cue("wording.no_firm")
_FIRM = cue("wording.firm")
_HOUSEHOLD = cue("wording.household")


@lru_cache(1024)  # a message is asked for a dozen times, and so are its buttons
def bare(text: str) -> str:
    """Letters and digits only, without case and width: how typed words and labels are compared."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def is_question(text: str) -> bool:
    """Whether the words look like a question, whatever they ask."""
    return bool(_QUESTION.heard(text.strip()))


def is_calm(text: str) -> bool:
    """Whether the words are about a danger that is over, or may be."""
    return bool(_DANGER_OVER.heard(text.strip()))


def gives_up(text: str) -> bool:
    """Whether the words begin with "never mind"."""
    return bool(_GIVES_UP.heard(text))


def is_address(text: str) -> bool:
    """Whether a text is an address by its look."""
    return bool(_ADDRESS.heard(text))


def is_private(text: str) -> bool:
    """Whether something is for a household, and no firm has to do with it."""
    return bool(_NO_FIRM.heard(text) or (_HOUSEHOLD.heard(text) and not _FIRM.heard(text)))


def is_all(text: str) -> bool:
    """Whether the words only say that there is no more to tell."""
    return bool(_THAT_IS_ALL.heard(text.strip()))


def sends(text: str) -> bool:
    """Whether the words only say that something is to be sent."""
    return bool(_SENDS.heard(text.strip()))


def clauses(text: str) -> list[str]:
    """What stands between marks, without what is blank."""
    return [clause.strip() for clause in _CLAUSES.split(text) if clause.strip()]


def address(text: str) -> str:
    """The address that stands in a text, "" if none does."""
    said = clauses(text)
    first = next((at for at, clause in enumerate(said) if is_address(clause)), None)
    if first is None:
        return ""
    last = first
    while last + 1 < len(said) and (is_address(said[last + 1]) or _TOWN.heard(said[last + 1])):
        last += 1
    start = text.index(_BEFORE_ADDRESS.without(said[first]))
    return text[start : text.index(said[last]) + len(said[last])]


def corrected_address(place: str, before: str) -> str:
    """A street that corrects another is in the same town, unless more than a street and its number is said."""
    if re.search("[省市区县镇]", place):
        return place
    if place and (within := re.match(".*[省市区县镇]", before)):
        return within[0] + place
    town = clauses(before)[1:] if _ADDRESS.fills(place) else []
    return ", ".join((place, *town))


def pieces(label: str) -> list[str]:
    """The words of a label, of a Chinese one every two signs that stand together."""
    return re.findall("[a-z]{4,}", label) or [label[n : n + 2] for n in range(len(label) - 1)]


def mentioned(text: str, products: Iterable[str]) -> str:
    """A product of ours that stands in a text, the longest name first; "" if none does."""
    return max((name for name in products if bare(name) in bare(text)), key=len, default="")


def phone(text: str) -> str:
    """The first phone number of whatever country that stands in it, "" if none does."""
    found = _PHONE.search(unicodedata.normalize("NFKC", text))
    return found[0].strip() if found else ""


def reachable(text: str) -> bool:
    """Whether something written into a field is a phone number or an e-mail address."""
    return bool(phone(text) or _MAIL.search(text))


def number_alone(text: str) -> str:
    """A text that is nothing but a phone number of whatever country, "" if it is not."""
    return text.strip() if _PHONE.fullmatch(unicodedata.normalize("NFKC", text).strip()) else ""
