"""What people add to a decision: how they are seen, and the effects of what they do. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bot.messages import Attachment

URGENT: Final = 0  # priorities of what waits for people
HIGH: Final = 1
NORMAL: Final = 2


@dataclass(frozen=True, slots=True)
class People:
    """The numbers of ``handoff`` in config.yaml that decisions depend on; times in seconds."""

    silent_after: float = 180.0
    escalate_after: float = 300.0
    tell_every: float = 300.0
    give_up_after: float = 1800.0
    left_after: float = 86400.0
    first_tiers: tuple[str, ...] = ()
    remind_after: float = 3 * 86400.0  # of working time
    close_after: float = 7 * 86400.0
    reopen_within: float = 14 * 86400.0


@dataclass(frozen=True, slots=True)
class AgentView:
    """One of us, as a decision may know him. A disabled agent is nobody."""

    id: int
    name: str
    role: str  # agent, supervisor, admin, auditor
    presence: str = "offline"  # online, busy, away, offline
    languages: tuple[str, ...] = ()  # empty = all
    teams: tuple[str, ...] = ()

    @property
    def leads(self) -> bool:
        """Whether he may take what a colleague has."""
        return self.role in ("supervisor", "admin")


@dataclass(frozen=True, slots=True)
class DeskView:
    """Whether anybody is there for somebody who waits, or would wait."""

    staffed: bool = False  # there are agents at all
    open: bool = False  # somebody is there now
    ahead: tuple[int, int, int] = (0, 0, 0)  # who would be served before, by one's own priority
    free: int = 0  # conversations that could be taken at once
    pace: float | None = None  # seconds from one who was served to the next, lately; None: not known

    def estimate(self, ahead: int) -> float | None:
        """Seconds until somebody has time for one who has so many before him; 0: at once; None: nobody can say."""
        if self.free > ahead:
            return 0.0
        return None if self.pace is None else self.pace * (ahead + 1)


@dataclass(frozen=True, slots=True)
class HandoverView:
    """What people were told when the conversation was handed to them."""

    reason: str
    priority: int
    wants: Mapping[str, Any] = field(default_factory=dict)  # "queued": seconds, when he was put in the line again
    packet: Mapping[str, Any] = field(default_factory=dict)
    waiting_since: datetime | None = None
    snoozed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    """The agent takes the open conversation. Written before all else: if it fails, nothing of the decision is written
    but its result, ``done`` false with the reason.

    ``within_capacity``: only if he is online and has room, e.g. because he did not ask for it himself.
    """

    agent: int
    name: str
    within_capacity: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """The open conversation waits for people; ``since`` is its place in the line, None = as it was, or now."""

    reason: str  # asked, misses, missing, unsupported, policy, error, complaint, emergency, vip, lead, silent, transfer
    priority: int = NORMAL
    wants: Mapping[str, Any] = field(default_factory=dict)  # language, product, service, team, preferred, avoid, tier
    packet: Mapping[str, Any] = field(default_factory=dict)  # what people should know; empty = as it was
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """An internal note; never a message."""

    agent: int
    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Snooze:
    """People look at it again then; None: now."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Presence:
    """An agent is there, or is not."""

    agent: int
    presence: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an agent's command, for whoever waits for it."""

    done: bool
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MoveTicket:
    """A ticket goes from one state to another; ``was`` is what it must still be in. ``text`` is the word on it."""

    number: str
    was: str
    state: str
    agent: int = 0  # who did it; 0 = the customer, or time
    text: str = ""
    due_at: datetime | None = None  # when the next word is due; None: nothing is left to do


@dataclass(frozen=True, slots=True)
class PlanTicket:
    """What is promised on a ticket stands so now; ``due_at``: when something is due next, None: as it was."""

    number: str
    clocks: Mapping[str, Any]
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """Alarms of these kinds on the conversation, or on a ticket, need nobody any more."""

    kinds: tuple[str, ...]
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class OwnTicket:
    """Who sees to a ticket: an agent, or a team's line."""

    number: str
    agent: int | None
    team: str = ""


@dataclass(frozen=True, slots=True)
class TicketWord:
    """A colleague's word on a ticket; a remark is for colleagues only."""

    number: str
    agent: int
    text: str
    remark: bool = False
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class PromiseView:
    """One of the customer's promises."""

    number: str
    agent: int
    text: str
    due_at: datetime
    state: str  # open, kept, renegotiated, broken
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class MakePromise:
    """An agent's word that something is done by then."""

    number: str
    agent: int
    text: str
    due_at: datetime
    ticket: str = ""
    follows: str = ""  # number of the promise whose place it takes


@dataclass(frozen=True, slots=True)
class EndPromise:
    """What became of it."""

    number: str
    state: str  # kept, renegotiated, broken
    proof: str = ""


Deed = (
    Assign
    | Queue
    | Remark
    | Snooze
    | Presence
    | Result
    | MoveTicket
    | OwnTicket
    | PlanTicket
    | Settle
    | TicketWord
    | MakePromise
    | EndPromise
)
