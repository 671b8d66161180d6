"""A message's way from receipt to record, and what overtakes or changes it on the way."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

from bot.dialogue import Close, Decision, Say, SetTimer, Turn
from bot.messages import Inbound, Kind, Reply
from bot.store import Store
from channels.web import NEWEST
from tests.house import QUICK, House, echo


async def test_a_message_is_answered_once_however_often_it_comes(store: Store) -> None:
    async with House(store) as house:
        first = await house.hear("hello", key="a:1")
        again = await house.hear("hello", key="a:1")
        await house.settled()
        later = await house.hear("hello", key="a:1")
        assert (first.fresh, again.fresh, later.fresh) == (True, False, False)
        assert first.seq == again.seq == later.seq == 1
        assert await house.rows("SELECT seq, author, text FROM message ORDER BY seq") == [
            (1, "customer", "hello"),
            (2, "bot", "echo hello"),
        ]
        assert await house.rows("SELECT state, outcome, attempts FROM check_inbox") == [("done", "replied", 1)]
        assert await house.rows("SELECT state, part_no, attempts FROM check_reply") == [("sent", 1, 0)]


async def test_a_name_told_later_is_kept_and_then_left_to_people(store: Store) -> None:
    async with House(store) as house:
        for name in ("", "Ann", "Bob"):
            await house.hear("hello", sender="s1", name=name)
            await house.settled()
        assert await house.rows("SELECT name FROM customer") == [("Ann",)]


async def test_who_followed_further_than_there_is_begins_anew(store: Store) -> None:
    async with House(store) as house:
        await house.hear("hello")
        await house.settled()
        for after in (0, 2, 5, NEWEST):  # a restored backup knows less than a stream that was open before
            stream = house.hub.follow("web", "a", after)
            if after != 2:
                assert (await anext(stream) or {})["seq"] == 1
            await stream.aclose()  # type: ignore[attr-defined]


async def test_many_chats_keep_their_order(store: Store) -> None:
    async with House(store) as house:

        async def customer(name: str) -> None:
            for n in range(15):
                await house.hear(str(n), chat=name)

        await asyncio.gather(*(customer(f"c{n}") for n in range(12)))
        await house.settled()
        said = await house.rows("SELECT chat_id, text FROM message WHERE author = 'bot' ORDER BY chat_id, seq")
        by_chat: dict[int, list[str]] = {}
        for chat, words in said:
            by_chat.setdefault(chat, []).append(words)
        assert list(by_chat.values()) == [[f"echo {n}" for n in range(15)]] * 12


async def test_a_timer_that_was_moved_does_not_fire(store: Store) -> None:
    def decide(turn: Turn) -> Decision:
        if turn.event.kind is Kind.TIMER:
            return Decision(turn.talk, (Say(Reply("due")), Close("idle")))
        done = echo(turn)
        wait = float(turn.event.text)
        return replace(done, effects=(*done.effects, SetTimer("idle", turn.now + timedelta(seconds=wait))))

    async with House(store, decide=decide) as house:
        await house.hear("3")
        await house.settled()
        await house.hear("60")
        await house.settled()
        await asyncio.sleep(3.2)
        await house.settled()
        assert await house.rows("SELECT closed_at FROM conversation") == [(None,)]
        await house.hear("0.1")
        await asyncio.sleep(0.4)
        await house.settled()
        assert await house.rows("SELECT owner, next_due_at FROM check_conversation") == [("none", None)]
        assert await house.rows("SELECT count(*) FROM message WHERE text = 'due'") == [(1,)]


async def test_commands_overtake_what_the_customer_wrote(store: Store) -> None:
    order: list[str] = []

    def decide(turn: Turn) -> Decision:
        order.append(turn.event.text or turn.event.kind)
        if turn.event.text == "stuck":
            raise ValueError("no")
        return echo(turn)

    async with House(store, decide=decide, limits=QUICK.model_copy(update={"backoff": (3.0, 0.1, 0.1, 0.1)})) as house:
        await house.hear("stuck")
        while not order:
            await asyncio.sleep(0.01)
        await house.inbox.receive([Inbound("web", "cmd", "a", Kind.COMMAND)])
        while len(order) < 2:
            await asyncio.sleep(0.01)
        assert order[:2] == ["stuck", "command"]
        await house.settled()
        assert await house.rows("SELECT outcome FROM inbox WHERE kind = 'command'") == [("command",)]


async def test_a_timer_moved_while_its_event_waits_stays_set(store: Store) -> None:
    due = threading.Event()

    def decide(turn: Turn) -> Decision:
        if turn.event.text == "slow":
            assert due.wait(20)  # the timer falls due meanwhile and waits behind these words, which move it
        wait = {"slow": 60.0}.get(turn.event.text, 2.0)
        return replace(echo(turn), effects=(*echo(turn).effects, SetTimer("idle", turn.now + timedelta(seconds=wait))))

    async with House(store, decide=decide) as house:
        await house.hear("quick")
        await house.settled()
        await house.hear("slow")
        while not await house.rows("SELECT 1 FROM inbox WHERE kind = 'timer'"):
            await asyncio.sleep(0.05)
        due.set()
        await house.settled()
        assert await house.rows("SELECT outcome FROM inbox WHERE kind = 'timer'") == [("timer",)]
        [(next_due,)] = await house.rows("SELECT next_due_at FROM check_conversation")
        assert next_due is not None


async def test_an_edit_changes_the_message_it_is_of(store: Store) -> None:
    async with House(store) as house:
        await house.hear("frist", native="m1")
        await house.hear("first", kind=Kind.EDIT, native="m1")
        await house.settled()
        assert await house.rows("SELECT text FROM message WHERE author = 'customer'") == [("first",)]
