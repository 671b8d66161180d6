"""The HTTP server: the routes of channels, console and API, health and metrics, in one ASGI app."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import structlog
import uvicorn
from sqlalchemy import text
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bot import connection, metrics
from bot.store import Away
from handoff.api import open_api
from handoff.console import open_console

if TYPE_CHECKING:
    from bot.app import App

log = structlog.get_logger("server")

MAPPED = "::ffff:"  # before an IPv4 address, on a socket of both families
STALLED = 30.0  # seconds without a beat of the worker after which we are not ready


def web(app: App) -> Router:
    """The ASGI app of a running ``App``: a router without layers around it, which would cost a message a tenth more;
    what an endpoint does not catch is answered with 500 and logged by the server."""

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        wrong = await _not_ready(app)
        details = {"knowledge": app.shelf.problem or f"version {app.shelf.now.version}", "off": dict(app.settings.off)}
        said = {"ready": not wrong, "wrong": wrong, **details}
        return JSONResponse(said, 503, {"Retry-After": "5"}) if wrong else JSONResponse(said)

    async def numbers(_: Request) -> Response:
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        metrics.KNOWLEDGE.set(not app.shelf.problem)
        with suppress(Away):
            await app.store.read(lambda c: metrics.measure(c, time.time()))
        return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    own = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", numbers)]
    routes = [route for channel in app.channels for route in channel.routes()]
    api = OnDemand(app, open_api)
    routes += [Route("/openapi.json", api), Route("/api/v1/{rest:path}", api)]
    routes.append(Mount("/console", app=OnDemand(app, open_console)))
    middleware = []
    if hosts := app.settings.server.trusted_hosts:
        middleware.append(Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts, "127.0.0.1", "localhost"]))
    return Router([*routes, *own], middleware=middleware)


class BehindProxy(ProxyHeadersMiddleware):
    """Who asks through a proxy is whom the proxy names; a request that names nobody is not looked at for it.

    An IPv4 address is itself also where a socket of both families has written it as one of IPv6.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        if (client := scope.get("client")) and client[0].startswith(MAPPED):
            scope["client"] = (client[0].removeprefix(MAPPED), client[1])
        named = any(name.startswith(b"x-forwarded-") for name, _ in scope["headers"])
        await (super().__call__ if named else self.app)(scope, receive, send)  # type: ignore[arg-type]


class OnDemand:
    """An ASGI app that is opened when somebody first comes: what it brings along is for those who use it."""

    def __init__(self, app: App, opener: Callable[[App], ASGIApp]) -> None:
        self._open, self._opening = partial(opener, app), asyncio.Lock()
        self._opened: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._opening:
            if self._opened is None:
                self._opened = await asyncio.to_thread(self._open)
        await self._opened(scope, receive, send)


async def _not_ready(app: App) -> list[str]:
    """Why this process should get no traffic just now."""
    wrong = []
    try:
        async with asyncio.timeout(3):
            await app.store.read(lambda c: c.execute(text("SELECT 1")))
    except (Away, TimeoutError):
        wrong.append("the database is away")
    if not app.store.writable:
        wrong.append("the database cannot be written")
    if time.monotonic() - app.worker.beaten_at > STALLED:
        wrong.append("the worker has stalled")
    return wrong


class Server(uvicorn.Server):
    """Uvicorn inside our loop, whose streams are ended before it waits for connections to close."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: an open chat must not hold up a stop."""
        self.before_shutdown()
        await super().shutdown(sockets)

    before_shutdown: Callable[[], None] = staticmethod(lambda: None)


async def serve(app: App, listener: socket.socket, *, ready: Callable[[], None] = lambda: None) -> None:
    """Run everything until a signal ends it, then stop within ``limits.stop`` seconds."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    for one in ends():
        loop.add_signal_handler(one, over.set)
    await app.start()
    _settle()
    config = uvicorn.Config(
        BehindProxy(cast("Any", web(app)), list(app.settings.server.proxies)),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=max(1, int(app.settings.limits.stop * 0.3)),
        proxy_headers=False,
        **connection.settings(),
    )
    server = Server(config)
    server.before_shutdown = app.hub.wake
    running = asyncio.create_task(server.serve([listener]))
    while not server.started and not running.done():
        await asyncio.sleep(0.005)
    ready()
    stopping = asyncio.create_task(over.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await running
    await app.stop()


def ends() -> list[signal.Signals]:
    """The signals that end us: that the terminal went away is one of them, unless nohup was asked to keep us."""
    kept = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGTERM, signal.SIGINT, *([] if kept else [signal.SIGHUP])]


def _settle() -> None:
    """All is there: what it took goes back to the system, what it left is not looked through for garbage any more."""
    gc.collect()
    with suppress(OSError, AttributeError):  # glibc keeps it otherwise: 8 MB where the index was solved just now
        ctypes.CDLL(None).malloc_trim(0)
    gc.set_threshold(20_000, 20, 50)  # a message leaves a thousand objects and no cycle: look more rarely
    gc.enable()
    gc.freeze()  # modules and the index stay for good: looking through them again and again takes a tenth of a second


def listen(host: str, port: int) -> socket.socket:
    """The listening socket; raises OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio leaves TCP_NODELAY off
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host.strip("[]"), port))
    listener.listen(2048)
    listener.set_inheritable(True)
    return listener
