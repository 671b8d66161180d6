"""How many of ten missing topics ``aftercare faq gaps`` finds in its ten largest, on simulated chats.

    python benchmarks/gaps.py [--chats 2000] [--seeds 5] [--lang en --lang zh]

Ten answers are taken out of the demo company's FAQ. Customers ask what nobody has told it: its test questions and, one
chat in six, those of a missing answer, in words around them and with typing errors; some ask, each something else, what
no FAQ answers. What goes wrong is told as the books tell it: a question that was not known, a choice in which the right
answer was not, or was not pressed, a wrong answer that was complained of.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import intents
from benchmarks.matching import mistyped
from benchmarks.questions import ENDINGS, OPENINGS
from bot.strictyaml import load
from knowledge.faq import Entry, Faq, read
from knowledge.gaps import Asked, topics
from knowledge.index import Ranking, build
from knowledge.normal import chinese

HOME = Path(__file__).parent.parent
MISSING = 10
ABOUT_THEM, FOREIGN, MISSPELT = 1 / 6, 1 / 16, 1 / 5
PRESS, COMPLAIN = 9 / 10, 1 / 2  # of those who are offered the right answer, of those who are given a wrong one
OFFERED = 3  # answers to choose from


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
    """What customers ask: (text, id of its answer, "unknown": there is none). The examples of an answer that is missing
    are as little known as tests are, and as many more ways to ask for it. Nothing is asked again before all else has
    been.
    """
    left = {("unknown", language): [*said["unknown", language]] for language in languages}
    chance, asked = random.Random(seed), []
    for texts in left.values():
        chance.shuffle(texts)
    for _ in range(count):
        language, about = chance.choice(languages), chance.random()
        gone = about < ABOUT_THEM
        entry = chance.choice(missing if gone else faq.entries)
        strange = ABOUT_THEM < about < ABOUT_THEM + FOREIGN and left["unknown", language]
        key = ("unknown" if strange else entry.id, language)
        if not left.get(key):
            unseen = said.get(key, [])
            left[key] = [*unseen, *entry.questions[language]] if gone or not unseen else [*unseen]
            chance.shuffle(left[key])
        ending = chance.choice(ENDINGS[language]).format(n=chance.randrange(10**6))
        text = chance.choice(OPENINGS[language]) + left[key].pop() + ending
        asked.append((mistyped(text, chance) if chance.random() < MISSPELT else text, key[0]))
    return asked


def complaints(asked: Sequence[tuple[str, str]], decide: Callable[[str], Ranking], seed: int) -> list[Asked]:
    """What the books have of that as not answered well, with the answer that was given and wrong."""
    chance, found = random.Random(seed), []
    for chat, (text, right) in enumerate(asked):
        ranking, luck = decide(text), chance.random()
        best = [candidate.entry for candidate in ranking.candidates]
        match ranking.outcome:
            case "unknown":
                found.append(Asked(text, str(chat), "unanswered"))
            case "choose" if right not in best[:OFFERED] or luck > PRESS:
                found.append(Asked(text, str(chat), "unanswered"))
            case "answer" | "intent" if right != best[0] and luck < COMPLAIN:
                found.append(Asked(text, str(chat), "not helpful", given=best[0]))
    return found


def found(faq: Faq, count: int, languages: Sequence[str], seed: int) -> tuple[int, int, float]:
    """How many of the missing topics are among the ten first, how many questions went wrong, and the seconds."""
    without, missing = planted(spoken(faq, languages), seed)
    known = intents.read(HOME / "intents")
    wishes = {
        name: {language: said[language] for language in languages if language in said}
        for name, said in known.examples.items()
    }
    knowledge, now = build(without, wishes), datetime(2026, 1, 5, 12, tzinfo=UTC)

    @cache
    def ask(text: str, language: str) -> Ranking:
        return intents.understand(text, knowledge, hint=language, now=now, intents=known).decision

    asked = chats(without, missing, tested(), count, languages, seed)
    rows = complaints(asked, lambda text: ask(text, "zh" if chinese(text) >= 0.5 else "en"), seed)
    about, begun = dict(asked), time.process_time()
    groups = topics(knowledge, rows, ask)[:MISSING]
    spent, gone, hit = time.process_time() - begun, {entry.id for entry in missing}, set()
    for group in groups:
        names = [about[question.text] for question in group.asked]
        best = max(sorted(set(names)), key=names.count)
        if best in gone and names.count(best) * 2 > len(names):
            hit.add(best)
    return len(hit), len(rows), spent


def main() -> None:
    """Print a line per seed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chats", type=int, default=2000)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--lang", action="append", choices=["en", "zh"])
    given = options.parse_args()
    faq = read(HOME / "knowledge" / "faq")
    for seed in range(given.seeds):
        hit, wrong, spent = found(faq, given.chats, given.lang or ["en", "zh"], seed)
        print(f"seed {seed}: {hit} of {MISSING} found, {wrong} questions went wrong, {spent:.1f} s", flush=True)


if __name__ == "__main__":
    main()
