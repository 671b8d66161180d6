"""Tells a desk what happens in its conversations: what was posted is marked, so that nothing is lost by a crash."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from bot.messages import Attachment, Reply
from bot.store import Store
from channels import Can, Channel, NotSent, Refused, Unknown
from handoff.desks import news, rendering, threads, words
from handoff.desks.sending import ThrottledChannel
from handoff.desks.threads import Thread
from handoff.packet import Packet, packet

log = structlog.get_logger("desk")

PAUSES: Final = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)  # seconds before something is tried again
PATIENCE: Final = 20.0  # seconds a customer's file is waited for


class House(Protocol):
    """What a desk uses of the running application."""

    store: Store
    commands: Any
    files: Any
    hub: Any
    settings: Any
    shelf: Any
    channels: Any
    holder: str


class NotYet(Exception):
    """A file that is to be shown is still being fetched."""


class Poster:
    """Of one desk. ``round`` posts all there is and returns whether anything may follow soon."""

    def __init__(self, house: House, channel: Channel, throttled: ThrottledChannel) -> None:
        self._store, self._files, self._channels = house.store, house.files, house.channels
        self._channel, self._throttled, self._desk = channel, throttled, channel.name
        self.lang = str(house.settings.languages[0])
        self.zone = ZoneInfo(house.settings.company.timezone)
        self._forms = house.settings.forms
        self._seen: dict[int, tuple[Any, ...]] = {}  # conversation -> its state when nothing was left to tell
        self._tries: dict[str, tuple[int, float]] = {}  # conversation -> how often it failed, and not again before

    async def round(self) -> bool:
        """Open the threads that are wanted, then tell each what is new. Raises ``store.Away``."""
        for number in await self._store.read(lambda c: threads.wanted(c, self._desk)):
            if self._may(number):
                await self._guarded(number, self._open(number))
        if await self._store.read(lambda c: threads.asleep(c, self._desk)):
            await self._store.write(lambda c: threads.revive(c, self._desk))
        more = False
        live = await self._store.read(lambda c: threads.live(c, self._desk))
        self._seen = {one.conversation: self._seen[one.conversation] for one in live if one.conversation in self._seen}
        for one in live:
            if self._seen.get(one.conversation) != one.state and self._may(one.number):
                more |= await self._guarded(one.number, self._tell(one))
        return more

    def _may(self, number: str) -> bool:
        return self._tries.get(number, (0, 0.0))[1] <= time.monotonic()

    async def _guarded(self, number: str, work: Any) -> bool:
        """What cannot be told of one conversation holds up no other."""
        try:
            more = bool(await work)
        except NotYet:
            self._tries[number] = (0, time.monotonic() + PAUSES[0])
            return True
        except (NotSent, Refused, Unknown, TimeoutError) as error:
            tries = self._tries.get(number, (0, 0.0))[0] + 1
            pause = max(getattr(error, "retry_after", 0.0), PAUSES[min(tries, len(PAUSES)) - 1])
            self._tries[number] = (tries, time.monotonic() + pause)
            log.warning("desk_cannot_post", channel=self._desk, conversation=number, why=str(error)[:200])
            return True
        self._tries.pop(number, None)
        return more

    async def _open(self, number: str) -> bool:
        def read(c: Connection) -> tuple[Packet | None, dict[str, Any], tuple[str, str]]:
            return packet(c, number), threads.mark(c, number), words.owner(c, self._desk, number)

        found, mark, owner = await self._store.read(read)
        if found is None:
            return False
        title, head = rendering.title(found, self.lang), rendering.head(found, self.lang, owner)
        thread = await self._throttled.begin(title, head, number)
        await self._store.write(lambda c: threads.begin(c, self._desk, number, thread, mark))
        return True

    async def _tell(self, one: Thread) -> bool:
        """All that is new in one thread, in order."""
        shown = dict(one.shown)
        if not shown.get("packet"):
            found = await self._store.read(lambda c: packet(c, one.number))
            if found:
                files = await self._store.read(lambda c: news.pictures(c, one))
                said = Reply(rendering.details(found, self.lang, self.zone, self._forms), attachments=files)
                await self._say(one, await self._with_files(one, said, shown.get("at", 0.0)), f"{one.number}:packet")
            shown["packet"] = True
            await self._mark(one, shown)
        can = self._can(one)
        items, waiting = await self._store.read(lambda c: news.items(c, self._desk, one, self.lang, can))
        new = bool(items)
        while items:
            reply, mark, many = rendering.joined(items)
            await self._say(one, await self._with_files(one, reply, items[many - 1].at), f"{one.number}:{mark}")
            shown |= mark
            await self._mark(one, shown)
            items = items[many:]
        if not (new or waiting or one.busy):
            self._seen[one.conversation] = one.state
            if one.owner == "none":
                await self._store.write(lambda c: threads.rest(c, self._desk, one))
        return new or waiting

    def _can(self, one: Thread) -> Can:
        """What the customer's channel can do at his address."""
        return next((c.at(one.address) for c in self._channels if c.name == one.channel), Can())

    async def _say(self, one: Thread, reply: Reply, key: str) -> None:
        if not (reply.text or reply.attachments):
            return
        try:
            await self._throttled.say(one.thread, reply, key)
        except Refused:  # the thread is gone: it gets another
            await self._store.write(lambda c: threads.lost(c, self._desk, one))
            raise

    async def _mark(self, one: Thread, shown: Mapping[str, Any]) -> None:
        await self._store.write(lambda c: threads.told(c, self._desk, one, shown))

    async def _with_files(self, one: Thread, reply: Reply, at: float) -> Reply:
        """The reply with the desk's own copies of the customer's files."""
        lent: list[Attachment] = []
        text = reply.text
        for file in reply.attachments:
            copy = await self._files.lend(file.id, one.address, one.thread)
            if copy is None and time.time() - at < PATIENCE:
                raise NotYet
            if copy:
                lent.append(copy)
            else:
                later = rendering.say(self.lang, "file_later", name=rendering.verbatim(file.name))
                text = f"{text}\n\n{later}".strip()
        return Reply(text, reply.choices, tuple(lent))
