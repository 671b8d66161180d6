"""Where messages come from and go to: one file per platform, its name is its ``type`` in config.yaml.

A channel knows messages and what ``Office`` offers it, and nothing else of ours. Adding one is one file:

1. ``read``: a pure function from the platform's event to an ``Inbound``;
2. ``routes`` (webhooks) or ``run`` (a listening loop): hands the events to ``office.receive``, then acknowledges;
3. a class named like the file, a ``Channel``, whose ``send`` sends one reply to one address; it returns the
   platform's id of it or raises NotSent, Unknown or Refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from bot.messages import Attachment, Inbound, Reply


class NotSent(Exception):
    """The platform certainly did not take it (refused connection, 429, 5xx): try again, not before ``retry_after`` s.

    ``everything``: until then it takes nothing from us at all, not only nothing for this place.
    """

    def __init__(self, why: str, retry_after: float = 0.0, *, everything: bool = False) -> None:
        super().__init__(why)
        self.retry_after, self.everything = retry_after, everything


class Unknown(Exception):
    """Nobody can say whether it was taken, e.g. a timeout after the request was written. ``told``: the platform itself
    says so, and will say so again as long as something is wrong with it."""

    def __init__(self, why: str = "", *, told: bool = False) -> None:
        super().__init__(why)
        self.told = told


class Refused(Exception):
    """The platform will never take it. ``gone``: the customer cannot be reached any more."""

    def __init__(self, why: str, *, gone: bool = False) -> None:
        super().__init__(why)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a platform lets us write; 0 = as much as we like."""

    per_address: float = 0.0  # seconds between two messages to one place
    per_minute: int = 0  # messages to one person in 60 s
    per_group_minute: int = 0  # messages to one group in 60 s
    overall: float = 0.0  # messages per second over all


@dataclass(frozen=True, slots=True)
class Can:
    """What a platform can do, as data."""

    buttons: bool = True
    most_buttons: int = 10
    edit: bool = False  # messages can be changed afterwards
    typing: bool = False
    threads: bool = False
    people: bool = False  # people answer on the platform itself: a customer can be handed over to them there
    shows_itself: bool = False  # it reads messages from the database: nothing is to be sent
    max_text: int = 4000  # of one message, in text_unit
    text_unit: Literal["characters", "utf16", "bytes"] = "characters"
    measure: Callable[[str], int] | None = None  # how long a markdown text becomes there; None: as it is
    beside_buttons: int = 0  # longest text of a message with buttons, as ``max_text``; 0 = as long as any
    beside_file: int = 0  # longest text of a message with a file; 0 = a file is a message of its own
    window: float = 0.0  # seconds after the customer's last words in which he may be written to; 0 = always
    replies: int = 0  # messages that may follow each of the customer's; 0 = any number
    budget: Budget = Budget()


NOWHERE: Final = Can()  # what can be done on a channel that is off


@dataclass(frozen=True, slots=True)
class DeskWord:
    """What somebody wrote or pressed at a desk: where our own people work on a platform. It is never a customer's.

    Its ``sender`` is who the platform says he is; whether that counts for anything is not for a channel to say.
    """

    key: str  # the event's, the same on every redelivery
    thread: str  # address of the thread or topic it stands in
    sender: str
    text: str = ""
    choice: str = ""  # id of a button of ours
    native: str = ""  # the message's id; of a change, that of the message that was changed
    change: Literal["", "edited", "deleted"] = ""
    album: str = ""  # the same for messages that were sent together
    nobody: str = ""  # why it counts for nothing whoever sent it: bot, anonymous, forwarded, stranger
    below: bool = False  # the thread was begun by us
    mentions: tuple[str, ...] = ()  # who is named in it
    files: tuple[tuple[Attachment, Mapping[str, Any]], ...] = ()  # with what ``Channel.bring`` needs to fetch each


class FileStore(Protocol):
    """Where attachments are kept, each known by a random id and to its own chat only (``bot.files``)."""

    limit: int  # bytes of one file

    async def put(self, stream: AsyncIterator[bytes], name: str, declared: str, owner: str) -> Attachment:
        """Keep what the stream brings under a new id."""

    async def keep(self, id: str, stream: AsyncIterator[bytes], name: str, declared: str, owner: str) -> Attachment:
        """Keep it under an id that was given out already."""

    async def open(self, id: str, owner: str) -> tuple[Attachment, Path] | None:
        """The attachment and where its bytes are; None for a foreign or unknown one."""


class Office(Protocol):
    """What the application offers a channel."""

    @property
    def files(self) -> FileStore:
        """The attachments."""

    async def receive(self, inbounds: Sequence[Inbound], notes: Mapping[str, bytes | None] | None = None) -> list[Any]:
        """Store events and notes in one commit; returns receipts (chat_id, seq, fresh) after it; None drops a note."""

    async def note(self, key: str) -> bytes | None:
        """What the channel wrote down by this key."""

    async def notes(self, prefix: str) -> dict[str, bytes]:
        """The channel's notes whose keys begin so."""

    async def heard(self, word: DeskWord) -> None:
        """Keep what was written at the desk; returns after the commit. Raises only where a retry may help."""

    async def failed(self, address: str, id: str, why: str) -> None:
        """The platform takes back that a reply it called ``id`` went out; it is dead, for all to see."""

    async def hold(self, what: str) -> bool:
        """Whether this process is the one to do ``what`` just now; to be asked again every few seconds."""

    async def let_go(self) -> None:
        """Give up what was held, so that another process takes it at once."""

    def follow(self, address: str, after: int) -> AsyncIterator[dict[str, Any] | None]:
        """The messages of a chat: history, then live."""

    def typing(self, address: str) -> None:
        """The customer is typing there."""

    def chat(self, address: str) -> int:
        """The number the chat at an address has, or will have."""


class Channel:
    """What the application asks of a channel; what a platform does not have is left as it is here."""

    can = Can()
    desk = ""  # where our own people work: the place that threads are begun in; "" = nowhere here
    office: Office  # set before anything else is asked of it

    def __init__(self, *, name: str) -> None:
        self.name = name

    def routes(self) -> list[Any]:
        """Its Starlette routes."""
        return []

    async def run(self) -> None:
        """Listen, if it has to, until cancelled."""

    def at(self, address: str) -> Can:
        """What can be done at an address, should places differ."""
        return self.can

    def place(self, address: str) -> tuple[str, bool]:
        """The place whose budget a message to this address uses, and whether it is a group."""
        return address, False

    async def typing(self, address: str) -> None:
        """Show that somebody is typing; asked only if ``can.typing``."""

    async def send(self, address: str, reply: Reply, key: str) -> str:
        """Send one reply; ``key`` is the same for every attempt. Returns the platform's id of it."""
        raise Refused("this channel sends nothing")

    async def awake(self) -> None:
        """Ask the platform something harmless; raises anything as long as it does not answer."""

    async def begin(self, title: str, head: Reply, key: str) -> str:
        """Open a thread at the desk, with a title and first message; returns its address. Raises as ``send`` does."""
        raise Refused("there is no desk here")

    async def member(self, sender: str) -> str:
        """Why somebody who writes at the desk is none of the company's own people, "" if he may be one.

        Raises anything when nobody can say just now.
        """
        return ""

    async def bring(self, id: str, errand: Mapping[str, Any]) -> None:
        """Fetch a file and keep it under its id for ``errand["owner"]``; raises Lost, FileRefused, else: try again."""
        raise Refused("no files come from here")

    async def close(self) -> None:
        """Let go of connections; nothing is sent after it."""

    async def check(self) -> list[tuple[bool, str]]:
        """Ask the platform whether all is set up: is it right, and if not, what is wrong and where to click."""
        return [(True, "nothing to set up")]

    async def setup(self) -> list[str]:
        """Register webhook, commands and descriptions; returns what was done, and what was not as ``FAILED: …``."""
        return []


def make(name: str, settings: Mapping[str, Any], offered: Mapping[str, Any]) -> Channel:
    """The channel of a block of config.yaml: ``type`` names the module, the rest are its constructor's parameters.

    Of what the house ``offered`` it gets the parameters that it asks for by name.
    """
    kind = settings["type"]
    found = getattr(import_module(f"channels.{kind}"), kind.capitalize())
    asked = signature(found).parameters
    own = {key: value for key, value in settings.items() if key != "type"}
    channel: Channel = found(**{k: v for k, v in offered.items() if k in asked} | own, name=name)
    return channel
