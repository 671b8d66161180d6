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
# What the parser calls a thing, and what we do: with pieces inside, with one line inside, with nothing but text.
_WITH_PIECES: dict[str, Tag] = {
    "strong": "bold",
    "em": "italic",
    "s": "strike",
    "list_item": "item",
    "table": "table",
    "tr": "row",
}
_WITH_A_LINE: dict[str, Tag] = {"paragraph": "para", "th": "cell", "td": "cell"}
_WITH_TEXT: dict[str, Tag] = {
    "text": "text",
    "image": "text",
    "code_inline": "code",
    "fence": "pre",
    "code_block": "pre",
    "softbreak": "break",  # in a chat a line end is meant
    "hardbreak": "break",
    "hr": "rule",
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
    if tag := _WITH_PIECES.get(kind):
        yield Node(tag, tuple(_nodes(node)))
    elif tag := _WITH_A_LINE.get(kind):
        yield Node(tag, tuple(_nodes(node.children[0])))
    elif tag := _WITH_TEXT.get(kind):
        yield Node(tag, text=node.content.rstrip("\n"))
    elif kind == "heading":
        yield Node("para", (Node("bold", tuple(_nodes(node.children[0]))),))
    elif kind in ("bullet_list", "ordered_list"):
        first = int(node.attrs.get("start", 1)) if kind == "ordered_list" else None
        yield Node("list", tuple(_nodes(node)), first=first)
    elif kind == "link" and str(node.attrs.get("href")).startswith(_SCHEMES):
        yield Node("link", tuple(_nodes(node)), url=str(node.attrs["href"]))
    else:  # a quote, a link to nowhere, or whatever the parser may learn
        yield from _nodes(node)
