"""Which clause of a message asks: "We bought two in May and all was fine until Sunday. How do I reset one?" """

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bot.cues import cue
from knowledge.examples import INTENT
from knowledge.index import Ranking

MOST: Final = 8  # clauses of a message that are asked for by themselves
LEAST: Final = 10  # bytes of a question that is one, whatever we know of it: "ok?" is none
MANNERS: Final = frozenset(
    "greeting help thanks smalltalk yes no cancel back goodbye solved not_helpful".split()
)  # what may stand before a question, and is not what the message is about
_UNFIT: Final = frozenset({"foreign", "negation"})  # guards that speak of the whole message
_QUESTION = cue("wording.question")
_CLAUSE = re.compile(r"[!;！；。…]+|(?<=[?？])|\.(?=\s|$)|\n+|[,，](?!\d)")


def asked(text: str, ask: Callable[[str], Ranking]) -> Ranking:
    """What the knowledge makes of a message. Where it is not sure of all of it, one clause may be enough: a question,
    or, where nothing is asked and it wavers, whatever is told. But the same must be the likeliest of the whole.
    """
    whole = ask(text)
    if (found := _beside_manners(text, whole, ask)) is not None:
        return found
    guards = {guard["guard"] for guard in whole.why.get("guards", ())}
    if whole.outcome not in ("choose", "unknown") or not whole.candidates or guards & _UNFIT:
        return whole
    clauses = _clauses(text)
    if not 1 < len(clauses) <= MOST:
        return whole
    questions = [clause for clause in clauses if _QUESTION.heard(clause)]
    for clause in questions or (clauses if whole.outcome == "choose" else ()):
        found = ask(clause)
        sure = found.outcome == "answer" or (questions and found.outcome == "intent")  # what is told wishes nothing
        if sure and found.candidates[0].entry == whole.candidates[0].entry:
            candidates = (found.candidates[0], *whole.candidates[1:])
            return replace(found, candidates=candidates, why={**found.why, "text": whole.why.get("text", text)})
    return whole


def _beside_manners(text: str, whole: Ranking, ask: Callable[[str], Ranking]) -> Ranking | None:
    """What is asked beside manners: "bye! by the way, can I return it?"; None if nothing is."""
    if not _is_manners(whole):
        return None
    clauses = _clauses(text)
    asked_last = next((one for one in reversed(clauses) if _QUESTION.heard(one) and len(one.encode()) >= LEAST), "")
    found = ask(asked_last) if asked_last and len(clauses) > 1 else whole
    return None if _is_manners(found) else replace(found, why={**found.why, "text": whole.why.get("text", text)})


def _is_manners(ranking: Ranking) -> bool:
    """Whether a text is taken for nothing but manners."""
    best = ranking.candidates[0].entry if ranking.outcome == "intent" else ""
    return best.removeprefix(INTENT) in MANNERS


def _clauses(text: str) -> list[str]:
    return [clause.strip() for clause in _CLAUSE.split(text) if clause.strip()]
