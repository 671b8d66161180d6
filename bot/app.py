"""The composition root: settings -> store -> knowledge -> channels -> worker, rounds, outboxes -> server."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, delete, select, update

from bot import engine, failure, filerows, metrics
from bot.config import Settings
from bot.decider import Decider
from bot.duty import Duty
from bot.hub import Hub
from bot.inbox import Inbox
from bot.interpreter import Interpreter, shelf
from bot.knowledge_base import KnowledgeBase
from bot.migrate import migrate
from bot.notebook import Notebook
from bot.office import Office
from bot.outbox import Outbox
from bot.rows import TOPIC, Rows
from bot.startrules import secret_key
from bot.store import Away, Store
from bot.tables import chat, inbox, lease, reply
from bot.worker import Worker
from channels import NOWHERE, Can, Channel, make
from handoff.commands import Commands
from handoff.queue import Dispatch
from handoff.rounds import Rounds
from handoff.search import Indexer

if TYPE_CHECKING:
    from handoff.desks.desk import Desk

log = structlog.get_logger("app")

AGAIN = 1.0  # seconds before a part that broke is started again


def channels_of(settings: Settings, secret: str) -> list[Channel]:
    """The channels that are on; what the house knows is filled in where a constructor asks for it by name."""
    offered: dict[str, Any] = {
        **dict(settings.limits),
        "secret": secret,
        "company": settings.company,
        "public_url": settings.server.public_url,
    }
    return [make(name, own, offered) for name, own in settings.channels.items()]


class App:
    """Everything that runs in one process.

    ``store`` and ``channels`` may be given, e.g. by a crash test; ``known`` is knowledge that was begun before.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store | None = None,
        channels: Sequence[Channel] | None = None,
        known: Callable[[], KnowledgeBase] | None = None,
    ) -> None:
        self.settings = settings
        self.secret = secret_key(settings.server.secret_key, settings.data)
        self.notebook = Notebook(self.secret)
        self.store = store or Store(settings.database)
        self.channels = list(channels) if channels is not None else channels_of(settings, self.secret)
        self.shelf, self.hub = shelf(settings, known), Hub(self.store)
        limits, interpreter = settings.limits, Interpreter(settings, self.shelf)
        self.decider = self._decider(interpreter)
        self.worker = Worker(
            self.store, self.hub, self.decider, limits=limits, typing=self.typing, recorded=self._recorded
        )
        self.inbox, self.holder = Inbox(self.store, self.worker.wake), secrets.token_hex(8)
        self.rounds = Rounds(
            self.store, limits=limits, woken=self.worker.wake, holder=self.holder, policy=interpreter.policy
        )
        self.commands = Commands(self.store, self.inbox, self._at)
        self.dispatch = Dispatch(self.store, self.inbox, Duty(self.store, "dispatch", self.holder), settings.handoff)
        self.outboxes = [self._outbox(channel) for channel in self.channels if not channel.can.shows_itself]
        self.files = filerows.files(self.store, settings.data / "files", limits)
        for channel in self.channels:
            channel.office = Office(self, channel.name)
        self.desks = {channel.name: self._desk(channel) for channel in self.channels if channel.desk}
        self._by_name = {channel.name: channel for channel in self.channels}
        self._tasks, self._quiet = dict[str, asyncio.Task[None]](), asyncio.Event()
        self._typists = set[asyncio.Task[None]]()

    def _decider(self, interpreter: Interpreter) -> Decider:
        return Decider(
            self.store,
            understand=interpreter.understand,
            decide=engine.decide,
            apologise=failure.apologise,
            policy=lambda: interpreter.policy,
            knowledge=lambda: self.shelf.now.knowledge,
            limits=self.settings.limits,
            at=self._at,
            typing=self.typing,
        )

    def _desk(self, channel: Channel) -> Desk:
        from handoff.desks.desk import Desk  # only where people work on a platform

        return Desk(self, channel)

    def _at(self, name: str, address: str) -> Can:
        """What can be done at an address of a channel."""
        channel = self._by_name.get(name)
        return channel.at(address) if channel else NOWHERE

    def woken(self) -> None:
        """There may be something to handle or to send."""
        self.worker.wake()
        for outbox in self.outboxes:
            outbox.wake()

    def typing(self, name: str, address: str, author: str = "bot") -> None:
        """Let the customer see that he was heard, where the platform can show it."""
        self.hub.tell(name, address, "typing", {"author": author})
        channel = self._by_name.get(name)
        if channel is not None and channel.can.typing:
            task = asyncio.create_task(_harmless(channel.typing(address)))
            self._typists.add(task)
            task.add_done_callback(self._typists.discard)

    def _outbox(self, channel: Channel) -> Outbox:
        duty, limits = Duty(self.store, f"send:{channel.name}", self.holder), self.settings.limits
        return Outbox(self.store, channel, duty, timeout=limits.send_timeout, attempts=limits.send_attempts)

    async def start(self) -> None:
        """Bring the database up to date and start every part. Raises ``store.Away``."""
        await migrate(self.store)
        if self.store.dialect == "sqlite":
            await self.store.write(_void_leases)
        parts: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "rounds": self.rounds.run,
            "dispatch": self.dispatch.run,
            "search": Indexer(self.store, self.hub, self.holder).run,
            "knowledge": lambda: self.shelf.watch(self._quiet),
        }
        parts |= {f"worker:{n}": self.worker.run for n in range(self.store.writers)}
        parts |= {f"outbox:{i}": outbox.run for i, outbox in enumerate(self.outboxes)}
        parts |= {f"channel:{c.name}": c.run for c in self.channels}
        parts |= {f"channel:{name} desk": desk.run for name, desk in self.desks.items()}
        if self.store.dialect == "postgresql":
            parts["listen"] = self._listen
        self._tasks = {name: asyncio.create_task(self._keep(name, part), name=name) for name, part in parts.items()}

    async def stop(self) -> None:
        """Finish what is under way, within ``limits.stop`` seconds; what is left waits in the database."""
        self._quiet.set()
        self.hub.wake()
        for name, task in self._tasks.items():
            if name.startswith("channel:") or name == "listen":
                task.cancel()
        self.rounds.stop()
        self.dispatch.stop()
        self.worker.stop()
        for outbox in self.outboxes:
            outbox.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=self.settings.limits.stop * 0.7)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for channel in self.channels:
            await channel.office.let_go()
            await _harmless(channel.close())
        await self.store.close()

    async def heard_out(self, channel: str) -> None:
        """Wait until a listening channel has heard all there is, and it has been answered."""
        await self._tasks[f"channel:{channel}"]
        while await self.store.read(_unfinished):
            await asyncio.sleep(0.05)

    async def _keep(self, name: str, part: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A part that breaks is started again: one fault must not make the whole deaf."""
        while True:
            try:
                return await part()
            except Exception:
                log.exception("part_failed", part=name)
                metrics.FAULTS.labels(name.split(":")[0]).inc()
            if self._quiet.is_set():
                return None
            await asyncio.sleep(AGAIN)

    async def _listen(self) -> None:
        while True:
            with suppress(Away):
                await self.store.listen(TOPIC, self.hub.heard)
            await asyncio.sleep(AGAIN)

    def _recorded(self, rows: Rows) -> None:
        for one in rows.facts:
            if one["kind"] == "alarm":  # somebody must see it now; its words stay in the database
                log.warning("alarm", what=one["data"].get("kind"), chat=one["chat_id"])
                metrics.ALARMS.labels(str(one["data"].get("kind"))).inc()
        self.hub.stir()
        self.rounds.wake(rows.next_due)
        self.commands.heard(rows.results)
        self.dispatch.heard(rows)
        if rows.to_send:
            for outbox in self.outboxes:
                outbox.wake()


async def _harmless(courtesy: Coroutine[Any, Any, None]) -> None:
    """Something that may fail without anybody missing it."""
    with suppress(Exception):
        await courtesy


def _void_leases(connection: Connection) -> None:
    """SQLite has one serving process: whoever held a lease is gone."""
    held = chat.c.lease_holder.is_not(None)
    connection.execute(update(chat).where(held).values(lease_holder=None, lease_until=None))
    connection.execute(delete(lease))


def _unfinished(connection: Connection) -> bool:
    """Whether an event waits to be handled, or a reply to be sent."""
    open_events = select(inbox.c.id).where(inbox.c.state.in_(("waiting", "taken"))).limit(1)
    due = select(reply.c.id).where(reply.c.due_at.is_not(None)).limit(1)
    return connection.scalar(open_events) is not None or connection.scalar(due) is not None
