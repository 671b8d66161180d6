"""The console says the same in every language, and says everything its templates and scripts ask for."""

from __future__ import annotations

import re

from handoff.console import canned
from handoff.console.look import HERE, TEXTS, Look, initials, safe_json

TEMPLATES = "\n".join(path.read_text("utf-8") for path in (HERE / "templates").glob("*.html"))
SCRIPTS = "\n".join(path.read_text("utf-8") for path in (HERE / "static").glob("*.js"))


def places(said: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", said))


def test_both_languages_have_the_same_sentences_and_places() -> None:
    english, chinese = TEXTS["en"], TEXTS["zh"]
    assert list(english) == list(chinese)
    assert [key for key in english if places(english[key]) != places(chinese[key])] == []


def test_every_sentence_that_is_asked_for_is_there() -> None:
    asked = set(re.findall(r"\bt\('([\w.]+)'[,)]", TEMPLATES))
    assert asked - set(TEXTS["en"]) == set()
    said = {f"js.{key}" for key in re.findall(r"\bsay\(\"([\w.]+)\"[,)]", SCRIPTS)} - {"js.product"}
    assert said - set(TEXTS["en"]) == set()


def test_phrases_are_the_same_in_both_languages_and_use_known_places() -> None:
    phrases = canned.read()
    assert list(phrases["en"]) == list(phrases["zh"])
    for own in phrases.values():
        assert set().union(*map(places, own.values())) <= {"customer", "agent", "number", "company", "phone", "hours"}
    filled = {one["name"]: one["text"] for one in canned.phrases("en", {"number": "C-1", "customer": ""})}
    assert "C-1" in filled["goodbye"]
    assert filled["greeting"].startswith("Hello {customer}")


def test_what_is_said_about_time_and_names() -> None:
    look = Look("en")
    assert [look.span(s) for s in (3, 60, 3599, 7200, 200_000)] == ["<1 min", "1 min", "59 min", "2 h", "2 d"]
    assert Look("zh").span(120) == "2 分钟"
    assert [initials(name) for name in ("Anna Li", "王博", "x", "")] == ["AL", "博", "X", "?"]
    assert look.word("reason", "never_heard") == "never heard"


def test_data_in_a_page_cannot_end_its_element() -> None:
    assert "</script>" not in safe_json({"a": "</script><b>"})


def test_icons_that_are_used_exist() -> None:
    there = set(re.findall(r'id="(\w+)"', (HERE / "static" / "icons.svg").read_text("utf-8")))
    used = set(re.findall(r"icon\('(\w+)'", TEMPLATES)) | set(re.findall(r"icon\(\"(\w+)\"", SCRIPTS))
    assert used <= there


def test_nothing_is_fetched_from_elsewhere() -> None:
    everything = TEMPLATES + SCRIPTS + (HERE / "static" / "console.css").read_text("utf-8")
    assert set(re.findall(r"https?://[^\s\"'`)]+", everything)) == {"http://www.w3.org/2000/svg"}
