"""Which database a URL names: a SQLite file, by the very path that is written there, or one of PostgreSQL's."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

_FILE = "sqlite:///"


def known(url: str) -> str:
    """The URL without the name of a driver, which is not the admin's concern. Raises ValueError."""
    scheme, _, rest = url.partition("://")
    dialect = "postgresql" if scheme == "postgres" else scheme.split("+")[0]
    if (dialect == "sqlite" and re.fullmatch(r"/[^:?][^?]*", rest)) or (dialect == "postgresql" and _server(rest)):
        return f"{dialect}://{rest}"
    raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")


def file_of(url: str) -> Path | None:
    """The file of a SQLite database; None for PostgreSQL."""
    return Path(url.removeprefix(_FILE)) if url.startswith(_FILE) else None


def _server(rest: str) -> bool:
    try:
        return bool(rest) and urlsplit(f"//{rest}").port != 0
    except ValueError:
        raise ValueError(
            "has a host or a port that cannot be; in a user's name or a password write %23 for #, %2F for /, "
            "%3A for :, %3F for ?, %40 for @ and %25 for %"
        ) from None
