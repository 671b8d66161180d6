"""A house for tests: the real pipeline on a given store, with decisions and channels of the test's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

from sqlalchemy import text

from bot.config import Limits
from bot.decider import Decide, Decider
from bot.dialogue import Decision, Fact, Open, OpenTicket, Policy, Rate, Say, SetTimer, Turn
from bot.duty import Duty
from bot.hub import Hub
from bot.inbox import Inbox
from bot.messages import Inbound, Reply
from bot.outbox import Outbox
from bot.rows import Rows
from bot.store import Store
from bot.worker import Worker
from channels import Can, Channel
from handoff.rounds import Rounds

QUICK = Limits(backoff=(0.02, 0.02, 0.02, 0.02), burst=0.1, lease=5.0)


class Probe(Channel):
    """A channel that keeps what it sends; ``answer`` may fail instead."""

    def __init__(self, *, name: str = "probe", answer: Callable[[str, Reply], Awaitable[None]] | None = None) -> None:
        super().__init__(name=name)
        self.sent: list[tuple[str, str, str]] = []  # address, text, key
        self._answer = answer

    async def send(self, address: str, reply: Reply, key: str) -> str:
        if self._answer:
            await self._answer(address, reply)
        self.sent.append((address, reply.text, key))
        return f"p{len(self.sent)}"


def echo(turn: Turn) -> Decision:
    """Says what it heard; opens, counts, and keeps a timer, like the real one."""
    open_ = [] if turn.conversation else [Open(turn.numbers[0])]
    heard = " ".join([*(p.text for p in turn.talk.pending), turn.event.text or turn.event.choice or turn.event.timer])
    idle = SetTimer("idle", turn.now.replace(year=turn.now.year + 1))
    more: list[Any] = [Say(Reply(f"echo {heard}")), Fact("answered")]
    if heard.startswith("ticket"):
        number = turn.numbers[1]
        due = turn.now.replace(year=turn.now.year + 1)
        more += [OpenTicket(number, "fault", heard, due), SetTimer("ticket_due", due, f"ticket:{number}")]
    if heard.startswith("rate"):
        here = turn.conversation
        more += [Rate(here.number if here else turn.numbers[0], here.cycle if here else 1, 5)]
    return Decision(turn.talk.but(pending=()), (*open_, idle, *more))


def apologise(turn: Turn) -> Decision:
    """What is said for a dead event."""
    return Decision(turn.talk, (Say(Reply("sorry")),))


class House:
    """Inbox, worker, rounds and outboxes on one store; ``more`` is for the decider."""

    def __init__(
        self, store: Store, *probes: Probe, decide: Decide = echo, limits: Limits = QUICK, **more: Any
    ) -> None:
        self.store, self.hub = store, Hub(store)
        usual: dict[str, Any] = {
            "understand": lambda turn: turn,
            "apologise": apologise,
            "policy": Policy,
            "knowledge": lambda: None,
            "at": lambda channel, address: Can(shows_itself=channel == "web"),
        }
        decider = Decider(store, decide=decide, limits=limits, **{**usual, **more})
        self.worker = Worker(store, self.hub, decider, limits=limits, recorded=self._recorded)
        self.rounds = Rounds(store, limits=limits, woken=self.worker.wake, holder="test")
        self.inbox = Inbox(store, self.worker.wake)
        self.outboxes = [
            Outbox(store, p, Duty(store, f"send:{p.name}", "test"), timeout=0.5, attempts=limits.send_attempts)
            for p in probes
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def _recorded(self, rows: Rows) -> None:
        self.rounds.wake(rows.next_due)
        for outbox in self.outboxes:
            outbox.wake()

    @property
    def beside(self) -> list[Any]:
        """What else runs."""
        return []

    async def __aenter__(self) -> Self:
        self._parts: list[Any] = [*[self.worker] * self.store.writers, self.rounds, *self.outboxes, *self.beside]
        self._tasks = [asyncio.create_task(part.run()) for part in self._parts]
        return self

    async def __aexit__(self, *_: object) -> None:
        for part in self._parts:
            part.stop()
        await asyncio.wait_for(asyncio.gather(*self._tasks), 10)

    async def hear(self, words: str, *, chat: str = "a", channel: str = "web", key: str = "", **more: Any) -> Any:
        """One message of a customer; returns its receipt."""
        key = key or f"{chat}:{time.monotonic_ns()}"
        [receipt] = await self.inbox.receive([Inbound(channel, key, chat, text=words, **more)])
        return receipt

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return await self.store.read(lambda c: [tuple(r) for r in c.execute(text(query))])

    async def settled(self, *, seconds: float = 30.0) -> None:
        """Until no event waits and no reply is due, twice in a row: who took a last attempt knows it later."""
        end, quiet = time.monotonic() + seconds, 0
        waits = "SELECT count(*) FROM inbox WHERE state IN ('waiting', 'taken')"
        due = "SELECT count(*) FROM reply WHERE due_at IS NOT NULL"
        while quiet < 2:
            still = (await self.rows(f"{waits} UNION ALL {due}")) == [(0,), (0,)]
            quiet = quiet + 1 if still and not any(o.sending for o in self.outboxes) else 0
            assert time.monotonic() < end, await self.rows("SELECT id, state, attempts, error FROM inbox")
            await asyncio.sleep(0.01)
