"""A message that was changed or taken back after it was sent."""

from __future__ import annotations

from dataclasses import replace

from bot.flows.draft import Draft
from bot.flows.reading import SUBJECT


def waiting(draft: Draft) -> bool:
    """Whether it is one of the words that still wait for more; then it is changed there, and decided as it is now."""
    which, words = draft.event.native, "" if taken_back(draft) else draft.words
    if not which or which not in (p.native for p in draft.talk.pending):
        return False
    now = (replace(p, text=words) if p.native == which else p for p in draft.talk.pending)
    gone = which if taken_back(draft) else None
    draft.remember(pending=tuple(p for p in now if p.native != gone and (p.text or p.attachments)))
    return True


def unanswered(draft: Draft) -> bool:
    """Whether it is the last thing that was said, and was not answered."""
    return bool(draft.event.native) and draft.talk.extra.get("unanswered") == draft.event.native


def remembered(draft: Draft) -> None:
    """What a ticket to come would be about follows the change."""
    if draft.event.native and draft.talk.extra.get("said") == draft.event.native and draft.talk.last_question:
        told = [said for said in draft.talk.extra.get("told", ()) if said != draft.talk.last_question]
        draft.keep(told=[*told, draft.words[:SUBJECT]] if draft.talk.extra.get("told") else None)
        draft.remember(last_question=draft.words[:SUBJECT])


def taken_back(draft: Draft) -> bool:
    """Whether nothing of it is left."""
    return bool(draft.event.data.get("deleted")) or not draft.words
