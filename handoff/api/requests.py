"""What may be sent to the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.json_schema import WithJsonSchema

from bot.text import clean
from handoff import customers, tickets
from handoff.reading.tickets import STATES

Words = Annotated[str, AfterValidator(clean)]  # as long as limits.message_chars
Short = Annotated[str, AfterValidator(clean), Field(max_length=200)]
FileIds = Annotated[list[Annotated[str, Field(max_length=64, pattern=r"^[\w-]+$")]], Field(max_length=10)]
Came = Literal["chat", "phone", "email", "letter", "visit"]
Id = Annotated[int, Field(ge=1, le=10**15)]
State = Annotated[str, Field(pattern=f"^({'|'.join(STATES)})$"), WithJsonSchema({"type": "string", "enum": [*STATES]})]


class Wish(BaseModel):
    """Something that is wanted; what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Wish):
    """Nothing more is to be said of it."""


class Claim(Wish):
    """Take the conversation."""

    take: bool = Field(False, description="Also from a colleague; only whoever leads may.")


class Say(Claim):
    """Words to the customer, in markdown."""

    text: Words = ""
    files: FileIds = Field([], description="Ids of files that were uploaded to this conversation.")


class Note(Wish):
    """A word for colleagues only."""

    text: Words = ""
    files: FileIds = []


class Transfer(Wish):
    """To a colleague, or to a team's line."""

    to_agent: Id | None = None
    to_team: Short | None = None
    text: Words = Field("", description="A note for whoever takes it.")


class Snooze(Wish):
    """Put it aside."""

    until: AwareDatetime = Field(description="Or until the customer writes; within 60 days.")


class Close(Wish):
    """The matter is settled."""

    reason: Short = ""
    text: Words = Field("", description="Last words to the customer.")
    files: FileIds = []


class Language(Wish):
    """The customer is spoken to in this language from now on."""

    lang: Annotated[str, Field(pattern=r"^[a-z]{2}$")]


class Seen(Wish):
    """How far a talk was read."""

    seq: Annotated[int, Field(ge=0, le=2**31 - 1)]
    looking: bool = True
    typing: bool = False


class NewTicket(Wish):
    """A piece of work for the customer."""

    subject: Annotated[Words, Field(max_length=tickets.SUBJECT)] = Field("", description="Else: what its details say.")
    kind: Short = Field("question", description="One of /kinds.")
    priority: Literal["normal", "high", "urgent"] = "normal"
    details: dict[Short, Annotated[Words, Field(max_length=500)]] = Field({}, description="What its kind asks for.")
    came: Came = Field("chat", description="How the matter reached you.")
    to_agent: Id | None = Field(None, description="Whose it is; else the token's own account.")
    to_team: Annotated[Short, Field(max_length=tickets.TEAM)] | None = None
    due_at: AwareDatetime | None = None
    files: FileIds = []


class Caller(NewTicket):
    """What somebody new has asked."""

    called: Annotated[Short, Field(min_length=1)] = Field(description="His name.")


class FirstWords(Wish):
    """Words to a customer who has not written."""

    text: Annotated[Words, Field(min_length=1)]


class CustomerNote(Wish):
    """What colleagues should know of a customer."""

    text: Annotated[Words, Field(min_length=1, max_length=customers.NOTE)]


class Tier(Wish):
    """How a customer is to be treated."""

    tier: Annotated[Words, Field(max_length=customers.TIER)]


class Move(Wish):
    """To another state; the customer is told."""

    state: State
    text: Words = Field("", description="What the customer is told with it; when it waits for him, what for.")
    due_at: AwareDatetime | None = None


class Own(Wish):
    """To a colleague, or to a team's line; else to the token's own account."""

    to_agent: Id | None = None
    to_team: Annotated[Short, Field(max_length=tickets.TEAM)] | None = None


class Word(Wish):
    """A word on a ticket."""

    text: Words = ""
    public: bool = Field(False, description="Whether the customer hears it.")
    files: FileIds = []


class NewPromise(Wish):
    """What somebody will do, and by when; the customer has it in writing."""

    text: Annotated[Words, Field(min_length=1, max_length=500)]
    due_at: AwareDatetime
    ticket: Annotated[str, Field(pattern=r"^T-[0-9A-Z]{8}$")] | None = None


class PromiseEnd(Wish):
    """What became of it."""

    state: Literal["kept", "renegotiated", "broken"]
    proof: Annotated[Words, Field(max_length=500)] = Field("", description="Of a kept one: what makes us say so.")
    due_at: AwareDatetime | None = Field(None, description="Of one that was not kept: the new time.")


class Presence(Wish):
    """Whether he is there."""

    presence: Literal["online", "busy", "away", "offline"]


class AgentFields(Wish):
    """What an account is."""

    name: Short | None = None
    role: Literal["agent", "supervisor", "admin", "auditor"] | None = None
    teams: list[Short] | None = None
    skills: list[Short] | None = Field(None, description="Products and kinds of service; none: all.")
    languages: list[Short] | None = Field(None, description="None: all.")
    capacity: Annotated[int, Field(ge=0, le=50)] | None = Field(None, description="Conversations at a time.")

    def fields(self) -> dict[str, Any]:
        """The fields that were sent, without the login."""
        return {k: v for k, v in self.model_dump(exclude={"login"}).items() if v is not None}


class NewAgent(AgentFields):
    """A new account."""

    login: Annotated[str, Field(pattern=r"^\w[\w.@+-]{0,99}$")]


NOTHING = Nothing()
CLAIM = Claim.model_validate({})
CLOSE = Close.model_validate({})
OWN = Own()
