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


class Standard(Shape):
    """What is promised on a ticket, and how it stands."""

    name: str = Field(description="first_reply, next_reply or resolution.")
    state: str = Field(description="met, late, rests, soon, or empty while there is time.")
    due: datetime | None
    took: float = Field(description="Seconds of working time.")


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
    standards: list[Standard]


class Asked(Shape):
    """What a kind of ticket asks for."""

    name: str
    label: dict[str, str]
    required: bool


class TicketKind(Shape):
    """A kind of ticket."""

    kind: str
    label: dict[str, str]
    asks: list[Asked]


class Identity(Shape):
    """Who a customer is on a channel."""

    channel: str
    sender: str


class Named(Shape):
    """A customer, as whoever may see anything of him is told of him."""

    id: int
    name: str
    tier: str


class CustomerLine(Named):
    """A customer in a list."""

    known: dict[str, Any] = Field(description="What he told: language, contact, product …")
    created_at: datetime


class CustomerNote(Shape):
    """What a colleague noted of a customer."""

    agent_name: str
    text: str
    at: datetime = Field(validation_alias="created_at")


class Customer(Named):
    """A customer with what of his may be seen; null is what the token has no scope to read."""

    known: dict[str, Any] | None = Field(None, description="What he told: language, contact, product …")
    created_at: datetime | None = None
    products: list[dict[str, str]] | None = Field(None, description="What he owns: product, serial, bought.")
    notes: list[CustomerNote] | None = None
    identities: list[Identity] | None = None
    conversations: list[Past] | None = Field(None, validation_alias="history")
    tickets: list[TicketLine] | None = None
    promises: list[Promise] | None = None
