"""What reading Slack's events depends on, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.messages import Inbound
from channels import DeskWord


class Company(Protocol):
    """What of the company is shown here."""

    @property
    def products(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Person:
    """What Slack tells about somebody."""

    name: str = ""
    language: str = ""  # as he has set Slack to, e.g. "zh-CN"


@dataclass(frozen=True, slots=True)
class Context:
    """All that reading depends on beside the event: which channel of ours this is, and who we are in Slack."""

    name: str
    secret: str
    team: str = ""
    user: str = ""  # the bot's own
    chars: int = 8000
    people: Mapping[str, Person] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)  # person -> the private chat with him, if known
    products: tuple[str, ...] = ()
    answer_unasked: bool = False  # in channels we may help without being asked, when very sure
    desk: str = ""  # the channel in which our own people work, where nobody is a customer

    def person(self, user: str) -> Person:
        """What is known of somebody, nothing if he is new."""
        return self.people.get(user, Person())


@dataclass(frozen=True, slots=True)
class Call:
    """Something to be asked of Slack, by the name of its method; ``otherwise`` is received if that fails."""

    method: str
    args: Mapping[str, Any]
    otherwise: Inbound | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of an event. An inbound at ``T1/@U1`` is meant for the private chat with that person."""

    inbound: Inbound | None = None
    notes: Mapping[str, bytes] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()  # views.open at once, for its trigger lives 3 s; all else after the commit
    answer: Mapping[str, Any] | None = None  # what Slack is answered with
    desk: DeskWord | None = None  # said at the desk, by whomever


@dataclass(frozen=True, slots=True)
class Place:
    """An address of ours, taken apart: ``T1/D1``, or in public ``T1/C1/1700000000.000100#U1``."""

    team: str
    channel: str
    thread: str = ""
    user: str = ""

    def __str__(self) -> str:
        return f"{self.team}/{self.channel}" + (f"/{self.thread}#{self.user}" if self.thread else "")

    @classmethod
    def of(cls, address: str) -> Place:
        """What ``str`` made of it."""
        team, channel, thread = [*address.split("/", 2), "", ""][:3]
        thread, _, user = thread.partition("#")
        return cls(team, channel, thread, user)
