"""A message in the dialect of each platform, from the one tree that its markdown is parsed into."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from itertools import accumulate
from typing import Any
from unicodedata import combining, east_asian_width

from bot.messages import Reply
from channels import Can
from channels.fit import clip, measured, parts
from channels.tree import Node, Tag, parse

_SEAM = "\u200b"  # takes no room: between two signs it keeps them from meaning something, beside one it ends a word
_PHONE = 40  # columns of code that a telephone shows without breaking lines


@dataclass(frozen=True, slots=True)
class _Dialect:
    """What a platform calls things; lines, lists and paragraphs are the same on all."""

    text: Callable[[str], str]  # data, such that it is nothing but data
    mark: Callable[[Tag, str], str]  # bold, italic and strike
    code: Callable[[str], str]
    pre: Callable[[str], str]
    link: Callable[[str, str, str], str]  # of what is inside in this dialect, in plain words, and the address
    columns: int = 0  # how wide a table may be as a block of code


def _say(node: Node, dialect: _Dialect) -> str:
    match node.tag:
        case "text":
            return dialect.text(node.text)
        case "code":
            return dialect.code(node.text) if node.text.strip() else node.text
        case "pre":
            return dialect.pre(node.text)
        case "break":
            return "\n"
        case "rule":
            return "———"
        case "bold" | "italic" | "strike":
            return dialect.mark(node.tag, _within(node, dialect))
        case "link":
            return dialect.link(_within(node, dialect), _within(node, _PLAIN), node.url)
        case "list":
            return "\n".join(_item(item, node.first, place, dialect) for place, item in enumerate(node.inside))
        case "table":
            return _table(node, dialect)
        case _:
            return _within(node, dialect, _BETWEEN.get(node.tag, ""))


_BETWEEN: dict[Tag, str] = {"doc": "\n\n", "item": "\n"}


def _within(node: Node, dialect: _Dialect, between: str = "") -> str:
    return between.join(_say(child, dialect) for child in node.inside)


def _item(item: Node, first: int | None, place: int, dialect: _Dialect) -> str:
    mark = "• " if first is None else f"{first + place}. "
    return mark + _say(item, dialect).replace("\n", "\n" + " " * len(mark))


def _table(node: Node, dialect: _Dialect) -> str:
    """Columns where they fit, else lines; lines also if there are links, for a block of code has none."""
    said = [[_within(cell, _PLAIN) for cell in row.inside] for row in node.inside]
    widths = [max(map(_width, column)) for column in zip(*said, strict=True)]
    if sum(widths) + 2 * len(widths) <= dialect.columns and not _has_link(node):
        lines = ("  ".join(_wide(cell, width) for cell, width in zip(row, widths, strict=True)) for row in said)
        return dialect.pre("\n".join(line.rstrip() for line in lines))
    head, *rows = ([_within(cell, dialect) for cell in row.inside] for row in node.inside)
    titles = [dialect.mark("bold", cell) for cell in head]
    return "\n".join(" | ".join(row) for row in (titles, *rows))


def _has_link(node: Node) -> bool:
    return node.tag == "link" or any(map(_has_link, node.inside))


def _width(text: str) -> int:
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _wide(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _around(opening: str, text: str, closing: str) -> str:
    """Each line between two signs, which stand at its letters."""
    return re.sub(r"(?m)(?<!\S)\S(?:.*\S)?(?!\S)", lambda line: f"{opening}{line[0]}{closing}", text)


def _linked(label: str, plain: str, url: str) -> str:
    """A link on a platform that has none: its words, then its address."""
    address = url.removeprefix("mailto:").removeprefix("tel:")
    return label if plain in (address, url) else f"{label} ({address})"


_PLAIN = _Dialect(
    text=str,
    mark=lambda tag, text: text,
    code=str,
    pre=lambda text: "    " + text.replace("\n", "\n    "),
    link=_linked,
)


def plain(text: str) -> str:
    """No markup at all, for a terminal and WeCom's text messages.

    Lists have bullets or numbers; the address of a link stands behind its words.
    """
    return _say(parse(text), _PLAIN).strip("\n")


# ---------------------------------------------------------------- Telegram


def telegram_html(text: str) -> str:
    """The HTML that Telegram takes: few tags, no paragraphs, no lists."""
    return _say(parse(text), _TELEGRAM)


def _telegram_link(label: str, plain: str, url: str) -> str:
    if not plain.strip():
        return escape(url)
    # Telegram finds addresses and telephone numbers itself, and takes no links to them
    return f'<a href="{escape(url)}">{label}</a>' if url.startswith("http") else _linked(label, plain, url)


_TELEGRAM_TAGS: dict[Tag, str] = {"bold": "b", "italic": "i", "strike": "s"}
_TELEGRAM = _Dialect(
    text=escape,
    mark=lambda tag, text: f"<{_TELEGRAM_TAGS[tag]}>{text}</{_TELEGRAM_TAGS[tag]}>" if text.strip() else text,
    code=lambda text: f"<code>{escape(text)}</code>",
    pre=lambda text: f"<pre>{escape(text)}</pre>",
    link=_telegram_link,
    columns=_PHONE,
)


# ---------------------------------------------------------------- Slack

SLACK_SECTION, SLACK_BLOCKS, SLACK_TOTAL = 3000, 50, 13_000  # characters of a section; blocks; characters of all
_SLACK_ROW, _SLACK_LABEL = 5, 75  # buttons in a row, characters on one
_SLACK_SIGNS: dict[Tag, str] = {"bold": "*", "italic": "_", "strike": "~"}


def slack_mrkdwn(text: str) -> str:
    """Slack's own markup. What looks like it in data, ``<!channel>`` say, is only shown."""
    said = re.sub(f"{_SEAM}+", _SEAM, _say(parse(text), _SLACK))
    return re.sub(rf"{_SEAM}(?:(?<!\S.)|(?!\S))", "", said)  # beside a space it is of no use


def slack_blocks(reply: Reply) -> list[dict[str, Any]]:
    """Sections of text and rows of buttons. Beyond Slack's limits nothing is shown; ``parts`` stays within them."""
    texts = parts(Reply(reply.text), Can(max_text=SLACK_SECTION), measured(slack_mrkdwn, "characters"))
    shown = (slack_mrkdwn(part.text) for part in texts)
    sections: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in shown if text.strip()
    ]
    buttons = [_slack_button(place, choice.id, choice.label) for place, choice in enumerate(reply.choices)]
    rows = [buttons[start : start + _SLACK_ROW] for start in range(0, len(buttons), _SLACK_ROW)]
    totals = accumulate(len(section["text"]["text"]) for section in sections)
    kept = [section for section, total in zip(sections, totals, strict=True) if total <= SLACK_TOTAL]
    return [*kept, *({"type": "actions", "elements": row} for row in rows)][:SLACK_BLOCKS]


def _slack_button(place: int, id: str, label: str) -> dict[str, Any]:
    shown = {"type": "plain_text", "text": clip(label, _SLACK_LABEL), "emoji": True}
    return {"type": "button", "action_id": f"choice:{place}", "text": shown, "value": id}


def _slack_escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _slack_text(text: str) -> str:
    """Slack knows no escape for its signs of emphasis."""
    return re.sub(r"[*_~`](?<!\w.)(?=\S)", rf"\g<0>{_SEAM}", _slack_escape(text))


def _slack_mark(tag: Tag, text: str) -> str:
    """Slack wants a space around emphasis, which Chinese does not have."""
    sign = _SLACK_SIGNS[tag]
    return _around(f"{_SEAM}{sign}", text.strip(_SEAM), f"{sign}{_SEAM}")


def _slack_link(label: str, plain: str, url: str) -> str:
    address = _slack_escape(url).replace("|", "%7C")
    shown = _slack_escape(" ".join(plain.split())).replace("|", "¦")
    return f"<{address}>" if shown in ("", address) else f"<{address}|{shown}>"


_SLACK = _Dialect(
    text=_slack_text,
    mark=_slack_mark,
    code=lambda text: _slack_text(text) if "`" in text else f"{_SEAM}`{_slack_escape(text)}`{_SEAM}",
    pre=lambda text: f"```\n{_slack_escape(text).replace('``', f'`{_SEAM}`')}\n```",
    link=_slack_link,
    columns=2 * _PHONE,
)


# ---------------------------------------------------------------- WeCom


def wecom_markdown(text: str) -> str:
    """WeCom's small markdown: bold, links and short code; it knows no escapes and mentions people with ``<@…>``."""
    return _say(parse(text), _WECOM)


def _wecom_text(text: str) -> str:
    return re.sub(r"\*(?=\*|$)|\](?=\(|$)|<(?=\S|$)|^[#>]|`", rf"\g<0>{_SEAM}", text)


def _wecom_link(label: str, plain: str, url: str) -> str:
    if not url.startswith("http") or not plain.strip():
        return _linked(label, plain, url)
    shown = re.sub(r"[\[\]]", lambda sign: "［］"[sign[0] == "]"], " ".join(plain.split()))
    return f"[{_wecom_text(shown)}]({url.replace('(', '%28').replace(')', '%29')})"


_WECOM = replace(
    _PLAIN,
    text=_wecom_text,
    mark=lambda tag, text: _around("**", text, "**") if tag == "bold" else text,
    code=lambda text: _wecom_text(text) if "`" in text else f"`{text.replace('<@', f'<{_SEAM}@')}`",
    pre=lambda text: "\n".join(map(_wecom_text, text.split("\n"))),
    link=_wecom_link,
)
