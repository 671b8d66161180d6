"""A customer's widget, two consoles and a Slack desk side by side, with ``kill -9`` in the middle of every step.

``python docs/interop/people.py --standins FOLDER`` (as for ``desk.py``): handed over, claimed in the console and in
Slack at once, talked both ways with pictures, notes, passed on both ways, a promise, handed back, taken again, closed,
rated 2, and found in the supervisor's list. ``--width 390`` is a phone; ``--shots FOLDER`` keeps a picture of every
page of the console in both languages, both themes and both widths. It says what it saw, and exits with 1 if something
was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from desk import ALICE, BOB, AtDesk, Slack
from playwright.async_api import Browser, Error, Page, async_playwright
from standins import free_port
from walk import HOME, letters

from channels.render import plain
from tests.channels.test_widget import file, png
from tests.kit.browser import CHROMIUM, QUIET

PEOPLE = {"alice": ("agent", ALICE), "bob": ("agent", BOB), "grace": ("supervisor", ""), "root": ("admin", "")}
PICTURE = file("light.png", png(320, 200))
CAME = "SELECT count(*) FROM inbox WHERE kind NOT IN ('timer', 'command')"
DEED = "SELECT count(*) FROM inbox WHERE kind = 'command'"
WORD = "SELECT count(*) FROM desk_word"
SECRETS = ("in a hurry", "third time this month")
PAGES = (
    *("/login", "/", "/?tab=closed", "/?q=light", "TALK", "/tickets", "/tickets?view=board", "/tickets?whose=recovery"),
    *("TICKET", "/customers", "CUSTOMER", "/register", "/alarms", "/wall", "/dead", "/faq", "/people", "/audit"),
    *("/settings", "/welcome/gone", "/nothing"),
)


class Together(AtDesk):
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

    # ------------------------------------------------------------ the story

    async def talk(self) -> None:
        """From the handoff to the supervisor's list."""
        asked = self.says("I want to talk to a person")
        root = await self.step("handed over: the packet stands in Slack", asked, CAME, self.at_desk("C-"))
        self.thread = root["ts"]
        await self.alice.goto(f"http://127.0.0.1:{self.port}/console/?tab=queue")
        await self.alice.locator(".item").first.click()
        await self.seen("… and in the console's queue", self.on(self.alice, "talk to a person"))
        await self._claimed_twice(root)
        await self._both_ways()
        await self._notes()
        await self._passed_on()
        await self._promised()
        await self._back_and_closed()
        await self._rated()

    async def _claimed_twice(self, root: Any) -> None:
        before = self.rows(DEED)[0][0]

        async def both() -> None:
            await asyncio.gather(self.does("claim"), self.driver.press_at_desk(root, "Claim", BOB))

        owned = "SELECT agent.name FROM conversation JOIN agent ON agent.id = conversation.agent_id"

        async def settled() -> Any:
            return self.rows(owned)

        kept = DEED.replace("count(*)", f"count(*) >= {before + 2}")
        winner = (await self.step("claimed in the console and in Slack at once", both(), kept, settled))[0][0]
        shown = "You have it" if winner == "Alice" else "With Bob"
        await self.seen(f"… {winner} has it, and the console says so", self.on(self.alice, shown, ".state"))
        await self.seen("… as Slack does", self.at_desk(f"{winner} has it"))
        if winner == "Alice":
            await self.seen("… who was late in Slack is told", self.at_desk("Not done: Alice has it"))
        else:
            await self._to_alice("it is yours")

    async def _to_alice(self, words: str) -> None:
        on = self.driver.write(BOB, f"!transfer Alice {words}", self.thread)
        await self.step("passed on from Slack to the console", on, WORD, self.on(self.alice, "You have it", ".state"))
        await self.seen("… with words for her", self.on(self.alice, words, ".message.remark"))

    async def _both_ways(self) -> None:
        hello = self.answers("Hello, **which** light is it?")
        await self.step("the agent speaks in the console", hello, DEED, self.everywhere("Hello, which light is it?"))
        picture = self.says("look at this light", PICTURE)
        await self.step("the customer sends a picture", picture, CAME, self.everywhere("look at this light"))
        await self.seen("… which is seen in the console", self.on(self.alice, "", ".message.customer:has(img)"))
        await self.seen("… and in Slack", self.at_desk("light.png"))
        how = self.answers("press this one", PICTURE)
        await self.step("the agent sends one", how, DEED, self.everywhere("press this one"))
        await self.seen("… which the customer sees", self.on(self.customer, "", ".message.agent:has(img)"))
        sent = self.on(self.alice, "Sent", ".message.agent .delivery")
        await self.seen("… and is marked as sent", sent)

    async def _notes(self) -> None:
        note = self.answers(f"the {SECRETS[1]}", note=True)
        await self.step("a note in the console is seen in Slack", note, DEED, self.at_desk(SECRETS[1]))
        other = self.driver.write(BOB, f"！note she is {SECRETS[0]}", self.thread)
        seen = self.on(self.alice, SECRETS[0], ".message.remark")
        await self.step("a note in Slack is seen in the console", other, WORD, seen)

    async def _passed_on(self) -> None:
        on = self.sheet("transfer", to="Bob", text="lights are yours")
        await self.step("passed on from the console to Slack", on, DEED, self.at_desk("Bob has it"))
        await self.seen("… with words for him", self.at_desk("lights are yours"))
        how = self.driver.upload(BOB, "Bob here, like this", self.thread)
        await self.step("the agent in Slack sends a picture", how, WORD, self.everywhere("Bob here, like this"))
        promise = self.driver.write(BOB, "!promise tomorrow 10:00 a new lamp", self.thread)
        seen = self.on(self.alice, "a new lamp", "#side .card")
        await self.step("a promise from Slack stands beside the talk in the console", promise, WORD, seen)
        await self._to_alice("back to you")

    async def _promised(self) -> None:
        tomorrow = datetime.now().astimezone() + timedelta(days=1)
        promise = self.sheet("promise", text="technician on site", due_at=f"{tomorrow:%Y-%m-%dT10:00}")
        await self.step("a promise", promise, DEED, self.everywhere("technician on site"))
        await self.seen("… stands beside the talk", self.on(self.alice, "technician on site", "#side .card"))

    async def _back_and_closed(self) -> None:
        await self.step("handed back", self.does("back"), DEED, self.at_desk("The bot has the conv"))
        await self.seen("… and the customer is told", self.on(self.customer, "assistant"))
        asked = self.says("How do I reset my router?")
        await self.step("the bot answers again", asked, CAME, self.on(self.alice, "Reset", ".message.bot"))
        again = self.answers("It is me again")
        await self.step("taken again by speaking", again, DEED, self.everywhere("It is me again"))
        closed = self.sheet("close", text="Goodbye then")
        await self.step("closed", closed, DEED, self.everywhere("Goodbye then"))
        await self.seen("… is seen in Slack", self.at_desk("Closed"))
        await self.seen("… and asks how it was", self.on(self.customer, "How satisfied"))

    async def _rated(self) -> None:
        two = self.customer.locator(".message button, .choices button").filter(has_text="2").first.click()
        await self.step("rated 2", two, CAME, self.on(self.customer, "sorry"))
        at = f"http://127.0.0.1:{self.port}/console/tickets?whose=recovery"

        async def listed() -> bool:
            await self.grace.goto(at)
            return "Grace" in await self.grace.locator("#main").inner_text()

        await self.seen("the supervisor has it among those to win back", listed)
        await self.grace.locator("#main a[href*='/tickets/T-']").first.click()
        await self.seen("… with a time and an owner", self.on(self.grace, "Grace", "#main"))

    # ------------------------------------------------------------ the sum

    async def sum(self) -> int:
        """What is wrong in the end."""
        await asyncio.sleep(1)
        read = [letters(one) for one in await self.customer.locator(".message .text").all_inner_texts()]
        page = await self.customer.locator(".root").inner_text()
        faults = [f"the customer has read: {note}" for note in SECRETS if note in page]
        said = [letters(plain(text)) for (text,) in self.rows("SELECT text FROM message WHERE text <> ''")]
        faults += [
            f"said {said.count(one)} times, seen {read.count(one)} times: {one}"
            for one in {*said, *read}
            if said.count(one) != read.count(one)
        ]
        promises = self.rows("SELECT count(*) FROM promise")[0][0]
        faults += [f"{promises} promises"] if promises != 2 else []
        faults += [f"not done: {row}" for row in self.rows("SELECT * FROM desk_word WHERE outcome = ''")]
        faults += [f"complained of: {one}" for one in self.complaints]
        faults += ["aftercare verify is not content"] if await self.run("verify") else []
        self.lines.append(f"  {self.kills} kills, {self.width} px wide")
        self.lines += [f"  FAULT {fault}" for fault in faults] or ["  one winner, each word once, no note told"]
        return len(faults)


LINK = re.compile(r"agent add (\w+) .*/console/welcome/(\S+)")


ASTRAY = "document.documentElement.scrollWidth > innerWidth || scrollX + scrollY > 0"


async def shots(walk: Together, folder: Path) -> list[str]:
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


PLACES = (
    ("conversations", "SELECT number FROM conversation ORDER BY id LIMIT 1"),
    ("tickets", "SELECT number FROM ticket ORDER BY id DESC LIMIT 1"),
    ("customers", "SELECT customer_id FROM conversation ORDER BY id LIMIT 1"),
)


async def main() -> int:
    """Walk, count, and say what was seen; 1 if there was a fault."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--standins", type=Path, default=Path())
    ask.add_argument("--no-kill", action="store_true")
    ask.add_argument("--width", type=int, default=1400, help="of the browsers, in pixels")
    ask.add_argument("--shots", type=Path, help="a folder for pictures of every page")
    ask.add_argument("--keep", type=Path, help="a folder for the database and the logs")
    asked = ask.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="interop-"))
    folder.mkdir(parents=True, exist_ok=True)
    Slack.home, Slack.ours = asked.standins.resolve(), free_port()
    async with Slack(folder) as driver, async_playwright() as play:
        walk = Together(driver, folder, Slack.ours, kill=not asked.no_kill)
        walk.width = asked.width
        walk.browser = await play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        walk.configure()
        await walk.enlist()
        await walk.start()
        try:
            await walk.open()
            await walk.talk()
            faults = await walk.sum()
            if asked.shots:
                wrong = await shots(walk, asked.shots)
                walk.lines += [f"  FAULT {one}" for one in wrong]
                faults += len(wrong)
        finally:
            sys.stdout.write("\n".join(["people:", *walk.lines, ""]))
            await walk.browser.close()
            await walk.end()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
