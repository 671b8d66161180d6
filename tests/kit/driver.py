"""How the kit reaches a channel: what a driver must bring, and the words its cases use.

To put a new channel through the kit, write a driver (``tests/kit/toy.py`` is the shortest) and name it in
``tests/test_every_channel.py``. What the platform does not have is declared in ``cannot`` with the reason; cases that
need it are then not collected for this channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from channels import Channel

ABILITIES = {
    "crowd": "several customers write at the same time",
    "again": "the platform may bring an event again, under the same id",
    "twin": "it may bring it again in other bytes: re-encrypted, or as an event of another name",
    "retry": "what is not acknowledged comes again",
    "hook": "events come in as HTTP requests, which anybody can make",
    "signed": "requests carry a proof of who made them",
    "dated": "that proof has a date",
    "odd": "it may bring events that nobody here can read",
    "buttons": "choices are pressed",
    "late": "a press is to be answered quickly, and is too old for it later",
    "others": "somebody else can see the buttons and press them",
    "edit": "messages can be changed by who wrote them",
    "delete": "messages can be taken back",
    "files": "customers send files, which are fetched afterwards",
    "files_out": "files can be sent",
    "net": "replies go over a network that can fail in every way",
    "gone": "a customer can make himself unreachable",
    "limits": "a message has a largest size there",
    "pace": "the platform refuses, or drops, what is sent too quickly",
    "held": "one process at a time listens",
}
WENT_WRONG = {
    "busy": "429, and when to come again: it was not taken",
    "broken": "5xx: it was not taken",
    "lost": "it is taken, and the connection breaks before the answer",
    "kept": "it is taken, and the answer never comes",
    "gone": "the customer cannot be reached any more",
    "refused": "this message will never be taken",
}
ANN, LI, PUBLIC = 0, 1, 9  # two customers in private; a public place, where ANN has asked


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as somebody sees it; ``raw`` is the platform's own."""

    words: str
    buttons: tuple[str, ...] = ()
    raw: Any = None


class Driver:
    """One platform and its people, at a wire-level stand-in. Events are values, made first and delivered later."""

    name: ClassVar[str]
    cannot: ClassVar[Mapping[str, str]] = {}  # ability -> why there is no such thing here
    own_repeats: ClassVar[int] = (
        2  # how often a reply may be seen whose outcome was unknown; 1: the platform drops repeats
    )
    duty: ClassVar[str] = ""  # what the process that listens holds
    somewhere: ClassVar[str] = "somewhere"  # an address, if what can be done depends on it
    burst: ClassVar[int] = 12  # messages that one customer may write in a row and have answered

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def tasks(self) -> set[Any]:
        """The platform's own tasks, which outlive ours."""
        return set()

    def channel(self) -> Channel:
        """The channel, as config.yaml would make it for this platform; made anew for each life."""
        raise NotImplementedError

    async def connect(self, url: str) -> None:
        """The application is up, with its door at ``url``."""

    async def disconnect(self) -> None:
        """It is about to end."""

    # ------------------------------------------------------------ what happens there

    def text(self, words: str, who: int = ANN) -> Any:
        """Somebody writes; ``who`` may be PUBLIC: ANN asks us where others read along."""
        raise NotImplementedError

    def press(self, seen: Seen, label: str, who: int = ANN) -> Any:
        """Somebody presses a button."""
        raise NotImplementedError

    def late(self) -> None:
        """From now on presses are told of too late to be answered quickly."""
        raise NotImplementedError

    def edit(self, event: Any, words: str) -> Any:
        """What was written is changed."""
        raise NotImplementedError

    def delete(self, event: Any) -> Any:
        """What was written is taken back."""
        raise NotImplementedError

    def picture(self, content: bytes, name: str = "a.png", who: int = ANN) -> Any:
        """Somebody sends a file. ``self.no_file()`` makes the next fetch of it fail."""
        raise NotImplementedError

    def no_file(self) -> None:
        """The next time a file is asked for, the platform fails."""
        raise NotImplementedError

    def twin(self, event: Any) -> Any:
        """The same event as the platform may tell of it once more."""
        raise NotImplementedError

    def odd(self) -> list[Any]:
        """Events of kinds that nobody here knows, and bytes that are no event at all."""
        raise NotImplementedError

    # ------------------------------------------------------------ how we are told

    async def deliver(self, event: Any) -> bool:
        """Tell us once; whether it was acknowledged."""
        raise NotImplementedError

    async def tell(self, event: Any) -> bool:
        """Tell us as the platform does, again and again as far as it does; whether it was acknowledged."""
        return await self.deliver(event)

    async def forged(self) -> list[int]:
        """The statuses that forgeries of every kind get."""
        raise NotImplementedError

    async def stale(self) -> list[int]:
        """The statuses that rightly signed requests of another time get."""
        raise NotImplementedError

    async def oversized(self) -> int:
        """The status a rightly signed request gets that is larger than 1 MiB."""
        raise NotImplementedError

    # ------------------------------------------------------------ what people see

    def seen(self, who: int = ANN) -> list[Seen]:
        """What a customer sees, oldest first."""
        raise NotImplementedError

    def readers(self) -> Sequence[int]:
        """Those who have looked into their chat so far."""
        return (ANN,)

    async def files_seen(self, who: int = ANN) -> list[bytes]:
        """The files a customer was sent."""
        raise NotImplementedError

    def fault(self, *kinds: str) -> None:
        """What becomes of the next messages of ours, each in turn; see WENT_WRONG."""
        raise NotImplementedError

    def hurried(self) -> int:
        """How many messages of ours came quicker than the platform lets us; asked after ``strict``."""
        raise NotImplementedError

    def strict(self) -> None:
        """From now on it refuses, or drops, what comes too quickly."""
        raise NotImplementedError

    def size(self, seen: Seen) -> int:
        """How long a message is, as the platform counts."""
        raise NotImplementedError

    largest: ClassVar[int] = 0  # message, as the platform counts
