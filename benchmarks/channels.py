"""How quickly platforms are acknowledged while the engine stands still, what an adapter costs, and what is imported.

``python benchmarks/channels.py [--seconds 10] [--rate 50]``: real requests, signed as the platform signs them, over
sockets into the whole application on SQLite with ``synchronous=FULL``. The load comes from the same process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent.parent
sys.path.insert(0, str(HOME))  # it is run as a file

import structlog  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from bot.messages import Choice, Reply  # noqa: E402
from tests.kit import slack, telegram, wecom  # noqa: E402
from tests.kit.driver import Driver  # noqa: E402
from tests.kit.scene import Scene  # noqa: E402

PAYLOADS = HOME / "tests" / "payloads"
HOOKS = (telegram.Webhook, slack.Http, wecom.App, wecom.Kf)
ACK, CHECK, ADAPTER = (
    1000.0,
    300.0,
    0.5,
)  # ms: what is wanted of an acknowledgement, of WeCom's URL check, of an adapter
ROUNDS = 400
ALONE = """
import asyncio, sys, tempfile
from pathlib import Path
from types import SimpleNamespace
import bot.app
from bot.config import Settings

class Shelf:
    now = SimpleNamespace(knowledge=None, version="")
    problem = ""
    async def watch(self, quiet):
        await quiet.wait()

bot.app.shelf = lambda *_: Shelf()
bot.app.Interpreter = lambda *_: SimpleNamespace(understand=None, policy=None)
async def main():
    data = Path(tempfile.mkdtemp())
    app = bot.app.App(Settings(database=f"sqlite:///{data}/a.db", data=data, channels={"one": %r}))
    await app.start()
    await asyncio.sleep(1.0)
    await app.stop()
asyncio.run(main())
sys.stdout.write(" ".join(m for m in ("telegram", "httpx", "slack_sdk", "slack_bolt", "aiohttp", "channels.telegram",
                              "channels.slack", "channels.wecom") if m in sys.modules))
"""
NOWHERE = "http://127.0.0.1:9"
SETTINGS: dict[str, dict[str, Any]] = {
    "web": {"type": "web"},
    "telegram": {"type": "telegram", "token": "1:x", "api_url": NOWHERE},
    "slack": {"type": "slack", "token": "xoxb-1", "signing_secret": "s", "app_token": "xapp-1", "api_url": NOWHERE},
    "wecom": {
        "type": "wecom",
        "corp_id": "ww1",
        "agent_id": "1",
        "app_secret": "s",
        "token": "t",
        "aes_key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
        "api_url": NOWHERE,
    },
}


# ---------------------------------------------------------------- acknowledged while the engine stands still


async def paced(do: Callable[[int], Any], rate: float, seconds: float) -> list[float]:
    """How long each took, in ms; begun at an even pace whatever became of those before."""

    async def timed(n: int) -> float:
        began = time.perf_counter()
        if not await do(n):
            raise SystemExit("a request was not acknowledged")
        return (time.perf_counter() - began) * 1000

    began, tasks = time.perf_counter(), []
    for n in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(timed(n)))
    return sorted(await asyncio.gather(*tasks))


async def stalled(kind: type[Driver], rate: float, seconds: float) -> dict[str, list[float]]:
    """Times of a platform's hook while nothing is decided; of WeCom also those of the URL check."""
    with tempfile.TemporaryDirectory() as folder:
        async with kind(Path(folder)) as driver:
            scene = Scene(driver, f"sqlite:///{folder}/a.db", Path(folder), durable=True)
            await scene.start()
            scene.open.clear()
            try:
                found = {
                    driver.name: await paced(lambda n: driver.deliver(driver.text(f"{n}?", n % 30)), rate, seconds)
                }
                if isinstance(driver, wecom.App) and not isinstance(driver, wecom.Kf):
                    found["wecom URL check"] = await paced(lambda _: driver.checked(), rate, seconds)
                return found
            finally:
                await scene.end()


# ---------------------------------------------------------------- what an adapter costs


def median(do: Callable[[int], Any], different: int = ROUNDS) -> float:
    """Milliseconds of CPU that one takes, at the median; so many have different words, which are then remembered."""
    times = []
    for n in range(ROUNDS):
        began = time.thread_time_ns()
        do(n % different)
        times.append((time.thread_time_ns() - began) / 1e6)
    return statistics.median(times)


def answer(n: int, to: str) -> Reply:
    """Like the answers there are: some formatting, a link, three buttons."""
    words = f"Hold the **Reset** button for {n} seconds, {to}, then see [our page](https://x.example/{n}?a=1&b=2).\n\n"
    steps = "\n".join(f"{step}. Step `{step}` of {n}" for step in range(1, 5))
    return Reply(words + steps, tuple(Choice(f"do:{n}:{one}", f"Choice {one}") for one in range(3)))


Adapter = tuple[str, Callable[[int], Any], Callable[[int], Any]]  # name, raw bytes -> event, reply -> payload


def recorded(name: str, old: str) -> Callable[[int], bytes]:
    """A recorded payload whose words change with a number."""
    raw = (PAYLOADS / name).read_bytes()
    return lambda n: raw.replace(old.encode(), f"{old} {n}".encode())


def of_telegram() -> Iterator[Adapter]:
    """Updates; calls of the Bot API."""
    from channels.telegram import places, reading, rendering, values

    context = values.Context("telegram", "s" * 32, 666, "aftercare_bot")
    raw = recorded("telegram/text.json", "my router")
    yield (
        "telegram",
        lambda n: reading.read(json.loads(raw(n)), raw(n), context),
        lambda n: rendering.render(answer(n, "telegram"), places.Place(42), "s" * 32),
    )


def of_slack() -> Iterator[Adapter]:
    """Events; blocks."""
    from channels.slack import reading, rendering, values

    context, raw = values.Context("slack", "s" * 32, "T1", "UBOT"), recorded("slack/message_im.json", "路由器")
    yield (
        "slack",
        lambda n: reading.event(context, reading.unpack(raw(n)), raw(n)),
        lambda n: rendering.render(values.Place("T1", "D1"), answer(n, "slack")),
    )


def of_wecom() -> Iterator[Adapter]:
    """Sealed callbacks, and items of kf's feed; cards and menus."""
    from wechatpy.work.crypto import WeChatCrypto

    from channels.wecom import cipher, envelope, reading, rendering
    from tests.wire.wecom import AES_KEY, CORP, TOKEN, as_xml, sealed

    own, reader = cipher.Cipher(TOKEN, AES_KEY, CORP), reading.Reader("wecom", "s" * 32)
    theirs = WeChatCrypto(TOKEN, AES_KEY, CORP)
    fields = {"ToUserName": CORP, "FromUserName": "u", "CreateTime": 1, "MsgType": "text", "MsgId": 7}
    stamped = [sealed(theirs, as_xml({**fields, "Content": f"怎么重置 {n}"}), "n", "17") for n in range(ROUNDS)]

    def opened(n: int) -> Any:
        body, mark = stamped[n]
        words = own.open(mark, "17", "n", envelope.fields(body.encode())["Encrypt"])
        return reader.callback(envelope.fields(words), words)

    yield "wecom app", opened, lambda n: rendering.app(answer(n, "app"), f"k{n}", f"k{n}", markdown=True)
    item = {"send_time": 1700000000, "origin": 3, "msgtype": "text", "external_userid": "wm", "open_kfid": "wk"}
    yield (
        "wecom kf",
        lambda n: reader.page([{**item, "msgid": f"m{n}", "text": {"content": f"怎么重置 {n}"}}], "wk", {}),
        lambda n: rendering.kf(answer(n, "kf")),
    )


# ---------------------------------------------------------------- what is imported


def imported(channel: str) -> set[str]:
    """Which platform libraries and adapters a process has that ran a second with this channel alone."""
    code = ALONE % SETTINGS[channel]
    done = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()) if done.stdout.strip() else set()


OWN = {
    "web": set[str](),
    "telegram": {"telegram", "httpx", "aiohttp", "channels.telegram"},
    "slack": {"slack_sdk", "aiohttp", "channels.slack"},
    "wecom": {"aiohttp", "channels.wecom"},
}


async def main() -> int:
    """Measure and print; 1 if a target is missed."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=10.0)
    ask.add_argument("--rate", type=float, default=50.0)
    asked = ask.parse_args()
    structlog.configure(processors=[lambda *_: (_ for _ in ()).throw(structlog.DropEvent)])
    missed = 0
    acks = Table(
        "hook", "requests", "p50 ms", "p99 ms", "slowest ms", "wanted p99", title="Acknowledged, engine standing still"
    )
    for kind in HOOKS:
        for name, times in (await stalled(kind, asked.rate, asked.seconds)).items():
            p99, wanted = times[int(len(times) * 0.99)], CHECK if "check" in name else ACK
            missed += p99 > wanted
            shown = (f"{times[len(times) // 2]:.1f}", f"{p99:.1f}", f"{times[-1]:.1f}", f"{wanted:.0f}")
            acks.add_row(name, str(len(times)), *shown)
    heads = ("adapter", "raw -> event, ms", "reply -> payload, ms", "a text never said before, ms", "wanted")
    costs = Table(*heads, title="CPU per message, median")
    for name, come, go in chain(of_telegram(), of_slack(), of_wecom()):
        new = median(go)
        both = median(come), median(go, 20), new  # answers are an admin's: the same few are said again and again
        missed += max(both[:2]) > ADAPTER
        costs.add_row(name, *(f"{one:.3f}" for one in both), f"{ADAPTER}")
    alone = Table("channel on", "libraries of others that are imported", title="Imports")
    for name, own in OWN.items():
        foreign = imported(name) - own
        missed += len(foreign)
        alone.add_row(name, ", ".join(sorted(foreign)) or "none")
    for table in (acks, costs, alone):
        Console().print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
