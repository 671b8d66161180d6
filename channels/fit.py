"""A reply made to fit what a platform can do: buttons become numbered lines, a long text becomes several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import groupby
from typing import Final

import regex

from bot.messages import Choice, Reply
from channels import Can
from channels.markdown import write
from channels.render import Node, parse

Measure = Callable[[str], int]  # how long a markdown text is on the platform

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

# How good a place to cut is.
_NEVER, _LETTERS, _WORDS, _SENTENCES, _LINES, _PARAGRAPHS = range(6)


def length(unit: str, text: str) -> int:
    """``text`` in a platform's unit: characters, utf16 or bytes."""
    if unit == "characters":
        return len(text)
    if unit == "utf16":
        return len(text) + sum(char > "\uffff" for char in text)
    return len(text.encode("utf-8", "replace"))


def parts(reply: Reply, can: Can, measure: Measure | None = None) -> tuple[Reply, ...]:
    """The reply as messages that the platform takes, at least one. Choices and attachments go with the last.

    ``measure`` tells how long a markdown text is on the platform; otherwise its source is measured.
    """
    text, choices = _degraded(reply, can)
    *first, last = _split(text, can.text_unit, can.max_text, measure or _source(can.text_unit))
    return (*map(Reply, first), Reply(last, choices, reply.attachments))


def shorten(reply: Reply, can: Can, most: int, more: str, measure: Measure | None = None) -> tuple[Reply, ...]:
    """Like ``parts``, but at most ``most`` messages; if that is too few, the last ends with "…" and ``more``."""
    whole = parts(reply, can, measure)
    if len(whole) <= most:
        return whole
    measure = measure or _source(can.text_unit)
    hint, numbered = parse(f"… {more}").inside, _numbered(() if whole[-1].choices else reply.choices)
    ends = ((*hint, *numbered), hint, ())
    end = next(end for end in ends if measure(write(Node("doc", end))) <= can.max_text // 2)
    texts = _pack(list(_pieces(parse(reply.text), can.text_unit)), can.max_text, measure, most, end)
    short = [replace(whole[-1], text=text) for text in texts]
    return (*(Reply(part.text) for part in short[:-1]), *short[-1:])


def clip(text: str, most: int) -> str:
    """A plain text in at most ``most`` characters, with an ellipsis where something was cut off."""
    if len(text) <= most:
        return text
    kept = ""
    for cluster in graphemes(text):
        if len(kept) + len(cluster) >= most:
            break
        kept += cluster
    return kept.rstrip() + "…"


def graphemes(text: str) -> list[str]:
    """What a reader takes for one character: a family of emoji, a flag, a letter and its accents."""
    found: list[str] = _CLUSTER.findall(text)
    return found


@lru_cache(4)
def _source(unit: str) -> Measure:
    return partial(length, unit)


def _degraded(reply: Reply, can: Can) -> tuple[str, tuple[Choice, ...]]:
    if not reply.choices or (can.buttons and len(reply.choices) <= can.most_buttons):
        return reply.text, reply.choices
    return write(Node("doc", (*parse(reply.text).inside, *_numbered(reply.choices)))), ()


def _numbered(choices: Sequence[Choice]) -> tuple[Node, ...]:
    items = (Node("item", (Node("para", (Node("text", text=choice.label),)),)) for choice in choices)
    return (Node("list", tuple(items), first=1),) if choices else ()


@lru_cache(256)  # the same answers are sent again and again
def _split(text: str, unit: str, limit: int, measure: Measure) -> tuple[str, ...]:
    if measure(text) <= limit:
        return (text,)
    return tuple(_pack(list(_pieces(parse(text), unit)), limit, measure)) or ("",)


@dataclass(frozen=True, slots=True, eq=False)
class _Branch:
    """A container on the way from the doc to a piece."""

    node: Node
    place: int  # among its siblings


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """What is not cut unless it is too long for a message of its own: a word, a link, a line of code, a row."""

    node: Node
    path: tuple[_Branch, ...]
    size: int  # in the platform's unit, about


def _pieces(node: Node, unit: str, path: tuple[_Branch, ...] = ()) -> Iterator[_Piece]:
    if node.tag == "item":  # its bullet or number; it also stands for an item with nothing in it
        yield _Piece(Node("text"), path, 3)
    for place, child in enumerate(node.inside):
        below = (*path, _Branch(child, place))
        if child.tag == "text":
            yield from _texts("text", _WORD.findall(child.text), path, unit)
        elif child.tag == "pre":
            yield from _texts("text", child.text.splitlines(keepends=True) or [""], below, unit)
        elif child.tag in ("code", "link", "break", "row", "rule"):
            yield _Piece(child, path, length(unit, _said(child)) + 1)
        else:
            yield from _pieces(child, unit, below)


def _texts(tag: Tag, texts: Iterable[str], path: tuple[_Branch, ...], unit: str) -> Iterator[_Piece]:
    return (_Piece(Node(tag, text=text), path, length(unit, text)) for text in texts)


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


def _pack(
    pieces: list[_Piece], unit: str, limit: int, measure: Measure, most: int = 0, end: tuple[Node, ...] = ()
) -> Iterator[str]:
    """One text after the other, each as long as it may be; ``end`` stands at the end of number ``most``, the last."""
    start = number = 0
    while start < len(pieces) and (number < most or not most):
        number += 1
        tail = end if number == most else ()
        room = limit
        while True:
            stop, size = _cut(pieces, start, room)
            before = pieces[start - 1] if start else None
            text = write(Node("doc", _grown(pieces[start:stop], before) + tail))
            if (measured := measure(text)) <= limit:
                break
            if stop > start + 1:
                room = min(size - 1, size * limit // measured)
            elif finer := _finer(pieces[start], unit):
                pieces[start:stop], room = finer, limit
            else:  # a character wider than a message
                break
        start = stop
        if text:
            yield text


def _cut(pieces: list[_Piece], start: int, room: int) -> tuple[int, int]:
    """Where a text from ``start`` on best ends, and its size: the best place in the second half of the room."""
    best, size = (-1, False, -1, start + 1, pieces[start].size), 0
    for stop, (piece, following) in enumerate(zip_longest(pieces[start:], ...), start + 1):
        ...
    return best[-2:]
