"""Whatever order things happen in: nobody talks over a person, a claim has one winner, nothing is left to nobody.

The pure model holds the real decisions and as much of the pipeline as matters here: one lane per chat with commands
first, a fence that refuses who slept, an outbox that marks before it sends. The same is then asked of the databases.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

import intents
from bot import dialogue as d
from bot.messages import Author, Kind, Reply
from bot.store import Store
from bot.verify import verify
from channels import NotSent
from handoff import dialogue as people
from handoff.access import Denied
from handoff.settings import Handoff
from tests.handoff.staffed import Staffed, meaning
from tests.house import QUICK, Probe
from tests.talks import POLICY, Chat

WORDS = ("human", "how do i reset my router", "how long will it take?", "it smells of smoke", "thanks", "never mind")
NAMES = "Anna, Ben, Cho (supervisor)"
LIVES = 10_000
SECOND = timedelta(seconds=1)


class Quick(Chat):
    """A chat whose few words are understood once."""

    def meaning(self, text: str, hint: str) -> intents.Understanding:
        return meaning(text)


@dataclass
class Said:
    """One reply on its way."""

    author: Author
    state: str = "waiting"
    begun: bool = False  # its sending was


class Life:
    """One chat, its lane and its outbox, and everything that may go wrong between them."""

    def __init__(self, draw: random.Random) -> None:
        self.draw, self.chat = draw, Quick(policy=replace(POLICY, burst=0.0))
        self.chat.desks.come(NAMES)
        self.line: list[tuple[int, int, Kind, dict[str, Any]]] = []  # priority, seq, kind, what happened
        self.replies: list[Said] = []
        self.fence, self.leased, self.seq, self.told = 0, -1, 0, 0
        self.commands = 0

    def enter(self, kind: Kind, **event: Any) -> None:
        self.seq += 1
        self.line.append((0 if kind is Kind.COMMAND else 1, self.seq, kind, event))

    def command(self, name: str, agent: int, **data: Any) -> None:
        self.commands += 1
        self.enter(Kind.COMMAND, data={"command": name, "agent": agent, **data})

    # ------------------------------------------------------------ what may happen

    def customer(self) -> None:
        self.enter(Kind.TEXT, text=self.draw.choice(WORDS))

    def claim(self) -> None:
        self.command("claim", self.draw.randint(1, 3), take=self.draw.random() < 0.2)

    def claims(self) -> None:
        for agent in self.draw.sample((1, 2, 3), 2):
            self.command("claim", agent)

    def agent(self) -> None:
        who = self.draw.randint(1, 3)
        name = self.draw.choice(("say", "say", "back", "close", "transfer", "snooze", "remark"))
        until = (self.chat.now + self.chat.policy.people.silent_after * 4 * SECOND).isoformat()
        self.command(name, who, text="So", to_agent=self.draw.randint(1, 3), until=until)

    def offer(self) -> None:
        epoch = self.chat.open.epoch - self.draw.randint(0, 1) if self.chat.open else 0
        self.command("offer", self.draw.randint(1, 3), epoch=epoch)

    def time(self) -> None:
        self.chat.now += self.draw.choice((20, 200, 2000)) * SECOND
        for (subject, kind), (at, data) in sorted(self.chat.timers.items()):
            if at <= self.chat.now:
                self.enter(Kind.TIMER, timer=kind, subject=subject, data={**data, "due": at})

    def lease(self) -> None:
        """A worker takes the chat and falls asleep over it."""
        self.leased = self.fence

    def late(self) -> None:
        """It wakes, and would write what it decided then; the fence lets it if nobody else has had the chat since."""
        if self.leased == self.fence:
            self.work()
        self.leased = -1

    def crash(self) -> None:
        """All processes die: what was leased is free, what was being sent may have arrived."""
        self.fence += 1
        for said in self.replies:
            if said.state == "sending":
                said.state = "uncertain"

    def work(self) -> None:
        """A worker handles the first of the line and commits."""
        if not self.line:
            return
        self.fence += 1
        first = min(self.line, key=lambda event: event[:2])
        self.line.remove(first)
        _, _, kind, event = first
        if kind is Kind.TIMER:
            key = event["subject"], event["timer"]
            if self.chat.timers.get(key, (None,))[0] != event["data"]["due"]:
                return  # it was moved, or dropped
            del self.chat.timers[key]
        before = self.chat.open
        self.chat.step(kind, **event)
        self.committed(kind, event, before)

    def committed(self, kind: Kind, event: dict[str, Any], before: d.ConversationView | None) -> None:
        results = [effect for effect in self.chat.effects if isinstance(effect, people.Result)]
        assert len(results) == (kind is Kind.COMMAND)
        self.told += len(results)
        if any(isinstance(effect, people.Assign) for effect in self.chat.effects):
            for said in self.replies:
                said.state = "withdrawn" if said.author is Author.BOT and said.state == "waiting" else said.state
        self.replies += [Said(say.author) for say in self.chat.effects if isinstance(say, d.Say)]
        if kind is Kind.COMMAND and event["data"]["command"] == "claim":
            self.won(results[0], event["data"], before)
        here = self.chat.open
        if here:
            assert any(subject == f"conversation:{here.number}" for subject, _ in self.chat.timers)
            assert (here.owner == "agent") == (here.agent is not None)
        if here and here.owner == "queue":
            assert (f"conversation:{here.number}", "queue") in self.chat.timers

    def won(self, result: people.Result, data: dict[str, Any], before: d.ConversationView | None) -> None:
        """A claim is won by whoever has the conversation then, lost to one who had it, never both."""
        here = self.chat.open
        if result.done:
            assert here is not None
            assert before is not None
            assert (here.owner, here.agent) == ("agent", data["agent"])
            assert before.agent in (None, data["agent"]) or data.get("take")
        elif result.data["reason"] == "taken":
            assert here is not None
            assert here.agent not in (None, data["agent"])
            assert result.data["by"] == self.chat.desks.agents[here.agent].name
        else:
            assert here is None

    def send(self) -> None:
        """The outbox marks its first reply before it sends it."""
        for said in self.replies:
            if said.state == "waiting":
                overruled = self.chat.open and self.chat.open.owner == "agent" and said.author is Author.BOT
                assert said.begun or not overruled  # all that was not begun was withdrawn when he took the floor
                said.state, said.begun = "withdrawn" if overruled else "sending", True
                return

    def unsent(self) -> None:
        """What was being sent certainly did not go out, or it did."""
        for said in self.replies:
            if said.state == "sending":
                said.state = self.draw.choice(("waiting", "sent", "sent"))

    def end(self) -> None:
        """Let everything come to its end."""
        while self.line:
            self.work()
        assert self.told == self.commands


DEEDS = "customer claim claims agent agent offer time lease late crash work work work send send unsent".split()


def live(seed: int, deeds: int = 14) -> Life:
    """One life, drawn by its seed: every failure can be played again."""
    life = Life(random.Random(seed))  # noqa: S311 - to be played again
    life.customer()
    for _ in range(deeds):
        getattr(life, life.draw.choice(DEEDS))()
    life.end()
    return life


@pytest.mark.parametrize("part", range(4))
def test_ten_thousand_lives(part: int) -> None:
    for seed in range(part, LIVES, 4):
        try:
            live(seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error


def test_the_lives_are_worth_living() -> None:
    """They do reach what they are about: claims won and lost, replies withdrawn, offers and silence."""
    lives = [live(seed) for seed in range(300)]
    states = {said.state for life in lives for said in life.replies}
    assert {"waiting", "sent", "withdrawn", "uncertain"} <= states
    owners = {c.owner for life in lives for c in life.chat.conversations}
    assert {"bot", "queue", "agent", "none"} <= owners


# ---------------------------------------------------------------- the same on the databases

TALKED_OVER = {  # a bot's reply whose sending begins while a person has the floor, by a trigger of the database's own
    "sqlite": [
        "CREATE TABLE talked_over (reply_id BIGINT)",
        """CREATE TRIGGER talked_over AFTER UPDATE OF state ON reply
        WHEN NEW.state = 'sending' AND OLD.state = 'waiting' AND EXISTS (
            SELECT 1 FROM conversation c JOIN message m ON m.chat_id = c.chat_id AND m.seq = NEW.seq
            WHERE c.chat_id = NEW.chat_id AND c.owner = 'agent' AND m.author = 'bot')
        BEGIN INSERT INTO talked_over VALUES (NEW.id); END""",
    ],
    "postgresql": [
        "CREATE TABLE talked_over (reply_id BIGINT)",
        """CREATE FUNCTION talked_over() RETURNS trigger AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM conversation c JOIN message m ON m.chat_id = c.chat_id AND m.seq = NEW.seq
            WHERE c.chat_id = NEW.chat_id AND c.owner = 'agent' AND m.author = 'bot')
        THEN INSERT INTO talked_over VALUES (NEW.id); END IF; RETURN NULL; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER talked_over AFTER UPDATE OF state ON reply FOR EACH ROW
        WHEN (NEW.state = 'sending' AND OLD.state = 'waiting') EXECUTE FUNCTION talked_over()""",
    ],
}
BRIEF = people.People(silent_after=1.0, tell_every=3.0, escalate_after=2.0, give_up_after=8.0)
AGENTS = ("Anna", "Ben", "Cho")
DONE = 150  # of all chats, between two deaths
ON = 300  # of either kind by `make test`; the soak has ten thousand
DIES = QUICK.model_copy(update={"lease": 1.5, "burst": 0.0})  # shorter, and a busy machine outlives five leases


class Days:
    """A house that lives many chats at once, and dies now and then."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.draw = store, random.Random(seed)  # noqa: S311 - to be played again
        self.house = self.built()

    def built(self) -> Staffed:
        async def answer(_address: str, _reply: Reply) -> None:
            if self.draw.random() < 0.15:
                raise NotSent("429", retry_after=0.05)

        settings = Handoff(widen_after=0.2, escalate_after=1.0)
        return Staffed(self.store, Probe(answer=answer), people=BRIEF, settings=settings, limits=DIES)

    async def lived(self, lives: int, at_once: int = 60) -> None:
        """So many chats, some at a time, while the house dies under them."""
        await self.house.__aenter__()
        await self.house.come(*AGENTS, capacity=lives)
        doors, over = asyncio.Semaphore(at_once), asyncio.Event()

        async def one(n: int) -> None:
            async with doors:
                await self.life(f"c{n}")

        dying = asyncio.create_task(self.dying(over))
        await asyncio.gather(*(one(n) for n in range(lives)))
        over.set()
        await dying
        await self.house.settled(seconds=300)
        await self.house.__aexit__()

    async def dying(self, over: asyncio.Event) -> None:
        """Processes end in the middle of things; others take over when their leases have run out."""
        done = "SELECT count(*) FROM inbox WHERE state = 'done'"
        [(last,)] = await self.house.rows(done)
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 0.5)
            [(now,)] = await self.house.rows(done)
            if now - last < DONE:
                continue
            last = now
            await self.house.killed()
            actors, self.house = self.house.actors, self.built()
            self.house.actors = actors
            await self.house.__aenter__()

    async def life(self, chat: str) -> None:
        """What happens in one chat: one thing after the other, while timers, offers and deaths come in between."""
        draw = self.draw
        await self.house.hear(draw.choice(WORDS[:4]), chat=chat, channel="probe")
        while not (number := await self.house.number(chat, "probe")):
            await asyncio.sleep(0.2)
        for _ in range(draw.randint(2, 4)):
            await asyncio.sleep(draw.random() * 0.05)
            if draw.random() < 0.4:
                await self.house.hear(draw.choice(WORDS), chat=chat, channel="probe")
            elif draw.random() < 0.4:
                await asyncio.gather(*(self.order(who, number, "claim") for who in draw.sample(AGENTS, 2)))
            else:
                name = draw.choice(("say", "say", "back", "close", "transfer", "remark", "claim"))
                await self.order(draw.choice(AGENTS), number, name)

    async def order(self, who: str, number: str, name: str) -> None:
        with suppress(Denied):
            await self.house.order(who, number, name, text="So", to_agent=self.draw.randint(1, 3))


async def checked(store: Store, lives: int, seed: int) -> None:
    """Live them, and look at what stands in the database."""
    for statement in TALKED_OVER[store.dialect]:
        await store.write(lambda c, one=statement: c.exec_driver_sql(one))  # type: ignore[misc]
    days = Days(store, seed)
    await days.lived(lives)
    house = days.house
    found = await store.read(verify)
    assert found["ok"], found
    assert await house.rows("SELECT * FROM talked_over") == []
    assert await house.rows("SELECT dedup_key FROM inbox WHERE state = 'dead'") == []
    assert await house.rows("SELECT number FROM conversation WHERE owner = 'agent' AND agent_id IS NULL") == []
    had: dict[int, str] = {}
    for which, kind, data in await house.rows(MOVES):
        move = data if isinstance(data, dict) else json.loads(data)
        if kind == "owner" and move["owner"] == "agent":
            assert move["was"] == had.get(which, "bot")  # nobody took what another one had just taken
        had[which] = move["owner"] if kind == "owner" else "bot"
    claims = await house.rows(CLAIMS)
    assert sum(done for _, done in claims) > lives / 10
    assert any(not done for _, done in claims)


MOVES = "SELECT conversation_id, kind, data FROM fact WHERE kind IN ('owner', 'closed') ORDER BY id"
CLAIMS = """SELECT i.id, r.done FROM inbox i JOIN command_result r ON r.inbox_id = i.id
    WHERE i.dedup_key LIKE 'agent:%' ORDER BY i.id"""


async def test_three_hundred_lives_on_a_database(database: str) -> None:
    store = Store(database, durable=False, pool=8)  # sixty lives at once, on a machine that may stand still for a while
    await checked(store, ON, 1)
    await store.close()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
async def test_ten_thousand_lives_on_a_database(store: Store, seed: int) -> None:
    await checked(store, 1000, seed)
