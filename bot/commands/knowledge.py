"""``aftercare knowledge …``: a few lines over functions that are imported when they are called."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from bot.commands.options import CONFIG, FAILED, Config

IN_FORCE = ", from the next start or the next change of the answers on"

knowledge = typer.Typer(help="How the answers are found.", no_args_is_help=True, rich_markup_mode=None)


@knowledge.command()
def tune(
    config: Config = CONFIG,
    undo: Annotated[bool, typer.Option("--undo", help="Back to the model as it came.")] = False,
) -> None:
    """Tune the model of knowledge.model on your own answers; kept only if it answers unseen questions surely better."""
    import intents
    from bot.commands import faq_sources
    from bot.config import load
    from knowledge import faq, tuning

    settings = load(config)
    own, models = settings.knowledge, settings.data / "models"
    if not own.model:
        raise faq_sources.Wrong(f"there is no model to tune: {config} has none in knowledge.model")
    if undo:
        done = tuning.undo(own.model, models)
        typer.echo(f"{own.model} serves as it came{IN_FORCE}" if done else f"{own.model} is not tuned: nothing to undo")
        raise typer.Exit(0 if done else FAILED)
    answers, wishes = faq.read(own.faq, settings.languages), intents.read(own.intents).examples
    try:
        made = tuning.tune(
            own.model, models, answers, wishes, languages=settings.languages, mode=own.certainty, progress=_bar
        )
    except tuning.CannotTune as error:
        raise faq_sources.Wrong(str(error)) from None
    typer.echo(made)
    if not made.kept:
        typer.echo("That may be luck: nothing is changed.")
        raise typer.Exit(FAILED)
    typer.echo(f"Kept as {models / made.kept}{IN_FORCE}. `aftercare knowledge tune --undo` takes it back.")


def _bar(what: str, count: int, steps: Iterator[object]) -> None:
    """On a terminal, how far it is and how long it will take."""
    with typer.progressbar(steps, length=count, label=what, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for _ in bar:
            pass
