"""What docs/deploy.md and the unit beside it promise together with the program: names, sizes and times that fit."""

from __future__ import annotations

import re
from pathlib import Path

from bot.config import Limits, load

HOME = Path(__file__).parent.parent
PAGE = (HOME / "docs" / "deploy.md").read_text("utf-8")
UNIT = dict(re.findall(r"^(\w+)=(.*)$", (HOME / "docs" / "aftercare.service").read_text("utf-8"), re.MULTILINE))


def test_the_unit_runs_what_is_installed_and_may_write_its_data_alone() -> None:
    home = UNIT["WorkingDirectory"]
    assert f"git clone https://example.com/your/aftercare.git {home} " in PAGE
    assert UNIT["ExecStart"] == f"{home}/.venv/bin/aftercare serve"
    assert UNIT["ReadWritePaths"] == f"{home}/{load(HOME / 'config.yaml').data.name}"
    assert f"useradd --system --home-dir {home} {UNIT['User']}" in PAGE


def test_the_unit_waits_for_a_stop_and_never_gives_up_a_start() -> None:
    assert int(UNIT["TimeoutStopSec"]) > Limits().stop
    assert UNIT["Restart"] == "always"
    assert UNIT["StartLimitIntervalSec"] == "0"


def test_several_processes_are_begun_by_the_line_that_is_given() -> None:
    found = re.search(r"sed -i 's/(.*?)/(.*?)/' /etc/systemd/system/aftercare.service", PAGE)
    assert found
    assert re.sub(found[1], found[2], UNIT["ExecStart"]).endswith("serve --workers 4")


def test_a_file_of_the_largest_size_passes_nginx_as_a_form_too() -> None:
    sizes = re.findall(r"client_max_body_size (\d+)m;", PAGE)
    assert [int(size) << 20 for size in sizes] > [Limits().file_bytes + (64 << 10)]


def test_what_the_line_for_a_site_may_say_is_what_the_widget_reads() -> None:
    tag = (HOME / "channels" / "widget" / "widget.js").read_text("utf-8")
    section = PAGE.partition("## The chat on your site")[2].partition("\n## ")[0]
    assert set(re.findall(r"data-[a-z]+", section)) == set(re.findall(r"data-[a-z]+", tag))
