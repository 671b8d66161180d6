"""A good change is live within two seconds, a broken one changes nothing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from knowledge.faq import read
from knowledge.index import Knowledge, build
from knowledge.live import Shelf, state

ENTRY = "- {{id: {id}, topic: t, questions: {{en: [{question}, again {question}]}}, answer: {{en: So.}}}}\n"


async def until(shelf: Shelf[Knowledge], name: str) -> float:
    """Seconds until an entry is known."""
    start = time.monotonic()
    while shelf.now.entry(name) is None and time.monotonic() - start < 5:
        await asyncio.sleep(0.01)
    return time.monotonic() - start


async def test_changes_are_live_and_mistakes_are_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(ENTRY.format(id="one", question="what"))
    shelf = Shelf(lambda: build(read(tmp_path)), [tmp_path], build(read(tmp_path)))
    stop = asyncio.Event()
    watching = asyncio.create_task(shelf.watch(stop))
    await asyncio.sleep(0.3)

    before = shelf.now
    file.write_text(ENTRY.format(id="two", question="why"))
    assert await until(shelf, "two") < 2
    assert before.entry("one") is not None, "a turn under way keeps its version"

    file.write_text(ENTRY.format(id="Three!", question="who"))
    while not shelf.problem:
        await asyncio.sleep(0.01)
    assert "a.yaml:1" in shelf.problem
    assert shelf.now.entry("two") is not None
    assert shelf.problem in caplog.text

    file.write_text(ENTRY.format(id="four", question="who"))
    assert await until(shelf, "four") < 2
    assert shelf.problem == ""
    stop.set()
    await watching


async def test_what_is_saved_while_the_start_still_builds_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(ENTRY.format(id="one", question="what"))
    seen, first = state([tmp_path]), build(read(tmp_path))
    file.write_text(ENTRY.format(id="two", question="why so late"))
    shelf = Shelf(lambda: build(read(tmp_path)), [tmp_path], first, seen)
    stop = asyncio.Event()
    watching = asyncio.create_task(shelf.watch(stop))
    assert await until(shelf, "two") < 5
    stop.set()
    await watching


@pytest.mark.parametrize("linked", [False, True])
async def test_a_folder_that_is_replaced_whole_is_read_again(tmp_path: Path, linked: bool) -> None:
    """As a deployment does it: the new version is laid beside the old one and takes its place."""
    old, new, here = tmp_path / "old", tmp_path / "new", tmp_path / "faq"
    for folder, name in ((old, "one"), (new, "two")):
        folder.mkdir()
        (folder / "a.yaml").write_text(ENTRY.format(id=name, question=f"what {name}"))
    if linked:
        here.symlink_to(old)
    else:
        old.rename(here)
    shelf = Shelf(lambda: build(read(here)), [here], build(read(here)))
    stop = asyncio.Event()
    watching = asyncio.create_task(shelf.watch(stop))
    await asyncio.sleep(0.3)

    if linked:
        (tmp_path / "next").symlink_to(new)
        (tmp_path / "next").replace(here)
    else:
        here.rename(old)
        new.rename(here)
    assert await until(shelf, "two") < 5

    (here / "a.yaml").write_text(ENTRY.format(id="three", question="who"))
    assert await until(shelf, "three") < 5
    stop.set()
    await watching
