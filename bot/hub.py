"""Who follows which chat: new messages reach the streams of this process the moment they are committed."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Integer, and_, bindparam, func, select

from bot.inbox import chat_id
from bot.rows import Said, event_data
from bot.store import Away, Store
from bot.tables import message

Event = dict[str, Any]
Place = tuple[str, str]  # channel, address
PAGE = 200  # messages read at once
SILENCE = 15.0  # seconds after which a stream gets a sign of life
BACKLOG = 1000  # events a slow reader may be behind before he has to read the database again

COLUMNS = (
    message.c.seq,
    message.c.conversation_id,
    message.c.native,
    message.c.author,
    message.c.agent_id,
    message.c.text,
    message.c.choices,
    message.c.attachments,
    message.c.created_at,
)
_missed = select(
    func.unnest(bindparam("chats", type_=ARRAY(BigInteger))).label("chat_id"),
    func.unnest(bindparam("firsts", type_=ARRAY(Integer))).label("first"),
).subquery()
SINCE = (  # PostgreSQL only: SQLite has no other processes
    select(message.c.chat_id, *COLUMNS)
    .join(_missed, and_(message.c.chat_id == _missed.c.chat_id, message.c.seq >= _missed.c.first))
    .order_by(message.c.chat_id, message.c.seq)
)


class Hub:
    """The streams of this process, by (channel, address)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.process = secrets.token_hex(8)  # the name this process has among those that share the database
        self._streams: dict[Place, set[asyncio.Queue[Event | None]]] = defaultdict(set)
        self._missed: dict[Place, int] = {}  # chats another process wrote to, and from which seq on
        self._catching_up: asyncio.Task[None] | None = None
        self._watchers: set[asyncio.Event] = set()
        self.over = False  # the server stops: nobody is to wait here any more

    @contextmanager
    def watch(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever anything may have changed, in any chat, here or in another process."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            yield changed
        finally:
            self._watchers.discard(changed)

    def stir(self) -> None:
        """Set the events of all who watch: something was committed."""
        for watcher in self._watchers:
            watcher.set()

    def publish(self, said: Iterable[Said]) -> None:
        """Put messages that were just committed on the streams of their chats."""
        for one in said:
            if streams := self._streams.get((one.channel, one.address)):
                self._put(streams, _event(one.seq, one.data, one.conversation_id))

    def tell(self, channel: str, address: str, event: str, data: dict[str, Any]) -> None:
        """Put an event on a chat's streams that is not kept: typing, read."""
        if streams := self._streams.get((channel, address)):
            self._put(streams, {"event": event, "seq": None, "data": data})

    def heard(self, payload: str) -> None:
        """A process committed messages: if it was another one, those of chats that are followed here are read."""
        told = json.loads(payload)
        if told["from"] == self.process:
            return
        self.stir()
        if not told["at"]:  # too many to be named
            self._look(self._streams)
        for channel, firsts in told["at"].items():
            for address, first in firsts.items():
                if (place := (channel, address)) in self._streams:
                    self._missed[place] = min(first, self._missed.get(place, first))
        if self._missed and (self._catching_up is None or self._catching_up.done()):
            self._catching_up = asyncio.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        """All that was heard of since the last time, in one query."""
        while self._missed:
            missed, self._missed = self._missed, {}
            try:
                self.publish(await self._store.read(partial(_since, missed=missed)))
            except Away:
                self._look(missed)

    def _look(self, places: Iterable[Place]) -> None:
        """Each stream of these chats is to read the database itself."""
        for place in places:
            self._put(self._streams.get(place, ()), {"event": "look", "seq": None, "data": {}})

    def wake(self) -> None:
        """End every wait, because the server stops."""
        self.over = True
        self.stir()
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
        clock = _Clock(queue)
        behind = True  # the database has more than we showed
        try:
            while True:
                while behind and (page := await self._history(channel, address, after)):
                    for missed in page:
                        after = missed["seq"]
                        yield missed
                event = await queue.get()
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
            clock.stop()
            streams.discard(queue)
            if not streams:
                self._streams.pop((channel, address), None)

    async def _history(self, channel: str, address: str, after: int) -> list[Event]:
        def read(connection: Connection) -> list[Event]:
            here = message.c.chat_id == chat_id(channel, address)
            query = select(*COLUMNS).where(here).order_by(message.c.seq).limit(PAGE)
            rows = connection.execute(query.where(message.c.seq > after)).all()
            if not rows and after > (connection.scalar(select(func.max(message.c.seq)).where(here)) or 0):
                # the reader is ahead of a database that was restored from a backup: show it all
                rows = connection.execute(query).all()
            return [_event(row.seq, event_data(row._asdict()), row.conversation_id) for row in rows]

        return await self._store.read(read)


def _event(seq: int, data: dict[str, Any], of: int | None) -> Event:
    return {"event": "message", "seq": seq, "data": data, "of": of}  # of: the conversation, not for customers' eyes


def _since(connection: Connection, missed: Mapping[Place, int]) -> list[Said]:
    places = {chat_id(*place): place for place in missed}
    rows = connection.execute(SINCE, {"chats": list(places), "firsts": list(missed.values())})
    return [Said(*places[row.chat_id], row.seq, event_data(row._asdict()), row.conversation_id) for row in rows]


class _Clock:
    """Puts a silence on the queue every so often: the stream shows that it lives, and looks whether it missed anything.

    One timer for the life of a stream; a timeout around every wait would cost more than the event it waits for.
    """

    def __init__(self, queue: asyncio.Queue[Event | None]) -> None:
        self._queue, self._loop = queue, asyncio.get_running_loop()
        self._timer = self._loop.call_later(SILENCE, self._tick)

    def _tick(self) -> None:
        if self._queue.empty():
            self._queue.put_nowait({"event": "silence", "seq": None, "data": {}})
        self._timer = self._loop.call_later(SILENCE, self._tick)

    def stop(self) -> None:
        """The stream has ended."""
        self._timer.cancel()
