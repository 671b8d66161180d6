"""Markdown, parsed once into a small tree that every channel renders in its own dialect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, emphasis
from markdown_it.tree import SyntaxTreeNode

Tag = Literal[
    "doc", "para", "list", "item", "table", "row", "cell", "pre", "rule",
    "text", "break", "bold", "italic", "strike", "code", "link",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """One piece of a message. What a field means depends on the tag; most have only ``inside``."""

    tag: Tag
    inside: tuple[Node, ...] = ()
    text: str = ""  # of text, code and pre
    url: str = ""  # of link: http(s), mailto or tel, nothing else
    first: int | None = None  # of list: its first number; None = bullets



def _emphasis(state: StateInline, silent: bool) -> bool:
    """CommonMark's marks, but beside Chinese any mark may open or close: ``**注意:**请`` has no spaces to go by."""
    start, known = state.pos, len(state.delimiters)
    if not emphasis.tokenize(state, silent):
        return False
    before = state.src[start - 1] if start else " "
    after = state.src[state.pos] if state.pos < state.posMax else " "
    if max(before, after) >= _FIRST_CJK:
        for mark in state.delimiters[known:]:
            mark.open, mark.close = not after.isspace(), not before.isspace()
    return True


_FIRST_CJK = "\u2e80"
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
_PARSER.inline.ruler.at("emphasis", _emphasis)
_SAME: dict[str, Tag] = {
    "strong": "bold",
    "em": "italic",
    "s": "strike",
    "list_item": "item",
    "table": "table",
    "tr": "row",
}
_SCHEMES = ("https://", "http://", "mailto:", "tel:")


@lru_cache(1024)  # the same answers are sent again and again
def parse(text: str) -> Node:
    """The tree of a markdown text. HTML in it is text; an image is its description."""
    return Node("doc", tuple(_nodes(SyntaxTreeNode(_PARSER.parse(text)))))


def _nodes(parent: SyntaxTreeNode) -> Iterator[Node]:
    for child in parent.children:
        yield from _node(child)


def _node(node: SyntaxTreeNode) -> Iterator[Node]:
    kind = node.type
    if kind in _SAME:
        yield Node(_SAME[kind], tuple(_nodes(node)))
    elif kind in ("text", "image"):
        yield Node("text", text=node.content)
    elif kind == "code_inline":
        yield Node("code", text=node.content)
    elif kind in ("fence", "code_block"):
        yield Node("pre", text=node.content.rstrip("\n"))
    elif kind in ("softbreak", "hardbreak"):  # in a chat a line end is meant
        yield Node("break")
    elif kind == "link":
        url = str(node.attrs.get("href", ""))
        inside = tuple(_nodes(node))
        if url.startswith(_SCHEMES):
            yield Node("link", inside, url=url)
        else:
            yield from inside
    elif kind == "heading":
        yield Node("para", (Node("bold", tuple(_nodes(node.children[0]))),))
    elif kind == "paragraph":
        yield Node("para", tuple(_nodes(node.children[0])))
    elif kind in ("bullet_list", "ordered_list"):
        first = int(node.attrs.get("start", 1)) if kind == "ordered_list" else None
        yield Node("list", tuple(_nodes(node)), first=first)
    elif kind in ("th", "td"):
        yield Node("cell", tuple(_nodes(node.children[0])))
    elif kind == "hr":
        yield Node("rule")
    else:  # a quote, or whatever the parser may learn
        yield from _nodes(node)


def plain(text: str) -> str:
    """Markdown as a terminal shows it: marks gone, lists with bullets and numbers, the address behind its link."""
    return _plain(parse(text)).strip("\n")


def _plain(node: Node) -> str:
    match node.tag:
        case "text" | "code":
            return node.text
        case "break":
            return "\n"
        case "rule":
            return "———"
        case "pre":
            return _indent(node.text, "    ", "    ")
        case "link":
            label = _inline(node)
            address = node.url.removeprefix("mailto:").removeprefix("tel:")
            return label if label in (address, node.url) else f"{label} ({address})"
        case "list":
            return "\n".join(_item(item, node.first, place) for place, item in enumerate(node.inside))
        case "item":
            return "\n".join(_plain(child) for child in node.inside)
        case "table":
            return "\n".join(_plain(row) for row in node.inside)
        case "row":
            return " | ".join(_plain(cell) for cell in node.inside)
        case "doc":
            return "\n\n".join(_plain(child) for child in node.inside)
        case _:
            return _inline(node)


def _inline(node: Node) -> str:
    return "".join(_plain(child) for child in node.inside)


def _item(item: Node, first: int | None, place: int) -> str:
    mark = "• " if first is None else f"{first + place}. "
    return _indent(_plain(item), mark, " " * len(mark))


def _indent(text: str, head: str, rest: str) -> str:
    return head + text.replace("\n", "\n" + rest)
