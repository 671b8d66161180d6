"""Promises through the whole pipeline: kept with a proof, moved in time, broken by nobody's word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from bot.store import Store
from bot.verify import verify
from tests.handoff.staffed import Staffed

OVERDUE = text("UPDATE timer SET due_at = 0 WHERE kind = 'promise_due' AND fired_at IS NULL")
PROMISES = "SELECT state, proof, follows FROM promise ORDER BY id"


def in_hours(n: float) -> str:
    """So many hours from now."""
    return (datetime.now(UTC) + timedelta(hours=n)).isoformat()


async def promised(house: Staffed) -> tuple[str, str]:
    """Anna, a customer, and her word: the numbers of conversation and promise."""
    await house.come("Anna")
    await house.hear("hello")
    await house.settled()
    number = await house.number("a")
    told = await house.order("Anna", number, "promise", text="a technician on site", due_at=in_hours(5))
    return number, str(told.data["promise"])


async def test_a_promise_is_moved_and_kept(store: Store) -> None:
    async with Staffed(store) as house:
        number, first = await promised(house)
        moved = await house.order(
            "Anna", number, "promise_end", promise=first, state="renegotiated", due_at=in_hours(9)
        )
        second = str(moved.data["promise"])
        told = await house.order("Anna", number, "promise_end", promise=second, state="kept", proof="his photo")
        assert told.state == "done"
        assert await house.rows(PROMISES) == [("renegotiated", "", None), ("kept", "his photo", 1)]
        assert await house.rows("SELECT count(*) FROM timer WHERE subject LIKE 'promise:%'") == [(0,)]
        assert (await store.read(verify))["ok"]


async def test_what_nobody_speaks_of_is_broken_and_the_customer_hears_it(store: Store) -> None:
    async with Staffed(store) as house:
        number, promise = await promised(house)
        for _ in range(2):  # it falls due, its owner is asked; and half an hour later
            await store.write(lambda c: c.execute(OVERDUE))
            house.rounds.wake(0.0)
            await house.settled(seconds=20)
            while await house.rows("SELECT id FROM timer WHERE due_at = 0 AND fired_at IS NULL"):
                await house.settled(seconds=20)
        assert await house.rows(PROMISES) == [("broken", "", None)]
        alarms = [kind for (kind,) in await house.rows("SELECT kind FROM alarm ORDER BY id")]
        assert alarms == ["promise_due", "promise_broken"]
        said = [str(words) for (words,) in await house.rows("SELECT text FROM message WHERE author = 'system'")]
        assert "I am sorry" in said[-1]
        late = await house.order("Anna", number, "promise_end", promise=promise, state="kept", proof="at last")
        assert (late.status, late.data["reason"]) == (409, "gone")
        assert (await store.read(verify))["ok"]


async def test_a_promise_about_somebody_elses_ticket_is_none(store: Store) -> None:
    async with Staffed(store) as house:
        number, _ = await promised(house)
        await house.hear("hello", chat="b")
        await house.settled()
        other = await house.order("Anna", await house.number("b"), "ticket_open", kind="repair", subject="The lens")
        about = {"text": "a technician", "due_at": in_hours(5)}
        for ticket in (other.data["number"], "T-NOBODYS0"):
            told = await house.order("Anna", number, "promise", ticket=ticket, **about)
            assert (told.status, told.data["reason"]) == (409, "gone")
        own = await house.order("Anna", number, "ticket_open", kind="repair", subject="The camera")
        assert (await house.order("Anna", number, "promise", ticket=own.data["number"], **about)).state == "done"
        assert await house.rows("SELECT count(*) FROM promise WHERE ticket_id IS NOT NULL") == [(1,)]
