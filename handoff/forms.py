"""Kinds of tickets, and what is asked for each: forms.yaml, read and checked; plain values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from bot.section import Section
from bot.strictyaml import Node, Problem, YamlError, check, load, suggest

SHIPPED: Final = Path(__file__).parent / "forms.yaml"
HOUSE: Final = frozenset({"question", "fault", "urgent", "emergency", "complaint", "recovery"})  # the bot opens these
_FLOW: Final = (
    "about answered asks at change confirm epoch first kind more named priority products run start sure words".split()
)
TAKEN: Final = frozenset({*_FLOW, "attachments", "came", "language", "note"})  # names that stand for something else


class Field(Section):
    """One piece of information. Its texts are by language."""

    label: Mapping[str, str]
    ask: Mapping[str, str]
    read: Literal[
        "words", "text", "address", "product", "serial", "order", "contact", "date", "time", "amount", "company"
    ] = "text"


class Form(Section):
    """What a kind of ticket is called, and what is asked for it, in this order."""

    label: Mapping[str, str]
    asks: Mapping[str, Literal["required", "optional"]] = {}


class Forms(Section):
    """All of forms.yaml."""

    fields: Mapping[str, Field]
    kinds: Mapping[str, Form]

    def asked(self, kind: str) -> list[dict[str, Any]]:
        """What a dialogue needs to know of the questions of a kind, as plain JSON; the matter is one it may be told."""
        needs: dict[str, str] = {**self.kinds[kind].asks}
        needs = needs if "what" in needs else {"what": "told", **needs}
        return [{"name": name, **self.fields[name].model_dump(), "need": need} for name, need in needs.items()]

    def wished(self, wish: str) -> bool:
        """Whether a wish of the customer's opens a ticket of this kind."""
        return wish in self.kinds and wish not in HOUSE

    def called(self, family: str, name: str, language: str) -> str:
        """What a "kind", or a field of what is "known", is called; "" if there is no such thing (any more)."""
        found = {"kind": self.kinds, "known": self.fields}.get(family, {}).get(name)
        return found.label.get(language, "") if isinstance(found, Field | Form) else ""

    def details(self, said: Any) -> dict[str, str]:
        """What was filled in, of the fields there are; at most 500 characters each."""
        given = said if isinstance(said, Mapping) else {}
        return {name: told for name in self.fields if (told := str(given.get(name) or "").strip()[:500])}


def read(path: Path, languages: Sequence[str]) -> Forms:
    """The forms in a file. Raises YamlError with everything that is wrong in it."""
    node = load(path)
    forms = check(Forms, node)
    if wrong := sorted(set(_wrong(forms, node, languages))):
        raise YamlError(wrong)
    return forms


def _wrong(forms: Forms, node: Node, languages: Sequence[str]) -> Iterator[Problem]:
    for name in sorted(HOUSE - forms.kinds.keys()):
        yield node.problem(f"the kind {name!r} is missing: the bot opens such tickets itself", "kinds")
    if "what" not in forms.fields:
        yield node.problem("the field 'what' is missing: it is what every ticket is about", "fields")
    for at in (*(("fields", name) for name in forms.fields), *(("kinds", name) for name in forms.kinds)):
        if not re.fullmatch(r"[a-z][a-z_]{0,15}", at[1]):  # it stands in the ids of buttons
            yield node.problem(f"{at[1]!r} must be small letters and _, at most 16", *at)
        if at[0] == "fields" and at[1] in TAKEN:
            yield node.problem(f"{at[1]!r} has a meaning of its own here: call it something else", *at)
    for kind, form in forms.kinds.items():
        for name in form.asks.keys() - forms.fields.keys():
            yield node.problem(f"unknown field {name!r} {suggest(name, forms.fields)}", "kinds", kind, "asks", name)
    for place, texts in _texts(forms):
        missing = (language for language in languages if not texts.get(language, "").strip())
        yield from (node.problem(f"{place[-1]} is missing in {language}", *place) for language in missing)


def _texts(forms: Forms) -> Iterator[tuple[tuple[str, ...], Mapping[str, str]]]:
    for name, field in forms.fields.items():
        yield ("fields", name, "label"), field.label
        yield ("fields", name, "ask"), field.ask
    for name, form in forms.kinds.items():
        yield ("kinds", name, "label"), form.label


@cache
def shipped() -> Forms:
    """The demo company's."""
    return read(SHIPPED, ("en", "zh"))
