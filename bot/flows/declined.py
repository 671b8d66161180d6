"""What somebody says he does not want of us is not wished: "please don't let anyone call me", 我不要退款."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bot.cues import cue
from bot.flows import matter
from bot.flows.draft import Draft
from bot.flows.lengths import CLAUSE, WANTED, letters
from bot.flows.progress import FINISHED
from bot.flows.wording import clauses, is_question

if TYPE_CHECKING:
    from knowledge.index import Ranking

MOST: Final = 8  # clauses that are looked at
CALL: Final = "human"  # the wish for somebody who calls, comes or answers
NAMED: Final = 0.45  # confidence of a wish in what is refused
OF_US: Final = frozenset({"ticket", "complaint", "rating", CALL})  # and every kind of ticket
_REFUSES = cue("declined.refuses")
_CALLS = cue("declined.calls")
_TURN = re.compile(
    r"\bbut\b|\bso\b|而是|但是?|(?=\b(?:just|only|rather|instead)\b)"
    r"|(?=直接|只[想要])|(?<!不)(?=是[想要])|(?<=\w )(?=\bi (?:want|need)\b)"
    r"|(?<=[^说是让叫为\W])(?=我[要想])|(?<=了)(?=\w)",
    re.IGNORECASE,
)


def refuses(part: str) -> bool:
    """Whether a clause says what is not wanted."""
    return bool(_REFUSES.heard(part)) and not is_question(part)


def heed(draft: Draft) -> None:
    """What a clause refuses is not wished by the message; the others say what it means."""
    parts = [part.strip() for clause in clauses(draft.words) for part in _TURN.split(clause) if part.strip()]
    refused = [part for part in parts if refuses(part)] if len(parts) <= MOST else []
    wish = next(filter(None, (_wish(draft, part) for part in refused)), "")
    if not wish or not draft.meant or (draft.meant.intent == "cancel" and draft.meant.intent_confidence >= 1):
        return
    rest = ", ".join(part for part in parts if part not in refused)
    draft.declined = wish
    ranking = matter.ranked(draft, rest if letters(rest) >= WANTED else "")
    best = ranking.candidates[0] if ranking.outcome == "intent" else None
    intent = best.entry.removeprefix("intent:") if best else ""
    draft.meant = replace(
        draft.meant,
        ranking=ranking,
        intent=intent,
        intent_confidence=best.confidence if best else 0.0,
        yes_no="" if draft.talk.asked == "confirm" else draft.meant.yes_no,  # not what is to be confirmed is refused
        wants_person=draft.meant.wants_person and (wish != CALL or _likeliest(ranking) == CALL),
    )


def _likeliest(ranking: Ranking) -> str:
    """What of us some words wish, for sure or most likely; "" if nothing."""
    best = ranking.candidates[0] if ranking.candidates and ranking.outcome in ("intent", "choose") else None
    return best.entry.removeprefix("intent:") if best and best.confidence >= NAMED else ""


def _wish(draft: Draft, part: str) -> str:
    """What of us a clause refuses, "" if it is nothing of the kind."""
    if _CALLS.heard(part):
        return CALL
    name = _likeliest(matter.ranked(draft, _REFUSES.without(part).strip()))
    return name if name in OF_US or draft.turn.policy.forms.wished(name) else ""


def noted(draft: Draft) -> bool:
    """What is refused is noted where people read it, or left at that, unless something else is wished beside it."""
    if not draft.declined:
        return False
    number = ticket(draft)
    if number:
        draft.open()
        draft.keep(ticket=number)
        draft.add(number, draft.words)
        draft.say("flow.added", number=number)
    means = draft.ranking is not None and draft.ranking.outcome in ("answer", "choose", "intent")
    rest = [part for part in clauses(draft.words) if not refuses(part) and letters(part) >= CLAUSE]
    if number or means or rest:
        return bool(number) and not means
    draft.open()
    draft.keep(let_be=True)
    draft.say("nothing_more")
    return True


def ticket(draft: Draft) -> str:
    """The ticket that people should read it on: of that kind, of this talk, or for a call any; "" if none."""
    own = [one for one in draft.turn.tickets if one.state not in FINISHED]
    kind = next((one.number for one in own if one.kind == draft.declined), "")
    return kind or matter.just_opened(draft) or (own[0].number if own and draft.declined == CALL else "")
