"""The FAQ is read whole, or every mistake is named with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.strictyaml import YamlError
from knowledge.doubts import doubts
from knowledge.faq import Faq, from_examples, read

GOOD = """\
- id: pay
  topic: orders
  questions:
    en: [How can I pay?]
    zh: [怎么付款]
  answer: {en: Any card., zh: 都可以。}
  not: {en: [How can I get my money back?]}
  valid: {from: 2026-01-01, to: 2026-12-31}
  follow_ups: [refund]
- id: refund
  topic: orders
  questions: {en: [Where is my refund?], zh: [退款到哪了]}
  answer: {en: Soon., zh: 很快。}
"""


def written(folder: Path, text: str, name: str = "orders.yaml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_good_faq(tmp_path: Path) -> None:
    faq = read(written(tmp_path, GOOD), ["en", "zh"])
    pay = faq.by_id["pay"]
    assert (pay.line, Path(pay.file).name) == (1, "orders.yaml")
    assert pay.not_ == {"en": ("How can I get my money back?",)}
    assert [pay.valid_on(date(2026, 12, d)) for d in (30, 31)] == [True, True]
    assert not pay.valid_on(date(2027, 1, 1))
    assert faq.by_id["refund"].line == 10


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("topic: orders\n  questions:\n", "topic: orders\n  qestions:\n", 3, "did you mean 'questions'"),
        ("id: refund", "id: pay", 10, "taken by"),
        ("[refund]", "[refnd]", 1, "'refnd' is no entry"),
        ("2026-12-31", "2026-13-31", 8, "date"),
        ("2026-12-31", "2025-12-31", 8, "before it begins"),
        (", zh: 很快。", "", 10, "answer in 'zh' missing"),
        ("zh: 很快。", "de: Bald.", 10, "the languages are en, zh"),
        ("en: [Where is my refund?]", "en: Where is my refund?", 12, "must be a list"),
        ("id: refund", "id: Re fund", 10, "id"),
        ("id: refund", f"id: {'x' * 57}", 10, "at most 56 characters"),
        ("en: Soon.", "en: Write the answer here.", 10, "refund: the answer in 'en' is still to be written"),
        ("- id: pay", "id: pay", 2, ""),
    ],
)
def test_every_mistake_has_its_place(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    assert old in GOOD
    with pytest.raises(YamlError) as caught:
        read(written(tmp_path, GOOD.replace(old, new, 1)), ["en", "zh"])
    assert what in str(caught.value)
    assert line in [p.line for p in caught.value.problems]


def test_all_files_are_checked_at_once(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace("id: pay", "id: pay\n  x: y"))
    written(tmp_path, "nonsense", "b.yaml")
    with pytest.raises(YamlError) as caught:
        read(tmp_path)
    assert {Path(p.file).name for p in caught.value.problems} == {"orders.yaml", "b.yaml"}


def test_doubts_are_no_errors(tmp_path: Path) -> None:
    faq = read(written(tmp_path, GOOD))
    said = [str(p) for p in doubts(faq, ["en"], date(2027, 1, 1))]
    assert any("expired on 2026-12-31" in s for s in said)
    assert any("only 1 example question in en" in s for s in said)


def test_version_follows_the_words(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    assert read(written(one, GOOD)).version == read(written(two, GOOD)).version
    assert read(written(one, GOOD.replace("Soon", "Now"))).version != read(two).version


def test_synonyms_stand_beside_the_entries(tmp_path: Path) -> None:
    written(tmp_path, "en:\n- [wifi, wlan]\n", "synonyms.yaml")
    assert read(written(tmp_path, GOOD)).synonyms == {"en": (("wifi", "wlan"),)}


def test_examples_go_by_script() -> None:
    faq = from_examples([{"label": "A b!", "text": "how"}, {"label": "A b!", "text": "怎么"}])
    assert faq.by_id["A b!"].questions == {"en": ("how",), "zh": ("怎么",)}
    assert from_examples([]) == Faq()
