"""The way in for all desks: a command is checked, booked and received like any event, and its outcome is waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import Connection, select

from bot.inbox import Inbox
from bot.messages import Attachment, Inbound, Kind
from bot.rows import CommandResult
from bot.store import Store
from bot.tables import chat, conversation, inbox
from handoff.agents import Actor, access, audit
from handoff.tables import command_result

PATIENCE: Final = 3.0  # seconds a desk waits for the outcome
LOOK: Final = 0.2  # seconds between two looks at the database, should another process have done it
SECRET: Final = frozenset({"text"})  # what was said stands in the chat, not in the audit


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a command. ``lost``: not done, for ``data["reason"]`` (taken: ``by`` names the winner)."""

    state: Literal["done", "lost", "under way"]
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status that says so."""
        return {"done": 200, "lost": 409, "under way": 202}[self.state]


class Door:
    """Takes agents' commands. ``heard`` is told what this process has recorded."""

    def __init__(self, store: Store, inbox: Inbox) -> None:
        self._store, self._inbox = store, inbox
        self._waiting: dict[tuple[int, int], asyncio.Future[Told]] = {}  # (chat, seq) of a command

    def heard(self, results: Sequence[CommandResult]) -> None:
        """Outcomes that were just committed."""
        for one in results:
            if (future := self._waiting.get((one.chat_id, one.seq))) and not future.done():
                future.set_result(_told(one.done, one.data))

    async def command(
        self,
        actor: Actor,
        number: str,
        name: str,
        data: Mapping[str, Any],
        key: str,
        attachments: Sequence[Attachment] = (),
    ) -> Told:
        """Do ``name`` to the conversation of this number; ``key`` is the desk's own: twice the same is done once.

        Raises Denied or Unknown (handoff/agents.py) when it is not the actor's to do, ``store.Away``.
        """
        extra = {**data, "command": name, "agent": actor.id}
        channel, address = await self._store.read(lambda c: _place(c, actor, number))
        key = f"agent:{actor.id}:{key}"
        event = Inbound(channel, key, address, Kind.COMMAND, attachments=tuple(attachments), extra=extra)
        booked, did = {k: v for k, v in data.items() if k not in SECRET}, f"conversation.{name}"
        [receipt] = await self._inbox.receive([event], lambda c: audit(c, actor, did, number, booked))
        return await self._outcome(channel, key, (receipt.chat_id or 0, receipt.seq))

    async def _outcome(self, channel: str, key: str, place: tuple[int, int]) -> Told:
        future = self._waiting.setdefault(place, asyncio.get_running_loop().create_future())
        end = time.monotonic() + PATIENCE
        try:
            while True:
                if told := await self._store.read(lambda c: _result(c, channel, key)):
                    return told
                if (left := end - time.monotonic()) <= 0:
                    return Told("under way")
                with suppress(TimeoutError):
                    return await asyncio.wait_for(asyncio.shield(future), min(LOOK, left))
        finally:
            self._waiting.pop(place, None)


def _place(connection: Connection, actor: Actor, number: str) -> tuple[str, str]:
    """The channel and address of a conversation's customer. Raises Denied, Unknown."""
    access(connection, actor, number, "conversation.command")
    its = select(chat.c.channel, chat.c.address).join(conversation, conversation.c.chat_id == chat.c.id)
    found = connection.execute(its.where(conversation.c.number == number)).one()
    return found.channel, found.address


def _result(connection: Connection, channel: str, key: str) -> Told | None:
    its = select(command_result).join(inbox, inbox.c.id == command_result.c.inbox_id)
    row = connection.execute(its.where(inbox.c.channel == channel, inbox.c.dedup_key == key)).first()
    return _told(row.done, row.data) if row else None


def _told(done: bool, data: Mapping[str, Any]) -> Told:
    return Told("done" if done else "lost", dict(data))
