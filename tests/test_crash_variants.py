"""The crash test's checker is worth something: it sees what is wrong with pipelines that are broken on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.scene import Scene

KILLS = 6  # by then at the latest the fault must show
VARIANTS = [
    # what is done                  kill point        the fault that the checker must find
    ("acknowledge, then commit", "after answer", "lost: "),
    ("send, then commit", "before record", "sent, but not recorded: |sent twice, but not uncertain: "),
    ("state and outbox apart", "after record", "replied without a reply: "),
    ("high-water mark", "after receive", "lost: "),
]


@pytest.mark.parametrize(("variant", "point", "fault"), VARIANTS, ids=[v[0] for v in VARIANTS])
async def test_the_checker_finds(database: str, tmp_path: Path, variant: str, point: str, fault: str) -> None:
    async with Scene(database, tmp_path, variant=variant, moody=False) as scene:
        scene.world.begin(visitors=3, places=6)  # what is killed should be sending something
        for nth in range(1, KILLS + 1):
            await scene.lead(point, nth)
        found = await scene.verdict(patience=3)
    assert any(one.startswith(tuple(fault.split("|"))) for one in found), found


async def test_the_checker_finds_nothing_where_nothing_is_wrong(database: str, tmp_path: Path) -> None:
    async with Scene(database, tmp_path, moody=False) as scene:
        scene.world.begin(visitors=3, places=3)
        for _, point, _ in VARIANTS:
            await scene.lead(point, 2)
        assert await scene.verdict() == []
