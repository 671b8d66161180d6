"""The door to the web chat's front end: the widget's files as they are, and a page of the company that shows it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

_HERE = Path(__file__).parent
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_BRIEFLY = {"Cache-Control": "public, max-age=300"}
_ANYWHERE = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}  # modules are fetched with CORS


@dataclass(frozen=True, slots=True)
class Company:
    """The company whose page it is; words by language."""

    name: Mapping[str, str] = field(default_factory=dict)
    phone: str = ""
    hours: Mapping[str, str] = field(default_factory=dict)
    products: Sequence[str] = ()


def front(company: Company, origins: Sequence[str]) -> list[BaseRoute]:
    """The routes of the widget's files and of the demo page, which the origins may frame."""
    files = {path.name: path.read_bytes() for path in _HERE.iterdir() if path.suffix in _TYPES}
    version = hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest()[:12]
    loader = files["widget.js"].replace(b"{{version}}", version.encode())

    async def script(_: Request) -> Response:
        return Response(loader, media_type=_TYPES[".js"], headers={**_ANYWHERE, **_BRIEFLY})

    async def file(request: Request) -> Response:
        name, wanted = request.path_params["name"], request.path_params["version"]
        if name not in files:
            return Response(status_code=404)
        kept = _FOREVER if wanted == version else _BRIEFLY  # another version's address: right after an upgrade
        return Response(files[name], media_type=_TYPES[Path(name).suffix], headers={**_ANYWHERE, **kept})

    @lru_cache
    def rendered(language: str) -> bytes:
        return _page(company, version, language).encode()

    async def page(request: Request) -> Response:
        language = _language(request)
        headers = {"Content-Language": language, "Vary": "Accept-Language", **_strict(origins)}
        return Response(rendered(language), media_type="text/html", headers=headers)

    return [Route("/", page), Route("/widget.js", script), Route("/widget/{version}/{name}", file)]


def _language(request: Request) -> str:
    """What the address asks for, else the first of the reader's languages that we speak."""
    wishes = [request.query_params.get("lang", ""), *request.headers.get("accept-language", "").split(",")]
    spoken = (wish.strip()[:2].lower() for wish in wishes)
    return next((language for language in spoken if language in ("en", "zh")), "en")


def _page(company: Company, version: str, language: str) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only where the page is looked at

    def say(**words: str) -> str:
        return words[language]

    page = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return page.get_template("page.html").render(
        say=say,
        language=language,
        assets=f"widget/{version}",
        name=company.name.get(language) or next(iter(company.name.values()), "Aftercare"),
        hours=company.hours.get(language, ""),
        phone=company.phone,
        products=company.products,
    )


def _strict(origins: Sequence[str]) -> dict[str, str]:
    """Nothing but our own files, nothing inline, no sink that parses text."""
    framers = " ".join(["'self'", *origins])
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        f"form-action 'none'; require-trusted-types-for 'script'; frame-ancestors {framers}"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cache-Control": "no-cache",
    }
