"""Agents' commands from any desk: checked, audited, received like every event, and their outcome waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from sqlalchemy import Connection, select

from bot.inbox import Inbox, body
from bot.jsontext import dumps, loads
from bot.messages import BY_HAND, Attachment, Inbound, Kind
from bot.rows import CommandResult
from bot.storable import storable
from bot.store import Store
from bot.tables import chat, conversation, inbox, ticket
from handoff import customers, sessions, tickets
from handoff.access import Actor, NotFound, audit, require
from handoff.tables import agent, command_result

PATIENCE: Final = 3.0  # seconds a desk waits for the outcome
LOOK: Final = 0.2  # seconds between two looks at the database, should another process have done it
NOTED: Final = 30.0  # seconds between two notes that somebody is there
SECRET: Final = frozenset({"text", "subject", "details", "called"})  # what was said stands elsewhere


class Reused(Exception):
    """The key of a command was used before, for something else."""

    def __init__(self) -> None:
        super().__init__("this key was used for another command already; every command needs its own")


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What came of a command. ``lost``: not done, for ``data["reason"]`` (taken: ``by`` names the winner)."""

    state: Literal["done", "lost", "under way"]
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status that says so."""
        return {"done": 200, "lost": 409, "under way": 202}[self.state]


@dataclass(frozen=True, slots=True)
class _Place:
    subject: str  # conversation or ticket: what the command is done to
    channel: str
    address: str
    seen_at: float  # when its author was there last


class Commands:
    """The one way in for agents' commands. ``heard`` is told what this process has recorded."""

    def __init__(self, store: Store, inbox: Inbox, reach: customers.Reach = customers.ANY) -> None:
        self._store, self._inbox, self._reach = store, inbox, reach
        self._waiting: dict[tuple[int, int], asyncio.Future[CommandOutcome]] = {}  # (chat, seq) of a command
        self._coming: set[tuple[str, str]] = set()  # (channel, key) of commands that are being received

    def heard(self, results: Sequence[CommandResult]) -> None:
        """Hand outcomes that were just committed to those who wait for them."""
        for one in results:
            if (future := self._waiting.get((one.chat_id, one.seq))) and not future.done():
                future.set_result(_told(one.done, one.data))

    async def do(
        self,
        actor: Actor,
        number: str,
        name: str,
        data: Mapping[str, Any],
        key: str,
        attachments: Sequence[Attachment] = (),
    ) -> CommandOutcome:
        """Do ``name`` to the conversation, or the ticket, of this number, or for the customer with this id.

        A customer's command is ``ticket_open`` or ``start``; without an id it registers what a new one called
        ``data["called"]`` has asked for. It is done in the chat he used last; who cannot be written to has one that
        people keep by hand.

        ``key`` is the desk's own: twice the same is done once. What was not the actor's to see cannot be reached by
        it: the number goes with the command, and the desk does it to no other conversation (handoff/desk.py).
        Raises Denied or NotFound (handoff/access.py) when it is not the actor's to do, Reused, ``store.Away``.
        """
        key = f"agent:{actor.id}:{key}"
        try:
            place = await self._store.read(lambda c: _place(c, actor, number, name, key, self._reach))
        except customers.Unreachable as refused:
            return CommandOutcome("lost", {"reason": refused.reason})
        extra = {**data, "command": name, "agent": actor.id, place.subject: number}
        event = Inbound(place.channel, key, place.address, Kind.COMMAND, place.address, str(data.get("called") or ""))
        event = storable(replace(event, attachments=tuple(attachments), extra=extra))
        if event.address is None:
            raise NotFound("a command's key is at most 300 characters, without control characters")
        told = {k: v for k, v in event.extra.items() if k in data and k not in SECRET}

        first = (event.channel, key) not in self._coming  # the same may come twice at once
        self._coming.add((event.channel, key))

        def book(connection: Connection) -> None:
            if place.channel == BY_HAND and place.subject == "customer" and number:
                customers.by_hand(connection, int(number))
            if first and not _known(connection, event):
                audit(connection, actor, f"{place.subject}.{name}", number, told)

        try:
            [receipt] = await self._inbox.receive([event], book)
        finally:
            self._coming.discard((event.channel, key))
        outcome = await self._outcome(event, (receipt.chat_id or 0, receipt.seq))
        if time.time() - place.seen_at > NOTED:  # who works is there, whatever desk he works at
            await self._store.write(lambda c: sessions.there(c, actor))
        return outcome

    async def _outcome(self, event: Inbound, place: tuple[int, int]) -> CommandOutcome:
        future = self._waiting.setdefault(place, asyncio.get_running_loop().create_future())
        end = time.monotonic() + PATIENCE
        try:
            while True:
                if told := await self._store.read(lambda c: _result(c, event)):
                    return told
                if (left := end - time.monotonic()) <= 0:
                    return CommandOutcome("under way")
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(LOOK, left)):
                        return await asyncio.shield(future)
        finally:
            self._waiting.pop(place, None)


def _place(
    connection: Connection, actor: Actor, number: str, name: str, key: str = "", reach: customers.Reach = customers.ANY
) -> _Place:
    """Where the customer is, by a conversation, a ticket or his id. Raises Denied, NotFound, customers.Unreachable."""
    seen_at = connection.scalar(select(agent.c.seen_at).where(agent.c.id == actor.id)) or 0.0
    if number.isdecimal() or not number:
        if name != "ticket_open" and not (name == "start" and number):
            raise NotFound("that cannot be done to a customer")
        require(connection, actor, number, "customer.command")
        return _Place("customer", *_of_customer(connection, actor, number, name, key, reach), seen_at)
    if number.startswith("T-"):
        if name not in tickets.COMMANDS:
            raise NotFound("that cannot be done to a ticket")
        subject, found = "ticket", select(chat.c.channel, chat.c.address).join(ticket, ticket.c.chat_id == chat.c.id)
        found = found.where(ticket.c.number == number)
    else:
        subject = "conversation"
        found = select(chat.c.channel, chat.c.address).join(conversation, conversation.c.chat_id == chat.c.id)
        found = found.where(conversation.c.number == number)
    require(connection, actor, number, f"{subject}.command")
    its = connection.execute(found).one()
    return _Place(subject, its.channel, its.address, seen_at)


def _of_customer(
    connection: Connection, actor: Actor, number: str, name: str, key: str, reach: customers.Reach
) -> tuple[str, str]:
    """The channel and the address of the chat in which it is done."""
    if not number:
        return BY_HAND, key
    if name == "ticket_open":
        his = customers.chats(connection, int(number))
        return (his[0].channel, his[0].address) if his else (BY_HAND, f"customer:{number}")
    found = customers.reached(connection, int(number), reach)
    its = select(conversation.c.number).where(conversation.c.chat_id == found.id, conversation.c.owner != "none")
    if talking := connection.scalar(its):
        require(connection, actor, talking, "conversation.command")
    return found.channel, found.address


def _known(connection: Connection, event: Inbound) -> bool:
    """Whether the command was received before: it is written down once."""
    its = select(inbox.c.id).where(inbox.c.channel == event.channel, inbox.c.dedup_key == event.key)
    return connection.scalar(its) is not None


def _result(connection: Connection, event: Inbound) -> CommandOutcome | None:
    its = select(inbox.c.body, command_result.c.done, command_result.c.data)
    its = its.outerjoin(command_result, command_result.c.inbox_id == inbox.c.id)
    row = connection.execute(its.where(inbox.c.channel == event.channel, inbox.c.dedup_key == event.key)).first()
    if row and row.body != loads(dumps(body(event))):
        raise Reused
    return _told(row.done, row.data) if row and row.done is not None else None


def _told(done: bool, data: Mapping[str, Any]) -> CommandOutcome:
    return CommandOutcome("done" if done else "lost", dict(data))
