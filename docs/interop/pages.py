"""Browsers on the server that is walked through: what a customer and agents do in them, what they see, and pictures."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from desk import ALICE, BOB, AtDesk
from playwright.async_api import Browser, Error, Page
from walk import HOME

PEOPLE = {"alice": ("agent", ALICE), "bob": ("agent", BOB), "grace": ("supervisor", ""), "root": ("admin", "")}
LINK = re.compile(r"agent add (\w+) .*/console/welcome/(\S+)")
PAGES = (
    *("/login", "/", "/?tab=closed", "/?q=light", "TALK", "/tickets", "/tickets?view=board", "/tickets?whose=recovery"),
    *("TICKET", "/customers", "CUSTOMER", "/register", "/alarms", "/wall", "/dead", "/faq", "/people", "/audit"),
    *("/settings", "/welcome/gone", "/nothing"),
)
ASTRAY = "document.documentElement.scrollWidth > innerWidth || scrollX + scrollY > 0"
PLACES = (
    ("conversations", "SELECT number FROM conversation ORDER BY id LIMIT 1"),
    ("tickets", "SELECT number FROM ticket ORDER BY id DESC LIMIT 1"),
    ("customers", "SELECT customer_id FROM conversation ORDER BY id LIMIT 1"),
)


class Browsers(AtDesk):
    """The same server, killed as often, with browsers on it."""

    browser: Browser
    width = 1400

    def configure(self) -> None:
        """The demo company's answers."""
        super().configure()
        path = self.folder / "config.yaml"
        config = json.loads(path.read_text())
        config["knowledge"] = {"faq": str(HOME / "knowledge" / "faq")}
        path.write_text(json.dumps(config))

    async def enlist(self) -> None:
        """Everybody's account, and who they are in Slack."""
        for login, (role, sender) in PEOPLE.items():
            await self.run("agent", "add", login, "--name", login.title(), "--role", role)
            if sender:
                await self.run("agent", "link", login, "--channel", "slack", "--sender", sender)
        self.links = {login: place for line in self.lines for login, place in LINK.findall(line)}
        self.lines = []

    async def page(self, path: str, **options: Any) -> Page:
        """A browser of its own, whose complaints are kept."""
        phone = {"is_mobile": True, "has_touch": True} if self.width < 500 else {}
        size: Any = {"width": self.width, "height": 844 if phone else 860}
        context = await self.browser.new_context(viewport=size, **phone, **options)
        page = await context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._heard(said.type, said.text))
        await page.goto(f"http://127.0.0.1:{self.port}{path}")
        return page

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "net::ERR" not in text and "Failed to load resource" not in text:
            self.complaints.append(text)

    async def sign_in(self, login: str) -> Page:
        """With the one-use link: a password is chosen."""
        page = await self.page(f"/console/welcome/{self.links[login]}")
        for field in ("password", "again"):
            await page.locator(f"input[name={field}]").fill("a long enough one")
        await page.locator("form button").click()
        await page.locator("#list").wait_for()
        return page

    async def open(self) -> None:
        """Everybody sits down."""
        self.complaints: list[str] = []
        self.customer = await self.page("/?lang=en")
        await self.customer.wait_for_timeout(1000)
        if await self.customer.locator(".launcher").is_visible():  # on a phone it is not opened by itself
            await self.customer.locator(".launcher").click()
        self.alice, self.grace, self.root = [await self.sign_in(one) for one in ("alice", "grace", "root")]
        for user in (ALICE, BOB):
            await self.driver.write(user, "!online 8h")
        online = "SELECT count(*) FROM agent WHERE presence = 'online' AND seen_at > unixepoch() + 3600"
        await self._until(lambda: self.rows(online) == [(2,)], "Slack's people are not online")

    # ------------------------------------------------------------ what people do

    async def says(self, text: str, *files: Any) -> None:
        """The customer writes."""
        if files:
            await self.customer.locator("input[type=file]").first.set_input_files(list(files))
            await self.customer.locator(".staged li").first.wait_for()
        box = self.customer.get_by_role("textbox")
        await box.fill(text)
        await box.press("Enter")

    async def answers(self, text: str, *files: Any, note: bool = False) -> None:
        """An agent writes in the console; what stays in the field is sent again, as one would."""
        page = self.alice
        if note:
            await page.locator('.tab[data-as="remark"]').click()
        if files:
            await page.locator("#file").set_input_files(list(files))
            await page.locator("#files li button").first.wait_for()
        await page.locator("#text").fill(text)
        await page.locator("#send").click()
        await self.again(page, lambda: page.locator("#text").input_value(), page.locator("#send"))

    async def sheet(self, name: str, **values: str) -> None:
        """An agent fills in one of the console's sheets."""
        page = self.alice
        if not await page.locator(f'.acts [data-open="{name}-sheet"]').is_visible():
            await page.locator('[popovertarget="more-acts"]').click()
        await page.locator(f'[data-open="{name}-sheet"]:visible').first.click()
        for field, value in values.items():
            spot = page.locator(f"#{name}-sheet [name={field}]")
            tag = await spot.evaluate("one => one.localName")
            choice = spot.locator("option").filter(has_text=value).first
            await (spot.select_option(await choice.get_attribute("value")) if tag == "select" else spot.fill(value))
        go = page.locator(f"#{name}-sheet .primary")
        await go.click()
        await self.again(page, page.locator(f"#{name}-sheet").is_visible, go)

    async def again(self, page: Page, still: Any, button: Any) -> None:
        """Press once more whenever the connection was lost under it."""
        for _ in range(90):
            await page.wait_for_timeout(500)
            if not await still():
                return
            if await button.is_enabled() and await page.locator(".toast.bad").count() == 0:
                with suppress(Error):  # it was done at this very moment, and is no longer to be seen
                    await button.click(timeout=1000)
        raise SystemExit(f"it was never taken: {await page.locator('.toast').all_inner_texts()}")

    async def does(self, name: str) -> None:
        """An agent presses one of the console's buttons, where it is to be found."""
        page = self.alice
        if not await page.locator(f'.acts [data-command="{name}"]').is_visible():
            await page.locator('[popovertarget="more-acts"]').click()
        await page.locator(f'[data-command="{name}"]:visible').first.click()

    # ------------------------------------------------------------ what people see

    def on(self, page: Page, words: str, where: str = ".message") -> Any:
        """Looks whether this stands on a page."""

        async def look() -> bool:
            return await page.locator(where).filter(has_text=words).count() > 0

        return look

    def everywhere(self, words: str) -> Any:
        """Looks whether the customer, the console and, if it is not from there, the desk in Slack have it."""
        looks = [self.on(self.customer, words), self.on(self.alice, words)]
        looks += [self.at_desk(words)] * (not words.startswith("Bob"))

        async def look() -> bool:
            return all([await one() for one in looks])

        return look

    async def seen(self, what: str, look: Any) -> None:
        """Nothing happens but that it is seen."""
        await self.step(what, asyncio.sleep(0), "SELECT random()", look)


async def shots(walk: Browsers, folder: Path) -> list[str]:
    """A picture of every page, in both languages, themes and widths; what is wider than its screen."""
    kept, wrong = await walk.root.context.storage_state(), []
    found = [f"/{kind}/{walk.rows(query)[0][0]}" for kind, query in PLACES]
    at = dict(zip(("TALK", "TICKET", "CUSTOMER"), found, strict=True))
    for walk.width in (1400, 390):
        for language, theme in (("en", "light"), ("zh", "dark"), ("en", "dark"), ("zh", "light")):
            locale = {"en": "en-GB", "zh": "zh-CN"}[language]
            page = await walk.page("/console/login", locale=locale, color_scheme=theme)
            for number, path in enumerate(PAGES):
                if path == "/":
                    await page.context.add_cookies(kept["cookies"])  # type: ignore[arg-type]
                await page.goto(f"http://127.0.0.1:{walk.port}/console{at.get(path, path)}")
                await page.wait_for_timeout(400)
                name = f"{number:02}-{walk.width}-{language}-{theme}"
                await page.screenshot(path=folder / f"{name}.png")
                if await page.evaluate(ASTRAY):
                    wrong.append(f"wider than the screen, or not at its top: {path} at {walk.width}")
            await page.context.close()
    return wrong
