"""The solved index, kept between starts: reading it takes milliseconds, solving it seconds and much memory."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
CODE = Path(__file__).parent.parent / "knowledge"
READ, MEASURED = (".py",), (".txt", ".npy")  # files that count with every byte, or by their size: word lists
MADE_WITH = ("numpy", "rapidfuzz")


def kept(place: Path, words: object, make: Callable[[], T]) -> T:
    """What ``make`` made of these words, read from ``place`` if it is still true of them and of the code.

    The file lies beside the database and the secret key: who can write there needs no pickle to do harm.
    """
    mark = _mark(words)
    with suppress(Exception):  # missing, cut short, of another version: whatever it is, it can be made anew
        content = place.read_bytes()
        if content.startswith(mark):
            found: T = pickle.loads(content[len(mark) :])  # noqa: S301
            return found
    made = _apart(make)
    with suppress(Exception):  # a full disk, something that cannot be pickled: then it is made at every start
        _write(place, mark + pickle.dumps(made, 5))
    return made


def _mark(words: object) -> bytes:
    """Changes with everything the index depends on: the words, the code, the libraries."""
    libraries = [version(name) for name in MADE_WITH]
    mark = hashlib.sha256(repr((words, sys.version, libraries)).encode())
    for path in sorted(p for p in CODE.rglob("*") if p.suffix in (*READ, *MEASURED)):
        mark.update(f"{path.relative_to(CODE)}\0{path.stat().st_size}\0".encode())
        mark.update(path.read_bytes() if path.suffix in READ else b"")
    return mark.digest()


def _apart(make: Callable[[], T]) -> T:
    """Made in a process of its own: its memory goes with it, and meanwhile this one answers as quickly as ever."""
    try:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            return process.submit(make).result()
    except (BrokenExecutor, OSError, pickle.PicklingError, AttributeError, AssertionError, RuntimeError):
        return make()  # no processes may be started here: then so


def _write(place: Path, content: bytes) -> None:
    """Whole or not at all; for our own eyes."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    draft.touch(0o600)
    draft.write_bytes(content)
    draft.replace(place)
