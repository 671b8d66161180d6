"""Words that wait for more: decided together, dead together, and in the conversation that they open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot import failure
from bot.dead import retry
from bot.dialogue import Decision, Say, Turn, Wait
from bot.messages import Kind, Reply
from bot.store import Store
from bot.verify import verify
from tests.house import House, echo


async def test_words_of_a_burst_are_decided_together(store: Store) -> None:
    def decide(turn: Turn) -> Decision | Wait:
        if turn.event.kind is Kind.TEXT and not turn.event.text.endswith("?"):
            return Wait(turn.now + timedelta(seconds=0.3 if turn.event.text == "alone" else 30))
        return echo(turn)

    async with House(store, decide=decide) as house:
        for n, words in enumerate(["my router", "is slow", "why?"], 1):
            await house.hear(words, key=f"k{n}")
        await house.settled()
        rows = await house.rows("SELECT dedup_key, outcome, turn_id FROM check_inbox ORDER BY id")
        assert rows == [("k1", "merged", 3), ("k2", "merged", 3), ("k3", "replied", 3)]
        assert ("echo my router is slow why?",) in await house.rows("SELECT text FROM message")
        await house.hear("alone", key="k4")
        await house.settled()
        rows = await house.rows("SELECT outcome, turn_id FROM check_inbox WHERE id > 3 ORDER BY id")
        assert rows == [("replied", 4), ("timer", 4)]
        assert await house.rows("SELECT cause_inbox_id FROM check_reply WHERE seq > 4") == [(4,)]


@pytest.mark.parametrize("last", ["why?", ""])
async def test_the_first_words_of_a_burst_belong_to_the_conversation_that_it_opens(store: Store, last: str) -> None:
    def decide(turn: Turn) -> Decision | Wait:
        if turn.event.kind is Kind.TEXT and not turn.event.text.endswith(("?", "!")):
            return Wait(turn.now + timedelta(seconds=30 if last else 0.3))
        return Decision(turn.talk, (Say(Reply("hm")),)) if turn.event.text.endswith("!") else echo(turn)

    async with House(store, decide=decide) as house:
        await house.hear("of no matter!")  # nothing is opened by it
        for words in filter(None, ["my router", "is slow", last]):
            await house.hear(words)
        await house.hear("my camera", chat="b")
        await house.hear("what?", chat="b")
        await house.settled()
        said = """SELECT m.text, c.number IS NOT NULL FROM message m LEFT JOIN conversation c
            ON c.id = m.conversation_id AND c.chat_id = m.chat_id WHERE m.author = 'customer'"""
        rows = {text: bool(its) for text, its in await house.rows(said)}
        belong = filter(None, ["my router", "is slow", last, "my camera", "what?"])
        assert rows == {"of no matter!": False, **dict.fromkeys(belong, True)}
    assert (await store.read(verify))["ok"]


@pytest.mark.parametrize("last", ["bad?", ""])
async def test_the_words_of_a_turn_that_dies_die_with_it_and_can_be_tried_again(store: Store, last: str) -> None:
    broken = True

    def decide(turn: Turn) -> Decision | Wait:
        if turn.event.kind is Kind.TEXT and not turn.event.text.endswith("?"):
            return Wait(turn.now + timedelta(seconds=30 if last else 0.3))
        if broken and turn.talk.pending:
            raise ValueError("no")
        return echo(turn)

    async with House(store, decide=decide, apologise=failure.apologise) as house:
        for words in filter(None, ["my router", last]):
            await house.hear(words)
        await house.settled()
        states = await house.rows("SELECT state, outcome, turn_id, error IS NULL FROM inbox ORDER BY id")
        assert states == [("dead", None, None, False)] * 2  # the words, and what ended the burst
        said = await house.rows("SELECT text FROM message WHERE author = 'bot'")
        assert ["went wrong" in words for (words,) in said] == [True, False]  # once, and what he should know
        assert (await store.read(verify))["ok"]
        broken = False
        assert await store.write(lambda c: retry(c, ["all"])) == 2
        house.worker.wake()
        await house.settled()
        assert (f"echo my router {last or 'burst'}",) in await house.rows("SELECT text FROM message")
    assert (await store.read(verify))["ok"]
