"""Read everything an admin edits, as a start would, and tell every problem with file and line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.config import Settings, load
from bot.strictyaml import Problem, YamlError, suggest
from bot.strictyaml import load as read
from bot.texts import PLACE

TEXTS: Final = Path(__file__).parent / "texts"
PHRASES: Final = Path(__file__).parent.parent / "handoff" / "console" / "canned"


def problems(config: Path) -> tuple[list[Problem], list[Problem]]:
    """What keeps the bot from starting, and what an admin should look at although it does not."""
    try:
        settings = load(config, serving=True)
    except YamlError as error:  # where the rest is, and in which languages, is not known then
        return [*error.problems], []
    wrong: list[Problem] = []
    remarks: list[Problem] = []
    for part in (_faq, _intents, _texts):
        try:
            remarks += part(settings)
        except YamlError as error:
            wrong += error.problems
    return sorted(set(wrong)), sorted(set(remarks))


def _faq(settings: Settings) -> list[Problem]:
    from knowledge import faq
    from knowledge.doubts import doubts

    known = faq.read(settings.knowledge.faq, settings.languages)
    products = set(settings.company.products)
    strange = [(e, p) for e in known.entries for p in e.products if products and p not in products]
    if strange:
        raise YamlError(
            Problem(e.file, e.line, f"{e.id}: unknown product {p!r} {suggest(p, products)}") for e, p in strange
        )
    own = settings.knowledge
    if not known.entries:
        raise YamlError([Problem(str(own.faq), 1, "holds no answers; knowledge.faq names the folder they are in")])
    remarks = list(doubts(known, settings.languages, datetime.now(UTC).date()))
    if not own.checks.is_dir():
        remarks.append(Problem(str(own.checks), 1, "no such folder; knowledge.checks names that of the test questions"))
    return remarks


def _intents(settings: Settings) -> list[Problem]:
    import intents

    intents.read(settings.knowledge.intents)
    return []


def _texts(settings: Settings) -> list[Problem]:
    """What the bot says, and what agents may put in."""
    if wrong := [problem for folder in (TEXTS, PHRASES) for problem in _different(folder, settings)]:
        raise YamlError(wrong)
    return []


def _different(folder: Path, settings: Settings) -> list[Problem]:
    """Every language is to have the same sentences with the same places for values."""
    nodes = [read(folder / f"{language}.yaml") for language in settings.languages]
    told = {key: node for node in reversed(nodes) for key in node.data}
    wrong = []
    for node in nodes:
        for key, model in told.items():
            if key not in node.data:
                wrong.append(node.problem(f"the sentence {key!r} is missing ({model.file}:{model.line(key)} has it)"))
            elif (here := _places(node.data[key])) != (there := _places(model.data[key])):
                wrong.append(node.problem(f"{key}: has {sorted(here)} where {model.file} has {sorted(there)}", key))
    return wrong


def _places(sentence: str) -> set[str]:
    return set(PLACE.findall(sentence))
