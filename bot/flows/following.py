"""A few words that go on from the question before: "and on Sunday?", 那C2呢. Alone they say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.cues import cue
from bot.flows import journal, matter, waiting, wishes
from bot.flows.draft import Draft
from bot.flows.lengths import REMARK, letters
from bot.flows.reading import SUBJECT
from bot.flows.wording import is_question, mentioned

if TYPE_CHECKING:
    from knowledge.index import Candidate, Ranking

SEAM: Final = " – "  # between a question and what goes on from it
RISES: Final = 0.3  # confidence that few words must add to an answer, for it to be what they are about
ENOUGH: Final = 0.7  # confidence in both together from which that is given …
OFFERED: Final = 0.5  # … or offered
_LEADS_ON = cue("following.leads_on")
_POINTS_BACK = cue("following.points_back")
_SPECIFIES = cue("following.specifies")
_AROUND = cue("following.around")


def goes_on(draft: Draft) -> bool:
    """Asked together with the question that was answered last: what they add is given, or offered, or it is said that
    no more is known.
    """
    base = _answered_last(draft)
    if not base or not _lacks_its_matter(draft) or waiting.asks_when(draft, of_ours=True):
        return False
    asked, swapped = f"{base}{SEAM}{draft.words}"[:SUBJECT], _swapped(draft, base)
    whole = swapped or f"{base.rstrip('?？ ')} {_AROUND.without(draft.words).strip()}"
    together = matter.ranked(draft, whole)
    added = _added(draft, base, together, swapped=bool(swapped))
    if not added and (draft.talk.unknowns or not _LEADS_ON.heard(draft.words.strip())):
        return False
    draft.remember(last_question=asked)
    own = draft.ranking.candidates[0].entry if draft.ranking and draft.ranking.outcome == "answer" else ""
    if added and (added.confidence >= ENOUGH or added.entry == own):
        why = {**together.why, "text": whole, "chosen": added.entry}
        journal.begin(draft, "answer", entry=added.entry, why=why, question=asked)
        return True
    draft.fact("unknown", question=asked)
    if added:
        draft.tells(asked)
        draft.keep(settled=None)
        journal.begin(draft, "choose", question=asked, offers=(f"ans:{added.entry}",))
        return True
    if together.outcome != "answer":  # else it may be answered already
        draft.tells(asked)
        draft.keep(settled=None)
    draft.remember(unknowns=1)
    draft.say("answer.no_more", *wishes.WAYS_ON)
    return True


def _answered_last(draft: Draft) -> str:
    """The question that was answered last, if nothing else has been asked since; "" if something has."""
    settled = draft.number and draft.talk.last_entry and draft.talk.extra.get("settled")
    return draft.talk.last_question.partition(SEAM)[0] if settled else ""


def _lacks_its_matter(draft: Draft) -> bool:
    """Whether the words do not say what they ask about."""
    own, words = draft.ranking, draft.words.strip()
    if own is None or not own.candidates or letters(words) > REMARK:
        return False
    best, leads_on = own.candidates[0], bool(_LEADS_ON.heard(words))
    if best.confidence >= matter.SURE and own.outcome in ("answer", "intent"):
        return leads_on and best.entry == draft.talk.last_entry
    points_back = own.outcome == "unknown" and is_question(words) and bool(_POINTS_BACK.heard(words))
    return leads_on or points_back or bool(_SPECIFIES.heard(words))


def _swapped(draft: Draft, base: str) -> str:
    """The question before, of the other product that is named now; "" if it names none."""
    now, then = (mentioned(text, draft.turn.policy.products) for text in (draft.words, base))
    return base.replace(then, now) if now and then and now != then and then in base else ""


def _added(draft: Draft, base: str, together: Ranking, *, swapped: bool) -> Candidate | None:
    """The answer that the words bring in beside the one given already, None if none."""
    before = {} if swapped else {one.entry: one.confidence for one in matter.ranked(draft, base).candidates}
    own = draft.ranking.candidates[:1] if draft.ranking and not swapped else ()
    likely = {one.entry for one in (*own, *(together.candidates[:1] if together.outcome == "answer" else ()))}
    given = next((one.confidence for one in together.candidates if one.entry == draft.talk.last_entry), 0.0)
    for one in together.candidates:
        rises = one.confidence - before.get(one.entry, 0.0) >= RISES
        overtakes = one is together.candidates[0] and one.confidence - given >= RISES
        apart = one.entry in likely - {draft.talk.last_entry} and matter.held(draft, one.entry)
        if apart and one.confidence >= OFFERED and (rises or overtakes):
            return one
    return None
