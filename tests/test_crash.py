"""kill -9, again and again, while people write: nothing is lost, nothing is handled twice, nothing is out of order.

Durability is on here (SQLite ``synchronous=FULL``, PostgreSQL with ``fsync``); what is killed is the application.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.points import POINTS
from tests.crash.scene import Scene, plan

ANYWHERE = [point for point in POINTS if "sen" not in point]  # sending is done by one process only


@pytest.mark.parametrize("kills", [30, pytest.param(200, marks=pytest.mark.soak)])
async def test_killed_at_every_point_and_at_random(database: str, tmp_path: Path, kills: int) -> None:
    async with Scene(database, tmp_path) as scene:
        scene.world.begin(visitors=5, places=4)
        for point, nth in plan(kills):
            await scene.lead(point, nth)
        assert await scene.verdict() == []
    assert scene.deaths.keys() >= set(POINTS)
    assert len(scene.world.acknowledged) > 5 * kills, "the load was too light to mean anything"


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.parametrize("kills", [10, pytest.param(60, marks=pytest.mark.soak)])
async def test_two_processes_die_and_the_other_takes_over(database: str, tmp_path: Path, kills: int) -> None:
    async with Scene(database, tmp_path, processes=2) as scene:
        scene.world.begin(visitors=5, places=4)
        for n, (point, nth) in enumerate(plan(kills, ANYWHERE)):
            if n % 4 == 0:  # the other one, which has the duty of sending, goes too
                scene.kill(which=1)
                scene.start(which=1)
            await scene.lead(point, nth)
        assert await scene.verdict() == []
    assert len(scene.world.acknowledged) > 5 * kills, "the load was too light to mean anything"
