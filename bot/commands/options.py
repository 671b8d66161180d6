"""What the commands have in common: their options, and what their exit codes mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

FAILED, WRONG = 1, 2  # exit codes: what was asked for failed; the input or the configuration is wrong

CONFIG = Path("config.yaml")
Config = Annotated[Path, typer.Option(help="The configuration; paths in it are meant from its folder.")]
Lang = Annotated[str, typer.Option(help="A language: en, zh, …")]


def spoken(lang: str, languages: Sequence[str]) -> str:
    """The language that was given, "" if none was. Raises BadParameter for one that is not spoken here."""
    if lang and lang not in languages:
        known = ", ".join(languages)
        raise typer.BadParameter(f"{lang!r} is not spoken here; the languages are {known}", param_hint="'--lang'")
    return lang
