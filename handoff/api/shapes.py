"""What the API answers. Times are ISO 8601 in UTC; a field that is null is not known, or is not so."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")
Owner = Literal["bot", "queue", "agent", "none"]


class Shape(BaseModel):
    """Something that is shown; what is known beside its fields is left out."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)


class Page(Shape, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next: str | None = Field(None, description="The cursor of the next page; null: there is none.")


class Done(Shape):
    """What came of it."""

    state: Literal["done", "under way"] = Field("done", description="Under way: ask again with the same key.")
    number: str | None = Field(None, description="Of the conversation or ticket it was done to, or that was opened.")
    promise: str | None = Field(None, description="The number of the promise that was made.")


class Me(Shape):
    """Whom the token acts for, and what it may do."""

    token: str
    id: int
    name: str
    role: str
    teams: list[str]
    scopes: list[str]
    presence: str


class File(Shape):
    """A file of a conversation."""

    id: str
    name: str
    type: str
    size: int


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
    choices: list[Choice] = []
    attachments: list[File] = []
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


class Promise(Shape):
    """What a customer was promised."""

    number: str
    text: str
    due_at: datetime
    state: Literal["open", "kept", "renegotiated", "broken"]
    proof: str
    agent_id: int
    agent_name: str
    made_at: datetime
    ended_at: datetime | None


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


class Past(Shape):
    """An earlier conversation of a customer."""

    number: str
    opened_at: datetime
    owner: Owner
    close_reason: str | None
    score: int | None


class TicketLine(Shape):
    """A ticket in a list."""

    number: str
    kind: str
    state: str
    owner: str = Field(description="agent, queue, or team: and its name.")
    priority: str
    subject: str
    agent_id: int | None
    customer_id: int
    due_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    resolved_at: datetime | None


class TicketWord(Shape):
    """A step in the course of a ticket."""

    author: str
    agent_id: int | None
    agent_name: str | None
    kind: Literal["word", "move", "remark"] = Field(description="A remark is for colleagues only.")
    text: str
    attachments: list[File] | None = None
    at: datetime = Field(validation_alias="created_at")


class Ticket(TicketLine):
    """A ticket with its course."""

    customer_name: str
    agent_name: str | None
    details: dict[str, Any]
    conversation: str | None
    follows: str | None = Field(description="The ticket that this one carries on.")
    score: int | None = Field(description="The rating of its conversation.")
    moves: list[str] = Field(description="The states it can go to.")
    course: list[TicketWord]
    promises: list[Promise]


class Identity(Shape):
    """Who a customer is on a channel."""

    channel: str
    sender: str


class CustomerLine(Shape):
    """A customer in a list."""

    id: int
    name: str
    tier: str
    known: dict[str, Any] = Field(description="What he told: language, contact, product …")
    created_at: datetime


class Customer(CustomerLine):
    """A customer with what of his may be seen."""

    identities: list[Identity]
    conversations: list[Past] = Field(validation_alias="history")
    tickets: list[TicketLine]
    promises: list[Promise]


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
