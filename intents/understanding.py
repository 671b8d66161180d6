"""What a message says before the FAQ is asked, and what the FAQ index makes of it: one pure function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from intents.clauses import asked
from intents.entities import Entity, entities
from intents.language import language
from intents.normal import clean, fold
from intents.patterns import COMMA, LINE, closed, units
from intents.reading import CLOSED, Intents, shipped
from intents.spoken import digits
from knowledge.examples import INTENT
from knowledge.index import Candidate, Ranking

if TYPE_CHECKING:
    from knowledge.index import Knowledge

LONGEST = 8_000  # characters that are looked at
_EARS = 1_000  # words listened to at the beginning, and as many at the end
_STARS = frozenset("★☆⭐🌟")


@dataclass(frozen=True, slots=True)
class Understanding:
    """All that is known of a message before anything is decided."""

    text: str  # one way of writing, case and lines kept
    language: str  # "en", "zh", "" = the script does not tell
    ranking: Ranking | None = None  # None: nothing to ask, or the words alone decide
    intent: str = ""  # a wish, "" = none
    intent_confidence: float = 0.0
    wants_person: bool = False
    wants_stop: bool = False
    emergency: str = ""  # the words that say so
    angry: bool = False
    urgent: bool = False
    entities: tuple[Entity, ...] = ()
    yes_no: str = ""  # "yes", "no", "" = neither
    rating: int | None = None  # 1..5, if the message is one

    @property
    def decision(self) -> Ranking:
        """What comes of it by itself: the ranking, or the wish that its words alone decide."""
        if self.ranking:
            return self.ranking
        if not self.intent:
            return Ranking("unknown")
        return Ranking("intent", (Candidate(INTENT + self.intent, self.intent_confidence, self.text),))


def understand(
    text: str,
    knowledge: Knowledge,
    *,
    hint: str = "",
    now: datetime,
    products: tuple[str, ...] = (),
    intents: Intents | None = None,
) -> Understanding:
    """Understand a message. ``hint`` is the language to ask the FAQ in where the script does not tell, ``products`` the
    company's models, ``now`` the time on the company's clock, ``intents`` what ``read`` gave (None = as shipped).
    """
    intents = intents or shipped()
    raw = text[:LONGEST]
    text = digits(clean(raw)[:LONGEST])
    meant = intents.mixed.in_chinese(text) if (script := language(text)) == "zh" else text
    spoken = _within_earshot(units(fold(meant)))
    means = _meanings(intents, spoken, whole := closed(intents.closed, spoken))
    heard = {name: pattern.heard(spoken, raw) for name, pattern in intents.heard.items()}
    named = entities(text, now, products, intents.numbers)
    intent = next((name for name in CLOSED if name in means), "human" if heard["human"] else "")
    sure, ranking = 1.0 if intent else 0.0, None
    if text and not (intent or "stop" in means):
        models = tuple(entity.value for entity in named if entity.kind == "model")
        ranking = asked(meant, partial(knowledge.ask, lang=script or hint, now=now.date(), products=models))
        if ranking.outcome == "intent":
            best = ranking.candidates[0]
            intent, sure = best.entry.removeprefix(INTENT), best.confidence
    return Understanding(
        text,
        script,
        ranking,
        intent,
        sure,
        wants_person=bool(heard["human"]) or "human" in means,
        wants_stop=bool(heard["stop"]) or "stop" in means,
        emergency=heard["emergency"],
        angry=bool(heard["anger"]),
        urgent=bool(heard["urgency"]),
        entities=named,
        yes_no=_yes_no(intents, spoken, whole),
        rating=_rating(intents, spoken),
    )


def _within_earshot(spoken: list[str]) -> list[str]:
    """Of a flood, its beginning and its end."""
    return spoken if len(spoken) <= 2 * _EARS else [*spoken[:_EARS], LINE, *spoken[-_EARS:]]


def _meanings(intents: Intents, spoken: list[str], means: frozenset[str]) -> frozenset[str]:
    """What closed phrases that fill the message mean; one line of a burst is enough to ask for a person or to stop."""
    means = _spared(intents, spoken, means)
    if LINE in spoken:
        lines = [line.split() for line in " ".join(spoken).split(LINE)]
        alone = (_spared(intents, line, closed(intents.closed, line)) for line in lines)
        means |= {"human", "stop"} & frozenset[str]().union(*alone)
    if "no" in means:  # "是不是" is neither, "不好了" is not solved
        means -= {"yes", "no"} if "yes" in means else {"solved"}
    return means


def _spared(intents: Intents, spoken: list[str], means: frozenset[str]) -> frozenset[str]:
    """Without the person that is only named in what does not count: 不要 + 让客服给我打电话."""
    return means - {"human"} if "human" in means and intents.heard["human"].excepts(spoken) else means


def _yes_no(intents: Intents, spoken: list[str], whole: frozenset[str]) -> str:
    """Yes or no, said by the whole message or by its first clause."""
    clause = next((at for at, unit in enumerate(spoken) if unit in (COMMA, LINE)), len(spoken))
    for means in (whole, closed(intents.closed, spoken[:clause]) if clause < len(spoken) else whole):
        if said := {"yes", "no"} & means:
            return said.pop() if len(said) == 1 else ""
    return ""


def _rating(intents: Intents, spoken: list[str]) -> int | None:
    """The score a message consists of: words, a digit, or stars."""
    if spoken and _STARS.issuperset(spoken):
        filled = len(spoken) - spoken.count("☆")
        return filled if 0 < filled <= 5 else None
    scores = [name for name in closed(intents.rating, spoken) if name.isdigit()]
    return int(scores[0]) if len(scores) == 1 else None
