"""What reading Telegram's updates depends on, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.messages import Inbound
from channels import DeskWord, Unknown


@dataclass(frozen=True, slots=True)
class Context:
    """What reading depends on beside the update: which channel of ours this is, and who we are on Telegram."""

    channel: str
    secret: str
    id: int  # ours
    username: str = ""  # ours; "" while Telegram has not told
    answer_unasked: bool = False  # in a group, when very sure
    moved: Mapping[int, int] = field(default_factory=dict)  # supergroup -> the group it once was
    desk: int = 0  # the group in which our own people work, where nobody is a customer

    def introduced(self, me: Mapping[str, Any]) -> Context:
        """The same context, with what getMe told; raises Unknown if that cannot be read."""
        try:
            return replace(self, id=int(me["id"]), username=str(me.get("username") or ""))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unknown("getMe tells nothing of us") from error

    def with_moved(self, moved: Mapping[int, int]) -> Context:
        """The same context, with more groups that have become supergroups."""
        return replace(self, moved={**self.moved, **moved})


@dataclass(frozen=True, slots=True)
class Press:
    """A button that waits for an answer."""

    id: str
    mine: bool = True  # pressed by whoever was asked
    language: str = ""
    chat: int = 0
    message: int = 0
    keyboard: Sequence[Sequence[Mapping[str, Any]]] = ()  # how it is to look now; empty: leave it


@dataclass(frozen=True, slots=True)
class Heard:
    """What an update comes to: an event, notes to be kept with it, a button to be answered; or nothing at all."""

    inbound: Inbound | None = None
    notes: Mapping[str, bytes | None] = field(default_factory=dict)
    press: Press | None = None
    desk: DeskWord | None = None  # said at the desk, by whomever
