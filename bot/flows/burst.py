"""Words that may be the first half of something: they wait a moment for the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.dialogue import Wait
from bot.flows.draft import FILES, Draft
from bot.flows.lengths import SCRAP, letters
from bot.flows.questions import outcome
from bot.flows.wording import bare, is_question
from bot.messages import Kind

BURST: Final = 4  # messages that may wait for what follows
BURST_WORDS: Final = 1000  # characters that may wait


def patient(draft: Draft) -> bool:
    """Words that would be puzzled over may be the first half of something: wait a moment for the rest."""
    pause, waiting = draft.turn.policy.burst, len(draft.turn.talk.pending)
    fresh = draft.event.kind is Kind.TEXT and draft.words and draft.event.text
    if fresh and pause > 0 and waiting < BURST and len(draft.words) < BURST_WORDS:
        draft.wait = Wait(draft.now + timedelta(seconds=pause))
    return draft.wait is not None


def scrap(draft: Draft) -> bool:
    """A few letters that we would answer: the rest of the sentence may follow."""
    candidates = draft.ranking.candidates if draft.ranking and outcome(draft) == "answer" else ()
    whole = not candidates or bare(candidates[0].nearest) == bare(draft.words) or is_question(draft.words)
    return not whole and letters(draft.words) < SCRAP and patient(draft)


def album(draft: Draft) -> bool:
    """Pictures that were sent together come one by one: they are answered as one."""
    pause, waiting = draft.turn.policy.burst, len(draft.turn.talk.pending)
    one_of_many = draft.event.kind is Kind.TEXT and draft.event.data.get("album")
    if one_of_many and pause > 0 and waiting < FILES:
        draft.wait = Wait(draft.now + timedelta(seconds=pause))
    return draft.wait is not None
