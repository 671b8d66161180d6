"""What keeps a page live: one stream per page brings the list's changes and everything that happens in one talk.

A message goes out as it was published. Everything else is read for all pages together, in beats: what differs from
the beat before is told to the pages that show it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from bot.hub import BACKLOG
from bot.store import Away
from channels.http import HttpError
from handoff import sessions
from handoff.access import Actor, require
from handoff.console.gate import Asked, House, fits
from handoff.console.rooms import Beside, Room, look, shown
from handoff.reading import talks, waits

SILENCE: Final = 5.0  # seconds after which a stream shows that it lives
POLL: Final = 0.4  # seconds after a pause; being woken is only quicker
GATHER: Final = 0.05  # seconds in which what comes together is read together, and the words themselves go first
PAUSE: Final = 0.5  # seconds between two beats
LIST_PAUSE: Final = 1.0  # seconds between two refreshes of the lists
TRUSTED: Final = 1.0  # seconds after which a session is asked about again before anything is told
PRESENCE: Final = 30.0  # seconds between two notes that somebody is there
FIRST: Final = 60  # messages of a talk that come at once
_LINE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Live:
    """The open pages of this process, and the pulse that looks around for all of them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._streams: set[Stream] = set()
        self._rooms: dict[str, Room[Stream]] = {}
        self._pulse: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._digest: tuple[Any, ...] = ()
        self._lists_due = True
        self._listed = self._checked = 0.0
        self._checking: asyncio.Task[None] | None = None
        self._noted: dict[Actor, float] = {}  # when it was last noted that somebody is there

    def enter(self, stream: Stream) -> None:
        """A page was opened."""
        self._streams.add(stream)
        if stream.here:  # a new room is looked at from its beginning
            number, from_seq = stream.here["number"], stream.here["from_seq"]
            old = self._rooms.get(number) or Room(stream.here, from_seq)
            self._rooms[number] = Room(stream.here, min(from_seq, old.from_seq), old.streams | {stream})
        if self._pulse is None or self._pulse.done():
            self._pulse = asyncio.create_task(self._beat(), name="console pulse")
        self._changed.set()

    def leave(self, stream: Stream) -> None:
        """A page was closed."""
        self._streams.discard(stream)
        if stream.here and (room := self._rooms.get(stream.here["number"])):
            room.streams -= {stream}
            if not room.streams:
                del self._rooms[stream.here["number"]]

    async def trusted(self) -> None:
        """Ask for all pages which sessions still stand, with the same role and teams, unless that was done just now."""
        if time.monotonic() - self._checked > TRUSTED:
            await self._ask()

    async def _ask(self) -> None:
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check(), name="console sessions")
        await asyncio.shield(self._checking)

    async def _check(self) -> None:
        now, streams = time.monotonic(), tuple(self._streams)
        keys = {stream.session.key for stream in streams}
        standing = await self.house.store.read(lambda c: sessions.standing(c, keys))
        self._checked = now
        for stream in streams:
            if standing.get(stream.session.key) != stream.session.actor:
                stream.end()

    async def _beat(self) -> None:
        """Look around whenever something was committed, and every so often; as long as there are pages."""
        with self.house.hub.watch() as self._changed:
            self._changed.set()
            while self._streams and not self.house.hub.over:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await self._changed.wait()
                await asyncio.sleep(GATHER)
                self._lists_due |= self._changed.is_set()
                self._changed.clear()
                with suppress(Away):
                    await self._ask()
                    await self._note()
                    await self._look()
                await asyncio.sleep(0 if self.house.hub.over else PAUSE)
        for stream in tuple(self._streams):
            stream.wake()

    async def _note(self) -> None:
        """Write down that whoever has a page open is there."""
        now = time.monotonic()
        here = {stream.session.actor for stream in self._streams}
        if due := [actor for actor in here if now - self._noted.get(actor, -PRESENCE) >= PRESENCE]:
            await self.house.store.write(lambda c: sessions.there(c, *due))
        self._noted = {actor: now if actor in due else self._noted[actor] for actor in here}

    async def _look(self) -> None:
        """One beat: a few reads for all pages; those that show what has changed are told."""
        streams, now = tuple(self._streams), time.monotonic()
        again = now - self._listed >= LIST_PAUSE
        rooms = [(room, {stream.session.actor for stream in room.streams}) for room in self._rooms.values()]

        def read(c: Connection) -> tuple[Any, ...]:
            digest = talks.digest(c)
            due = again and (self._lists_due or digest != self._digest)
            actors = {stream.session.actor for stream in streams if due or not stream.counted}
            return digest if due else self._digest, due, waits.counts(c, actors), look(c, rooms)

        self._digest, due, numbers, news = await self.house.store.read(read)
        if due:
            self._listed, self._lists_due = now, False
        for stream in streams:
            if told := numbers.get(stream.session.actor):
                stream.count(told)
        for room, beside in news:
            room.last = beside
            for stream in room.streams:
                stream.tell(beside)
        if any(room.sending for room in self._rooms.values()):
            asyncio.get_running_loop().call_later(PAUSE, self._hurry)

    def _hurry(self) -> None:
        self._changed.set()


class Stream:
    """One page's events: ``counts``, and of a conversation ``message``, ``remark``, ``deed`` and so on."""

    def __init__(self, asked: Asked, live: Live, here: dict[str, Any] | None, after: int) -> None:
        assert asked.session  # noqa: S101 - a stream is behind a session
        self._asked, self._live, self.here, self._after = asked, live, here, after
        self.session = asked.session
        self.counted = False
        self._counts: Mapping[str, int] | None = None
        self._talk: deque[dict[str, Any]] = deque()
        self._beside: deque[Beside] = deque()
        self._stir = asyncio.Event()
        self._shown = Beside()
        self._sees = True  # the conversation is still his to see
        self._ended = False  # the session is over
        self._deaf = False  # nothing more comes of the talk

    def wake(self) -> None:
        """There is something to tell."""
        self._stir.set()

    def end(self) -> None:
        """End the stream: whoever opened the page may no longer see it."""
        self._ended = True
        self._stir.set()

    def count(self, numbers: Mapping[str, int]) -> None:
        """The lists may have changed, and how much waits is this now."""
        self._counts, self.counted = numbers, True
        self._stir.set()

    def tell(self, beside: Beside) -> None:
        """What happened in the conversation besides messages."""
        self._deaf |= len(self._beside) >= BACKLOG
        self._beside.append(beside)
        self._stir.set()

    async def frames(self) -> AsyncIterator[bytes]:
        """Server-sent events until the page is closed, the session ends or the server stops."""
        self._live.enter(self)
        following = asyncio.create_task(self._follow()) if self.here else None
        try:
            yield b"retry: 1000\n\n"
            while not self._live.house.hub.over:
                with suppress(TimeoutError):
                    async with asyncio.timeout(SILENCE):
                        await self._stir.wait()
                told = self._stir.is_set()
                self._stir.clear()
                await self._live.trusted()
                if self._ended:
                    yield _frame("bye", {})
                    return
                if frames := [*await self._said(), *self._news()]:
                    yield b"".join(frames)
                if self._deaf:
                    return  # the browser comes again, and says what it had last
                if not told:
                    yield b": there\n\n"
        except Away:
            return  # the browser comes again
        finally:
            self._live.leave(self)
            if following:
                following.cancel()

    async def _follow(self) -> None:
        assert self.here  # noqa: S101 - it follows what is here
        said = self._live.house.hub.follow(self.here["channel"], self.here["address"], self._after)
        try:
            async with aclosing(said):
                async for event in said:
                    if event is None:
                        continue
                    if len(self._talk) >= BACKLOG:
                        return  # too slow: it reads the database when it comes again
                    self._talk.append(event)
                    self._stir.set()
        finally:
            self._deaf = True
            self._stir.set()

    async def _said(self) -> list[bytes]:
        said = tuple(self._talk)
        self._talk.clear()
        hidden = await self._hidden(said)
        return [_frame(event["event"], event["data"], event["seq"]) for event in said if event["seq"] not in hidden]

    async def _hidden(self, said: tuple[dict[str, Any], ...]) -> set[int]:
        """What was said in another matter of the same customer, which is not for whoever looks at this one."""
        actor = self.session.actor
        if not self.here or actor.sees_all:
            return set()
        chat_id, own = self.here["chat_id"], self.here["id"]
        seqs = [it["seq"] for it in said if it["seq"] is not None and not (self._sees and it.get("of") == own)]
        return set(await self._asked.read(lambda c: talks.hidden(c, actor, chat_id, seqs))) if seqs else set()

    def _news(self) -> list[bytes]:
        frames: list[bytes] = []
        while self._beside:
            frames += self._besides(self._beside.popleft())
        if self._counts is not None:
            frames.append(_frame("counts", self._counts))
            self._counts = None
        return frames

    def _besides(self, beside: Beside) -> list[bytes]:
        assert self.here  # noqa: S101 - something happened in it
        actor = self.session.actor
        sees = actor.sees_all or actor in beside.seers
        self._deaf |= sees and not self._sees  # it is his again: he comes for what he has missed
        self._sees = sees
        if not sees:
            return []
        told, self._shown = shown(beside, self._shown, actor, self.here["from_seq"])
        return [_frame(event, data) for event, data in told]


def _frame(event: str, data: Any, seq: int | None = None) -> bytes:
    number = "" if seq is None else f"id: {seq}\n"
    return f"{number}event: {event}\ndata: {_LINE(data)}\n\n".encode()


async def events(asked: Asked, live: Live) -> Response:
    """GET /events: the page's stream; ``conversation`` and ``after`` for the talk that is open on it."""
    number = asked.query("conversation")
    after = asked.request.headers.get("last-event-id") or asked.query("after") or "0"
    if not fits(after):
        raise HttpError(400, "after must be the seq of a message")
    here = await asked.read(partial(_here, actor=asked.actor, number=number)) if number else None
    stream = Stream(asked, live, here, int(after))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream.frames(), media_type="text/event-stream", headers=headers)


def _here(connection: Connection, actor: Actor, number: str) -> dict[str, Any]:
    require(connection, actor, number, "conversation.read")
    here = talks.talk(connection, actor, number)
    here["from_seq"] = talks.beginning(connection, here["chat_id"], 0, FIRST)
    return here
