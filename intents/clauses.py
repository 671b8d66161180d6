"""Which clause of a message asks: "We bought two in May and all was fine until Sunday. How do I reset one?" """

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bot.cues import cue
from knowledge.index import Ranking

MOST: Final = 8  # clauses of a message that are asked for by themselves
_UNFIT: Final = frozenset({"foreign", "negation"})  # guards that speak of the whole message
_QUESTION = cue("wording.question")
_CLAUSE = re.compile(r"[!;！；。…]+|(?<=[?？])|\.(?=\s|$)|\n+|[,，](?!\d)")


def asked(text: str, ask: Callable[[str], Ranking]) -> Ranking:
    """What the knowledge makes of a message. Where it is not sure of all of it, one clause may be enough: a question,
    or, where nothing is asked and it wavers, whatever is told. But the same must be the likeliest of the whole.
    """
    whole = ask(text)
    guards = {guard["guard"] for guard in whole.why.get("guards", ())}
    if whole.outcome not in ("choose", "unknown") or not whole.candidates or guards & _UNFIT:
        return whole
    clauses = [clause.strip() for clause in _CLAUSE.split(text) if clause.strip()]
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
