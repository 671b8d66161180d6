"""``aftercare faq …`` and ``aftercare replay``: each a few lines over a function that is imported when it is called."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.options import CONFIG, FAILED, Config, Lang

if TYPE_CHECKING:
    from knowledge.trials import Change

faq = typer.Typer(
    help="The answers: look them over, test, explain, improve, exchange.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Since = Annotated[str, typer.Option(help="How far to look back: 12h, 30d.", metavar="TIME")]


@faq.command()
def check(
    config: Config = CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="Every pair that collides, not only the worst.")] = False,
    json: Json = False,
) -> None:
    """Look the answers over: mistakes, and what collides, has expired or cannot be reached."""
    from bot.asking import clock
    from bot.commands import faq_sources
    from bot.config import load
    from bot.knowledge_base import load_knowledge
    from bot.strictyaml import YamlError
    from knowledge.review import review

    settings = load(config)
    knowledge = load_knowledge(settings).knowledge
    if wrong := faq_sources.mistakes(config, settings):
        raise YamlError(wrong)
    found = review(knowledge, settings.languages, clock(settings).date())
    remarks = [*found.problems, *found.pairs]
    if json:
        _print({"problems": [asdict(p) for p in remarks], "expected": found.rate})
        return
    typer.echo(found if everything else found.brief())
    typer.echo(f"{len(knowledge.faq.entries)} answers can be used; {len(remarks)} remarks.")


@faq.command("test")
def run_tests(
    config: Config = CONFIG,
    at_least: Annotated[str, typer.Option(help="Fail if fewer of the tests pass.", metavar="SHARE")] = "85%",
    json: Json = False,
) -> None:
    """Ask the test questions and compare; exit code 1 if too few are answered rightly."""
    from bot.asking import asker
    from bot.commands import faq_sources
    from bot.config import load
    from bot.knowledge_base import load_knowledge
    from knowledge.trials import run

    settings, least = load(config), faq_sources.share(at_least)
    known = load_knowledge(settings)
    trials = faq_sources.tests(settings, known.knowledge)
    report = run(asker(settings, known), faq_sources.patiently(trials), known.version)
    if json:
        _print(report.as_json())
    else:
        typer.echo(report)
    if report.share < least:
        typer.echo(f"{report.share:.1%} is less than the {least:.0%} that are wanted", err=True)
        raise typer.Exit(FAILED)


@faq.command()
def diff(
    before: Annotated[str, typer.Argument(help="A folder of answers, or a git revision.", metavar="A")],
    after: Annotated[str, typer.Argument(help="Another one.", metavar="B")],
    config: Config = CONFIG,
    since: Since = "30d",
    json: Json = False,
) -> None:
    """Tell which test questions and customers' questions two versions decide differently."""
    from bot import transaction
    from bot.asking import asker
    from bot.commands import faq_sources
    from bot.config import load
    from knowledge.trials import compare

    settings = load(config)
    questions = faq_sources.questions_of_tests(settings)
    try:
        questions += faq_sources.logged(settings, since)
    except transaction.NotReady as error:
        typer.echo(f"only the test questions are compared: {error}", err=True)
    questions = list(dict.fromkeys(questions))
    old, new = (asker(settings, faq_sources.version(settings, spec)) for spec in (before, after))
    _changes(compare(old, new, faq_sources.patiently(questions)), questions, json)


def replay(
    knowledge: Annotated[Path, typer.Option(help="A folder of answers that are not in force yet.", metavar="DIR")],
    config: Config = CONFIG,
    since: Since = "30d",
    json: Json = False,
) -> None:
    """Ask the customers' questions again: which would other answers decide differently?"""
    from bot.asking import asker
    from bot.commands import faq_sources
    from bot.config import load
    from bot.knowledge_base import load_knowledge
    from knowledge.trials import compare

    settings = load(config)
    if not knowledge.is_dir():
        raise faq_sources.Wrong(f"there is no folder {knowledge}")
    questions = faq_sources.logged(settings, since)
    new, old = (
        asker(settings, known) for known in (faq_sources.version(settings, knowledge), load_knowledge(settings))
    )
    _changes(compare(old, new, faq_sources.patiently(questions)), questions, json)


@faq.command()
def why(
    text: Annotated[list[str], typer.Argument(help="A question, as a customer would write it.")],
    config: Config = CONFIG,
    lang: Lang = "",
    json: Json = False,
) -> None:
    """Explain what the bot would make of a question, and how it comes to that."""
    from bot.commands import faq_sources
    from bot.config import load
    from knowledge.ask import as_json
    from knowledge.why import explain

    said = " ".join(text)
    ranking, heard = faq_sources.why(load(config), said, lang)
    if json:
        _print(as_json(ranking, said, lang) | {"why": ranking.why, "heard": heard})
        return
    for one in heard:
        typer.echo(f"Heard      {one}")
    typer.echo(("Else it would be:\n" if heard else "") + explain(ranking))


@faq.command()
def gaps(
    config: Config = CONFIG,
    since: Since = "30d",
    most: Annotated[int, typer.Option(min=1, help="So many at most.")] = 10,
    patch: Annotated[int, typer.Option(min=0, help="Print this one's YAML only, to be pasted.", metavar="N")] = 0,
    json: Json = False,
) -> None:
    """Tell what customers asked and did not get, gathered by topic, the largest first."""
    from bot.asking import asker
    from bot.commands import faq_sources
    from bot.config import load
    from bot.knowledge_base import load_knowledge
    from knowledge.gaps import gaps as find

    settings = load(config)
    asked = faq_sources.unanswered(settings, since)
    known = load_knowledge(settings)
    ask = asker(settings, known)
    found = find(known.knowledge, asked, known.intents.examples, ask=ask, most=max(most, patch))
    if patch > len(found):
        raise faq_sources.Wrong(f"there are {len(found)} gaps, no number {patch}")
    if patch:
        typer.echo(found[patch - 1].patch, nl=False)
    elif json:
        _print([gap.as_json() for gap in found])
    else:
        for number, gap in enumerate(found, 1):
            typer.echo(f"{number:>2}. {gap}")
        typer.echo(f"{len(found)} gaps in {len(asked)} questions that were not answered well, of the last {since}")


@faq.command()
def calibrate(
    labelled: Annotated[Path, typer.Option(help='JSON lines {"label": ID or unknown, "text": QUESTION}.')],
    max_wrong: Annotated[str, typer.Option(help="How many of the answers may be wrong.", metavar="SHARE")],
    config: Config = CONFIG,
    json: Json = False,
) -> None:
    """Find how sure the bot must be for a promise to hold; exit code 1 if the questions cannot prove it."""
    from bot.asking import asker
    from bot.commands import faq_sources
    from bot.config import load
    from bot.knowledge_base import load_knowledge
    from knowledge.audit import Promise, promise
    from knowledge.claim import claim

    settings, most = load(config), faq_sources.share(max_wrong)
    known = load_knowledge(settings)
    rows = faq_sources.labelled(labelled, known.knowledge)
    found = claim(asker(settings, known), faq_sources.patiently(rows), most)
    if json:
        _print(found.as_json())
    else:
        typer.echo(found)
        if found.holds:
            from_ = math.floor(found.threshold * 1e4) / 1e4
            typer.echo(f"To have it so, set knowledge.answer_at to {from_} and choose_at below it, in {config}.")
    if found.holds:  # `faq audit` asks whether it still does
        promise(
            settings.data / "promise.json",
            Promise(found.max_wrong, found.threshold, found.coverage, found.bound, found.answered),
        )
    raise typer.Exit(0 if found.holds else FAILED)


@faq.command("import")
def bring(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, Markdown (Q: and A:, or headings) or JSON lines.")],
    to: Annotated[Path | None, typer.Option(help="A new file of answers; else they are printed.")] = None,
) -> None:
    """Turn a table or a document into answers in YAML."""
    from bot.commands import faq_sources
    from knowledge.exchange import as_yaml

    entries = faq_sources.bring(file)
    if to is None:
        typer.echo(as_yaml(entries), nl=False)
        return
    faq_sources.write(to, as_yaml(entries).encode())
    typer.echo(f"{len(entries)} answers in {to}; `aftercare faq check` tells what they still need")


@faq.command()
def export(
    file: Annotated[Path, typer.Argument(help="A new file; its ending says how: .csv .xlsx .jsonl .md .yaml")],
    config: Config = CONFIG,
) -> None:
    """Write all answers into one file, for a spreadsheet or to be read."""
    from bot.commands import faq_sources
    from bot.config import load
    from knowledge.exchange import ExchangeError, take
    from knowledge.faq import read

    answers = read(load(config).knowledge.faq)
    try:
        content = take(answers, file.suffix.lower().lstrip("."))
    except ExchangeError as error:
        raise faq_sources.Wrong(f"{file}: {error}") from None
    faq_sources.write(file, content)
    typer.echo(f"{len(answers.entries)} answers in {file}")


@faq.command()
def schema(
    file: Annotated[
        Path | None, typer.Argument(help="Where to; - prints it. Usually beside the answers' folder.")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Write the JSON Schema of a file of answers, by which editors help."""
    from bot.commands import faq_sources
    from bot.config import load
    from knowledge.exchange import FIRST, SCHEMA
    from knowledge.exchange import schema as form

    content = dumps(form(), ensure_ascii=False, indent=2) + "\n"
    if file == Path("-"):
        typer.echo(content, nl=False)
        return
    file = file or load(config).knowledge.faq.parent / SCHEMA
    faq_sources.write_schema(file, content)
    typer.echo(f"{file}; editors read it in files that begin with\n{FIRST.strip()}")


def _changes(changes: Sequence[Change], questions: Sequence[Any], json: bool) -> None:
    """What two versions decide differently."""
    if json:
        _print({"asked": len(questions), "changes": [asdict(change) for change in changes]})
        return
    for change in changes:
        typer.echo(change)
    typer.echo(f"{len(changes)} of {len(questions)} questions would be decided differently")


def _print(value: Any) -> None:
    typer.echo(dumps(value, ensure_ascii=False, indent=2, default=str))
