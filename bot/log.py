"""Structured log lines: JSON for machines, columns for a terminal, never a customer's words, never a secret."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final

# structlog draws tracebacks with rich if it can have it; ours are short lines of text, and rich takes 5 MB and 0.1 s.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
import structlog  # noqa: E402

if sys.modules["rich"] is None:
    del sys.modules["rich"]

_PRIVATE: Final = frozenset(
    "answer authorization body comment contact cookie customer email headers message name password phone question raw "
    "reply secret secret_key text token url".split()
)
_SECRET = re.compile(r"(?<!\d)\d{6,}:[\w-]{30,}|\bxox[a-z]-[\w-]+|\bxapp-[\w-]+|(?<=token=)[^&\s]+|(?<=secret=)[^&\s]+")
_QUIET: Final = "aiohttp alembic asyncio httpx slack_bolt slack_sdk telegram uvicorn".split()
_FRAMES: Final = 12  # of a traceback, the innermost
Line = MutableMapping[str, Any]


def set_up(*, level: str = "INFO", json: bool | None = None) -> None:
    """Send every log line of the process to stderr; ``json`` None means: unless that is a terminal."""
    columns = sys.stderr.isatty() if json is None else not json
    last: Any = structlog.dev.ConsoleRenderer() if columns else structlog.processors.JSONRenderer(ensure_ascii=False)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        where_it_broke,
        redact,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(handlers=[to_stderr], level=level, force=True)
    for name in _QUIET:  # they tell of every request, some with the token in its address
        logging.getLogger(name).setLevel(logging.WARNING)


def redact(_logger: Any, _method: str, line: Line) -> Line:
    """Leave out what is private by its name, and what looks like a secret by its form."""
    for key, value in line.items():
        if key in _PRIVATE and not isinstance(value, int):
            line[key] = "…"
        elif isinstance(value, str):
            line[key] = _SECRET.sub("…", value)
    return line


def where_it_broke(_logger: Any, _method: str, line: Line) -> Line:
    """An exception as its class and its way through the code: its own words may quote a customer."""
    told = line.pop("exc_info", None)
    error = sys.exception() if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        line["error"] = type(error).__name__ + (f": {error.strerror}" if isinstance(error, OSError) else "")
        line["way"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return line
