"""Log lines: what they tell, and what they never tell."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot import log

TELEGRAM = "123456789:AAF-abcdefghijklmnopqrstuvwxyz012345"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_what_happened_and_when(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up(json=True)
    structlog.get_logger().info("started", port=8080)
    logging.getLogger("some.library").warning("slow: %s", "网络")
    ours, theirs = lines(capsys)
    assert (ours["event"], ours["port"], ours["level"]) == ("started", 8080, "info")
    assert ours["timestamp"].endswith("Z")
    assert theirs["event"] == "slow: 网络"


def test_no_words_of_a_customer_and_no_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up(json=True)
    structlog.get_logger().info(
        "refused", text="my wife left", token="t", name="Li", reply=7, url=f"https://x/{TELEGRAM}"
    )
    structlog.get_logger().info(
        "failed", reason=f"GET /bot{TELEGRAM}/getMe?access_token=abc&x=1 xoxb-12-ab corpsecret=s3"
    )
    first, second = lines(capsys)
    assert (first["text"], first["token"], first["name"], first["url"], first["reply"]) == ("…", "…", "…", "…", 7)
    assert second["reason"] == "GET /bot…/getMe?access_token=…&x=1 … corpsecret=…"


@pytest.mark.parametrize("logger", [structlog.get_logger(), logging.getLogger("library")])
def test_an_error_is_its_class_and_its_way_not_its_words(capsys: pytest.CaptureFixture[str], logger: Any) -> None:
    log.set_up(json=True)
    try:
        raise ValueError("my wife left")
    except ValueError:
        logger.exception("poison")
    said = capsys.readouterr().err
    assert "my wife" not in said
    line = json.loads(said)
    assert line["error"] == "ValueError"
    assert "test_log.py" in line["way"][-1]


def test_an_error_of_the_system_tells_why(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up(json=True)
    structlog.get_logger().error("disk", exc_info=OSError(28, "No space left on device"))
    assert lines(capsys)[0]["error"] == "OSError: No space left on device"


def test_talkative_libraries_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up(json=True)
    logging.getLogger("httpx").info("HTTP Request: POST https://api.telegram.org/bot%s", TELEGRAM)
    assert lines(capsys) == []


def test_columns_for_the_eye(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up(json=False)
    structlog.get_logger().info("started", port=8080)
    assert "started" in capsys.readouterr().err
