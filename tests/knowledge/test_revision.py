"""Two versions of an FAQ can come from git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from knowledge.revision import NoSuchVersion, folder_at

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]


def test_a_folder_now_and_then(tmp_path: Path) -> None:
    faq = tmp_path / "faq"
    faq.mkdir()
    (faq / "a.yaml").write_text("old")
    for command in (["init", "-q"], ["add", "faq/a.yaml"], ["commit", "-q", "-m", "one"]):
        subprocess.run([*GIT, *command], cwd=tmp_path, check=True)
    (faq / "a.yaml").write_text("new")
    with folder_at("HEAD", faq) as then, folder_at(str(faq), faq) as now:
        assert (then / "a.yaml").read_text() == "old"
        assert (now / "a.yaml").read_text() == "new"
    with pytest.raises(NoSuchVersion, match="no-such"), folder_at("no-such", faq):
        pass
    with pytest.raises(NoSuchVersion), folder_at("--output=/tmp/x", faq):
        pass
