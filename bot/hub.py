"""Who follows which chat: new messages reach the streams of this process the moment they are committed."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any

from sqlalchemy import Connection, select

from bot.inbox import chat_id
from bot.rows import Said, event_data
from bot.store import Away, Store
from bot.tables import message

Event = dict[str, Any]
PAGE = 200  # messages read at once
SILENCE = 15.0  # seconds after which a stream gets a sign of life
BACKLOG = 1000  # events a slow reader may be behind before he has to read the database again


class Hub:
    """The streams of this process, by (channel, address)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.process = secrets.token_hex(8)  # the name this process has among those that share the database
        self._streams: dict[tuple[str, str], set[asyncio.Queue[Event | None]]] = defaultdict(set)

    def publish(self, said: Iterable[Said]) -> None:
        """Messages that were just committed."""
        for one in said:
            if streams := self._streams.get((one.channel, one.address)):
                self._put(streams, {"event": "message", "seq": one.seq, "data": one.data})

    def tell(self, channel: str, address: str, event: str, data: dict[str, Any]) -> None:
        """Something that is not kept: typing, read."""
        if streams := self._streams.get((channel, address)):
            self._put(streams, {"event": event, "seq": None, "data": data})

    def heard(self, payload: str) -> None:
        """A process committed messages: if it was another one, the followers of those chats look into the database."""
        told = json.loads(payload)
        if told["from"] == self.process:
            return
        places = told["at"]
        keys = [(c, a) for c, addresses in places.items() for a in addresses] if places else list(self._streams)
        for key in keys:
            if streams := self._streams.get(key):
                self._put(streams, {"event": "look", "seq": None, "data": {}})

    def wake(self) -> None:
        """End every wait, e.g. because the server stops."""
        for streams in self._streams.values():
            self._put(streams, None)

    @staticmethod
    def _put(streams: Iterable[asyncio.Queue[Event | None]], event: Event | None) -> None:
        for queue in streams:
            if queue.qsize() >= BACKLOG:
                while not queue.empty():
                    queue.get_nowait()
                event = {"event": "look", "seq": None, "data": {}} if event else None
            queue.put_nowait(event)

    async def follow(self, channel: str, address: str, after: int) -> AsyncIterator[Event | None]:
        """Events of a chat after a sequence number: history first, then live. None = nothing for a while.

        A hole in the numbers (another process wrote, a reader was slow) is filled from the database.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        streams = self._streams[channel, address]
        streams.add(queue)
        behind = True  # the database has more than we showed
        try:
            while True:
                while behind and (page := await self._history(channel, address, after)):
                    for missed in page:
                        after = missed["seq"]
                        yield missed
                event = await _next(queue)
                if event is None:
                    return
                seq = event["seq"]
                behind = event["event"] in ("look", "silence") or (seq or 0) > after + 1
                if seq == after + 1:
                    after = seq
                    yield event
                elif event["event"] == "silence":
                    yield None
                elif seq is None and event["event"] != "look":
                    yield event
        except Away:
            return  # the customer's browser comes again
        finally:
            streams.discard(queue)
            if not streams:
                self._streams.pop((channel, address), None)

    async def _history(self, channel: str, address: str, after: int) -> list[Event]:
        def read(connection: Connection) -> list[Event]:
            columns = (m.c.seq, m.c.native, m.c.author, m.c.text, m.c.choices, m.c.attachments, m.c.created_at)
            query = select(*columns).where(m.c.chat_id == chat_id(channel, address), m.c.seq > after)
            rows = connection.execute(query.order_by(m.c.seq).limit(PAGE))
            return [{"event": "message", "seq": row.seq, "data": event_data(row._asdict())} for row in rows]

        m = message
        return await self._store.read(read)


async def _next(queue: asyncio.Queue[Event | None]) -> Event | None:
    """The next event, or a silence; None ends the stream."""
    try:
        async with asyncio.timeout(SILENCE):
            return await queue.get()
    except TimeoutError:
        return {"event": "silence", "seq": None, "data": {}}
