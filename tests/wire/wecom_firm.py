"""A firm that uses WeCom: the real application with its real engine and one channel, called by the fake of WeCom."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import text

from bot.app import App
from bot.config import KnowledgeSettings, Limits, Settings
from bot.interpreter import shelf
from bot.server import listen, web
from bot.store import Store
from channels.wecom import Wecom
from tests.wire.wecom import AES_KEY, AGENT, CORP, SECRET, TOKEN, Qyapi

LIMITS = Limits(lease=2.0, backoff=(0.05,) * 4, burst=0.1, idle=3600.0, send_timeout=1.0, rating_pause=0.0, stop=2.0)
ANSWERS = KnowledgeSettings(faq=Path(__file__).parent.parent / "faq")
_MARKS = re.compile("[\u200b\u200c]+")


def channel(qyapi: Qyapi, **more: Any) -> Wecom:
    """The channel as config.yaml would make it."""
    keys = {"corp_id": CORP, "agent_id": AGENT, "app_secret": SECRET, "token": TOKEN, "aes_key": AES_KEY}
    return Wecom(**{"secret": "s" * 32, "api_url": qyapi.url, "send_timeout": 1.0, **keys, **more})


@cache
def _built() -> Any:
    return shelf(Settings(knowledge=ANSWERS))


def _shelf(*_: Any) -> Any:
    """The real knowledge, built once for all firms: it takes two seconds."""
    return _built()


class Firm:
    """One life of the application."""

    def __init__(self, app: App, wecom: Wecom, qyapi: Qyapi) -> None:
        self.app, self.wecom, self.qyapi = app, wecom, qyapi

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return await self.app.store.read(lambda c: [tuple(row) for row in c.execute(text(query))])

    async def until(self, done: Callable[[], Any], seconds: float = 8.0) -> Any:
        """What ``done`` says as soon as it says something."""
        end = time.monotonic() + seconds
        while not (found := done()):
            assert time.monotonic() < end, await self.rows("SELECT state, error FROM reply ORDER BY id")
            await asyncio.sleep(0.02)
        return found

    async def settled(self, seconds: float = 8.0) -> None:
        """Until every event is handled, every reply is sent and nothing is to be pulled or fetched."""
        end = time.monotonic() + seconds
        query = (
            "SELECT count(*) FROM inbox WHERE state IN ('waiting', 'taken') UNION ALL"
            " SELECT count(*) FROM reply WHERE due_at IS NOT NULL OR state = 'sending' UNION ALL"
            " SELECT count(*) FROM note WHERE key LIKE 'due:%' OR key LIKE 'file:%'"
        )
        while any(count for (count,) in await self.rows(query)) or any(box.sending for box in self.app.outboxes):
            assert time.monotonic() < end, await self.rows("SELECT state, attempts, error FROM reply ORDER BY id")
            await asyncio.sleep(0.03)

    def told(self) -> list[str]:
        """What members were shown, as plain words."""
        return [shown(body) for body in self.qyapi.sent]

    def kf_told(self) -> list[str]:
        """What kf customers were shown."""
        return [shown(body) for body in self.qyapi.kf_sent]


@asynccontextmanager
async def firm(folder: Path, qyapi: Qyapi, template: Path | None = None, **settings: Any) -> AsyncIterator[Firm]:
    """Start it on the database in ``folder``, and stop it whatever happens."""
    file = folder / "firm.db"
    if template and not file.exists():
        shutil.copy(template, file)
    wecom = channel(qyapi, **settings)
    given = Settings(database=f"sqlite:///{file}", data=folder, channels={}, knowledge=ANSWERS, limits=LIMITS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.app.shelf", _shelf)
        app = App(given, store=Store(given.database, durable=False), channels=[wecom])
    await app.start()
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(web(app), log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    qyapi.hook = f"http://127.0.0.1:{listener.getsockname()[1]}/hooks/{wecom.name}"
    try:
        yield Firm(app, wecom, qyapi)
    finally:
        server.should_exit = True
        await serving
        await app.stop()


def shown(body: dict[str, Any]) -> str:
    """The words of a message, with its buttons in brackets."""
    match body["msgtype"]:
        case "text" | "markdown":
            words = body[body["msgtype"]]["content"]
        case "template_card":
            card = body["template_card"]
            buttons = "".join(f" [{button['text']}]" for button in card["button_list"])
            words = f"{card['main_title']['title']} {card.get('sub_title_text', '')}{buttons}"
        case "msgmenu":
            menu = body["msgmenu"]
            words = menu.get("head_content", "") + "".join(f" [{i['click']['content']}]" for i in menu["list"])
        case kind:
            words = f"<{kind} {body[kind]['media_id']}>"
    return _MARKS.sub("", words)
