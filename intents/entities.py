"""What a message names: numbers of tickets, devices and orders, phones, addresses, models, amounts, dates and times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain

from intents.times import times

Found = tuple[str, str, int, int]  # kind, value, start, end
_MOST = 40  # entities of one message; the rest of a flood is not looked at


@dataclass(frozen=True, slots=True)
class Entity:
    """Something named in a message. ``value`` is its one written form, ``text`` what the customer wrote.

    Kinds and values: ticket ``T-7KQ2M9XD`` · serial ``HL24A7X9K2M4`` · order ``SO2026030512`` · phone ``13812345678``,
    ``057188880000``, ``+14155550123`` · email · model (as in the list of products) · amount ``199 CNY`` ·
    language ``en`` · date ``2026-03-05`` · month ``2026-03`` · datetime ``2026-03-05T15:00`` (with the offset of
    ``now``) · period ``2026-03-05T12:00/2026-03-05T18:00`` or, in days, ``2026-03-09/2026-03-16`` (the last not in it).
    """

    kind: str
    value: str
    text: str


def entities(
    text: str, now: datetime, products: tuple[str, ...] = (), numbers: Mapping[str, re.Pattern[str]] | None = None
) -> tuple[Entity, ...]:
    """All entities in the order they stand in; of two that claim the same words the surer has them.

    Times are read on the clock of ``now``: pass it in the company's time zone.
    """
    found: list[Iterator[Found]] = [_emails(text)]
    if re.search("[0-9]", text):
        own = (_numbers(text, kind, form) for kind, form in (numbers or {}).items())
        found += [_tickets(text), *own, _models(text, products), _amounts(text), _phones(text)]
    else:
        found += [_models(text, products)]
    taken: list[tuple[int, int, Entity]] = []
    for kind, value, start, end in chain(*found, _languages(text), times(text, now)):
        if all(end <= a or start >= b for a, b, _ in taken):
            taken.append((start, end, Entity(kind, value, text[start:end])))
            if len(taken) == _MOST:
                break
    return tuple(entity for *_, entity in sorted(taken, key=lambda t: t[0]))


# ---------------------------------------------------------------- numbers that are ours

_TICKET = re.compile(r"(?<![a-z0-9])t ?([-\u2010-\u2015\u2212_])? ?([0-9a-tv-z]{8})(?![a-z0-9])", re.IGNORECASE)
_DIGITS = 6  # in a number that only the word before it tells: "order AX3000" is none
_MISREAD = str.maketrans("ILO", "110")  # letters Crockford's alphabet does without


def _tickets(text: str) -> Iterator[Found]:
    for match in _TICKET.finditer(text):
        if match[1] or re.search("[0-9]", match[2]):  # "T telephon" is no ticket
            yield "ticket", "T-" + match[2].upper().translate(_MISREAD), *match.span()


def _numbers(text: str, kind: str, form: re.Pattern[str]) -> Iterator[Found]:
    """Serial or order numbers, however grouped: words that happen to have the shape lack the digits."""
    for match in form.finditer(text):
        if match["named"] and sum(map(str.isdigit, match["named"])) >= _DIGITS:
            yield kind, match["named"].replace("-", "").upper(), *match.span("named")
            continue
        if match["named"]:  # too few digits for any number, but it may have the shape
            match = form.match(text, match.start("named")) or match
        if match["shape"]:
            pieces = re.split("[ -]", match["shape"])
            if all(re.search("[0-9]", piece) for piece in pieces[1:] or pieces):
                yield kind, "".join(pieces).upper(), *match.span("shape")


@lru_cache(maxsize=64)
def _model_form(products: tuple[str, ...]) -> tuple[re.Pattern[str], Mapping[str, str]]:
    """One pattern for a list of products, longest first, and the product for each squeezed name."""
    names = {_squeezed(product): product for product in products if _squeezed(product)}
    forms = (
        r"[\s_-]{0,2}".join(re.escape(part) for part in re.findall(r"[^\W\d_]+|\d+|[^\w\s-]", product.casefold()))
        for product in sorted(names.values(), key=len, reverse=True)
    )
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(forms)})(?![a-z0-9])", re.IGNORECASE), names


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.casefold())


def _models(text: str, products: tuple[str, ...]) -> Iterator[Found]:
    if not products:
        return
    form, names = _model_form(products)
    for match in form.finditer(text):
        if product := names.get(_squeezed(match[0])):
            yield "model", product, *match.span()


# ---------------------------------------------------------------- how to reach somebody

_EMAIL = re.compile(
    r"(?<![a-z0-9_.+-])[a-z0-9_.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}(?![a-z0-9_@])", re.IGNORECASE
)
_PHONE = re.compile(
    r"""(?<![\w.+-])(?:
      (?P<mobile>(?:(?:\+|00)86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4})
    | (?P<plain>0[0-9]{2,3}[ -]?[0-9]{7,8}(?:[ -][0-9]{1,6})? | [48]00[ -]?[0-9]{3,4}[ -]?[0-9]{3,4}
        | \(?[0-9]{3}\)?[ -][0-9]{3}[ -][0-9]{4})
    | (?P<abroad>\+[0-9](?:[ ()-]{0,2}[0-9]){6,14})
    )(?![\w])(?!-[0-9])""",
    re.VERBOSE | re.ASCII,
)


def _emails(text: str) -> Iterator[Found]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield "email", match[0].rstrip(".-").lower(), *match.span()


def _phones(text: str) -> Iterator[Found]:
    for match in _PHONE.finditer(text):
        digits = re.sub("[^0-9]", "", match[0])
        value = digits[-11:] if match["mobile"] else digits if match["plain"] else "+" + digits
        yield "phone", value, *match.span()


# ---------------------------------------------------------------- money and languages

_AMOUNT = re.compile(
    r"(?P<sign>[¥$€£]|rmb|cny|usd) ?(?P<first>[0-9][0-9,]{0,11}(?:\.[0-9]{1,2})?)(?![0-9])"
    r"|(?<![\w.,])(?P<last>[0-9][0-9,]{0,11}(?:\.[0-9]{1,2})?) ?"
    r"(?P<unit>元|块|圆|英镑|镑|港币|港元|(?:rmb|cny|yuan|usd|dollars?|bucks|eur|euros?|gbp|pounds?|quid|hkd)\b)",
    re.IGNORECASE | re.ASCII,
)
_CURRENCY = {"USD": "$udb", "EUR": "€e", "GBP": "£gpq英镑", "HKD": "h港"}  # by the first letter of what is written
_LANGUAGE = re.compile(r"\b(?:english|chinese|mandarin)\b|英文|英语|中文|汉语|普通话", re.IGNORECASE)


def _amounts(text: str) -> Iterator[Found]:
    for match in _AMOUNT.finditer(text):
        digits = (match["first"] or match["last"]).replace(",", "")
        first = (match["sign"] or match["unit"])[0].lower()
        currency = next((name for name, firsts in _CURRENCY.items() if first in firsts), "CNY")
        yield "amount", f"{digits} {currency}", *match.span()


def _languages(text: str) -> Iterator[Found]:
    for match in _LANGUAGE.finditer(text):
        yield "language", "en" if match[0][0] in "eE英" else "zh", *match.span()
