"""The life of a ticket through the whole pipeline: moves, owners, words, reopening; and the table of moves itself."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import product

import pytest

from bot.flows.progress import FINISHED
from bot.messages import Kind
from bot.store import Store
from bot.verify import verify
from handoff.dialogue import People
from handoff.tickets import MOVES
from tests.handoff.staffed import Staffed

COURSE = "SELECT author, kind, text FROM ticket_word ORDER BY id"
TICKET = "SELECT state, owner, agent_id, closed_at IS NULL, resolved_at IS NULL FROM ticket ORDER BY id"


async def opened(house: Staffed) -> tuple[str, str]:
    """A customer, Anna and Ben, and a ticket that Anna registers: the numbers of conversation and ticket."""
    await house.come("Anna", "Ben")
    await house.hear("hello")
    await house.settled()
    number = await house.number("a")
    told = await house.order("Anna", number, "ticket_open", kind="repair", subject="The camera fell down")
    assert told.state == "done"
    return number, str(told.data["number"])


async def test_a_ticket_goes_its_way(store: Store) -> None:
    async with Staffed(store) as house:
        number, ticket = await opened(house)
        assert await house.rows(TICKET) == [("assigned", "agent", 1, True, True)]
        for state, text in (("waiting_parts", "The lens is ordered."), ("resolved", "It works again.")):
            told = await house.order("Anna", number, "ticket_move", ticket=ticket, state=state, text=text)
            assert told.state == "done"
        assert await house.rows(TICKET) == [("resolved", "agent", 1, True, False)]
        assert (await house.order("Anna", number, "ticket_move", ticket=ticket, state="closed")).state == "done"
        assert await house.rows(TICKET) == [("closed", "agent", 1, False, False)]
        texts = [str(text) for (text,) in await house.rows("SELECT text FROM message WHERE author = 'system'")]
        assert [text.partition("\n")[0].rpartition(" **")[2] for text in texts[1:]] == [
            "waiting for parts**.",
            "resolved**.",
            "closed**.",
        ]
        assert await house.rows(COURSE) == [
            ("agent", "move", "waiting_parts\nThe lens is ordered."),
            ("agent", "move", "resolved\nIt works again."),
            ("agent", "move", "closed"),
        ]
        assert (await store.read(verify))["ok"]


@pytest.mark.parametrize("state", ["waiting_parts", "waiting_customer"])
async def test_what_is_told_of_it_every_day_is_told_once_and_done_with_when_it_moves(store: Store, state: str) -> None:
    alarms = "SELECT settled_at IS NULL FROM alarm WHERE kind IN ('ticket_overdue', 'ticket_waiting') ORDER BY id"
    unfired = "SELECT count(*) FROM timer WHERE kind = 'ticket_due' AND fired_at IS NULL AND due_at < 1"

    async def a_day(house: Staffed) -> None:
        overdue = "UPDATE timer SET due_at = 0 WHERE kind = 'ticket_due' AND fired_at IS NULL"
        await store.write(lambda c: c.exec_driver_sql(overdue))
        house.rounds.wake(0.0)
        while await house.rows(unfired) != [(0,)]:
            await asyncio.sleep(0.02)
        await house.settled()

    async with Staffed(store) as house:
        number, ticket = await opened(house)
        await house.order("Anna", number, "ticket_move", ticket=ticket, state=state, text="Which lens?")
        await house.hear("cancel")
        await house.settled()
        for _ in range(4):
            await a_day(house)
        told = await house.rows(alarms)
        assert len(told) >= 3
        assert told == [(False,)] * (len(told) - 1) + [(True,)]
        await house.order("Anna", number, "ticket_move", ticket=ticket, state="resolved")
        assert await house.rows(alarms) == [(False,)] * len(told)
        assert (await store.read(verify))["ok"]


async def test_a_colleague_takes_it_over_and_notes_stay_inside(store: Store) -> None:
    async with Staffed(store) as house:
        number, ticket = await opened(house)
        await house.come("Cho", presence="offline", teams=["repairs", "r" * 36])
        assert (await house.order("Anna", number, "ticket_own", ticket=ticket, to_agent=2)).state == "done"
        await house.order("Ben", number, "ticket_word", ticket=ticket, text="a grumpy one")
        await house.order("Ben", number, "ticket_word", ticket=ticket, text="On its way.", public=True)
        assert await house.rows(TICKET) == [("assigned", "agent", 2, True, True)]
        assert await house.rows(COURSE) == [("agent", "remark", "a grumpy one"), ("agent", "word", "On its way.")]
        said = " ".join(str(text) for (text,) in await house.rows("SELECT text FROM message"))
        assert "On its way." in said
        assert "grumpy" not in said
        for team in ("gardening", "r" * 36):  # nobody is of it; it is longer than an owner may be
            told = await house.order("Ben", number, "ticket_own", ticket=ticket, to_team=team)
            assert (told.status, told.data["reason"]) == (409, "nobody")
        assert (await house.order("Ben", number, "ticket_own", ticket=ticket, to_team="repairs")).state == "done"
        assert await house.rows(TICKET) == [("assigned", "team:repairs", None, True, True)]


async def test_the_customer_answers_and_reopens(store: Store) -> None:
    async with Staffed(store) as house:
        number, ticket = await opened(house)
        await house.order("Anna", number, "ticket_move", ticket=ticket, state="waiting_customer", text="Which colour?")
        await house.hear("black")
        await house.settled()
        assert await house.rows(TICKET) == [("assigned", "agent", 1, True, True)]
        assert ("customer", "word", "black") in await house.rows(COURSE)
        await house.order("Anna", number, "ticket_move", ticket=ticket, state="resolved")
        await house.hear("", kind=Kind.CHOICE, choice=f"do:reopen:{ticket}")
        await house.settled()
        assert await house.rows(TICKET) == [("reopened", "agent", 1, True, True)]
        assert (await store.read(verify))["ok"]


async def test_after_long_it_goes_on_as_a_new_one(store: Store) -> None:
    async with Staffed(store, people=People(reopen_within=0.0)) as house:
        number, ticket = await opened(house)
        await house.order("Anna", number, "ticket_move", ticket=ticket, state="closed")
        for _ in range(3):  # however often he presses
            await house.hear("", kind=Kind.CHOICE, choice=f"do:reopen:{ticket}")
        await house.settled()
        follows = "SELECT n.kind, o.number FROM ticket n JOIN ticket o ON o.id = n.follows"
        assert await house.rows(follows) == [("repair", ticket)]
        assert (await store.read(verify))["ok"]


async def test_a_ticket_of_somebody_else_is_none(store: Store) -> None:
    async with Staffed(store) as house:
        _, ticket = await opened(house)
        await house.hear("hello", chat="b")
        await house.settled()
        other = await house.number("b")
        told = await house.order("Anna", other, "ticket_move", ticket=ticket, state="resolved")
        assert (told.status, told.data["reason"]) == (409, "gone")
        await house.hear("", chat="b", kind=Kind.CHOICE, choice=f"do:reopen:{ticket}")
        await house.settled()
        assert await house.rows(TICKET) == [("assigned", "agent", 1, True, True)]


@pytest.mark.parametrize(("was", "state"), [*product(MOVES, MOVES)])
def test_every_move_is_in_the_table(was: str, state: str) -> None:
    """What is finished can only be opened again, or closed for good; nothing becomes new again."""
    allowed = state in MOVES[was]
    if was in FINISHED:
        assert allowed == (state == "reopened" or (was, state) == ("resolved", "closed"))
    else:
        assert allowed == (state not in ("new", "reopened"))


@pytest.mark.parametrize("due", ["9999-12-31T23:00:00-05:00", "2020-01-01T00:00:00+00:00", "soon", "0001-01-01"])
async def test_a_time_that_is_none_is_refused(store: Store, due: str) -> None:
    """The row could not be read again, or the ticket would be late at once."""
    async with Staffed(store) as house:
        number, ticket = await opened(house)
        more = {"kind": "repair", "subject": "The lens, too", "due_at": due}
        for told in (
            await house.order("Anna", number, "ticket_open", **more),
            await house.order("Anna", number, "ticket_move", ticket=ticket, state="waiting_parts", due_at=due),
            await house.order("Anna", number, "promise", text="a technician", due_at=due),
        ):
            assert (told.status, told.data["reason"]) == (409, "when")
        assert await house.rows(TICKET) == [("assigned", "agent", 1, True, True)]


async def test_a_time_without_a_zone_is_the_companys(store: Store) -> None:
    async with Staffed(store) as house:
        number, ticket = await opened(house)
        due = (datetime.now(house.policy.hours.zone) + timedelta(days=2)).replace(tzinfo=None, microsecond=0)
        await house.order("Anna", number, "ticket_move", ticket=ticket, state="waiting_parts", due_at=due.isoformat())
        assert await house.rows("SELECT due_at FROM ticket") == [
            (due.replace(tzinfo=house.policy.hours.zone).timestamp(),)
        ]
