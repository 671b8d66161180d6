"""What is told for other fields of a form than the one that is asked, in whatever order: kept, never asked again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bot.flows import matter
from bot.flows.draft import Draft
from bot.flows.reading import bare, day, given_freely, is_question, number_alone, refused

if TYPE_CHECKING:
    from bot.flows.journal import Run

FORM: Final = "ticket"  # the flow that fills in forms
SMALL: Final = frozenset({"product", "contact", "serial", "order", "bought", "time", "amount", "confirm"})
LITTLE: Final = 8  # letters that tell something, …
TOLD: Final = 24  # … and with digits among them
NAME: Final = 24  # letters of a name
ALONE: Final = 8  # letters that may stand beside what is named, as in "make it Sunday, please"
WHEN: Final = ("datetime", "period", "date", "month")
_CORRECTS = re.compile(
    r"\b(?:no|not|wrong|meant?|instead|actually|rather|sorry|change[ds]?|make it|correction)\b"
    r"|不是|错了|写错|弄错|说错|应该|改[成为]?|换成|其实|更正",
    re.IGNORECASE,
)
_SAID = re.compile(  # what is said around a number, and is no name
    r"\b(?:my|number|no|is|are|was|its?|the|a|an|phone|mobile|cell|tel|telephone|e?-?mail|address|call|text|me|us|at|on|to|or"
    r"|please|contact|reach|you|can|via|by|thanks?|yes|sure|ok|but|and|new|other|one|use|here|this|that|wrong|not|sorry)\b"
    r"|我|你们?|您|的|是|电话|手机|号码?|微信|同号|联系|方式|邮箱|地址|打|找|这个|那个|可以|请|给|发|到|谢谢|好|吧|啊|了|就|行|错|换|改|成|应该",
    re.IGNORECASE,
)
_BOUGHT = re.compile(r"\b(?:bought|purchased|ordered)\b|买|购|入手|下单", re.IGNORECASE)


def told(draft: Draft, run: Run) -> dict[str, str]:
    """Field -> what the words name for it; without the field that is asked and what is known already."""
    asked = run.asked.name if run.asked else ""
    form = {part["name"]: part["read"] for part in run.known.get("asks", ())} if run.name == FORM else {}
    found = {name: named(draft, read, run.told(name), asked) for name, read in form.items() if name != asked}
    return {name: value for name, value in found.items() if value and value != run.told(name)}


def named(draft: Draft, read: str, before: str, asked: str) -> str:
    """What the words name for a field that is read so, "" if nothing: a matter being told names much in passing."""
    heard, telling = draft.heard, asked == "what"
    match read:
        case "product":
            corrected = not before or alone(draft) or bool(_CORRECTS.search(draft.words))
            return heard.named("model") if corrected and not telling else ""
        case "serial" | "order":
            return heard.named(read)
        case "contact":
            found = given_freely(heard) if telling else heard.named("email", "phone") or number_alone(draft.words)
            return "" if bare(found) == bare(draft.turn.policy.company.get("phone", "")) else found
        case "date":
            own = _BOUGHT.search(draft.words) or (alone(draft) and not telling)
            return day(heard) if own else ""
        case "time":
            return heard.said(*WHEN) if not telling and alone(draft) and not _BOUGHT.search(draft.words) else ""
    return ""


def alone(draft: Draft) -> bool:
    """Whether the words hold little more than what they name: numbers, a product, a time."""
    return rest(draft) != draft.words and matter.letters(rest(draft)) <= ALONE


def rest(draft: Draft) -> str:
    """The words without what they name."""
    left = draft.words
    for entity in draft.meant.entities if draft.meant else ():
        left = left.replace(entity.text, " ")
    return left


def signed(draft: Draft) -> bool:
    """Whether a name stands beside a number or an address: people should know whom they call."""
    name = _SAID.sub("", rest(draft))
    return rest(draft) != draft.words and 3 <= matter.letters(name) <= NAME


def elsewhere(draft: Draft, run: Run, others: dict[str, str]) -> bool:
    """Whether the words are for other fields only, though the one that is asked would take any words; or correct one
    of them where everything is to be confirmed.
    """
    asked = run.asked.name if run.asked else ""
    corrects = bool(run.asked and run.asked.free and _CORRECTS.search(draft.words))
    return bool(others) and (asked == "confirm" or (asked != "what" and (alone(draft) or corrects)))


def aside(draft: Draft, run: Run, others: dict[str, str]) -> str:
    """What is told of the matter instead of an answer to a small question of a form, "" if nothing is: people should
    read it.
    """
    small = run.name == FORM and run.asked is not None and run.asked.name in SMALL
    words, intent = rest(draft), draft.heard.intent
    if not small or intent or is_question(words) or draft.heard.yes_no or refused(draft.heard):
        return ""
    tried = bool(others) or any(char.isdigit() for char in draft.words)  # at the number that is asked for
    return draft.words if matter.letters(words) >= (TOLD if tried else LITTLE) else ""


def changed(draft: Draft, run: Run) -> str:
    """Another kind of ticket that is wished instead of the one being filled in, "" if none is."""
    meant, kind = draft.meant, str(run.known.get("kind", ""))
    if run.name != FORM or not meant or meant.intent == kind or meant.intent_confidence < matter.SURE:
        return ""
    return meant.intent if draft.turn.policy.forms.wished(meant.intent) and not matter.telling(draft) else ""
