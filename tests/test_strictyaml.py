"""YAML as people edit it: what is read, what is refused, and how it is told."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from bot.strictyaml import SIZE, Node, YamlError, check, load, parse, suggest


def told(raw: str | bytes) -> str:
    with pytest.raises(YamlError) as caught:
        parse(raw if isinstance(raw, bytes) else raw.encode(), "f.yaml")
    return str(caught.value)


def test_every_scalar_is_text() -> None:
    raw = b"a: no\nb: 12:30\nc: 0o7\nd: ~\ne:\nf: [1, 2.5, 2026-01-01]\ng: {url: https://a.b/c?d=e}\n"
    data = parse(raw, "f.yaml").data
    assert data["a"] == "no"
    assert [data[key] for key in "bcde"] == ["12:30", "0o7", "~", ""]
    assert data["f"] == ["1", "2.5", "2026-01-01"]
    assert data["g"] == {"url": "https://a.b/c?d=e"}


@pytest.mark.parametrize("nothing", ["", "\n", "# a remark\n", "---\n"])
def test_an_empty_file_is_empty(nothing: str) -> None:
    assert parse(nothing.encode(), "f.yaml").data == ""


def test_a_value_is_found_where_its_key_stands() -> None:
    node = parse("\ufeff- id: a\n  answer:\n    en: |\n      one\n      two\n- id: b\n".encode(), "f.yaml")
    assert [node.line(0), node.line(0, "answer"), node.line(0, "answer", "en"), node.line(1, "id")] == [1, 2, 3, 6]
    assert node.line(0, "answer", "zh") == 2  # the nearest thing around it
    assert node.line("nowhere") == 1


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: 1\nb: !!int 2\n", "f.yaml:2: a tag (tag:yaml.org,2002:int) is not allowed"),
        ("a: 1\nb: ! x\n", "f.yaml:2: a tag (!) is not allowed"),
        ("a: &x 1\n", "f.yaml:1: an anchor (&x) is not allowed"),
        ("a: 1\nb: *x\n", "f.yaml:2: an alias (*x) is not allowed"),
        ("*x : 1\n", "f.yaml:1: a key must be a single text"),
        ("a: 1\n\na: 2\n", "f.yaml:3: duplicate key 'a' (first on line 1)"),
        ("? [a, b]\n: 1\n", "f.yaml:1: a key must be a single text"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: a second document"),
        (
            "a: 1\n\tb: 2\n",
            "f.yaml:2: is not YAML: found a tab character that violates indentation (indent with",
        ),
        ("a: b: c\n", "f.yaml:1: is not YAML: mapping values are not allowed in this context (a text that contains"),
        ("a: 1\nb: [x,\n\n\nc: 2\n", "f.yaml:2: is not YAML: found unexpected end of stream (a quote or a bracket"),
        ('a: 1\nb: "x\n\n\nc: 2\n', "f.yaml:2: is not YAML: found unexpected end of stream (a quote or a bracket"),
        ("a:\n  port:80\n  b: 1\n", "f.yaml:2: is not YAML: after 'port' must stand ': ', not ':8'"),
        ("a: 1\nport：80\nb: 2\n", "f.yaml:2: is not YAML: after 'port' must stand ': ', not '：'"),
        ("a:\n  - *now* or never\n", "f.yaml:2: is not YAML: did not find expected alphabetic or numeric character"),
        ("a: @x\n", "f.yaml:1: is not YAML: found character that cannot start any token (a text that begins with"),
        ("a: 1\nb: \x07\n", "f.yaml:2: an invisible character must go: U+0007"),
        ('a: 1\nb: "\\0"\n', "f.yaml:2: an invisible character must go: U+0000"),
        ("a: 1\nb: x\u2028y\n", "f.yaml:2: an invisible character must go: U+2028"),
        ('a: "\\uD800"\n', "f.yaml:1: is not YAML: found invalid Unicode character escape code"),
    ],
)
def test_refused(text: str, what: str) -> None:
    assert told(text).startswith(what)


def test_every_mistake_is_told_at_once() -> None:
    assert len(told("a: &x 1\nb: !y 2\na: *x\n").splitlines()) == 4


def test_not_utf8() -> None:
    assert told("a: 1\nb: 海澜".encode("gbk")) == "f.yaml:2: must be saved as UTF-8"


@pytest.mark.parametrize("opening", ["[", "{", "- ", "{a: ", "? "])
def test_depth_has_an_end(opening: str) -> None:
    assert "nested more than 20 deep" in told(opening * 100_000)


def test_size_has_an_end() -> None:
    assert "at most 5,000,000 bytes are read" in told(b"a" * (SIZE + 1))
    with pytest.raises(YamlError, match="at most 5,000,000 bytes are read"):
        load(Path("/dev/zero"))


def test_unreadable_files(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe.yaml")
    for path, why in ((tmp_path / "none.yaml", "No such file"), (tmp_path, "Is a directory"), (pipe, "it is a pipe")):
        with pytest.raises(YamlError, match=f"{path}:1: cannot be read: {why}"):
            load(path)


@given(st.text() | st.text(alphabet="ab:-?![]{}#&*|>'\"%@`, \t\n"))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    with suppress(YamlError):
        assert parse(text.encode("utf-8", "surrogatepass"), "f.yaml").line() >= 1


_TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufffe\uffff"))
_DATA = st.recursive(_TEXT, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner), max_leaves=20)


@given(_DATA.filter(lambda data: data != ""))
def test_what_was_written_is_what_is_read(data: Any) -> None:
    written = yaml.safe_dump(data, allow_unicode=True, default_style='"', sort_keys=False)
    assert parse(written.encode(), "f.yaml").data == data


# ---------------------------------------------------------------- shapes


class Link(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    questions: dict[str, tuple[str, ...]]
    mode: Literal["strict", "balanced"] = "balanced"
    count: int = Field(1, ge=1)
    since: date | None = None
    on: bool = False
    links: tuple[Link, ...] = ()
    tags: tuple[str, ...] = Field((), max_length=2)


def wrong(text: str, *at: str | int) -> list[str]:
    with pytest.raises(YamlError) as caught:
        check(Entry, parse(text.encode(), "f.yaml"), at)
    return str(caught.value).splitlines()


def test_text_becomes_what_the_model_wants() -> None:
    node = parse(b"- {id: '7', questions: {en: [a]}, count: 3, since: 2026-01-31, on: true}", "f.yaml")
    entry = check(Entry, node, (0,))
    assert (entry.id, entry.count, entry.since, entry.on) == ("7", 3, date(2026, 1, 31), True)


def test_a_text_with_a_colon_is_told_how_to_be_written() -> None:
    assert wrong("id: {router: how to restart}\nquestions: {}\n")[0] == (
        "f.yaml:1: id: must be a text; one that holds ': ' stands in \"double quotes\""
    )


def test_every_misfit_is_told_with_its_line() -> None:
    assert wrong(
        "id: [x]\nqestions: {}\nmode: blanced\ncount: 0\nsince: soon\non: perhaps\nlinks:\n- ulr: x\ntags: [a, b, c]\n"
    ) == [
        "f.yaml:1: id: must be a text",
        "f.yaml:1: questions: is missing",
        "f.yaml:2: unknown key 'qestions' (did you mean 'questions'?)",
        "f.yaml:3: mode: 'blanced' is not allowed (did you mean 'balanced'?)",
        "f.yaml:4: count: must be at least 1",
        "f.yaml:5: since: must be a date like 2026-01-31, not 'soon'",
        "f.yaml:6: on: must be true or false, not 'perhaps'",
        "f.yaml:8: links.0.url: is missing",
        "f.yaml:8: unknown key 'ulr' (did you mean 'url'?)",
        "f.yaml:9: tags: may have at most 2, has 3",
    ]


def test_the_place_of_a_model_within_a_file() -> None:
    assert wrong("- id: a\n  questions: {}\n- id: b\n  questions: {en: x}\n", 1) == [
        "f.yaml:4: questions.en: must be a list"
    ]


def test_the_whole_value_may_be_wrong() -> None:
    assert wrong("just words") == ["f.yaml:1: must be a block of 'key: value' lines"]


def test_what_lies_within_is_told_once() -> None:
    class Pauses(BaseModel):
        pauses: tuple[int, ...] = Field(min_length=1)

    with pytest.raises(YamlError) as caught:
        check(Pauses, Node("f.yaml", {"pauses": ["x"]}))
    assert str(caught.value) == "f.yaml:1: pauses.0: must be a whole number, not 'x'"


def test_what_is_no_plain_value_is_told_in_our_words() -> None:
    class Plain(BaseModel):
        day: date
        whole: int
        share: float
        yes: bool

    with pytest.raises(YamlError) as caught:
        check(Plain, parse(b"day: []\nwhole: {}\nshare: [1]\nyes: [a]", "f.yaml"))
    assert [p.what for p in caught.value.problems] == [
        "day: must be a date like 2026-01-31",
        "whole: must be a whole number",
        "share: must be a number",
        "yes: must be true or false",
    ]


def test_suggestions() -> None:
    assert suggest("qestions", ["answer", "questions"]) == "(did you mean 'questions'?)"
    assert suggest("zzz", ["b", "a"]) == "(allowed: a, b)"
    assert suggest("zzz", []) == "(nothing is allowed here)"
