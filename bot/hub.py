"""Who follows which chat: new messages reach the streams of this process the moment they are committed."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any

from sqlalchemy import Connection, select

from bot.effects import Said, event_data
from bot.inbox import chat_id
from bot.store import Store
from bot.tables import message

Event = dict[str, Any]
PAGE = 200  # messages read at once
SILENCE = 15.0  # seconds after which a stream gets a sign of life
BACKLOG = 1000  # events a slow reader may be behind before he has to read the database again


class Hub:
    """The streams of this process, by (channel, address)."""

    def __init__(self, store: Store) -> None:
        self._store = store
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
        """Another process committed messages: the followers of those chats look into the database."""
        places = json.loads(payload)
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
        try:
            while page := await self._history(channel, address, after):
                for event in page:
                    after = event["seq"]
                    yield event
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), SILENCE)
                except TimeoutError:
                    event = {"event": "look", "seq": None, "data": {}}
                    yield None
                if event is None:
                    return
                if event["seq"] == after + 1:
                    after += 1
                    yield event
                elif event["event"] == "look" or (event["seq"] or 0) > after:
                    while page := await self._history(channel, address, after):
                        for missed in page:
                            after = missed["seq"]
                            yield missed
                elif event["seq"] is None:
                    yield event
        finally:
            streams.discard(queue)
            if not streams:
                self._streams.pop((channel, address), None)

    async def _history(self, channel: str, address: str, after: int) -> list[Event]:
        def read(connection: Connection) -> list[Event]:
            columns = (m.c.seq, m.c.native, m.c.author, m.c.text, m.c.choices, m.c.attachments, m.c.created_at)
            query = select(*columns).where(m.c.chat_id == chat_id(channel, address), m.c.seq > after)
            rows = connection.execute(query.order_by(m.c.seq).limit(PAGE)).mappings()
            return [{"event": "message", "seq": row["seq"], "data": event_data(row)} for row in rows]

        m = message
        return await self._store.read(read)
