"""Cues: each is heard in its examples and in no counter-example, and each is listened for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cues import CUES, read
from bot.strictyaml import YamlError

BOT = Path(__file__).parent.parent / "bot"


@pytest.mark.parametrize("name", CUES)
def test_a_cue_is_heard_in_its_examples_and_in_no_counter_example(name: str) -> None:
    cue = CUES[name]
    assert [words for words in cue.form.examples if not cue.heard(words)] == []
    assert [words for words in cue.form.counter if cue.heard(words)] == []


def test_every_cue_is_listened_for() -> None:
    source = "\n".join(path.read_text("utf-8") for path in [*BOT.glob("flows/*.py"), BOT / "rules.py"])
    assert set(re.findall(r'\bcue\("([^"]+)"\)', source)) == set(CUES)


@pytest.mark.parametrize("name", [name for name, cue in CUES.items() if cue.form.within])
def test_what_is_sought_anywhere_is_not_sought_to_the_end_from_everywhere(name: str) -> None:
    lines = ["".join(line.splitlines()) for line in CUES[name].form.within]
    ways = [way for line in lines if not line.startswith("^") for way in line.split("|") if not way.startswith("^")]
    endless = re.compile(r"(?:\(\?:)*(?:\[[^]]+\]|\\[ds])[+*]|.*(?<!\\)\.[+*]")  # would be tried from all over a flood
    assert [way for way in ways if endless.match(way)] == []


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("examples: [a, b]\n  counter: [c]", "must have one of within, begins and whole"),
        ("within: [a]\n  whole: [a]\n  examples: [a, b]\n  counter: [c]", "must have one of within, begins and whole"),
        ("within: ['(a']\n  examples: [a, b]\n  counter: [c]", "is no regular expression"),
        ("within: [a]\n  counter: [c]", "examples"),
    ],
)
def test_what_is_no_cue_is_told_with_its_place(tmp_path: Path, written: str, wrong: str) -> None:
    (tmp_path / "flow.yaml").write_text(f"# a comment\nname:\n  {written}\n", "utf-8")
    with pytest.raises(YamlError, match=wrong) as error:
        read(tmp_path)
    assert all(problem.line > 1 for problem in error.value.problems)
