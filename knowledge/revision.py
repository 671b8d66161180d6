"""A folder as it is now, or as it was in a git revision."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoSuchVersion(Exception):
    """Neither a folder nor a revision."""


def _git(folder: Path, *words: str) -> bytes:
    command = ["git", *words]  # looked up like any command of the admin
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout


@contextmanager
def folder_at(spec: str, usual: Path) -> Iterator[Path]:
    """``spec`` is a folder, or a git revision at which ``usual`` is wanted. Raises NoSuchVersion."""
    if Path(spec).is_dir():
        yield Path(spec)
        return
    try:
        top = Path(_git(usual, "rev-parse", "--show-toplevel").decode().strip())
        tree = _git(top, "rev-parse", "--verify", "--end-of-options", f"{spec}:{usual.resolve().relative_to(top)}")
        packed = _git(top, "archive", "--format=tar", tree.decode().strip())
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"").decode(errors="replace").strip() or str(error)
        raise NoSuchVersion(f"'{spec}' is neither a folder nor a revision that holds {usual}: {said}") from None
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(place, filter="data")
        yield Path(place)
