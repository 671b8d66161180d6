"""A console on a database of its own, with people of every role and two teams' conversations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, insert
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.app import App
from bot.config import KnowledgeSettings, Limits, Settings
from bot.inbox import chat_id
from bot.knowledge_base import KnowledgeBase, begin_loading
from bot.store import Store
from bot.tables import chat, conversation, customer, inbox, message, ticket
from handoff import accounts, sessions
from handoff.console import open_console
from handoff.tables import handover

PEOPLE = {  # login -> role, teams
    "anna": ("agent", ["repair"]),
    "sam": ("supervisor", ["repair"]),
    "chief": ("supervisor", []),
    "root": ("admin", []),
    "eye": ("auditor", []),
}
ORIGIN = "http://localhost"


@dataclass
class Desk:
    """A console that is asked without a network, and who may ask it."""

    app: App
    asgi: Starlette
    ids: dict[str, int]
    _tokens: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def let_in(self, login: str) -> None:
        """A session for this login, without its password."""

        def work(c: Connection) -> tuple[str, str]:
            token = sessions.begin(c, self.ids[login], "test")
            session = sessions.find(c, token)
            assert session
            return token, session.csrf

        self._tokens[login] = await self.app.store.write(work)

    @contextmanager
    def client(self, login: str = "", **headers: str) -> Iterator[httpx2.AsyncClient]:
        """Somebody's browser; nobody's without a login."""
        token, csrf = self._tokens.get(login, ("", ""))
        cookies = {"aftercare": token} if token else {}
        own = {"Origin": ORIGIN, "X-CSRF-Token": csrf, **headers}
        transport = httpx2.ASGITransport(app=self.asgi, client=("127.0.0.1", 1))
        yield httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=own, cookies=cookies)

    async def ask(self, login: str, method: str, path: str, json: Any = None, **headers: str) -> httpx2.Response:
        """One request under /console."""
        with self.client(login, **headers) as client:
            return await client.request(method, f"/console{path}", json=json if method == "POST" else None)


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], KnowledgeBase]:
    """A few answers, solved once."""
    few = KnowledgeSettings(faq=Path(__file__).parent.parent / "faq")
    solved = begin_loading(Settings(data=tmp_path_factory.mktemp("known"), knowledge=few))()
    return lambda: solved


@pytest.fixture
def serving(database: str, tmp_path: Path, known: Callable[[], KnowledgeBase]) -> Iterator[Any]:
    """A house that is served (tests/handoff/serving.py)."""
    from tests.handoff.serving import Serving

    with Serving(database, tmp_path, known) as one:
        yield one


@pytest.fixture
async def desk(store: Store, tmp_path: Path, known: Callable[[], KnowledgeBase]) -> Desk:
    """The console, its people, and a conversation and a ticket of either team."""
    settings = Settings(data=tmp_path, limits=Limits(attempts=1))
    app = App(settings, store=store, channels=[], known=known)
    ids = await store.write(people)
    await store.write(matters)
    return Desk(app, Starlette(routes=[Mount("/console", app=open_console(app))]), ids)


def people(connection: Connection) -> dict[str, int]:
    """An account for each of ``PEOPLE``; their ids."""
    ids = {}
    for login, (role, teams) in PEOPLE.items():
        ids[login] = accounts.add(connection, login, role=role, teams=teams, name=login.title())
    return ids


def matters(connection: Connection) -> None:
    """A conversation and a ticket of either team."""
    for n, team in ((1, "repair"), (2, "sales")):
        who = {"name": f"Customer of {team}", "created_at": time.time()}
        _matter(connection, n, team, connection.scalar(insert(customer).values(who).returning(customer.c.id)))


def _matter(connection: Connection, n: int, team: str, who: int | None) -> None:
    now, address, name = time.time(), f"address {team}", f"{team.upper():0<8}"
    here = chat_id("web", address)
    place = {"id": here, "channel": "web", "address": address, "customer_id": who, "created_at": now}
    connection.execute(insert(chat).values(**place, message_seq=1))
    event = {"channel": "web", "dedup_key": f"k{n}", "chat_id": here, "kind": "text", "priority": 1, "state": "done"}
    times = {"ready_at": now, "received_at": now, "outcome": "silent", "turn_id": n}
    cause = connection.scalar(insert(inbox).values(**event, **times).returning(inbox.c.id))
    matter = {"number": f"C-{name}", "chat_id": here, "customer_id": who, "owner": "queue", "opened_at": now}
    its = connection.scalar(insert(conversation).values(matter).returning(conversation.c.id))
    held = {"conversation_id": its, "reason": "asked", "priority": 2, "wants": {"team": team}, "waiting_since": now}
    connection.execute(insert(handover).values(held))
    said = {"chat_id": here, "seq": 1, "conversation_id": its, "author": "customer", "text": f"words for {team}"}
    connection.execute(insert(message).values(**said, created_at=now, inbox_id=cause))
    work = {"number": f"T-{name}", "conversation_id": its, "chat_id": here, "customer_id": who, "kind": "fault"}
    what = {"state": "new", "owner": f"team:{team}", "priority": "normal", "subject": f"for {team}"}
    connection.execute(insert(ticket).values(**work, **what, cause_inbox_id=cause, due_at=now + 60, opened_at=now))
