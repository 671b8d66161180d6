"""A good change is live within two seconds, a broken one changes nothing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from knowledge.faq import read
from knowledge.index import Knowledge, build
from knowledge.live import Shelf

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
