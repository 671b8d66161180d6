"""The FAQ as admins write it: one YAML list of entries per topic, read whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, model_validator

from bot.strictyaml import Problem, YamlError, check, load
from knowledge.normal import chinese

Id = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=56)
]  # Telegram's buttons hold 64 bytes
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Url = Annotated[str, StringConstraints(pattern=r"^(https?://|mailto:|tel:)\S+$")]

SYNONYMS = "synonyms.yaml"  # beside the entries: language → groups of words that mean the same
NAMES = "foreign.yaml"  # beside the entries: other makers' and services' names, and our own
ELSEWHERE = "elsewhere.yaml"  # beside the entries: language → what is asked although there is no answer to it
FAULTS = "faults"  # the one topic whose name means something: what is broken, or does not work
TO_WRITE = {"en": "Write the answer here.", "zh": "请在这里写答案。"}  # what an answer is until somebody writes it


class Link(BaseModel):
    """Where to read on; nothing is ever fetched."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    label: dict[Language, Text] = {}
    url: Url


class Validity(BaseModel):
    """First and last day on which an entry is given."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Validity:
        if self.first and self.last and self.first > self.last:
            raise ValueError(f"ends on {self.last}, before it begins on {self.first}")
        return self


class Written(BaseModel):
    """One entry as it stands in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    id: Id = Field(description="Its name: small letters, digits and hyphens; never used twice.")
    topic: Id = Field(
        description="What it is about; entries of one topic usually stand in one file. "
        "Only 'faults' has a meaning: something is broken, and a ticket after it is one about a fault."
    )
    questions: dict[Language, tuple[Text, ...]] = Field(min_length=1, description="How customers ask, by language.")
    answer: dict[Language, Text] = Field(min_length=1, description="Said exactly as it stands here, by language.")
    not_: dict[Language, tuple[Text, ...]] = Field(
        default={}, alias="not", description="Questions that look alike and must not get this answer, by language."
    )
    follow_ups: tuple[Id, ...] = Field(default=(), description="Ids of what people ask next, as buttons.")
    products: tuple[Text, ...] = Field(default=(), description="Only for these; none: for all.")
    service: Literal["installation", "commissioning", "maintenance", "emergency", "warranty", "sales", ""] = ""
    valid: Validity = Field(default=Validity(), description="Given only from and to these days.")
    links: tuple[Link, ...] = Field(default=(), description="Where to read on.")
    attachments: tuple[Text, ...] = ()
    owner: str = Field(default="", description="Who keeps it up to date.")


class Entry(Written):
    """One entry and where it was written."""

    file: str = ""
    line: int = 0

    @property
    def of_fault(self) -> bool:
        """Is it about something that is broken?"""
        return self.topic == FAULTS

    def valid_on(self, day: date) -> bool:
        """May it be given on this day?"""
        return (self.valid.first or day) <= day <= (self.valid.last or day)


class Synonyms(RootModel[dict[Language, tuple[Annotated[tuple[Text, ...], Field(min_length=2)], ...]]]):
    """Language → groups of words that mean the same; the first of a group stands for all."""


class Elsewhere(RootModel[dict[Language, tuple[Text, ...]]]):
    """Language → questions that nothing here answers."""


class Names(BaseModel):
    """Names that tell whose product a question is about."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    others: tuple[Text, ...] = ()  # makers and services we have no answers for
    things: tuple[Text, ...] = ()  # of other trades: a question about what we make may mention them
    services: tuple[Text, ...] = ()  # of others, used over our network: "my Netflix password"
    places: tuple[Text, ...] = ()  # shops and mailboxes: they may have to do with ours
    ours: tuple[Text, ...] = ()  # what we are called; model numbers need not be listed
    kinds: tuple[Text, ...] = ()  # what we make, in a word: with a place's name, it may be ours
    sends: tuple[Text, ...] = ()  # what customers get from us beside it: with a place's name, it may be ours
    used_with: tuple[Text, ...] = ()  # of others, but used with ours: "a Huawei phone"


@dataclass(frozen=True)
class Faq:
    """All entries, in the order they were read."""

    entries: tuple[Entry, ...] = ()
    synonyms: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        """Entries by their name."""
        return {e.id: e for e in self.entries}

    @cached_property
    def version(self) -> str:
        """Twelve hex digits that change when any word does."""
        content = [e.model_dump(mode="json", exclude={"file", "line"}) for e in self.entries]
        text = json.dumps(
            [content, self.synonyms, self.names.model_dump(), self.elsewhere], sort_keys=True, ensure_ascii=True
        )
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read(folder: Path, languages: Iterable[str] = ()) -> Faq:
    """All ``*.yaml`` of a folder. Every entry must have all ``languages`` (none given = whatever it has).

    Raises YamlError with every problem of every file.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    synonyms: dict[str, tuple[tuple[str, ...], ...]] = {}
    names = Names()
    elsewhere: dict[str, tuple[str, ...]] = {}
    if not folder.is_dir():
        wants = "it should hold the FAQ's *.yaml files (knowledge.faq in config.yaml)"
        raise YamlError([Problem(str(folder), 1, f"no such folder; {wants}")])
    for path in sorted(folder.rglob("*.yaml")):
        try:
            if path.name == SYNONYMS:
                synonyms = _synonyms(path)
            elif path.name == NAMES:
                names = check(Names, load(path))
            elif path.name == ELSEWHERE:
                elsewhere = check(Elsewhere, load(path)).root
            else:
                entries += _entries(path)
        except YamlError as error:
            problems += error.problems
    problems += _disagreements(entries, whole=not problems)
    problems += [*_languages(entries, tuple(languages)), *_unwritten(entries)]
    if problems:
        raise YamlError(problems)
    return Faq(tuple(entries), synonyms, names, elsewhere)


def _synonyms(path: Path) -> dict[str, tuple[tuple[str, ...], ...]]:
    return check(Synonyms, load(path)).root


def _entries(path: Path) -> list[Entry]:
    node = load(path)
    if node.data in ("", None):
        return []
    if not isinstance(node.data, list):
        raise YamlError([Problem(node.file, 1, "should be a list of entries, each beginning with '- id: …'")])
    found: list[Entry] = []
    problems: list[Problem] = []
    for place in range(len(node.data)):
        try:
            written = check(Written, node, (place,))
        except YamlError as error:
            problems += error.problems
        else:
            found.append(Entry(**dict(written), file=node.file, line=node.line(place)))
    if problems:
        raise YamlError(problems)
    return found


def _disagreements(entries: list[Entry], *, whole: bool) -> Iterator[Problem]:
    """Names that stand twice, and names that lead nowhere, if the ``whole`` FAQ could be read."""
    first: dict[str, Entry] = {}
    for entry in entries:
        other = first.setdefault(entry.id, entry)
        if other is not entry:
            what = f"id '{entry.id}' is taken by {other.file}:{other.line}; every id may stand once"
            yield Problem(entry.file, entry.line, what)
    for entry in entries:
        for target in entry.follow_ups:
            if whole and target not in first:
                yield Problem(entry.file, entry.line, f"{entry.id}: follow-up '{target}' is no entry of this FAQ")


def _languages(entries: list[Entry], languages: tuple[str, ...]) -> Iterator[Problem]:
    """Every entry in every language the company speaks, and in no other."""
    for entry in entries if languages else ():
        for key, texts in (("questions", entry.questions), ("answer", entry.answer)):
            for language in languages:
                if not texts.get(language):
                    yield Problem(entry.file, entry.line, f"{entry.id}: {key} in '{language}' missing")
            for language in texts:
                if language not in languages:
                    what = f"{entry.id}: {key} in '{language}', but the languages are {', '.join(languages)}"
                    yield Problem(entry.file, entry.line, what)


def _unwritten(entries: list[Entry]) -> Iterator[Problem]:
    """Answers that only hold their place: no customer should read that."""
    for entry in entries:
        for language, text in entry.answer.items():
            if text in TO_WRITE.values():
                yield Problem(entry.file, entry.line, f"{entry.id}: the answer in '{language}' is still to be written")


def from_examples(rows: Iterable[Mapping[str, Any]]) -> Faq:
    """An FAQ without answers from ``{"label", "text"}`` rows, as evaluation files hold them."""
    texts: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        language = "zh" if chinese(row["text"]) else "en"
        texts.setdefault(str(row["label"]), {}).setdefault(language, []).append(row["text"])
    entries = []
    for label, by_language in texts.items():
        questions = {language: tuple(said) for language, said in by_language.items()}
        entries.append(Entry.model_construct(id=label, topic="", questions=questions, answer={}))
    return Faq(tuple(entries))
