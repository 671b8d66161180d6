"""Standard phrases of the company's agents: one YAML file per language, with places to be filled in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from bot import texts

FOLDER: Final = Path(__file__).parent / "canned"


@cache
def read() -> dict[str, dict[str, str]]:
    """language -> name -> phrase. Raises YamlError."""
    return texts.read(FOLDER)


def phrases(language: str, values: Mapping[str, str]) -> list[dict[str, str]]:
    """The phrases of a language with what is known put in; a place without a value stays to be seen."""
    own = read().get(language) or read()["en"]
    return [
        {
            "name": name.replace("_", " "),
            "text": texts.PLACE.sub(lambda place: values.get(place[1]) or place[0], phrase),
        }
        for name, phrase in own.items()
    ]


def filled(here: Mapping[str, Any], agent: str, company: Any) -> list[dict[str, str]]:
    """The phrases in the language of a talk, with what is known of it, of who speaks, and of the company."""
    values = {
        "customer": here["name"],
        "agent": agent,
        "number": here["number"],
        "company": company.name.get(here["lang"], ""),
        "phone": company.phone,
        "hours": company.hours.get(here["lang"], ""),
    }
    return phrases(here["lang"], values)
