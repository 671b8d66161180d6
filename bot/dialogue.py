"""What goes into a decision and what comes out of it: plain values, no clock, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.messages import Attachment, Author, Kind, Reply
from bot.policy import Policy as Policy
from bot.talk import Pending as Pending
from bot.talk import Talk as Talk
from handoff.dialogue import Deed

if TYPE_CHECKING:
    from intents import Understanding
    from knowledge.index import Knowledge


@dataclass(frozen=True, slots=True)
class Event:
    """The event being handled. Words of a burst before it are in ``Talk.pending``; both are understood as one text."""

    inbox_id: int
    kind: Kind
    at: datetime  # when we received it, UTC
    text: str = ""
    choice: str = ""
    attachments: tuple[Attachment, ...] = ()
    timer: str = ""  # kind of the timer that fell due: burst, idle, rating, promise, ...
    subject: str = ""  # what the timer is about, e.g. "conversation:17", "ticket:4"
    data: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""  # hint of the platform
    public: bool = False  # others read along
    addressed: bool = True  # said to us
    native: str = ""  # the platform's id of the message; of an edit, of the message that was changed


@dataclass(frozen=True, slots=True)
class ConversationView:
    """One matter, as the engine may know it. Its name outside is ``number``."""

    id: int
    number: str
    owner: str  # bot, queue, agent, none
    epoch: int
    cycle: int
    opened_at: datetime
    closed_at: datetime | None = None
    answered: int = 0
    agent: int | None = None  # whose it is, when the owner is an agent
    served_by: int | None = None  # the agent who had it last in this cycle
    rated: int | None = None  # score given in this cycle
    rated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TicketView:
    """One of the customer's own tickets."""

    number: str
    kind: str
    state: str
    subject: str
    opened_at: datetime
    due_at: datetime | None
    last_word: str = ""  # the last public one on it
    ended_at: datetime | None = None  # when it was resolved, or closed without that
    agent: int | None = None  # who sees to it
    id: int = 0
    follows: int | None = None  # id of the one it carries on
    priority: str = "normal"
    clocks: Mapping[str, Any] = field(default_factory=dict)  # what is promised on it: see handoff/standards.py


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything a decision may depend on."""

    now: datetime  # UTC, aware
    event: Event
    talk: Talk
    policy: Policy
    knowledge: Knowledge
    understood: Understanding | None = None  # None for buttons, timers and commands
    conversation: ConversationView | None = None  # the open one
    last: ConversationView | None = None  # the last closed one
    tickets: tuple[TicketView, ...] = ()  # the customer's open ones, newest first, <= 20
    customer: Mapping[str, Any] = field(default_factory=dict)  # name, tier, contact, asked_rating_at ...
    numbers: tuple[str, ...] = ()  # ready-made: "C-…" for a conversation first, then "T-…" for tickets
    looked: Mapping[tuple[str, str], Any] = field(default_factory=dict)  # results of Look, by (kind, key)
    by_hand: bool = False  # nobody can write to him: what is to be said is told by people
    left: int | None = None  # messages that the platform takes until the customer writes again; None: any number
    people_there: bool = False  # people answer on the platform itself: the customer can be handed over to them


@dataclass(frozen=True, slots=True)
class Need:
    """``decide`` cannot go on without these; the worker reads them and calls it again (at most 3 rounds)."""

    looks: tuple[tuple[str, str], ...]  # ("ticket", number) | ("rated", conversation number)


@dataclass(frozen=True, slots=True)
class Wait:
    """The words cannot be decided yet: keep them, and decide with what follows, or alone at ``until``."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Open:
    """Open a conversation in this chat; owner bot."""

    number: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """Open the last conversation again: next cycle, owner bot."""

    number: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close the open conversation."""

    reason: str  # solved, idle, stopped, agent, ticket


@dataclass(frozen=True, slots=True)
class Own:
    """Change who must act next on the open conversation; bumps its epoch."""

    owner: str  # bot, queue
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """Say something. ``why`` explains an answer (entry, scores, threshold, runner-up, knowledge version)."""

    reply: Reply
    why: Mapping[str, Any] | None = None
    author: Author = Author.BOT  # SYSTEM: about people; it is said whoever has the floor
    agent: int | None = None  # who of us, when the author is an agent


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A numbered piece of work that outlives the chat."""

    number: str
    kind: str  # question, fault, complaint, urgent, recovery, repair, ...
    subject: str  # the customer's words, <= 500 characters
    due_at: datetime
    priority: str = "normal"  # urgent, high, normal
    details: Mapping[str, Any] = field(default_factory=dict)  # product, contact, reason, ...
    attachments: tuple[Attachment, ...] = ()
    agent: int | None = None  # whose it is from the start
    follows: str = ""  # number of the ticket that this one carries on


@dataclass(frozen=True, slots=True)
class AddToTicket:
    """The customer's further words on an own ticket."""

    number: str
    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """A satisfaction rating of one cycle of one conversation; a second one within the window replaces it."""

    conversation: str  # number
    cycle: int
    score: int  # 1..5
    comment: str = ""


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Something falls due. One unfired timer per (subject, kind): setting it again moves it."""

    kind: str  # idle, rating, promise, ...
    due_at: datetime
    subject: str = "conversation"  # "conversation" = the open (or just opened) one; "chat"; "ticket:T-…" = that ticket
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DropTimer:
    """It is no longer due."""

    kind: str
    subject: str = "conversation"


@dataclass(frozen=True, slots=True)
class Learn:
    """What the customer told about himself: language, contact, name, product, asked_rating_at."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something people must see now: emergency words while an agent has the floor, anger, a low rating."""

    kind: str
    text: str = ""
    agent: int | None = None  # whom it is for; None: the owner, or whoever leads
    role: str = ""  # whoever has this authority is to see to it: supervisor, admin
    ticket: str = ""  # number of the ticket it is about


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact for the books: asked, answered, chose, unknown, handed_over, rephrased, not_helpful, ..."""

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


Effect = (
    Open | Reopen | Close | Own | Say | OpenTicket | AddToTicket | Rate | SetTimer | DropTimer | Learn | Alarm | Fact
) | Deed


@dataclass(frozen=True, slots=True)
class Decision:
    """All that comes of one turn; recorded in one transaction or not at all."""

    talk: Talk
    effects: tuple[Effect, ...] = ()

    @property
    def replies(self) -> tuple[Say, ...]:
        """What is said, in order."""
        return tuple(e for e in self.effects if isinstance(e, Say))
