"""Bring a database to the tables of this version."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from bot.store import Away, Store
from bot.views import views

FOLDER = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = 7_326_481  # PostgreSQL advisory lock: two processes starting together


def newest() -> str:
    """The revision this version of the program needs."""
    return max(path.name.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


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
    if revision(connection) == newest():
        return False
    from alembic import command  # a third of a second of imports, needed once per upgrade
    from alembic.config import Config

    made = views(connection.dialect.name)
    for name in made:
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    for name, query in made.items():
        connection.execute(text(f"CREATE VIEW {name} AS {query}"))
    return True


async def migrate(store: Store) -> bool:
    """Create or upgrade the database; True if there was anything to do. Raises Away, naming the database."""
    try:
        return await store.write(upgrade)
    except Away as error:
        url = store.url.set(drivername=store.dialect).render_as_string()  # without its password
        raise Away(f"the database {url} cannot be used: {error}") from None
