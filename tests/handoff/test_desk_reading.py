"""What is written at a desk: words, a command, or neither; never a note that looks like words."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.desks import rendering
from handoff.desks.reading import COMMANDS, Command, Said, Wrong, read

BANGS = "!！﹗¡‼❗❕ǃꜝ⁉︕"
UNSEEN = ["", "\u200b", "\u200d", "\ufeff", "\u2060", "\u00ad", "\u202e", "\u3164", "\ufe0f", "\u034f", "\u2800"]
BEFORE = ["", " ", "\n", "\t", "\u3000", "\u00a0", "*", "> ", "`", "“", "- ", "_", "...", "@aftercare ", "🙂 "]
LOOKALIKES = str.maketrans({"o": "о", "e": "е", "a": "а", "c": "с", "p": "р", "t": "т"})


def note(dice: random.Random) -> str:
    """Somebody means a note, and types it in any way a hand, a keyboard or an app may."""
    name = dice.choice(["note", "NOTE", "Note", "nOTe", "備注", "备注", "ｎｏｔｅ", "nte", "not", "noet", "remark"])
    name = name.translate(LOOKALIKES) if dice.random() < 0.3 else name
    if dice.random() < 0.4:
        place = dice.randrange(len(name) + 1)
        name = name[:place] + dice.choice(UNSEEN) + name[place:]
    bang = dice.choice(BANGS) * dice.choice([1, 1, 1, 2])
    lead = dice.choice(BEFORE) + dice.choice(UNSEEN) + bang + dice.choice(UNSEEN) + dice.choice(["", "", " ", "\u3000"])
    return f"{lead}{name}{dice.choice([' ', ': ', '：', chr(10), ' ' * 3])}the customer is SECRET"


def test_no_note_is_ever_words_however_it_is_typed() -> None:
    dice = random.Random(5)  # noqa: S311
    texts = [note(dice) for _ in range(5000)]
    assert [text for text in texts if isinstance(read(text), Said)] == []
    known = [read(text) for text in texts if isinstance(read(text), Command)]
    assert len(known) > 1000
    assert {one.name for one in known if isinstance(one, Command)} == {"note"}


@given(st.text(max_size=60), st.sampled_from(BANGS), st.text(max_size=20))
@settings(max_examples=500, deadline=None)
def test_what_begins_with_something_like_an_exclamation_mark_is_no_words(rest: str, bang: str, before: str) -> None:
    lead = "".join(c for c in before if not any(map(str.isalnum, unicodedata.normalize("NFKC", c))) and c != "@")
    assert not isinstance(read(f"{lead}{bang}{rest}"), Said)


@given(st.text(max_size=200))
@settings(max_examples=500, deadline=None)
def test_anything_can_be_read(text: str) -> None:
    found = read(text)
    assert not isinstance(found, Said) or found.text == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "Hello, have you tried another cable?",
        "Great! Close the app and open it again.",
        "1. Close the app\n2. Transfer the file\n3. Go back",
        "Note that the light must be green.",
        "*Close* the lid (note the sound)",
        "- close it\n- back to start",
        "@Ann please look",
        "@Ann note that the light must be green",
        "Please note: the light must be green.",
        "请填写备注栏，再提交。",
        "备注栏可以不填。",
        "Notes are kept for a year.",
        "Keynote: tomorrow at ten",
        "Thanks!!!",
        "太好了！关闭电源再打开。",
        "It costs 5!",
        "",
    ],
)
def test_ordinary_words_go_to_the_customer(text: str) -> None:
    assert read(text) == Said(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("!note is angry", Command("note", "is angry")),
        ("！备注客户很生气", Command("note", "客户很生气")),
        ("! NOTE: line one\nline two", Command("note", "line one\nline two")),
        ("!close", Command("close")),
        ("@aftercare !close done", Command("close", "done")),
        (":exclamation: note x", Command("note", "x")),
        ("!nоte x", Wrong("unknown", "note")),  # a Cyrillic o
        ("!transfre Bob", Wrong("unknown", "transfer")),
        ("!xyz", Wrong("unknown")),
        ("?!", Wrong("unknown")),
        ("Hello\n!note rude", Wrong("inside")),
        ("well !note rude", Wrong("inside")),
        ("1note rude", Wrong("doubtful", "note")),
        ("/note rude", Wrong("doubtful", "note")),
        ("note: rude", Wrong("doubtful", "note")),
        ("note! rude", Wrong("doubtful", "note")),
        ("@bob note: rude", Wrong("doubtful", "note")),
        ("@bob: note: rude", Wrong("doubtful", "note")),
        ("@Bob Smith, note: rude", Wrong("doubtful", "note")),
        ("@bob /note rude", Wrong("doubtful", "note")),
        ("@bob，备注：客户很生气", Wrong("doubtful", "note")),
        ("@here 备注：客户很生气", Wrong("doubtful", "note")),
        ("@bob备注：客户很生气", Wrong("doubtful", "note")),
        ("@bob！备注客户很生气", Command("note", "客户很生气")),
        ("备注：客户很生气", Wrong("doubtful", "note")),
        ("备注 客户很生气", Wrong("doubtful", "note")),
        ("备注。客户很生气", Wrong("doubtful", "note")),
        ("備註　客戶很生氣", Wrong("doubtful", "note")),
        ("备注\n客户很生气", Wrong("doubtful", "note")),
        ("内部备注：客户很生气", Wrong("doubtful", "note")),
        ("内部备注客户很生气", Wrong("doubtful", "note")),
        ("- 内部备注 客户很生气", Wrong("doubtful", "note")),
        ("您好\n备注：客户很生气", Wrong("doubtful", "note")),
        ("Internal note: rude", Wrong("doubtful", "note")),
        ("note - rude", Wrong("doubtful", "note")),
        ("Note, he is rude", Wrong("doubtful", "note")),
        ("note\nhe is rude", Wrong("doubtful", "note")),
    ],
)
def test_commands_and_what_may_be_one(text: str, meant: object) -> None:
    assert read(text) == meant


def test_all_languages_say_the_same() -> None:
    import re

    assert rendering.TEXTS.keys() >= {"en", "zh"}
    for said in rendering.TEXTS.values():
        assert said.keys() == rendering.TEXTS["en"].keys()
        for key, sentence in said.items():
            assert set(re.findall(r"{(\w+)}", sentence)) == set(re.findall(r"{(\w+)}", rendering.TEXTS["en"][key])), key


def test_help_names_every_command() -> None:
    for lang in ("en", "zh"):
        ours = [name for name in COMMANDS if name.isascii() == (lang == "en")]
        missing = [name for name in ours if f"!{name}" not in rendering.TEXTS[lang]["help"]]
        assert [name for name in missing if COMMANDS[name] != "help"] == []


@given(st.text(max_size=100))
def test_what_a_customer_types_is_no_markup_at_the_desk(text: str) -> None:
    from channels.dialects import slack_mrkdwn
    from channels.tree import parse

    tags = {node.tag for node in _all(parse(rendering.verbatim(text)))}
    assert tags <= {"doc", "para", "text", "break"}, slack_mrkdwn(rendering.verbatim(text))


def _all(node: object) -> list:  # type: ignore[type-arg]
    return [node, *(deep for one in node.inside for deep in _all(one))]  # type: ignore[attr-defined]
