"""YAML as people edit it: no tags, no anchors, no duplicate keys, every scalar is text, every mistake has a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

Place: TypeAlias = tuple[str | int, ...]  # keys and indices from the top of the file to a value
Model = TypeVar("Model", bound=BaseModel)

# libyaml reads an FAQ of 130 entries in 10 ms, every parser in Python takes 250. Which YAML version it speaks does
# not matter here: the versions differ in what `no` or `12:30` mean, and to us all scalars are text.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEPTH: Final = 20
SIZE: Final = 5_000_000  # bytes
_LONGEST: Final = 600  # characters of what is told of one mistake: it may quote what somebody wrote
_COLON = re.compile(r"\s*(?:- )?([a-z_]+)(：|:[^\s/:])")  # what looks like the end of a key, and is none
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_HINTS = {
    "mapping values are not allowed": "a text that contains ': ' must stand in quotes",
    "tab": "indent with spaces, not with tabs",
    "cannot start any token": "a text that begins with this character must stand in quotes",
    "could not find expected ':'": "a key is followed by ': ' and its value",
    "expected alphabetic": "a text that begins with * or & must stand in quotes",
    "did not find expected": "the indentation is off, or a quote or a bracket above is not closed",
    "end of stream": "a quote or a bracket that is opened here is never closed",
}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake, where it is, and what would be right."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        """On one line, whatever was written in the file."""
        file, said = " ".join(self.file.splitlines()), " ".join(self.what.splitlines())
        said = said if len(said) <= _LONGEST else f"{said[: _LONGEST // 2]} … {said[-_LONGEST // 2 :]}"
        return f"{file}:{self.line}: {said}"


class YamlError(Exception):
    """A file that cannot be used, with everything that is wrong in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Node:
    """What a file holds (dicts, lists and text; an empty file is "") and on which line each value stands."""

    file: str
    data: Any
    lines: dict[Place, int] = field(default_factory=dict, repr=False)

    def line(self, *place: str | int) -> int:
        """The line of the value at ``place``, or of the nearest thing around it that exists."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, what: str, *place: str | int) -> Problem:
        """Something wrong at ``place``."""
        return Problem(self.file, self.line(*place), what)


def load(path: Path) -> Node:
    """Read one file. Raises YamlError with every mistake that can be told."""
    try:
        if path.is_fifo():
            raise OSError("it is a pipe, not a file")  # nobody may ever write into it
        with path.open("rb") as file:
            raw = file.read(SIZE + 1)
    except OSError as error:
        raise YamlError([Problem(str(path), 1, f"cannot be read: {error.strerror or error}")]) from None
    return parse(raw, str(path))


def parse(raw: bytes, file: str) -> Node:
    """Read YAML that came from ``file``. Raises YamlError."""
    if len(raw) > SIZE:
        raise YamlError([Problem(file, 1, f"is too long: at most {SIZE:,} bytes are read")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError([Problem(file, raw.count(b"\n", 0, error.start) + 1, "must be saved as UTF-8")]) from None
    if unseen := _UNSEEN.search(text):
        line = text.count("\n", 0, unseen.start()) + 1
        raise YamlError([Problem(file, line, f"an invisible character must go: U+{ord(unseen[0]):04X}")])
    reading = _Reading(file, yaml.parse(text, Loader=_LOADER))
    try:
        data = reading.document()
    except yaml.MarkedYAMLError as error:
        raise YamlError([*reading.problems, _syntax(file, error, text)]) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an escape that is no character
        raise YamlError([*reading.problems, Problem(file, 1, f"is not YAML: {error}")]) from None
    if reading.problems:
        raise YamlError(reading.problems)
    return Node(file, data, reading.lines)


def _syntax(file: str, error: yaml.MarkedYAMLError, text: str) -> Problem:
    said, around = str(error.problem or error.context), str(error.context)
    mark = error.problem_mark or error.context_mark
    if mark and ("quoted" in around or "flow" in around) and mark.index >= len(text.rstrip()):
        said, mark = "found unexpected end of stream", error.context_mark  # told where it begins, not where it ends
    if mark and text[mark.index : mark.index + 1] == "\t" and "tab" not in said:
        said = "found a tab at the beginning of a line"
    for line in (mark.line, mark.line - 1) if mark else ():  # the mistake may only be noticed on the next line
        if colon := _COLON.match("".join(text.splitlines()[line : line + 1])):
            return Problem(file, line + 1, f"is not YAML: after {colon[1]!r} must stand ': ', not {colon[2]!r}")
    hint = next((f" ({right})" for words, right in _HINTS.items() if words in said), "")
    return Problem(file, mark.line + 1 if mark else 1, f"is not YAML: {said}{hint}")


class _Reading:
    """The values of one stream of YAML events, with their lines and the mistakes met on the way."""

    def __init__(self, file: str, events: Iterator[Any]) -> None:
        self.file, self.events = file, events
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []

    def document(self) -> Any:
        """The only document of the stream."""
        data: Any = ""
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if self.lines:
                    self._wrong(event, "a second document ('---') is not allowed")
                    break
                data = self._value(next(self.events), ())
        return data

    def _value(self, event: Any, place: Place) -> Any:
        self.lines.setdefault(place, event.start_mark.line + 1)
        self._refuse(event)
        if isinstance(event, yaml.ScalarEvent):
            return event.value
        if isinstance(event, yaml.AliasEvent):
            return ""
        if len(place) == DEPTH:
            raise YamlError([*self.problems, self._wrong(event, f"is nested more than {DEPTH} deep")])
        return self._list(place) if isinstance(event, yaml.SequenceStartEvent) else self._dict(place)

    def _list(self, place: Place) -> list[Any]:
        items: list[Any] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, (*place, len(items))))
        return items

    def _dict(self, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, place, found)
            self.lines.setdefault((*place, key), event.start_mark.line + 1)  # a value is found where its key stands
            found[key] = self._value(next(self.events), (*place, key))
        return found

    def _key(self, event: Any, place: Place, found: dict[str, Any]) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._wrong(event, "a key must be a single text")
            self._value(event, (*place, "?"))  # read past it
            return "?"
        self._refuse(event)
        key: str = event.value
        if key in found:
            self._wrong(event, f"duplicate key {key!r} (first on line {self.lines[(*place, key)]})")
        return key

    def _refuse(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._wrong(event, f"an alias (*{event.anchor}) is not allowed: write the value out, or in quotes")
        elif event.anchor is not None:
            self._wrong(event, f"an anchor (&{event.anchor}) is not allowed: write the value out, or in quotes")
        if (tag := getattr(event, "tag", None)) is not None:
            self._wrong(event, f"a tag ({tag}) is not allowed: every value is text, write it in quotes")
        if unseen := _UNSEEN.search(getattr(event, "value", None) or ""):
            self._wrong(event, f"an invisible character must go: U+{ord(unseen[0]):04X}")

    def _wrong(self, event: Any, what: str) -> Problem:
        self.problems.append(Problem(self.file, event.start_mark.line + 1, what))
        return self.problems[-1]


# ---------------------------------------------------------------- the shape of what was read


def check(model: type[Model], node: Node, at: Place = ()) -> Model:
    """The value at ``at`` as a ``model``; raises YamlError with one problem per thing that does not fit."""
    value = node.data
    for step in at:
        value = value[step]
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = {e["loc"]: _say(model, e) for e in error.errors(include_url=False)}
        around = {place[:end] for place in wrong for end in range(len(place))}  # what is wrong inside is told, once
        raise YamlError(
            sorted(node.problem(what, *at, *place) for place, what in wrong.items() if place not in around)
        ) from None


def suggest(word: str, known: Iterable[str]) -> str:
    """How an unknown word is told: the likely one, or all that are allowed."""
    from rapidfuzz.distance import OSA  # only the mistaken pay for it
    from rapidfuzz.process import extractOne

    known = sorted(known)
    if near := extractOne(word, known, scorer=OSA.normalized_similarity, score_cutoff=0.6):
        return f"(did you mean {near[0]!r}?)"
    return f"(allowed: {', '.join(known)})" if known else "(nothing is allowed here)"


_WORDS = {  # pydantic's error type -> what is wanted
    "missing": "is missing",
    "string_type": "must be a text",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    **dict.fromkeys(("tuple_type", "list_type", "set_type"), "must be a list"),
    "dict_type": "must be a block of 'key: value' lines",
    "model_type": "must be a block of 'key: value' lines",
    "model_attributes_type": "must be a block of 'key: value' lines",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "needs at least {min_length}, has {actual_length}",
    "too_long": "may have at most {max_length}, has {actual_length}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must {shape}",
    "date_from_datetime_parsing": "must be a date like 2026-01-31",
    "date_parsing": "must be a date like 2026-01-31",
    "date_type": "must be a date like 2026-01-31",
    "value_error": "{error}",
}


_SHAPES = {
    "^[a-z0-9]+(-[a-z0-9]+)*$": "be small letters and digits, with hyphens between",
    r"^(https?://|mailto:|tel:)\S+$": "begin with https://, http://, mailto: or tel:",
}


def _say(model: type[BaseModel], error: Any) -> str:
    """One pydantic error in words."""
    kind, place = error["type"], error["loc"]
    name = ".".join(str(step) for step in place)
    if kind == "extra_forbidden":
        return f"unknown key {place[-1]!r} {suggest(str(place[-1]), _keys(model, place[:-1]))}"
    if kind in ("literal_error", "enum"):
        allowed = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        return f"{name}: {str(error['input'])[:60]!r} is not allowed {suggest(str(error['input'])[:60], allowed)}"
    values = error.get("ctx", {})
    shape = _SHAPES.get(values.get("pattern", ""), f"match {values.get('pattern')}")
    said = _WORDS[kind].format(**values, shape=shape) if kind in _WORDS else error["msg"]
    if kind == "string_type" and isinstance(error["input"], dict):
        said += """; one that holds ': ' stands in "double quotes\""""
    got = error["input"]
    wrote = f", not {got[:60]!r}" if kind.endswith(("_parsing", "_mismatch")) and isinstance(got, str) else ""
    return f"{name}: {said}{wrote}" if name else f"{said}{wrote}"


def _keys(model: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    """The keys allowed at a place: follow the fields down, through lists, options and unions."""
    models = [model]
    for step in place:
        types = [f.annotation for m in models for key, f in m.model_fields.items() if step in (key, f.alias)]
        models = [m for t in types for m in _models(t)] or models  # an index stays with the models of its list
    return [f.alias or key for m in models for key, f in m.model_fields.items()]


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in get_args(annotation) for m in _models(inner)]
