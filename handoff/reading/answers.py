"""What the FAQ would say to a question, for whoever is to say it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import reduce
from typing import Any, Final

from sqlalchemy import Connection, select

import intents
from bot.tables import message
from knowledge.index import Knowledge

MOST: Final = 6
BACK: Final = 8  # of the customer's last messages, in which his question is looked for


def said(connection: Connection, conversation_id: int) -> list[str]:
    """What the customer wrote last in a conversation, the latest first."""
    his = select(message.c.text).where(message.c.conversation_id == conversation_id, message.c.author == "customer")
    return list(connection.scalars(his.order_by(message.c.seq.desc()).limit(BACK)))


async def suggested(known: Any, words: list[str], lang: str) -> list[dict[str, Any]]:
    """What the FAQ would answer to the customer's last question: a greeting, a wish or a bare number is none."""
    return await answers_to(known.knowledge, await asyncio.to_thread(_question, known, words, lang), lang)


def _question(known: Any, words: list[str], lang: str) -> str:
    now = datetime.now(UTC)
    for one in words:
        meant = intents.understand(one, known.knowledge, hint=lang, now=now, intents=known.intents)
        asked = meant.ranking is not None and not meant.intent and meant.rating is None and not meant.yes_no
        rest = reduce(lambda left, named: left.replace(named.text, ""), meant.entities, meant.text)
        if asked and any(char.isalpha() for char in rest):  # a number alone answers a question of ours
            return one
    return ""


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
