"""A message in pieces that are better not cut, and any run of them as a message again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby, takewhile

import regex

from channels.tree import Node, Tag

_OPENING, _CLOSING = "（「『【《〈“‘", "，。、；：！？）」』】》〉”’…"
_CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\u3000-\u303f\uff00-\uffef]"
# A word and the space behind it. In Chinese a character is one, with the marks that do not stand apart from it.
_WORD = regex.compile(
    rf"""(?:(?=[{_OPENING}])\X)*
         (?: https?://(?:(?![\s{_OPENING}{_CLOSING}])\X)* | (?:(?!\s|{_CJK}|https?://)\X)+ | (?=\S)\X )
         (?:(?=[{_CLOSING},.!?;:)\]])\X)*
         (?:(?=\s)\X)*
       | \X""",
    regex.VERBOSE,
)
_CLUSTER = regex.compile(r"\X")
_SENTENCE_END = regex.compile(r"(?:[。！？…][”’」』）】》]*\s*|[.!?][\"')\]]*\s+)$")
_WORD_END = regex.compile(rf"(?:\s|{_CJK})$")
_WORD_START = regex.compile(rf"\s|{_CJK}(?<![{_CLOSING}])")
_EMPHASIS = ("bold", "italic", "strike")


def length(unit: str, text: str) -> int:
    """``text`` in a platform's unit: characters, utf16 or bytes."""
    if unit == "characters":
        return len(text)
    if unit == "utf16":
        return len(text) + sum(char > "\uffff" for char in text)
    return len(text.encode("utf-8", "replace"))


def graphemes(text: str) -> list[str]:
    """What a reader takes for one character: a family of emoji, a flag, a letter and its accents."""
    found: list[str] = _CLUSTER.findall(text)
    return found


class Cut(IntEnum):
    """How good a place to cut is."""

    NEVER = 0
    LETTERS = 1
    WORDS = 2
    SENTENCES = 3
    LINES = 4
    PARAGRAPHS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A container on the way from the doc to a piece."""

    node: Node
    place: int  # among its siblings


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What is not cut unless it is too long for a message of its own: a word, a link, a line of code, a row."""

    node: Node
    path: tuple[Branch, ...]
    size: int  # in the platform's unit, about


def divide(node: Node, unit: str, path: tuple[Branch, ...] = ()) -> Iterator[Piece]:
    """The pieces of a tree, from first to last."""
    if node.tag == "item":  # its bullet or number; it also stands for an item with nothing in it
        yield Piece(Node("text"), path, 3)
    for place, child in enumerate(node.inside):
        below = (*path, Branch(child, place))
        if child.tag == "text":
            yield from _texts("text", _WORD.findall(child.text), path, unit)
        elif child.tag == "pre":
            yield from _texts("text", child.text.splitlines(keepends=True) or [""], below, unit)
        elif child.tag in ("code", "link", "break", "row", "rule"):
            yield Piece(child, path, length(unit, _said(child)) + 1)
        else:
            yield from divide(child, unit, below)


def _texts(tag: Tag, texts: Iterable[str], path: tuple[Branch, ...], unit: str) -> Iterator[Piece]:
    return (Piece(Node(tag, text=text), path, length(unit, text)) for text in texts)


def _said(node: Node) -> str:
    """A piece in plain words."""
    match node.tag:
        case "row":
            return " | ".join(map(_said, node.inside))
        case "break":
            return "\n"
        case "link":
            label = "".join(map(_said, node.inside))
            return label if label in (node.url, node.url.removeprefix("mailto:")) else f"{label} ({node.url})"
        case _:
            return node.text + "".join(map(_said, node.inside))


def cut(left: Piece, right: Piece) -> Cut:
    """How good a place to cut is between two pieces."""
    one, other = _said(left.node), _said(right.node)
    if not one or _one_character(one, other):
        return Cut.NEVER
    if one.rstrip().endswith((":", "：")):  # it announces what follows
        return Cut.WORDS
    if left.path[:1] != right.path[:1]:
        return Cut.PARAGRAPHS
    if _block(left) is not _block(right) or one.endswith("\n") or right.node.tag == "break":
        return Cut.LINES
    if _SENTENCE_END.search(one):
        return Cut.SENTENCES
    return Cut.WORDS if _WORD_END.search(one) or _WORD_START.match(other) else Cut.LETTERS


def _one_character(one: str, other: str) -> bool:
    return other > "\x7f" and len(_CLUSTER.findall(_CLUSTER.findall(one[-40:])[-1] + other[0])) == 1


def _block(piece: Piece) -> Branch | None:
    """The paragraph, table or code that a piece stands in."""
    return next((branch for branch in reversed(piece.path) if branch.node.tag not in _EMPHASIS), None)


def finer(piece: Piece, unit: str) -> list[Piece]:
    """A piece in pieces; none if there is nothing to divide."""
    tag, text, path = piece.node.tag, _said(piece.node), piece.path
    if tag == "link":
        return list(_texts("text", _WORD.findall(text), path, unit))
    if tag == "row":
        return list(_texts("text", _WORD.findall(text), (*path[:-1], Branch(Node("para"), 0)), unit))
    divided = (texts for texts in (_WORD.findall(text), graphemes(text), list(text)) if len(texts) > 1)
    return list(_texts(tag, next(divided, ()), path, unit))


def join(pieces: Sequence[Piece], before: Piece | None, depth: int = 0) -> tuple[Node, ...]:
    """The tree of some pieces. ``before``: the piece that came last, if it was in the same container."""
    nodes: list[Node] = []
    for branch, group in groupby(pieces, lambda piece: _at(piece, depth)):
        inside = list(group)
        if branch is None:
            nodes += (piece.node for piece in inside)
        else:
            cut = before if before and _at(before, depth) is branch else None
            nodes += _container(branch.node, inside, cut, depth + 1)
    return tuple(nodes)


def _at(piece: Piece, depth: int) -> Branch | None:
    return piece.path[depth] if depth < len(piece.path) else None


def _container(node: Node, pieces: list[Piece], before: Piece | None, depth: int) -> tuple[Node, ...]:
    """A container with some of its pieces. If it was cut before them, the rest of an item stands without its number."""
    inside = join(pieces, before, depth)
    match node.tag:
        case "item" if before:
            return inside
        case "list":
            rest = tuple(takewhile(lambda child: child.tag != "item", inside))
            first = pieces[0].path[depth].place + bool(rest)
            items = Node("list", inside[len(rest) :], first=None if node.first is None else node.first + first)
            return (*rest, items) if items.inside else rest
        case "pre":
            return (Node("pre", text="".join(line.text for line in inside).rstrip("\n")),)
        case "table" if inside[0] is not node.inside[0]:
            return (Node("table", (node.inside[0], *inside)),)
        case _:
            return (Node(node.tag, inside),)
