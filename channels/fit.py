"""A reply made to fit what a platform can do: buttons become numbered lines, a long text becomes several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from bot.messages import Choice, Reply
from channels import Can
from channels.markdown import write
from channels.pieces import Cut, Piece, cut, divide, finer, graphemes, join, length
from channels.render import Node, parse

Measure = Callable[[str], int]  # how long a markdown text is on the platform


def parts(reply: Reply, can: Can, measure: Measure | None = None) -> tuple[Reply, ...]:
    """The reply as messages that the platform takes, at least one. Choices and attachments go with the last.

    ``measure`` tells how long a markdown text is on the platform; otherwise its source is measured.
    """
    text, choices = _degraded(reply, can)
    *first, last = _split(text, can, measure or measured(str, can.text_unit))
    return (*map(Reply, first), Reply(last, choices, reply.attachments))


def shorten(reply: Reply, can: Can, most: int, more: str, measure: Measure | None = None) -> tuple[Reply, ...]:
    """Like ``parts``, but at most ``most`` messages; if that is too few, the last ends with "…" and ``more``."""
    whole = parts(reply, can, measure)
    if len(whole) <= most:
        return whole
    measure = measure or measured(str, can.text_unit)
    hint, numbered = parse(f"… {more}").inside, _numbered(() if whole[-1].choices else reply.choices)
    ends = ((*hint, *numbered), hint, ())
    end = next(end for end in ends if measure(write(Node("doc", end))) <= can.max_text // 2)
    texts = _pack(list(divide(parse(reply.text), can.text_unit)), can, measure, most, end)
    short = [replace(whole[-1], text=text) for text in texts]
    return (*(Reply(part.text) for part in short[:-1]), *short[-1:])


@lru_cache(16)
def measured(dialect: Callable[[str], str], unit: str) -> Measure:
    """How long a markdown text is in a dialect: characters, utf16 or bytes."""
    return lambda text: length(unit, dialect(text))


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


def _degraded(reply: Reply, can: Can) -> tuple[str, tuple[Choice, ...]]:
    if not reply.choices or (can.buttons and len(reply.choices) <= can.most_buttons):
        return reply.text, reply.choices
    return write(Node("doc", (*parse(reply.text).inside, *_numbered(reply.choices)))), ()


def _numbered(choices: Sequence[Choice]) -> tuple[Node, ...]:
    items = (Node("item", (Node("para", (Node("text", text=choice.label),)),)) for choice in choices)
    return (Node("list", tuple(items), first=1),) if choices else ()


@lru_cache(256)  # the same answers are sent again and again
def _split(text: str, can: Can, measure: Measure) -> tuple[str, ...]:
    if measure(text) <= can.max_text:
        return (text,)
    return tuple(_pack(list(divide(parse(text), can.text_unit)), can, measure)) or ("",)


def _pack(
    pieces: list[Piece], can: Can, measure: Measure, most: int | None = None, end: tuple[Node, ...] = ()
) -> Iterator[str]:
    """One text after the other; with ``most``, so many of them, the last of which ends with ``end``."""
    start = number = 0
    while start < len(pieces) and number != most:
        number += 1
        text, start = _next(pieces, start, can, measure, end if number == most else ())
        if text:
            yield text


def _next(pieces: list[Piece], start: int, can: Can, measure: Measure, end: tuple[Node, ...]) -> tuple[str, int]:
    """The longest text from ``start`` on, and where it stops. A piece too long for it is replaced by smaller ones."""
    before = pieces[start - 1] if start else None
    room = can.max_text
    while True:
        stop, size = _cut(pieces, start, room)
        text = write(Node("doc", join(pieces[start:stop], before) + end))
        measured = measure(text)
        if measured <= can.max_text:
            return text, stop
        if stop > start + 1:
            room = min(size - 1, size * can.max_text // measured)
        elif smaller := finer(pieces[start], can.text_unit):
            pieces[start:stop], room = smaller, can.max_text
        else:  # a character that is longer than a message
            return text, stop


def _cut(pieces: list[Piece], start: int, room: int) -> tuple[int, int]:
    """Where a text from ``start`` on had best stop, and its size: preferably in the second half of its room."""
    size = pieces[start].size
    best = ((Cut.NEVER, False, Cut.NEVER), start + 1, size)
    for stop in range(start + 1, len(pieces)):
        here = cut(pieces[stop - 1], pieces[stop])
        best = max(best, ((min(here, Cut.WORDS), 2 * size > room, here), stop, size))
        size += pieces[stop].size
        if size > room:
            return best[1:]
    return len(pieces), size
