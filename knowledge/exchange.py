"""Brings an FAQ in from tables and documents, and takes it out again."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from defusedxml.ElementTree import iterparse
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from knowledge.faq import Entry, Faq, Written
from knowledge.normal import chinese, normal

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LARGEST = 50_000_000  # bytes of a sheet that are unpacked
COLUMNS = ("id", "topic", "language", "question", "answer")
_ALSO = {"questions": "question", "q": "question", "问题": "question", "问": "question", "a": "answer"}
_ALSO |= {"答案": "answer", "回答": "answer", "答": "answer", "lang": "language", "语言": "language"}
_ALSO |= {"category": "topic", "分类": "topic", "主题": "topic", "label": "id", "text": "question"}


class ExchangeError(Exception):
    """The file cannot be taken in; says why and what would be right."""


def bring(file: Path) -> list[Entry]:
    """The entries of a CSV, XLSX, Markdown or JSONL file. Raises ExchangeError."""
    readers: dict[str, Callable[[Path], Iterable[Mapping[str, str]]]] = {
        ".csv": _csv,
        ".xlsx": _xlsx,
        ".md": _markdown,
        ".jsonl": _jsonl,
    }
    reader = readers.get(file.suffix.lower())
    if not reader:
        raise ExchangeError(f"{file}: cannot read '{file.suffix}', only {', '.join(readers)}")
    try:
        return gather(reader(file))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, csv.Error) as error:
        raise ExchangeError(f"{file}: {error}") from None


def gather(rows: Iterable[Mapping[str, str]]) -> list[Entry]:
    """Rows of the same id, or else of the same answer, become one entry; several questions stand on lines of a cell."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        cell = {_ALSO.get(k.strip().lower(), k.strip().lower()): (v or "").strip() for k, v in row.items() if k}
        questions = [q for q in cell.get("question", "").splitlines() if q.strip()]
        if not questions:
            continue
        language = cell.get("language") or ("zh" if chinese(normal(questions[0])) >= 0.5 else "en")
        key = cell.get("id") or cell.get("answer") or questions[0]
        name = slug(cell.get("id", "")) or slug(questions[0]) or f"entry-{len(found) + 1}"
        made = found.setdefault(key, {"id": _free(name, found), "topic": "", "questions": {}, "answer": {}})
        made["topic"] = made["topic"] or slug(cell.get("topic", "")) or "imported"
        made["questions"].setdefault(language, []).extend(questions)
        if cell.get("answer"):
            made["answer"].setdefault(language, cell["answer"])
    for made in found.values():
        for language in made["questions"]:
            made["answer"].setdefault(language, "Write the answer here.")
        made["questions"] = {language: tuple(dict.fromkeys(said)) for language, said in made["questions"].items()}
    return [Entry(**made) for made in found.values()]


def slug(text: str) -> str:
    """A name in kebab case from the Latin words of a text."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:60].strip("-")


def _free(name: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    taken = {made["id"] for made in found.values()}
    return next(n for n in (name, *(f"{name}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)


def _csv(file: Path) -> Iterable[Mapping[str, str]]:
    text = file.read_text(encoding="utf-8-sig")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)  # quoting is everywhere the same: no guessing
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def _jsonl(file: Path) -> Iterable[Mapping[str, str]]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    for row in rows:
        if not isinstance(row, dict):
            raise ValueError('every line should be an object like {"question": "…", "answer": "…"}')
    return [{k: "\n".join(v) if isinstance(v, list) else str(v) for k, v in row.items()} for row in rows]


def _markdown(file: Path) -> Iterator[Mapping[str, str]]:
    """Headings, or lines that begin with Q: and A:, are questions; what follows answers them."""
    topic, question, answer = "", "", list[str]()
    for line in [*file.read_text(encoding="utf-8").splitlines(), "# "]:
        asked = re.match(r"(#{2,6}\s+|\**(?:Q|问)\d*\s*[.:：]\**\s*)(.*)", line)
        if asked or line.startswith("# "):
            if question and (said := "\n".join(answer).strip()):
                yield {"topic": topic, "question": question, "answer": said}
            question, answer = (asked[2].strip(" *"), []) if asked else ("", [])
            topic = topic if asked else line[2:].strip()
        elif question:
            answer.append(re.sub(r"^\**(?:A|答)\s*[.:：]\**\s*", "", line))


def _xlsx(file: Path) -> Iterable[Mapping[str, str]]:
    """The first sheet; its first row names the columns."""
    with zipfile.ZipFile(file) as book:
        names = book.namelist()
        shared = _texts(book, "xl/sharedStrings.xml", "si") if "xl/sharedStrings.xml" in names else []
        sheet = min(name for name in names if name.startswith("xl/worksheets/sheet"))
        rows = [_cells(row, shared) for row in _elements(book, sheet, "row")]
    heads = rows[0] if rows else {}
    return [{heads[c]: text for c, text in row.items() if c in heads} for row in rows[1:]]


def _elements(book: zipfile.ZipFile, name: str, tag: str) -> Iterator[Any]:
    if book.getinfo(name).file_size > LARGEST:
        raise ValueError(f"{name} is larger than {LARGEST // 1_000_000} MB")
    with book.open(name) as stream:
        for _, element in iterparse(stream):
            if element.tag == SHEET + tag:
                yield element


def _texts(book: zipfile.ZipFile, name: str, tag: str) -> list[str]:
    return ["".join(t.text or "" for t in element.iter(SHEET + "t")) for element in _elements(book, name, tag)]


def _cells(row: Any, shared: list[str]) -> dict[str, str]:
    cells = {}
    for cell in row.iter(SHEET + "c"):
        value = cell.find(SHEET + "v")
        text = "".join(t.text or "" for t in cell.iter(SHEET + "t")) if value is None else value.text or ""
        cells[re.sub(r"\d", "", cell.get("r", ""))] = shared[int(text)] if cell.get("t") == "s" else text
    return cells


# ---------------------------------------------------------------- out


def take(faq: Faq, kind: str) -> str:
    """The FAQ as "csv", "jsonl", "md" or "yaml" text; pictures of it, except YAML, without what has no column."""
    writers: dict[str, Callable[[Iterable[Entry]], str]] = {
        "csv": _as_csv,
        "jsonl": _as_jsonl,
        "md": _as_markdown,
        "yaml": as_yaml,
    }
    if kind not in writers:
        raise ExchangeError(f"cannot write '{kind}', only {', '.join(writers)}")
    return writers[kind](faq.entries)


def _rows(entries: Iterable[Entry]) -> Iterator[dict[str, str]]:
    for entry in entries:
        for language, said in entry.questions.items():
            values = (entry.id, entry.topic, language, "\n".join(said), entry.answer.get(language, ""))
            yield dict(zip(COLUMNS, values, strict=True))


def _as_csv(entries: Iterable[Entry]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    # a leading apostrophe keeps a spreadsheet from running a customer's words as a formula
    writer.writerows({k: f"'{v}" if v[:1] in "=+-@" and v else v for k, v in row.items()} for row in _rows(entries))
    return out.getvalue()


def _as_jsonl(entries: Iterable[Entry]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(entries))


def _as_markdown(entries: Iterable[Entry]) -> str:
    lines, topic = [], None
    for row in sorted(_rows(entries), key=lambda row: row["topic"]):
        if row["topic"] != topic:
            topic = row["topic"]
            lines.append(f"# {topic}\n")
        lines.append(f"## {row['question'].splitlines()[0]}\n\n{row['answer'].strip()}\n")
    return "\n".join(lines)


def as_yaml(entries: Iterable[Entry]) -> str:
    """Entries as an admin would write them."""
    yaml, out = YAML(), io.StringIO()
    yaml.default_flow_style, yaml.width, yaml.allow_unicode = False, 110, True
    rows = []
    for entry in entries:
        row = entry.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"file", "line"})
        row["answer"] = {k: LiteralScalarString(v.strip() + "\n") if "\n" in v else v for k, v in row["answer"].items()}
        rows.append(row)
    yaml.dump(rows, out)
    return out.getvalue()


def schema() -> dict[str, Any]:
    """JSON Schema of a file of the FAQ, for editors."""
    one = Written.model_json_schema(by_alias=True)
    shared = one.pop("$defs", {})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array", "items": one, "$defs": shared}
