"""What the FAQ would say to a question, for whoever is to say it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from knowledge.index import Knowledge

MOST: Final = 6


async def answers_to(knowledge: Knowledge, question: str, lang: str) -> list[dict[str, Any]]:
    """The entries whose answer may be the one, best first: ``entry``, ``name``, ``text``, ``confidence``."""
    found = []
    ranking = await asyncio.to_thread(knowledge.ask, question, lang) if question else None
    for candidate in ranking.candidates[:MOST] if ranking else ():
        entry = knowledge.entry(candidate.entry)
        if entry and entry.answer:
            text = entry.answer.get(lang) or next(iter(entry.answer.values()))
            name = (entry.questions.get(lang) or next(iter(entry.questions.values())))[0]
            found.append({"entry": entry.id, "name": name, "text": text, "confidence": candidate.confidence})
    return found
