"""The numbers of config.yaml that decisions depend on: plain values, in seconds where they are times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handoff.dialogue import People
from handoff.forms import Forms, shipped
from handoff.hours import ALWAYS, Calendar
from handoff.standards import Standards


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers of config.yaml that decisions depend on."""

    languages: tuple[str, ...] = ("en", "zh")
    company: Mapping[str, str] = field(default_factory=dict)  # name_en, name_zh, phone, hours_en, hours_zh ...
    burst: float = 1.2  # seconds
    idle: float = 1800.0  # seconds of silence after which a conversation is closed
    rating_window: float = 86400.0  # seconds in which a rating may be changed
    rating_pause: float = 86400.0  # at most one request for a rating per customer in so many seconds
    standards: Standards = field(default_factory=Standards)  # what is promised, and who is told before it is missed
    products: tuple[str, ...] = ()
    people: People = field(default_factory=People)
    hours: Calendar = ALWAYS  # when people work
    forms: Forms = field(default_factory=shipped)  # the kinds of tickets, and what is asked for each

    def promised(self, kind: str, priority: str = "normal", tier: str = "") -> float:
        """Seconds of working time until the first word on a ticket of this kind."""
        return self.standards.first_reply(kind, priority, tier)
