"""What the FAQ commands work on: an index of any version of the answers, and the questions to ask it."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

import intents as wishes
from bot import check
from bot.asking import clock
from bot.config import Settings
from bot.knowledge_base import KnowledgeBase, begin_loading, load_knowledge
from bot.section import seconds
from bot.strictyaml import Problem, load, suggest
from bot.strictyaml import check as fit
from intents import Understanding
from knowledge import exchange, trials
from knowledge.ask import examples
from knowledge.faq import Entry
from knowledge.index import Knowledge, Ranking
from knowledge.revision import NoSuchVersion, folder_at

if TYPE_CHECKING:
    from knowledge.gaps import Asked

T = TypeVar("T")
LONG = 200  # questions from which on one waits


class Wrong(Exception):
    """What a command was given cannot be used; says why."""

    exit_code = 2


# ---------------------------------------------------------------- answers


def version(settings: Settings, spec: str | Path) -> KnowledgeBase:
    """The answers of a folder or a git revision, scored as they would be live. Raises Wrong and YamlError."""
    own = settings.knowledge
    try:
        with folder_at(str(spec), own.faq) as folder:
            changed = own.model_copy(update={"faq": folder.resolve()})
            keep = "index" if folder.resolve() == own.faq.resolve() else "compared"  # the server's own stays as it is
            return begin_loading(settings.model_copy(update={"knowledge": changed}), keep)()
    except NoSuchVersion as error:
        raise Wrong(" ".join(str(error).split())) from None


def mistakes(config: Path, settings: Settings) -> list[Problem]:
    """What ``aftercare check`` finds wrong in the answers."""
    return [p for p in check.problems(config)[0] if Path(p.file).is_relative_to(settings.knowledge.faq)]


def bring(file: Path) -> list[Entry]:
    """The entries of a table or a document. Raises Wrong."""
    try:
        entries = exchange.bring(file)
    except exchange.ExchangeError as error:
        raise Wrong(" ".join(str(error).split())) from None
    if not entries:
        raise Wrong(f"{file}: no questions; the first line should name the columns {', '.join(exchange.COLUMNS)}")
    return entries


def write(file: Path, content: bytes) -> None:
    """A new file; an old one is never written over. Raises Wrong."""
    try:
        with file.open("xb") as out:
            out.write(content)
    except FileExistsError:
        raise Wrong(f"{file} is there already; name another file") from None


def write_schema(file: Path, content: str) -> None:
    """Into a new file, or over an older schema. Raises Wrong."""
    if file.is_file() and not file.read_bytes()[:200].lstrip().startswith(b'{\n  "$schema"'):
        raise Wrong(f"{file} is there already and is no schema; name another file")
    file.write_text(content, encoding="utf-8")


# ---------------------------------------------------------------- questions


def tests(settings: Settings, knowledge: Knowledge) -> list[tuple[trials.Trial, str]]:
    """The test questions and where they stand. Raises Wrong and YamlError."""
    folder = settings.knowledge.checks
    if found := trials.read(folder, knowledge):
        return found
    raise Wrong(f"no test questions in {folder}; docs/faq.md tells how to write them")


def questions_of_tests(settings: Settings) -> list[tuple[str, str]]:
    """The questions of the tests, whatever answers they expect. Raises YamlError."""
    nodes = [load(path) for path in sorted(settings.knowledge.checks.rglob("*.yaml"))]
    lists = [node for node in nodes if isinstance(node.data, list)]
    rows = [fit(trials.Trial, node, (at,)) for node in lists for at in range(len(node.data))]
    return [(row.question, row.lang) for row in rows]


def logged(settings: Settings, since: str) -> list[tuple[str, str]]:
    """The customers' questions and their languages. Raises transaction.NotReady and Wrong."""
    from bot import question_log, transaction  # the others need no database

    begin = moment(since)
    return transaction.run(settings, lambda connection: question_log.questions(connection, begin))


def unanswered(settings: Settings, since: str) -> list[Asked]:
    """The customers' questions that were not answered well. Raises transaction.NotReady and Wrong."""
    from bot import question_log, transaction

    begin = moment(since)
    return transaction.run(settings, lambda connection: question_log.badly_answered(connection, begin))


def labelled(file: Path, knowledge: Knowledge) -> list[tuple[str, str, str]]:
    """(label, text, language) of a JSONL file; a label is an entry, or "" or unknown. Raises Wrong and YamlError."""
    rows = [(e.id, text, lang) for e in examples(file).entries for lang, said in e.questions.items() for text in said]
    names = {"unknown", *(name for space in knowledge.spaces.values() for name in space.labels)}
    for label, text, _ in rows:
        if label and label not in names:
            raise Wrong(f"{file}: no entry {label!r} for {text!r} {suggest(label, names)}")
    return rows


def patiently(questions: Sequence[T]) -> Iterator[T]:
    """The same items, with a progress bar on a terminal if it will take a while."""
    hidden = len(questions) < LONG or not sys.stderr.isatty()
    with typer.progressbar(questions, label="asking", file=sys.stderr, hidden=hidden) as bar:
        yield from bar


# ---------------------------------------------------------------- a decision


def why(settings: Settings, text: str, lang: str) -> tuple[Ranking, list[str]]:
    """What would come of a question live: the ranking, and what was heard before the answers were looked at."""
    known, hint = load_knowledge(settings), lang or settings.languages[0]
    now, products = clock(settings), settings.company.products
    meant = wishes.understand(text, known.knowledge, hint=hint, now=now, products=products, intents=known.intents)
    ranking = meant.ranking or known.knowledge.ask(text, hint, now=now.date())
    return ranking, list(_heard(meant))


def _heard(meant: Understanding) -> Iterable[str]:
    if meant.emergency:
        yield f"an emergency (“{meant.emergency}”): safety and a person come before any answer"
    if meant.wants_stop:
        yield "the wish not to be written to"
    if meant.ranking is None and meant.intent:
        yield f"the wish '{meant.intent}', in so many words: that is what is done, whatever follows"
    elif meant.wants_person:
        yield "the wish for a person: that goes before any answer"
    if meant.angry:
        yield "anger"


# ---------------------------------------------------------------- times and shares


def moment(since: str) -> float:
    """When a time like 30d began that ends now, in seconds since 1970. Raises Wrong."""
    try:
        return time.time() - seconds(since)
    except ValueError as error:
        raise Wrong(f"--since {error}") from None


def share(text: str) -> float:
    """2% or 0.02. Raises Wrong."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", text.strip())
    value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 < value < 1:
        raise Wrong(f"a share should be written 2% or 0.02, not {text!r}")
    return value
