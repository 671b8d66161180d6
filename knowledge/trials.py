"""Test questions: what the FAQ should say to them, what it says, and what a change of the FAQ changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

from bot.strictyaml import Problem, YamlError, check, load, suggest
from knowledge.examples import INTENT
from knowledge.index import Knowledge, Ranking

OFFERED = 3  # buttons that are shown

Ask: TypeAlias = Callable[[str, str], Ranking]  # a question and its language, "" = not known → what comes of it


class Trial(BaseModel):
    """One question and what should come of it: an entry's id, "intent:<wish>", unknown or choose."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    question: str
    expect: str
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``right``: exactly so. ``offered``: the right answer is a button, or nothing wrong was said. Else ``wrong``."""

    verdict: str
    question: str
    lang: str
    expected: str
    outcome: str
    got: str
    confidence: float
    place: str  # file:line of the test

    @property
    def unanswerable(self) -> bool:
        """Should nothing be answered?"""
        return self.expected in ("unknown", "choose")

    @property
    def kind(self) -> str:
        """The verdict; a question that should be answered and is "not known" is told from one answered wrongly."""
        return "not known" if self.verdict == "wrong" and self.outcome == "unknown" else self.verdict


@dataclass(frozen=True, slots=True)
class Report:
    """All verdicts of a run."""

    verdicts: tuple[Verdict, ...]
    version: str

    @property
    def share(self) -> float:
        """How many are right or offered, 0..1."""
        return sum(v.verdict != "wrong" for v in self.verdicts) / (len(self.verdicts) or 1)

    @property
    def right(self) -> float:
        """How many are right at once: the right answer, or rightly none, 0..1."""
        return sum(v.verdict == "right" for v in self.verdicts) / (len(self.verdicts) or 1)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        shares = {"share": round(self.share, 4), "right": round(self.right, 4)}
        return {"version": self.version, **shares, "verdicts": [asdict(v) for v in self.verdicts]}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for v in self.verdicts:
            if v.verdict == "wrong":
                got = f"{v.outcome} {v.got} ({v.confidence:.0%})"
                yield f"{v.place}: {v.question!r} should be {v.expected}, is {got}"
        for lang in sorted({v.lang for v in self.verdicts}):
            for unanswerable, name in ((False, "with an answer"), (True, "without one")):
                some = [v for v in self.verdicts if v.lang == lang and v.unanswerable is unanswerable]
                kinds = Counter(v.kind for v in some)
                if some:
                    told = ", ".join(f"{kinds[kind]} {kind}" for kind in ("right", "offered", "not known", "wrong"))
                    yield f"{lang or '–'}, {name}: {told} of {len(some)}"
        passed = f"{self.share:.1%} of {len(self.verdicts)} tests pass"
        yield f"{passed}, {self.right:.1%} are right at once, with knowledge {self.version}"


def read(folder: Path, knowledge: Knowledge) -> list[tuple[Trial, str]]:
    """All tests of a folder with their places. Raises YamlError; an expectation must exist."""
    names = {"unknown", "choose", *knowledge.faq.by_id, *(n for s in knowledge.spaces.values() for n in s.labels)}
    found: list[tuple[Trial, str]] = []
    problems: list[Problem] = []
    for path in sorted(folder.rglob("*.yaml")):
        node = load(path)
        for at in range(len(node.data) if isinstance(node.data, list) else 0):
            try:
                trial = check(Trial, node, (at,))
            except YamlError as error:
                problems += error.problems
                continue
            if trial.expect not in names:
                problems.append(node.problem(f"no entry '{trial.expect}' {suggest(trial.expect, names)}", at, "expect"))
            found.append((trial, f"{node.file}:{node.line(at)}"))
    if problems:
        raise YamlError(problems)
    return found


def run(ask: Ask, trials: Iterable[tuple[Trial, str]], version: str) -> Report:
    """Ask every question; ``version`` is that of the knowledge."""
    verdicts = []
    for trial, place in trials:
        ranking = ask(trial.question, trial.lang)
        best = ranking.candidates[0] if ranking.candidates else None
        got, sure = (best.entry, round(best.confidence, 4)) if best else ("", 0.0)
        verdict = judge(ranking, trial.expect)
        verdicts.append(Verdict(verdict, trial.question, trial.lang, trial.expect, ranking.outcome, got, sure, place))
    return Report(tuple(verdicts), version)


def judge(ranking: Ranking, expected: str) -> str:
    """``right``, ``offered`` or ``wrong``."""
    if expected in ("unknown", "choose"):
        harmless = ranking.outcome in ("unknown", "choose")
        return "right" if ranking.outcome == expected else "offered" if harmless else "wrong"
    names = [c.entry for c in ranking.candidates[:OFFERED]]
    if ranking.outcome == "choose":
        return "offered" if expected in names else "wrong"
    given = "intent" if expected.startswith(INTENT) else "answer"
    return "right" if ranking.outcome == given and names[0] == expected else "wrong"


# ---------------------------------------------------------------- two versions beside each other


@dataclass(frozen=True, slots=True)
class Change:
    """A question that two versions of the knowledge decide differently."""

    question: str
    lang: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.question!r}: {self.before} → {self.after}"


def compare(before: Ask, after: Ask, questions: Iterable[tuple[str, str]]) -> list[Change]:
    """The (question, language) pairs that come out differently."""
    changes = []
    for text, lang in questions:
        old, new = (decided(ask(text, lang)) for ask in (before, after))
        if old != new:
            changes.append(Change(text, lang, old, new))
    return changes


def decided(ranking: Ranking) -> str:
    """A decision in a word: an id, "intent:<wish>", "choose a, b, c" or "unknown"."""
    names: Sequence[str] = [c.entry for c in ranking.candidates[:OFFERED]]
    if ranking.outcome == "choose":
        return f"choose {', '.join(names)}"
    return ranking.outcome if ranking.outcome == "unknown" else names[0]
