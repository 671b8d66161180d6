"""``aftercare faq audit``: a week's live answers, judged one after the other, and what that says of the promise."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.faq import Json
from bot.commands.options import CONFIG, FAILED, Config

if TYPE_CHECKING:
    from bot.config import Settings
    from knowledge.audit import Given, Promise

KEYS = "right? [r]ight, [w]rong, [s]kip, [q]uit: "


def audit(
    config: Config = CONFIG,
    week: Annotated[str, typer.Option(help="Like 2026-W47; else the last that is over.", metavar="WEEK")] = "",
    size: Annotated[int, typer.Option(min=1, help="How many answers are drawn.")] = 60,
    max_wrong: Annotated[str, typer.Option(help="What was promised; else what `calibrate` found.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write them into a CSV, to be judged there.")] = None,
    given: Annotated[Path | None, typer.Option("--in", help="Read the verdicts from that CSV.")] = None,
    json: Json = False,
) -> None:
    """Judge some of a week's live answers: does the promise of `calibrate` still hold? Exit code 1 if not shown."""
    from bot import question_log, transaction
    from bot.asking import clock
    from bot.commands import faq_sources
    from bot.config import load
    from knowledge import audit as audits

    settings = load(config)
    week, begin, end = _week(week, clock(settings))
    promised = _promised(settings, max_wrong)
    answers, questions = transaction.run(settings, lambda c: question_log.answered(c, begin, end))
    drawn = {one.id: one for one in audits.sample(answers, week, size)}
    if not drawn:
        raise faq_sources.Wrong(f"no answers in {week}; --week names another week")
    if out:
        faq_sources.write(out, audits.sheet(list(drawn.values())).encode("utf-8-sig"))
        typer.echo(
            f"{len(drawn)} answers of {week} in {out}; write right or wrong in the column verdict, then --in {out}"
        )
        return
    book = settings.data / "audit.jsonl"
    try:
        before = audits.kept(book)
        done = {one.answer for one in before}
        for name, right in audits.verdicts(given, drawn).items() if given else _asked(drawn, done):
            one = drawn[name]
            audits.keep(book, audits.Judged(name, week, one.entry, one.version, right, time.time()))
        found = audits.check(audits.kept(book), week, promised, len(answers), questions)
    except audits.NoVerdict as error:
        raise faq_sources.Wrong(str(error)) from None
    typer.echo(dumps(found.as_json(), ensure_ascii=False, indent=2) if json else found)
    raise typer.Exit(0 if found.verdict == "holds" else FAILED)


def _week(name: str, now: datetime) -> tuple[str, float, float]:
    """Its name, and when it began and ended, on the company's clock. Raises Wrong."""
    from bot.commands.faq_sources import Wrong

    year, number, _ = (now - timedelta(days=7)).isocalendar()
    name = name or f"{year}-W{number:02}"
    match = re.fullmatch(r"(\d{4})-W(\d{2})", name)
    try:
        first = datetime.fromisocalendar(int(match[1]), int(match[2]), 1) if match else None
    except ValueError:
        first = None
    if first is None:
        raise Wrong(f"a week should be written like {year}-W{number:02}, not {name!r}")
    first = first.replace(tzinfo=now.tzinfo)
    return name, first.timestamp(), (first + timedelta(days=7)).timestamp()


def _promised(settings: Settings, max_wrong: str) -> Promise:
    """What is to be checked. Raises Wrong."""
    from bot.commands import faq_sources
    from knowledge.audit import Promise, promise

    if max_wrong:
        return Promise(faq_sources.share(max_wrong), 0.0, 0.0, 0.0, 0)
    if made := promise(settings.data / "promise.json"):
        return made
    raise faq_sources.Wrong("nothing was promised: `aftercare faq calibrate` first, or name a share, --max-wrong 2%")


def _asked(drawn: Mapping[str, Given], done: set[str]) -> Iterator[tuple[str, bool]]:
    """Show those that are not judged, one after the other, until there are no more or nobody judges."""
    from knowledge.audit import VERDICTS

    left = [one for one in drawn.values() if one.id not in done]
    for number, one in enumerate(left, 1):
        typer.echo(f"\n{number} of {len(left)}\n  asked     {one.question}\n  answered  {one.reply}", err=True)
        typer.echo(f"  by        {one.entry} ({one.confidence:.0%} sure)", err=True)
        said = ""
        while said not in (*VERDICTS, "s", "skip", "q", "quit"):
            typer.echo(KEYS, nl=False, err=True)
            said = (sys.stdin.readline() or "q").strip().lower()
        if said in ("q", "quit"):
            return
        if said in VERDICTS:
            yield one.id, VERDICTS[said]
