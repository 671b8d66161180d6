"""A tree written as markdown again, such that it reads as the same tree."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain, groupby

from channels.tree import Node, Tag, parse

_SIGNS: dict[Tag, str] = {"bold": "**", "italic": "*", "strike": "~~"}
_MARKUP = re.compile(r"[\\`*\[\]]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|~(?=~)|(?<=~)~|<(?=[A-Za-z/!?])|&(?=#|\w+;)")
# What would begin a heading, a quote, a list, a table or an underlining, were it not for a backslash.
_LINE_START = re.compile(r"^(?=[-:|=][-:|=\s]*$|[-+]\s|\+$|#{1,6}(?:\s|$)|>)|^(\d{1,9})(?=[.)](?:\s|$))")
_LARGEST = 999_999_999  # number of a list item in CommonMark


def write(node: Node) -> str:
    """The markdown of a doc. Emphasis that CommonMark cannot express where it stands is left out."""
    return _blocks(node.inside)


def letters(nodes: Iterable[Node]) -> str:
    """All that is said: the texts and addresses without any space. Two texts with equal letters say the same."""
    return "".join(chain.from_iterable(_letters(node) for node in nodes))


def _letters(node: Node) -> Iterable[str]:
    yield from (node.text + node.url).split()
    for child in node.inside:
        yield from _letters(child)


def _blocks(nodes: Iterable[Node]) -> str:
    """One below the other. A list right after one of its kind gets another sign, else the two would be one."""
    written: list[str] = []
    before, other = Node("doc"), False
    for node in nodes:
        other = node.tag == before.tag == "list" and (node.first is None) == (before.first is None) and not other
        if text := _block(node, other):
            written.append(text)
            before = node
    return "\n\n".join(written)


def _block(node: Node, other: bool) -> str:
    match node.tag:
        case "list":
            return "\n".join(_item(item, node.first, place, other) for place, item in enumerate(node.inside))
        case "pre":
            fence = _longer(node.text, 3)
            return f"{fence}\n{node.text}\n{fence}"
        case "rule":
            return "***"
        case "table":
            head, *rows = (_row(row) for row in node.inside)
            return "\n".join((head, "|---" * len(node.inside[0].inside) + "|", *rows))
        case "para":
            return _line(node.inside)
        case _:
            return _line((node,))


def _item(item: Node, first: int | None, place: int, other: bool) -> str:
    mark = "-+"[other] if first is None else f"{min(first + place, _LARGEST)}{'.)'[other]}"
    inside = re.sub(r"\n(?=[^\n])", "\n" + " " * (len(mark) + 1), _blocks(item.inside))
    return f"{mark} {inside}".rstrip()


def _row(row: Node) -> str:
    cells = (_line(cell.inside).replace("\n", " ").replace("|", r"\|") for cell in row.inside)
    return f"| {' | '.join(cells)} |"


def _line(nodes: tuple[Node, ...]) -> str:
    """A paragraph. CommonMark's rules for where emphasis may stand are many: so it is read back, and judged by that."""
    written = _lines(_inline(nodes, _SIGNS))
    if all(node.tag in ("text", "break") for node in nodes) or letters(parse(written).inside) == letters(nodes):
        return written
    return _lines(_inline(nodes, {}))


def _lines(text: str) -> str:
    return "\n".join(_LINE_START.sub(r"\1\\", line) for part in text.split("\n") if (line := part.strip()))


def _inline(nodes: Iterable[Node], signs: dict[Tag, str]) -> str:
    written: list[str] = []
    for tag, group in groupby(nodes, lambda node: node.tag):
        if tag == "link":
            if written and written[-1].endswith("!"):  # else it would be a picture
                written[-1] = written[-1][:-1] + r"\!"
            written += (_link(node, signs) for node in group)
        elif tag == "break":
            written.append("\n")
        elif tag in ("text", "code"):
            text = "".join(node.text for node in group)
            written.append(_code(text) if tag == "code" else _escape(text))
        else:
            inside = _inline(chain.from_iterable(node.inside for node in group), signs)
            written.append(_around(inside, signs.get(tag, "")))
    return "".join(written)


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", re.sub(r"[\r\n]+", " ", text))


def _around(text: str, sign: str) -> str:
    """Emphasis begins and ends at a letter, so spaces stay outside."""
    core = text.strip()
    return text.replace(core, f"{sign}{core}{sign}", 1) if core else text


def _code(text: str) -> str:
    fence = _longer(text, 1)
    space = " " if text[:1] in ("`", " ") or text[-1:] in ("`", " ") else ""
    return f"{fence}{space}{text}{space}{fence}" if text.strip() else text


def _longer(text: str, least: int) -> str:
    """A fence of backticks that the text does not contain."""
    return "`" * max(least, *(len(run) + 1 for run in re.findall("`+", text)), 0)


def _link(node: Node, signs: dict[Tag, str]) -> str:
    if len(node.inside) == 1 and node.inside[0].text in (node.url, node.url.removeprefix("mailto:")):
        return f"<{node.inside[0].text}>"
    url = re.sub(r"&(?=#|\w+;)", r"\&", node.url)
    return f"[{_inline(node.inside, signs)}]({f'<{url}>' if re.search('[()]', url) else url})"
