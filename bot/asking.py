"""Questions asked outside a chat, by commands and tests: understood and decided by the same function as in one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import intents as wishes
from bot.config import Settings
from bot.knowledge_base import KnowledgeBase, load_knowledge
from knowledge.ask import open_knowledge
from knowledge.encoder import load
from knowledge.index import Ranking
from knowledge.trials import Ask


def clock(settings: Settings) -> datetime:
    """Now, where the company is."""
    return datetime.now(ZoneInfo(settings.company.timezone))


def asker(settings: Settings, known: KnowledgeBase, now: datetime | None = None) -> Ask:
    """A question and the language of who asks it → what a chat would come to, were it the first message."""
    moment, products, first = now or clock(settings), settings.company.products, settings.languages[0]

    def ask(text: str, lang: str = "") -> Ranking:
        hint = lang if lang in settings.languages else first
        return wishes.understand(
            text, known.knowledge, hint=hint, now=moment, products=products, intents=known.intents
        ).decision

    return ask


def asker_of(settings: Settings, source: Path | None = None) -> Ask:
    """An asker of the answers in force, of another folder's, or of a JSONL file of examples, where nothing is a wish.

    Raises YamlError.
    """
    if source is None:
        return asker(settings, load_knowledge(settings))
    own = settings.knowledge
    encoder = load(own.model, settings.data / "models", settings.languages) if own.model else None
    if not source.is_dir():
        return open_knowledge(source, mode=own.certainty, encoder=encoder).ask
    known = wishes.read(own.intents)
    return asker(
        settings, KnowledgeBase(open_knowledge(source, known.examples, mode=own.certainty, encoder=encoder), known)
    )
