"""WeCom's XML as a flat table; what could define entities is refused before anything is expanded."""

from __future__ import annotations

from typing import NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

_DEEPEST = 8  # elements inside each other; WeCom's own messages have four


class Unreadable(Exception):
    """What came is not the XML of a callback."""


def fields(xml: bytes) -> dict[str, str]:
    """The texts by the names around them, without the root: ``Content``, ``SendLocationInfo/Label``."""
    found: dict[str, str] = {}
    path: list[str] = []
    text: list[str] = []

    def start(name: str, _: object) -> None:
        path.append(name)
        text.clear()
        if len(path) > _DEEPEST:
            raise Unreadable("too deep")

    def end(_: str) -> None:
        found.setdefault("/".join(path[1:]), "".join(text))
        text.clear()
        path.pop()

    parser = ParserCreate("UTF-8")  # whatever encoding it claims to have
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text.append
    try:
        parser.Parse(xml, True)
    except (ExpatError, ValueError) as error:
        raise Unreadable("no XML") from error
    found.pop("", None)
    return found


def _refuse(*_: object) -> NoReturn:
    raise Unreadable("a DOCTYPE")
