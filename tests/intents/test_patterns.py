"""The pattern language, and every sentence the pattern files promise to hear or not to hear."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.strictyaml import check, load
from intents.normal import clean, fold
from intents.patterns import PatternError, Tone, closed, ends, group, meanings, phrase, spans, spelled, units
from intents.reading import FLAGS, PatternFile, shipped
from intents.understanding import understand
from tests.intents.asked import NOW, Silent

FILES = sorted((Path(__file__).parents[2] / "intents" / "patterns").glob("*.yaml"))


def heard(name: str, sentence: str) -> bool:
    """Is the pattern ``name`` heard in the sentence, as ``understand`` hears it?"""
    said = understand(sentence, Silent(), now=NOW)
    if name in ("yes", "no"):
        return said.yes_no == name
    if name in FLAGS:
        flag = {"human": "wants_person", "stop": "wants_stop", "anger": "angry", "urgency": "urgent"}.get(name, name)
        return bool(getattr(said, flag))
    return name in closed(shipped().closed, units(fold(clean(sentence))))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_example_is_heard_and_no_counter_example(path: Path) -> None:
    file = check(PatternFile, load(path))
    assert [sentence for sentence in file.examples if not heard(path.stem, sentence)] == []
    assert [sentence for sentence in file.counter if heard(path.stem, sentence)] == []


def test_a_text_becomes_units() -> None:
    assert units(fold("Can't STOP, 我的AX3000!")) == ["cant", "stop", ",", "我", "的", "ax3000", ","]
    assert units(fold("soooo 好好好好好")) == ["so", "好", "好"]
    assert units(fold("轉人工")) == units("转人工")


@pytest.mark.parametrize(
    ("line", "said", "length"),
    [
        ("human", "human", 1),
        ("talk to [a] human", "talk to human", 3),
        ("talk to [a] human", "talk to a human", 4),
        ("(talk|speak) ... human", "speak with one of your human", 6),
        ("(talk|speak) ... human", "speak to me, human", 0),
        ("(talk|speak) ... human", "talk one two three four five six seven human", 0),
        ("[a|the] (real (person|man)|human)", "the real man", 3),
        ("[a|the] (real (person|man)|human)", "real", 0),
        ("转 (人工|客服)", "转客服", 3),
        ("fix it [now]", "fix it now please", 3),
    ],
)
def test_phrases_reach_as_far_as_they_are_said(line: str, said: str, length: int) -> None:
    assert max(ends(group([phrase(line)]), units(said), 0), default=0) == length


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("(a|b", "a bracket is not closed: ')' is missing"),
        ("[a|b) c", "a bracket is not closed: ']' is missing"),
        ("a ) b", "unexpected ')'"),
        ("a|b", "unexpected '|'"),
        ("a (b||c)", "nothing stands between two signs of (|)"),
        ("a []", "nothing stands between two signs of [|]"),
        ("... a", "a word that is always there is missing"),
        ("[a] ... b", "a word that is always there is missing"),
        ("[a] [b]", "a word that is always there is missing"),
        ("", "a word that is always there is missing"),
        ("a ... b ... c ... d", "more than two gaps"),
        ("a (b ... c)", "a gap (...) stands outside brackets"),
        ("((((((a))))))", "too many brackets in brackets"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line: str, wrong: str) -> None:
    with pytest.raises(PatternError) as error:
        phrase(line)
    assert wrong in str(error.value)


def test_closed_phrases_fill_a_message_in_the_fewest_pieces() -> None:
    index = meanings({"thanks": [phrase("thanks")], "no": [phrase("no [thanks]"), phrase("no")], "hi": [phrase("hi")]})
    assert closed(index, units("hi, thanks!")) == {"hi", "thanks"}
    assert closed(index, units("no thanks")) == {"no"}
    assert closed(index, units("no thanks router")) == frozenset()
    assert closed(index, units("hi " * 25)) == frozenset()


def test_spans_do_not_overlap_and_the_longest_wins() -> None:
    phrases = group([phrase("fire tv"), phrase("fire"), phrase("tv stick")])
    assert list(spans(phrases, units("a fire tv stick fire"))) == [(1, 3), (4, 5)]


def test_words_are_spelled_as_they_are_written() -> None:
    assert spelled(["on", "fire"]) == "on fire"
    assert spelled(["冒", "烟", "wifi"]) == "冒烟wifi"


@pytest.mark.parametrize(
    ("said", "loud"),
    [
        *[(said, True) for said in ("hello!!!", "你好！！！", "what ! ! !", "WHY DOES IT NOT WORK")],
        *[(said, False) for said in ("hi!!", "OK", "my AX3000 WPA3", "WHY DOES it not work at all", "")],
    ],
)
def test_tone(said: str, loud: bool) -> None:
    assert bool(Tone(exclamations=3, capitals=12).heard(said)) is loud


@given(st.text(max_size=300))
def test_any_line_is_read_or_refused(line: str) -> None:
    with suppress(PatternError):
        group([phrase(fold(line))])


@pytest.mark.parametrize("word", ["talk to ", "不要", "i want ", "((", "a ", "!", "第三次", "burning smell "])
def test_a_flood_of_one_word_is_heard_to_its_end(word: str) -> None:
    flood = word * (8000 // len(word))
    said = units(fold(flood))
    assert all(isinstance(pattern.heard(said, flood), str) for pattern in shipped().heard.values())
    closed(shipped().closed, said)
