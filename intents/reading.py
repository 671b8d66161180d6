"""Read what an admin wrote about intents: examples for the index, patterns, and the forms of numbers and ratings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from bot.strictyaml import Node, Problem, YamlError, check, load, suggest
from intents.mixed import Mixed, mixed
from intents.normal import clean, fold
from intents.patterns import GAP, Meanings, Pattern, PatternError, Phrase, Tone, group, meanings, phrase

FLAGS: Final[tuple[str, ...]] = ("human", "stop", "emergency", "anger", "urgency")  # may be heard anywhere in a message
CLOSED: Final[tuple[str, ...]] = (  # fill a whole message; the first of several is the intent
    *("human", "cancel", "back", "language", "not_helpful", "solved"),
    *("goodbye", "no", "thanks", "help", "yes", "greeting"),
)
FILLER: Final = "filler"  # polite words beside the others
POLITE: Final = (FILLER, "greeting", "thanks")  # what may stand beside a rating
WISHES: Final = (
    *("ticket", "ticket_status", "human", "complaint", "rating", "warranty", "repair", "exchange", "return"),
    *("install", "parts", "documents", "lead", "cancel", "back", "language", "greeting", "thanks", "goodbye"),
    *("yes", "no", "not_helpful", "solved", "help", "smalltalk", "praise"),
)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Tone(_Form):
    exclamations: int = Field(0, ge=0)
    capitals: int = Field(0, ge=0)


class PatternFile(_Form):
    """patterns/<name>.yaml."""

    whole: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    but: tuple[str, ...] = Field((), alias="except")
    tone: _Tone | None = None
    examples: tuple[str, ...] = Field(min_length=3)
    counter: tuple[str, ...] = ()


class ValueFile(_Form):
    """values.yaml, one kind of number."""

    shapes: tuple[str, ...] = Field(min_length=1)
    after: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    counter: tuple[str, ...] = ()


class _Values(_Form):
    serial: ValueFile
    order: ValueFile
    rating: dict[str, tuple[str, ...]]
    mixed: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Intents:
    """All that ``understand`` knows beside the FAQ."""

    examples: Mapping[str, Mapping[str, tuple[str, ...]]]  # wish -> language -> sentences, for the index
    heard: Mapping[str, Pattern]  # what may be heard anywhere
    closed: Meanings = field(repr=False)  # phrases that fill a message
    rating: Meanings = field(repr=False)  # the same for scores "1" to "5", beside polite words
    numbers: Mapping[str, re.Pattern[str]]  # kind of number -> its form
    mixed: Mixed = field(repr=False)  # English words in Chinese sentences


def read(folder: Path) -> Intents:
    """Read ``examples/``, ``patterns/`` and ``values.yaml``. Raises YamlError with every problem there is."""
    if not folder.is_dir():
        raise YamlError([Problem(str(folder), 1, "no such folder; it should hold examples/ and patterns/")])
    problems: list[Problem] = []
    examples = _examples(folder / "examples", problems)
    files = _patterns(folder / "patterns", problems)
    heard = {name: _pattern(*files[name], problems) for name in FLAGS if name in files}
    closed = _closed(files, problems)
    rating: dict[str, list[Phrase]] = {}
    numbers: dict[str, re.Pattern[str]] = {}
    words: dict[str, str] = {}
    with _collected(problems):
        node = load(folder / "values.yaml")
        values = check(_Values, node)
        rating = _ratings(node, values.rating, problems)
        numbers = {"serial": number(values.serial), "order": number(values.order)}
        words = values.mixed
    if problems:
        raise YamlError(sorted(set(problems)))
    rating |= {name: closed[name] for name in POLITE}
    return Intents(examples, heard, meanings(closed), meanings(rating), numbers, mixed(words))


@cache
def shipped() -> Intents:
    """The files that come with the product."""
    return read(Path(__file__).parent)


@contextmanager
def _collected(problems: list[Problem]) -> Iterator[None]:
    try:
        yield
    except YamlError as error:
        problems += error.problems


# ---------------------------------------------------------------- examples


def _examples(folder: Path, problems: list[Problem]) -> dict[str, dict[str, tuple[str, ...]]]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for path in sorted(folder.glob("*.yaml")):
        with _collected(problems):
            node = load(path)
            for wish in node.data if isinstance(node.data, dict) else ():
                if wish not in WISHES:
                    problems.append(node.problem(f"unknown wish {wish!r} {suggest(wish, WISHES)}", wish))
                elif wish in found:
                    problems.append(node.problem(f"the wish {wish!r} has its examples in another file", wish))
                else:
                    found[wish] = _sentences(node, wish, problems)
    return found


def _sentences(node: Node, wish: str, problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    """The examples of one wish by language."""
    by_language = node.data[wish]
    found: dict[str, tuple[str, ...]] = {}
    for language, lines in by_language.items() if isinstance(by_language, dict) else ():
        if isinstance(lines, list) and all(isinstance(line, str) and line.strip() for line in lines):
            found[language] = tuple(lines)
        else:
            problems.append(node.problem("must be a list of sentences", wish, language))
    if not found:
        problems.append(node.problem("must be lists of sentences by language: {en: [...], zh: [...]}", wish))
    return found


# ---------------------------------------------------------------- patterns


def _patterns(folder: Path, problems: list[Problem]) -> dict[str, tuple[Node, PatternFile]]:
    known = {*FLAGS, *CLOSED, FILLER}
    found: dict[str, tuple[Node, PatternFile]] = {}
    for path in sorted(folder.glob("*.yaml")):
        with _collected(problems):
            node = load(path)
            if path.stem not in known:
                problems.append(node.problem(f"no such file of patterns is known {suggest(path.stem, known)}"))
                continue
            found[path.stem] = (node, check(PatternFile, node))
    there = {path.stem for path in folder.glob("*.yaml")}
    problems += [Problem(str(folder), 1, f"the file {name}.yaml is missing") for name in sorted(known - there)]
    return found


def _pattern(node: Node, file: PatternFile, problems: list[Problem]) -> Pattern:
    within, but = (
        group(_phrases(node, (key,), lines, problems)) for key, lines in (("within", file.within), ("except", file.but))
    )
    return Pattern(within, but, Tone(**dict(file.tone)) if file.tone else Tone())


def _closed(files: Mapping[str, tuple[Node, PatternFile]], problems: list[Problem]) -> dict[str, list[Phrase]]:
    for name, (node, file) in files.items():
        if name not in FLAGS and (file.within or file.but or file.tone):
            what = f"only whole messages are listened to here; within, except and tone are for {', '.join(FLAGS)}"
            problems.append(node.problem(what))
    whole = ((name, node, file.whole) for name, (node, file) in files.items())
    return {name: list(_phrases(node, ("whole",), lines, problems, gaps=False)) for name, node, lines in whole}


def _phrases(
    node: Node, place: tuple[str, ...], lines: tuple[str, ...], problems: list[Problem], *, gaps: bool = True
) -> Iterator[Phrase]:
    """Lines as they are followed; one that cannot be read becomes a problem."""
    for number, line in enumerate(lines):
        try:
            found = phrase(fold(clean(line)))
            if not gaps and GAP in found:
                raise PatternError("no gap (...) where the whole message is meant")
        except PatternError as error:
            problems.append(node.problem(f"{line!r}: {error}", *place, number))
        else:
            yield found


# ---------------------------------------------------------------- numbers and ratings


def _ratings(node: Node, rating: Mapping[str, tuple[str, ...]], problems: list[Problem]) -> dict[str, list[Phrase]]:
    wrong = rating.keys() - set("12345")
    problems += [node.problem(f"{score!r} is no rating: 1, 2, 3, 4 or 5", "rating", score) for score in wrong]
    return {
        score: list(_phrases(node, ("rating", score), lines, problems, gaps=False)) for score, lines in rating.items()
    }


_PLACES: Final[Mapping[str, str]] = {"#": "[0-9]", "@": "[a-z]", "*": "[a-z0-9]"}


def number(values: ValueFile) -> re.Pattern[str]:
    """A form of number: the shapes anywhere, and any number right after one of the words in ``after``."""
    shapes = ("[ -]?".join(map(_place, re.sub("[ -]", "", shape.casefold()))) for shape in values.shapes)
    words = "|".join(" ?".join(map(re.escape, word.casefold().split())) for word in values.after) or "(?!)"
    named = r"(?!20[0-9]{2}-[0-9]{1,2}-)(?P<named>[a-z0-9](?:-?[a-z0-9]){5,23})"  # but not a date
    after = rf"(?:{words}) ?(?:是|为|is|:|#)? ?{named}"
    return re.compile(rf"(?<![a-z0-9])(?:(?P<shape>{'|'.join(shapes)})|{after})(?![a-z0-9])", re.IGNORECASE)


def _place(sign: str) -> str:
    return _PLACES.get(sign) or re.escape(sign)
