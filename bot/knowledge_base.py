"""The knowledge base: the answers and the wishes in force, read from the files an admin edits, and solved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import intents as wishes
from bot.cache import BUILT, HOME, begin_making
from bot.config import Settings
from bot.config import load as configuration
from bot.strictyaml import Problem, YamlError
from knowledge import faq
from knowledge.encoder import load
from knowledge.examples import written
from knowledge.index import Knowledge, build, version
from knowledge.live import State, state
from knowledge.space import Space


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """The answers and the wishes in force: read together, swapped together."""

    knowledge: Knowledge
    intents: wishes.Intents
    files: State | None = None  # as they were before they were read
    degraded: bool = False  # the encoder that is configured cannot be had

    @property
    def version(self) -> str:
        """Changes whenever any example or answer does."""
        return self.knowledge.version


def load_knowledge(settings: Settings) -> KnowledgeBase:
    """Read the FAQ and the intents, and solve them. Raises YamlError."""
    return begin_loading(settings)()


def begin_loading(settings: Settings, keep: str = "index") -> Callable[[], KnowledgeBase]:
    """Read the FAQ and the intents and begin to solve them; the call that is returned waits for it. Raises YamlError.

    Without an encoder the languages are solved beside this process, unless they are cached in ``keep``, a folder below
    ``settings.data``.
    """
    own = settings.knowledge
    files = state((own.faq, own.intents))
    wanted, answers = _edited(own.intents, own.faq, settings.languages)
    if own.model and (encoder := load(own.model, settings.data / "models", settings.languages)):
        solve = partial(build, answers, wanted.examples, mode=own.certainty, encoder=encoder)
        return lambda: KnowledgeBase(solve(), wanted, files)
    wording, examples = written(answers, wanted.examples)
    spaces = {language: partial(Space, language, some) for language, some in examples.items()}
    solved = begin_making(settings.data / keep, spaces)
    mark = version(answers, wanted.examples)

    def finish() -> KnowledgeBase:
        index = Knowledge(answers, wording, solved().values(), own.certainty, mark)
        return KnowledgeBase(index, wanted, files, degraded=bool(own.model))

    return finish


def _edited(intents: Path, answers: Path, languages: Sequence[str]) -> tuple[wishes.Intents, faq.Faq]:
    """What an admin edits. Raises YamlError with every mistake in all of it."""
    problems: list[Problem] = []
    wanted = found = None
    try:
        wanted = wishes.read(intents)
    except YamlError as error:
        problems += error.problems
    try:
        found = faq.read(answers, languages)
        if not found.entries:
            problems.append(Problem(str(answers), 1, "holds no answers; knowledge.faq names the folder they are in"))
    except YamlError as error:
        problems += error.problems
    if wanted is None or found is None or problems:
        raise YamlError(problems)
    return wanted, found


def build_shipped() -> None:
    """Solve the answers that come with this installation, so that a first start finds them solved."""
    with suppress(YamlError):  # the start will tell
        settings = configuration(HOME / "config.yaml")
        if not settings.knowledge.model:
            begin_loading(settings, str(BUILT / "index"))()
    for path in BUILT.glob("index/*"):
        path.chmod(0o644)  # who serves need not be who installs


if __name__ == "__main__":
    build_shipped()
