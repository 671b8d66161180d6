"""The wall clock is set back by an hour: nobody waits an hour for it, and nothing is called broken that is not."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, update

from bot.dialogue import Decision, Turn, Wait
from bot.duty import LIFE, RENEW, Duty
from bot.messages import Reply
from bot.store import Store
from bot.tables import chat
from bot.verify import verify
from channels import Budget, Can, NotSent
from handoff.rounds import pull_forward
from handoff.sessions import first_link, is_first_link
from tests.house import QUICK, House, Probe, echo

HOUR = 3600.0


@contextmanager
def set_back(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """An hour earlier by the wall; clocks that only count go on."""
    real = time.time
    with patch.context() as here:
        here.setattr(time, "time", lambda: real() - HOUR)
        yield


class Paced(Probe):
    """A platform that takes a message a second from us, to one place and in all."""

    can = Can(budget=Budget(per_address=1.0, overall=1.0))


async def test_a_reply_does_not_wait_until_the_clock_is_where_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = Paced()
    async with House(store, probe) as house:
        await house.hear("one", channel="probe")
        await house.settled()
        with set_back(monkeypatch):
            await house.hear("two", channel="probe")
            await house.settled(seconds=8)
    assert [text for _, text, _ in probe.sent] == ["echo one", "echo two"]


async def test_what_was_put_off_does_not_wait_for_the_old_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A try after an error, the end of a burst, and a chat that was leased by somebody who has died."""
    failures = [ValueError("once")]

    def decide(turn: Turn) -> Decision | Wait:
        if turn.event.text == "fails" and failures:
            raise failures.pop()
        if turn.event.text == "waits":
            return Wait(turn.now + timedelta(seconds=0.5))
        return echo(turn)

    limits = QUICK.model_copy(update={"backoff": (0.5,), "burst": 0.5, "lease": 0.5})
    async with House(store, decide=decide, limits=limits) as house:
        for words in ("waits", "fails", "leased"):
            await house.hear(words, chat=words)
        while failures or await house.rows("SELECT count(*) FROM check_inbox WHERE state = 'taken'") != [(1,)]:
            await asyncio.sleep(0.01)
        later = {"lease_until": time.time() + 0.5, "lease_holder": "died", "ready_at": time.time()}
        its = update(chat).where(chat.c.address == "leased").values(**later)
        await house.store.write(lambda c: c.execute(its))
        with set_back(monkeypatch):
            await house.settled(seconds=8)
            await house.hear("again", chat="leased")
            await house.settled(seconds=8)


async def test_a_platform_that_said_later_is_written_to_later_and_no_hour_after(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [NotSent("too many requests", 1.0, everything=True)]

    async def answer(_address: str, _reply: Reply) -> None:
        if refusals:
            raise refusals.pop()

    probe = Probe(answer=answer)
    async with House(store, probe) as house:
        await house.hear("one", chat="a", channel="probe")
        while refusals:
            await asyncio.sleep(0.01)
        with set_back(monkeypatch):
            await house.hear("two", chat="b", channel="probe")
            async with asyncio.timeout(8):
                while len(probe.sent) < 2:
                    await asyncio.sleep(0.01)
    assert sorted(address for address, *_ in probe.sent) == ["a", "b"]


async def test_what_several_processes_of_a_host_see_set_back_is_put_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform asked for five minutes; another host, whose clock is right, sends for another channel."""

    async def answer(_address: str, _reply: Reply) -> None:
        raise NotSent("too many requests", 300.0)

    async with House(store, Probe(answer=answer)) as house:
        await house.hear("one", channel="probe")
        due = 0.0
        while due < time.time() + 200.0:
            await asyncio.sleep(0.01)
            due = sum(at for (at,) in await house.rows("SELECT due_at FROM reply"))

        def back(connection: Connection, holder: str) -> None:
            pull_forward(connection, due - 300.0 - HOUR, QUICK, HOUR, holder)

        for holder, later in (("another", due), ("test", due - HOUR), ("another", due - HOUR)):
            await store.write(partial(back, holder=holder))
            assert await house.rows("SELECT due_at FROM reply") == [(later,)]


async def test_a_chat_whose_clock_was_set_back_is_in_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with House(store) as house:
        for words in ("one", "two"):
            await house.hear(words)
        await house.settled()
        with set_back(monkeypatch):
            await house.hear("three")
            await house.settled()
        await house.hear("four")
        await house.settled()
    assert (await store.read(verify))["broken"] == {}


async def test_who_does_a_duty_goes_on_doing_it_and_saying_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs, count = Duty(store, "send:probe", "a"), Duty(store, "send:probe", "b"), time.monotonic
    assert await ours.hold()
    with set_back(monkeypatch):
        assert not await theirs.hold()
        monkeypatch.setattr(time, "monotonic", lambda: count() + RENEW + 1)
        assert await ours.hold()
        assert not await theirs.hold()
        clock = time.time
        monkeypatch.setattr(time, "time", lambda: clock() + LIFE + 1)  # nobody has said so for that long
        assert await theirs.hold()


async def test_who_did_it_and_is_gone_is_not_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = Duty(store, "send:probe", "b")
    assert await Duty(store, "send:probe", "a").hold()
    with set_back(monkeypatch):
        assert not await theirs.hold()
        clock = time.time
        monkeypatch.setattr(time, "time", lambda: clock() + LIFE + 1)
        assert await theirs.hold()


async def test_the_link_of_the_first_admin_is_good_by_a_clock_that_is_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = first_link("s" * 32)
    with set_back(monkeypatch):
        assert await store.read(lambda c: is_first_link(c, "s" * 32, token))


async def test_who_begins_leaves_alone_what_a_clock_a_little_ahead_has_just_put_off(store: Store) -> None:
    """Another worker leased a chat after we looked at the clock, or on another host."""
    async with House(store) as house:
        await house.hear("one")
        await house.settled()
        now = time.time()
        until = {"lease_until": now + QUICK.lease + 0.3, "lease_holder": "another", "ready_at": now}
        await store.write(lambda c: c.execute(update(chat).values(**until)))
        await store.write(lambda c: pull_forward(c, now, QUICK, math.inf, "test"))
        assert await house.rows("SELECT lease_until FROM chat") == [(until["lease_until"],)]
        await store.write(lambda c: c.execute(update(chat).values(lease_until=None, lease_holder=None, ready_at=None)))
