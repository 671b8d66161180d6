"""A reply made to fit what a platform can do: buttons become numbered lines, a long text becomes several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from bot.messages import Choice, Reply
from channels import Can
from channels.markdown import write
from channels.pieces import Cut, Piece, cut, divide, finer, graphemes, join, length
from channels.tree import Node, parse

Measure = Callable[[str], int]  # how long a markdown text is on the platform


def parts(reply: Reply, can: Can, measure: Measure | None = None) -> tuple[Reply, ...]:
    """The reply as messages that the platform takes, at least one: words, choices below the last of them, files.

    ``measure`` tells how long a markdown text is on the platform; otherwise its source is measured.
    """
    measure = measure or measured(str, can.text_unit)
    text, choices = _degraded(reply, can, measure)
    return _dealt(_texts(text, can, measure, buttons=bool(choices)), choices, reply, can, measure)


def shorten(reply: Reply, can: Can, most: int, more: str, measure: Measure | None = None) -> tuple[Reply, ...]:
    """Like ``parts``, but at most ``most`` messages; if that is too few, the last text ends with "…" and ``more``."""
    whole = parts(reply, can, measure)
    if len(whole) <= most:
        return whole
    measure = measure or measured(str, can.text_unit)
    below = can.buttons and len(reply.choices) <= can.most_buttons and not can.beside_buttons
    hint, numbered = parse(f"… {more}").inside, _numbered(() if below else reply.choices)
    ends = ((*hint, *numbered), hint, ())
    end = next(end for end in ends if measure(write(Node("doc", end))) <= can.max_text // 2)
    room = max(1, most - len(reply.attachments) - reply.hand_over)
    texts = tuple(_pack(list(divide(parse(reply.text), can.text_unit)), can, measure, room, end))
    return _dealt(texts, reply.choices if below else (), reply, can, measure)


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


def _dealt(
    texts: tuple[str, ...], choices: tuple[Choice, ...], reply: Reply, can: Can, measure: Measure
) -> tuple[Reply, ...]:
    """One message each. A file is one of its own, unless it is the only one and the words fit beside it."""
    last = (Reply("", hand_over=True),) if reply.hand_over else ()
    files = [Reply("", (), (file,)) for file in reply.attachments]
    if len(files) == len(texts) == 1 and can.beside_file and measure(texts[0]) <= can.beside_file:
        return (Reply(texts[0], choices, reply.attachments), *last)
    words = [Reply(text) for text in texts if text.strip() or choices or not files]
    words[-1:] = [replace(one, choices=choices) for one in words[-1:]]
    return (*words, *files, *last)


def _texts(text: str, can: Can, measure: Measure, *, buttons: bool) -> tuple[str, ...]:
    """The text in messages; where few words may stand beside buttons the last one is short, or empty."""
    whole = _split(text, can, measure)
    if not buttons or not can.beside_buttons or measure(whole[-1]) <= can.beside_buttons:
        return whole
    *before, last = parse(text).inside
    tail = write(Node("doc", (last,)))
    if before and measure(tail) <= can.beside_buttons:
        return (*_split(write(Node("doc", tuple(before))), can, measure), tail)
    return (*whole, "")


def _degraded(reply: Reply, can: Can, measure: Measure) -> tuple[str, tuple[Choice, ...]]:
    below = can.buttons and len(reply.choices) <= can.most_buttons
    if can.replies and can.beside_buttons and below:  # each message counts: numbers are better than two of them
        below = measure(reply.text) <= can.beside_buttons
    if not reply.choices or below:
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
