"""Rank everything we know for a question: FAQ entries and wishes are labels of one index, scored one way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from heapq import merge
from itertools import islice
from typing import Any, TypeAlias

from knowledge.courtesy import plainly
from knowledge.examples import ELSEWHERE, INTENT, Intents, written
from knowledge.faq import Entry, Faq
from knowledge.guards import Foreign, Scope, disputed, refused, wanted
from knowledge.kernels import Encoder
from knowledge.normal import chinese, models, words
from knowledge.space import Fit, Role, Space
from knowledge.telling import tells
from knowledge.wording import Wording

Mode: TypeAlias = str | Mapping[str, float]  # strict, balanced, lenient, or {"answer": 0.6, "choose": 0.3}

SHOWN = 5  # candidates in a ranking
CLEARLY = 0.1  # nearer to a contrast than to its own questions by more than this: not even offered
SURE = 0.7  # surer answers are given to vague questions, and beside things of other trades: nearly all are right
CERTAIN = 0.85  # answers that are surer are given to a word or a statement, too
SAME = 0.95  # likeness from which on a question is an example
TIE = 0.05  # two answers that could both be given and are closer than this are asked about in every mode
METHOD = "20"  # another one means: the same FAQ would be scored differently


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer: an FAQ id or "intent:<name>", and the example of it most like the question."""

    entry: str
    confidence: float
    nearest: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """What came of a question: ``outcome`` answer, choose, unknown or intent; candidates best first."""

    outcome: str
    candidates: tuple[Candidate, ...] = ()
    why: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Scored:
    """A label, how well it fits, and in which language it does."""

    label: str
    score: float
    sure: float
    space: Space


def named(label: str) -> str:
    """What a label stands for, as people are told."""
    if label == ELSEWHERE:
        return "what has no answer"
    return f"the wish '{label.removeprefix(INTENT)}'" if label.startswith(INTENT) else f"'{label}'"


class Knowledge:
    """Everything known at one moment. Immutable: a changed FAQ makes a new one."""

    def __init__(self, faq: Faq, wording: Wording, spaces: Iterable[Space], mode: Mode, version: str) -> None:
        self.faq = faq
        self.wording = wording
        self.spaces = {space.language: space for space in spaces}
        self.mode = mode
        self.version = version
        self._scopes = {entry.id: Scope.of(entry) for entry in faq.entries}
        self._foreign = Foreign(faq.names, {p for e in faq.entries for p in e.products} | wording.models, wording)

    def entry(self, name: str) -> Entry | None:
        """The FAQ entry of this id."""
        return self.faq.by_id.get(name)

    def ask(self, text: str, lang: str = "", *, now: date | None = None, products: Sequence[str] = ()) -> Ranking:
        """Rank the entries. ``lang`` helps where script does not tell; ``now`` and ``products`` narrow the scope."""
        plain, owned = plainly(self.wording(text)), frozenset(map(self.wording, products))
        asked, against = self._heard(plain, lang)
        fits = {space.language: space.fit(asked) for space in self._spaces(asked, lang)}
        unwanted = self._unwanted(against)
        out = unwanted if asked == plain else frozenset[str]()
        kept, guards = self._guarded(self._scored(fits), fits, models(asked), owned, now, out)
        disputes = not unwanted and asked == plain and bool(kept) and self._disputed(plain, kept[0], fits)
        if disputes or (kept and kept[0].label in unwanted):
            guards.append({"guard": "negation", "entry": kept[0].label, "reason": "says what is not wanted"})
        vague = bool(kept) and self._vague(kept[0], fits)
        if vague:
            guards.append(
                {"guard": "vague", "entry": kept[0].label, "reason": "what it shares with this, others do, too"}
            )
        strange = self._strange(asked, kept[0]) if kept else frozenset()
        if strange:
            reason = f"names {', '.join(sorted(strange))}"
            guards.append({"guard": "foreign", "entry": kept[0].label, "reason": reason})
        things = self._foreign.things(asked)
        if kept and things and not any(thing in own for own in _own(kept[0]) for thing in things):
            reason = f"is about another's {', '.join(sorted(things))}"
            guards.append({"guard": "foreign", "entry": kept[0].label, "reason": reason})
        why = {
            "text": text[:1000],
            "normal": plain,
            "wanted": asked,
            "read_as": {language: fit.text for language, fit in fits.items()},
            "scores": [_trace(one, fits) for one in kept],
            "guards": guards,
            "mode": self.mode if isinstance(self.mode, str) else dict(self.mode),
            "version": self.version,
        }
        outcome, limits = self._decide(kept, cautious=bool(kept) and kept[0].label in {g["entry"] for g in guards})
        if (vague and kept[0].sure < limits["threshold"]["answer"]) or (
            strange and not self._foreign.ours(asked, strange)
        ):
            outcome = "unknown"
        found = tuple(Candidate(one.label, one.sure, _nearest(one, fits)) for one in kept if one.label != ELSEWHERE)
        return Ranking(outcome, found, why | limits)

    def _heard(self, plain: str, lang: str) -> tuple[str, str]:
        """What a question asks, and what it refuses; one that is an example, with what it refuses, asks all of it."""
        against = refused(plain)
        for space in self._spaces(plain, lang) if against else ():
            alike = space.fit(plain).alike
            if alike[row := int(alike.argmax())] >= SAME and disputed(space.examples[row].normal):
                return plain, ""
        return wanted(plain), against

    def _unwanted(self, against: str) -> frozenset[str]:
        """What the refused part of a question is about."""
        if not against:
            return frozenset()
        fits = {space.language: space.fit(against) for space in self._spaces(against, "")}
        return frozenset(
            one.label
            for one in islice(self._scored(fits), 1)
            if one.sure >= one.space.calibration.threshold(self.mode)[1]
        )

    def _disputed(self, plain: str, best: _Scored, fits: Mapping[str, Fit]) -> bool:
        """Does a question refuse something, or is it but a word or statement, and no certain one, where the example of
        the best answer is nothing of the kind?
        """
        kinds = (disputed,) if best.sure >= CERTAIN else (disputed, tells)
        return any(kind(plain) and not kind(self.wording(_nearest(best, fits))) for kind in kinds)

    @staticmethod
    def _vague(best: _Scored, fits: Mapping[str, Fit]) -> bool:
        """Does a question share with the best answer, which is not sure, only what it shares with others as well?"""
        return best.sure < SURE and best.space.vague(fits[best.space.language], best.label)

    def _strange(self, asked: str, best: _Scored) -> frozenset[str]:
        """The others' names in a question, without those that the best answer's own questions have."""
        if not (named := self._foreign.names(asked)):
            return named
        left = named.difference(*map(self._foreign.names, _own(best)))
        return frozenset() if best.sure >= SURE and self._foreign.mentions(asked, left) else left

    def _spaces(self, plain: str, lang: str) -> list[Space]:
        """Which examples can be compared with this text: by its script, and by ``lang`` if it has hardly any words."""
        share = chinese(plain)
        names = ["zh"] * (share > 0) + [name for name in self.spaces if name != "zh" and share < 0.5]
        if lang not in names and len(words(plain)) <= 3:
            names.append(lang)  # "wifi 6" says nothing of its author's language
        return [self.spaces[name] for name in names if name in self.spaces] or list(self.spaces.values())

    def _scored(self, fits: Mapping[str, Fit]) -> Iterator[_Scored]:
        """Every label once, in the language it fits best; best first, and made one by one: few are looked at."""
        seen = set[str]()
        spoken = (self._ranked(self.spaces[language], fit) for language, fit in fits.items())
        for one in merge(*spoken, key=lambda one: (-one.sure, one.label)):
            if one.label not in seen:
                seen.add(one.label)
                yield one

    @staticmethod
    def _ranked(space: Space, fit: Fit) -> Iterator[_Scored]:
        for label, score in space.ranked(fit):
            yield _Scored(label, score, space.calibration.confidence(score), space)

    def _guarded(
        self,
        scored: Iterable[_Scored],
        fits: Mapping[str, Fit],
        asked: frozenset[str],
        owned: frozenset[str],
        now: date | None,
        unwanted: frozenset[str],
    ) -> tuple[list[_Scored], list[dict[str, str]]]:
        """Take out what must not be given, and say why."""
        kept: list[_Scored] = []
        guards: list[dict[str, str]] = []
        for one in scored:
            scope = self._scopes.get(one.label)
            if scope and (reason := scope.objection(asked, owned, now)):
                guards.append({"guard": "scope", "entry": one.label, "reason": reason})
                continue
            if one.label in unwanted:
                guards.append({"guard": "negation", "entry": one.label, "reason": "is what is not wanted"})
                continue
            against, nearer = one.space.contrast(fits[one.space.language], one.label)
            if nearer > (CLEARLY if one.space.asked(against) else 0.0):
                guards.append({"guard": "contrast", "entry": one.label, "reason": f"must not answer “{against}”"})
            if nearer <= CLEARLY:
                kept.append(one)
            if len(kept) == SHOWN:
                break
        return kept, guards

    def _decide(self, kept: Sequence[_Scored], *, cautious: bool) -> tuple[str, dict[str, Any]]:
        """The outcome, and the numbers it hangs on. ``cautious`` never answers, it only offers."""
        if not kept:
            return "unknown", {"threshold": {}, "margin": 0.0, "runner_up": ""}
        best = kept[0]
        second = kept[1].sure if len(kept) > 1 else 0.0
        answer, choose = best.space.calibration.threshold(self.mode)
        apart, ahead = best.space.calibration.margin(self.mode, best.sure), best.sure - second
        limits = {
            "threshold": {"answer": round(answer, 4), "choose": round(choose, 4), "margin": round(apart, 4)},
            "margin": round(ahead, 4),
            "runner_up": kept[1].label if len(kept) > 1 else "",
        }
        if best.sure < choose or best.label == ELSEWHERE:
            return "unknown", limits
        tie = ahead < apart or (second >= answer and ahead < TIE)
        if best.sure < answer or tie or cautious:
            return "choose", limits
        return ("intent" if best.label.startswith(INTENT) else "answer"), limits


def _own(one: _Scored) -> Iterator[str]:
    return (e.normal for e in one.space.examples if e.label == one.label and e.role is Role.QUESTION)


def _nearest(one: _Scored, fits: Mapping[str, Fit]) -> str:
    return one.space.examples[one.space.nearest(fits[one.space.language], one.label)].text


def _trace(one: _Scored, fits: Mapping[str, Fit]) -> dict[str, Any]:
    """How one candidate came by its confidence."""
    fit = fits[one.space.language]
    row = one.space.nearest(fit, one.label)
    return {
        "entry": one.label,
        "confidence": round(one.sure, 4),
        "score": round(one.score, 4),
        "language": one.space.language,
        "nearest": one.space.examples[row].text,
        "parts": {name: round(float(values[row]), 4) for name, values in fit.parts.items()},
    }


# ---------------------------------------------------------------- making one


def build(
    faq: Faq, intents: Intents | None = None, *, mode: Mode = "balanced", encoder: Encoder | None = None
) -> Knowledge:
    """Solve and calibrate an index of the FAQ's questions and the intents' examples."""
    wording, by_language = written(faq, intents or {})
    spaces = [
        Space(language, examples, encoder if encoder and language in encoder.languages else None)
        for language, examples in by_language.items()
    ]
    return Knowledge(faq, wording, spaces, mode, version(faq, intents or {}, encoder))


def version(faq: Faq, intents: Intents, encoder: Encoder | None = None) -> str:
    """Changes with whatever may change a score."""
    wishes = {name: {language: list(said) for language, said in texts.items()} for name, texts in intents.items()}
    text = json.dumps([METHOD, faq.version, wishes, encoder.name if encoder else ""], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
