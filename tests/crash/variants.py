"""Pipelines broken on purpose, to see that the checker sees it: composed around ``Store`` and ``Inbox``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

from sqlalchemy import Connection, select, update

from bot import rows
from bot.bulk import Row
from bot.inbox import Also, Inbox, Receipt, chat_id
from bot.messages import Inbound
from bot.store import Work
from bot.tables import reply
from tests.crash.points import Mortal


class AcknowledgesFirst(Inbox):
    """Acknowledges what it will commit in a moment."""

    _later: set[asyncio.Task[Any]] = set()  # noqa: RUF012 - one inbox per process

    async def receive(self, inbounds: Sequence[Inbound], also: Also | None = None) -> list[Receipt]:
        async def commit() -> None:
            await asyncio.sleep(0.1)
            await Inbox.receive(self, inbounds, also)

        self._later.add(asyncio.create_task(commit()))
        return [Receipt(chat_id(one.channel, one.address or ""), 0, fresh=True) for one in inbounds]


class HighWaterMark(Inbox):
    """Takes an update for a repetition when a later one has been seen."""

    _highest: dict[str, int] = {}  # noqa: RUF012 - one inbox per process

    async def receive(self, inbounds: Sequence[Inbound], also: Also | None = None) -> list[Receipt]:
        return [await self._one(one) for one in inbounds]

    async def _one(self, one: Inbound) -> Receipt:
        place, mark = str(one.address), int(one.native) if one.native.isdigit() else 0
        if mark and mark <= self._highest.get(place, 0):
            return Receipt(chat_id(one.channel, place), 0, fresh=False)
        self._highest[place] = mark
        [receipt] = await super().receive([one])
        return receipt


class SendsThenCommits(Mortal):
    """Sends the replies of a turn from within the transaction that records them."""

    async def write(self, work: Work[Any], *, first: bool = False, shared: bool = False) -> Any:
        def sending(connection: Any) -> Any:
            result = work(connection)
            if not _named(work).startswith("Worker._commit"):
                return result
            new = (reply.c.state == "waiting", reply.c.channel == "platform")
            for row in connection.execute(select(reply).where(*new).order_by(reply.c.id)).all():
                self._send({"address": row.address, "key": f"r{row.id}", "text": row.body["text"]})
            connection.execute(update(reply).where(*new).values(state="sent", due_at=None, attempts=1))
            return result

        sending.__qualname__ = _named(work)
        return await super().write(sending, first=first, shared=shared)

    def _send(self, what: dict[str, Any]) -> None:
        data, headers = json.dumps(what).encode(), {"Content-Type": "application/json"}
        with urlopen(Request(f"{self.provider}/send", data, headers)):  # noqa: S310 - the stand-in on loopback
            pass


class CommitsTwice(Mortal):
    """Keeps the state in one transaction and the replies in the next."""

    async def write(self, work: Work[Any], *, first: bool = False, shared: bool = False) -> Any:
        if not _named(work).startswith("Worker._commit"):
            return await super().write(work, first=first, shared=shared)
        held: list[Row] = []

        def holding(connection: Any) -> Any:
            with _held_back(held):
                return work(connection)

        holding.__qualname__ = _named(work)
        result = await super().write(holding, first=first, shared=shared)
        await super().write(lambda c: rows.REPLIES(c, held), first=first, shared=shared)
        return result


@contextmanager
def _held_back(held: list[Row]) -> Iterator[None]:
    """What is written into the outbox meanwhile is kept back."""
    whole: Any = rows.NEW

    def without(connection: Connection, messages: Sequence[Row], replies: Sequence[Row], *more: Sequence[Row]) -> None:
        held.extend(replies)
        whole(connection, messages, (), *more)

    rows.NEW = without  # type: ignore[assignment]
    try:
        yield
    finally:
        rows.NEW = whole


def _named(work: Work[Any]) -> str:
    """Whose work it is; a partial has no name."""
    return getattr(work, "__qualname__", "")


INBOXES = {"acknowledge, then commit": AcknowledgesFirst, "high-water mark": HighWaterMark}
STORES = {"send, then commit": SendsThenCommits, "state and outbox apart": CommitsTwice}
