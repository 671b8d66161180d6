"""``aftercare check``: every mistake in what an admin edits, with its file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.check import problems
from bot.config import load
from bot.knowledge_base import begin_loading
from bot.strictyaml import YamlError

HOME = Path(__file__).parent.parent


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what an admin edits."""
    for folder in ("faq", "checks"):
        shutil.copytree(HOME / "knowledge" / folder, tmp_path / "knowledge" / folder)
    shutil.copytree(HOME / "intents", tmp_path / "intents", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(HOME / "config.yaml", tmp_path)
    return tmp_path


def told(house: Path) -> list[str]:
    wrong, _ = problems(house / "config.yaml")
    return [str(problem).removeprefix(f"{house}/") for problem in wrong]


def add(file: Path, text: str) -> int:
    """Append to a file; the number of its first new line."""
    before = file.read_text("utf-8")
    file.write_text(f"{before}{text}", "utf-8")
    return before.count("\n") + 1


def test_the_demo_company_is_in_order() -> None:
    assert problems(HOME / "config.yaml") == ([], [])


def test_a_broken_answer_is_told_with_its_line(house: Path) -> None:
    faults = house / "knowledge" / "faq" / "faults.yaml"
    line = add(faults, "- id: Bad Id\n  topic: faults\n  qestions: {}\n  answer: {en: x}\n")
    assert [text.split(": ", 1)[1] for text in told(house) if f"faults.yaml:{line}:" in text] == [
        "id: must be small letters and digits, with hyphens between, not 'Bad Id'",
        "questions: is missing",
    ]
    assert f"knowledge/faq/faults.yaml:{line + 2}: unknown key 'qestions' (did you mean 'questions'?)" in told(house)


def test_forms_of_ones_own_are_looked_at(house: Path) -> None:
    config, own = house / "config.yaml", house / "forms.yaml"
    text = (HOME / "handoff" / "forms.yaml").read_text("utf-8")
    own.write_text(text.replace("    read: serial", "    read: cereal"), "utf-8")
    config.write_text(config.read_text("utf-8").replace("  forms: #", "  forms: forms.yaml #"), "utf-8")
    [said] = told(house)
    assert said.startswith("forms.yaml:")
    assert "(did you mean 'serial'?)" in said


def test_a_product_nobody_makes(house: Path) -> None:
    config = house / "config.yaml"
    config.write_text(config.read_text("utf-8").replace("    - BE6500\n", "    - BE65O0\n"), "utf-8")
    assert all("unknown product 'BE6500' (did you mean 'BE65O0'?)" in text for text in told(house))
    assert told(house)


def test_answers_and_intents_are_both_looked_at(house: Path) -> None:
    add(house / "knowledge" / "faq" / "accounts.yaml", "- just words\n")
    add(house / "intents" / "patterns" / "human.yaml", "\nwhole: [a]\n")
    files = {text.split(":")[0] for text in told(house)}
    assert files >= {"knowledge/faq/accounts.yaml", "intents/patterns/human.yaml"}


def test_no_door_to_the_world_without_a_key(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFTERCARE_SECRET_KEY", raising=False)
    config = house / "config.yaml"
    config.write_text(config.read_text("utf-8").replace("host: 127.0.0.1", "host: 0.0.0.0"), "utf-8")
    assert "server.secret_key: is missing" in told(house)[0]


def test_few_examples_are_a_remark_not_a_mistake(house: Path) -> None:
    add(
        house / "knowledge" / "faq" / "faults.yaml",
        "- id: lonely\n  topic: faults\n  questions: {en: [Why?], zh: [为什么?]}\n  answer: {en: So., zh: 就是。}\n",
    )
    wrong, remarks = problems(house / "config.yaml")
    assert wrong == []
    assert [remark.what.split(";")[0] for remark in remarks] == [
        "lonely: only 1 example question in en",
        "lonely: only 1 example question in zh",
    ]


def test_a_folder_without_answers_and_one_that_is_not_there(house: Path) -> None:
    for file in (house / "knowledge" / "faq").iterdir():
        file.unlink()
    assert told(house) == ["knowledge/faq:1: holds no answers; knowledge.faq names the folder they are in"]
    shutil.rmtree(house / "intents")
    missing = "intents:1: no such folder; it should hold examples/ and patterns/"
    assert missing in told(house)
    with pytest.raises(YamlError) as refused:  # a start tells of both, too
        begin_loading(load(house / "config.yaml"))
    assert [str(p).removeprefix(f"{house}/").split(";")[0] for p in refused.value.problems] == [
        missing.split(";")[0],
        "knowledge/faq:1: holds no answers",
    ]
