"""A scene: the application with one channel and a bot of the test's own, and the platform at the other end."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvicorn
from sqlalchemy import text as sql

from bot.app import App
from bot.config import Limits, Server, Settings
from bot.dialogue import Decision, Fact, Open, Policy, Say, SetTimer, Turn
from bot.messages import Attachment, Choice, Kind, Reply
from bot.server import Server as Door
from bot.server import listen, web
from bot.store import Away, Store
from channels import Budget, Can, Channel, NotSent
from channels.markdown import write
from channels.tree import Node
from tests.kit.driver import ANN, PUBLIC, Driver, Seen

LIMITS = Limits(
    lease=5.0, backoff=(0.02,) * 4, burst=0.05, send_timeout=6.0, stop=1.0, send_attempts=6, message_chars=50_000
)
PATIENCE = 25.0  # seconds for anything at all, on a machine that has other things to do
FASTER = 50  # a second that a platform asks us to wait, or that we wait by ourselves, is so many times shorter
SECRET = "k" * 8 + "0a1b2c3d4e5f6g7h8i9j" + "q" * 8  # a key of no importance
_NOTHING = re.compile("[\u200b\u200c\u200d\u2060\ufe0f]")  # takes no room


class Scene:
    """One application after the other on the same database; ``driver`` is the platform."""

    def __init__(self, driver: Driver, database: str, folder: Path, *, durable: bool = False) -> None:
        self.driver, self._database, self._folder, self.durable = driver, database, folder, durable
        self.answers: dict[str, tuple[Reply, ...]] = {}  # what is said -> what the bot says to it
        self.open = threading.Event()  # the bot decides nothing while this is not set
        self.open.set()
        self.dead = 0  # how many events are meant to have died
        self.paced = False
        self.lives: list[Life] = []

    @property
    def app(self) -> App:
        """The application that was started last."""
        return self.lives[-1].app

    @property
    def can(self) -> Can:
        """What the channel can do."""
        return self.app.channels[0].at(self.driver.somewhere)

    async def start(self) -> Life:
        """Start an application; what others before it left is in the database."""
        life = Life(self)
        self.lives.append(life)
        await life.start()
        return life

    async def restart(self) -> None:
        """End it in good order, and start the next."""
        await self.lives[-1].stop()
        await self.start()

    async def crash(self) -> None:
        """End it as ``kill -9`` does: nothing more is written or sent."""
        await self.lives[-1].kill()

    async def end(self) -> None:
        """End whatever still runs."""
        self.open.set()
        for life in self.lives:
            await life.stop()

    # ------------------------------------------------------------ the bot

    def decide(self, turn: Turn) -> Decision:
        """Says what the test wrote into ``answers``; otherwise what it heard, as plain words."""
        self.open.wait(10)
        event = turn.event
        if event.kind not in (Kind.TEXT, Kind.CHOICE) or (event.public and not event.addressed):
            return Decision(turn.talk)
        files = "".join(f" +{one.name}" for one in event.attachments)
        heard = f"[{event.choice}]" if event.choice else event.text
        said = self.answers.get(heard, (Reply(plainly(f"№{event.inbox_id} {heard}{files}")),))
        opened = [] if turn.conversation else [Open(turn.numbers[0])]
        idle = SetTimer("idle", turn.now + timedelta(days=1))
        return Decision(turn.talk, (*opened, idle, *map(Say, said), Fact("answered")))

    def hurry(self) -> None:
        """No answer within a moment is no answer."""
        for box in self.app.outboxes:
            box._timeout = 0.4

    def answer(self, heard: str, *replies: Reply | str) -> None:
        """What the bot is to say to something."""
        self.answers[heard] = tuple(one if isinstance(one, Reply) else Reply(one) for one in replies)

    # ------------------------------------------------------------ people

    async def ask(self, words: str, who: int = ANN, more: int = 1) -> list[Seen]:
        """Somebody writes, and there are ``more`` messages then; returns these."""
        before = len(self.driver.seen(who))
        assert await self.driver.tell(self.driver.text(words, who))
        return (await self.shown(before + more, who))[before:]

    async def shown(self, many: int, who: int = ANN, seconds: float = PATIENCE) -> list[Seen]:
        """What somebody sees, as soon as there are so many messages."""
        await self.until(lambda: len(self.driver.seen(who)) >= many, seconds)
        return self.driver.seen(who)

    async def read(self, words: str, many: int) -> None:
        """Wait until ANN has been told something so many times."""
        await self.until(lambda: sum(words in said for said in self.words()) == many)

    def words(self, who: int = ANN) -> list[str]:
        """What somebody reads."""
        return [bare(seen.words) for seen in self.driver.seen(who)]

    async def file(self, content: bytes, name: str) -> Attachment:
        """A file of ours, kept so that it can be sent to the one customer there is."""

        async def stream() -> AsyncIterator[bytes]:
            yield content

        [(address,)] = await self.rows("SELECT address FROM chat")
        return await self.app.files.put(stream(), name, "image/png", address)

    # ------------------------------------------------------------ looking

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return await self.app.store.read(lambda c: [tuple(row) for row in c.execute(sql(query))])

    async def events(self) -> list[tuple[Any, ...]]:
        """Kind and state of what came in and belongs to a customer, in order of receipt."""
        theirs = "chat_id IS NOT NULL AND kind IN ('text', 'choice', 'edit')"
        return await self.rows(f"SELECT kind, state FROM inbox WHERE {theirs} ORDER BY id")  # noqa: S608 # our own words

    async def replies(self) -> list[str]:
        """The states of the replies, in order, once nothing is under way."""
        await self.settled()
        return await self._states()

    async def _states(self) -> list[str]:
        return [state for (state,) in await self.rows("SELECT state FROM reply ORDER BY id")]

    async def until(self, true: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Wait for something."""
        end = time.monotonic() + seconds
        while not (found := true()):
            assert time.monotonic() < end, (await self.events(), await self._states(), self.words())
            await asyncio.sleep(0.01)
        return found

    async def comes(self, query: str, wanted: list[tuple[Any, ...]], seconds: float = PATIENCE) -> None:
        """Wait for what the database says."""
        end = time.monotonic() + seconds
        while (found := await self.rows(query)) != wanted:
            assert time.monotonic() < end, (found, await self.events(), await self._states())
            await asyncio.sleep(0.02)

    async def settled(self, seconds: float = PATIENCE) -> None:
        """Until nothing waits: no event, no reply, no pull."""
        waits = (
            "SELECT (SELECT count(*) FROM inbox WHERE state IN ('waiting', 'taken'))"
            " + (SELECT count(*) FROM reply WHERE due_at IS NOT NULL OR state IN ('waiting', 'sending'))"
            " + (SELECT count(*) FROM note WHERE key LIKE 'due:%')"
        )
        await self.comes(waits, [(0,)], seconds)
        await self.until(
            lambda: not any(box.sending for life in self.lives for box in life.app.outboxes if not life.ended)
        )
        if self.can.shows_itself:  # what was recorded is still on its way to those who read it
            [(said,)] = await self.rows("SELECT count(*) FROM reply")
            await self.until(lambda: sum(len(self.driver.seen(who)) for who in self.driver.readers()) >= said, seconds)

    async def whole(self) -> None:
        """What must be true at the end of every case: nothing waits, nothing was handled twice, and a customer saw
        each reply once; one of unknown outcome he may have seen as often as it was sent."""
        await self.settled()
        assert await self.rows("SELECT count(*) FROM inbox WHERE state = 'dead'") == [(self.dead,)]
        assert await self.rows("SELECT channel, dedup_key FROM inbox GROUP BY 1, 2 HAVING count(*) > 1") == []
        turns = "SELECT inbox_id FROM fact WHERE kind = 'answered' GROUP BY inbox_id HAVING count(*) > 1"
        assert await self.rows(turns) == []
        read = [bare(seen.words) for who in (ANN, 1, PUBLIC) for seen in self.driver.seen(who)]
        marks = [mark for words in read for mark in re.findall(r"№\d+", words)]
        states = await self.rows("SELECT cause_inbox_id, state FROM reply")
        for inbox, state in states:
            most = self.driver.own_repeats if state == "uncertain" else 1
            assert marks.count(f"№{inbox}") <= most, (inbox, state, read)


class Life:
    """One process's life, from start to its end."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self.ended = scene, False

    async def start(self) -> None:
        """Start the application and its door."""
        scene = self._scene
        self.channel = quickened(scene.driver.channel(), paced=scene.paced)
        settings = Settings(
            database=scene._database,
            data=scene._folder,
            channels={},
            limits=LIMITS,
            server=Server(secret_key=SECRET),
        )
        self._before = asyncio.all_tasks()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bot.app.shelf", lambda *_: Shelf())
            patch.setattr(
                "bot.app.Interpreter", lambda *_: SimpleNamespace(understand=lambda turn: turn, policy=Policy())
            )
            patch.setattr("bot.app.engine", SimpleNamespace(decide=scene.decide))
            store = Store(scene._database, durable=scene.durable)
            self.app = App(settings, store=store, channels=[self.channel])
        await self.app.start()
        listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(
            web(self.app), log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        config.load()
        self._door = Door(config)
        self._door.before_shutdown = self.app.hub.wake
        self._door.lifespan = config.lifespan_class(config)
        await self._door.startup(sockets=[listener])  # without the loop of its own, which looks up ten times a second
        await scene.driver.connect(f"http://127.0.0.1:{listener.getsockname()[1]}")

    async def stop(self) -> None:
        """In good order."""
        if self.ended:
            return
        self.ended = True
        await self._scene.driver.disconnect()
        await asyncio.wait_for(self._door.shutdown(), 5)
        await self.app.stop()
        await self.channel.close()

    async def kill(self) -> None:
        """Every task of it ends where it is, and writes nothing more."""
        self.ended = True
        self.app.store.write = _away  # type: ignore[method-assign]
        await self._scene.driver.disconnect()
        self._door.force_exit = True
        await self._door.shutdown()
        mine = asyncio.all_tasks() - self._before - {asyncio.current_task()} - self._scene.driver.tasks()
        listening = {task for name, task in self.app._tasks.items() if name.startswith("channel:")}
        for tasks in (mine - listening, listening & mine):  # whoever listens closes the connections of the others
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=15)
        await self.channel.close()
        await self.app.store.close()


class Shelf:
    """Knows nothing: the bot is the test's."""

    now = SimpleNamespace(knowledge=None, version="none")
    problem = ""

    async def watch(self, quiet: asyncio.Event) -> None:
        """Until it ends."""
        await quiet.wait()


async def _away(*_: Any, **__: Any) -> Any:
    raise Away("the process is dead")


def quickened(channel: Channel, *, paced: bool) -> Channel:
    """The channel in a hurry: what a platform says about when to come again is meant in shorter seconds."""
    if not paced:
        channel.can = replace(channel.can, budget=Budget())
    send = channel.send

    async def sent(address: str, reply: Reply, key: str) -> str:
        try:
            return await send(address, reply, key)
        except NotSent as error:
            error.retry_after /= FASTER
            raise

    cast("Any", channel).send = sent
    return channel


def plainly(words: str) -> str:
    """Words that are nothing but words, in markdown."""
    return write(Node("doc", (Node("para", (Node("text", text=words),)),)))


def bare(words: str) -> str:
    """What is read: without what takes no room, and with one kind of space."""
    return " ".join(_NOTHING.sub("", words).split())


def choices(many: int, label: str = "Choice {n}") -> tuple[Choice, ...]:
    """So many buttons."""
    return tuple(Choice(f"kit:{n}", label.format(n=n)) for n in range(1, many + 1))


def attached(*files: Attachment) -> Reply:
    """Files alone."""
    return Reply("", (), files)
