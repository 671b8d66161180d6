"""While the customer waits in the line: his words are kept for people, he hears where he stands, he may leave it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from bot.cues import cue
from bot.dialogue import Alarm
from bot.flows import journal, line, matter, wishes
from bot.flows.draft import Draft
from handoff.dialogue import DeskView, HandoverView

ELSEWHERE: Final = frozenset({"ticket_status", "language", "ticket", "complaint", "rating"})  # wishes granted meanwhile
GIVEN_UP: Final = {"away": "human.away", "waited": "human.waited"}  # why nobody comes, and how that is said
LEAVING: Final = frozenset({"solved", "goodbye"})
_HOW_LONG = cue("waiting.how_long")


_WHEN = cue("waiting.when")
_OF_OURS = cue("waiting.of_ours")
_PERHAPS_OF_OURS = cue("waiting.perhaps_of_ours")
_LEAVES_LINE = cue("waiting.leaves_line")
_UNDER_WAY = cue("waiting.under_way")
_ONLY_WHEN = cue("waiting.only_when")
_ARRIVED = cue("waiting.arrived")
_COMES = cue("waiting.comes")


def of_answer(words: str) -> bool:
    """Whether the words ask when we answer, or whether we have, what is not with us yet."""
    if _ARRIVED.heard(words.strip()):
        return True
    return bool(_ONLY_WHEN.heard(words.strip()) or (_WHEN.heard(words) and _OF_OURS.heard(words)))


def asks_of_nothing(draft: Draft) -> bool:
    """Whether somebody without an open ticket asks how far it is, and nothing has been answered before."""
    angry = draft.meant is not None and draft.meant.angry  # he wants to be heard
    fresh = not (angry or draft.turn.tickets or draft.talk.answered or draft.talk.last_question)
    return fresh and bool(_OF_OURS.heard(draft.words) or _PERHAPS_OF_OURS.heard(draft.words))


def asks_when(draft: Draft, *, of_ours: bool) -> bool:
    """Whether somebody with an open ticket asks when he hears of it; ``of_ours``: of nothing else it could be asked."""
    words = draft.words
    if not draft.turn.tickets:
        return False
    if _ARRIVED.heard(words.strip()) and matter.just_opened(draft):
        return True
    answered = draft.ranking is not None and draft.ranking.outcome == "answer"
    ours = bool(_OF_OURS.heard(words) or (not answered and _PERHAPS_OF_OURS.heard(words)))
    if of_ours or ours:
        comes = (_WHEN.heard(words) and _COMES.heard(words)) or _ONLY_WHEN.heard(words)
        return ours or bool(comes and matter.just_opened(draft))
    return bool(_ONLY_WHEN.heard(words) or (_WHEN.heard(words) and _UNDER_WAY.heard(words)))


def queued(draft: Draft) -> bool:
    """He waits for a person: the bot does not argue."""
    if not line.waits(draft):
        return False
    intent = draft.meant.intent if draft.meant else ""
    if intent in ("cancel", "back") or _LEAVES_LINE.heard(draft.words.strip()):
        wishes.bot(draft, "")
    elif intent in LEAVING:
        line.leave(draft, intent)
        wishes.grant(draft, intent)
    elif intent in ELSEWHERE:
        return False
    elif _HOW_LONG.heard(draft.words):
        line.tell(draft)
    else:
        if not matter.still_open(draft):
            draft.asked_freely()
        if not draft.talk.extra.get("kept"):
            draft.keep(kept=True)
            draft.say("line.kept")
    return True


def look_after(draft: Draft) -> None:
    """The timer of whoever waits: how he stands, who must know, and an end to it."""
    if not line.waits(draft):
        return
    held, seen = draft.look("handover", draft.number), draft.look("place", draft.number) or DeskView()
    people, waited = draft.turn.policy.people, _waited(draft, held)
    if not seen.open or waited >= people.give_up_after:
        give_up(draft, held, "waited" if seen.open else "away")
        return
    if waited >= people.escalate_after and not draft.talk.extra.get("escalated"):
        draft.keep(escalated=True)
        draft.do(Alarm("waiting_long"))
    placed = draft.talk.extra.get("placed")
    told = (draft.now - datetime.fromisoformat(placed)).total_seconds() if placed else people.tell_every
    if seen.ahead[-1] != draft.talk.extra.get("place") or told >= people.tell_every - 1:
        line.tell(draft)
    soon = (people.escalate_after - waited, people.give_up_after - waited)
    line.watch(draft, min(people.tell_every, *(time for time in soon if time > 0)))


def give_up(draft: Draft, held: HandoverView | None, why: str) -> None:
    """Nobody can come, ``why``: what waited becomes a ticket, and that is said honestly."""
    packet = held.packet if held else {}
    line.leave(draft, why)
    what = str(packet.get("question") or matter.still_open(draft))
    more: dict[str, Any] = {"what": what, "words": what or packet.get("words") or draft.text("no_words")}
    more |= {"said": GIVEN_UP[why], "reason": held.reason if held else "asked"}
    more["back"] = line.back(draft)
    journal.begin(draft, "human", **matter.known(draft, **more))


def _waited(draft: Draft, held: HandoverView | None) -> float:
    """Seconds since he was last put in the line: his place in it may be older."""
    if not held or not held.waiting_since:
        return 0.0
    return draft.now.timestamp() - float(held.wants.get("queued") or held.waiting_since.timestamp())
