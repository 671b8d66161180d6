"""Deliver: in order for each address, once or in doubt once more, and within what a platform allows."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from bot.allowance import allowance
from bot.config import Limits
from bot.dialogue import Decision, Say, Turn
from bot.joining import SEAM
from bot.messages import Choice, Kind, Reply
from bot.outbox import take as take_replies
from bot.store import Store
from channels import Can, NotSent, Unknown
from tests.house import House, Probe


async def test_who_cannot_be_reached_is_written_to_again_when_he_shows_himself(store: Store) -> None:
    probe = Probe()
    async with House(store, probe) as house:
        await house.hear("one", channel="probe")
        await house.settled()
        await house.store.write(lambda c: c.exec_driver_sql("UPDATE chat SET unreachable = true"))
        first = await house.hear("two", channel="probe", kind=Kind.COMMAND)  # no word of his
        await house.settled()
        assert first.fresh
        assert await house.rows("SELECT count(*) FROM reply WHERE state = 'dead'") == [(1,)]
        await house.hear("three", channel="probe")
        await house.settled()
        assert [words for _, words, _ in probe.sent] == ["echo one", "echo three"]


async def test_replies_go_out_in_order_and_only_their_own_address_waits(store: Store) -> None:
    from channels import NotSent

    failing = 2

    async def answer(address: str, reply: Reply) -> None:
        nonlocal failing
        if address == "a" and failing:
            failing -= 1
            raise NotSent("429", retry_after=0.2)

    probe = Probe(answer=answer)
    async with House(store, probe) as house:
        for n in range(3):
            await house.hear(str(n), chat="a", channel="probe")
            await house.hear(str(n), chat="b", channel="probe")
        await house.settled()
    assert [t for a, t, _ in probe.sent if a == "a"] == ["echo 0", "echo 1", "echo 2"]
    assert [a for a, _, _ in probe.sent[:3]] == ["b", "b", "b"]
    states = await house.rows("SELECT state, attempts, provider_id IS NULL FROM check_reply ORDER BY id")
    assert sorted(states) == sorted([("sent", 3, False), *[("sent", 1, False)] * 5]) or all(
        s[0] == "sent" for s in states
    )


class Counted(Probe):
    """A platform that lets us write five messages after each of the customer's."""

    can = Can(replies=5)


async def test_what_was_one_message_at_a_crash_is_that_message_again(store: Store) -> None:
    probe = Counted(name="counted")
    async with House(store, at=lambda *_: Counted.can) as house:  # nobody sends yet
        for words in ("one", "two", "three"):
            await house.hear(words, chat="c", channel="counted")
            while await house.rows("SELECT count(*) FROM inbox WHERE state <> 'done'") != [(0,)]:
                await asyncio.sleep(0.01)
        for _ in range(2):  # what was begun is no message of its own for whoever comes next
            await store.write(lambda c: take_replies(c, probe, set(), time.time(), 9, lambda _: True))
    async with House(store, probe) as house:
        await house.settled()
    assert probe.sent == [("c", "echo one\n\n———\n\necho two\n\n———\n\necho three", "r1")]
    states = await house.rows("SELECT state, attempts, provider_id FROM reply")
    assert states == [("uncertain", 2, "p1")] * 3


@pytest.mark.parametrize("trouble", [None, Unknown("cut"), NotSent("busy")])
async def test_where_messages_are_counted_those_that_wait_go_out_as_one(
    store: Store, monkeypatch: pytest.MonkeyPatch, trouble: Exception | None
) -> None:
    """In doubt it is sent again as it was, under the same key, though more waits by then. Buttons stay alone."""
    monkeypatch.setattr("bot.outbox.DOUBT", 0.05)
    monkeypatch.setattr("bot.outbox.PAUSES", (0.05,))
    gate, tried, troubles = asyncio.Event(), list[str](), [trouble] if trouble else []

    async def answer(_address: str, reply: Reply) -> None:
        await gate.wait()
        tried.append(reply.text)
        if troubles and "two" in reply.text:
            await house.hear("five", chat="c", channel="counted")
            raise troubles.pop()

    def decide(turn: Turn) -> Decision:
        said = Reply(turn.event.text, (Choice("x", "X"),) if turn.event.text == "four" else ())
        return Decision(turn.talk.but(language="en"), (Say(said),))

    probe = Counted(name="counted", answer=answer)
    async with House(store, probe, decide=decide, at=lambda *_: Counted.can) as house:
        for n, words in enumerate(("one", "two", "three", "four"), 1):
            await house.hear(words, chat="c", channel="counted")
            while await house.rows("SELECT count(*) FROM reply WHERE attempts = 1 OR id > 1") != [(n,)]:
                await asyncio.sleep(0.01)  # the first is under way, the others wait
        gate.set()
        await house.settled()
    both, again = "two\n\n———\n\nthree", [key for _, text, key in probe.sent if "two" in text]
    assert tried == ["one", both, *([both] if trouble else []), "four", *(["five"] if trouble else [])]
    assert again == ["r2"]
    doubtful = "uncertain" if isinstance(trouble, Unknown) else "sent"
    states = await house.rows("SELECT state FROM reply WHERE id < 5 ORDER BY id")
    assert states == [("sent",), (doubtful,), (doubtful,), ("sent",)]
    assert await house.rows("SELECT count(DISTINCT provider_id) FROM reply WHERE id IN (2, 3)") == [(1,)]


async def test_what_waited_long_is_answered_within_the_messages_that_are_left(store: Store) -> None:
    """Eight questions kept while nobody was there: the last answers go out together, with the last one's buttons."""

    gate = threading.Event()

    def decide(turn: Turn) -> Decision:
        gate.wait(10)
        said = Reply(turn.event.text, (Choice(turn.event.text, "That helped"),))
        return Decision(turn.talk.but(language="en"), (Say(said),))

    shown = list[Reply]()

    async def answer(_address: str, reply: Reply) -> None:
        shown.append(reply)

    asked = [str(n) for n in range(8)]
    probe = Counted(name="counted", answer=answer)
    async with House(store, probe, decide=decide, at=lambda *_: Counted.can) as house:
        for words in asked:
            await house.hear(words, chat="c", channel="counted")
        gate.set()
        await house.settled()
    assert len(shown) <= Counted.can.replies
    assert [words for one in shown for words in one.text.split(SEAM)] == asked
    assert [choice.id for choice in shown[-1].choices] == ["7"]
    chat = (await house.rows("SELECT id FROM chat"))[0][0]
    left = await store.read(lambda c: allowance(c, chat, Counted.can).left)
    assert left == Counted.can.replies - len(shown), "counted from when the last words came"


@pytest.mark.parametrize(("failures", "sent"), [(1, 1), (5, 0)])
async def test_an_unknown_outcome_is_uncertain_and_sent_once_more(store: Store, failures: int, sent: int) -> None:
    async def answer(address: str, reply: Reply) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise Unknown("timeout")

    probe = Probe(answer=answer)
    async with House(store, probe) as house:
        await house.hear("x", channel="probe")
        await house.settled()
        assert await house.rows("SELECT state, attempts FROM check_reply") == [("uncertain", 2)]
    assert len(probe.sent) == sent


async def test_what_may_have_arrived_is_not_sent_again_into_the_same_trouble(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.DOUBT", 3600.0)

    async def answer(address: str, reply: Reply) -> None:
        raise Unknown("reset")

    async with House(store, Probe(answer=answer)) as house:
        await house.hear("x", channel="probe")
        while await house.rows("SELECT state, attempts, due_at > 1e9 FROM reply") != [("uncertain", 1, True)]:
            await asyncio.sleep(0.01)
        [(due,)] = await house.rows("SELECT due_at FROM reply")
        assert due > time.time() + 1800


async def test_what_may_have_arrived_is_sent_again_when_the_platform_answers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform is silent for longer than two attempts take, and whoever sends dies meanwhile: nothing is lost."""
    monkeypatch.setattr("bot.outbox.DOUBT", 0.0)
    monkeypatch.setattr("bot.doubt.PAUSES", (0.01,))
    monkeypatch.setattr("bot.doubt.MOST", 0.01)
    silent, asked = True, 0

    class Silent(Probe):
        async def awake(self) -> None:
            nonlocal asked
            asked += 1
            if silent:
                raise OSError("no route")

    async def answer(_address: str, reply: Reply) -> None:
        if silent:
            raise Unknown("no answer in time")

    probe = Silent(answer=answer)
    for _ in range(2):  # the second process finds it in doubt
        async with House(store, probe) as house:
            if not asked:
                await house.hear("x", channel="probe")
            seen = asked
            while asked < seen + 5:
                await asyncio.sleep(0.01)
            assert await house.rows("SELECT state, attempts, due_at > 1 FROM reply") == [("uncertain", 1, True)]
    silent = False
    async with House(store, probe) as house:
        await house.settled()
        assert await house.rows("SELECT state, attempts FROM check_reply") == [("uncertain", 2)]
    assert [text for _, text, _ in probe.sent] == ["echo x"]


async def test_what_a_platform_says_is_wrong_with_it_is_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says each time that nothing is sure, and in the end takes the message; not for ever, though."""
    monkeypatch.setattr("bot.outbox.DOUBT", 0.0)
    monkeypatch.setattr("bot.outbox.PAUSES", (0.01,))
    monkeypatch.setattr("bot.doubt.PAUSES", (0.0,))
    troubles = {"x": 4, "y": 99}

    async def answer(_address: str, reply: Reply) -> None:
        if troubles[reply.text[-1]]:
            troubles[reply.text[-1]] -= 1
            raise Unknown("internal_error", told=True)

    probe = Probe(answer=answer)
    async with House(store, probe) as house:
        await house.hear("x", channel="probe")
        await house.hear("y", channel="probe", chat="b")
        await house.settled()
        states = await house.rows("SELECT state, attempts FROM check_reply ORDER BY attempts")
        assert states == [("uncertain", 5), ("uncertain", Limits().send_attempts)]
    assert [text for _, text, _ in probe.sent] == ["echo x"]


async def test_what_is_still_being_sent_is_not_taken_for_lost_when_the_database_comes_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, looked, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answer(address: str, reply: Reply) -> None:
        begun.set()
        await over.wait()

    probe = Probe(answer=answer)
    async with House(store, probe) as house:
        [outbox] = house.outboxes
        outbox._timeout, held, looks = 30.0, outbox._duty.hold, 0

        async def hold() -> bool:  # the database is away for one look
            nonlocal looks
            looks += begun.is_set()
            if looks > 2:
                looked.set()
            return looks != 1 and await held()

        monkeypatch.setattr(outbox._duty, "hold", hold)
        await house.hear("x", channel="probe")
        await begun.wait()
        while not looked.is_set():
            outbox.wake()
            await asyncio.sleep(0.01)
        over.set()
        await house.settled()
        assert await house.rows("SELECT state, attempts FROM check_reply") == [("sent", 1)]
    assert len(probe.sent) == 1


async def test_what_was_being_sent_at_a_crash_is_uncertain(store: Store) -> None:
    async with House(store) as house:
        await house.hear("x", channel="probe")
        while not await house.rows("SELECT id FROM reply"):
            await asyncio.sleep(0.01)
        await house.store.write(lambda c: c.exec_driver_sql("UPDATE reply SET state = 'sending', attempts = 1"))
    probe = Probe()
    async with House(store, probe) as house:
        await house.settled()
        assert await house.rows("SELECT state, attempts, provider_id FROM check_reply") == [("uncertain", 2, "p1")]


async def test_a_customer_who_is_gone_is_not_written_to(store: Store) -> None:
    from channels import Refused

    async def answer(address: str, reply: Reply) -> None:
        raise Refused("blocked by the user", gone=True)

    async with House(store, Probe(answer=answer)) as house:
        await house.hear("x", channel="probe")
        await house.hear("y", channel="probe")
        await house.settled()
        assert {s for (s,) in await house.rows("SELECT state FROM check_reply")} == {"dead"}
        assert await house.rows("SELECT unreachable FROM chat") in ([(True,)], [(1,)])
