"""Group commit: who comes with many waits a moment for them, who comes alone for nobody."""

from __future__ import annotations

import asyncio

import pytest

from bot import group
from bot.group import Group


class Written:
    """Remembers what was written together; each item's result is itself."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.group = Group(self._write)

    async def _write(self, items: list[int]) -> list[int]:
        self.groups.append(items)
        return items

    async def put(self, *items: int, turns: int = 0) -> None:
        """Each after so many turns of the loop; returns when all are written."""
        puts = []
        for item in items:
            puts.append(asyncio.create_task(self.group.put(item)))
            for _ in range(turns):
                await asyncio.sleep(0)
        assert await asyncio.gather(*puts) == list(items)


async def test_a_group_smaller_than_the_last_one_lingers_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "LINGER", 0.3)  # a busy machine may stand still for a while
    written = Written()
    await written.put(1, 2, 3)
    await written.put(4, 5, turns=5)
    assert written.groups == [[1, 2, 3], [4, 5]]


async def test_who_comes_alone_waits_for_nobody() -> None:
    written = Written()
    await written.put(1)
    await written.put(2, 3, turns=5)
    assert written.groups == [[1], [2], [3]]
