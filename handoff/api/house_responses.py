"""What the API answers about the house: the wall, alarms, failures, answers, people, settings, the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from handoff.api.conversation_responses import Line
from handoff.api.responses import Shape, TicketLine


class Colleague(Shape):
    """Somebody a conversation can be given to."""

    id: int
    name: str
    role: str
    teams: list[str]
    presence: str
    capacity: int
    load: int


class Standing(Shape):
    """How many running standards are late, at risk, and well."""

    late: int
    soon: int
    well: int


class Kept(Shape):
    """How many promises of the last 24 hours were met, met in half the time, and missed."""

    met: int
    early: int
    missed: int


class Wall(Shape):
    """The queue wall's figures."""

    waiting: int
    working: int
    bot: int
    waiting_since: datetime | None = Field(description="Of whoever waits longest.")
    there: int = Field(description="Agents who are online.")
    room: int = Field(description="Conversations they could take at once.")
    standards: Standing
    kept: Kept
    rated: int = Field(description="Ratings of the last 24 hours,")
    score: float | None = Field(description="and their average.")
    people: list[Colleague]
    line: list[Line]


class Alarm(Shape):
    """What somebody must see now."""

    id: int
    at: datetime
    kind: str
    text: str
    conversation: str | None = Field(validation_alias="number")
    ticket: str | None = None
    customer_name: str
    agent_name: str | None


class Failure(Shape):
    """An event that could not be handled (12), or a reply that could not be sent (r7)."""

    id: str
    what: str
    channel: str
    chat: int | None
    since: datetime | None
    attempts: int
    error: str | None


class Agent(Shape):
    """An account."""

    id: int
    login: str
    name: str
    role: str
    teams: list[str]
    skills: list[str]
    languages: list[str]
    capacity: int
    presence: str
    seen_at: datetime | None
    created_at: datetime
    disabled_at: datetime | None
    ready: bool = Field(description="Whether it has a password.")


class Hired(Shape):
    """An account and the one-use link that brings its password."""

    id: int
    link: str = Field(description="Can be used once, within three days.")


class Booked(Shape):
    """Who did what."""

    id: int
    at: datetime
    agent_id: int | None
    agent_name: str | None = Field(validation_alias="name")
    action: str
    subject: str
    data: dict[str, Any] = Field(description="With the token's name under token, if an integration did it.")


class Setting(Shape):
    """One setting; secrets are hidden."""

    key: str
    value: str
    line: int | None = Field(description="Of the file; null: it is the default.")


class Settings(Shape):
    """What holds."""

    file: str
    off: dict[str, str] = Field(description="Channels that are off, and why.")
    settings: list[Setting]


class Counts(Shape):
    """How many conversations there are for somebody to see to."""

    mine: int
    unread: int = Field(description="Of one's own.")
    queue: int
    team: int
    alarms: int


class Given(Shape):
    """Where an answer was given."""

    conversation: str
    at: datetime


class Entry(Shape):
    """An answer in force."""

    id: str
    topic: str
    questions: dict[str, list[str]]
    answer: dict[str, str]
    uses: int = Field(description="How often it was given in the last 30 days.")
    last: list[Given] = Field(description="Where last, of what may be seen.")


class Faq(Shape):
    """The answers in force."""

    version: str
    problem: str = Field(description="What is wrong with the files on disk; empty: nothing.")
    entries: list[Entry]


class Answer(Shape):
    """What the FAQ would say."""

    entry: str
    name: str
    text: str
    confidence: float


class Candidate(Shape):
    """A possible answer."""

    entry: str
    confidence: float
    nearest: str


class Why(Shape):
    """What the bot would make of a question, and how it comes to that."""

    outcome: str
    candidates: list[Candidate]
    why: dict[str, Any]


class Unanswered(Shape):
    """A question that had no answer."""

    at: datetime
    question: str
    times: int
    conversation: str | None = Field(description="The last it was asked in, if that may be seen.")


class Found(Shape):
    """What was found, the newest first."""

    conversations: list[Line]
    tickets: list[TicketLine]


class Phrase(Shape):
    """A standard phrase, filled in."""

    name: str
    text: str
