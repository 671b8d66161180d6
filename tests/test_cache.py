"""What takes long is made once, apart, and again when what it was made of changes."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot import cache, knowledge_base
from bot.cache import begin_making
from bot.config import Settings, load


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


def test_what_was_built_with_the_installation_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "BUILT", tmp_path / "build")
    made: dict[str, partial[Any]] = {"who": partial(os.getpid)}
    built = begin_making(tmp_path / "build" / "index", made)()
    assert begin_making(tmp_path / "data" / "index", made)() == built
    assert not (tmp_path / "data").exists()
    assert begin_making(tmp_path / "data" / "index", {"who": partial(max, 3, 1)})() == {"who": 3}, "of other words"


def test_the_installation_solves_the_answers_it_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = tmp_path / "build"
    monkeypatch.setattr(cache, "BUILT", build)
    monkeypatch.setattr(knowledge_base, "BUILT", build)
    monkeypatch.setattr(knowledge_base, "HOME", tmp_path)
    knowledge_base.build_shipped()  # without a configuration there is nothing to build, and no complaint
    assert not build.exists()
    settings = _house(tmp_path)
    knowledge_base.build_shipped()
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in (build / "index").iterdir())
    known = knowledge_base.load_knowledge(settings)
    assert known.knowledge.ask("where is the bread").outcome == "answer"
    assert not (settings.data / "index").exists(), "nothing was left to be solved"
    _house(tmp_path, "where are the rolls")
    knowledge_base.load_knowledge(settings)
    assert (settings.data / "index" / "en").is_file()


def _house(folder: Path, question: str = "where is the bread") -> Settings:
    """A configuration whose only answer is asked for like this."""
    said = {"en": [question, "any bread left", "bread please"]}
    entry = {"id": "bread", "topic": "shop", "questions": said, "answer": {"en": "There."}}
    (folder / "faq").mkdir(exist_ok=True)
    (folder / "faq" / "a.yaml").write_text(json.dumps([entry]))
    (folder / "config.yaml").write_text('languages: ["en"]\nknowledge: {faq: faq}\n')
    return load(folder / "config.yaml")
