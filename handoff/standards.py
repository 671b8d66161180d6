"""What is promised, by kind, priority and tier, and the clocks that measure it in working time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BeforeValidator, Field, field_validator

from bot.section import Section, Span, seconds
from handoff.hours import Calendar

MEASURED: Final = ("first_reply", "next_reply", "resolution")
CHAT: Final = "chat"  # the kind of a conversation with people; every other kind is a ticket's
NONE: Final = "none"  # in place of a time: nothing is promised
SLACK: Final = 1.0  # seconds by which a moment that was reckoned may be missed


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _time(value: Any) -> float:
    if value == NONE or seconds(value) > 0:
        return 0.0 if value == NONE else seconds(value)
    raise ValueError(f"must be more than 0, or {NONE} where nothing is promised")


Several = Annotated[tuple[str, ...], BeforeValidator(_several)]
Priorities = Annotated[tuple[Literal["urgent", "high", "normal"], ...], BeforeValidator(_several)]
Promise = Annotated[float | None, BeforeValidator(_time)]  # seconds; 0: nothing is promised, None: not said
Part = Annotated[float, Field(gt=0, lt=1)]  # of the time that is promised


class Line(Section):
    """One line of ``standards.promised``: what it is for (all, where nothing is said), and what is promised there."""

    kind: Several = ()
    priority: Priorities = ()
    tier: Several = ()
    first_reply: Promise = None
    next_reply: Promise = None
    resolution: Promise = None

    def fits(self, kind: str, priority: str, tier: str) -> bool:
        """Whether it is for that."""
        given = ((self.kind, kind), (self.priority, priority), (self.tier, tier))
        return all(not wanted or one in wanted for wanted, one in given)


HOUR: Final = 3600.0
USUAL: Final = (
    Line(first_reply=8 * HOUR, resolution=45 * HOUR),
    Line(kind=(CHAT,), first_reply=HOUR / 6, next_reply=HOUR / 6, resolution=9 * HOUR),
    Line(kind=("urgent", "emergency"), first_reply=2 * HOUR, resolution=18 * HOUR),
    Line(kind=("complaint", "recovery"), first_reply=4 * HOUR, resolution=27 * HOUR),
)


class Step(NamedTuple):
    """Somebody is told: ``who`` is owner, lead, customer, or a role of the chain; after so many seconds of work."""

    at: float
    who: str
    missed: bool = False


class Standards(Section):
    """What is promised to customers, and who is told when it is about to be missed, or is."""

    promised: tuple[Line, ...] = USUAL
    warn_owner: Part = 0.5
    warn_lead: Part = 0.75
    tell_customer: Part = 0.9
    escalate: Annotated[tuple[Literal["supervisor", "admin"], ...], Field(min_length=1)] = ("supervisor", "admin")
    escalate_every: Span = HOUR

    @field_validator("promised")
    @classmethod
    def _for_everything(cls, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        if not lines or lines[0].kind or lines[0].priority or lines[0].tier or not lines[0].first_reply:
            raise ValueError("the first line must be for everything and say first_reply: every ticket has a due time")
        return lines

    def times(self, kind: str, priority: str = "normal", tier: str = "") -> dict[str, float]:
        """What is promised there, in seconds of working time: of each measure the last line that fits and tells it."""
        found: dict[str, float] = {}
        for line in self.promised:
            if line.fits(kind, priority, tier):
                found |= {name: time for name in MEASURED if (time := getattr(line, name)) is not None}
        return {name: time for name, time in found.items() if time}

    def first_reply(self, kind: str, priority: str = "normal", tier: str = "") -> float:
        """Seconds until a first word on a ticket: every ticket has a due time, whatever is promised."""
        return self.times(kind, priority, tier).get("first_reply") or self.promised[0].first_reply or 0.0

    def steps(self, promised: float) -> list[Step]:
        """Who is told on the way to a deadline, and after it, in order of time."""
        parts = (("owner", self.warn_owner), ("lead", self.warn_lead), ("customer", self.tell_customer))
        before = sorted(Step(part * promised, who) for who, part in parts)
        return before + [Step(promised + n * self.escalate_every, who, True) for n, who in enumerate(self.escalate)]


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise while it is being kept. Moments are seconds since 1970, ``spent`` is seconds of working time."""

    begun: float
    since: float | None  # it runs since then; None: it rests, because the customer's word is awaited, or has ended
    spent: float = 0.0  # before that
    told: int = 0  # how many of its steps were taken
    missed: bool = False
    ended: str = ""  # met, or late

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Clock:
        """A clock from what ``as_json`` made of it."""
        return cls(**stored)

    def as_json(self) -> dict[str, Any]:
        """The clock as a plain JSON object."""
        return asdict(self)

    @property
    def over(self) -> bool:
        """Whether it measures nothing any more."""
        return bool(self.ended)

    def took(self, now: datetime, hours: Calendar) -> float:
        """Seconds of working time that have passed on it."""
        return self.spent + (hours.between(_at(self.since, now), now) if self.since is not None else 0.0)

    def reaches(self, time: float, now: datetime, hours: Calendar) -> datetime:
        """When so many seconds will have passed on it, or have, if it does not rest; not before it went on."""
        from_then = _at(self.since, now)
        return hours.add(from_then, time - self.spent) if time > self.spent else from_then

    def rests(self, now: datetime, hours: Calendar) -> Clock:
        """The clock from now on, stopped."""
        return replace(self, since=None, spent=self.took(now, hours))

    def goes_on(self, now: datetime) -> Clock:
        """The clock from now on, running."""
        return self if self.over or self.since is not None else replace(self, since=now.timestamp())

    def ends(self, now: datetime, hours: Calendar, promised: float) -> Clock:
        """The clock once what was promised (within so many seconds) is done: met, or late."""
        late = self.missed or self.took(now, hours) > promised + SLACK
        return replace(self.rests(now, hours), missed=late, ended="late" if late else "met")


def _at(since: float | None, now: datetime) -> datetime:
    return now if since is None else datetime.fromtimestamp(since, now.tzinfo)


class Plan(NamedTuple):
    """When a clock is looked at next, and when it is missed."""

    next: datetime
    due: datetime


def plan(clock: Clock, promised: float, standards: Standards, hours: Calendar, now: datetime) -> Plan | None:
    """When the next step of a running clock falls due; None once all are taken."""
    due = clock.reaches(promised, now, hours)
    left = standards.steps(promised)[clock.told :]
    return Plan(clock.reaches(left[0].at, now, hours), due) if left else None
