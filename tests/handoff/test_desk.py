"""Agents' commands through the whole pipeline: who wins, what is withdrawn, how soon there is an answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from sqlalchemy import update

from bot import engine
from bot.dialogue import Decision, Need, Turn, Wait
from bot.messages import Inbound, Kind, Reply
from bot.store import Store
from bot.verify import verify
from channels import NotSent
from handoff import accounts
from handoff.access import NotFound
from handoff.dialogue import People
from handoff.hours import Calendar
from handoff.packet import packet
from handoff.settings import Handoff
from handoff.tables import handover
from tests.handoff.staffed import Staffed
from tests.house import QUICK, Probe
from tests.talks import POLICY, START, Chat

SLOW = QUICK.model_copy(update={"backoff": (60.0,) * 4})  # a poison event waits a minute until it is tried again


async def said(house: Staffed) -> list[str]:
    """What the customers were told, and by whom."""
    return [f"{who}: {words}" for who, words in await house.rows("SELECT author, text FROM message ORDER BY seq")]


async def fine(house: Staffed) -> None:
    """Nothing is broken."""
    found = await house.store.read(verify)
    assert found["ok"], found


async def test_two_claim_and_one_wins(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", "Ben")
        for n in range(8):
            await house.hear("human", chat=f"c{n}")
        await house.settled()
        for n in range(8):
            number = await house.number(f"c{n}")
            told = await asyncio.gather(*(house.order(who, number, "claim") for who in ("Anna", "Ben")))
            assert sorted(one.state for one in told) == ["done", "lost"]
            [winner] = [who for who, one in zip(("Anna", "Ben"), told, strict=True) if one.state == "done"]
            [lost] = [one for one in told if one.state == "lost"]
            assert (lost.status, lost.data["reason"], lost.data["by"]) == (409, "taken", winner)
        await fine(house)


async def test_the_same_command_twice_is_done_once(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna")
        await house.hear("human")
        await house.settled()
        number, again = await house.number("a"), partial(house.commands.do, house.actors["Anna"])
        told = await asyncio.gather(*(again(number, "say", {"text": "hello"}, "one key") for _ in range(3)))
        assert [one.state for one in told] == ["done"] * 3
        assert (await said(house)).count("agent: hello") == 1
        assert await house.rows("SELECT count(*) FROM audit WHERE action = 'conversation.say'") == [(1,)]


async def test_a_page_that_is_old_touches_no_other_conversation(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", "Ben")
        old = await house.handed_over()
        await house.order("Anna", old, "close")
        await house.order("Ben", old, "start", text="something new")
        await house.settled()
        assert await house.number("a") != old
        for name in ("say", "start", "reopen", "remark", "claim", "close", "back", "transfer"):
            told = await house.order("Anna", old, name, text="x", take=True)
            assert (told.state, told.data["reason"]) == ("lost", "closed"), name
        made = await house.order("Anna", old, "ticket_open", subject="a hinge")
        assert made.state == "done"  # it is the customer's, whatever is open
        word = await house.order("Anna", made.data["number"], "ticket_word", text="soon")
        assert word.state == "done"
        with pytest.raises(NotFound):
            await house.order("Anna", made.data["number"], "say", text="x")
        assert await house.rows("SELECT agent_id FROM conversation WHERE owner = 'agent'") == [(2,)]
        await fine(house)


async def test_a_command_may_hold_what_no_column_can(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna")
        number = await house.handed_over()
        told = await house.order("Anna", number, "say", text="he\0llo \ud800", lang="\0")
        assert told.state == "done"
        lost = await house.order("Anna", number, "transfer", to_agent=10**30)
        assert (lost.state, lost.data["reason"]) == ("lost", "nobody")
        await fine(house)


async def test_what_the_bot_has_not_begun_to_send_is_withdrawn_and_shown(store: Store) -> None:
    asked = asyncio.Event()

    async def answer(_address: str, reply: Reply) -> None:
        if "Somebody" in reply.text:
            asked.set()
            raise NotSent("429", retry_after=0.3)  # it was tried, and certainly did not go out

    probe = Probe(answer=answer)
    async with Staffed(store, probe) as house:
        await house.come("Anna")
        await house.hear("human", channel="probe")
        await asyncio.wait_for(asked.wait(), 10)
        await house.hear("how long will it take?", channel="probe")
        while len(await house.rows("SELECT id FROM reply")) < 2:
            await asyncio.sleep(0.01)
        told = await house.order("Anna", await house.number("a", "probe"), "say", text="Good morning")
        assert told.state == "done"
        assert told.data["withdrawn"] in ([2, 4], [4])  # the first may have been under way
        await house.settled()
        states = await house.rows(
            "SELECT m.author, r.state FROM reply r JOIN message m USING (chat_id, seq) ORDER BY seq"
        )
        assert states == [("bot", "withdrawn"), ("bot", "withdrawn"), ("system", "sent"), ("agent", "sent")]
        assert [text for _, text, _ in probe.sent][-1] == "Good morning"
        await fine(house)


@pytest.mark.parametrize("behind", ["poison", "backlog", "others"])
async def test_a_command_is_answered_whatever_waits(store: Store, behind: str) -> None:
    stuck = asyncio.Event()

    def decide(turn: Turn) -> Decision | Need | Wait:
        if turn.event.text == "poison":
            stuck.set()
            raise ValueError("no")
        return engine.decide(turn)

    async with Staffed(store, decide=decide, limits=SLOW if behind == "poison" else QUICK) as house:
        await house.come("Anna")
        number = await house.handed_over()
        if behind == "poison":
            await house.hear("poison")
            await house.hear("and more")
            await asyncio.wait_for(stuck.wait(), 10)
        else:
            chats = ["a"] * 300 if behind == "backlog" else [f"c{n}" for n in range(300)]
            words = [Inbound("web", f"w{n}", chat, text="how long?") for n, chat in enumerate(chats)]
            await house.inbox.receive(words)
        told = await house.order("Anna", number, "claim")
        assert told.state == "done"
        if behind != "others":  # these may be done before it has come
            left = await house.rows("SELECT count(*) FROM inbox WHERE state = 'waiting'")
            assert left[0][0] > 0  # it went before what waits


async def test_a_command_that_takes_too_long_is_under_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handoff.commands.PATIENCE", 0.2)

    async with Staffed(store) as house:
        await house.come("Anna")
        number = await house.handed_over()
        await house.store.write(
            lambda c: c.exec_driver_sql("UPDATE chat SET lease_holder = 'somebody', lease_until = 9e9")
        )
        told = await house.order("Anna", number, "claim")
        assert (told.state, told.status) == ("under way", 202)
        await house.store.write(lambda c: c.exec_driver_sql("UPDATE chat SET lease_holder = NULL, lease_until = NULL"))
        await house.settled()
        assert await house.rows("SELECT owner FROM conversation") == [("agent",)]


async def test_a_command_that_fails_is_told_and_the_customer_hears_nothing(store: Store) -> None:
    def decide(turn: Turn) -> Decision | Need | Wait:
        if turn.event.kind is Kind.COMMAND:
            raise ValueError("no")
        return engine.decide(turn)

    async with Staffed(store, decide=decide) as house:
        await house.come("Anna")
        await house.hear("human")
        await house.settled()
        before = await said(house)
        told = await house.order("Anna", await house.number("a"), "claim")
        assert (told.state, told.data["reason"]) == ("lost", "failed")
        assert await said(house) == before
        assert await house.rows("SELECT kind FROM alarm") == [("command_failed",)]
        await fine(house)


async def test_a_fault_hands_over_once_and_then_makes_a_ticket(store: Store) -> None:
    def decide(turn: Turn) -> Decision | Need | Wait:
        if turn.event.text == "poison":
            raise ValueError("no")
        return engine.decide(turn)

    async with Staffed(store, decide=decide) as house:
        await house.come("Anna")
        await house.hear("poison")
        await house.settled()
        assert await house.rows("SELECT owner FROM conversation") == [("queue",)]
        number = await house.number("a")
        assert (await house.order("Anna", number, "claim")).state == "done"
        assert (await house.order("Anna", number, "back")).state == "done"
        await house.hear("poison")
        await house.settled()
        assert await house.rows("SELECT owner FROM conversation") == [("bot",)]
        assert await house.rows("SELECT kind FROM ticket") == [("urgent",)]
        await fine(house)


async def test_the_queue_drains_to_whoever_has_room(store: Store) -> None:
    async with Staffed(store, settings=Handoff()) as house:
        await house.come("Anna", "Ben", capacity=2)
        for n in range(6):
            await house.hear("human", chat=f"c{n}")
        await owned(house, 4)
        loads = await house.rows("SELECT agent_id, count(*) FROM conversation WHERE owner = 'agent' GROUP BY agent_id")
        assert sorted(n for _, n in loads) == [2, 2]
        line = "SELECT conversation_id FROM handover WHERE waiting_since IS NOT NULL ORDER BY waiting_since"
        oldest = (await house.rows(line))[0][0]
        [(number, who)] = await house.rows("SELECT number, agent_id FROM conversation WHERE owner = 'agent' LIMIT 1")
        name = next(name for name, actor in house.actors.items() if actor.id == who)
        await house.order(name, number, "close", reason="solved")
        await owned(house, 4)
        assert (oldest, "agent") in await house.rows("SELECT id, owner FROM conversation")
        await fine(house)


async def test_nobody_is_given_more_than_he_can_take(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", capacity=1)
        for n in range(4):
            await house.hear("human", chat=f"c{n}")
        await house.settled()
        rows = await house.rows(
            "SELECT c.number, c.epoch, h.address FROM conversation c JOIN chat h ON h.id = c.chat_id"
        )
        offers = [
            Inbound(
                "web", f"offer:{number}", chat, Kind.COMMAND, extra={"command": "offer", "agent": 1, "epoch": epoch}
            )
            for number, epoch, chat in rows
        ]
        await house.inbox.receive(offers)  # all at once: only the count under the agent's lock can tell
        await house.settled()
        assert await house.rows("SELECT count(*) FROM conversation WHERE owner = 'agent'") == [(1,)]
        reasons = await house.rows("SELECT data FROM command_result WHERE NOT done")
        assert len(reasons) == 3
        await fine(house)


async def test_who_stays_silent_loses_it_to_the_next(store: Store) -> None:
    async with Staffed(store, settings=Handoff(), people=People(silent_after=0.3)) as house:
        await house.come("Anna")
        await house.hear("human")
        await owned(house, 1)
        await house.come("Ben")
        while await house.rows("SELECT agent_id FROM conversation") != [(2,)]:
            await asyncio.sleep(0.02)
        assert await house.rows("SELECT presence FROM agent WHERE name = 'Anna'") == [("away",)]
        await house.order("Ben", await house.number("a"), "say", text="Here I am")
        await fine(house)


async def test_what_a_disabled_agent_had_goes_back_to_the_line(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", "Ben")
        number = await house.handed_over()
        await house.order("Anna", number, "say", text="hello")

        await house.come("Dan", role="admin")
        await house.store.write(lambda c: accounts.disable(c, house.actors["Anna"].id))
        await fine(house)
        while await house.rows("SELECT owner FROM conversation") != [("queue",)]:
            await asyncio.sleep(0.02)
        assert (await house.order("Anna", number, "claim")).data["reason"] == "nobody"
        assert (await house.order("Ben", number, "claim")).state == "done"
        await fine(house)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # on SQLite one writes at a time
async def test_disabling_takes_chats_before_the_agent_as_a_turn_does(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna")
        await house.come("Dan", role="admin")
        await house.hear("human")
        await house.settled()
        await house.order("Anna", await house.number("a"), "claim")
        await house.settled()
        who = house.actors["Anna"].id
        other = await asyncpg.connect(store.url.set(drivername="postgresql").render_as_string(hide_password=False))
        turn = other.transaction()
        await turn.start()
        await other.execute("SELECT id FROM chat FOR UPDATE")
        disabling = asyncio.create_task(store.write(lambda c: accounts.disable(c, who)))
        while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        await other.execute("SELECT id FROM agent WHERE id = $1 FOR UPDATE NOWAIT", who)  # nobody has it yet
        await turn.rollback()
        await other.close()
        await disabling
        await fine(house)


@pytest.mark.parametrize(  # a turn has both, before it promises something on a ticket
    "held", ["SELECT id FROM chat FOR NO KEY UPDATE", "SELECT id FROM customer FOR NO KEY UPDATE"]
)
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # on SQLite one writes at a time
async def test_disabling_takes_whose_tickets_he_has_before_the_agent(store: Store, held: str) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", "Ben")
        await house.come("Dan", role="admin")
        await house.hear("human")
        await house.settled()
        number, who = await house.number("a"), house.actors["Anna"].id
        await house.order("Anna", number, "ticket_open", subject="it hums")
        await house.order("Ben", number, "claim", take=True)
        await house.settled()
        assert await house.rows("SELECT agent_id FROM ticket WHERE agent_id IS NOT NULL") == [(who,)]
        assert await house.rows("SELECT agent_id FROM conversation") == [(house.actors["Ben"].id,)]
        other = await asyncpg.connect(store.url.set(drivername="postgresql").render_as_string(hide_password=False))
        turn = other.transaction()
        await turn.start()
        await other.execute(held)
        disabling = asyncio.create_task(store.write(lambda c: accounts.disable(c, who)))
        while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") and not disabling.done():
            await asyncio.sleep(0.01)
        assert not disabling.done()
        await other.execute("SELECT id FROM ticket FOR NO KEY UPDATE")
        await other.execute("SELECT id FROM agent WHERE id = $1 FOR SHARE NOWAIT", who)  # nobody has it yet
        await turn.rollback()
        await other.close()
        await disabling
        await fine(house)


async def test_people_are_told_what_they_need_to_know(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna")
        await house.hear("open a ticket for me")
        await house.hear("My router AX3000 has no light since yesterday, I want to talk to a person")
        await house.settled()
        number = await house.number("a")
        known = await store.read(lambda c: packet(c, number))
        assert known is not None
        assert (known.reason, known.language) == ("asked", "en")
        assert "no light since yesterday" in known.question
        assert known.slots == {"product": "AX3000"}
        assert known.lines[-1][0] == "bot"
        assert ("customer", "open a ticket for me") in known.lines
        assert await store.read(lambda c: packet(c, "C-NOBODYS0")) is None


@pytest.mark.parametrize("to", ["\u00b2", "9" * 25, "99999999999999999", "-1"])
async def test_what_is_no_id_is_nobody(store: Store, to: str) -> None:
    async with Staffed(store) as house:
        await house.come("Anna")
        number = await house.handed_over()
        await house.order("Anna", number, "claim")
        told = await house.order("Anna", number, "transfer", to_agent=to)
        assert (told.state, told.data["reason"]) == ("lost", "nobody")


async def test_a_rating_is_that_of_whoever_served(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna", "Ben")
        number = await house.handed_over()
        await house.order("Anna", number, "say", text="hello")
        await house.order("Anna", number, "transfer", to_agent=house.actors["Ben"].id)
        await house.order("Ben", number, "close", reason="solved")
        await house.hear("", kind=Kind.CHOICE, choice=f"rate:{number}:1:2")
        await house.settled()
        assert await house.rows("SELECT score, agent_id FROM check_rating") == [(2, house.actors["Ben"].id)]
        await house.hear("human")
        await house.settled()
        line = await house.rows("SELECT wants FROM handover ORDER BY conversation_id DESC LIMIT 1")
        assert f'"preferred":{house.actors["Ben"].id}' in str(line[0][0]).replace("'", '"').replace(": ", ":")
        await fine(house)


async def test_danger_alarms_the_owner_and_everybody_who_leads(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Anna")
        await house.hear("my router is on fire")
        await house.settled()
        number = await house.number("a")
        assert await house.rows("SELECT priority, reason FROM handover") == [(0, "emergency")]
        await house.order("Anna", number, "claim")
        await house.hear("now there is smoke, too")
        await house.settled()
        alarms = await house.rows("SELECT kind, agent_id, settled_at FROM alarm ORDER BY id")
        assert alarms == [("emergency", None, None), ("emergency", house.actors["Anna"].id, None)]
        await fine(house)


async def test_without_agents_everything_is_as_before(store: Store) -> None:
    async with Staffed(store) as house:
        await house.hear("human")
        await house.settled()
        assert await house.rows("SELECT owner FROM conversation") == [("bot",)]
        assert await house.rows("SELECT kind FROM ticket") == [("urgent",)]
        assert any("urgent ticket" in line for line in await said(house))
        await fine(house)


async def owned(house: Staffed, count: int) -> None:
    """Until so many conversations are agents'."""
    async with asyncio.timeout(10):
        while (await house.rows("SELECT count(*) FROM conversation WHERE owner = 'agent'")) != [(count,)]:
            await asyncio.sleep(0.02)


async def test_who_wants_no_words_is_not_begun_with(store: Store) -> None:
    """A command that is refused leaves nothing behind, and is no poison."""
    async with Staffed(store) as house:
        await house.come("Anna")
        await house.hear("hello")
        await house.hear("stop messaging me")
        await house.settled()
        number = await house.number("a")
        for words, reason in (("Hello", "stopped"), ("", "empty")):
            told = await house.order("Anna", number, "start", text=words)
            assert (told.status, told.data["reason"]) == (409, reason)
        assert await house.rows("SELECT owner FROM conversation") == [("none",)]
        assert not await house.rows("SELECT kind FROM alarm")
        await fine(house)


async def test_who_was_in_the_line_before_waits_anew(store: Store) -> None:
    """His place is the old one; how long he waited is counted from when he was put there again."""
    async with Staffed(store, people=People(give_up_after=60.0)) as house:
        await house.come("Anna", "Ben")
        await house.come("Cho", role="supervisor", teams=["repairs"])
        number = await house.handed_over()
        long_ago = update(handover).values(wants={"since": "2026-01-01T00:00:00+00:00"})
        assert (await house.order("Anna", number, "claim")).state == "done"
        await house.store.write(lambda c: c.execute(long_ago))
        assert (await house.order("Anna", number, "transfer", to_team="repairs")).state == "done"
        [(since,)] = await house.rows("SELECT waiting_since FROM handover")
        assert since < 1.77e9
        await house.store.write(lambda c: c.exec_driver_sql("UPDATE timer SET due_at = 0 WHERE kind = 'queue'"))
        house.rounds.wake(0.0)
        while await house.rows("SELECT id FROM timer WHERE due_at = 0 AND fired_at IS NULL"):
            await house.settled()
        assert await house.rows("SELECT owner FROM conversation") == [("queue",)]
        assert (await house.order("Cho", number, "claim")).state == "done"
        waited = [data for (data,) in await house.rows("SELECT data FROM fact WHERE kind = 'served' ORDER BY id")]
        facts = [json.loads(one) if isinstance(one, str) else one for one in waited]
        assert all(fact["waited"] < 60 for fact in facts)
        assert len(facts) == 2
        await fine(house)


async def test_last_words_take_the_floor_as_any_do(store: Store) -> None:
    """What a colleague has is not spoken into; what nobody has is taken first; files are words, too."""
    async with Staffed(store) as house:
        await house.come("Anna", "Ben")
        await house.come("Cho", role="supervisor")
        number = await house.handed_over()
        assert (await house.order("Anna", number, "claim")).state == "done"
        told = await house.order("Cho", number, "close", text="All done.")
        assert (told.status, told.data["reason"], told.data["by"]) == (409, "taken", "Anna")
        assert (await house.order("Anna", number, "back")).state == "done"
        assert (await house.order("Ben", number, "close", text="All done.")).state == "done"
        assert (await said(house))[-2:] == [
            "system: You're now talking with Ben, who can read everything you've told us so far.",
            "agent: All done.",
        ]
        assert await house.rows("SELECT owner, served_by FROM conversation") == [("none", 2)]
        await fine(house)


async def test_a_command_shows_no_words_whatever_it_holds(store: Store) -> None:
    """Only the platform's own notice tells what its people said."""
    async with Staffed(store) as house:
        await house.come("Anna")
        await house.hear("human")
        await house.settled()
        before = await said(house)
        told = await house.order("Anna", await house.number("a"), "remark", text="grumpy", notice="agent")
        assert told.state == "done"
        assert await said(house) == before
        await fine(house)


async def test_what_the_platforms_people_took_is_offered_to_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It left our line, and an offer that comes too late wakes nobody to make the next one."""
    woken: list[bool] = []
    async with Staffed(store) as house:
        await house.come("Anna")
        await house.hear("human")
        await house.settled()
        await house.hear("", kind=Kind.NOTICE, extra={"notice": "taken"})
        await house.settled()
        assert await house.rows("SELECT owner FROM conversation") == [("bot",)]
        assert await house.rows("SELECT waiting_since FROM handover") == [(None,)]
        assert not await house.rows("SELECT id FROM timer WHERE kind = 'queue' AND fired_at IS NULL")
        monkeypatch.setattr(house.dispatch, "wake", lambda: woken.append(True))
        late = {"command": "offer", "agent": 1, "epoch": 0}
        await house.inbox.receive([Inbound("web", "offer", "a", Kind.COMMAND, extra=late)])
        await house.settled()
        [(data,)] = await house.rows("SELECT data FROM command_result")
        assert "gone" in str(data)
        assert not woken
        await fine(house)


def test_a_time_without_its_zone_is_meant_by_the_companys_clock() -> None:
    shanghai = replace(POLICY, hours=Calendar(zone=ZoneInfo("Asia/Shanghai")))
    chat = Chat(policy=shanghai)
    chat.desks.come("Anna")
    chat.write("human")
    assert chat.command({"command": "snooze", "agent": 1, "until": "2026-03-02T20:00"}) == ["* refused: nobodys"]
    chat.command({"command": "claim", "agent": 1})
    chat.command({"command": "snooze", "agent": 1, "until": "2026-03-02T20:00"})
    assert [due for (_, kind), (due, _) in chat.timers.items() if kind == "snoozed"] == [START + timedelta(hours=3)]
    for until in ("2026-03-02T16:00", "soon", None, "2027-01-01T00:00+00:00"):
        assert chat.command({"command": "snooze", "agent": 1, "until": until}) == ["* refused: when"]
