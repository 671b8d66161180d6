"""What the API answers about conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from handoff.api.responses import Customer, File, Owner, Shape


class Choice(Shape):
    """A button."""

    id: str
    label: str


class Delivery(Shape):
    """What became of a message that was sent."""

    state: Literal["waiting", "sending", "sent", "uncertain", "dead", "withdrawn"]
    error: str = ""
    reply: int = Field(description="Names it when it is to be sent once more.")


class Message(Shape):
    """Something that was said."""

    seq: int
    id: str
    author: Literal["customer", "bot", "agent", "system"]
    agent_id: int | None = Field(None, validation_alias="agent")
    text: str
    choices: list[Choice]
    attachments: list[File]
    at: datetime
    delivery: Delivery | None = None


class Remark(Shape):
    """A note for colleagues only."""

    id: int
    agent_name: str
    text: str
    attachments: list[File] | None = None
    at: datetime = Field(validation_alias="created_at")


class Deed(Shape):
    """A turn in the course of a conversation."""

    id: int
    at: datetime
    what: str = Field(description="Who has it from then on (bot, queue, agent), or closed, or reopened.")
    who: str
    reason: str


class Course(Shape):
    """What happened besides messages, oldest first."""

    notes: list[Remark]
    deeds: list[Deed]


class Line(Shape):
    """A conversation in a list."""

    number: str
    channel: str
    owner: Owner
    agent_id: int | None
    agent_name: str | None
    customer_id: int
    customer_name: str = Field(validation_alias="name")
    tier: str
    reason: str | None
    priority: int | None = Field(description="0 urgent, 1 high, 2 normal.")
    opened_at: datetime
    closed_at: datetime | None
    close_reason: str | None
    waiting_since: datetime | None = Field(validation_alias="waiting")
    snoozed_until: datetime | None
    due_at: datetime | None = Field(description="The next service standard that falls due.")
    risk: str = Field(description="late, soon, or empty.")
    unread: bool
    last_author: str | None = Field(validation_alias="author")
    last_text: str = Field(validation_alias="text")
    last_at: datetime | None
    snippet: list[str] | None = Field(None, description="Where it was found: before it, it, after it.")


class Said(Shape):
    """Words of the dialogue."""

    author: str
    text: str


class Tried(Shape):
    """An answer, and how sure the bot was of it."""

    entry: str
    confidence: float


class Packet(Shape):
    """What whoever takes it over needs to know."""

    reason: str
    priority: int
    language: str
    question: str
    lines: list[Said]
    tried: list[Tried]
    slots: dict[str, Any] = Field(description="What the customer told already.")
    rated: int | None
    suggested: list[str]


class Other(Shape):
    """A colleague who looks at it, too."""

    id: int
    name: str
    typing: bool


class Conversation(Shape):
    """One conversation but its messages."""

    number: str
    channel: str
    owner: Owner
    agent_id: int | None
    agent_name: str | None
    customer: Customer
    lang: str
    reason: str | None
    priority: int | None
    waiting_since: datetime | None
    snoozed_until: datetime | None
    due_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    close_reason: str | None
    epoch: int = Field(description="Bumped whenever its owner changes.")
    cycle: int = Field(description="How often it was opened.")
    unreachable: bool
    others: list[Other]
    packet: Packet | None
