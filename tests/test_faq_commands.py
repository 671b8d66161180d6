"""``aftercare faq …`` and ``aftercare replay`` from outside, on a small company; and what the books say was asked."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bot.__main__ import main
from bot.dialogue import Decision, Fact, Open, OpenTicket, Rate, SetTimer, Turn
from bot.question_log import badly_answered, questions
from bot.store import Store
from bot.strictyaml import load, parse
from bot.tables import conversation, message
from knowledge.gaps import Asked
from tests.house import House

HOME = Path(__file__).parent.parent
FAQ = {
    "reset": ["reset the router", "factory reset", "how do I reset it", "erase all settings", "press the reset pin"],
    "light": [
        "the light is red",
        "red lamp on the modem",
        "why does the led blink",
        "what does the led mean",
        "led off",
    ],
    "bill": ["send me an invoice", "where is my bill", "I need a receipt", "invoice for my company", "tax invoice"],
    "slow": [
        "internet is slow",
        "speed is bad at night",
        "wifi slow upstairs",
        "video keeps buffering",
        "slow network",
    ],
    "parcel": ["where is my parcel", "when will it arrive", "track my parcel", "delivery is late", "parcel is lost"],
}
WISHES = {
    "greeting": {"en": ["hello there", "good morning", "hi", "good evening to you", "hey, anybody in?"]},
    "human": {"en": ["a human please", "let me talk to a person", "is anyone there", "call an agent", "real people"]},
    "thanks": {"en": ["thank you", "many thanks", "thanks a lot", "that was very kind", "much obliged"]},
    "smalltalk": {"en": ["who are you", "are you a robot", "tell me a joke", "how old are you", "do you sleep"]},
}
PIZZA = [
    f"{ask} {kind} pizza with cheese"
    for ask in ("got a", "hungry for a", "bake me a")
    for kind in ("hot", "big", "cheap")
]
TESTS = [("how can I reset my router?", "reset"), ("is there a hot pizza", "unknown"), ("my parcel is late", "parcel")]
CONFIG = """\
languages: [en]
company: {name: {en: Us}, products: [AX1]}
knowledge: {faq: faq, checks: checks, intents: intents}
"""


def settled(house: Path, faq: str = "faq") -> Path:
    """A house with its configuration, and with what is heard everywhere; few examples of wishes, to be quick."""
    (house / "config.yaml").write_text(CONFIG.replace("faq: faq", f"faq: {faq}"))
    (house / "intents").mkdir()
    for name in ("patterns", "values.yaml"):
        (house / "intents" / name).symlink_to(HOME / "intents" / name)
    (house / "intents" / "examples").mkdir()
    (house / "intents" / "examples" / "all.yaml").write_text(json.dumps(WISHES))
    (house / "checks").mkdir()
    return house


def written(folder: Path, faq: dict[str, list[str]], more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    form = "- id: {}\n  topic: all\n  questions: {{en: {}}}\n  answer: {{en: So it is.}}\n"
    text = "".join(form.format(name, json.dumps(said)) for name, said in faq.items())
    (folder / "all.yaml").write_text(text + more)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company; its index is made once."""
    house = settled(tmp_path_factory.mktemp("house"))
    written(house / "faq", FAQ)
    tests = [{"question": question, "expect": expect, "lang": "en"} for question, expect in TESTS]
    (house / "checks" / "all.yaml").write_text(json.dumps(tests))
    return house


class Terminal:
    """Runs commands as ``aftercare`` does, in this process: starting one for each would take a minute."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, place: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``place`` None: a command without a configuration."""
        where = ["--config", str(place / "config.yaml")] if place else []
        with pytest.raises(SystemExit) as ended:
            main([*arguments, *where])
        told = self._capture.readouterr()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), told.out, told.err)

    def refused(self, place: Path | None, *arguments: str, code: int = 2) -> str:
        """The one line in which a command says what is wrong."""
        done = self(place, *arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
        return done.stderr


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # main sets it
    return Terminal(capsys)


def test_help_needs_nothing_that_takes_long() -> None:
    names = "'numpy', 'sqlalchemy', 'rapidfuzz', 'bot.config', 'knowledge.index'"
    script = f"import bot.__main__, sys; sys.exit(any(name in sys.modules for name in [{names}]))"
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=HOME).returncode == 0


def test_check_tells_remarks_and_refuses_mistakes(run: Terminal, place: Path, tmp_path: Path) -> None:
    good = run(place, "faq", "check")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.splitlines()[-1].startswith("5 answers can be used; ")
    assert (
        "example questions, each taken out in turn"
        in json.loads(run(place, "faq", "check", "--json").stdout)["expected"]
    )
    settled(tmp_path)
    written(tmp_path / "faq", FAQ, "  products: [AX2]\n")
    assert "all.yaml:17: parcel: unknown product 'AX2'" in run.refused(tmp_path, "faq", "check")
    written(tmp_path / "faq", FAQ, "- id: Reset\n")
    assert "all.yaml:21" in run(tmp_path, "faq", "check").stderr


def test_tests_fail_below_the_share_that_is_wanted(run: Terminal, place: Path, tmp_path: Path) -> None:
    report = json.loads(run(place, "faq", "test", "--json").stdout)
    assert (report["share"], len(report["verdicts"])) == (1.0, len(TESTS))
    settled(tmp_path, f"{place}/faq")
    assert "no test questions in" in run.refused(tmp_path, "faq", "test")
    (tmp_path / "checks" / "a.yaml").write_text("- {question: factory reset, expect: bill}\n")
    failed = run(tmp_path, "faq", "test")
    assert (failed.returncode, failed.stderr) == (1, "0.0% is less than the 85% that are wanted\n")
    assert "a.yaml:1: 'factory reset' should be bill, is answer reset" in failed.stdout
    assert run(tmp_path, "faq", "test", "--at-least", "0.001").returncode == 1
    assert "a share should be written 2% or 0.02, not 'x'" in run.refused(place, "faq", "test", "--at-least", "x")


def test_two_versions_beside_each_other(run: Terminal, place: Path, tmp_path: Path) -> None:
    fewer = written(tmp_path / "fewer", {name: said for name, said in FAQ.items() if name != "parcel"})
    assert run(place, "faq", "why", "factory reset").returncode == 0
    kept = {file: file.stat().st_mtime_ns for file in (place / "data" / "index").iterdir()}
    done = run(place, "faq", "diff", str(place / "faq"), str(fewer))
    assert done.returncode == 0
    assert kept
    assert kept == {file: file.stat().st_mtime_ns for file in (place / "data" / "index").iterdir()}, "the server's own"
    assert done.stderr.startswith("only the test questions are compared: there is no database")
    assert "'my parcel is late': parcel → " in done.stdout
    assert done.stdout.endswith(" of 3 questions would be decided differently\n")
    assert "'v9' is neither a folder nor a revision" in run(place, "faq", "diff", "v9", str(fewer)).stderr


def test_why_tells_what_was_heard_before_the_answers(run: Terminal, place: Path) -> None:
    plain = run(place, "faq", "why", "how", "can", "I", "reset", "it").stdout
    assert plain.startswith("Question   how can I reset it\n")
    assert "answered with 'reset'" in plain
    assert run(place, "faq", "why", "my router is on fire").stdout.startswith("Heard      an emergency (“on fire”)")
    told = json.loads(run(place, "faq", "why", "--json", "human please").stdout)
    assert told["heard"] == ["the wish 'human', in so many words: that is what is done, whatever follows"]
    assert set(told) >= {"outcome", "candidates", "why"}


def test_nothing_is_claimed_that_the_questions_do_not_carry(run: Terminal, place: Path, tmp_path: Path) -> None:
    rows = [{"label": name, "text": f"{text} please"} for name, said in FAQ.items() for text in said]
    file = tmp_path / "labelled.jsonl"
    file.write_text("\n".join(map(json.dumps, [*rows, {"label": "unknown", "text": "hot pizza"}])))
    done = run(place, "faq", "calibrate", "--labelled", str(file), "--max-wrong", "2%")
    assert (done.returncode, done.stderr) == (1, "")
    assert "cannot be claimed" in done.stdout
    loose = run(place, "faq", "calibrate", "--labelled", str(file), "--max-wrong", "0.9")
    assert loose.returncode == 0
    assert "set knowledge.answer_at to 0." in loose.stdout
    file.write_text('{"label": "rest", "text": "reset"}')
    said = run.refused(place, "faq", "calibrate", "--labelled", str(file), "--max-wrong", "2%")
    assert "no entry 'rest' for 'reset' (did you mean 'reset'?)" in said


def test_answers_go_out_and_come_in_again(run: Terminal, place: Path, tmp_path: Path) -> None:
    for kind in ("jsonl", "xlsx", "csv"):
        out, back = tmp_path / f"a.{kind}", tmp_path / f"{kind}.yaml"
        assert run(place, "faq", "export", str(out)).stdout == f"5 answers in {out}\n"
        assert "is there already" in run.refused(place, "faq", "export", str(out))
        assert run(None, "faq", "import", str(out), "--to", str(back)).stdout.startswith(f"5 answers in {back}; ")
        assert {row["id"] for row in load(back).data} == FAQ.keys()
    assert parse(run(None, "faq", "import", str(tmp_path / "a.csv")).stdout.encode(), "").data[0]["id"] == "reset"
    assert "cannot write 'doc', only csv" in run.refused(place, "faq", "export", str(tmp_path / "a.doc"))
    (tmp_path / "empty.csv").write_text("a,b\n1,2\n")
    for name, told in (("empty.csv", "no questions; the first line should name"), ("a.doc", "cannot read '.doc'")):
        done = run(None, "faq", "import", str(tmp_path / name))
        assert (done.returncode, done.stdout, told in done.stderr) == (2, "", True)


def test_the_schema_is_written_beside_the_answers(run: Terminal, tmp_path: Path) -> None:
    form = json.loads(run(None, "faq", "schema", "-").stdout)
    assert {"id", "questions", "answer"} <= form["items"]["properties"].keys()
    settled(tmp_path)
    assert "editors read it in files that begin with" in run(tmp_path, "faq", "schema").stdout
    assert json.loads((tmp_path / "faq.schema.json").read_text()) == form


# ---------------------------------------------------------------- what customers asked


def test_gaps_and_replay_read_the_books(run: Terminal, place: Path, tmp_path: Path) -> None:
    config = settled(tmp_path, f"{place}/faq") / "config.yaml"
    config.write_text(f"{config.read_text()}database: sqlite:///a.db\n")
    for words in (["faq", "gaps"], ["replay", "--knowledge", str(place)]):
        assert "there is no database" in run.refused(tmp_path, *words, code=1)
    assert run(tmp_path, "migrate").returncode == 0
    with sqlite3.connect(tmp_path / "a.db") as books:
        for n, text in enumerate([*PIZZA, "my parcel is late"]):
            books.execute("INSERT INTO customer (id, name, tier, known, created_at) VALUES (?, '', '', '{}', 0)", (n,))
            chat = (
                "INSERT INTO chat (id, channel, address, customer_id, talk, created_at) VALUES (?, 'web', ?, ?, ?, 0)"
            )
            books.execute(chat, (n, str(n), n, '{"language": "en"}'))
            fact = "INSERT INTO fact (at, kind, chat_id, customer_id, data) VALUES (?, 'unknown', ?, ?, ?)"
            books.execute(fact, (time.time() - 60, n, n, json.dumps({"question": text})))
    books.close()
    said = run(tmp_path, "faq", "gaps").stdout
    assert " 1. 9 chats (9 unanswered)" in said
    assert said.endswith("1 gaps in 10 questions that were not answered well, of the last 30d\n")
    assert json.loads(run(tmp_path, "faq", "gaps", "--json").stdout)[0]["size"] == len(PIZZA)
    (entry,) = parse(run(tmp_path, "faq", "gaps", "--patch", "1").stdout.encode(), "").data
    assert set(entry["questions"]["en"]) < set(PIZZA)
    assert "there are 1 gaps, no number 2" in run.refused(tmp_path, "faq", "gaps", "--patch", "2")
    assert json.loads(run(tmp_path, "faq", "gaps", "--since", "1s", "--json").stdout) == []
    assert "--since must be a time like" in run.refused(tmp_path, "faq", "gaps", "--since", "soon")
    fewer = written(tmp_path / "fewer", {name: said for name, said in FAQ.items() if name != "parcel"})
    told = json.loads(run(tmp_path, "replay", "--knowledge", str(fewer), "--json").stdout)
    assert told["asked"] == len(PIZZA) + 1
    assert ("my parcel is late", "parcel") in [(c["question"], c["before"]) for c in told["changes"]]
    assert "there is no folder" in run.refused(tmp_path, "replay", "--knowledge", str(tmp_path / "none"))


TOLD = {
    "a": ["unknown got pizza", "unknown any pizza", "rephrased any pizza", "answered reset it", "rate 1"],
    "b": [
        "answered my bill",
        "rate 5",
        "handed_over talk to me",
        "handed_over it is on fire",
        "asked_back red or blue",
    ],
    "c": ["not_helpful slow net", "answered slow net"],
}


def decide(turn: Turn) -> Decision:
    """Writes down what it is told: "<kind> <question>", or "rate <score>"."""
    kind, _, rest = turn.event.text.partition(" ")
    here = turn.conversation
    more: list[Open | Rate | OpenTicket] = [] if here else [Open(turn.numbers[0])]
    fact = {"before": rest} if kind == "rephrased" else {"question": rest}
    due = turn.now + timedelta(days=1)
    if kind == "rate":
        more.append(Rate(here.number if here else turn.numbers[0], 1, int(rest)))
    if kind == "handed_over":
        more.append(OpenTicket(turn.numbers[1], "urgent", rest, due))
        fact = {"ticket": turn.numbers[1], "reason": "emergency" if "fire" in rest else "asked"}
    return Decision(turn.talk.but(language="en"), (*more, SetTimer("idle", due), Fact(kind, fact)))


async def test_what_went_wrong_is_gathered_from_the_books(store: Store) -> None:
    async with House(store, decide=decide) as house:
        chats = {}
        for chat, said in TOLD.items():
            for words in said:
                chats[chat] = (await house.hear(words, chat=chat)).chat_id
                await house.settled()
        answer = {
            "chat_id": chats["b"],
            "seq": 99,
            "author": "agent",
            "text": "We call you.",
            "created_at": time.time(),
        }
        its = select(conversation.c.id).where(conversation.c.chat_id == chats["b"]).scalar_subquery()
        row = insert(message).values(answer | {"conversation_id": its})
        await store.write(lambda c: c.execute(row).rowcount)
    asked = await store.read(lambda c: questions(c, 0))
    texts = ["got pizza", "any pizza", "reset it", "my bill", "red or blue", "slow net"]
    assert asked == [(text, "en") for text in texts]
    found = await store.read(lambda c: badly_answered(c, 0))
    a, b, c = sorted({int(one.chat) for one in found})
    assert found == [
        Asked("got pizza", str(a), "unanswered"),
        Asked("any pizza", str(a), "rephrased"),
        Asked("reset it", str(a), "low rating"),
        Asked("talk to me", str(b), "handed over", "We call you."),
        Asked("slow net", str(c), "not helpful"),
    ]
    assert await store.read(lambda c: (questions(c, time.time()), badly_answered(c, time.time()))) == ([], [])
