"""What an admin writes about intents, and what he is told about mistakes in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.strictyaml import YamlError
from intents import read, understand
from intents.language import language
from intents.reading import WISHES, shipped
from tests.intents.asked import NOW, Silent

SHIPPED = Path(__file__).parents[2] / "intents"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy to break."""
    for part in ("examples", "patterns"):
        shutil.copytree(SHIPPED / part, tmp_path / part)
    shutil.copy(SHIPPED / "values.yaml", tmp_path)
    return tmp_path


def test_every_wish_has_enough_examples_in_every_language() -> None:
    examples = shipped().examples
    assert set(examples) == set(WISHES)
    assert {wish: lines for wish, lines in examples.items() if min(len(lines["en"]), len(lines["zh"])) < 15} == {}


def test_no_sentence_stands_twice_and_each_is_in_its_language() -> None:
    sentences = [
        (text, code)
        for by_language in shipped().examples.values()
        for code, some in by_language.items()
        for text in some
    ]
    assert len({text for text, _ in sentences}) == len(sentences)
    assert [text for text, code in sentences if language(text) not in (code, "")] == []


def test_no_wish_is_taken_for_a_person_a_stop_or_an_emergency() -> None:
    wrong = [
        text
        for wish, by_language in shipped().examples.items()
        for some in by_language.values()
        for text in some
        if (said := understand(text, Silent(), now=NOW)).emergency
        or said.wants_stop
        or (said.wants_person and wish != "human")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("patterns/human.yaml", "  - get me", "  - (get me", None),
        ("patterns/stop.yaml", "\nwithin:", "\nwihtin:", "unknown key 'wihtin' (did you mean 'within'?)"),
        (
            "patterns/back.yaml",
            "  - let me (change",
            "  - let ... me (change",
            "no gap (...) where the whole message is meant",
        ),
        (
            "patterns/yes.yaml",
            "examples:",
            "tone: {capitals: 3}\nexamples:",
            "only whole messages are listened to here",
        ),
        ("patterns/anger.yaml", "capitals: 15", "capitals: many", "tone.capitals: must be a whole number, not 'many'"),
        ("examples/service.yaml", "\nrepair:", "\nrepiar:", "unknown wish 'repiar' (did you mean 'repair'?)"),
        ("examples/talk.yaml", "\nhuman:", "\nticket:", "the wish 'ticket' has its examples in another file"),
        ("examples/talk.yaml", "\ncancel:", "\ncancel: stop\nx:", "must be lists of sentences by language"),
        ("values.yaml", '"3":', '"7":', "'7' is no rating"),
        ("values.yaml", "serial:", "serail:", "unknown key 'serail' (did you mean 'serial'?)"),
    ],
)
def test_a_mistake_is_told_with_its_place(folder: Path, file: str, old: str, new: str, problem: str | None) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    if problem is None:
        problem, old = "a bracket is not closed: ')' is missing", "get me"
        path.write_text(text.replace("  - (get|give", "  - ((get|give", 1), encoding="utf-8")
        new = "  - ((get|give"
    line = text[: text.index(old)].count("\n") + (2 if old.startswith("\n") else 1)
    with pytest.raises(YamlError) as error:
        read(folder)
    told = [str(one) for one in error.value.problems]
    assert any(problem in one for one in told), told
    assert any(one.startswith(f"{path}:") for one in told), (line, told)


def test_missing_and_unknown_files_are_told(folder: Path) -> None:
    (folder / "patterns" / "human.yaml").rename(folder / "patterns" / "humman.yaml")
    with pytest.raises(YamlError) as error:
        read(folder)
    told = "\n".join(map(str, error.value.problems))
    assert "human.yaml is missing" in told
    assert "no such file of patterns is known (did you mean 'human'?)" in told


def test_a_wish_may_be_left_out(folder: Path) -> None:
    path = folder / "examples" / "talk.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("\nsmalltalk:")], encoding="utf-8")
    assert "smalltalk" not in read(folder).examples
