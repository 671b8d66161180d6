"""What takes long is made once, apart, and again when what it was made of changes."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from bot.cache import begin_making


def test_made_apart_and_then_read(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    both: dict[str, partial[Any]] = {"who": partial(os.getpid), "what": partial(sorted, (3, 1, 2))}
    first = begin_making(folder, both)()
    assert first["what"] == [1, 2, 3]
    assert first["who"] != os.getpid(), "another process made it"
    assert begin_making(folder, both)() == first


def test_other_arguments_make_another(tmp_path: Path) -> None:
    assert begin_making(tmp_path, {"what": partial(sorted, (3, 1))})() == {"what": [1, 3]}
    assert begin_making(tmp_path, {"what": partial(sorted, (3, 2))})() == {"what": [2, 3]}


def test_what_was_damaged_is_made_again(tmp_path: Path) -> None:
    begin_making(tmp_path, {"what": partial(sorted, (3, 1))})()
    kept = tmp_path / "what"
    kept.write_bytes(kept.read_bytes()[:-3])
    assert begin_making(tmp_path, {"what": partial(sorted, (3, 1))})() == {"what": [1, 3]}
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_file_of_an_earlier_version_gives_way(tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(b"old")
    assert begin_making(tmp_path / "index", {"what": partial(sorted, (3, 1))})() == {"what": [1, 3]}
    assert (tmp_path / "index" / "what").is_file()


def test_where_nothing_can_be_kept_it_is_made_here(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert begin_making(tmp_path / "file" / "index", {"what": partial(sorted, (3, 1))})() == {"what": [1, 3]}
    assert begin_making(tmp_path / "file" / "index", {"who": partial(os.getpid)})() == {"who": os.getpid()}
