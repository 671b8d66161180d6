"""Agents at their desk in Slack, against a stand-in that others wrote, with ``kill -9`` in the middle of every step.

``python docs/interop/desk.py --standins FOLDER`` (as for ``walk.py``): a customer in the web chat is handed over, two
agents claim, they talk both ways with files, note, promise, pass on, hand back, take again and close.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

HOME = Path(__file__).parents[2]
sys.path[:0] = [str(HOME), str(Path(__file__).parent)]  # it is run as a file

import aiohttp  # noqa: E402
import standins  # noqa: E402
from walk import PNG, Walk, letters  # noqa: E402

DESK, BOB, ALICE = "C02DESK", "U02BOB", "U01ALICE"


class Slack(standins.SlackHttp):
    """local-slack with a channel for agents."""

    def command(self) -> list[str]:
        command = super().command()
        config = Path(command[2])
        space = json.loads(config.read_text())
        space["channels"].append({"id": DESK, "name": "desk", "members": [ALICE, BOB, "U0BOT"]})
        config.write_text(json.dumps(space))
        return command

    def settings(self) -> dict[str, Any]:
        own = super().settings()["slack"]
        return {"web": {"type": "web"}, "slack": {**own, "desk": DESK}}

    async def posts(self) -> list[dict[str, Any]]:
        """What stands in the agents' channel."""
        async with self._http.get(f"{self.url}/_control/messages/{DESK}") as answer:
            return list((await answer.json())["messages"])

    async def write(self, user: str, text: str, thread: str = "") -> None:
        """An agent writes."""
        where = {"thread_ts": thread, "threadTs": thread} if thread else {}
        await self.post("_control/message", channel=DESK, user=user, text=text, **where)

    async def upload(self, user: str, text: str, thread: str) -> None:
        """An agent sends a picture."""
        form = aiohttp.FormData({"channel": DESK, "user": user, "text": text, "thread_ts": thread})
        form.add_field("file", PNG, filename="how.png", content_type="image/png")
        async with self._http.post(f"{self.url}/_control/upload", data=form) as answer:
            if answer.status != 200:
                raise SystemExit(f"the stand-in does not take the file: {await answer.text()}")

    async def press_at_desk(self, post: dict[str, Any], label: str, user: str) -> None:
        """An agent presses a button."""
        rows = [block for block in post["blocks"] if block["type"] == "actions"]
        row, button = next((r, b) for r in rows for b in r["elements"] if b["text"]["text"] == label)
        action = {"type": "button", "block_id": row["block_id"], **{k: button[k] for k in ("action_id", "value")}}
        await self.post("_control/interact", channel=DESK, messageTs=post["ts"], user=user, action=action)


class AtDesk(Walk):
    """The same server, killed as often, with people."""

    def configure(self) -> None:
        """Agents pick what waits, so that two can want the same."""
        super().configure()
        path = self.folder / "config.yaml"
        config = json.loads(path.read_text())
        path.write_text(json.dumps({**config, "handoff": {"mode": "manual", "silent_after": "1h"}}))

    async def open(self) -> None:
        """The customer's web chat."""
        self.http = aiohttp.ClientSession()
        async with self.http.post(f"http://127.0.0.1:{self.port}/chat/session", json={"name": "Ann"}) as answer:
            self.token = (await answer.json())["token"]

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        """One request of the customer's browser, until it is answered."""
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        while True:
            try:
                url = f"http://127.0.0.1:{self.port}{path}"
                async with self.http.request(method, url, headers=headers, **more) as answer:
                    return await answer.json()
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)

    async def step(self, what: str, doing: Any, kept: str, seen: Any) -> Any:
        """Something happens; once it is kept the server is killed; what comes of it comes from the next one."""
        before = self.rows(kept)
        telling = asyncio.create_task(doing)
        await self._until(lambda: self.rows(kept) != before, f"it was never kept: {what}")
        if self.killing:
            await self.kill()
            await self.start()
        done, _ = await asyncio.wait({telling}, timeout=10)
        _ = [one.result() for one in done]  # what went wrong here is told
        end = time.monotonic() + 90
        while not (found := await seen()):
            if time.monotonic() > end:
                shown = [self.words(p) for p in await self.driver.posts()]
                raise SystemExit(f"{what}: it never came: {shown} {self.rows(SAID)}; log: {self.folder}/server.log")
            await asyncio.sleep(0.1)
        self.lines.append(f"  ok  {what}")
        return found

    @staticmethod
    def words(post: dict[str, Any]) -> str:
        """All that stands in a post."""
        blocks = [b["text"]["text"] for b in post.get("blocks") or () if b["type"] == "section"]
        return "\n".join([post.get("text", ""), *blocks, *(f["name"] for f in post.get("files") or ())])

    def at_desk(self, said: str) -> Any:
        """Looks whether the bot has posted this."""

        async def look() -> Any:
            ours = [p for p in await self.driver.posts() if p.get("bot_id") or p.get("user") == "U0BOT"]
            return next((p for p in ours if letters(said) in letters(self.words(p))), None)

        return look

    def by_customer(self, said: str) -> Any:
        """Looks whether the customer has it."""

        async def look() -> Any:
            return [text for (text,) in self.rows(SAID) if letters(said) in letters(text)]

        return look

    async def talk(self) -> None:
        """From the handoff to the end."""
        slack, word = self.driver, "SELECT count(*) FROM desk_word"
        for user in (BOB, ALICE):
            await slack.write(user, "!online 2h")
        await self._until(lambda: len(self.rows("SELECT 1 FROM agent WHERE presence = 'online'")) == 2, "not online")
        came = "SELECT count(*) FROM inbox WHERE kind NOT IN ('timer', 'command')"
        human = self.ask("POST", "/chat/messages", json={"id": str(uuid4()), "text": "I want to talk to a person"})
        root = await self.step("handed over: the packet stands at the desk", human, came, self.at_desk("C-"))
        thread = root["ts"]
        await self.step("claimed", slack.press_at_desk(root, "Claim", BOB), word, self.at_desk("Bob has it"))
        late = slack.press_at_desk(root, "Claim", ALICE)
        await self.step("claimed too late: told who has it", late, word, self.at_desk("Not done: Bob has it"))
        hello = slack.write(BOB, "Hello Ann, what is it?", thread)
        await self.step("the agent speaks", hello, word, self.by_customer("Hello Ann, what is it?"))
        kept = await self.ask("POST", "/chat/files", data=PNG, headers={"X-File-Name": "light.png"})
        told = {"id": str(uuid4()), "text": "look at the light", "attachment": kept["attachment"]}
        picture = self.ask("POST", "/chat/messages", json=told)
        await self.step("the customer sends a picture", picture, came, self.at_desk("look at the light"))
        await self.step("… which stands there", asyncio.sleep(0), "SELECT random()", self.at_desk("light.png"))
        how = slack.upload(BOB, "press this one", thread)
        await self.step("the agent sends one", how, word, self.by_customer("press this one"))
        note = slack.write(BOB, "！note she is in a hurry", thread)
        await self.step("a note", note, word, self.at_desk("she is in a hurry"))
        wrong = slack.write(BOB, "!nto she is in a hurry", thread)
        await self.step("a mistyped one", wrong, word, self.at_desk("there is no such command"))
        promise = slack.write(BOB, "!promise tomorrow 10:00 technician on site", thread)
        await self.step("a promise", promise, word, self.by_customer("technician on site"))
        on = slack.write(BOB, "!transfer Alice please go on", thread)
        await self.step("passed on", on, word, self.at_desk("Alice has it"))
        await self.step("handed back", slack.write(ALICE, "!back", thread), word, self.at_desk("The bot has the conv"))
        again = slack.write(ALICE, "It is me again", thread)
        await self.step("taken again by speaking", again, word, self.by_customer("It is me again"))
        await self.step("closed", slack.write(ALICE, "!close done", thread), word, self.at_desk("Closed"))

    async def sum(self) -> int:
        """What is wrong in the end."""
        await asyncio.sleep(2)
        posts = [letters(self.words(p)) for p in await self.driver.posts()]
        own = [p for p in await self.driver.posts() if not (p.get("bot_id") or p.get("user") == "U0BOT")]
        said = [text for (text,) in self.rows(SAID)]
        faults = [f"the customer has read: {text}" for text in said if "hurry" in text or text.startswith("!")]
        for (text,) in self.rows("SELECT text FROM message WHERE author = 'agent'"):
            faults += [f"said {said.count(text)} times: {text}"] if said.count(text) != 1 else []
        for text in ("look at the light", "she is in a hurry", "Bob has it", "Alice has it"):
            times = sum(letters(text) in post for post in posts) - sum(letters(text) in letters(p["text"]) for p in own)
            self.lines.append(f"  {text!r} stands at the desk {times} times")
            faults += [f"at the desk {times} times: {text}"] if not 1 <= times <= 3 else []
        faults += [f"not done: {row}" for row in self.rows("SELECT * FROM desk_word WHERE outcome = ''")]
        faults += ["the desk was read as customers"] if self.rows("SELECT 1 FROM chat WHERE channel = 'slack'") else []
        faults += ["aftercare verify is not content"] if await self.run("verify") else []
        self.lines.append(f"  {self.kills} kills")
        self.lines += [f"  FAULT {fault}" for fault in faults] or ["  nothing lost, no note told"]
        return len(faults)


SAID = "SELECT text FROM message WHERE author <> 'customer'"


def asking(about: str | None) -> argparse.ArgumentParser:
    """What a walk at the desk may be asked for."""
    ask = argparse.ArgumentParser(description=about)
    ask.add_argument("--standins", type=Path, default=Path())
    ask.add_argument("--no-kill", action="store_true")
    ask.add_argument("--keep", type=Path, help="a folder for the database and the logs")
    return ask


def kept_in(folder: Path | None) -> Path:
    """The folder, or a new one of its own."""
    folder = folder or Path(tempfile.mkdtemp(prefix="interop-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def main() -> int:
    """Walk, count, and say what was seen; 1 if there was a fault."""
    asked = asking(__doc__).parse_args()
    folder = kept_in(asked.keep)
    port = standins.free_port()
    Slack.home, Slack.ours = asked.standins.resolve(), port
    async with Slack(folder) as driver:
        walk = AtDesk(driver, folder, port, kill=not asked.no_kill)
        walk.configure()
        for login, sender in (("bob", BOB), ("alice", ALICE)):
            await walk.run("agent", "add", login, "--name", login.title())
            await walk.run("agent", "link", login, "--channel", "slack", "--sender", sender)
        walk.lines = [re.sub(r"/welcome/\S+", "/welcome/…", line) for line in walk.lines]
        await walk.start()
        try:
            await walk.run("channel", "check", "slack")
            await walk.open()
            await walk.talk()
            faults = await walk.sum()
        finally:
            sys.stdout.write("\n".join(["slack desk:", *walk.lines, ""]))
            await walk.http.close()
            await walk.end()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
