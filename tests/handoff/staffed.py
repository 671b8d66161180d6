"""A house with people: the real decisions, door and dispatch on a given store, and agents by name."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import insert, select

import intents
from bot import engine, failure
from bot.config import Limits
from bot.dialogue import Policy, Turn
from bot.duty import Duty
from bot.inbox import chat_id
from bot.messages import Kind
from bot.rows import Rows
from bot.store import Store
from bot.tables import conversation
from handoff.access import Actor
from handoff.commands import CommandOutcome, Commands
from handoff.dialogue import People
from handoff.queue import Dispatch
from handoff.settings import Handoff
from handoff.tables import agent
from tests.house import QUICK, House, Probe
from tests.talks import POLICY, START, knowledge


@lru_cache(1000)
def meaning(text: str) -> intents.Understanding:
    """What the words mean; looked up once."""
    return intents.understand(text, knowledge(), hint="en", now=START, products=POLICY.products)


def understand(turn: Turn) -> Turn:
    """A turn with its words understood."""
    if turn.event.kind not in (Kind.TEXT, Kind.EDIT):
        return turn
    return replace(turn, understood=meaning(turn.event.text))


class Staffed(House):
    """The pipeline with people."""

    def __init__(
        self,
        store: Store,
        *probes: Probe,
        people: People | None = None,
        settings: Handoff | None = None,
        decide: Any = engine.decide,
        limits: Limits = QUICK,
        **more: Any,
    ) -> None:
        self.policy: Policy = replace(POLICY, burst=0.0, people=people or People())
        usual = {
            "understand": understand,
            "apologise": failure.apologise,
            "policy": lambda: self.policy,
            "knowledge": knowledge,
        }
        super().__init__(store, *probes, decide=decide, limits=limits, **{**usual, **more})
        self.commands = Commands(store, self.inbox)
        duty = Duty(store, "dispatch", self.hub.process)
        self.dispatch = Dispatch(store, self.inbox, duty, settings or Handoff(mode="manual"))
        self.actors: dict[str, Actor] = {}
        self._keys = 0

    def _recorded(self, rows: Rows) -> None:
        super()._recorded(rows)
        self.commands.heard(rows.results)
        self.dispatch.heard(rows)

    @property
    def beside(self) -> list[Any]:
        """What else runs."""
        return [self.dispatch]

    async def killed(self) -> None:
        """As a process dies: nothing is finished, nothing is given back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def come(self, *names: str, presence: str = "online", **more: Any) -> None:
        """Agents of these names are there."""
        now = time.time()
        row = {"role": "agent", "presence": presence, "capacity": 50, "created_at": now, "seen_at": now, **more}
        rows = [{"login": name.casefold(), "name": name, **row} for name in names]
        await self.store.write(lambda c: c.execute(insert(agent), rows))
        await self.known()

    async def known(self) -> None:
        """Everybody in the table may act."""
        for which, name, role in await self.rows("SELECT id, name, role FROM agent"):
            self.actors[name] = Actor(which, name, role)

    async def number(self, chat: str, channel: str = "web") -> str:
        """The number of a chat's latest conversation, "" if there is none."""
        its = conversation.c.chat_id == chat_id(channel, chat)
        latest = select(conversation.c.number).where(its).order_by(conversation.c.id.desc()).limit(1)
        return str(await self.store.read(lambda c: c.scalar(latest)) or "")

    async def handed_over(self) -> str:
        """The number of a conversation whose customer has asked for a person."""
        await self.hear("human")
        await self.settled()
        return await self.number("a")

    async def order(self, who: str, number: str, name: str, **data: Any) -> CommandOutcome:
        """An agent's command, and what came of it."""
        self._keys += 1
        key = f"{self.hub.process}:{self._keys}"
        return await self.commands.do(self.actors[who], number, name, data, key)
