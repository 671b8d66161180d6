"""What the engine remembers of one chat, from one turn to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bot.messages import Attachment


@dataclass(frozen=True, slots=True)
class Pending:
    """Words of a burst that wait for what follows. ``inbox_id`` is the row they came in."""

    inbox_id: int
    text: str
    attachments: tuple[Attachment, ...] = ()
    native: str = ""  # the platform's id of the message, should it be changed while it waits


@dataclass(frozen=True, slots=True)
class Talk:
    """The engine's memory of one chat: JSON in the chat's row, bounded in size whatever the history."""

    language: str = ""  # kept preference; "" = not yet known
    language_chosen: bool = False  # the customer said so himself: script no longer changes it
    flow: str = ""  # name of the running flow, "" = none
    journal: tuple[tuple[str, Any], ...] = ()  # (step name, answer) of the running flow
    asked: str = ""  # name of the step whose answer is awaited
    misses: int = 0  # answers in a row that did not fit the step
    unknowns: int = 0  # questions in a row that could not be answered
    pending: tuple[Pending, ...] = ()
    last_entry: str = ""  # FAQ entry last answered with
    last_question: str = ""  # the customer's last free question, <= 500 characters
    offered: tuple[tuple[str, str], ...] = ()  # (choice id, label) of the last buttons, for typed answers
    stopped: bool = False  # the customer asked us not to write on our own
    answered: int = 0  # FAQ answers given in this conversation
    extra: Mapping[str, Any] = field(default_factory=dict)  # see ``Memory``

    def but(self, **changes: Any) -> Talk:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, only what differs from an empty talk."""
        changed = {name: getattr(self, name) for name, empty in _EMPTY if getattr(self, name) != empty}
        if self.pending:
            changed["pending"] = [asdict(p) for p in self.pending]
        return changed

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Talk:
        """Read back what ``as_json`` wrote; fields of another version are ignored."""
        known = {k: v for k, v in data.items() if k in cls.__dataclass_fields__}
        if "pending" in known:
            known["pending"] = tuple(
                Pending(p["inbox_id"], p["text"], tuple(Attachment(**a) for a in p["attachments"]), p.get("native", ""))
                for p in known["pending"]
            )
        for name in known.keys() & {"journal", "offered"}:
            known[name] = tuple((k, v) for k, v in known[name])
        return cls(**known)


_EMPTY = tuple((name, getattr(Talk(), name)) for name in Talk.__dataclass_fields__)
