"""How the console looks: language, theme, words and templates."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request

from bot import texts

HERE: Final = Path(__file__).parent
TEXTS: Final = texts.read(HERE / "texts")
THEMES: Final = ("light", "dark")
_WIDGET: Final = HERE.parent.parent / "channels" / "widget"
_SHARED: Final = ("dom.js", "markdown.js")  # the same talk is shown on both sides
_KINDS: Final = (".js", ".css", ".svg")
_STEPS: Final = ((60, "minute", 3600), (3600, "hour", 86400), (86400, "day", float("inf")))


@cache
def files() -> dict[str, bytes]:
    """The console's static files by name."""
    own = {path.name: path.read_bytes() for path in (HERE / "static").iterdir() if path.suffix in _KINDS}
    return own | {name: (_WIDGET / name).read_bytes() for name in _SHARED}


@cache
def version() -> str:
    """Names the files in addresses, so that browsers may keep them for ever."""
    return hashlib.sha256(b"".join(files()[name] for name in sorted(files()))).hexdigest()[:12]


@cache
def _templates() -> Environment:
    house = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    house.globals.update(static=f"/console/static/{version()}", at="/console", now=time.time)
    house.filters.update(initials=initials)
    return house


@dataclass(frozen=True, slots=True)
class Look:
    """One reader's language and theme ("" = as the system has it)."""

    language: str
    theme: str = ""

    def say(self, key: str, **values: Any) -> str:
        """A sentence of the console."""
        return texts.put_in(TEXTS[self.language][key], values)

    def word(self, family: str, value: str) -> str:
        """The name of a value such as a state or a reason; as it stands where it has none."""
        return TEXTS[self.language].get(f"{family}.{value}", value.replace("_", " "))

    def span(self, seconds: float) -> str:
        """A length of time as it stands in a list: 5 min, 3 h, 2 d."""
        seconds = abs(seconds)
        unit, length = next(((name, size) for size, name, most in _STEPS if seconds < most), ("day", 86400))
        return self.say(f"span.{unit}", n=max(1, int(seconds // length)) if seconds >= 60 else "<1")

    def render(self, template: str, **values: Any) -> str:
        """The HTML of a template."""
        lent = {"t": self.say, "word": self.word, "span": self.span, "look": self, "js_words": self._for_scripts}
        return _templates().get_template(template).render(**{**lent, **values})

    def _for_scripts(self) -> Markup:
        """The sentences that scripts say, as JSON that is safe inside a page."""
        own = {key.removeprefix("js."): said for key, said in TEXTS[self.language].items() if key.startswith("js.")}
        spans = {key: said for key, said in TEXTS[self.language].items() if key.startswith("span.")}
        return safe_json(own | spans)


def safe_json(data: Any) -> Markup:
    """JSON that cannot end the element it stands in."""
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(written.replace("<", "\\u003c").replace("\u2028", "\\u2028"))  # noqa: S704 - nothing in it is markup


def look_of(request: Request) -> Look:
    """What the reader chose, else what his browser asks for."""
    chosen = [request.cookies.get("console-language", "")]
    asked = request.headers.get("accept-language", "").split(",")
    spoken = (wish.strip()[:2].lower() for wish in [*chosen, *asked])
    language = next((wish for wish in spoken if wish in TEXTS), "en")
    theme = request.cookies.get("console-theme", "")
    return Look(language, theme if theme in THEMES else "")


def initials(name: str) -> str:
    """One or two letters that stand for a name."""
    parts = name.split()
    if not parts:
        return "?"
    if parts[0][0] > "\u2e7f":
        return parts[0][-1]
    return (parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")).upper()


def chosen(cookies: Mapping[str, str]) -> dict[str, str]:
    """What of the look was chosen, for the menu that changes it."""
    return {name: cookies.get(f"console-{name}", "") for name in ("language", "theme")}
