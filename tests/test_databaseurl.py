"""Which database a URL names, and what is told when it is none that can be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from bot.backup import backup
from bot.databaseurl import file_of, known
from bot.migrate import migrate
from bot.store import Away, Store, Unusable


@pytest.mark.parametrize("name", ["a%20b.db", "a#b.db", "a b.db", "海澜.db"])
async def test_a_file_is_named_as_it_is_written(tmp_path: Path, name: str) -> None:
    url = known(f"sqlite:///{tmp_path}/{name}")
    store = Store(url)
    assert await migrate(store)
    await store.close()
    assert file_of(url) == tmp_path / name
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    backup(url, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size > 100_000
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


async def test_a_server_is_named_as_every_program_of_postgresql_reads_it(postgres: str) -> None:
    store = Store(known(f"{postgres.format(name='postgres')}&sslmode=prefer&application_name=ours"))
    assert await store.read(lambda c: c.scalar(text("SELECT current_setting('application_name')"))) == "ours"
    await store.close()
    store = Store(known(f"{postgres.format(name='postgres')}&channel_binding=prefer&connect_timeout=3&keepalives=1"))
    assert await store.read(lambda c: c.scalar(text("SELECT 1"))) == 1
    await store.close()
    store = Store(known(f"{postgres.format(name='postgres')}&nonsense=1"))
    with pytest.raises(Unusable, match=r'^the URL of the database: unrecognized .* "nonsense"; leave'):
        await store.read(lambda c: c.scalar(text("SELECT 1")))
    await store.close()
    for wrong, said in (("postgres@/none", 'database "none" does not exist'), ("no@/none", 'role "no" does not exist')):
        store = Store(postgres.format(name="none").replace("postgres@/none", wrong))
        with pytest.raises(Away, match=f"^{said}"):
            await store.read(lambda c: c.scalar(text("SELECT 1")))
        await store.close()


@pytest.mark.parametrize("asked", ["channel_binding=require", "requirepeer=x", "hostaddr=127.0.0.1", "port=abc"])
def test_what_the_driver_cannot_keep_is_told_before(asked: str) -> None:
    with pytest.raises(ValueError, match=f"^(asks for {asked}, which cannot be had: leave it out; |has a port that)"):
        known(f"postgresql://u:p@host/name?sslmode=require&{asked}")


async def test_a_damaged_file_is_away(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/a.db")
    await migrate(store)
    await store.close()
    with (tmp_path / "a.db").open("r+b") as file:
        file.truncate(20_000)
    store = Store(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(Away, match="database disk image is malformed"):
        await store.read(lambda c: c.scalar(text("SELECT count(*) FROM inbox")))
    await store.close()


async def test_a_database_of_a_newer_version_stays_as_it_is(store: Store) -> None:
    await store.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(Unusable, match="version 9999, of which this program knows nothing"):
        await migrate(store)
