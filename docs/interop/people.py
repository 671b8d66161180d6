"""A customer's widget, two consoles and a Slack desk side by side, with ``kill -9`` in the middle of every step.

``python docs/interop/people.py --standins FOLDER`` (as for ``desk.py``): handed over, claimed in the console and in
Slack at once, talked both ways with pictures, notes, passed on both ways, a promise, handed back, taken again, closed,
rated 2, and found in the supervisor's list. ``--width 390`` is a phone; ``--shots FOLDER`` keeps a picture of every
page of the console in both languages, both themes and both widths. It says what it saw, and exits with 1 if something
was wrong.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from desk import BOB, Slack, asking, kept_in
from pages import Browsers, shots
from playwright.async_api import async_playwright
from standins import free_port
from walk import letters

from channels.dialects import plain
from tests.channels.test_widget import file, png
from tests.kit.browser import CHROMIUM, QUIET

PICTURE = file("light.png", png(320, 200))
CAME = "SELECT count(*) FROM inbox WHERE kind NOT IN ('timer', 'command')"
DEED = "SELECT count(*) FROM inbox WHERE kind = 'command'"
WORD = "SELECT count(*) FROM desk_word"
SECRETS = ("in a hurry", "third time this month")


class Together(Browsers):
    """From the handoff to the supervisor's list."""

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


async def main() -> int:
    """Walk, count, and say what was seen; 1 if there was a fault."""
    ask = asking(__doc__)
    ask.add_argument("--width", type=int, default=1400, help="of the browsers, in pixels")
    ask.add_argument("--shots", type=Path, help="a folder for pictures of every page")
    asked = ask.parse_args()
    folder = kept_in(asked.keep)
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
