"""Replies made to fit: nothing is lost, and no cut goes through what belongs together."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import Attachment, Choice, Reply
from channels import Can
from channels.dialects import plain
from channels.fit import clip, measured, parts, shorten
from channels.markdown import letters, write
from channels.pieces import graphemes, length
from channels.tree import Node, parse
from tests.channels.soup import soup, walk

UNITS = ("characters", "utf16", "bytes")
FILE = Attachment("1", "plan.pdf", "application/pdf", 10)


def texts(text: str, most: int) -> list[str]:
    return [part.text for part in parts(Reply(text), Can(max_text=most))]


def choices(*labels: str) -> tuple[Choice, ...]:
    return tuple(Choice(label.lower(), label) for label in labels)


def only(tag: str, *nodes: Node) -> Counter[Node]:
    return Counter(node for root in nodes for node in walk(root) if node.tag == tag)


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("short", 10, ["short"]),
        ("", 10, [""]),
        ("one two\n\nthree four", 12, ["one two", "three four"]),
        ("one two three\nfour five six", 20, ["one two three", "four five six"]),
        ("It is one. It is two. It is", 23, ["It is one. It is two.", "It is"]),
        ("先断电。再等十秒。最后重新插上。", 12, ["先断电。再等十秒。", "最后重新插上。"]),
        ("重启（长按）路由器", 5, ["重启（长", "按）路由器"]),
        ("one twothree", 8, ["one", "twothree"]),
        ("onetwothree", 6, ["onetwo", "three"]),
        ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 10, ["👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"]),
        ("🇩🇪🇫🇷🇮🇹", 5, ["🇩🇪🇫🇷", "🇮🇹"]),
        ("see https://x.example/abc now", 26, ["see https://x.example/abc", "now"]),
        ("请看https://x.example/a，好", 20, ["请看", "https://x.example/a，", "好"]),
        ("ab `a b c d` e", 10, ["ab", "`a b c d`", "e"]),
        ("ab [a b c](https://x.example) e", 26, ["ab", "[a b c](https://x.example)", "e"]),
        ("**one two three four**", 14, ["**one two**", "**three four**"]),
        ("- *one two* three", 12, ["- *one two*", "three"]),
        ("3. a b c\n4. d e f\n5. g", 19, ["3. a b c\n4. d e f", "5. g"]),
        ("1. one two three\n2. four", 14, ["1. one two", "three\n\n2. four"]),
        ("- a b c\n  1. d e f\n  2. g h i", 20, ["- a b c\n\n  1. d e f", "2. g h i"]),
        ("```\none\ntwo\nthree\n```", 16, ["```\none\ntwo\n```", "```\nthree\n```"]),
        ("Steps:\n\n1. aaa\n2. bbb\n3. ccc", 23, ["Steps:\n\n1. aaa\n2. bbb", "3. ccc"]),
        ("| a |\n|---|\n| 1 |\n| 2 |", 20, ["| a |\n|---|\n| 1 |", "| a |\n|---|\n| 2 |"]),
    ],
)  # fmt: skip
def test_where_a_text_is_cut(text: str, most: int, expected: list[str]) -> None:
    assert texts(text, most) == expected


def test_a_cut_is_before_a_paragraph_rather_than_in_one() -> None:
    assert texts("One two three. Four.\n\nFive. Six seven eight nine ten.", 38)[0] == "One two three. Four."


def test_what_announces_a_list_stays_with_it() -> None:
    assert texts("Some words here.\n\nDo this:\n\n- a b c d e f g h", 30)[0] == "Some words here."


def test_choices_go_with_the_last_words_and_each_file_by_itself() -> None:
    reply = Reply("one two\n\nthree four", choices("Yes"), (FILE, FILE))
    alone = Reply("", (), (FILE,))
    assert parts(reply, Can(max_text=12)) == (Reply("one two"), Reply("three four", choices("Yes")), alone, alone)
    assert parts(Reply("", (), (FILE,)), Can()) == (alone,)
    assert parts(Reply("", choices("Yes"), (FILE,)), Can()) == (Reply("", choices("Yes")), alone)


def test_one_file_may_have_its_words_beside_it() -> None:
    reply, can = Reply("See this", choices("Yes"), (FILE,)), Can(beside_file=8)
    assert parts(reply, can) == (reply,)
    assert parts(Reply("", choices("Yes"), (FILE,)), can) == (Reply("", choices("Yes"), (FILE,)),)
    assert len(parts(Reply("See this!", (), (FILE,)), can)) == 2
    assert len(parts(Reply("See", (), (FILE, FILE)), can)) == 3


def test_where_few_words_may_stand_beside_buttons_the_last_paragraph_does() -> None:
    reply, can = Reply("Some long words.\n\nSure?", choices("Yes"), (FILE,)), Can(beside_buttons=5)
    file = Reply("", (), (FILE,))
    assert parts(reply, can) == (Reply("Some long words."), Reply("Sure?", choices("Yes")), file)
    assert parts(Reply("Sure?", choices("Yes")), can) == (Reply("Sure?", choices("Yes")),)
    assert parts(Reply("Really sure?", choices("Yes")), can) == (Reply("Really sure?"), Reply("", choices("Yes")))
    (one,) = parts(Reply("Really sure?", choices("Yes")), Can(beside_buttons=5, replies=5))
    assert one == Reply("Really sure?\n\n1. Yes")  # each message counts


def test_who_is_handed_over_is_so_after_the_last_word() -> None:
    assert parts(Reply("One moment", hand_over=True), Can()) == (Reply("One moment"), Reply("", hand_over=True))


def test_choices_become_numbered_lines() -> None:
    reply = Reply("Which *one*?", choices("A_1", "*B*", "1. C"))
    assert parts(reply, Can(most_buttons=3)) == (reply,)
    assert parts(reply, Can(most_buttons=2)) == parts(reply, Can(buttons=False))
    (part,) = parts(reply, Can(buttons=False))
    assert plain(part.text) == "Which one?\n\n1. A_1\n2. *B*\n3. 1. C"
    assert not part.choices


def test_numbered_lines_do_not_run_into_what_is_above() -> None:
    for text in ("1. a\n2. b", "```\nunclosed", "| a |\n|---|", "> quoted"):
        (part,) = parts(Reply(text, choices("Yes", "No")), Can(buttons=False))
        assert plain(part.text) == f"{plain(text)}\n\n1. Yes\n2. No"


def test_it_is_the_shown_text_that_has_to_fit() -> None:
    shown = parts(Reply("- 一\n- 二\n- 三"), Can(max_text=15, text_unit="bytes"), measured(plain, "bytes"))
    assert [plain(part.text) for part in shown] == ["• 一\n• 二", "• 三"]


def test_a_long_answer_is_shortened() -> None:
    text = "\n\n".join(f"This is paragraph {number}." for number in range(1, 8))
    reply, can = Reply(text, choices("Yes"), (FILE,)), Can(max_text=60)
    assert shorten(reply, can, 7, "Ask on.") == parts(reply, can)
    first, second, third = shorten(reply, can, 3, "Ask **on**.")
    assert first.text == "This is paragraph 1.\n\nThis is paragraph 2."
    assert second == Reply("This is paragraph 3.\n\nThis is paragraph 4.\n\n… Ask **on**.", choices("Yes"))
    assert third == Reply("", (), (FILE,))
    assert shorten(reply, can, 0, "Ask on.")[0].text.endswith("… Ask on.")


def test_a_shortened_answer_keeps_its_numbered_choices() -> None:
    text = "\n\n".join(f"This is paragraph {number}." for number in range(1, 8))
    (part,) = shorten(Reply(text, choices("Yes", "No")), Can(buttons=False, max_text=60), 1, "Ask on.")
    assert part.text == "This is paragraph 1.\n\n… Ask on.\n\n1. Yes\n2. No"


@pytest.mark.parametrize(("text", "most", "clipped"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("a👨‍👩‍👧‍👦b", 5, "a…")])
def test_clip(text: str, most: int, clipped: str) -> None:
    assert clip(text, most) == clipped


@settings(deadline=None)
@given(soup, st.sampled_from(UNITS), st.integers(150, 400))
def test_every_part_fits_and_nothing_is_lost(text: str, unit: str, most: int) -> None:
    split = [part.text for part in parts(Reply(text), Can(max_text=most, text_unit=unit))]  # type: ignore[arg-type]
    assert all(length(unit, part) <= most for part in split)
    trees = [parse(part) for part in split]
    if not only("table", parse(text)):  # the head of a table is repeated
        assert "".join(letters(tree.inside) for tree in trees) == letters(parse(text).inside)
    for one, other in pairwise(split):
        before, after = plain(one).rstrip(), plain(other).lstrip("•0123456789. |\n")
        assert len(graphemes(graphemes(before)[-1] + after[:1])) == 1 + bool(after)


@settings(deadline=None)
@given(soup, st.integers(150, 400))
def test_links_and_code_stay_whole(text: str, most: int) -> None:
    trees = [parse(part) for part in texts(text, most)]
    long = Counter(node for node in walk(parse(text)) if len(write(Node("doc", (node,)))) > most - 20)
    for tag in ("link", "code"):
        whole = only(tag, parse(text))
        if not only("table", parse(text)) and not long & whole:
            assert only(tag, *trees) == whole


@settings(deadline=None)
@given(soup)
def test_what_is_written_reads_the_same(text: str) -> None:
    tree = parse(text)
    again = parse(write(tree))
    assert letters(again.inside) == letters(tree.inside)
    for tag in ("link", "code", "table", "list"):
        assert len(list(only(tag, again).elements())) >= len([n for n in only(tag, tree).elements() if letters([n])])


@settings(deadline=None)
@given(soup, st.integers(1, 3))
def test_a_shortened_reply_fits(text: str, most: int) -> None:
    can = Can(max_text=200)
    short = shorten(Reply(text), can, most, "Ask on.")
    assert len(short) <= most
    assert all(len(part.text) <= 200 for part in short)
