"""A week's live answers are drawn by lot, judged once, kept without words, and tell whether a promise still holds."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.__main__ import main
from bot.commands.audit import _week
from bot.commands.faq_sources import Wrong
from knowledge.audit import Check, Given, Judged, NoVerdict, Promise, check, kept, promise, sample, sheet, verdicts

TWO = Promise(0.02, 0.6, 0.7, 0.018, 200)
GIVEN = [Given(f"{n}:2", f"question {n}", "So.", "pay", 0.8, "v1") for n in range(100)]


def judged(wrong: int, right: int, week: str = "2026-W40") -> list[Judged]:
    return [Judged(f"{week}/{n}", week, "pay", "v1", n >= wrong, 0.0) for n in range(wrong + right)]


def test_the_lot_falls_the_same_way_every_time_and_otherwise_next_week() -> None:
    one = sample(GIVEN, "2026-W40", 10)
    assert one == sample(reversed(GIVEN), "2026-W40", 10)
    assert len(set(one) & set(sample(GIVEN, "2026-W41", 10))) < 10
    assert len(sample(GIVEN, "2026-W40", 1000)) == 100


@pytest.mark.parametrize(
    ("wrong", "right", "verdict"),
    [(0, 149, "holds"), (0, 148, "open"), (1, 148, "open"), (1, 235, "holds"), (9, 100, "broken"), (0, 0, "open")],
)
def test_what_may_be_said(wrong: int, right: int, verdict: str) -> None:
    found = check(judged(wrong, right), "2026-W40", TWO, 300, 400)
    assert (found.verdict, found.judged, found.coverage) == (verdict, wrong + right, 0.75)
    assert f"n = {wrong + right} answers judged" in str(found)
    assert {"verdict", "bound", "coverage", "promised"} <= found.as_json().keys()


def test_four_weeks_count_and_the_last_word_on_an_answer() -> None:
    weeks = [f"2026-W{n}" for n in range(30, 41)]
    many = [one for week in weeks for one in judged(1, 9, week)]
    found = check([*many, Judged("2026-W40/0", "2026-W40", "pay", "v1", True, 1.0)], "2026-W40", TWO, 1, 1)
    assert (found.weeks, found.judged, found.wrong) == (tuple(weeks[-4:]), 40, 3)
    assert check(many, "2026-W33", TWO, 1, 1).weeks == tuple(weeks[:4])


def test_verdicts_come_back_from_a_spreadsheet(tmp_path: Path) -> None:
    evil = Given("7:1", "=1+1", "So.", "pay", 0.8, "v1")
    rows = list(csv.DictReader(io.StringIO(sheet([*GIVEN[:3], evil]))))
    assert rows[3]["question"] == "'=1+1"
    for row, verdict in zip(rows, ["right", "W", "", "错"], strict=True):
        row["verdict"] = verdict
    known = {one.id: one for one in [*GIVEN, evil]}
    assert verdicts(written(tmp_path, rows), known) == {"0:2": True, "1:2": False, "7:1": False}
    with pytest.raises(NoVerdict, match=r"judged\.csv:2: '0:2' is no answer of this week's sample"):
        verdicts(written(tmp_path, rows), {})
    rows[1]["verdict"] = "maybe"
    with pytest.raises(NoVerdict, match=r"judged\.csv:3: the verdict should be right, wrong or empty, not 'maybe'"):
        verdicts(written(tmp_path, rows), known)
    with pytest.raises(NoVerdict, match="cannot be read"):
        verdicts(tmp_path / "none.csv", known)


def written(folder: Path, rows: list[dict[str, str]]) -> Path:
    file = folder / "judged.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_what_is_kept_can_be_read_or_is_named(tmp_path: Path) -> None:
    assert (kept(tmp_path / "none"), promise(tmp_path / "none")) == ([], None)
    (tmp_path / "a.jsonl").write_text('{"answer": 1}\n')
    with pytest.raises(NoVerdict, match=r"a\.jsonl:1: is no judgement"):
        kept(tmp_path / "a.jsonl")
    assert promise(tmp_path / "b" / "p.json", TWO) == promise(tmp_path / "b" / "p.json") == TWO


def test_a_week_by_its_name_on_the_companys_clock() -> None:
    now = datetime(2026, 11, 22, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
    name, begin, end = _week("", now)
    assert (name, end - begin) == ("2026-W46", 7 * 86400)
    assert datetime.fromtimestamp(begin, now.tzinfo).isoformat() == "2026-11-09T00:00:00+08:00"
    for wrong in ("2026-W60", "last", "2026W46"):
        with pytest.raises(Wrong, match="a week should be written like 2026-W46"):
            _week(wrong, now)


# ---------------------------------------------------------------- from outside


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A company with three answers of last week in its books, one of this week, and a choice."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    company = "company: {name: {en: Us, zh: 我们}}\ndatabase: sqlite:///a.db\n"
    (tmp_path / "config.yaml").write_text(company, encoding="utf-8")
    assert aftercare(tmp_path, capsys, "migrate")[0] == 0
    before = datetime.now(ZoneInfo("UTC")) - timedelta(days=7)
    why = {"text": "how to pay", "version": "v1", "scores": [{"entry": "pay", "confidence": 0.8}]}
    with sqlite3.connect(tmp_path / "a.db") as books:
        books.execute("INSERT INTO customer (id, name, tier, known, created_at) VALUES (1, '', '', '{}', 0)")
        chat = (
            "INSERT INTO chat (id, channel, address, customer_id, talk, created_at) VALUES (1, 'web', '1', 1, '{}', 0)"
        )
        books.execute(chat)
        for seq, (at, reason) in enumerate([(before, why)] * 3 + [(before + timedelta(days=7), why), (before, {})]):
            row = "INSERT INTO message (chat_id, seq, author, native, text, why, created_at) "
            books.execute(
                f"{row} VALUES (1, ?, 'bot', '', ?, ?, ?)", (seq, "Any card.", json.dumps(reason), at.timestamp())
            )
        unknown = "INSERT INTO fact (at, kind, chat_id, customer_id, data) VALUES (?, 'unknown', 1, 1, '{}')"
        books.execute(unknown, (before.timestamp(),))
    books.close()
    return tmp_path


def aftercare(place: Path, capsys: pytest.CaptureFixture[str], *words: str, said: str = "") -> tuple[int, str, str]:
    sys.stdin = io.TextIOWrapper(io.BytesIO(said.encode()))
    with pytest.raises(SystemExit) as ended:
        main([*words, "--config", str(place / "config.yaml")])
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


def test_answers_are_judged_one_after_the_other(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", sys.stdin)
    code, out, err = aftercare(place, capsys, "faq", "audit")
    assert (code, out) == (2, "")
    assert err.startswith("nothing was promised: ")
    code, out, err = aftercare(place, capsys, "faq", "audit", "--max-wrong", "2%", said="r\nwhat\nwrong\nq\n")
    assert code == 1
    assert "“at most 2.0% wrong” does not hold any more" in out, "one of two would be a chance of 4 %"
    assert "n = 2 answers judged" in out
    assert "Given wrongly: pay 1×." in out
    assert "3 of 4 questions were answered, 75%" in out
    assert err.count("right? [r]ight") == 4
    assert "how to pay" in err
    promise(place / "data" / "promise.json", Promise(0.9, 0.5, 0.6, 0.5, 9))
    code, out, err = aftercare(place, capsys, "faq", "audit", "--json", said="right\n")
    assert (json.loads(out)["judged"], err.count("right? [r]ight")) == (3, 1)
    assert (code, json.loads(out)["verdict"]) == (0, "holds")
    assert "how to pay" not in (place / "data" / "audit.jsonl").read_text()
    assert aftercare(place, capsys, "faq", "audit", "--week", "2001-W01")[2] == (
        "no answers in 2001-W01; --week names another week\n"
    )


def test_answers_are_judged_in_a_file(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", sys.stdin)
    file = place / "week.csv"
    one = ("faq", "audit", "--max-wrong", "50%")
    assert aftercare(place, capsys, *one, "--out", str(file), "--size", "2")[1].startswith("2 answers of ")
    file.write_text(file.read_text("utf-8-sig").replace(",,how", ",wrong,how"))
    code, out, _ = aftercare(place, capsys, *one, "--in", str(file))
    assert (code, "n = 2 answers judged" in out, "2 of them wrong" in out) == (1, True, True)


def test_a_check_of_nothing() -> None:
    assert Check((), 0, 0, 0, 0, TWO).verdict == "open"
