"""A group or a channel where others read along: what is surely known is answered, nothing personal asked or shown."""

from __future__ import annotations

from typing import Final

from bot.dialogue import Alarm
from bot.flows import pleasantries
from bot.flows.draft import Draft
from bot.flows.quoting import quote
from bot.flows.reading import SUBJECT
from bot.texts import Markup

VERY_SURE: Final = 0.9  # confidence from which a question that was not put to us is answered, if the channel allows it
COURTESIES: Final = frozenset({"greeting", "help", "thanks", "goodbye", "smalltalk"})
HARMLESS: Final = ("ans:", "lang:")  # buttons anybody may see the answer of


def words(draft: Draft) -> None:
    """The first rule that applies decides; without one, silence is kept."""
    for rule in (danger, anger, unasked, known, courtesy, private):
        if rule(draft):
            return


def edited(draft: Draft) -> None:
    """A message was changed: only danger and anger count, for what is said here was said to all."""
    if not (danger(draft) or anger(draft)):
        draft.fact("edited", text=draft.words)


def hello(draft: Draft) -> None:
    """A word of welcome, without buttons that lead to anything personal."""
    draft.say("greeting")


def pressed(draft: Draft, choice: str) -> bool:
    """Whether a button may be answered here; a personal one leads to the private chat."""
    if choice.startswith(HARMLESS):
        return True
    private(draft)
    return False


def danger(draft: Draft) -> bool:
    """Fire or shock: safety is said to everybody, and people are called."""
    if not (draft.meant and draft.meant.emergency):
        return False
    draft.do(Alarm("emergency", draft.words))
    draft.say("emergency.advice")
    private(draft)
    return True


def anger(draft: Draft) -> bool:
    """Supervisors are told; nobody is argued with before an audience."""
    if not (draft.meant and draft.meant.angry):
        return False
    draft.do(Alarm("angry_in_public", draft.words[:SUBJECT]))
    return True


def unasked(draft: Draft) -> bool:
    """Not said to us: silence, unless the channel lets us help when we are very sure."""
    if draft.event.addressed:
        return False
    best = draft.ranking.candidates[0] if draft.ranking and draft.ranking.outcome == "answer" else None
    return not (best and draft.event.data.get("answer_unasked") and best.confidence >= VERY_SURE)


def known(draft: Draft) -> bool:
    """A question we are sure of is a matter of one turn: numbered, answered, closed; no rating is asked for."""
    if draft.ranking is None or draft.ranking.outcome != "answer":
        return False
    entry = draft.ranking.candidates[0].entry
    draft.open()
    draft.fact("answered", entry=entry, question=draft.words[:SUBJECT], public=True)
    quote(draft, entry, dict(draft.ranking.why))
    draft.close("public")
    return True


def courtesy(draft: Draft) -> bool:
    """Short politeness, without buttons that lead to anything personal."""
    wish = draft.meant.intent if draft.meant else ""
    if wish not in COURTESIES:
        return False
    draft.say(pleasantries.SAID.get(wish, (wish,))[0])
    return True


def private(draft: Draft) -> bool:
    """Tickets, complaints, people, and what we do not know go on where nobody reads along."""
    url = str(draft.event.data.get("private") or "")
    draft.fact("sent_to_private", intent=draft.meant.intent if draft.meant else "")
    if url:
        name = draft.text("public.link")
        draft.say("public.private", link=Markup(f"[{name}]({url})"))
    else:
        draft.say("public.private_without_link")
    return True
