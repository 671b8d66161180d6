"""What keeps a page live: one stream per page brings the list's changes and everything that happens in one talk."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, Final

from starlette.responses import Response, StreamingResponse

from bot.hub import BACKLOG
from bot.store import Away
from channels.gate import Refused
from handoff import sessions
from handoff.console.gate import Asked, House, fits
from handoff.reading import alarms, lists, talks

SILENCE: Final = 5.0  # seconds after which a stream looks around by itself
POLL: Final = 1.0  # seconds; being woken is only quicker
LIST_PAUSE: Final = 1.0  # seconds between two refreshes of one page's list
SETTLING: Final = 0.6  # seconds between two looks at replies that are on their way
TRUSTED: Final = 1.0  # seconds a session is not asked about again
PRESENCE: Final = 30.0  # seconds between two notes that somebody is there
FIRST: Final = 60  # messages of a talk that come at once
_LINE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Live:
    """The open pages of this process, and the pulse that wakes them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._streams: set[Stream] = set()
        self._rooms: dict[str, set[Stream]] = defaultdict(set)
        self._pulse: asyncio.Task[None] | None = None

    def enter(self, stream: Stream) -> None:
        """A page was opened."""
        self._streams.add(stream)
        if stream.number:
            self._rooms[stream.number].add(stream)
        if self._pulse is None or self._pulse.done():
            self._pulse = asyncio.create_task(self._beat(), name="console pulse")

    def leave(self, stream: Stream) -> None:
        """A page was closed."""
        self._streams.discard(stream)
        room = self._rooms[stream.number]
        room.discard(stream)
        if not room:
            self._rooms.pop(stream.number, None)

    def look(self, number: str) -> None:
        """Who else looks at this conversation, or types in it, has changed."""
        for stream in self._rooms.get(number, ()):
            stream.wake(looked=True)

    async def _beat(self) -> None:
        """Wake every page when the numbers of the database have moved; as long as there are pages."""
        known: tuple[Any, ...] = ()
        with self.house.hub.watch() as changed:
            while self._streams:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), POLL)
                changed.clear()
                with suppress(Away):
                    found = await self.house.store.read(talks.digest)
                    if found != known or self.house.hub.over:
                        known = found
                        for stream in tuple(self._streams):
                            stream.wake(pulsed=True)
                await asyncio.sleep(0.05)


class Stream:
    """One page's events: ``changed``, ``counts``, and of a conversation ``message``, ``remark``, ``deed`` and so on."""

    def __init__(self, asked: Asked, live: Live, here: dict[str, Any] | None, after: int) -> None:
        self._asked, self._live, self._here, self._after = asked, live, here, after
        self.number: str = here["number"] if here else ""
        self._talk: deque[dict[str, Any]] = deque()
        self._stir = asyncio.Event()
        self._pulsed = self._looked = self._list_due = self._settling = True
        self._known = {"remark": 0, "deed": 0}
        self._delivered: dict[int, Any] = {}
        self._others: Any = []
        self._state: Any = None
        self._checked = time.monotonic()
        self._listed = self._noted = 0.0
        self._deaf = False  # nothing more comes of the talk

    def wake(self, *, pulsed: bool = False, looked: bool = False) -> None:
        """There may be something to tell."""
        self._pulsed |= pulsed
        self._looked |= looked
        self._list_due |= pulsed
        self._stir.set()

    async def frames(self) -> AsyncIterator[bytes]:
        """Server-sent events until the page is closed, the session ends or the server stops."""
        self._live.enter(self)
        following = asyncio.create_task(self._follow()) if self._here else None
        self._stir.set()
        try:
            yield b"retry: 1000\n\n"
            while not self._live.house.hub.over:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stir.wait(), SILENCE)
                told = self._stir.is_set()
                self._stir.clear()
                if not await self._still():
                    yield _frame("bye", {})
                    return
                self._looked |= not told
                for frame in await self._said():  # before all that is looked up beside
                    yield frame
                for frame in await self._news():
                    yield frame
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
        assert self._here  # noqa: S101 - it follows what is here
        said = self._live.house.hub.follow(self._here["channel"], self._here["address"], self._after)
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

    async def _still(self) -> bool:
        """Whether whoever opened the page may still see it: asked before anything is told, once a second at most."""
        now = time.monotonic()
        session = self._asked.session
        if session and now - self._checked > TRUSTED:
            self._checked = now
            if not await self._asked.read(lambda c: sessions.still(c, session)):
                return False
            if now - self._noted > PRESENCE:
                self._noted = now
                await self._live.house.store.write(lambda c: sessions.there(c, session.actor))
        return True

    async def _said(self) -> list[bytes]:
        frames: list[bytes] = []
        said = tuple(self._talk)
        self._talk.clear()
        hidden = await self._hidden([event["seq"] for event in said if event["seq"] is not None])
        for event in said:
            if event["seq"] in hidden:
                continue
            frames.append(_frame(event["event"], event["data"], event["seq"]))
            self._settling |= event["seq"] is not None and event["data"].get("author") != "customer"
        return frames

    async def _news(self) -> list[bytes]:
        frames: list[bytes] = []
        if self._here and (self._pulsed or self._looked or self._settling):
            frames += await self._beside()
        self._pulsed = False
        frames += await self._list()
        return frames

    async def _hidden(self, seqs: list[int]) -> set[int]:
        """What was said in another matter of the same customer, which is not for whoever looks at this one."""
        if not (self._here and seqs):
            return set()
        chat_id = self._here["chat_id"]
        return set(await self._asked.read(lambda c: talks.hidden(c, self._asked.actor, chat_id, seqs)))

    async def _beside(self) -> list[bytes]:
        """What happened in the conversation besides messages."""
        here, looked, settling = self._here or {}, self._looked, self._settling
        self._looked = self._settling = False

        def look(c: Any) -> tuple[Any, ...]:
            happened = talks.beats(c, here["id"], self._known) if self._pulsed else {}
            others = talks.others(c, self._asked.actor, here["chat_id"]) if looked or self._pulsed else self._others
            sent = talks.delivery(c, here["chat_id"], here["from_seq"]) if settling or self._pulsed else self._delivered
            return happened, others, sent, talks.standing(c, here["id"])

        happened, others, sent, state = await self._asked.read(look)
        frames = [_frame("remark", remark_data(row)) for row in happened.get("remarks", ())]
        frames += [_frame("deed", deed) for deed in happened.get("deeds", ())]
        self._known["remark"] = max((row.id for row in happened.get("remarks", ())), default=self._known["remark"])
        self._known["deed"] = max((deed["id"] for deed in happened.get("deeds", ())), default=self._known["deed"])
        if fresh := {seq: it for seq, it in sent.items() if self._delivered.get(seq) != it}:
            frames.append(_frame("delivery", fresh))
        if others != self._others:
            frames.append(_frame("others", others))
        if state != self._state:
            frames.append(_frame("state", {"owner": state[0], "epoch": state[1]}))
        self._delivered, self._others, self._state = sent, others, state
        if any(it["state"] in ("waiting", "sending") for it in sent.values()):
            asyncio.get_running_loop().call_later(SETTLING, self._look_at_replies)
        return frames

    def _look_at_replies(self) -> None:
        self._settling = True
        self._stir.set()

    async def _list(self) -> list[bytes]:
        """The list has changed: told once a second at most."""
        now = time.monotonic()
        if not self._list_due:
            return []
        if (wait := self._listed + LIST_PAUSE - now) > 0:
            asyncio.get_running_loop().call_later(wait, self._stir.set)
            return []
        self._list_due, self._listed = False, now
        return [_frame("counts", await self._asked.read(lambda c: numbers(c, self._asked.actor)))]


def numbers(connection: Any, actor: Any) -> dict[str, int]:
    """How much waits, for the list's tabs and the badges."""
    return {**lists.counts(connection, actor), "alarms": alarms.waiting(connection, actor)}


def _frame(event: str, data: Any, seq: int | None = None) -> bytes:
    number = "" if seq is None else f"id: {seq}\n"
    return f"{number}event: {event}\ndata: {_LINE(data)}\n\n".encode()


def remark_data(row: Any) -> dict[str, Any]:
    """An internal note as a page gets it."""
    files = row.attachments or []
    return {"id": row.id, "at": row.created_at, "agent": row.agent_name, "text": row.text, "attachments": files}


async def events(asked: Asked, live: Live) -> Response:
    """GET /events: the page's stream; ``conversation`` and ``after`` for the talk that is open on it."""
    number = asked.query("conversation")
    after = asked.request.headers.get("last-event-id") or asked.query("after") or "0"
    if not fits(after):
        raise Refused(400, "after must be the seq of a message")
    here = None
    if number:
        here = await asked.read(lambda c: _here(c, asked, number))
    stream = Stream(asked, live, here, int(after))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream.frames(), media_type="text/event-stream", headers=headers)


def _here(connection: Any, asked: Asked, number: str) -> dict[str, Any]:
    from handoff.agents import access

    access(connection, asked.actor, number, "conversation.read")
    here = talks.talk(connection, asked.actor, number)
    here["from_seq"] = talks.beginning(connection, here["chat_id"], 0, FIRST)
    return here
