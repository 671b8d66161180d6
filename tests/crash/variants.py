"""Pipelines broken on purpose, to see that the checker sees it: composed around ``Store`` and ``Inbox``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, cast
from urllib.request import Request, urlopen

from sqlalchemy import Connection, select, update

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

    async def write(self, work: Work[Any], *, first: bool = False) -> Any:
        def sending(connection: Any) -> Any:
            result = work(connection)
            if not getattr(work, "__qualname__", "").startswith("Worker._commit"):
                return result
            new = (reply.c.state == "waiting", reply.c.channel == "platform")
            for row in connection.execute(select(reply).where(*new).order_by(reply.c.id)).all():
                self._send({"address": row.address, "key": f"r{row.id}", "text": row.body["text"]})
            connection.execute(update(reply).where(*new).values(state="sent", due_at=None, attempts=1))
            return result

        sending.__qualname__ = work.__qualname__
        return await super().write(sending, first=first)

    def _send(self, what: dict[str, Any]) -> None:
        data, headers = json.dumps(what).encode(), {"Content-Type": "application/json"}
        with urlopen(Request(f"{self.provider}/send", data, headers)):  # noqa: S310 - the stand-in on loopback
            pass


class CommitsTwice(Mortal):
    """Keeps the state in one transaction and the replies in the next."""

    async def write(self, work: Work[Any], *, first: bool = False) -> Any:
        if not getattr(work, "__qualname__", "").startswith("Worker._commit"):
            return await super().write(work, first=first)
        held: list[tuple[str, Any]] = []

        def holding(connection: Any) -> Any:
            return work(cast("Connection", _Holding(connection, held)))

        holding.__qualname__ = work.__qualname__
        result = await super().write(holding, first=first)
        await super().write(lambda c: [c.exec_driver_sql(*statement) for statement in held], first=first)
        return result


class _Holding:
    """A connection that keeps back what is written into the outbox."""

    def __init__(self, connection: Any, held: list[tuple[str, Any]]) -> None:
        self._connection, self._held = connection, held

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def exec_driver_sql(self, statement: str, values: Any) -> Any:
        if statement.startswith("INSERT INTO reply"):
            return self._held.append((statement, values))
        return self._connection.exec_driver_sql(statement, values)


INBOXES = {"acknowledge, then commit": AcknowledgesFirst, "high-water mark": HighWaterMark}
STORES = {"send, then commit": SendsThenCommits, "state and outbox apart": CommitsTwice}
