"""Brings an FAQ in from tables and documents, and takes it out again."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from knowledge import sheet
from knowledge.faq import TO_WRITE, Entry, Faq, Written
from knowledge.normal import chinese, normal

MOST = 20_000  # answers of one file
SCHEMA = "faq.schema.json"  # beside the folder of the answers
FIRST = f"# yaml-language-server: $schema=../{SCHEMA}\n"  # of a file of answers: editors then know what may stand in it
COLUMNS = ("id", "topic", "language", "question", "answer")
_ALSO = {"questions": "question", "q": "question", "问题": "question", "问": "question", "a": "answer"}
_ALSO |= {"答案": "answer", "回答": "answer", "答": "answer", "lang": "language", "语言": "language"}
_SPOKEN = {"english": "en", "英文": "en", "英语": "en", "chinese": "zh", "中文": "zh", "汉语": "zh", "cn": "zh"}
_ALSO |= {"category": "topic", "分类": "topic", "主题": "topic", "label": "id", "text": "question"}


class ExchangeError(Exception):
    """The file cannot be taken in; says why and what would be right."""


_UNREADABLE = (
    *(ValueError, LookupError, RuntimeError, csv.Error),  # RuntimeError: a workbook with a password
    *(zipfile.BadZipFile, zlib.error, ParseError),
)


def bring(file: Path) -> list[Entry]:
    """The entries of a CSV, XLSX, Markdown or JSONL file. Raises ExchangeError."""
    readers: dict[str, Callable[[Path], Iterable[Mapping[str, str]]]] = {
        ".csv": _csv,
        ".xlsx": sheet.read,
        ".md": _markdown,
        ".jsonl": _jsonl,
    }
    reader = readers.get(file.suffix.lower())
    if not reader:
        raise ExchangeError(f"{file}: cannot read '{file.suffix}', only {', '.join(readers)}")
    try:
        return gather(reader(file))
    except UnicodeDecodeError as error:
        line = bytes(error.object).count(b"\n", 0, error.start) + 1
        way_out = "save it as UTF-8 (spreadsheets call that “CSV UTF-8”)"
        raise ExchangeError(f"{file}: line {line} is not UTF-8: {way_out}") from None
    except DefusedXmlException:
        raise ExchangeError(f"{file}: defines entities, as no spreadsheet does") from None
    except OSError as error:
        raise ExchangeError(f"{file}: {error.strerror or error}") from None
    except _UNREADABLE as error:
        raise ExchangeError(f"{file}: {error}") from None


def gather(rows: Iterable[Mapping[str, str]]) -> list[Entry]:
    """Rows of the same id, or else of the same answer, become one entry; several questions stand on lines of a cell."""
    found: dict[str, dict[str, Any]] = {}
    taken: dict[str, int] = {}
    for row in rows:
        cell = {_ALSO.get(k.strip().lower(), k.strip().lower()): (v or "").strip() for k, v in row.items() if k}
        questions = [q for q in cell.get("question", "").splitlines() if q.strip()]
        if not questions:
            continue
        language = _language(cell.get("language", "")) or ("zh" if chinese(normal(questions[0])) >= 0.5 else "en")
        key = cell.get("id") or cell.get("answer") or questions[0]
        name = slug(cell.get("id", "")) or slug(questions[0]) or f"entry-{len(found) + 1}"
        if key not in found:
            if len(found) == MOST:
                raise ValueError(f"holds more than {MOST:,} answers: bring it in in parts")
            found[key] = {"id": _free(name, taken), "topic": "", "questions": {}, "answer": {}}
        made = found[key]
        made["topic"] = made["topic"] or slug(cell.get("topic", "")) or "imported"
        made["questions"].setdefault(language, []).extend(questions)
        if cell.get("answer"):
            made["answer"].setdefault(language, cell["answer"])
    for made in found.values():
        for language in made["questions"]:
            made["answer"].setdefault(language, TO_WRITE.get(language, TO_WRITE["en"]))
        made["questions"] = {language: tuple(dict.fromkeys(said)) for language, said in made["questions"].items()}
    return [_entry(made) for made in found.values()]


def _language(said: str) -> str:
    """ "zh-CN", "English" and 中文 by their short names."""
    return _SPOKEN.get(said.lower(), re.split(r"[-_]", said.lower())[0])


def _entry(made: Mapping[str, Any]) -> Entry:
    try:
        return Entry(**made)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        place = ".".join(map(str, wrong["loc"]))
        raise ValueError(f"{made['id']}: {place}: {str(wrong['input'])[:40]!r} {wrong['msg']}") from None


def slug(text: str) -> str:
    """A name in kebab case from the Latin words of a text."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:50].strip("-")


def _free(name: str, taken: dict[str, int]) -> str:
    """The name, or with the next number if it is ``taken``: name -> the last number."""
    free = name
    while free in taken:
        taken[name] += 1
        free = f"{name}-{taken[name]}"
    taken[free] = 1
    return free


def _csv(file: Path) -> Iterable[Mapping[str, str]]:
    text = file.read_text(encoding="utf-8-sig")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)  # quoting is everywhere the same: no guessing
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def _jsonl(file: Path) -> Iterable[Mapping[str, str]]:
    rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise ValueError(f'line {number} should be an object like {{"question": "…", "answer": "…"}}')
            rows.append({k: "\n".join(map(_said, v)) if isinstance(v, list) else _said(v) for k, v in row.items()})
    return rows


def _said(value: Any) -> str:
    return "" if value is None else str(value)


def _markdown(file: Path) -> Iterator[Mapping[str, str]]:
    """Headings, or lines that begin with Q: and A:, are questions; what follows answers them."""
    topic, question, answer = "", "", list[str]()
    for line in [*file.read_text(encoding="utf-8-sig").splitlines(), "# "]:
        asked = re.match(r"(#{2,6}\s+|\**(?:Q|问)\d*\s*[.:：]\**\s*)(.*)", line)
        if asked or line.startswith("# "):
            if question and (said := "\n".join(answer).strip()):
                yield {"topic": topic, "question": question, "answer": said}
            question, answer = (asked[2].strip(" *"), []) if asked else ("", [])
            topic = topic if asked else line[2:].strip()
        elif question:
            answer.append(re.sub(r"^\**(?:A|答)\s*[.:：]\**\s*", "", line))


# ---------------------------------------------------------------- out


def take(faq: Faq, kind: str) -> bytes:
    """The FAQ as a "csv", "xlsx", "jsonl", "md" or "yaml" file; but for YAML, without what has no column.

    Raises ExchangeError.
    """
    writers: dict[str, Callable[[Iterable[Entry]], bytes | str]] = {
        "csv": _as_csv,
        "xlsx": lambda entries: sheet.write(COLUMNS, _rows(entries)),
        "jsonl": _as_jsonl,
        "md": _as_markdown,
        "yaml": as_yaml,
    }
    if kind not in writers:
        raise ExchangeError(f"cannot write '{kind}', only {', '.join(writers)}")
    try:
        content = writers[kind](faq.entries)
    except ValueError as error:
        raise ExchangeError(str(error)) from None
    if isinstance(content, bytes):
        return content
    return content.encode("utf-8-sig" if kind == "csv" else "utf-8")  # spreadsheets then know that it is UTF-8


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
    """A file of entries as an admin would write them."""
    return FIRST + as_block(entries)


def as_block(entries: Iterable[Entry]) -> str:
    """Entries to be pasted into a file."""
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
