"""What the bot knows and how it understands: the answers and wishes in force, and the numbers decisions depend on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

import intents as wishes
from bot import metrics
from bot.config import Settings
from bot.dialogue import Policy, Turn
from bot.kept import kept
from bot.messages import Kind
from bot.strictyaml import Problem, YamlError
from handoff.dialogue import People
from knowledge import faq
from knowledge.encoder import load
from knowledge.index import Knowledge, build
from knowledge.live import Shelf


@dataclass(frozen=True, slots=True)
class Known:
    """The answers and the wishes in force: read together, swapped together."""

    knowledge: Knowledge
    intents: wishes.Intents

    @property
    def version(self) -> str:
        """Changes whenever any example or answer does."""
        return self.knowledge.version


def know(settings: Settings) -> Known:
    """Read the FAQ and the intents and build the index. Raises YamlError."""
    own = settings.knowledge
    wanted = wishes.read(own.intents)
    answers = faq.read(own.faq, settings.languages)
    if not answers.entries:
        raise YamlError([Problem(str(own.faq), 1, "holds no answers; knowledge.faq names the folder they are in")])
    encoder = load(own.model, settings.data / "models", settings.languages) if own.model else None
    metrics.DEGRADED.set(bool(own.model) and encoder is None)
    make = partial(build, answers, wanted.examples, mode=own.certainty, encoder=encoder)
    index = make() if encoder else kept(settings.data / "index", (answers, wanted.examples, own.certainty), make)
    return Known(index, wanted)


def shelf(settings: Settings) -> Shelf[Known]:
    """The knowledge in force, kept in step with the files. Raises YamlError when they cannot be used at the start."""
    return Shelf(lambda: know(settings), (settings.knowledge.faq, settings.knowledge.intents))


def policy(settings: Settings) -> Policy:
    """The numbers of config.yaml that decisions depend on."""
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
        recovery_due=limits.recovery_due,
        promise=settings.standards.first_answer,
        products=company.products,
        people=People(**{name: getattr(settings.handoff, name) for name in People.__dataclass_fields__}),
    )


class Mind:
    """Makes a turn understood."""

    def __init__(self, settings: Settings, known: Shelf[Known]) -> None:
        self.policy = policy(settings)
        self._shelf, self._zone = known, ZoneInfo(settings.company.timezone)

    def understand(self, turn: Turn) -> Turn:
        """What the words of a turn mean: those of the burst before it and its own, as one."""
        written = turn.event.kind in (Kind.TEXT, Kind.EDIT) or turn.event.timer == "burst"
        if not written and not (turn.talk.pending and turn.event.kind is Kind.CHOICE):
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
