"""How well we match: our tiers beside rapidfuzz, BM25 and semantic-router, on evaluation files, in one run.

    python benchmarks/matching.py --data DIR [--model all-MiniLM-L6-v2] [--only banking77] [--limit 500]

DIR holds JSONL files of ``{"split", "label", "text"}`` lines: ``faq…`` splits are examples, ``dev`` the questions,
``dev_oos…`` questions without an answer. A task whose file is missing is named. Seeds are fixed.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import psutil
from rapidfuzz import fuzz, process

from knowledge import encoder
from knowledge.faq import from_examples
from knowledge.index import build
from knowledge.kernels import pairs
from knowledge.normal import chinese, normal, units, words
from knowledge.senses import readings

Pairs: TypeAlias = list[tuple[str, str]]  # label, text
Answer: TypeAlias = tuple[list[str], float]  # labels best first, confidence of the first
Ask: TypeAlias = Callable[[str], Answer]

TASKS = {  # task → file, split of examples, splits without an answer
    "banking77 10-shot": ("banking77", "faq10", ()),
    "banking77 5-shot": ("banking77", "faq5", ()),
    "clinc150 10-shot": ("clinc150", "faq10", ("dev_oos",)),
    "banking77 50 entries": ("banking77_oos", "faq10", ("dev_oos_near", "dev_oos_far")),
    "sofmattress log": ("hint3_sofmattress", "faq", ("dev_oos",)),
}
OWN = {"bank, Chinese (ours)": "bank_zh.txt", "telecom, Chinese (ours)": "telecom_zh.txt"}


@dataclass(frozen=True)
class Task:
    """One FAQ and what it is asked."""

    name: str
    examples: Pairs
    asked: Pairs
    foreign: dict[str, list[str]]  # splits of questions without an answer


def tasks(folder: Path, only: str) -> Iterator[Task]:
    """The tasks whose files are there; the others are named."""
    for name, (file, faq, foreign) in TASKS.items():
        path = folder / f"{file}.jsonl"
        if only not in name:
            continue
        if not path.is_file():
            print(f"{name}: {path} is missing")
            continue
        splits: dict[str, Pairs] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            splits.setdefault(row["split"], []).append((row["label"], row["text"]))
        yield Task(name, splits[faq], splits["dev"], {s: [text for _, text in splits[s]] for s in foreign})
    yield from (own(name, file) for name, file in OWN.items() if only in name)


def own(name: str, file: str) -> Task:
    """Chinese questions that the tests use; no public set may be passed on."""
    examples, asked, foreign = [], [], []
    folder = Path(__file__).parent.parent / "tests" / "knowledge" / "data"
    for line in (folder / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        label, *known = (part.strip() for part in line.partition("||")[0].split("|"))
        fresh = [part.strip() for part in line.partition("||")[2].split("|")]
        if label == "?":
            foreign += fresh
        else:
            examples += [(label, text) for text in known]
            asked += [(label, text) for text in fresh]
    return Task(name, examples, asked, {"oos": foreign})


# ---------------------------------------------------------------- typing errors

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def mistyped(text: str, chance: random.Random) -> str:
    """One to three typing errors; in Chinese homophones, dropped and swapped characters."""
    for _ in range(chance.randint(1, 3)):
        places = [i for i, c in enumerate(text) if c.isalpha()]
        if len(places) < 3:
            break
        i = chance.choice(places)
        wrong = _beside(text[i], chance)
        kind = chance.randrange(4)
        if kind == 0:
            text = text[:i] + text[i + 1 :]
        elif kind == 1:
            text = text[:i] + text[i + 1 : i + 2] + text[i] + text[i + 2 :]
        elif kind == 2 and text[i].isascii():
            text = text[:i] + wrong + text[i:]
        else:
            text = text[:i] + wrong + text[i + 1 :]
    return text


def _beside(letter: str, chance: random.Random) -> str:
    if sound := _read().get(letter):
        return chance.choice([c for c, other in _read().items() if other == sound])
    for row in KEYS:
        if (at := row.find(letter.lower())) >= 0:
            return chance.choice(row[max(0, at - 1) : at + 2].replace(letter.lower(), "") or row)
    return letter


@cache
def _read() -> dict[str, str]:
    return readings()


# ---------------------------------------------------------------- who competes


def ours(model: encoder.Encoder | None) -> Callable[[Pairs], tuple[Ask, float]]:
    """One of our tiers: how to ask it, and its lenient threshold."""

    def make(examples: Pairs) -> tuple[Ask, float]:
        knowledge = build(from_examples({"label": a, "text": b} for a, b in examples), encoder=model)
        lenient = min(space.calibration.lenient for space in knowledge.spaces.values())

        def ask(text: str) -> Answer:
            found = knowledge.ask(text).candidates
            return [c.entry for c in found], found[0].confidence if found else 0.0

        return ask, lenient

    return make


def nearest(score: Callable[[str], Sequence[float]], labels: list[str]) -> Ask:
    """Labels by their best example."""

    def ask(text: str) -> Answer:
        scores = np.asarray(score(text), float)
        order = np.argsort(-scores, kind="stable")[:200]
        return list(dict.fromkeys(labels[i] for i in order))[:5], float(scores[order[0]])

    return ask


def rapidfuzz(examples: Pairs) -> tuple[Ask, float]:
    """token_sort_ratio, the best of its scorers for this."""
    texts = [text.lower() for _, text in examples]

    def score(text: str) -> Sequence[float]:
        scores: Sequence[float] = process.cdist([text.lower()], texts, scorer=fuzz.token_sort_ratio)[0]
        return scores

    return nearest(score, [label for label, _ in examples]), math.nan


def bm25(examples: Pairs) -> tuple[Ask, float]:
    """Okapi BM25 over words, in Chinese over characters and their pairs."""
    split = [_tokens(text) for _, text in examples]
    seen = Counter(word for tokens in split for word in set(tokens))
    mean = sum(map(len, split)) / len(split)
    weights: dict[str, dict[int, float]] = {}
    for row, tokens in enumerate(split):
        for word, n in Counter(tokens).items():
            rare = math.log(1 + (len(split) - seen[word] + 0.5) / (seen[word] + 0.5))
            weights.setdefault(word, {})[row] = rare * n * 2.5 / (n + 1.5 * (0.25 + 0.75 * len(tokens) / mean))

    def score(text: str) -> Sequence[float]:
        scores = [0.0] * len(split)
        for word in _tokens(text):
            for row, weight in weights.get(word, {}).items():
                scores[row] += weight
        return scores

    return nearest(score, [label for label, _ in examples]), math.nan


def _tokens(text: str) -> list[str]:
    plain = normal(text)
    return pairs(units(plain)) if chinese(plain) else words(plain)


def semantic_router(model: str) -> Callable[[Pairs], tuple[Ask, float]]:
    """semantic-router 1.1 from PyPI with the same encoder through sentence-transformers, its best aggregation."""
    from semantic_router import Route  # type: ignore[import-not-found,unused-ignore]
    from semantic_router.encoders.local import LocalEncoder  # type: ignore[import-not-found,unused-ignore]
    from semantic_router.routers import IndexedRouter  # type: ignore[import-not-found,unused-ignore]

    from knowledge.convert import find

    def make(examples: Pairs) -> tuple[Ask, float]:
        texts: dict[str, list[str]] = {}
        for label, text in examples:
            texts.setdefault(label, []).append(text)
        routes = [Route(name=label, utterances=said) for label, said in texts.items()]
        router = IndexedRouter(LocalEncoder(name=find(model)), routes, aggregation="max", confidence_threshold=0.0)

        def ask(text: str) -> Answer:
            found = router(text, limit=5)
            return [choice.name or "" for choice in found], float(found[0].confidence or 0.0) if found else 0.0

        return ask, math.nan

    return make


# ---------------------------------------------------------------- measuring


def auroc(known: Sequence[float], foreign: Sequence[float]) -> float:
    """How often a question with an answer is surer than one without, in percent."""
    ordered = np.sort(np.asarray(foreign))
    below = np.searchsorted(ordered, known, "left") + np.searchsorted(ordered, known, "right")
    return 100 * float(below.mean()) / 2 / len(ordered)


def measure(name: str, make: Callable[[Pairs], tuple[Ask, float]], task: Task, limit: int) -> str:
    """One row of the table."""
    before, start = psutil.Process().memory_info().rss, time.perf_counter()
    ask, lenient = make(task.examples)
    built = time.perf_counter() - start
    asked = random.Random(7).sample(task.asked, min(limit, len(task.asked)))
    chance, spent = random.Random(11), []

    def timed(text: str) -> Answer:
        begun = time.perf_counter()
        answer = ask(text)
        spent.append(1000 * (time.perf_counter() - begun))
        return answer

    clean = [(label, *timed(text)) for label, text in asked]
    typed = [label in timed(mistyped(text, chance))[0][:1] for label, text in asked]
    places = [found.index(label) + 1 if label in found[:5] else 0 for label, found, _ in clean]
    right = np.array([place == 1 for place in places])
    sure = np.array([s for _, _, s in clean])
    row = [f"{100 * right.mean():.1f}", f"{100 * np.mean(typed):.1f}"]
    row += [f"{np.mean([1 / p if p else 0 for p in places]):.3f}", f"{100 * np.mean([0 < p <= 3 for p in places]):.1f}"]
    outside = {split: [timed(text)[1] for text in texts] for split, texts in task.foreign.items()}
    row.append(" / ".join(f"{auroc(sure.tolist(), s):.1f}" for s in outside.values()) or "–")
    known = outside and not math.isnan(lenient)
    inside = f"{100 * (right & (sure >= lenient)).mean():.1f}"
    row.append(
        " / ".join([inside, *(f"{100 * np.mean(np.array(s) < lenient):.1f}" for s in outside.values())])
        if known
        else "–"
    )
    row += [f"{np.quantile(spent, 0.5):.2f} / {np.quantile(spent, 0.95):.2f}", f"{built:.2f}"]
    row.append(f"{(psutil.Process().memory_info().rss - before) / 1e6:.0f}")
    return f"| {task.name} | {name} | " + " | ".join(row) + " |"


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--model", default="all-MiniLM-L6-v2", help="encoder of the semantic tier")
    options.add_argument("--models", type=Path, default=Path("data/models"))
    options.add_argument("--only", default="", help="tasks whose name holds this")
    options.add_argument("--limit", type=int, default=1500, help="questions per task")
    given = options.parse_args()
    systems: dict[str, Callable[[Pairs], tuple[Ask, float]]] = {
        "rapidfuzz": rapidfuzz,
        "BM25": bm25,
        "lexical": ours(None),
    }
    if model := encoder.load(given.model, given.models):
        systems["semantic"] = ours(model)
    try:
        systems["semantic-router"] = semantic_router(given.model)
    except ImportError:
        print("semantic-router is not installed: left out")
    print(
        "| task | system | accuracy % | typing errors % | MRR@5 | recall@3 % | AUROC out of scope "
        "| lenient: right / refused % | ms p50 / p95 | build s | MB |"
    )
    print("|" + "---|" * 11)
    for task in tasks(given.data, given.only):
        for name, make in systems.items():
            if not (name.startswith("semantic-") and task.name in OWN):
                print(measure(name, make, task, given.limit), flush=True)


if __name__ == "__main__":
    main()
