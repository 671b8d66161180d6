"""Cues: the words that show what a customer does in a dialogue, one YAML file for each module of ``bot/flows``.

What he wants is learnt from examples (``intents/``); a cue is for what the form of his words tells: that he asks,
corrects himself, gives up. Under the name of each cue stand

    within, begins or whole   regular expressions of which one is found anywhere in the words, at their beginning, or is
                              all of them. Case does not matter; the lines of a long one are joined
    examples                  words that it must be heard in
    counter                   words that are near, and that it must not be heard in
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from bot.strictyaml import Node, YamlError, check, load


class CueForm(BaseModel):
    """One cue as it is written; it has ``within``, ``begins`` or ``whole``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    within: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    examples: tuple[str, ...] = Field(min_length=2)
    counter: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that show one thing, in all languages."""

    form: CueForm
    pattern: re.Pattern[str]
    _found: Callable[[str], re.Match[str] | None]

    def heard(self, text: str) -> str:
        """The words of a text that show it, "" if none do."""
        found = self._found(text)
        return found[0] if found else ""

    def fills(self, text: str) -> bool:
        """Whether a text is nothing else."""
        return self.pattern.fullmatch(text) is not None

    def without(self, text: str, instead: str = "") -> str:
        """A text without such words, wherever they stand."""
        return self.pattern.sub(instead, text)


def read(directory: Path) -> dict[str, Cue]:
    """``<file>.<name>`` -> the cue. Raises YamlError."""
    nodes = {file.stem: load(file) for file in sorted(directory.glob("*.yaml"))}
    return {f"{stem}.{name}": _cue(node, name) for stem, node in nodes.items() for name in node.data}


def _cue(node: Node, name: str) -> Cue:
    form = check(CueForm, node, (name,))
    written = [lines for lines in (form.within, form.begins, form.whole) if lines]
    if len(written) != 1:
        raise YamlError([node.problem("must have one of within, begins and whole", name)])
    try:
        pattern = re.compile("|".join("".join(line.splitlines()) for line in written[0]), re.IGNORECASE)
    except re.error as error:
        raise YamlError([node.problem(f"is no regular expression: {error}", name)]) from None
    return Cue(form, pattern, pattern.search if form.within else pattern.match if form.begins else pattern.fullmatch)


CUES: Final = read(Path(__file__).parent)


def cue(name: str) -> Cue:
    """The cue of that name, e.g. ``fields.corrects``."""
    return CUES[name]
