"""A cache on disk of what takes seconds and much memory to make: it is read within milliseconds at the next start."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar

T = TypeVar("T")
HOME = Path(__file__).parent.parent
CODE = HOME / "knowledge"
BUILT = HOME / "build"  # what the installation has made already; only looked into, and as much trusted as the code
READ, MEASURED = (".py",), (".txt", ".npy")  # files that count with every byte, or by their size: word lists
MADE_WITH = ("numpy", "rapidfuzz")


def begin_making(folder: Path, making: Mapping[str, partial[T]]) -> Callable[[], dict[str, T]]:
    """Begin to make what is not in ``folder`` by its name; the call that is returned waits, and gives all by name.

    Each is made in a process of its own, whose memory goes with it, while this one goes on with its work. A file counts
    only if it was made with the same arguments, code and libraries. The folder lies beside the database and the secret
    key: whoever can write there needs no pickle to do harm.
    """
    code = _code()
    marks = {name: hashlib.sha256(code + repr(make.args).encode()).digest() for name, make in making.items()}
    found: dict[str, T | None] = {name: _known(folder, name, mark) for name, mark in marks.items()}
    begun = {name: _apart(folder / name, marks[name], make) for name, make in making.items() if found[name] is None}

    def finish() -> dict[str, T]:
        for name, process in begun.items():
            if process is not None and process.wait() == 0:
                found[name] = _read(folder / name, marks[name])
        return {name: here if (here := found[name]) is not None else make() for name, make in making.items()}

    return finish


def _code() -> bytes:
    """A digest of what the results depend on beside their arguments: the code and the libraries."""
    libraries = [version(name) for name in MADE_WITH]
    mark = hashlib.sha256(repr((sys.version, libraries)).encode())
    for path in sorted(p for p in CODE.rglob("*") if p.suffix in (*READ, *MEASURED)):
        mark.update(f"{path.relative_to(CODE)}\0{path.stat().st_size}\0".encode())
        mark.update(path.read_bytes() if path.suffix in READ else b"")
    return mark.digest()


def _known(folder: Path, name: str, mark: bytes) -> Any:
    """What is kept in the folder, or was built with the installation; None if it must be made."""
    places = (folder / name, BUILT / folder.name / name)
    return next((value for place in places if (value := _read(place, mark)) is not None), None)


def _read(place: Path, mark: bytes) -> Any:
    """The value in a file that begins with this mark; None if it is missing, cut short, or of another version."""
    with suppress(Exception):
        content = memoryview(place.read_bytes())
        if content[: len(mark)] == mark:
            return pickle.loads(content[len(mark) :])  # noqa: S301
    return None


def _apart(place: Path, mark: bytes, make: partial[Any]) -> subprocess.Popen[bytes] | None:
    """Begin to make it in another process; None where no process can be started."""
    with suppress(OSError), TemporaryFile() as task:
        task.write(pickle.dumps((str(place.absolute()), mark, make), 5))
        task.seek(0)
        command = [sys.executable, "-m", "bot.cache"]
        return subprocess.Popen(command, cwd=HOME, stdin=task, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return None


def _write(place: Path, content: bytes) -> None:
    """Write the file whole or not at all, readable by nobody else."""
    if place.parent.is_file():  # an earlier version kept everything in one
        place.parent.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    draft.touch(0o600)
    draft.write_bytes(content)
    draft.replace(place)


if __name__ == "__main__":
    where, sign, task = pickle.load(sys.stdin.buffer)  # noqa: S301
    _write(Path(where), sign + pickle.dumps(task(), 5))
