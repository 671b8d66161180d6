"""How an answer to a question of ours is read; None means it does not fit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from intents import Understanding

SUBJECT: Final = 500  # characters of a matter in the customer's words
NO_MATTER: Final = frozenset({"yes", "greeting", "thanks"})

_PHONE = re.compile(r"(?<![\w.])(?:\+|00)?[(\d](?:[\s().-]{0,2}\d){5,15}\)?(?!\w)")
_DIGIT = re.compile(r"[\W_]*(\d{1,2})[\W_]*")
_BARE = re.compile(r"(?<![A-Z0-9])(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])([0-9A-TV-Z]{8})(?![A-Z0-9])")
_QUESTION = re.compile(
    r"[?？]\s*$|[吗呢么嘛]\s*[。!！]?\s*$|怎么|如何|为什么|多久|多少|哪里|哪儿|什么时候"
    r"|^(?:how|what|when|where|which|who|why|can|could|do|does|is|are|will)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer as it arrived: words and what was understood of them."""

    text: str
    meant: Understanding | None = None

    @property
    def intent(self) -> str:
        """The wish, "" = none."""
        return self.meant.intent if self.meant else ""

    @property
    def yes_no(self) -> str:
        """Yes, no, or ""."""
        return self.meant.yes_no if self.meant else ""

    @property
    def asks(self) -> bool:
        """Whether the words are a question, by their look or because we know the answer."""
        ranking = self.meant.ranking if self.meant else None
        return is_question(self.text) or bool(ranking and ranking.outcome == "answer")

    def named(self, *kinds: str) -> str:
        """The first thing of these kinds that is named, "" if none is."""
        entities = self.meant.entities if self.meant else ()
        return next((entity.value for entity in entities if entity.kind in kinds), "")


def words(heard: Heard) -> str | None:
    """A matter in the customer's words; "hello" is none."""
    return None if heard.intent in NO_MATTER else heard.text[:SUBJECT] or None


def comment(heard: Heard) -> str | None:
    """Anything said; "no" is no comment."""
    return "skip" if heard.yes_no == "no" else heard.text[:SUBJECT] or None


def product(heard: Heard) -> str | None:
    """A product we know, or a short description of one."""
    described = 0 < len(heard.text) <= 60 and "\n" not in heard.text and not (heard.asks or heard.intent)
    return heard.named("model") or (heard.text if described else None)


def mentioned(text: str, products: Iterable[str]) -> str:
    """A product of ours that stands in a text, the longest name first; "" if none does."""
    return max((name for name in products if bare(name) in bare(text)), key=len, default="")


def contact(heard: Heard) -> str | None:
    """A phone number or an e-mail address somewhere in the words; "no" passes it over."""
    if found := heard.named("email", "phone"):
        return found
    other = _PHONE.search(unicodedata.normalize("NFKC", heard.text))
    return other[0].strip() if other else "skip" if heard.yes_no == "no" else None


def yes_no(heard: Heard) -> str | None:
    """Yes or no in any of their forms."""
    return heard.yes_no or None


def button(heard: Heard) -> str | None:
    """Only a button will do."""
    return None


def is_question(text: str) -> bool:
    """Whether the words look like a question, whatever they ask."""
    return bool(_QUESTION.search(text.strip()))


def ticket_number(heard: Heard, own: Iterable[str] = ()) -> str:
    """A ticket number as people type one: any case, without hyphen or prefix; "" if there is none."""
    text = unicodedata.normalize("NFKC", heard.text).upper()
    for number in own:
        if re.search(rf"(?<![A-Z0-9])T?{number.removeprefix('T-')}(?![A-Z0-9])", text):
            return number
    bare_one = _BARE.search(text)
    return heard.named("ticket") or (f"T-{bare_one[1]}" if bare_one else "")


def bare(text: str) -> str:
    """Letters and digits only, without case and width: how typed words and labels are compared."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def typed(text: str, offered: tuple[tuple[str, str], ...], meant: Understanding | None) -> str:
    """The id of the button that was typed, by number or by label, "" if none was."""
    if not offered:
        return ""
    if digit := _DIGIT.fullmatch(unicodedata.normalize("NFKC", text)):
        place = int(digit[1]) - 1
        return offered[place][0] if 0 <= place < len(offered) else ""
    for choice, label in offered:
        if bare(text) and bare(text) == bare(label):
            return choice
    return _meant(offered, meant) if meant else ""


def _meant(offered: tuple[tuple[str, str], ...], meant: Understanding) -> str:
    """A button hit by other words for the same: stars for a score, yes for "that helped"."""
    helped = {"yes": "do:solved", "no": "do:not_helpful"}.get(meant.yes_no, "-")
    for choice, _ in offered:
        if choice.startswith("rate:") and choice.endswith(f":{meant.rating}"):
            return choice
        if choice == helped or choice.startswith(f"{helped}:"):
            return choice
    return ""
