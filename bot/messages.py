"""The words all parts share: what comes in from a channel and what goes out to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

BY_HAND: Final = "by hand"  # the channel of customers nobody can write to: people talk with them


class Kind(StrEnum):
    """What sort of event an inbox row holds."""

    TEXT = "text"  # words and/or attachments
    CHOICE = "choice"  # a button of ours was pressed
    EDIT = "edit"  # a new version of an earlier message
    HELLO = "hello"  # the customer opened the chat (widget opened, /start)
    TIMER = "timer"  # something fell due
    COMMAND = "command"  # an agent's command; overtakes waiting customer events
    NOTICE = "notice"  # the platform tells something about the chat; ``extra["notice"]`` says what


class Author(StrEnum):
    """Who wrote a message of a chat."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file kept in the content-addressed store; ``id`` is random and unguessable."""

    id: str
    name: str
    type: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """A button. ``id`` is what comes back when it is pressed; every button can also be typed."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What is to be said to somebody, in markdown; channels render it."""

    text: str
    choices: tuple[Choice, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    hand_over: bool = False  # nothing to be said: the customer is given to people on the platform itself


@dataclass(frozen=True, slots=True)
class Inbound:
    """One event as a channel read it. ``(channel, key)`` is UNIQUE for ever: a redelivery changes nothing.

    ``address`` None means the event could not be read: its bytes are kept, in state ``dead``.
    """

    channel: str
    key: str
    address: str | None
    kind: Kind = Kind.TEXT
    sender: str = ""  # the platform's id of the person; "" = the address itself is the person
    name: str = ""  # display name; data, never trusted
    text: str = ""
    choice: str = ""
    native: str = ""  # the platform's own id of the message, e.g. the one a customer edits later
    attachments: tuple[Attachment, ...] = ()
    language: str = ""  # what the platform says the person reads, e.g. "zh"; a hint only
    public: bool = False  # others read along: a group, a channel
    addressed: bool = True  # said to us: in private, or with our name, as a reply to us, as a command
    raw: bytes = b""
    extra: Mapping[str, Any] = field(default_factory=dict)  # channel's own, e.g. the edited message's id
    at: datetime | None = None  # when the platform says it was written

    @property
    def sound(self) -> bool:
        """Whether its words are words: what a platform sends may be of any type."""
        words = (self.key, self.sender, self.name, self.text, self.choice, self.native, self.language)
        return all(isinstance(word, str) for word in (*words, self.address or ""))
