"""How a place on Telegram is written as an address, and whom a button in a group is for."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass

_TAG = 3  # characters that name the asker; a choice has at most 60 bytes, a button's data 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where a customer is: a private chat, or he himself in a group or one of its topics."""

    chat: int
    topic: int | None = None
    user: int | None = None  # None: the chat is private, or our own people's
    matter: str = ""  # in a group of our own people without topics: the conversation that it is about

    def __str__(self) -> str:
        """The address of a place of our own people."""
        return f"{self.chat}~{self.matter}" if self.matter else f"{self.chat}:{self.topic}"


def address_of(chat: int, topic: int | None, user: int, *, group: bool) -> str:
    """``12345`` in private, ``-100123#42`` in a group, ``-100123:7#42`` in a topic of it."""
    if not group:
        return str(chat)
    return f"{chat}:{topic}#{user}" if topic else f"{chat}#{user}"


def place_of(address: str) -> Place:
    """The place an address names."""
    where, _, matter = address.partition("~")
    where, _, user = where.partition("#")
    chat, _, topic = where.partition(":")
    return Place(int(chat), int(topic) if topic else None, int(user) if user else None, matter)


def button_data(choice: str, user: int | None, secret: str) -> str:
    """What a button carries: the choice and, where others can press it, whom it is for."""
    return choice if user is None else f"{choice}~{_tag(user, secret)}"


def asker_of(data: str, user: int, secret: str) -> tuple[str, bool]:
    """The choice a button carries, and whether it is for this person."""
    choice, _, tag = data.rpartition("~")
    return choice, hmac.compare_digest(tag.encode(), _tag(user, secret).encode())


def _tag(user: int, secret: str) -> str:
    return urlsafe_b64encode(hmac.digest(secret.encode(), f"asker:{user}".encode(), "sha256"))[:_TAG].decode()
