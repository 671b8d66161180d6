"""How an answer to a question of ours is read; None means it does not fit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.cues import cue
from bot.flows.wording import bare, clauses, is_address, is_all, is_private, is_question, phone, sends

if TYPE_CHECKING:
    from intents import Understanding

SUBJECT: Final = 500  # characters of a matter in the customer's words
PART: Final = 6  # bytes of a label that stand for it where no other label has them: two Chinese characters
NO_MATTER: Final = frozenset({"yes", "no", "greeting", "thanks"})
TIME: Final = 120  # characters of a time in the customer's words
NAME: Final = (4, 12)  # words, and Chinese characters, of a product we do not know by its name

_BARE = re.compile(r"(?<![A-Z0-9])(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])([0-9A-TV-Z]{8})(?![A-Z0-9])")
_REFUSED = cue("reading.refused")
_PRODUCT = cue("reading.product")
_APPEARANCE = cue("reading.appearance")
_SPEAKS_TO_US = cue("reading.speaks_to_us")
_PLACE = cue("reading.place")
_FAULT = cue("reading.fault")
_PAID = re.compile(
    r"(?:付了?|花了?|实付|\bpaid|\bcost(?: me)?|\bit was|\btotal(?: of)?)[\s:：]{0,2}"
    r"([0-9]{1,6}(?:,[0-9]{3})*(?:\.[0-9]{1,2})?)(?![0-9.,]*[0-9])(?!\s*(?:(?:days?|weeks?|months?|years?|times?|of)\b|%|[个年月天周次台件期]))",
    re.IGNORECASE,
)
_RULED_OUT = cue("reading.ruled_out")
_BY_PHONE = cue("reading.by_phone")
_ALONE = re.compile(r"(?=.*[0-9])[0-9A-Z]{6,24}")
_NAMED = re.compile(r"S/?N\b|SERIAL|ORDER")
_WORD = re.compile(r"(?<!\S)[A-Z]{3,}(?!\S)")  # "john 07700 900123" is no serial number
_SUM = re.compile(  # with a currency, and what may stand before a sum
    r"(?:(?:about|around|roughly|only|大概|大约|差不多|也就) ?)?[0-9][0-9,]{0,6}(?:\.[0-9]{1,2})?(?: ?[^\W\d]{1,8})?",
    re.IGNORECASE,
)
_ROUGHLY_WHEN = cue("reading.roughly_when")
_QUANTITY = cue("reading.quantity")
_OPEN_QUESTION = cue("reading.open_question")
_WHEN = cue("reading.when")


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
        """The first thing of these kinds that is named and not ruled out ("not the C5, the C2"), "" if none is."""
        found = [entity for entity in (self.meant.entities if self.meant else ()) if entity.kind in kinds]
        meant = (one for one in found if not _RULED_OUT.heard(self.text[: max(0, self.text.find(one.text))]))
        return next((one.value for one in (*meant, *found)), "")

    def said(self, *kinds: str) -> str:
        """All that is named of these kinds, in the customer's own words."""
        return " ".join(e.text.strip() for e in (self.meant.entities if self.meant else ()) if e.kind in kinds)

    @property
    def numbers(self) -> dict[str, str]:
        """The serial and order numbers that are named."""
        return {kind: found for kind in ("serial", "order") if (found := self.named(kind))}


def words(heard: Heard) -> str | None:
    """A matter in the customer's words; "hello" is none."""
    tells = bare(heard.text) not in ("", "skip", "跳过") and not bare(heard.text).isnumeric()
    return heard.text[:SUBJECT] if tells and heard.intent not in NO_MATTER else None


def comment(heard: Heard) -> str | None:
    """Anything said; "no" is no comment, and a row of question marks no words."""
    said = any(unicodedata.category(char)[0] not in "PZ" for char in heard.text)
    return "skip" if heard.yes_no == "no" else heard.text[:SUBJECT] if said else None


def product(heard: Heard) -> str | None:
    """A product we know, or a short description of one."""
    if found := heard.named("model"):
        return found
    if refused(heard) or sends(heard.text):
        seen = ", ".join(part for part in clauses(heard.text) if not cannot(Heard(part)))
        return seen if _APPEARANCE.heard(seen) else "skip"  # "no idea which, the white one"
    if heard.meant and heard.meant.urgent and not _PRODUCT.heard(heard.text):
        return None
    short = bare(heard.text) and len(heard.text) <= 60 and "\n" not in heard.text
    return (
        heard.text if short and not (heard.asks or heard.intent) and not _other(heard) and _names(heard.text) else None
    )


def _other(heard: Heard) -> bool:
    """Whether a text names something that is no product: a day, a number, a phone, a score, a place."""
    told = heard.meant is not None and bool(heard.meant.entities or heard.meant.rating)
    return told or is_address(heard.text) or bool(day(heard) or phone(heard.text)) or is_quantity(heard.text)


def is_quantity(text: str) -> bool:
    """Whether a text is only how many."""
    return bool(_QUANTITY.heard(text.strip(" .!。！吧")))


def _names(text: str) -> bool:
    """Whether a text may be the name of a thing: it is short, or there is a word for one in it."""
    signs = len(re.findall("[\u3400-\u9fff]", text))
    short = len(re.findall("[a-z']+", text.casefold())) <= NAME[0] and signs <= NAME[1]
    speaks, told = bool(_SPEAKS_TO_US.heard(text)), bool(_FAULT.heard(text)) or len(clauses(text)) > 1
    return not (told and (speaks or short)) and (bool(_PRODUCT.heard(text)) or (short and not speaks))


def contact(heard: Heard) -> str | None:
    """A phone number or an e-mail address somewhere in the words; "rather not" passes it over."""
    if found := heard.named("email", "phone"):
        return found
    left = heard.text.replace(heard.said("serial", "order", "ticket") or "\n", " ")  # "order 778812" is no phone
    return phone(left) or ("skip" if refused(heard) else None)


def refused(heard: Heard) -> bool:
    """Whether the customer would rather not say."""
    return heard.yes_no == "no" or heard.intent == "thanks" or cannot(heard)


def cannot(heard: Heard) -> bool:
    """Whether he says that he does not know, or will not tell."""
    return bool(_REFUSED.heard(heard.text))


def text(heard: Heard) -> str | None:
    """Any short text; "yes" is none."""
    if refused(heard) or sends(heard.text):
        return "skip"
    return heard.text[:SUBJECT] or None if heard.yes_no != "yes" else None


def address(heard: Heard) -> str | None:
    """Where somebody lives, as he writes it."""
    asks = is_question(heard.text) and not is_address(heard.text)
    hurries = heard.meant is not None and heard.meant.urgent and not is_address(heard.text)
    talks = bool(_SPEAKS_TO_US.heard(heard.text)) and not (_PLACE.heard(heard.text) or refused(heard))
    return None if asks or hurries or talks or is_quantity(heard.text) else text(heard)


def serial(heard: Heard) -> str | None:
    """A serial number."""
    return _number(heard, "serial")


def order(heard: Heard) -> str | None:
    """An order's number."""
    return _number(heard, "order")


def _number(heard: Heard, kind: str) -> str | None:
    """A number of ours, or one that is all that was written: forms change, and who copies a label is to be believed."""
    if found := heard.named(kind):
        return found
    if heard.numbers:
        return None  # of the other kind
    text = unicodedata.normalize("NFKC", heard.text).upper()
    named = _NAMED.match(text) or not _WORD.search(text)
    alone = re.sub(r"[\s-]", "", text) if named else ""
    return alone if _ALONE.fullmatch(alone) else "skip" if refused(heard) else None


def date(heard: Heard) -> str | None:
    """A day or a month, or about when, in the customer's words."""
    return day(heard) or ("skip" if refused(heard) else None)


def day(heard: Heard) -> str:
    """The day, the month or the season that is named, "" if none is."""
    found, roughly = heard.named("date", "datetime", "month")[:10], _ROUGHLY_WHEN.heard(heard.text)
    return found or roughly


def time(heard: Heard) -> str | None:
    """A moment or a stretch of time, in the customer's words: they say more than what we make of them."""
    if refused(heard):
        return "skip"
    told = heard.said("datetime", "period", "date", "month")
    asks = is_question(heard.text) and (not (told or _WHEN.heard(heard.text)) or bool(_OPEN_QUESTION.heard(heard.text)))
    said = ", ".join(part for part in clauses(heard.text) if not phone(part)) or heard.text
    said = said if phone(heard.text) else heard.text  # "Friday, and my number is …"
    return said[:TIME] if (told or _WHEN.heard(said)) and not asks else None


def amount(heard: Heard) -> str | None:
    """A sum of money; of a bare number the currency is not said."""
    if found := heard.named("amount"):
        return found
    text = unicodedata.normalize("NFKC", heard.text).strip()
    if _SUM.fullmatch(text):
        return text
    return paid(text) or ("skip" if refused(heard) else None)


def paid(text: str) -> str:
    """A sum that is said to have been paid, without its currency; "" if none is."""
    found = _PAID.search(text)
    return found[1] if found else ""


def company(heard: Heard) -> str | None:
    """A firm; who buys for himself has none."""
    return "skip" if is_private(heard.text) else text(heard)


def needed(read: Callable[[Heard], str | None]) -> Callable[[Heard], str | None]:
    """The same, where it may not be passed over."""
    return lambda heard: None if (found := read(heard)) == "skip" else found


def calls(heard: Heard) -> bool:
    """Whether it is a person that is wanted, on the phone."""
    return bool(heard.meant and heard.meant.wants_person and _BY_PHONE.heard(heard.text))


def yes_no(heard: Heard) -> str | None:
    """Yes or no in any of their forms; "that's all" to what is to be sent is no "no"."""
    return "yes" if is_all(heard.text) or sends(heard.text) else heard.yes_no or None


def ticket_number(heard: Heard, own: Iterable[str] = ()) -> str:
    """A ticket number as people type one: any case, without hyphen or prefix; "" if there is none."""
    text = unicodedata.normalize("NFKC", heard.text).upper()
    for number in own:
        if re.search(rf"(?<![A-Z0-9])T?{number.removeprefix('T-')}(?![A-Z0-9])", text):
            return number
    return heard.named("ticket") or (f"T-{found[1]}" if (found := _BARE.search(text)) else "")


_ALL_READERS = (words, text, address, product, serial, order, contact, date, time, amount, company)
READERS: Final[Mapping[str, Callable[[Heard], str | None]]] = {  # what a field of a form may be read as
    reader.__name__: reader for reader in _ALL_READERS
}
