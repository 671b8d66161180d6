"""The sentences: equal in all languages, all of them used, and nothing a customer types becomes markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot import texts
from bot.strictyaml import YamlError
from bot.texts import TEXTS, Markup, Word, escape, say, within

PLACES = re.compile(r"\{(\w+)\}")
SOURCES = "\n".join(file.read_text("utf-8") for part in ("bot", "handoff") for file in Path(part).rglob("*.py"))
FAMILIES = (
    "time.",
    "standard.",
    "rate.",
    "again.",
    "state.",
    "do.",
    "option.",
    "complaint.wish.",
    "ticket.confirm.",
    "ticket.what.",
)


@pytest.mark.parametrize("lang", TEXTS)
def test_all_languages_say_the_same(lang: str) -> None:
    assert TEXTS[lang].keys() == TEXTS["en"].keys()
    for key, sentence in TEXTS[lang].items():
        assert set(PLACES.findall(sentence)) == set(PLACES.findall(TEXTS["en"][key])), key


def test_every_sentence_is_used() -> None:
    flows = {file.stem for file in Path("bot/flows").glob("*.py")}
    for key in TEXTS["en"]:
        flow, _, ask = key.removesuffix(".again").partition(".")
        asked = flow in flows and f'Ask("{ask}"' in SOURCES
        used = f'"{key}"' in SOURCES or f'"{key.removesuffix(".again")}"' in SOURCES
        computed = key.startswith(FAMILIES) or key in {f"complaint.{wish}" for wish in texts_of("complaint.wish.")}
        assert asked or used or computed, key


def texts_of(family: str) -> set[str]:
    """The last words of the keys of a family."""
    return {key.removeprefix(family) for key in TEXTS["en"] if key.startswith(family)}


def test_chinese_is_polite_and_set_in_chinese_marks() -> None:
    for key, sentence in TEXTS["zh"].items():
        assert "你" not in sentence.replace("您", ""), key
        assert not re.search(r"[\u4e00-\u9fff][,?!;:]", sentence), key


def test_buttons_are_short_enough_to_be_read() -> None:
    for lang, said in TEXTS.items():
        for key, sentence in said.items():
            if key.startswith(("do.", "rate.", "option.", "complaint.wish.", "ticket.confirm.", "ticket.what.")):
                assert len(sentence) <= 24 or not sentence[0].isalpha(), (lang, key)


@given(st.text(max_size=400))
def test_what_customers_type_is_only_text(typed: str) -> None:
    lines = tuple(Word("ticket.told", {"label": "What", "said": said}) for said in (typed, Word("ask.skipped")))
    shown = say("en", "ticket.confirm", parts=lines)
    tokens = [t for block in MarkdownIt().parse(shown) for t in [block, *(block.children or [])]]
    assert {t.type for t in tokens} <= {
        *("paragraph_open", "paragraph_close", "inline", "text", "text_special", "softbreak"),
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    }


@given(st.text(max_size=400))
def test_nothing_typed_begins_a_line_as_markup(typed: str) -> None:
    tokens = MarkdownIt().parse(texts.at_line_start(escape(typed)))
    assert {t.type for t in tokens} <= {"paragraph_open", "inline", "paragraph_close"}


def test_a_placeholder_in_a_value_is_not_filled() -> None:
    assert say("en", "human.contact_noted", contact="{number}", number="T-1").count("T-1") == 1


def test_values() -> None:
    assert say("en", "line.estimate", within=7200.0) == "At the present pace that takes about 2 hours."
    assert say("zh", "status.list", tickets=(Word("status.late"), Markup("**x**"))).endswith("同事\n**x**")
    assert say("en", "status.due", when=Word("kind.no-such", otherwise="kind.other")) == "next word by request"
    with pytest.raises(KeyError):
        say("en", "status.due")


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (0, "1 minute", "1 分钟"),
        (61, "2 minutes", "2 分钟"),
        (5400, "90 minutes", "90 分钟"),
        (5401, "2 hours", "2 小时"),
        (86400, "24 hours", "24 小时"),
        (172800, "2 days", "2 天"),
    ],
)
def test_times_are_rounded_up(seconds: float, en: str, zh: str) -> None:
    assert (within("en", seconds), within("zh", seconds)) == (en, zh)


def test_a_file_that_is_no_list_of_sentences_is_told(tmp_path: Path) -> None:
    (tmp_path / "en.yaml").write_text("a: b\nc: [d]\n")
    with pytest.raises(YamlError, match=r"en.yaml:2: must be one sentence"):
        texts.read(tmp_path)
