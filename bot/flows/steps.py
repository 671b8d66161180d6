"""The steps a flow may yield, each sent back what came of it; a flow depends on nothing else."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from bot.dialogue import Effect
from bot.flows.reading import Heard

SKIP: Final = "skip"
LEFT: Final = "left"  # the answer of a customer who has gone: what he told must do


@dataclass(frozen=True, slots=True, init=False)
class Say:
    """A sentence of ours, by its key in ``texts``; ``buttons`` are choice ids."""

    key: str
    buttons: tuple[str, ...]
    values: Mapping[str, Any]

    def __init__(self, key: str, *buttons: str, **values: Any) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "buttons", buttons)
        object.__setattr__(self, "values", values)


@dataclass(frozen=True, slots=True)
class Quote:
    """An FAQ answer, verbatim, with what people ask next and whether it helped."""

    entry: str
    why: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question; sent the value ``read`` makes of the answer, or of the button pressed."""

    name: str
    read: Callable[[Heard], Any]  # None: it does not fit
    options: tuple[str, ...] = ()  # buttons with a sentence of ours: "<flow>.<name>.<option>" or "option.<option>"
    names: tuple[str, ...] = ()  # buttons that are their own label, e.g. products
    values: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""  # the sentence; "" = "<flow>.<name>"
    free: bool = False  # any words are an answer, so a question in the middle must look like one
    light: bool = False  # steps aside for whatever else the customer wants
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # option -> an admin's words for it
    again: str = ""  # the sentence for an answer that does not fit; "" = the key with ".again"

    @property
    def answers(self) -> tuple[str, ...]:
        """What its buttons stand for, in their order."""
        return self.names + self.options


@dataclass(frozen=True, slots=True)
class Look:
    """Something to be looked up; sent what was found, None if there is nothing."""

    kind: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Numbered work for people, with the files sent so far; sent ``{"number": …, "by": when, in words}``."""

    kind: str
    subject: str
    priority: str = "normal"
    details: Mapping[str, Any] = field(default_factory=dict)
    agent: int | None = None  # whose it is from the start


@dataclass(frozen=True, slots=True)
class Add:
    """Further words on a ticket: the customer's, or a sentence of ours by its key."""

    number: str
    text: str = ""
    key: str = ""


Step: TypeAlias = Say | Quote | Ask | Look | Ticket | Add | Effect
Flow: TypeAlias = Generator[Step, Any, None]
Known: TypeAlias = Mapping[str, Any]  # what was known when the flow began; kept in its journal


def name_of(step: Step) -> str:
    """What a step is called in the journal."""
    match step:
        case Ask(name=name):
            return name
        case Say(key=key):
            return f"say {key}"
        case Look(kind=kind, key=key):
            return f"look {kind} {key}".rstrip()
    return type(step).__name__.casefold()
