"""The command line from outside: exit codes, one readable line per error, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.strictyaml import load

HOME = Path(__file__).parent.parent
KEY = load(HOME / "config.yaml").line("server", "secret_key")


def aftercare(
    *arguments: str, said: str = "", database: str = "sqlite:////nowhere/a.db"
) -> subprocess.CompletedProcess[str]:
    """Run a command in the demo company's folder."""
    environment = {**os.environ, "DATABASE_URL": database, "AFTERCARE_SECRET_KEY": ""}
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=HOME,
        env=environment,
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["serv"], 2, "No such command 'serv'. Did you mean 'serve'?"),
        (["serve", "--port", "x"], 2, "Invalid value for '--port'"),
        (["serve", "--port", "99999"], 2, "Invalid value for '--port'"),
        (["serve", "--host", "0.0.0.0"], 2, f"config.yaml:{KEY}: server.secret_key: is missing, and with host 0.0.0.0"),
        (
            ["check", "--config", "none.yaml"],
            2,
            "none.yaml:1: there is no such file: run aftercare where config.yaml is",
        ),
        (["check", "--config", "bot"], 2, "bot:1: cannot be read: Is a directory"),
        (["ask", "--faq", "none", "why?"], 2, "none:1: cannot be read"),
        (
            ["ask", "--lang", "xx", "why?"],
            2,
            "Invalid value for '--lang': 'xx' is not spoken here; the languages",
        ),
        (["chat", "--lang", "EN"], 2, "Invalid value for '--lang': 'EN' is not spoken here; the languages are en, zh"),
        (["verify"], 1, "there is no database at /nowhere/a.db; `aftercare migrate` makes it so"),
        (["dead", "list"], 1, "there is no database at /nowhere/a.db"),
        (["dead", "retry"], 2, "Missing argument 'ID...'"),
        (["backup", "x"], 1, "there is no database at /nowhere/a.db"),
        (["faq", "schema", "bot"], 2, "bot: Is a directory"),
        (["ask", "--faq", "x" * 300, "why?"], 2, "x" * 300 + ": File name too long"),
    ],
)
def test_what_goes_wrong_is_told_in_one_line(arguments: list[str], code: int, told: str) -> None:
    done = aftercare(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(told)
    assert done.stderr.count("\n") == 1


def test_a_database_that_is_away_is_told_in_one_line() -> None:
    done = aftercare("verify", database="postgresql://127.0.0.1:1/x")
    assert done.returncode == 1
    assert done.stderr.startswith("the database cannot be reached: ")


def test_the_life_of_a_database(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/a.db"
    assert aftercare("migrate", database=database).stdout == "upgraded\n"
    assert aftercare("migrate", database=database).stdout == "nothing to do\n"
    assert json.loads(aftercare("verify", database=database).stdout)["ok"] is True
    assert aftercare("dead", "list", database=database).stdout == ""
    gone = aftercare("dead", "discard", "7", database=database)
    assert (gone.returncode, gone.stderr.split(";")[0]) == (1, "nothing dead by the id 7 can be discarded")
    assert aftercare("backup", f"{tmp_path}/b.db", database=database).returncode == 0
    assert aftercare("verify", database=f"sqlite:///{tmp_path}/b.db").returncode == 0


def test_questions_are_answered_without_a_database() -> None:
    one = json.loads(aftercare("ask", "How", "do", "I", "set", "up", "my", "router?").stdout)
    assert (one["outcome"], one["entry"], one["lang"]) == ("answer", "router-first-setup", "en")
    asked = '{"id": "7", "text": "怎么转人工"}\n\n路由器怎么设置\n'
    many = [json.loads(line) for line in aftercare("ask", "-", said=asked).stdout.splitlines()]
    assert [(made["id"], made["outcome"]) for made in many] == [("7", "intent"), ("", "answer")]


def test_a_line_that_is_no_question_is_named_and_the_others_are_answered() -> None:
    asked = '{"id": "1", "text": "怎么转人工"}\nnonsense\n{"id": "3", "text": ""}\n["text"]\n{"id": 5, "text": "🙂"}\n'
    done = aftercare("ask", "--json", "-", said=asked)
    assert done.returncode == 2
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["1", "3", 5]
    told = done.stderr.splitlines()
    assert [line.split(": ")[0] for line in told] == ["standard input:2", "standard input:4"]
    assert 'should be a line like {"id": "7", "text": "a question"}' in told[0]


def test_a_line_in_a_language_that_is_not_spoken_is_named() -> None:
    lines = [
        '{"id": "1", "text": "why?", "lang": "xx"}',
        '{"text": "why?", "lang": 5}',
        '{"text": "why?", "lang": "en"}',
    ]
    done = aftercare("ask", "--json", "-", said="\n".join(lines))
    assert (done.returncode, done.stdout.count("\n"), done.stderr.count("\n")) == (2, 1, 2)
    assert done.stderr.startswith('standard input:1: should be a line like {"id": "7", "text": "a question"}; "lang" ')


def test_what_is_not_utf_8_is_said_so(tmp_path: Path) -> None:
    done = aftercare("agent", "disable", os.fsdecode(b"\xff"), database=f"sqlite:///{tmp_path}/a.db")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("'\\udcff' is not UTF-8")


def test_a_schema_is_written_over_a_schema_only(tmp_path: Path) -> None:
    place = tmp_path / "answers.json"
    for _ in range(2):
        assert aftercare("faq", "schema", str(place)).returncode == 0
    place.write_text("mine")
    done = aftercare("faq", "schema", str(place))
    assert (done.returncode, done.stderr) == (2, f"{place} is there already and is no schema; name another file\n")
    assert place.read_text() == "mine"


def test_a_link_that_leads_nowhere_is_no_place_for_a_backup(tmp_path: Path) -> None:
    (tmp_path / "copy").symlink_to("copy")
    done = aftercare("backup", str(tmp_path / "copy"))
    assert (done.returncode, done.stderr) == (2, f"{tmp_path}/copy is a link that leads nowhere: name a file\n")


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_command_works_where_a_stream_was_closed(which: int) -> None:
    script = f"exec {which}>&-; exec {sys.executable} -m bot faq schema -"
    done = subprocess.run(["/bin/sh", "-c", script], cwd=HOME, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("{") or which == 1


def test_what_closes_the_output_early_is_no_error_of_ours() -> None:
    script = f"{sys.executable} -m bot faq schema - | head -1"
    done = subprocess.run(["/bin/sh", "-c", script], cwd=HOME, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_ctrl_c_while_a_command_is_still_being_loaded_ends_it_without_a_word() -> None:
    script = "import os, runpy, signal, sys\nclass Slow:\n    @staticmethod\n    def find_spec(name, *_):\n"
    script += "        name == 'typer' and os.kill(os.getpid(), signal.SIGINT)\n"
    script += "sys.meta_path.insert(0, Slow)\nrunpy.run_module('bot', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], cwd=HOME, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_nothing_is_an_answer_to_nothing() -> None:
    assert json.loads(aftercare("ask", "").stdout)["outcome"] == "unknown"


def test_check_has_nothing_to_say_about_the_demo_company() -> None:
    done = aftercare("check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Everything can be used.\n", "")


def test_without_a_command_there_is_help() -> None:
    assert "Run everything that is configured" in aftercare("--help").stdout
    assert "Run everything that is configured" in aftercare().stderr
