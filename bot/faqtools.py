"""What the FAQ commands work on: an index of any version of the answers, questions to ask it, words about a decision."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import intents as wishes
from bot import asked, errand, mind
from bot.config import Settings, seconds
from bot.strictyaml import Problem, YamlError, check, load, suggest
from intents import Understanding
from knowledge import exchange, trials
from knowledge.ask import examples
from knowledge.claim import Claim
from knowledge.index import Knowledge
from knowledge.revision import NoSuchVersion, folder_at

NOTHING: Final = ("", "unknown")  # labels of a question that has no answer


class Wrong(Exception):
    """What a command was given cannot be used; says why."""

    exit_code = 2


def known(settings: Settings, folder: Path | None = None) -> mind.Known:
    """The answers of ``folder`` (None = those of the configuration), scored as they would be live. Raises YamlError."""
    if folder is None:
        return mind.know(settings)
    return mind.know(
        settings.model_copy(update={"knowledge": settings.knowledge.model_copy(update={"faq": folder.resolve()})})
    )


@contextmanager
def versions(settings: Settings, *specs: str) -> Iterator[list[Knowledge]]:
    """The knowledge as it is in folders or git revisions. Raises Wrong and YamlError."""
    found = []
    for spec in specs:
        try:
            with folder_at(spec, settings.knowledge.faq) as folder:
                found.append(known(settings, folder).knowledge)
        except NoSuchVersion as error:
            raise Wrong(str(error)) from None
    yield found
