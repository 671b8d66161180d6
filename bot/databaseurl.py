"""Which database a URL names: a SQLite file, by the very path that is written there, or one of PostgreSQL's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_FILE = "sqlite:///"
_UNSAID: Final = (  # what PostgreSQL's own programs are told of the way there, and our driver need not be
    *("channel_binding", "connect_timeout", "fallback_application_name", "gssdelegation", "gssencmode"),
    *("keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "load_balance_hosts"),
    *("sslcertmode", "sslcompression", "sslsni", "tcp_user_timeout"),
)
_DEMANDS: Final = {"channel_binding=require", "gssencmode=require", "sslcertmode=require"}  # … but this it cannot keep
_BEYOND: Final = {"hostaddr", "require_auth", "requirepeer", "requiressl"}


def known(url: str) -> str:
    """The URL without the name of a driver, which is not the admin's concern. Raises ValueError."""
    scheme, _, rest = url.partition("://")
    dialect = "postgresql" if scheme == "postgres" else scheme.split("+")[0]
    if dialect == "postgresql":
        _possible(rest)
    if (dialect == "sqlite" and re.fullmatch(r"/[^:?][^?]*", rest)) or (dialect == "postgresql" and _server(rest)):
        return f"{dialect}://{rest}"
    raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")


def file_of(url: str) -> Path | None:
    """The file of a SQLite database; None for PostgreSQL."""
    return Path(url.removeprefix(_FILE)) if url.startswith(_FILE) else None


def for_driver(url: str) -> str:
    """The URL of a server without what the driver need not be told, and would take for a setting of the server's."""
    place, _, query = known(url).partition("?")
    kept = [one for one in query.split("&") if one and one.partition("=")[0] not in _UNSAID]
    return f"{place}?{'&'.join(kept)}"


def _possible(rest: str) -> None:
    """Raises ValueError for what is asked of the way to the server and cannot be had."""
    for name, value in parse_qsl(rest.partition("?")[2]):
        if name in _BEYOND or f"{name}={value}" in _DEMANDS:
            instead = "leave it out; sslmode=verify-full is safe, too"
            raise ValueError(f"asks for {name}={value}, which cannot be had: {instead}")
        if name == "port" and not re.fullmatch(r"[0-9,]+", value):
            raise ValueError(f"has a port that cannot be: {value}")


def _server(rest: str) -> bool:
    try:
        return bool(rest) and urlsplit(f"//{rest}").port != 0
    except ValueError:
        raise ValueError(
            "has a host or a port that cannot be; in a user's name or a password write %23 for #, %2F for /, "
            "%3A for :, %3F for ?, %40 for @ and %25 for %"
        ) from None
