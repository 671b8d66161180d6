"""What is told for other fields of a form than the one that is asked, in whatever order: kept, never asked again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bot.cues import cue
from bot.flows import matter, particulars
from bot.flows.draft import Draft
from bot.flows.lengths import ASKED, ATTEMPT, BARE_WISH, BESIDE, REMARK, letters
from bot.flows.reading import cannot, day, is_quantity, refused
from bot.flows.wording import (
    address,
    bare,
    clauses,
    corrected_address,
    is_address,
    is_question,
    number_alone,
    pieces,
)

if TYPE_CHECKING:
    from bot.flows.journal import Run
    from handoff.forms import Form

REACHED: Final = frozenset({"human", "complaint", "emergency"})  # those that ask how to reach him, at last
SMALL: Final = frozenset({"product", "contact", "serial", "order", "bought", "time", "amount", "confirm"})
CARD: Final = frozenset({"confirm", "change"})  # what is asked of a form that is filled in
TURNED: Final = 0.45  # confidence of a wish in the words of who changes his mind
FIRM: Final = frozenset({"product", "serial", "order", "contact", "date", "time", "amount"})  # read by what is named
_CORRECTS = cue("fields.corrects")
_REARRANGES = cue("fields.rearranges")
_NEGATES = cue("fields.negates")
_HOUR = cue("fields.hour")
_CONTACT_FILLER = cue("particulars.contact_filler")
_CHANGES_MIND = cue("fields.changes_mind")
_ONLY_WANTS = cue("fields.only_wants")
_BESIDES = cue("fields.besides")
_WISH_FILLER = cue("fields.wish_filler")
_EDITS = cue("fields.edits")
_YEAR = cue("fields.year")
_DEVICE = cue("matter.device")
_DIGITS = re.compile(r"[0-9][0-9 -]{2,}[0-9]")
_BOUGHT = cue("particulars.bought")


def told(draft: Draft, run: Run) -> dict[str, str]:
    """Field -> what the words name for it; without the field that is asked and what is known already."""
    asked = run.asking
    form = {part["name"]: part["read"] for part in run.form}
    if run.name in REACHED:
        form = {"contact": "contact"}
    found = ((name, named(draft, read, run.told(name), asked)) for name, read in form.items() if name != asked)
    return {name: value for name, value in found if value and value != run.told(name)}


def named(draft: Draft, read: str, before: str, asked: str) -> str:
    """What the words name for a field that is read so, "" if nothing: a matter being told names much in passing."""
    heard, telling = draft.heard, asked == "what"
    match read:
        case "product":
            corrected = not before or particulars.little_beside(draft) or bool(_CORRECTS.heard(draft.words))
            return heard.named("model") if corrected and (not telling or particulars.nothing_beside(draft)) else ""
        case "serial" | "order":
            return heard.named(read)
        case "amount":
            return "" if telling else heard.named(read)
        case "contact":
            if telling:
                return matter.contact(draft)
            found = heard.named("email", "phone") or matter.contact(draft) or number_alone(draft.words)
            return "" if bare(found) == bare(draft.turn.policy.company.get("phone", "")) else found
        case "date":
            alone_here = particulars.little_beside(draft) and (not telling or particulars.nothing_beside(draft))
            own = _BOUGHT.heard(draft.words) or asked == "confirm" or alone_here
            found = day(heard) if _BOUGHT.heard(draft.words) else heard.named("date", "month")  # "after five" is none
            return _same_year(draft, found, before) if own else ""
        case "time":
            moves = letters(draft.words) <= REMARK and bool(_REARRANGES.heard(draft.words))
            own = moves or any(particulars.little_beside(draft, part) for part in clauses(draft.words))
            said = particulars.when(draft) or (_HOUR.heard(draft.words) if moves and before else "")
            return _same_day(said, before) if asked == "confirm" or (own and not telling) else ""
        case "address":
            return corrected_address(address(draft.words), before)
    return ""


def _same_year(draft: Draft, day: str, before: str) -> str:
    """The day that corrects another is of the same year, unless one is said."""
    dates = all(len(one) == len("2026-03-05") and one[:4].isdigit() for one in (day, before))
    corrects = dates and _CORRECTS.heard(draft.words) and not _YEAR.heard(draft.words)
    return before[:4] + day[4:] if corrects and not day.endswith("02-29") else day


def _same_day(time: str, before: str) -> str:
    """The hour that corrects another is of the same day: people read both."""
    arranged = before.split(" → ")[0]
    return f"{arranged} → {time}" if arranged and _HOUR.fills(time) and not _HOUR.fills(arranged) else time


def elsewhere(draft: Draft, run: Run, others: dict[str, str]) -> bool:
    """Whether the words are for other fields only, though the one that is asked would take any words; or correct one
    of them where everything is to be confirmed.
    """
    asked = run.asking
    if asked in ("confirm", "what") or not others:
        return bool(others) and (asked == "confirm" or particulars.nothing_beside(draft))
    form = {part["name"]: part["read"] for part in run.form}
    if form.get(asked) in FIRM and named(draft, form[asked], "", asked):
        return False  # "BE6500, 9 Mill Lane": both
    if bare(draft.words) in map(bare, others.values()):
        return True
    if form.get(asked) == "text" and asked != "remarks" and particulars.wants(draft):
        return False  # "the C5's adapter": the part, and the product it is for
    corrects = run.asked is not None and run.asked.free and _CORRECTS.heard(draft.words)
    return bool(corrects) or particulars.little_beside(draft) or is_address(draft.words)


def aside(draft: Draft, run: Run, others: dict[str, str]) -> str:
    """What is told of the matter instead of an answer to a small question of a form, "" if nothing is: people should
    read it.
    """
    asked = run.asking
    little_asked = asked in {*SMALL, "address"}
    small = run.fills_form and (little_asked or is_quantity(draft.words) or is_question(draft.words))
    if draft.words in others.values():
        return ""
    if asked == "confirm" and is_besides(draft.words) and not draft.heard.yes_no:
        return draft.words  # "and the C2 one too"
    if (not others and _not_asked_for(draft, run, small)) or ("contact" in others and particulars.signed(draft)):
        return draft.words
    wish = draft.turn.policy.forms.wished(draft.heard.intent)  # more of the same, or another matter
    intent = "" if wish or draft.heard.intent == run.known.get("kind") else draft.heard.intent
    declines = refused(draft.heard) and asked not in ("", "confirm")
    if not small or intent or draft.heard.yes_no or declines:
        return ""
    words = draft.words if asked == "confirm" and not others else particulars.unnamed(draft)
    return draft.words if _worth_reading(draft, words, others) else ""


def _not_asked_for(draft: Draft, run: Run, small: bool) -> bool:
    """Whether the words name what this form does not ask for: a product, a number of ours, a day."""
    asked, only = {part["name"] for part in run.form}, particulars.nothing_beside(draft)
    if asked and only and draft.heard.named("model") and "product" not in asked:
        return True
    dated = only and particulars.when(draft) and not {"time", "bought"} & asked
    return small and bool(draft.heard.numbers or dated)


def _worth_reading(draft: Draft, words: str, others: dict[str, str]) -> bool:
    """Whether ``words``, which are what else the message holds, say enough; or how many, or that it is urgent."""
    if any(char.isdigit() for char in words):
        words = _CONTACT_FILLER.without(words)  # "my number is 12"
    tried = bool(others) or _DIGITS.search(words)  # at the number that is asked for
    if letters(words) >= (ATTEMPT if tried else BESIDE) or is_quantity(draft.words):
        return True
    asks = is_question(draft.words) and letters(words) >= ASKED
    return asks or (draft.meant is not None and draft.meant.urgent)


def renamed(draft: Draft, run: Run) -> str:
    """The field that he wants to change, by its label, without saying to what; "" if none."""
    words = draft.words.casefold()
    if not run.fills_form or letters(words) > REMARK or not _EDITS.heard(words) or is_question(words):
        return ""
    labels = {part["name"]: part["label"][draft.lang] for part in run.form}
    return next((name for name, label in labels.items() if any(part in words for part in pieces(label.casefold()))), "")


def changed(draft: Draft, run: Run) -> str:
    """Another kind of ticket that is wished instead of the one being filled in, "" if none is."""
    forms, kind, ranking = draft.turn.policy.forms, str(run.known.get("kind", "")), draft.ranking
    turns = bool(_CHANGES_MIND.heard(draft.words))
    firm = bool(_ONLY_WANTS.heard(draft.words))
    if not run.fills_form or not ranking or is_besides(draft.words):
        return ""
    if (wish := _turned(draft, run)) or (matter.telling(draft) and not firm):
        return wish
    if not turns and ranking.outcome not in ("intent", "choose"):
        return ""
    tells = run.asking == "what" and letters(draft.words) > BARE_WISH
    if turns and (named := kind_named(draft)):
        return "" if named == kind else named  # "then repair"
    refuses = refused(draft.heard) and not (firm or (turns and not cannot(draft.heard)))  # "no, an exchange then"
    if tells or refuses or particulars.only_details(draft):
        return ""  # that is the matter itself, what he does not wish, or a number
    least = matter.SURE if ranking.outcome == "intent" and not (turns or firm) else TURNED
    sure = (c.entry.removeprefix("intent:") for c in ranking.candidates if c.confidence >= least and ":" in c.entry)
    wished = next(filter(forms.wished, sure), kind)
    return "" if wished == kind or is_question(draft.words) else wished


def _turned(draft: Draft, run: Run) -> str:
    """The same, said in a clause of what tells more: "a refund instead, I bought it in March"."""
    little_asked = run.asking in SMALL | CARD
    parts = clauses(draft.words)[: particulars.PARTS] if run.asking != "what" else []
    for part in parts if len(parts) > 1 else ():
        turns = bool(_CHANGES_MIND.heard(part))
        apart = letters(part) > REMARK or is_question(part) or particulars.unnamed(draft, part) != part
        ranking = None if apart or not (turns or little_asked) else matter.ranked(draft, part)
        if ranking is None or (not turns and ranking.outcome != "intent"):
            continue
        likely = ranking.candidates if turns else ranking.candidates[:1]
        least = TURNED if turns else matter.SURE
        named = (one.entry.removeprefix("intent:") for one in likely if one.confidence >= least)
        if wish := next(filter(draft.turn.policy.forms.wished, named), ""):
            return "" if wish == run.known.get("kind") else wish
    return ""


def tells_fault(draft: Draft) -> bool:
    """Whether the words say that a device is broken."""
    device = bool(draft.heard.named("model") or _DEVICE.heard(draft.words))
    return device and particulars.is_fault(draft.words)


def is_besides(text: str) -> bool:
    """Whether something is wanted besides, not instead."""
    return bool(_BESIDES.heard(text))


def kind_named(draft: Draft) -> str:
    """The kind of ticket that one clause is the bare name of, "" if none is."""
    parts = [part for clause in clauses(draft.words) for part in re.split("[:：]", clause) if part.strip()]
    unnamed = (particulars.unnamed(draft, part) for part in parts)
    said = {bare(_WISH_FILLER.without(_CHANGES_MIND.without(part))) for part in unnamed}
    kinds = draft.turn.policy.forms
    forms = [(name, form) for name, form in kinds.kinds.items() if kinds.wished(name)]
    signs = {part for part in said if len(part) == 1 and not _NEGATES.heard(draft.words)}  # 修 for 维修
    return next((name for name, form in forms if said & _called(name, form)), "") or next(
        (name for name, form in forms if any(sign in label for sign in signs for label in form.label.values())), ""
    )


def _called(name: str, form: Form) -> set[str]:
    """What a kind of ticket is called."""
    return {bare(called) for label in (name, *form.label.values()) for called in (label, *label.split(" and "))}
