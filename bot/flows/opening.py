"""A ticket is wished for: what is known of its matter goes along, and what is arranged already may be changed."""

from __future__ import annotations

from typing import Any, Final

from bot import texts
from bot.cues import cue
from bot.flows import journal, line, matter, particulars
from bot.flows.draft import Draft
from bot.flows.lengths import REMARK, letters
from bot.flows.wording import bare, is_question
from bot.messages import Kind

GENERAL: Final = frozenset({"question", "fault"})  # kinds that are about whatever was said before
THEMSELVES: Final = frozenset({"lead"})  # wishes that are the whole matter
_REFERS_BACK = cue("opening.refers_back")
_UNWANTED = cue("opening.unwanted")
_CANCELS_IT = cue("opening.cancels_it")
_STILL_WANTED = cue("opening.still_wanted")
_INSTEAD = cue("opening.instead")
_REARRANGES = cue("opening.rearranges")
_OPEN_QUESTION = cue("reading.open_question")


def ticket(draft: Draft, kind: str, **told: str) -> None:
    """A ticket about the words, or about the question before them."""
    line.leave(draft, "ticket")
    draft.open()
    if number := _to_be_changed(draft, kind):
        draft.add(number, draft.words)
        draft.say("flow.added", number=number)
        return
    kind = kind if kind not in ("", "ticket") else _general(draft)
    asks = draft.turn.policy.forms.asked(kind)
    first = next((part for part in asks if part["need"] != "told"), {"name": "", "read": ""})
    words = draft.words if draft.event.kind is not Kind.CHOICE else ""
    wanted = words if first["read"] == "text" and particulars.wants(draft) else ""  # "I need a new adapter"
    before = "" if draft.talk.extra.get("bare") else matter.still_open(draft)
    now = told.get("what") or ("" if wanted else matter.telling(draft))
    if own := "" if told or wanted else _own_matter(draft, kind, now, before):
        now, before = own, ""
    told_before = bool(words) and words in before
    if told_before and words != before:
        now = ""
    answered = matter.already_answered(draft)
    if not (now or before or wanted) and first["name"] == "what":
        now = words if kind in THEMSELVES else particulars.told_beside(draft)
    what = now or ("" if wanted else before)
    if not told:
        what = whole(draft, kind, what, before)
    beside = matter.beside(draft) if words not in ("", wanted) and words not in what and not told_before else ""
    more: dict[str, Any] = {"what": what, "about": "" if now or not before else what, "kind": kind, "asks": asks}
    more["more" if what else "first"] = beside  # before or after what is told of the matter
    more["priority"] = "high" if draft.meant and draft.meant.urgent else "normal"
    more["named"] = {
        **draft.talk.extra.get("details", {}),
        **particulars.details(draft),
        "time": particulars.when(draft),
    }
    if wanted:
        more[first["name"]] = wanted
    tells = any(part["name"] == "what" and part["need"] != "told" for part in asks)
    more |= {"products": draft.turn.policy.products[:8]}
    more["answered"] = "" if what or not tells else answered
    journal.begin(draft, "ticket", **matter.known(draft, **{**told, **more}))


def _own_matter(draft: Draft, kind: str, now: str, before: str) -> str:
    """What the words tell, if what he has only asked ``before`` is none of it, and left; "" else."""
    own = now or ("" if kind in GENERAL or draft.words in before else particulars.told_beside(draft))
    if not own or not matter.is_apart(draft, before):
        return ""
    draft.remember(last_question="")
    draft.leaves()
    return own


def _to_be_changed(draft: Draft, kind: str) -> str:
    """The ticket of this kind that is arranged already, if that is to be changed; "" if none is."""
    there = next((t.number for t in draft.turn.tickets if t.kind == kind), "")
    if _INSTEAD.heard(draft.words):  # "a return after all": of the one just opened
        there = matter.just_opened(draft) or there
    return there if _REARRANGES.heard(draft.words) else ""


def _general(draft: Draft) -> str:
    """The kind of a ticket where none is named: by what was asked before."""
    return "fault" if _after_a_fault(draft) else "question"


def _after_a_fault(draft: Draft) -> bool:
    """Whether what was answered last is about a fault."""
    entry = draft.turn.knowledge.entry(draft.talk.last_entry)
    return entry is not None and entry.of_fault


def whole(draft: Draft, kind: str, what: str, before: str) -> str:
    """The matter with what it goes on from: what nobody has answered, and what was answered where it says little."""
    if not what:
        what = before
    if before and before not in what and what not in before:
        what = f"{before}\n{what}"
    answered = "\n".join(draft.talk.extra.get("answered", ()))
    what = "\n".join(filter(None, (what, matter.asked_before(draft))))
    little = max(map(letters, what.split("\n"))) <= REMARK
    refers = (kind in GENERAL or _after_a_fault(draft)) and (_REFERS_BACK.heard(what) or little)
    return matter.shortened(f"{answered}\n{what}") if what and answered and refers else matter.shortened(what)


def rearranged(draft: Draft) -> bool:
    """Another day for what was arranged: people read it on the ticket."""
    number, day = draft.talk.extra.get("ticket"), draft.heard.named("datetime", "period", "date")
    number = number or next((one.number for one in draft.turn.tickets if _dated(draft, one.number)), "")
    about = number == matter.just_opened(draft) and _dated(draft, str(number))  # any day is about that
    known = draft.ranking is not None and draft.ranking.outcome == "answer"  # "change the password tomorrow"
    if not about and known and number != draft.talk.extra.get("ticket"):
        return False
    if not (number and day and (about or _REARRANGES.heard(draft.words))) or _is_apart(draft, known):
        return False
    asks = about and is_question(draft.words) and not _REARRANGES.heard(draft.words)
    draft.open()
    draft.keep(ticket=number)
    draft.add(number, draft.words)
    draft.say("unknown.added" if asks else "flow.added", number=number)
    return True


def _is_apart(draft: Draft, known: bool) -> bool:
    """Whether the words are no arrangement, though they name a day: a complaint, a question with an answer, a wish."""
    wishes = draft.turn.policy.forms.wished(draft.heard.intent) and not _REARRANGES.heard(draft.words)
    return bool(wishes) or matter.blames(draft) or (known and bool(_OPEN_QUESTION.heard(draft.words)))


def withdrawn(draft: Draft) -> str:
    """The ticket that is to be withdrawn: of the kind that is named, or the one opened just now; "" if none is."""
    return kind_said(draft) or matter.just_opened(draft)


def kind_said(draft: Draft) -> str:
    """The newest of his tickets whose kind is named, "" if none is."""
    kinds = draft.turn.policy.forms.kinds
    names = {t.number: [t.kind, *kinds[t.kind].label.values()] for t in draft.turn.tickets if t.kind in kinds}
    named = (number for number, called in names.items() if any(bare(name) in bare(draft.words) for name in called))
    return next(named, "")


def is_unwanted(text: str) -> bool:
    """Whether something is wanted no more."""
    return bool(_UNWANTED.heard(text)) and not _STILL_WANTED.heard(text)


def unwanted(draft: Draft) -> bool:
    """What a ticket that is named is to bring is wanted no more: people read it there."""
    if not is_unwanted(draft.words) or is_question(draft.words):
        return False
    number = kind_said(draft) if letters(draft.words) <= REMARK else ""
    if not number and _CANCELS_IT.heard(draft.words):
        number = str(draft.talk.extra.get("ticket", ""))
    if number:
        draft.open()
        draft.add(number, draft.words)
        draft.say("ticket.unwanted", number=number)
    return bool(number)


def _dated(draft: Draft, number: str) -> bool:
    """Whether a time was arranged for with a ticket of this number."""
    kind = next((ticket.kind for ticket in draft.turn.tickets if ticket.number == number), "")
    return any(part["read"] == "time" for part in draft.turn.policy.forms.asked(kind)) if kind else False


def instead(draft: Draft, kind: str) -> None:
    """Another kind of ticket than the one being filled in: what was told for that goes along."""
    told = journal.take_over(draft)
    draft.say("flow.instead", kind=texts.Written(draft.turn.policy.forms.kinds[kind].label))
    ticket(draft, kind, **told)
