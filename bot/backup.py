"""A consistent copy of the database while it is in use."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url

from bot.databaseurl import file_of


class NoBackup(Exception):
    """The copy could not be made; nothing is left half-written."""


class WrongTarget(NoBackup):
    """A backup there would destroy something."""

    exit_code = 2


OURS = (b"SQLite format 3\0", b"PGDMP")  # how a backup begins: only such a file is written over


def backup(database: str, target: Path) -> None:
    """Copy the database to ``target``: SQLite's backup API, or ``pg_dump -Fc``. Raises NoBackup."""
    file = file_of(database)
    _harmless(target, file)
    partial = target.with_name(target.name + ".partial")
    try:
        partial.touch(mode=0o600)  # what customers say is nobody else's
        if file:
            _sqlite(file, partial)
        else:
            _postgres(make_url(database), partial)
        with partial.open("rb") as copy:
            os.fsync(copy.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _harmless(target: Path, database: Path | None) -> None:
    if target.is_symlink() and not target.exists():
        raise WrongTarget(f"{target} is a link that leads nowhere: name a file")
    if target.is_dir() or not target.name:
        raise WrongTarget(f"{str(target)!r} is a folder: name the file the backup is to be in")
    if not target.parent.is_dir():
        raise WrongTarget(f"there is no folder {target.parent}")
    beside = [f"{database}{end}" for end in ("", "-wal", "-shm", ".lock")] if database else []
    if str(target.resolve()) in {str(Path(path).resolve()) for path in beside}:
        raise WrongTarget(f"{target} is the database itself, or belongs to it: name another file")
    if target.exists():
        with target.open("rb") as file:
            begins = file.read(16)
        if not begins.startswith(OURS):
            raise WrongTarget(f"{target} is there already and is no backup: name another file")


def _sqlite(source: Path, target: Path) -> None:
    if not source.exists():
        raise NoBackup(f"there is no database at {source}")
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)  # in one piece: between two of them others may write, and it would begin anew
            new.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise NoBackup(f"{source} could not be copied to {target.parent}: {error}") from None


def _postgres(url: URL, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise NoBackup("pg_dump is missing: install PostgreSQL's client programs (Debian: postgresql-client)")
    secret = str(url.password or url.query.get("password") or "")  # every user of this machine can read a command
    place = url._replace(password=None).difference_update_query(["password"]).render_as_string()
    command = [program, "-Fc", "-f", str(target), place]
    environment = {**os.environ, "PGPASSWORD": secret} if secret else None
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(line.removeprefix("pg_dump: ") for line in done.stderr.strip().splitlines()[-2:])
        raise NoBackup(f"pg_dump failed: {said or 'no reason given'}")
