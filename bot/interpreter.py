"""Understands a turn: what its words mean by the knowledge base in force, under the numbers of config.yaml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import intents as wishes
from bot import metrics
from bot.config import Settings
from bot.dialogue import Policy, Turn
from bot.knowledge_base import KnowledgeBase, load_knowledge
from bot.messages import Kind
from handoff.dialogue import People
from knowledge.live import Shelf


def shelf(settings: Settings, begun: Callable[[], KnowledgeBase] | None = None) -> Shelf[KnowledgeBase]:
    """The knowledge base, kept in step with its files; ``begun``: what ``begin_loading`` gave at the start.

    Raises YamlError when the files cannot be used at the start.
    """
    folders = settings.knowledge.faq, settings.knowledge.intents
    first = begun() if begun else load_knowledge(settings)
    return Shelf(lambda: _measured(load_knowledge(settings)), folders, _measured(first), first.files)


def _measured(base: KnowledgeBase) -> KnowledgeBase:
    metrics.DEGRADED.set(base.degraded)
    return base


def policy(settings: Settings) -> Policy:
    """The numbers of config.yaml that decisions depend on, and the forms of tickets. Raises YamlError."""
    limits, company = settings.limits, settings.company
    words = {f"name_{lang}": name for lang, name in company.name.items()}
    words |= {f"hours_{lang}": hours for lang, hours in company.hours.items()} | {"phone": company.phone}
    return Policy(
        languages=settings.languages,
        company=words,
        burst=limits.burst,
        idle=limits.idle,
        rating_window=limits.rating_window,
        rating_pause=limits.rating_pause,
        standards=settings.standards,
        products=company.products,
        people=People(**{name: getattr(settings.handoff, name) for name in People.__dataclass_fields__}),
        forms=settings.forms,
        hours=settings.handoff.hours.calendar(company.timezone),
    )


class Interpreter:
    """Adds to a turn what its words mean."""

    def __init__(self, settings: Settings, known: Shelf[KnowledgeBase]) -> None:
        self.policy = policy(settings)
        self._shelf, self._zone = known, ZoneInfo(settings.company.timezone)

    def understand(self, turn: Turn) -> Turn:
        """What the words of a turn mean: those of the burst before it and its own, as one."""
        written = turn.event.kind in (Kind.TEXT, Kind.EDIT) or turn.event.timer == "burst"
        if not written and not (turn.talk.pending and turn.event.kind in (Kind.CHOICE, Kind.HELLO)):
            return turn
        spoken = self.policy.languages
        hint = next((x for x in (turn.talk.language, turn.event.language[:2].lower()) if x in spoken), spoken[0])
        said = [*(p.text for p in turn.talk.pending), turn.event.text]
        meant = wishes.understand(
            "\n".join(filter(None, said)),
            turn.knowledge,
            hint=hint,
            now=turn.now.astimezone(self._zone),
            products=self.policy.products,
            intents=self._shelf.now.intents,
        )
        return replace(turn, understood=meant)
