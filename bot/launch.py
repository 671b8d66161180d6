"""Start processes: one that serves, several on PostgreSQL, or a chat in the terminal."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from bot.app import App
from bot.config import Settings
from bot.databaseurl import file_of
from bot.knowledge_base import KnowledgeBase
from bot.lock import ServingLock
from bot.migrate import migrate as upgrade
from bot.server import ends, listen
from bot.server import serve as run
from bot.startrules import loopback, secret_key
from bot.store import R, Store
from bot.transaction import run_on_upgraded
from channels import Channel
from handoff import accounts
from handoff.sessions import first_link

log = structlog.get_logger("launch")

SWITCH = 0.0003  # seconds: a thread that wants to go on waits no longer for another's Python (5 ms by itself)
SOCKET = "AFTERCARE_SOCKET"  # the listening socket a worker process inherits, by number, and whose child it is
INTERRUPTED = 130  # what a shell is told of a program that Ctrl-C ended
RESTART = 1.0  # seconds before a worker process that ended is started again


class Unfit(Exception):
    """What was asked for cannot be done with this configuration."""

    exit_code = 2


def serve(settings: Settings, workers: int, known: Callable[[], KnowledgeBase]) -> None:
    """Serve ``known`` until told to stop; raises Unfit, Busy, or OSError when the port is taken."""
    sys.setswitchinterval(SWITCH)  # receiving, deciding and the database's threads take turns many times a message
    if SOCKET in os.environ:
        return _serve_inherited(settings, known)
    if workers > 1 and settings.database.startswith("sqlite"):
        raise Unfit("--workers: SQLite is served by one process; set DATABASE_URL to a PostgreSQL database for more")
    with _alone(settings) as lock:
        listener = _listener(settings)
        place = _place(listener)
        if welcome := _first_admin(settings, place):
            _say(welcome)
        if lock:
            lock.tell(place)
        for name, why in settings.off.items():
            _say(f"channel {name} is off: {why}")
        if workers > 1:
            known()  # solved once, for all of them
            return _supervise(listener, workers, place)
        asyncio.run(run(App(settings, known=known), listener, ready=lambda: _say(f"Aftercare is ready at {place}")))
    return None


def chat(settings: Settings, lang: str) -> None:
    """Talk to the bot in this terminal, with a database of this configuration that nobody serves."""
    from channels.terminal import Terminal

    with _alone(settings):
        terminal = Terminal(language=lang)
        asyncio.run(_talk(App(settings, channels=[terminal]), terminal))


def migrate(settings: Settings) -> bool:
    """Create or upgrade the database; True if there was anything to do."""

    async def go() -> bool:
        store = Store(settings.database)
        try:
            return await upgrade(store)
        finally:
            await store.close()

    return asyncio.run(go())


def ask_channel(settings: Settings, name: str, question: Callable[[Channel], Coroutine[Any, Any, R]]) -> R:
    """Ask a channel that is on, beside a server or without one. Raises Unfit."""
    if name in settings.off:
        raise Unfit(f"channel {name} is off: {settings.off[name]}")
    if name not in settings.channels:
        there = ", ".join(sorted({*settings.channels, *settings.off}))
        raise Unfit(f"there is no channel {name} in config.yaml; there are: {there}")

    async def go() -> R:
        app = App(settings)
        try:
            return await question(next(one for one in app.channels if one.name == name))
        finally:
            await app.store.close()

    return asyncio.run(go())


async def _talk(app: App, terminal: Channel) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, over.set)
    await app.start()
    sys.stdout.write("> ")
    sys.stdout.flush()
    talk, stopping = asyncio.create_task(app.heard_out(terminal.name)), asyncio.create_task(over.wait())
    await asyncio.wait({talk, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not over.is_set():
        await talk
    await app.stop()
    if over.is_set():
        _say("")
        os._exit(INTERRUPTED)  # all is written; the thread that waits for a line would not let us go before it has one
    stopping.cancel()


@contextmanager
def _alone(settings: Settings) -> Iterator[ServingLock | None]:
    """The lock of a SQLite file while it is served; raises Busy."""
    file = file_of(settings.database)
    if not file:
        yield None
        return
    lock = ServingLock(str(file))
    lock.take()
    try:
        yield lock
    finally:
        lock.drop()


def _first_admin(settings: Settings, place: str) -> str:
    """The sentence with the link for the first admin, "" if somebody has an account. Raises Unfit if others could reach
    a console that has no admin."""
    anybody, admin = run_on_upgraded(settings, lambda c: (accounts.anybody(c), bool(accounts.admins(c))))
    if not admin and not loopback(settings.server.host):
        reached = f"with host {settings.server.host} others can reach the console"
        raise Unfit(f"there is no admin, and {reached}: make one with `aftercare agent add LOGIN --role admin`")
    if anybody:
        return ""
    token = first_link(secret_key(settings.server.secret_key, settings.data))
    where = settings.server.public_url or place
    return f"Nobody has an account yet; this link makes the first admin: {where}/console/welcome/{token}"


def _listener(settings: Settings) -> socket.socket:
    host, port = settings.server.host, settings.server.port
    try:
        return listen(host, port)
    except OSError as error:
        raise OSError(f"cannot listen at {host}:{port}: {error.strerror}; choose another with --port") from None


def _place(listener: socket.socket) -> str:
    """Where the web chat really is, whatever the configuration says about host and port."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


# ------------------------------------------------------------ several processes


def _serve_inherited(settings: Settings, known: Callable[[], KnowledgeBase]) -> None:
    """One of several processes: serve the socket we were given, and end with the one that gave it."""
    number, parent = map(int, os.environ[SOCKET].split(":"))  # who asks the system for it may be an orphan already
    listener = socket.socket(fileno=number)

    async def orphaned() -> None:
        while os.getppid() == parent:
            await asyncio.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    async def go() -> None:
        watching = asyncio.create_task(orphaned())
        await run(App(settings, known=known), listener)
        watching.cancel()

    asyncio.run(go())


def _supervise(listener: socket.socket, workers: int, place: str) -> None:
    """Keep so many worker processes running on one socket, until told to stop."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for one in ends():
        signal.signal(one, stop)
    running = [_worker(listener) for _ in range(workers)]
    _say(f"Aftercare is ready at {place} ({workers} processes)")
    while not stopping:
        time.sleep(0.2)
        for n, process in enumerate(running):
            if process.poll() is not None and not stopping:
                log.error("worker_process_ended", code=process.returncode)
                time.sleep(RESTART)
                running[n] = _worker(listener)
    for process in running:
        process.terminate()
    for process in running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()


def _worker(listener: socket.socket) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "bot", *sys.argv[1:]]
    environment = {**os.environ, SOCKET: f"{listener.fileno()}:{os.getpid()}"}
    home = str(Path(__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(command, pass_fds=(listener.fileno(),), env=environment, start_new_session=True)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
