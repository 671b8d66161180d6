"""One question, one decision a line: what ``aftercare ask`` prints, offline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bot.strictyaml import Problem, YamlError
from knowledge.examples import INTENT, Intents
from knowledge.faq import Faq, from_examples, read
from knowledge.index import Knowledge, Mode, Ranking, build
from knowledge.kernels import Encoder
from knowledge.normal import chinese
from knowledge.trials import Ask


def open_knowledge(
    source: Path, intents: Intents | None = None, *, mode: Mode = "balanced", encoder: Encoder | None = None
) -> Knowledge:
    """An index of a folder of FAQ files with the ``intents``, or of a file of ``{"label", "text"}`` lines without.

    Raises YamlError.
    """
    if source.is_dir():
        return build(read(source), intents, mode=mode, encoder=encoder)
    return build(examples(source), mode=mode, encoder=encoder)


def examples(file: Path) -> Faq:
    """The examples of a JSONL file. Raises YamlError with every line that is none."""
    rows, problems = [], []
    try:
        lines = file.read_bytes().decode("utf-8-sig").split("\n")  # JSON text may hold Unicode's other line ends
    except OSError as error:
        raise YamlError([Problem(str(file), 1, f"cannot be read: {error.strerror or error}")]) from None
    except UnicodeDecodeError as error:
        at = bytes(error.object).count(b"\n", 0, error.start) + 1
        raise YamlError([Problem(str(file), at, "must be saved as UTF-8")]) from None
    for number, line in enumerate(lines, 1):
        row = _json(line)
        if isinstance(row, dict) and isinstance(row.get("label"), str) and isinstance(row.get("text"), str):
            rows.append(row)
        elif line.strip():
            problems.append(Problem(str(file), number, 'should be a line like {"label": "…", "text": "…"}'))
    if problems:
        raise YamlError(problems)
    return from_examples(rows)


def as_json(ranking: Ranking, text: str, lang: str = "", id: str | int = "") -> dict[str, Any]:
    """A ranking as plain JSON: the best label is named unless nothing is offered; confidences have four digits."""
    best = ranking.candidates[0] if ranking.candidates else None
    entry = best.entry if best and ranking.outcome != "unknown" else ""
    return {
        "id": id,
        "outcome": ranking.outcome,
        "entry": "" if entry.startswith(INTENT) else entry,
        "confidence": round(best.confidence, 4) if best else 0.0,
        "candidates": [{"entry": c.entry, "confidence": round(c.confidence, 4)} for c in ranking.candidates],
        "intent": entry.removeprefix(INTENT) if entry.startswith(INTENT) else "",
        "lang": lang or ("zh" if chinese(text[:1000]) >= 0.5 else "en"),
    }


def answer_lines(
    ask: Ask,
    lines: Iterable[str],
    lang: str = "",
    refuse: Callable[[int], object] | None = None,
    languages: Sequence[str] = (),
) -> Iterator[str]:
    """For each line ``{"id", "text", "lang"?}`` its decision, as a JSON line; ``lang`` is one of ``languages``.

    Any other line is a question in plain text; with ``refuse`` it is none, and its number is told.
    """
    for number, line in enumerate(lines, 1):
        line = line.removeprefix("\ufeff")  # some editors write it before the first line
        row = _json(line)
        if not line.strip():
            continue
        if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not _among(row.get("lang"), languages):
            if refuse:
                refuse(number)
                continue
            row = {"text": line.rstrip("\r\n")}
        text, spoken = row["text"], str(row.get("lang") or lang)
        id = row.get("id", "")
        made = as_json(ask(text, spoken), text, spoken, id if type(id) in (str, int) else str(id))
        yield json.dumps(made, ensure_ascii=False)


def _among(lang: object, languages: Sequence[str]) -> bool:
    return not lang or not languages or lang in languages


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
