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


@contextmanager
def folder_at(spec: str, usual: Path) -> Iterator[Path]:
    """``spec`` is a folder, or a git revision at which ``usual`` is wanted. Raises NoSuchVersion."""
    if Path(spec).is_dir():
        yield Path(spec)
        return
    command = ["git", "archive", "--format=tar", f"{spec}:./", "--"]
    try:
        packed = subprocess.run(command, cwd=usual, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"").decode(errors="replace").strip() or str(error)
        raise NoSuchVersion(f"'{spec}' is neither a folder nor a revision that holds {usual}: {said}") from None
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(place, filter="data")
        yield Path(place)
