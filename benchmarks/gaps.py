"""How many of ten missing topics ``aftercare faq gaps`` finds in its ten largest, on simulated chats.

    python benchmarks/gaps.py [--chats 2000] [--seeds 5] [--lang en --lang zh]

Ten answers are taken out of the demo company's FAQ. Customers ask what nobody has told it: its test questions and, one
chat in six, those of a missing answer, in words around them and with typing errors; some ask, each something else, what
no FAQ answers.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import intents
from benchmarks.matching import mistyped
from benchmarks.questions import ENDINGS, OPENINGS
from bot.strictyaml import load
from knowledge.faq import Entry, Faq, read
from knowledge.gaps import Asked, topics
from knowledge.index import Ranking, build

HOME = Path(__file__).parent.parent
MISSING = 10
ABOUT_THEM, FOREIGN, MISSPELT = 1 / 6, 1 / 16, 1 / 5


def planted(faq: Faq, seed: int) -> tuple[Faq, list[Entry]]:
    """The FAQ without ten of its answers, and these."""
    missing = random.Random(seed).sample(faq.entries, MISSING)
    gone = {entry.id for entry in missing}
    return replace(faq, entries=tuple(entry for entry in faq.entries if entry.id not in gone)), missing


def spoken(faq: Faq, languages: Sequence[str]) -> Faq:
    """The FAQ in these languages only."""

    def only(texts: Mapping[str, Any]) -> dict[str, Any]:
        return {language: texts[language] for language in languages}

    entries = [e.model_copy(update={"questions": only(e.questions), "answer": only(e.answer)}) for e in faq.entries]
    return replace(faq, entries=tuple(entries))


def tested() -> dict[tuple[str, str], list[str]]:
    """The test questions by what they expect, and language."""
    said: dict[tuple[str, str], list[str]] = {}
    for path in sorted((HOME / "knowledge" / "checks").glob("*.yaml")):
        for row in load(path).data:
            said.setdefault((row["expect"], row["lang"]), []).append(row["question"])
    return said


def chats(
    faq: Faq,
    missing: Sequence[Entry],
    said: Mapping[tuple[str, str], Sequence[str]],
    count: int,
    languages: Sequence[str],
    seed: int,
) -> list[tuple[str, str]]:
    """What customers ask: (text, id of the missing answer or ""). The examples of an answer that is missing are as
    little known as tests are, and as many more ways to ask for it. Nothing is asked again before all else has been.
    """
    foreign = [text for language in languages for text in said["unknown", language]]
    left: dict[tuple[str, str], list[str]] = {}
    chance, asked = random.Random(seed), []
    strange = iter(chance.sample(foreign, len(foreign)))
    for _ in range(count):
        language, about = chance.choice(languages), chance.random()
        gone = about < ABOUT_THEM
        entry = chance.choice(missing if gone else faq.entries)
        key = (entry.id, language)
        if not left.get(key):
            unseen = said.get(key, [])
            left[key] = [*unseen, *entry.questions[language]] if gone or not unseen else [*unseen]
            chance.shuffle(left[key])
        text = left[key].pop()
        if ABOUT_THEM < about < ABOUT_THEM + FOREIGN:
            text = next(strange, text)
        ending = chance.choice(ENDINGS[language]).format(n=chance.randrange(10**6))
        text = chance.choice(OPENINGS[language]) + text + ending
        asked.append((mistyped(text, chance) if chance.random() < MISSPELT else text, entry.id if gone else ""))
    return asked


def found(faq: Faq, count: int, languages: Sequence[str], seed: int) -> tuple[int, int, float]:
    """How many of the missing topics are among the ten first, how many questions were unanswered, and the seconds."""
    without, missing = planted(spoken(faq, languages), seed)
    known = intents.read(HOME / "intents")
    wishes = {
        name: {language: said[language] for language in languages if language in said}
        for name, said in known.examples.items()
    }
    knowledge, now = build(without, wishes), datetime(2026, 1, 5, 12, tzinfo=UTC)

    def ask(text: str, language: str) -> Ranking:
        return intents.understand(text, knowledge, hint=language, now=now, intents=known).decision

    asked = chats(without, missing, tested(), count, languages, seed)
    begun, about = time.process_time(), dict(asked)
    rows = [Asked(text, str(chat), "unanswered") for chat, (text, _) in enumerate(asked)]
    groups = topics(knowledge, rows, ask)[:MISSING]
    hit = set()
    for group in groups:
        names = [about[question.text] for question in group.asked]
        best = max(set(names), key=names.count)
        if best and names.count(best) * 2 > len(names):
            hit.add(best)
    return (
        len(hit),
        sum(ask(text, "").outcome in ("unknown", "choose") for text, _ in asked),
        time.process_time() - begun,
    )


def main() -> None:
    """Print a line per seed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chats", type=int, default=2000)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--lang", action="append", choices=["en", "zh"])
    given = options.parse_args()
    faq = read(HOME / "knowledge" / "faq")
    for seed in range(given.seeds):
        hit, unanswered, spent = found(faq, given.chats, given.lang or ["en", "zh"], seed)
        print(f"seed {seed}: {hit} of {MISSING} found, {unanswered} questions not answered, {spent:.1f} s", flush=True)


if __name__ == "__main__":
    main()
