"""What the customer has told of the matter, and how much of it his words tell."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from bot import texts
from bot.cues import cue
from bot.flows.draft import TOLD, Draft
from bot.flows.lengths import BARE_WISH, CLAUSE, GRIEVANCE, MATTER, letters
from bot.flows.reading import PART, SUBJECT, Heard
from bot.flows.wording import bare, clauses, is_question, phone
from intents.language import is_foreign

if TYPE_CHECKING:
    from knowledge.index import Ranking

DETAILS: Final = frozenset({"model", "serial", "order", "date", "month", "datetime", "period", "amount"})
_CLAUSES = re.compile(r"[,，。;；!！?？\n]+|\.(?= )|\b(?:and|so|but)\b", re.IGNORECASE)
_PERSON = cue("matter.person")
NEAR: Final = 0.3  # confidence of what may be meant at all
SURE: Final = 0.8  # confidence of a wish that was not just guessed
_COMPLAINT_FILLER = cue("matter.complaint_filler")
_REFERS_BACK = cue("opening.refers_back")
_DEVICE = cue("matter.device")
_COMPLAINS = cue("matter.complains")
_REACH_ME = cue("matter.reach_me")
_LOCAL_NUMBER = cue("matter.local_number")
_NAMED_NUMBER = cue("matter.named_number")
_BEFORE_OWN = cue("matter.before_own")
_OTHER_NUMBER = cue("matter.other_number")


def contact(draft: Draft) -> str:
    """How to reach the customer, told without being asked; our own number is none."""
    found = given_freely(draft.heard)
    return "" if bare(found) == bare(draft.turn.policy.company.get("phone", "")) else found


def given_freely(heard: Heard) -> str:
    """The customer's own phone number or address, told without being asked; "" if it may be somebody else's."""
    text = unicodedata.normalize("NFKC", heard.text)
    reach, local = _REACH_ME.heard(text), _LOCAL_NUMBER.heard(text.strip())
    found = heard.named("email", "phone") or (phone(text) if reach or local else "")
    found = found or _beside_a_name(text)
    said = next((e.text for e in heard.meant.entities if e.value == found), found) if heard.meant else found
    alone = any(said in clause and len(bare(clause)) - len(bare(said)) <= PART for clause in clauses(text))
    abroad = found.startswith("+") and is_foreign(text)
    own = alone or bool(_BEFORE_OWN.heard(text[: text.find(said)])) or found == _beside_a_name(text)
    other = is_question(text) or (not found.count("@") and _of_a_thing(text, said))
    return found if found and (reach or ((local or own or abroad) and not other)) else ""


def _of_a_thing(text: str, number: str) -> bool:
    """Whether the clause in which a number stands says that it is that of an invoice, an error and the like."""
    return any(number in clause and _OTHER_NUMBER.heard(clause) for clause in clauses(text))


def _beside_a_name(text: str) -> str:
    """A phone number that stands beside a name and nothing else, "" if none does."""
    return phone(text) if _NAMED_NUMBER.heard(text.strip()) else ""


def known(draft: Draft, **more: Any) -> dict[str, Any]:
    """What a flow need not ask: the words, the product named, what the customer told before."""
    customer = draft.turn.customer
    another = draft.talk.extra.get("ticket") and _DEVICE.heard(draft.words)  # "and now the router": which one?
    owned = customer.get("product", "")
    return {
        "words": draft.words or still_open(draft) or draft.text("no_words"),
        "product": draft.heard.named("model") or draft.talk.extra.get("product") or (not another and owned) or "",
        "contact": contact(draft) or customer.get("contact", ""),
        **more,
    }


def ranked(draft: Draft, text: str) -> Ranking:
    """What the knowledge makes of other words than just these."""
    named = draft.meant.entities if draft.meant else ()
    models = tuple(entity.value for entity in named if entity.kind == "model" and entity.text in text)
    return draft.turn.knowledge.ask(text, draft.lang, now=draft.now.date(), products=models)


def telling(draft: Draft) -> str:
    """The words if they tell a matter and not only a wish."""
    wished = draft.ranking and draft.ranking.outcome == "intent"
    wish = letters(draft.ranking.candidates[0].nearest) if draft.ranking and wished else BARE_WISH
    return draft.words if letters(draft.words) >= wish + MATTER else ""


def apart(draft: Draft) -> bool:
    """Whether a clause of the words tells something beside the wish for a person."""
    clauses = _CLAUSES.split(draft.words)
    return len(clauses) > 1 and any(letters(c) >= CLAUSE and not _PERSON.heard(c) for c in clauses)


def beside(draft: Draft) -> str:
    """The words if they tell something beside a wish: they name something, or have several clauses."""
    agrees = draft.heard.yes_no == "yes" and letters(draft.words) <= MATTER  # "yes, open one"
    return draft.words if draft.heard.named(*DETAILS) or (_CLAUSES.search(draft.words) and not agrees) else ""


def still_open(draft: Draft) -> str:
    """What was told and asked so far in this conversation, unless it was answered well."""
    said = draft.talk.extra.get("told") or filter(None, [draft.talk.last_question])
    return "" if draft.talk.extra.get("settled") else shortened("\n".join(said))


def shortened(told: str) -> str:
    """Its beginning and its end, where it is too long for a ticket."""
    half = SUBJECT // 2 - 1
    return told if len(told) <= SUBJECT else f"{told[:half]}…{told[-half:]}"


def already_answered(draft: Draft) -> str:
    """What was asked in this conversation and has an answer: a ticket may be about that all the same."""
    extra = draft.talk.extra
    return "\n".join((*extra.get("answered", ()), *(() if extra.get("bare") else extra.get("told", ()))))[-SUBJECT:]


def answers_did_not_help(draft: Draft) -> None:
    """What was answered has not helped: people are to read all of it."""
    before, told = draft.talk.extra.get("answered", ()), draft.talk.extra.get("told", ())
    said = [*before, *(one for one in told if one not in before)]
    bare_so_far = None if before else draft.talk.extra.get("bare")
    draft.keep(settled=None, answered=None, told=said[-TOLD:] or None, let_be=None, bare=bare_so_far)


def asked_before(draft: Draft) -> str:
    """What he asked before another matter, and nobody answered, as people read it on a ticket; "" if nothing."""
    said = " / ".join(draft.talk.extra.get("earlier", ()))
    return draft.text("matter.asked_before", said=texts.Markup(said)) if said else ""


def is_apart(draft: Draft, before: str) -> bool:
    """Whether the words, which tell a matter of their own, have nothing to do with what he has only asked before."""
    own = draft.heard.named("model") or _DEVICE.heard(draft.words) or not _REFERS_BACK.heard(draft.words)
    return bool(before and own) and all(map(is_question, draft.talk.extra.get("told", ())))


def complains(draft: Draft) -> bool:
    """Whether a complaint is meant: the word is said, we are sure, or there is anger in it."""
    meant = draft.meant
    return meant is None or meant.intent_confidence >= SURE or meant.angry or blames(draft)


def blames(draft: Draft) -> bool:
    """Whether the words say that somebody behaved badly, or that a complaint is made."""
    return bool(_COMPLAINS.heard(draft.words))


def grievance(draft: Draft) -> str:
    """The words if they tell more than that a complaint is wished."""
    beside = _COMPLAINT_FILLER.without(draft.words.replace("'", ""))
    return draft.words if letters(beside) >= GRIEVANCE else ""


def just_opened(draft: Draft) -> str:
    """The ticket opened in this conversation, as long as nothing else has been asked since; "" if there is none."""
    return "" if draft.talk.last_question else str(draft.talk.extra.get("ticket", ""))


def held(draft: Draft, entry: str) -> str:
    """The entry, if the knowledge still holds it."""
    return entry if draft.turn.knowledge.entry(entry) else ""
