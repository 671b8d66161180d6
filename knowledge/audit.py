"""Live answers of a week, judged by a person: does what was promised of them still hold?"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from knowledge.claim import needed, upper_bound

WEEKS = 4  # the judgements of so many weeks are taken together
COLUMNS = ("answer", "verdict", "question", "reply", "entry", "confidence")
VERDICTS = {"right": True, "r": True, "对": True, "wrong": False, "w": False, "错": False}


class NoVerdict(Exception):
    """A file of judgements cannot be used; names the line and what would be right."""


@dataclass(frozen=True, slots=True)
class Given:
    """One answer that the bot gave by itself."""

    id: str  # chat and number of the message
    question: str
    reply: str
    entry: str
    confidence: float
    version: str  # of the knowledge


@dataclass(frozen=True, slots=True)
class Judged:
    """What a person thinks of one answer; no words of the customer's are kept."""

    answer: str  # Given.id
    week: str  # 2026-W47
    entry: str
    version: str
    right: bool
    at: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Promise:
    """What ``faq calibrate`` claimed."""

    max_wrong: float
    threshold: float
    coverage: float
    bound: float
    answered: int


@dataclass(frozen=True, slots=True)
class Check:
    """What the judgements say of a promise."""

    weeks: tuple[str, ...]
    wrong: int
    judged: int
    given: int  # answers that were given in the week
    asked: int  # questions that were asked in it
    promised: Promise
    mistaken: tuple[tuple[str, int], ...] = ()  # entries that were given wrongly, and how often

    @property
    def bound(self) -> float:
        """At most this share of the answers is wrong, with 95 % confidence."""
        return upper_bound(self.wrong, self.judged)

    @property
    def verdict(self) -> str:
        """``holds``, ``broken``, or ``open``: more would have to be judged."""
        if self.judged and self.bound <= self.promised.max_wrong:
            return "holds"
        least = 1 - upper_bound(self.judged - self.wrong, self.judged) if self.wrong else 0.0
        return "broken" if least > self.promised.max_wrong else "open"

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        more = {"verdict": self.verdict, "bound": round(self.bound, 4), "coverage": round(self.coverage, 4)}
        return asdict(self) | more

    @property
    def coverage(self) -> float:
        """Share of the week's questions that were answered."""
        return self.given / (self.asked or 1)

    def __str__(self) -> str:
        share = f"“at most {self.promised.max_wrong:.1%} wrong”"
        known = f" ({self.promised.coverage:.0%} when it was promised)" if self.promised.coverage else ""
        said = {
            "holds": f"{share} still holds: the bound is {self.bound:.1%} (95 % confidence)",
            "broken": f"{share} does not hold any more: set knowledge.answer_at higher, or mend what was wrong",
            "open": f"{share} is neither shown nor refuted: the bound is {self.bound:.1%}; with none wrong it takes "
            f"{needed(self.promised.max_wrong)} judged answers",
        }
        base = (
            f"n = {self.judged} answers judged in {', '.join(self.weeks) or 'no week'}, {self.wrong} of them wrong; in "
            f"the last of these weeks {self.given} of {self.asked} questions were answered, {self.coverage:.0%}{known}"
        )
        entries = ", ".join(f"{name} {count}×" for name, count in self.mistaken)
        return f"{said[self.verdict]}.\n{base}." + (f"\nGiven wrongly: {entries}." if entries else "")


def sample(given: Iterable[Given], week: str, size: int) -> list[Given]:
    """So many of the week's answers, always the same ones."""

    def lot(one: Given) -> bytes:
        return hashlib.sha256(f"{week}/{one.id}".encode()).digest()

    return sorted(given, key=lot)[:size]


def check(judged: Iterable[Judged], week: str, promised: Promise, given: int, asked: int) -> Check:
    """The last judgement of every answer of this week and of the three that were judged before it."""
    last = {one.answer: one for one in judged if one.week <= week}
    weeks = sorted({one.week for one in last.values()})[-WEEKS:]
    counted = [one for one in last.values() if one.week in weeks]
    wrong = [one.entry for one in counted if not one.right]
    mistaken = tuple(Counter(wrong).most_common())
    return Check(tuple(weeks), len(wrong), len(counted), given, asked, promised, mistaken)


# ---------------------------------------------------------------- kept


def kept(file: Path) -> list[Judged]:
    """All judgements, the oldest first. Raises NoVerdict."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(Judged(**json.loads(line)))
        except (ValueError, TypeError):
            raise NoVerdict(f"{file}:{number}: is no judgement; take the line out") from None
    return found


def keep(file: Path, judged: Judged) -> None:
    """Written behind the others; nothing that stands there is changed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(asdict(judged), ensure_ascii=False) + "\n")


def promise(file: Path, made: Promise | None = None) -> Promise | None:
    """What was promised last; ``made`` is promised from now on."""
    if made:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(made)) + "\n", encoding="utf-8")
        return made
    try:
        return Promise(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


# ---------------------------------------------------------------- judged elsewhere


def sheet(given: Sequence[Given]) -> str:
    """A CSV with a column to write right or wrong in."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for one in given:
        values = (one.id, "", one.question, one.reply, one.entry, f"{one.confidence:.2f}")
        row = dict(zip(COLUMNS, values, strict=True))
        # a leading apostrophe keeps a spreadsheet from running a customer's words as a formula
        writer.writerow({key: f"'{text}" if text[:1] in "=+-@" and text else text for key, text in row.items()})
    return out.getvalue()


def verdicts(file: Path, known: Mapping[str, Given]) -> dict[str, bool]:
    """Answer → right, of the rows that have a verdict. Raises NoVerdict."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NoVerdict(f"{file}: cannot be read: {error}") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=text.partition("\n")[0].count))
    found = {}
    for row in reader:
        name, said = (row.get("answer") or "").strip().lstrip("'"), (row.get("verdict") or "").strip().lower()
        if not said:
            continue
        if said not in VERDICTS:
            raise NoVerdict(f"{file}:{reader.line_num}: the verdict should be right, wrong or empty, not {said!r}")
        if name not in known:
            raise NoVerdict(f"{file}:{reader.line_num}: {name!r} is no answer of this week's sample")
        found[name] = VERDICTS[said]
    return found
