"""What ``aftercare ask`` prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.strictyaml import YamlError
from knowledge.ask import answer_lines, as_json, open_knowledge

ROWS = [("pay", "how can i pay"), ("pay", "which cards do you take"), ("送货", "什么时候送到"), ("送货", "几天能到货")]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    file = tmp_path / "examples.jsonl"
    file.write_text("\n".join(json.dumps({"label": a, "text": b, "id": "ignored"}) for a, b in ROWS), encoding="utf-8")
    return file


def test_one_object_a_line(examples: Path) -> None:
    lines = ['{"id": "7", "text": "how can I pay?"}', "", '{"text": "几天能到", "lang": "zh"}', "plain words", "[1]"]
    made = [json.loads(line) for line in answer_lines(open_knowledge(examples).ask, lines)]
    assert len(made) == 4
    first = made[0]
    assert list(first) == ["id", "outcome", "entry", "confidence", "candidates", "intent", "lang"]
    assert (first["id"], first["candidates"][0]["entry"], first["lang"]) == ("7", "pay", "en")
    assert (made[1]["candidates"][0]["entry"], made[1]["lang"]) == ("送货", "zh")


def test_ids_come_back_as_they_were_and_the_mark_of_an_editor_is_no_part_of_a_line(examples: Path) -> None:
    lines = ['\ufeff{"id": 7, "text": "how can I pay?"}', '{"id": "7", "text": "how can I pay?"}']
    assert [json.loads(line)["id"] for line in answer_lines(open_knowledge(examples).ask, lines)] == [7, "7"]
    said = json.dumps({"label": "a", "text": "one\u2028line"}, ensure_ascii=False)
    examples.write_bytes(b"\xef\xbb\xbf" + said.encode())
    assert open_knowledge(examples).faq.entries[0].id == "a"
    examples.write_bytes(said.encode() + b"\n\xff")
    with pytest.raises(YamlError, match=r"examples\.jsonl:2: must be saved as UTF-8"):
        open_knowledge(examples)


def test_a_wish_is_an_intent(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "- {id: pay, topic: orders, questions: {en: [how can i pay, which cards do you take]}, answer: {en: Any card.}}"
    )
    knowledge = open_knowledge(tmp_path, {"thanks": {"en": ["thank you", "thanks a lot"]}})
    made = as_json(knowledge.ask("thank you"), "thank you")
    assert (made["outcome"], made["intent"], made["entry"]) == ("intent", "thanks", "")
    assert made["candidates"][0]["entry"] == "intent:thanks"


def test_bad_lines_are_named(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"label": "a", "text": "b"}\nnonsense\n{"label": 1, "text": "b"}\n')
    with pytest.raises(YamlError) as caught:
        open_knowledge(file)
    assert [p.line for p in caught.value.problems] == [2, 3]
    with pytest.raises(YamlError, match="cannot be read"):
        open_knowledge(tmp_path / "none.jsonl")


def test_what_is_offered_first_is_named(examples: Path) -> None:
    knowledge = open_knowledge(examples, mode={"answer": 1.1, "choose": 0.0})
    made = as_json(knowledge.ask("how can i pay"), "how can i pay")
    assert (made["outcome"], made["entry"]) == ("choose", "pay")
    unknown = open_knowledge(examples, mode={"answer": 1.1, "choose": 1.1})
    assert as_json(unknown.ask("how can i pay"), "how can i pay")["entry"] == ""
