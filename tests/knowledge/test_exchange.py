"""FAQs come in from tables and documents and go out again."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring

from knowledge.exchange import FIRST, SCHEMA, ExchangeError, as_yaml, bring, gather, schema, take
from knowledge.faq import ELSEWHERE, NAMES, SYNONYMS, Entry, Faq, read

KNOWLEDGE = Path(__file__).parent.parent.parent / "knowledge"

CSV = 'id,topic,Question,答案\npay,orders,"How can I pay?\nWhich cards?",Any card.\npay,orders,怎么付款,都可以。\n'
MARKDOWN = """\
# Orders
## How can I pay?
Any card.

Really.
## Where is it?
On its way.
**Q: And then?**
A: Then it rings.
"""
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
ROW = '<row><c r="A{0}" t="s"><v>{1}</v></c><c r="B{0}" t="inlineStr"><is><t>{2}</t></is></c></row>'


def questions(entry: Entry) -> list[str]:
    return [q for said in entry.questions.values() for q in said]


def test_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8-sig")
    (entry,) = bring(tmp_path / "a.csv")
    assert entry.id == "pay"
    assert entry.questions == {"en": ("How can I pay?", "Which cards?"), "zh": ("怎么付款",)}
    assert entry.answer == {"en": "Any card.", "zh": "都可以。"}


def test_markdown(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(MARKDOWN)
    entries = bring(tmp_path / "a.md")
    assert [(e.id, e.topic, e.answer["en"]) for e in entries] == [
        ("how-can-i-pay", "orders", "Any card.\n\nReally."),
        ("where-is-it", "orders", "On its way."),
        ("and-then", "orders", "Then it rings."),
    ]


def test_jsonl(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"questions": ["a b?", "c?"], "answer": "d"}\n')
    (entry,) = bring(tmp_path / "a.jsonl")
    assert questions(entry) == ["a b?", "c?"]


def test_xlsx(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as book:
        shared = "".join(f"<si><t>{t}</t></si>" for t in ("question", "How can I pay?"))
        book.writestr("xl/sharedStrings.xml", f'<sst xmlns="{SHEET.split(chr(34))[1]}">{shared}</sst>')
        rows = ROW.format(1, 0, "answer") + ROW.format(2, 1, "Any &amp; all.")
        book.writestr("xl/worksheets/sheet1.xml", SHEET.format(rows))
    (entry,) = bring(tmp_path / "a.xlsx")
    assert (questions(entry), entry.answer) == (["How can I pay?"], {"en": "Any & all."})


@pytest.mark.parametrize(
    ("name", "content"), [("a.doc", b""), ("a.xlsx", b"no"), ("a.jsonl", b"[1]"), ("a.csv", b"\xff"), ("a.md", b"\xff")]
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ExchangeError, match=name):
        bring(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "question,answer\n怎么重启,拔".encode("gbk"), "line 2 is not UTF-8: save it as UTF-8"),
        ("a.jsonl", b'{"question": "a"}\n{"question"\n', "line 2 should be an object"),
        ("a.jsonl", b"[" * 100_000, "line 1 should be an object"),
    ],
)
def test_the_line_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ExchangeError, match=said):
        bring(tmp_path / name)


def test_lines_of_json_may_hold_any_text(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [{"question": "one\u2028line", "answer": None}, {"question": ["a", 2], "answer": "b"}]
    file.write_text("\ufeff" + "\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    assert [entry.questions["en"] for entry in bring(file)] == [("one", "line"), ("a", "2")]


def test_a_workbook_that_is_none_is_told_so(tmp_path: Path) -> None:
    for sheet, said in (
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>" + SHEET.format(""), "defines entities"),
        (SHEET.format('<row><c r="A1" t="s"><v>7</v></c></row>'), "the cell A1 names a text that is not there"),
    ):
        with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as book:
            book.writestr("xl/worksheets/sheet1.xml", sheet)
        with pytest.raises(ExchangeError, match=said):
            bring(tmp_path / "a.xlsx")


def test_more_answers_than_anybody_has_are_refused_at_once() -> None:
    assert (
        len({entry.id for entry in gather({"question": f"what? {'!' * n}", "answer": str(n)} for n in range(99))}) == 99
    )
    with pytest.raises(ValueError, match="holds more than 20,000 answers"):
        gather({"question": f"question {n}", "answer": str(n)} for n in range(20_001))


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(CSV)
    entries = tuple(bring(tmp_path / "in.csv"))
    faq = Faq(entries)
    (tmp_path / "faq.yaml").write_text(as_yaml(entries), encoding="utf-8")
    assert read(tmp_path).version == faq.version
    for kind in ("csv", "xlsx", "jsonl"):
        (tmp_path / f"out.{kind}").write_bytes(take(faq, kind))
        assert Faq(tuple(bring(tmp_path / f"out.{kind}"))).version == faq.version
    assert "## How can I pay?" in take(faq, "md").decode()
    with pytest.raises(ExchangeError, match="doc"):
        take(faq, "doc")


def test_a_formula_stays_text() -> None:
    entry = Entry(id="a", topic="t", questions={"en": ("=1+1",)}, answer={"en": "2"})
    assert "'=1+1" in take(Faq((entry,)), "csv").decode()


def test_schema_names_the_keys() -> None:
    made = schema()
    assert {"id", "questions", "answer", "not", "valid"} <= set(made["items"]["properties"])
    assert made["items"]["additionalProperties"] is False


def test_the_schema_in_the_house_is_that_of_the_code_and_every_file_names_it() -> None:
    kept = KNOWLEDGE / SCHEMA
    assert json.loads(kept.read_text("utf-8")) == schema(), "run `aftercare faq schema`"
    files = [file for file in (KNOWLEDGE / "faq").glob("*.yaml") if file.name not in (SYNONYMS, NAMES, ELSEWHERE)]
    assert {file.read_text("utf-8").partition("\n")[0] + "\n" for file in files} == {FIRST}
    assert (files[0].parent / FIRST.strip().partition("=")[2]).resolve() == kept.resolve()


@pytest.mark.parametrize(
    ("said", "code"), [("English", "en"), ("zh-CN", "zh"), ("中文", "zh"), ("EN_us", "en"), ("", "en")]
)
def test_languages_by_their_names(said: str, code: str) -> None:
    (entry,) = gather([{"question": "How?", "answer": "So.", "language": said}])
    assert list(entry.questions) == [code]


def test_what_cannot_be_an_entry_is_named() -> None:
    with pytest.raises(ValueError, match=r"pay: questions\.klingon.*'klingon'"):
        gather([{"id": "pay", "question": "How?", "answer": "So.", "language": "Klingon"}])
    with pytest.raises(ExchangeError, match="characters, a cell holds 32767"):
        take(Faq((Entry(id="a", topic="t", questions={"en": ("q" * 20_000,) * 2}, answer={"en": "2"}),)), "xlsx")


def test_a_workbook_is_text_throughout_and_always_the_same() -> None:
    entry = Entry(id="a", topic="t", questions={"en": ("=1+1", "<b> & 'c'")}, answer={"en": " 2\n3"})
    made = take(Faq((entry,)), "xlsx")
    assert made == take(Faq((entry,)), "xlsx")
    with zipfile.ZipFile(io.BytesIO(made)) as book:
        cells = book.read("xl/worksheets/sheet1.xml").decode()
        for name in book.namelist():
            fromstring(book.read(name))
    assert cells.count("<c ") == cells.count('t="inlineStr"') == 10
    assert "=1+1\n&lt;b&gt; &amp; 'c'" in cells
