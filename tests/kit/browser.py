"""A real Chromium whose pages may not complain: of what is blocked, broken, or fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PHONE: Any = {"width": 390, "height": 844}
WIDE: Any = {"width": 1400, "height": 900}
PATIENT = 20_000  # milliseconds: a busy machine is slow, not wrong

expect.set_options(timeout=PATIENT)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "tests in a browser need Debian's chromium package; `make test` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


class Pages:
    """Pages that are watched."""

    def __init__(self, browser: Browser) -> None:
        self._browser, self._contexts = browser, list[BrowserContext]()
        self.complaints: list[str] = []

    def open(self, url: str, size: Any = WIDE, **options: Any) -> Page:
        """A page of its own, with nothing of the others' kept."""
        context = self._browser.new_context(viewport=size, **options)
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENT)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._fetched)
        page.goto(url)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _fetched(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1", "blob:", "data:")):
            self.complaints.append(request.url)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@contextmanager
def pages(browser: Browser) -> Iterator[Pages]:
    """At the end nothing may have been complained of."""
    watched = Pages(browser)
    yield watched
    watched.close()
    assert not watched.complaints
