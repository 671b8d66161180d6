"""Each dialect: what it looks like, and that data stays data in it."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from bot.messages import Choice, Reply
from channels.dialects import plain, slack_blocks, slack_mrkdwn, telegram_html, wecom_markdown
from channels.tree import parse
from tests.channels.soup import soup, walk

TELEGRAM = {"b", "i", "s", "code", "pre", "a"}


class Page(HTMLParser):
    """A strict reader of HTML."""

    def __init__(self, html: str, allowed: set[str]) -> None:
        super().__init__()
        self.allowed, self.open, self.text = allowed, list[str](), ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.allowed
        self.attributes += attrs
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def bare(text: str) -> str:
    """Only what is written, whatever space is between."""
    return re.sub(r"[\s\u200b]", "", text)


def shown(text: str) -> str:
    """All that a reader of a message must get to see."""
    return bare("".join(node.text for node in walk(parse(text))))


def holds(said: str, text: str) -> bool:
    """Whether all of a message is in what was said, in its order."""
    rest = iter(bare(said))
    return all(char in rest for char in shown(text))


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("# Title\ntext", "<b>Title</b>\n\ntext"),
        ("**a** *b* ~~c~~ `d<`", "<b>a</b> <i>b</i> <s>c</s> <code>d&lt;</code>"),
        ("1. a\n2. b\n   - c", "1. a\n2. b\n   • c"),
        ("```\na < b\n```", "<pre>a &lt; b</pre>"),
        ("[a & b](https://x.example/?a=1&b=2)", '<a href="https://x.example/?a=1&amp;b=2">a &amp; b</a>'),
        ("[us](mailto:a@x.example) <tel:+4930>", "us (a@x.example) tel:+4930"),
        ("[](https://x.example)", "https://x.example"),
        ("| a | 价格 |\n|---|---|\n| 路由器 | 1 |", "<pre>a       价格\n路由器  1</pre>"),
        ("| a |\n|---|\n| [c](https://x.example) |", '<b>a</b>\n<a href="https://x.example">c</a>'),
        ("| a | b |\n|---|---|\n| [](tel:+49) | c |", "<b>a</b> | <b>b</b>\ntel:+49 | c"),
        (f"| a |\n|---|\n| {'b' * 50} |", f"<b>a</b>\n{'b' * 50}"),
        ("<b>no</b> & &lt;", "&lt;b&gt;no&lt;/b&gt; &amp; &lt;"),
    ],
)  # fmt: skip
def test_telegram(markdown: str, html: str) -> None:
    assert telegram_html(markdown) == html


@pytest.mark.parametrize(
    ("markdown", "mrkdwn"),
    [
        ("**a** *b* ~~c~~ `d`", "*a* _b_ ~c~ `d`"),
        ("***a***", "_*a*_"),
        ("**a\nb**", "*a*\n*b*"),
        ("请**重启**路由器", "请\u200b*重启*\u200b路由器"),
        ("[a | b](https://x.example/?a=1&b=2)", "<https://x.example/?a=1&amp;b=2|a ¦ b>"),
        ("[a > b <!here>](https://x.example)", "<https://x.example|a &gt; b &lt;!here&gt;>"),
        ("<https://x.example>", "<https://x.example>"),
        ("<!channel> <@U123> <#C1|all>", "&lt;!channel&gt; &lt;@U123&gt; &lt;#C1|all&gt;"),
        ("& &lt;!here&gt;", "&amp; &lt;!here&gt;"),
        ("`<!channel>` `` a`b ``", "`&lt;!channel&gt;` a`b"),
        ("```\n<@U1> ````\n```", "```\n&lt;@U1&gt; `\u200b``\u200b`\n```"),
        (r"\*no\* 2 * 3 AX_1_2", "*\u200bno* 2 * 3 AX_1_2"),
    ],
)  # fmt: skip
def test_slack(markdown: str, mrkdwn: str) -> None:
    assert slack_mrkdwn(markdown) == mrkdwn


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("**a** *b* `c`", "**a** b `c`"),
        ("- a\n- b", "• a\n• b"),
        ("[a](https://x.example/a_(b))", "[a](https://x.example/a_%28b%29)"),
        ("[us](tel:+4930)", "us (+4930)"),
        (r"\[a\](https://evil.example) <@all> \*\*b", "[a]\u200b(https://evil.example) <\u200b@all> *\u200b*b"),
        ("`<@all>`", "`<\u200b@all>`"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "**a** | **b**\n1 | 2"),
    ],
)
def test_wecom(markdown: str, said: str) -> None:
    assert wecom_markdown(markdown) == said


def test_slack_blocks() -> None:
    choices = tuple(Choice(f"id{number}", "很长" * 50 if number == 6 else f"Label {number}") for number in range(7))
    section, *rows = slack_blocks(Reply("**Which?**", choices))
    assert section == {"type": "section", "text": {"type": "mrkdwn", "text": "*Which?*"}}
    assert [len(row["elements"]) for row in rows] == [5, 2]
    assert rows[0]["elements"][1] == {
        "type": "button",
        "action_id": "choice:1",
        "text": {"type": "plain_text", "text": "Label 1", "emoji": True},
        "value": "id1",
    }
    assert len(rows[1]["elements"][1]["text"]["text"]) == 75


@pytest.mark.parametrize("size", [10, 800, 4000])
def test_slack_takes_the_blocks(size: int) -> None:
    blocks = slack_blocks(Reply("one & two. " * size, tuple(Choice(str(n), str(n)) for n in range(3 * size))))
    sections = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    assert len(blocks) <= 50
    assert all(len(text) <= 3000 for text in sections)
    assert sum(map(len, sections)) <= 13_000
    if size <= 800:  # what fits is all there
        assert bare(unescape("".join(sections))) == "one&two." * size


@settings(deadline=None)
@given(soup)
def test_telegram_reads_only_its_tags(text: str) -> None:
    page = Page(telegram_html(text), TELEGRAM)
    assert {name for name, _ in page.attributes} <= {"href"}
    assert all(str(value).startswith(("https://", "http://")) for _, value in page.attributes)
    assert holds(page.text, text)


@settings(deadline=None)
@given(soup)
def test_slack_reads_no_control_sequence_from_data(text: str) -> None:
    said = slack_mrkdwn(text)
    links = re.findall(r"<([^<>|]*)(?:\|[^<>|]*)?>", said)
    assert Counter(map(unescape, links)) == Counter(node.url for node in walk(parse(text)) if node.tag == "link")
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", re.sub(r"<[^<>|]*(\|[^<>|]*)?>", "", said))
    assert holds(unescape(said).replace("¦", "|"), text.replace("¦", "|"))


@settings(deadline=None)
@given(soup)
def test_wecom_says_everything(text: str) -> None:
    assert holds(plain(text), text)
    assert holds(wecom_markdown(text).replace("［", "[").replace("］", "]"), text.replace("［", "[").replace("］", "]"))
    assert "<@" not in wecom_markdown(text)


@settings(deadline=None)
@given(soup)
def test_slack_blocks_keep_the_limits(text: str) -> None:
    for block in slack_blocks(Reply(text)):
        assert block["type"] == "section"
        assert 0 < len(block["text"]["text"]) <= 3000
