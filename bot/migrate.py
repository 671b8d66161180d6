"""Bring a database to the tables of this version."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect, text

import handoff.tables  # noqa: F401 - both add their tables to the metadata
from bot.schema import metadata
from bot.store import Away, Store, Unusable
from bot.views import views
from handoff.search import search

FOLDER = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = 7_326_481  # PostgreSQL advisory lock: two processes starting together


def newest() -> str:
    """The revision this version of the program needs."""
    return max(_revisions())


def _revisions() -> set[str]:
    return {path.name.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py")}


def revision(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def upgrade(connection: Connection) -> bool:
    """Upgrade inside the caller's transaction; True if there was anything to do.

    The views are derived: they are dropped before and made anew after, whatever the tables became.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})"))
    found = revision(connection)
    if found == newest():
        return False
    if found and found not in _revisions():
        raise Unusable(f"the database is at version {found}, of which this program knows nothing: a newer one made it")
    made = views(connection.dialect.name)
    for name in made:
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    if inspect(connection).get_table_names():
        step_by_step(connection)
    else:
        _at_once(connection)
    for name, query in made.items():
        connection.execute(text(f"CREATE VIEW {name} AS {query}"))
    return True


def step_by_step(connection: Connection) -> None:
    """Through every version there has been since, as Alembic does."""
    from alembic import command  # 8 MB and a third of a second of imports, needed once per upgrade
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _at_once(connection: Connection) -> None:
    """A new database needs no history: the tables as they are now. Both ways lead to the same, which a test proves."""
    for tables in (metadata, search.metadata):
        tables.create_all(connection)
    version = Table("alembic_version", MetaData(), Column("version_num", String(32), nullable=False))
    version.append_constraint(PrimaryKeyConstraint("version_num", name="alembic_version_pkc"))
    version.create(connection)
    connection.execute(version.insert().values(version_num=newest()))


async def migrate(store: Store) -> bool:
    """Create or upgrade the database; True if there was anything to do. Raises Away, naming the database."""
    try:
        return await store.write(upgrade)
    except Away as error:
        url = store.url.render_as_string()  # without its password
        raise Away(f"the database {url} cannot be used: {error}") from None
