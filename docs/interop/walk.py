"""A customer's whole way against a stand-in that others wrote, with ``kill -9`` in the middle of every step.

``python docs/interop/walk.py PLATFORM --standins FOLDER``, where FOLDER holds the node_modules of ``npm install
telegram-test-api@4.2.1 local-slack-linux-x64@0.1.8``. WeCom has no such stand-in: its walk is against the fake of our
tests, with everything sealed by wechatpy. The server is a process of its own, started from a config.yaml.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[2]
sys.path[:0] = [str(HOME), str(Path(__file__).parent)]  # it is run as a file

import aiohttp  # noqa: E402
import standins  # noqa: E402

from channels.dialects import plain  # noqa: E402
from tests.kit import wecom  # noqa: E402
from tests.kit.driver import ANN, LI, Seen  # noqa: E402
from tests.wire.wecom import AES_KEY, AGENT, CORP, SECRET, TOKEN  # noqa: E402

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc00000030101"
    "0018dd8db00000000049454e44ae426082"
)
PATIENCE = 150.0  # seconds for an answer, a restart included


class App(wecom.App):
    """Members, through the application."""

    async def look(self) -> None: ...

    def settings(self) -> dict[str, Any]:
        """The block of config.yaml."""
        keys = {"corp_id": CORP, "agent_id": AGENT, "app_secret": SECRET, "token": TOKEN, "aes_key": AES_KEY}
        return {"wecom": {"type": "wecom", "api_url": self.qyapi.url, **keys}}


class Kf(wecom.Kf, App):
    """Customers in WeChat."""


PLATFORMS: dict[str, type[Any]] = {
    one.name: one
    for one in (
        standins.TelegramPolling,
        standins.TelegramWebhook,
        standins.SlackHttp,
        standins.SlackSocket,
        App,
        Kf,
    )
}


class Walk:
    """One platform, one database, and one server process after the other."""

    def __init__(self, driver: Any, folder: Path, port: int, *, kill: bool) -> None:
        self.driver, self.folder, self.port, self.killing = driver, folder, port, kill
        self.kills = 0
        self.lines: list[str] = []
        self._log = (folder / "server.log").open("ab")

    def configure(self) -> None:
        """Write config.yaml (JSON is YAML)."""
        config = {
            "database": "sqlite:///a.db",
            "data": ".",
            "server": {"port": str(self.port), "public_url": f"http://127.0.0.1:{self.port}"},
            "company": {"products": ["AX3000", "Mesh M5"]},
            "knowledge": {"faq": str(HOME / "tests" / "faq")},
            "limits": {"burst": "300ms", "rating_pause": "0s"},
            "channels": self.driver.settings(),
        }
        (self.folder / "config.yaml").write_text(json.dumps(config))

    def aftercare(self, *arguments: str) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "bot", *arguments, "--config", str(self.folder / "config.yaml")]

    async def run(self, *arguments: str) -> int:
        """One command, with its output in the report; returns its exit code."""
        pipe, same = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
        done = await asyncio.create_subprocess_exec(*self.aftercare(*arguments), cwd=HOME, stdout=pipe, stderr=same)
        said, _ = await done.communicate()
        lines = [line for line in said.decode().splitlines() if line.strip()]
        self.lines += [f"    {' '.join(arguments)}: {line[:150]}" for line in lines[:12]]
        return done.returncode or 0

    async def start(self) -> None:
        """Start a server and wait until it serves."""
        command = self.aftercare("serve")
        self._process = await asyncio.create_subprocess_exec(*command, cwd=HOME, stdout=self._log, stderr=self._log)
        url = f"http://127.0.0.1:{self.port}"
        async with aiohttp.ClientSession() as http:
            for _ in range(1500):
                try:
                    async with http.get(f"{url}/readyz") as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)
            else:
                raise SystemExit(f"the server did not start: {self.folder}/server.log")
        await self.driver.connect(url)

    async def kill(self) -> None:
        """``kill -9``."""
        os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self.kills += 1

    async def end(self) -> None:
        """In good order."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()
        self._log.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query, beside the server."""
        with sqlite3.connect(f"file:{self.folder}/a.db?mode=ro", uri=True, timeout=20) as database:
            return database.execute(query).fetchall()

    # ------------------------------------------------------------ steps

    async def do(self, event: Any, expected: str, who: int = ANN, *, quiet: bool = False) -> Seen:
        """Something happens; as soon as it is kept, the server is killed; the answer comes from the next one."""
        heard, before = self._heard(), await self._shown(who)
        telling = asyncio.create_task(self.driver.tell(event))
        await self._until(lambda: self._heard() > heard, f"it was never kept: {event}")
        if self.killing:
            await self.kill()
            await self.start()
        await asyncio.wait({telling}, timeout=5)
        end, found = time.monotonic() + PATIENCE, None
        while not quiet and found is None:
            shown = await self._shown(who)
            found = next((seen for seen in shown[len(before) :] if letters(expected) in letters(seen.words)), None)
            if time.monotonic() > end:
                raise SystemExit(f"no {expected!r} in {[seen.words for seen in shown]}; log: {self.folder}/server.log")
            await asyncio.sleep(0.1)
        self.lines.append(f"  ok  {expected or 'kept'}")
        return found or Seen("")

    async def _shown(self, who: int) -> list[Seen]:
        await self.driver.look()
        return list(self.driver.seen(who))

    def _heard(self) -> int:
        return int(self.rows("SELECT count(*) FROM inbox WHERE kind NOT IN ('timer')")[0][0])

    async def _until(self, true: Any, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > end:
                raise SystemExit(f"{what}; log: {self.folder}/server.log")
            await asyncio.sleep(0.02)

    async def walk(self) -> None:
        """All that a customer does."""
        driver = self.driver
        answer = await self.do(driver.text("How do I reset my router?"), "Hold the Reset button for 10 seconds")
        await self.do(driver.text("怎么修改无线密码?", LI), "打开 App", LI)
        label = answer.buttons[0]
        await self.do(driver.press(answer, label), "Open the app, tap Wi-Fi")
        await self.do(driver.press(answer, label), "Open the app, tap Wi-Fi")
        await self.do(driver.text("I want to open a ticket"), "What happened?")
        await self.do(driver.text("My AX3000 restarts every night at three"), "How can my colleagues reach you?")
        await self.do(driver.text("jo@example.com"), "Shall I send this to my colleagues?")
        await self.do(driver.text("yes, send it"), "Your ticket is T-")
        asked = await self.do(driver.text("How long does delivery take?"), "Two to four working days")
        solved = next(one for one in asked.buttons if "help" in one.lower() or "solved" in one.lower())
        rating = await self.do(driver.press(asked, solved), "how")
        await self.do(driver.press(rating, rating.buttons[-1]) if rating.buttons else driver.text("5"), "thank")
        if "files" not in driver.cannot:
            await self.do(driver.picture(PNG), "", quiet=True)
            await self._until(lambda: self.rows("SELECT count(*) FROM file")[0][0] == 1, "the picture was not fetched")
            self.lines.append(f"  ok  the picture is kept: {self.rows(KEPT)[0]}")
        if "edit" not in driver.cannot:
            event = driver.text("When are you open?")
            await self.do(event, "Every day from 9 to 21")
            if hasattr(driver, "native"):
                native = "SELECT native FROM message WHERE author = 'customer' AND text LIKE 'When%'"
                driver.native([native for (native,) in self.rows(native)])
            await self.do(driver.edit(event, "Are you open on Sunday?"), "", quiet=True)
            edited = "SELECT count(*) FROM message WHERE text = 'Are you open on Sunday?' AND author = 'customer'"
            await self._until(lambda: self.rows(edited)[0][0] == 1, "the edit was not kept")
            self.lines.append("  ok  the edit is the message now")

    # ------------------------------------------------------------ the sum

    async def count(self) -> int:
        """What was lost or done twice; each kind of fault is told."""
        waits = "SELECT count(*) FROM inbox WHERE state NOT IN ('done', 'dead')"
        due = "SELECT count(*) FROM reply WHERE state IN ('waiting', 'sending') OR due_at IS NOT NULL"
        await self._until(lambda: self.rows(waits) == self.rows(due) == [(0,)], "something still waits")
        await asyncio.sleep(1.0)
        states = dict(self.rows("SELECT state, count(*) FROM reply GROUP BY state"))
        events = dict(self.rows("SELECT state, count(*) FROM inbox GROUP BY state"))
        self.lines.append(f"  {self.kills} kills; events {events}; replies {states}; ratings {self.rows(RATED)}")
        faults = [f"an event was kept twice: {key}" for (key,) in self.rows(TWICE)]
        faults += [f"{many} events are dead" for state, many in events.items() if state == "dead"]
        faults += [f"{many} replies are dead" for state, many in states.items() if state == "dead"]
        replies = self.rows("SELECT state, json_extract(body, '$.text') FROM reply")
        shown = [letters(seen.words) for who in (ANN, LI) for seen in await self._shown(who)]
        for words in {letters(plain(text)) for _, text in replies if text}:
            mine = [state for state, text in replies if letters(plain(text)) == words]
            seen, most = sum(words in one for one in shown), len(mine) + mine.count("uncertain")
            if not len(mine) - mine.count("uncertain") <= seen <= most and words:
                faults.append(f"said {len(mine)} times ({mine}), seen {seen} times: {words[:60]}")
        faults += ["aftercare verify is not content"] if await self.run("verify") else []
        self.lines += [f"  FAULT {fault}" for fault in faults] or ["  nothing lost, nothing twice"]
        return len(faults)


KEPT = "SELECT name, type, size FROM file"
RATED = "SELECT score FROM rating"
TWICE = "SELECT dedup_key FROM inbox GROUP BY channel, dedup_key HAVING count(*) > 1"


def letters(words: str) -> str:
    """What is said, whatever the marks and the spaces."""
    return re.sub(r"[\W_]", "", words).lower()


async def main() -> int:
    """Walk, count, and say what was seen; 1 if there was a fault."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("platform", choices=PLATFORMS)
    ask.add_argument("--standins", type=Path, default=Path())
    ask.add_argument("--no-kill", action="store_true")
    ask.add_argument("--keep", type=Path, help="a folder for the database, the logs and the picture of the browser")
    asked = ask.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="interop-"))
    folder.mkdir(parents=True, exist_ok=True)
    kind, port = PLATFORMS[asked.platform], standins.free_port()
    kind.home, kind.ours = asked.standins.resolve(), port
    async with kind(folder) as driver:
        walk = Walk(driver, folder, port, kill=not asked.no_kill)
        walk.configure()
        await walk.start()
        try:
            if asked.platform.startswith("telegram"):
                await walk.run("channel", "setup", "telegram")
            await walk.run("channel", "check", asked.platform.partition("-")[0])
            await walk.walk()
            faults = await walk.count()
        finally:
            sys.stdout.write("\n".join([f"{asked.platform}:", *walk.lines, ""]))
            await walk.end()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
