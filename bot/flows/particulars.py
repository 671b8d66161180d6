"""What the words name (a product, a number, a day, how to reach somebody), and what else they hold beside that."""

from __future__ import annotations

from typing import Final

from bot.cues import cue
from bot.dialogue import OpenTicket
from bot.flows import matter
from bot.flows.draft import Draft
from bot.flows.lengths import BESIDE, GRIEVANCE, NAME, WANTED, letters
from bot.flows.reading import day, paid
from bot.flows.wording import address, bare, clauses, is_question, phone

DIGITS: Final = 6  # of a number that stands for something
PARTS: Final = 20  # clauses of a long message that are looked at for what they tell
WHEN: Final = ("datetime", "period", "date", "month")
_CONTACT_FILLER = cue("particulars.contact_filler")
_DETAIL_FILLER = cue("particulars.detail_filler")
_PART_FILLER = cue("particulars.part_filler")
_FAULT = cue("particulars.fault")
_POLITE = cue("particulars.polite")
_BOUGHT = cue("particulars.bought")
_CORRECTS = cue("fields.corrects")


def little_beside(draft: Draft, part: str = "") -> bool:
    """Whether the words, or a part of them, hold little more than what they name."""
    left = unnamed(draft, part)
    return left != (part or draft.words) and letters(left) <= BESIDE


def unnamed(draft: Draft, part: str = "") -> str:
    """The words, or a part of them, without what they name."""
    left = part or draft.words
    for entity in draft.meant.entities if draft.meant else ():
        left = left.replace(entity.text, " ")
    return left


def only_details(draft: Draft) -> bool:
    """Whether the words are nothing but details of a matter: a product, a number of ours, a day, a sum."""
    kinds = {entity.kind for entity in draft.meant.entities} if draft.meant else set()
    if bare(draft.words).isnumeric():
        return len(bare(draft.words)) >= DIGITS and not matter.contact(draft)
    if bare(draft.words) and bare(draft.words) == bare(address(draft.words)):
        return True
    named = bool(kinds) and kinds <= matter.DETAILS
    return named and nothing_beside(draft) and not is_question(draft.words)


def details(draft: Draft) -> dict[str, str]:
    """Those details, by how a field is read that asks for one."""
    date = day(draft.heard) if _BOUGHT.heard(draft.words) else ""
    sums = {"amount": draft.heard.named("amount") or paid(draft.words)}
    found = {**draft.heard.numbers, **sums, "date": date, "address": address(draft.words)}
    return {name: value for name, value in found.items() if value}


def when(draft: Draft) -> str:
    """The day or the time that the words name, and not that of a purchase."""
    return "" if _BOUGHT.heard(draft.words) else draft.heard.said(*WHEN)


def wants(draft: Draft) -> bool:
    """Whether the words name what is wanted, and do not only say that something is."""
    return letters(_PART_FILLER.without(unnamed(draft))) >= WANTED


def keep(draft: Draft) -> None:
    """What the words name is known from now on, whatever comes of them; what a ticket has just taken is with it."""
    if draft.number and not any(isinstance(effect, OpenTicket) for effect in draft.effects):
        draft.keep(product=draft.heard.named("model") or draft.talk.extra.get("product"))
        draft.keep(details={**draft.talk.extra.get("details", {}), **details(draft)} or None)


def nothing_beside(draft: Draft) -> bool:
    """Whether the words hold nothing but what they name, and what is said around that."""
    left = unnamed(draft)
    return left != draft.words and letters(_without_filler(left)) <= 2


def _without_filler(text: str) -> str:
    """A text without what is said around numbers, products and days."""
    return _DETAIL_FILLER.without(_CONTACT_FILLER.without(text))


def told_beside(draft: Draft) -> str:
    """The words if one clause of them is a wish, and another tells what is the matter; "" if they only wish."""
    parts = clauses(draft.words)
    if not 1 < len(parts) <= PARTS:
        return ""
    tells = (part for part in parts if letters(part) >= BESIDE and not _polite(part) and _says(unnamed(draft, part)))
    return draft.words if any(matter.ranked(draft, part).outcome != "intent" for part in tells) else ""


def _says(part: str) -> bool:
    """Whether more is said than names and numbers, and what stands around them."""
    return letters(_without_filler(part)) >= WANTED or is_fault(part)


def is_fault(part: str) -> bool:
    """Whether the words say that something is broken."""
    return bool(_FAULT.heard(part))


def _polite(part: str) -> bool:
    """Whether a clause is a question, or only asks nicely."""
    return is_question(part) or bool(_POLITE.heard(part))


def beside_contact(draft: Draft) -> str:
    """What is said beside a phone number or an address of e-mail: when, for whom; "" if nothing is."""
    words = draft.words.replace(phone(draft.words) or "\n", " ")
    words = words.replace(draft.heard.said("email", "phone") or "\n", " ")
    return words.strip() if letters(_CONTACT_FILLER.without(words)) >= GRIEVANCE or signed(draft) else ""


def signed(draft: Draft) -> bool:
    """Whether a name stands beside a number or an address: people should know whom they call."""
    if _CORRECTS.heard(draft.words):
        return False
    left = unnamed(draft).replace(phone(draft.words) or "\n", " ")
    return left != draft.words and 3 <= letters(_CONTACT_FILLER.without(left)) <= NAME
