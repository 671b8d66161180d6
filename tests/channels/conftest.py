"""The web chat in a house that a test can look into, Slack, and an index that is built once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from bot.files import Files, StoredFile
from channels.web import Web
from tests.channels.standin import Desk, Site
from tests.wire.slack import FakeSlack


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty house."""
    rows: dict[str, StoredFile] = {}

    async def save(row: StoredFile, _at: float) -> None:
        rows[row.id] = row

    async def load(id: str) -> StoredFile | None:
        return rows.get(id)

    types = ("image/png", "image/jpeg", "application/pdf", "text/plain")
    return Desk(Files(tmp_path / "files", save, load, limit=1 << 20, types=types))


@pytest.fixture
def web(desk: Desk) -> Web:
    """The channel in that house, open to one other site."""
    web = Web(
        secret="s" * 32,
        origins=("https://shop.example",),
        file_bytes=1 << 20,
        sessions_per_minute=600,
        messages_per_minute=600,
    )
    web.office = cast("Any", desk)
    return web


@pytest.fixture
def site(web: Web) -> Iterator[Site]:
    """The same over HTTP."""
    site = Site(web.routes())
    yield site
    site.stop()


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the answers' index is kept: built once."""
    return tmp_path_factory.mktemp("index")


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """Slack, in its usual mood."""
    async with FakeSlack() as one:
        yield one
