"""Where messages come from and go to: one file per platform, its name is its ``type`` in config.yaml.

A channel knows messages and what ``Office`` offers it, and nothing else of ours. Adding one is one file:

1. ``read``: a pure function from the platform's event to an ``Inbound``;
2. ``routes`` (webhooks) or ``run`` (a listening loop) that hands the events to ``office.receive`` and acknowledges after it;
3. ``send``: one reply to one address; it returns the platform's id of it or raises NotSent, Unknown or Refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import Any, Protocol

from bot.messages import Inbound, Reply


class NotSent(Exception):
    """The platform certainly did not take it (refused connection, 429, 5xx): try again, not before ``retry_after`` s."""

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Unknown(Exception):
    """Nobody can say whether it was taken, e.g. a timeout after the request was written."""


class Refused(Exception):
    """The platform will never take it. ``gone``: the customer cannot be reached any more."""

    def __init__(self, why: str, *, gone: bool = False) -> None:
        super().__init__(why)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Can:
    """What a platform can do, as data."""

    buttons: bool = True
    shows_itself: bool = False  # it reads messages from the database: nothing is to be sent
    max_text: int = 4000  # characters of one message


class Office(Protocol):
    """What the application offers a channel."""

    async def receive(self, inbounds: Sequence[Inbound]) -> list[Any]:
        """Store events; returns receipts (chat_id, seq, fresh) after the commit."""

    def follow(self, address: str, after: int) -> AsyncIterator[dict[str, Any] | None]:
        """The messages of a chat: history, then live."""

    def chat(self, address: str) -> int:
        """The number the chat at an address has, or will have."""


class Channel(Protocol):
    """What the application asks of a channel."""

    name: str
    can: Can
    office: Office  # set before anything else is asked of it

    def routes(self) -> list[Any]:
        """Its Starlette routes."""

    async def run(self) -> None:
        """Listen, if it has to, until cancelled."""

    async def send(self, address: str, reply: Reply, key: str) -> str:
        """Send one reply; ``key`` is the same for every attempt. Returns the platform's id of it."""


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
