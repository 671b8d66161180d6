"""Twenty mistakes an admin may make in the demo company's FAQ: which of them do ``faq check`` and ``faq test`` tell?

    python benchmarks/mutations.py [--seed 1]

A mistake is caught if the FAQ is refused, if there is a remark that was not there before, or if a test question fails
that passed before.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import intents
from bot.strictyaml import YamlError, load
from knowledge import trials
from knowledge.doubts import doubts
from knowledge.faq import ELSEWHERE, NAMES, SYNONYMS, Faq, read
from knowledge.index import Knowledge, build
from knowledge.review import review

HOME = Path(__file__).parent.parent
LANGUAGES = ("en", "zh")
TODAY = date(2026, 11, 22)

Rows: TypeAlias = list[dict[str, Any]]  # entries as they stand in the files
Mutation: TypeAlias = Callable[[Rows, random.Random], object]


def one(rows: Rows, chance: random.Random) -> dict[str, Any]:
    """An entry that has tests, as all of them have."""
    return chance.choice(rows)


def conflicting(rows: Rows, chance: random.Random) -> None:
    row = one(rows, chance)
    copy = {
        lang: [f"{text}！" if lang == "zh" else f"{text}!" for text in said] for lang, said in row["questions"].items()
    }
    rows.append({**row, "id": f"{row['id']}-again", "questions": copy})


def few_examples(rows: Rows, chance: random.Random) -> None:
    row = one(rows, chance)
    row["questions"]["en"] = row["questions"]["en"][:3]


def no_examples(rows: Rows, chance: random.Random) -> None:
    one(rows, chance)["questions"]["zh"] = []


def swapped_answers(rows: Rows, chance: random.Random) -> None:
    a, b = chance.sample(rows, 2)
    a["answer"], b["answer"] = b["answer"], a["answer"]


def typo_in_id(rows: Rows, chance: random.Random) -> None:
    row = one(rows, chance)
    row["id"] = row["id"][:-1] + "x"


def bad_id(rows: Rows, chance: random.Random) -> None:
    row = one(rows, chance)
    row["id"] = row["id"].replace("-", "_")


def twice_the_same_id(rows: Rows, chance: random.Random) -> None:
    a, b = chance.sample(rows, 2)
    a["id"] = b["id"]


def bad_date(rows: Rows, chance: random.Random) -> None:
    one(rows, chance)["valid"] = {"from": "2026-02-30"}


def expired(rows: Rows, chance: random.Random) -> None:
    one(rows, chance)["valid"] = {"to": "2025-12-31"}


def wrong_year(rows: Rows, chance: random.Random) -> None:
    one(rows, chance)["valid"] = {"from": "2062-11-01"}


def merged(rows: Rows, chance: random.Random) -> None:
    a, b = chance.sample(rows, 2)
    for lang in LANGUAGES:
        a["questions"][lang] = [*a["questions"][lang], *b["questions"][lang]]
    rows.remove(b)


def wrong_language(rows: Rows, chance: random.Random) -> None:
    row = one(rows, chance)
    row["answer"]["zh"] = row["answer"]["en"]


def question_in_the_wrong_language(rows: Rows, chance: random.Random) -> None:
    row = one(rows, chance)
    row["questions"]["en"].append(chance.choice(row["questions"]["zh"][:1]))


def dangling_follow_up(rows: Rows, chance: random.Random) -> None:
    one(rows, chance)["follow_ups"] = ["router-rest"]


def duplicate_question(rows: Rows, chance: random.Random) -> None:
    a, b = chance.sample(rows, 2)
    a["questions"]["en"].append(b["questions"]["en"][0].upper())


def strange_question(rows: Rows, chance: random.Random) -> None:
    a, b = chance.sample(rows, 2)
    for lang in LANGUAGES:
        a["questions"][lang] = [*a["questions"][lang], *b["questions"][lang][::2]]
        b["questions"][lang] = b["questions"][lang][1::2]


def wrong_link(rows: Rows, chance: random.Random) -> None:
    one(rows, chance)["answer"]["en"] += "\n[Read on](www.hailan.example/help)"


def open_link(rows: Rows, chance: random.Random) -> None:
    one(rows, chance)["links"] = [{"label": {"en": "Manual"}, "url": "htps://support.hailan.example"}]


def number_in_one_language(rows: Rows, chance: random.Random) -> None:
    row = chance.choice([r for r in rows if " 10 " in r["answer"]["en"] and "10" in r["answer"]["zh"]])
    row["answer"]["en"] = row["answer"]["en"].replace(" 10 ", " 35 ")


def misspelt_topic(rows: Rows, chance: random.Random) -> None:
    row = one(rows, chance)
    row["topic"] = row["topic"][:-1]


def against_itself(rows: Rows, chance: random.Random) -> None:
    row = one(rows, chance)
    row["not"] = {"en": [row["questions"]["en"][1]]}


def unwritten(rows: Rows, chance: random.Random) -> None:
    one(rows, chance)["answer"]["en"] = "Write the answer here."


MUTATIONS: tuple[Mutation, ...] = (
    *(
        conflicting,
        few_examples,
        no_examples,
        swapped_answers,
        typo_in_id,
        bad_id,
        twice_the_same_id,
        bad_date,
        expired,
    ),
    *(wrong_year, merged, wrong_language, question_in_the_wrong_language, dangling_follow_up, duplicate_question),
    *(strange_question, wrong_link, open_link, number_in_one_language, misspelt_topic, against_itself, unwritten),
)


def rows_of(folder: Path) -> Rows:
    """The entries of the demo company, to be changed."""
    files = [file for file in sorted(folder.glob("*.yaml")) if file.name not in (SYNONYMS, NAMES, ELSEWHERE)]
    return [row for file in files for row in load(file).data]


def remarks(faq: Faq) -> set[str]:
    """What ``faq check`` tells without an index."""
    return {problem.what for problem in doubts(faq, LANGUAGES, TODAY)}


@cache
def usual() -> set[str]:
    """What it tells of the demo company's FAQ as it is."""
    return remarks(read(HOME / "knowledge" / "faq"))


def found(knowledge: Knowledge) -> tuple[set[str], set[tuple[str, str]]]:
    """What ``faq check`` tells with one, and the test questions that fail. Raises YamlError."""
    looked = review(knowledge, LANGUAGES, TODAY)
    tests = trials.read(HOME / "knowledge" / "checks", knowledge)
    verdicts = trials.run(lambda text, lang: knowledge.ask(text, lang, now=TODAY), tests, knowledge.version).verdicts
    wrong = {(v.question, v.lang) for v in verdicts if v.verdict == "wrong"}
    return {p.what for p in (*looked.problems, *looked.pairs)}, wrong


def caught(mutation: Mutation, seed: int, before: Callable[[], tuple[set[str], set[tuple[str, str]]]]) -> str:
    """How a mistake is told, "" if it is not."""
    rows = rows_of(HOME / "knowledge" / "faq")
    mutation(rows, random.Random(f"{seed}{mutation.__name__}"))
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / NAMES).write_bytes((HOME / "knowledge" / "faq" / NAMES).read_bytes())
        (Path(place) / "all.yaml").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        try:
            faq = read(Path(place), LANGUAGES)
            if fresh := remarks(faq) - usual():
                return f"remark: {min(fresh)}"
            looked, wrong = found(build(faq, intents.read(HOME / "intents").examples))
        except YamlError as error:
            return f"refused: {error.problems[0].what}"
    told, failed = before()
    if fresh := looked - told:
        return f"remark: {min(fresh)}"
    return f"test: {min(wrong - failed)[0]}" if wrong - failed else ""


def main() -> None:
    """Print a line per mistake, and how many are told."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    known: list[tuple[set[str], set[tuple[str, str]]]] = []

    def before() -> tuple[set[str], set[tuple[str, str]]]:
        if not known:
            known.append(found(build(read(HOME / "knowledge" / "faq"), intents.read(HOME / "intents").examples)))
        return known[0]

    told = 0
    for mutation in MUTATIONS:
        how = caught(mutation, given.seed, before)
        told += bool(how)
        print(f"{mutation.__name__}: {how[:150] or 'NOT CAUGHT'}", flush=True)
    print(f"{told} of {len(MUTATIONS)} are told")


if __name__ == "__main__":
    main()
