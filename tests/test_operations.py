"""Verify, dead letters, backup, migrations, retention: what an operator relies on."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
import subprocess
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, QueuePool, inspect, text
from sqlalchemy.exc import DBAPIError

from bot.backup import NoBackup, WrongTarget, backup
from bot.config import Limits
from bot.dead import NoSuchDead, discard, listed, retry
from bot.dialogue import Decision, Say, Turn, Wait
from bot.messages import Kind, Reply
from bot.migrate import migrate, newest, revision, step_by_step
from bot.schema import metadata
from bot.store import Away, Store
from bot.verify import RULES, verify
from bot.views import views
from channels import Refused
from handoff import rounds
from handoff.rounds import forget_raw
from tests.house import House, Probe, echo


async def test_a_fresh_house_keeps_every_rule(store: Store) -> None:
    async with House(store) as house:
        for n in range(20):
            await house.hear("ticket" if n % 3 else "rate", chat=f"c{n % 4}")
        await house.settled()
    found = await store.read(verify)
    assert found["ok"], found
    assert found["rules"] == len(RULES)


@pytest.mark.parametrize("kind", [Kind.NOTICE, Kind.EDIT])
async def test_what_is_told_while_words_wait_for_more_overtakes_them_by_right(store: Store, kind: Kind) -> None:
    def decide(turn: Turn) -> Decision | Wait:
        if turn.event.text == "half":
            return Wait(turn.now + timedelta(seconds=0.3))
        return echo(turn) if turn.event.kind is not kind else Decision(turn.talk, (Say(Reply("by the way")),))

    async with House(store, decide=decide) as house:
        await house.hear("half")
        await house.hear("", kind=kind)
        await house.settled()
        assert await house.rows("SELECT text FROM message WHERE author = 'bot' ORDER BY seq") == [
            ("by the way",),
            ("echo half burst",),
        ]
    assert (await store.read(verify))["ok"]


BREAKS = {
    "every open conversation has an unfired timer": "DELETE FROM timer WHERE subject LIKE 'conversation:%'",
    "every open ticket has an owner and an unfired timer": "DELETE FROM timer WHERE subject LIKE 'ticket:%'",
    "a turn that replied has a reply": "DELETE FROM reply",
    "merged words belong to a finished turn of their chat": "UPDATE inbox SET turn_id = 999999",
    "words that wait for more have a timer": "UPDATE inbox SET state = 'taken', outcome = NULL, turn_id = NULL",
    "a chat with something waiting is ready at some time": (
        "UPDATE inbox SET state = 'waiting', outcome = NULL, turn_id = NULL"
    ),
    "events of a chat were handled in the order of their receipt": "UPDATE inbox SET done_at = done_at + 9 - seq",
    "the messages of a chat are numbered without a hole": "DELETE FROM message WHERE seq = 1",
    "the events of a chat are numbered once": "UPDATE inbox SET seq = 1",
    "a reply that is not due is settled": "UPDATE reply SET state = 'sending'",
    "what waits for people is in the queue and looked after": """
        INSERT INTO handover (conversation_id, reason, priority, waiting_since)
        SELECT id, 'asked', 2, 1 FROM conversation""",
    "an agent's conversation is that of somebody who can act": "UPDATE conversation SET owner = 'agent', agent_id = 9",
    "an open ticket's agent can act": "UPDATE ticket SET owner = 'agent', agent_id = 9",
    "an open promise is that of somebody who can act": """
        INSERT INTO agent (id, login, name, role, created_at, disabled_at) VALUES (1, 'a', 'A', 'agent', 0, 1),
            (2, 'b', 'B', 'admin', 0, NULL);
        INSERT INTO promise (number, chat_id, customer_id, agent_id, text, due_at, made_at)
        SELECT 'P-1', id, customer_id, 1, 'a call', 0, 0 FROM chat""",
    "a standard that is being measured has its timer": """
        UPDATE ticket SET clocks = '{"resolution": {"since": 1.0}}'""",
    "a standard is met or missed once": """
        INSERT INTO fact (at, kind, data) VALUES (0, 'standard_met', '{"number": "T-1", "begun": 1}'),
            (0, 'standard_missed', '{"number": "T-1", "begun": 1}')""",
    "an agent's command that is done has a result": "UPDATE inbox SET kind = 'command', outcome = 'command'",
}


@pytest.mark.parametrize("rule", BREAKS)
async def test_verify_finds_what_is_broken(store: Store, rule: str) -> None:
    async with House(store) as house:
        for words in ("one", "ticket", "two"):
            await house.hear(words)
        await house.settled()
    for statement in BREAKS[rule].split(";"):
        await store.write(lambda c, one=statement: c.exec_driver_sql(one))  # type: ignore[misc]
    assert rule in (await store.read(verify))["broken"]


def test_the_rules_not_broken_above_cannot_be_broken_by_sql() -> None:
    by_the_database = {"a chat has at most one open conversation", "only the customer's own event causes a ticket"}
    assert set(BREAKS) | by_the_database == set(RULES)


async def test_dead_events_are_listed_retried_and_discarded(store: Store) -> None:
    broken = True

    def decide(turn: Turn) -> Decision:
        if broken and turn.event.text.startswith("bad"):
            raise ValueError("no")
        return echo(turn)

    async with House(store, decide=decide) as house:
        await house.hear("bad 1")
        await house.hear("bad 2")
        await house.settled()
        first, second = [line["id"] for line in await store.read(listed)]
        broken = False
        assert await store.write(lambda c: retry(c, [first])) == 1
        house.worker.wake()
        await house.settled()
        assert await house.rows("SELECT text FROM message WHERE text LIKE '%bad 1'") == [("bad 1",), ("echo bad 1",)]
        await store.write(lambda c: discard(c, [second]))
        assert await store.read(listed) == []
        assert await house.rows("SELECT outcome FROM inbox ORDER BY id") == [("replied",), ("silent",)]
        for wrong in (first, "r1", "x", "9" * 30):
            with pytest.raises(NoSuchDead):
                await store.write(partial(retry, ids=[wrong]))
    assert (await store.read(verify))["ok"]


async def test_dead_replies_are_sent_again_or_let_go(store: Store) -> None:
    blocked = True

    async def answer(address: str, reply: Reply) -> None:
        if blocked:
            raise Refused("blocked")

    probe = Probe(answer=answer)
    async with House(store, probe) as house:
        for n in range(3):
            await house.hear(f"x{n}", channel="probe")
        await house.settled()
        dead = await store.read(listed)
        assert [(line["what"], line["error"]) for line in dead] == [("reply", "blocked")] * 3
        first, second, third = [line["id"] for line in dead]
        assert await store.write(partial(discard, ids=[second, second])) == 1
        for gone in (second, "r999", first[1:]):  # let go, invented, an event that is not dead
            with pytest.raises(NoSuchDead):
                await store.write(partial(retry, ids=[first, gone]))
        blocked = False
        assert await store.write(partial(retry, ids=["all"])) == 2
        await house.settled()
        assert [(text, key) for _, text, key in probe.sent] == [("echo x0", first), ("echo x2", third)]
        assert await house.rows("SELECT state FROM check_reply ORDER BY id") == [("sent",), ("withdrawn",), ("sent",)]
        assert await store.write(partial(retry, ids=["all"])) == 0
    assert (await store.read(verify))["ok"]


async def test_raw_bodies_are_emptied_and_keys_stay(store: Store) -> None:
    async with House(store) as house:
        await house.hear("x", key="k", raw=b"as it came")
        await house.settled()
        assert await store.write(lambda c: forget_raw(c, time.time(), 60)) == 0
        assert await store.write(lambda c: forget_raw(c, time.time() + 61, 60)) == 1
        assert await house.rows("SELECT dedup_key, raw FROM inbox") == [("k", None)]
        assert not (await house.hear("x", key="k")).fresh


async def test_raw_bodies_that_are_kept_shortly_do_not_wait_for_the_next_long_round(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "POLL", 0.05)
    async with House(store, limits=Limits(keep_raw=0.5)) as house:
        await house.settled()  # the first sweep is over before there is anything
        await house.hear("x", key="k", raw=b"as it came")
        async with asyncio.timeout(20):
            while await house.rows("SELECT raw FROM inbox WHERE dedup_key = 'k'") != [(None,)]:
                await asyncio.sleep(0.05)


async def test_a_backup_opens_and_holds_everything(store: Store, database: str, tmp_path: Path) -> None:
    async with House(store) as house:
        await house.hear("x")
        await house.settled()
        target = tmp_path / "copy"
        if store.dialect == "postgresql" and shutil.which("pg_dump") is None:
            with pytest.raises(NoBackup, match="pg_dump is missing"):
                backup(database, target)
            return
        if store.dialect == "postgresql" and _older_than_the_server():
            with pytest.raises(NoBackup, match="version"):
                backup(database, target)
            return
        backup(database, target)
    if store.dialect == "sqlite":
        with sqlite3.connect(target) as copy:
            assert copy.execute("SELECT count(*) FROM message").fetchone() == (2,)
        copy.close()
    assert target.read_bytes()[:5] in (b"SQLit", b"PGDMP")
    assert not target.with_name("copy.partial").exists()


@pytest.mark.parametrize("url", ["postgresql://ann:p%40ss@db/house", "postgresql://ann@db/house?password=p%40ss"])
def test_pg_dump_has_the_password_and_its_command_has_not(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\nprintf "PGDMP %s %s" "$PGPASSWORD" "$*" > "$3"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    backup(url, tmp_path / "copy")
    said = (tmp_path / "copy").read_text()
    assert said == f"PGDMP p@ss -Fc -f {tmp_path}/copy.partial postgresql://ann@db/house"


def _older_than_the_server() -> bool:
    """Debian's pg_dump may not know the server that the tests bring."""
    said = subprocess.run(
        [shutil.which("pg_dump") or "", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r" (\d+)", said)
    return found is not None and int(found[1]) < 18


def test_a_backup_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoBackup, match="there is no database"):
        backup(f"sqlite:///{tmp_path}/none.db", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def _made(connection: Connection) -> dict[str, object]:
    """All that a database is made of, whatever the order and the way it was made."""
    found: dict[str, object] = {}
    its = inspect(connection)
    for table in its.get_table_names():
        checks = its.get_check_constraints(table)
        found |= {f"{table}.{c['name']}": (str(c["type"]), c["nullable"], c["default"]) for c in its.get_columns(table)}
        found |= {f"{table}: {c['name']}": re.sub(r"\s+", " ", c["sqltext"]) for c in checks}
        found[f"{table}: key"] = its.get_pk_constraint(table)["constrained_columns"]
        found[f"{table}: unique"] = sorted(
            (str(u["name"]), u["column_names"]) for u in its.get_unique_constraints(table)
        )
        foreign = its.get_foreign_keys(table)
        found[f"{table}: refers"] = sorted((f["constrained_columns"], f["referred_table"]) for f in foreign)
    if connection.dialect.name == "sqlite":
        beside = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE type IN ('index', 'trigger', 'view')"
    else:
        beside = """SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL
            SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal UNION ALL
            SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace"""
    rows = connection.execute(text(beside)).all()
    return found | {name: re.sub(r'[\s"]+', "", sql or "") for name, sql in rows}


async def test_a_new_database_is_what_all_migrations_lead_to(store: Store) -> None:
    def nothing(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
            return
        for name in views("sqlite"):
            connection.execute(text(f"DROP VIEW {name}"))
        connection.execute(text("DROP TABLE search_words"))
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        for table in inspect(connection).get_table_names():
            connection.execute(text(f"DROP TABLE {table}"))

    def stepped(connection: Connection) -> None:
        step_by_step(connection)
        for name, query in views(connection.dialect.name).items():
            connection.execute(text(f"CREATE VIEW {name} AS {query}"))

    at_once = await store.read(_made)
    await store.write(nothing)
    await store.write(stepped)
    assert await store.read(_made) == at_once
    assert await store.read(revision) == newest()


async def test_the_migrations_lead_to_the_tables(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def common(name: str | None, _kind: str, _parents: object) -> bool:
        return not (name or "").startswith("search")  # differs between the databases: see handoff/search.py

    def differences(connection: Connection) -> list[object]:
        opts = {"compare_type": True, "include_name": common}
        return list(compare_metadata(MigrationContext.configure(connection, opts=opts), metadata))

    assert await store.read(differences) == []
    assert await store.read(lambda c: set(inspect(c).get_view_names())) >= set(views(store.dialect))
    assert await migrate(store) is False
    assert await store.read(revision) == newest()


async def test_a_database_that_is_away_is_said_so(tmp_path: Path) -> None:
    store = Store("postgresql://nobody:password@127.0.0.1:1/none")
    with pytest.raises(Away):
        await store.read(lambda c: c.execute(text("SELECT 1")))
    with pytest.raises(Away, match=r"the database postgresql://nobody:\*+@127.0.0.1:1/none cannot be used: "):
        await migrate(store)
    await store.close()


async def test_work_goes_on_when_the_database_comes_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with House(store) as house:
        real, away = store._database.write, True

        async def write(work: Any, *how: bool) -> Any:
            if away:
                raise OSError("disk full")
            return await real(work, *how)

        monkeypatch.setattr(store._database, "write", write)
        with pytest.raises(Away):
            await house.hear("lost", key="k")
        away = False
        assert (await house.hear("lost", key="k")).fresh
        await house.settled()
        assert await house.rows("SELECT count(*) FROM message") == [(2,)]


@pytest.mark.parametrize("name", ["aftercare.db", "aftercare.db-wal", "notes.txt", "."])
def test_a_backup_destroys_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("precious")
    with sqlite3.connect(tmp_path / "aftercare.db") as database:
        database.execute("CREATE TABLE one (x)")
    database.close()
    with pytest.raises(WrongTarget):
        backup(f"sqlite:///{tmp_path}/aftercare.db", tmp_path / name)
    assert (tmp_path / "notes.txt").read_text() == "precious"


async def test_nothing_is_acknowledged_into_a_database_that_was_moved_away(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/a.db")
    await migrate(store)
    async with House(store) as house:
        await house.hear("kept")
        await house.settled()
        (tmp_path / "a.db").rename(tmp_path / "b.db")
        with pytest.raises(Away):
            await house.hear("refused", key="k")
        (tmp_path / "b.db").rename(tmp_path / "a.db")
        assert (await house.hear("refused", key="k")).fresh
        await house.settled()
    await store.close()


STATES = "08006 25006 25P03 40001 40P01 53300 55000 55P03 57014 57P01 57P03 57P05 23514".split()


@pytest.mark.parametrize("state", STATES)
async def test_what_the_server_says_of_itself_is_away(postgres: str, state: str) -> None:
    """SQLAlchemy has no class of its own for most of these; what the question is guilty of stays what it is."""
    store = Store(postgres.format(name="postgres"))
    says = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(DBAPIError if state == "23514" else Away):
        await store.read(lambda c: c.exec_driver_sql(says))
    await store.close()


async def test_a_server_that_ends_a_transaction_or_is_the_wrong_one_is_away(postgres: str) -> None:
    here = postgres.format(name="postgres")
    store = Store(f"{here}&options=-c%20idle_in_transaction_session_timeout%3D20ms")

    def slow(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT 1")
        time.sleep(0.3)  # as a process that sleeps with the machine it is on
        connection.exec_driver_sql("SELECT 1")

    with pytest.raises(Away):
        await store.read(slow)
    assert await store.read(lambda c: c.scalar(text("SELECT 1"))) == 1
    await store.close()
    store = Store(f"{here}&target_session_attrs=read-only")  # as when the one that could be written went down
    with pytest.raises(Away, match="None of the hosts match"):
        await store.read(lambda c: c.scalar(text("SELECT 1")))
    await store.close()


async def test_a_pool_without_a_free_connection_is_away(store: Store) -> None:
    connect: Any = partial(sqlite3.connect, ":memory:")
    pool = QueuePool(connect, pool_size=1, max_overflow=0, timeout=0.01)
    with pool.connect(), pytest.raises(Away):
        await store.read(lambda _: pool.connect())
