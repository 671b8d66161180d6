"""Where a platform counts our messages, agents' words are fitted to what is left, and the desk says how much."""

from __future__ import annotations

import time

from sqlalchemy import update

from bot.messages import Kind
from bot.store import Store
from bot.tables import reply
from channels import Can
from handoff.desks import news
from handoff.desks.threads import Thread
from tests.handoff.staffed import Staffed
from tests.house import Probe

CAN = Can(replies=5, max_text=100, window=48 * 3600.0)


async def test_agents_words_are_fitted_to_the_messages_that_are_left(store: Store) -> None:
    async with Staffed(store, Probe(name="kf"), at=lambda channel, address: CAN) as house:
        await house.come("Bob")
        await house.hear("hello", kind=Kind.TEXT, channel="kf", chat="ann")
        await house.settled()
        number = await house.number("ann", "kf")
        assert (await house.order("Bob", number, "claim")).state == "done"
        assert (await house.order("Bob", number, "say", text="word " * 200)).state == "done"
        sent = "SELECT count(*) FROM reply WHERE body IS NOT NULL AND state <> 'withdrawn'"
        assert await house.rows(sent) == [(5,)]  # and not the ten or more that so many words are
        [(which, chat_id)] = await house.rows("SELECT id, chat_id FROM conversation")
        shown = {"seq": 0, "remark": 0, "fact": 0, "alarm": 0, "settled": 0, "words": {}, "dead": []}
        one = Thread(which, number, "t", shown, chat_id, "kf", "ann", "Ann", "agent", (), busy=False)
        items, _ = await store.read(lambda c: news.items(c, "slack", one, "en", CAN))
        assert items[-1].text.startswith("0 more messages may be sent")
        for name in ("say", "close"):
            told = await house.order("Bob", number, name, text="one more")
            assert (told.state, told.data["reason"]) == ("lost", "window"), name
        assert await house.rows("SELECT text FROM message WHERE text LIKE '%one more%'") == []
        assert (await house.order("Bob", number, "remark", text="call her")).state == "done"
        await house.hear("what now", kind=Kind.TEXT, channel="kf", chat="ann")
        await house.settled()
        assert (await house.order("Bob", number, "say", text="one more")).state == "done"


async def test_what_the_bot_was_about_to_say_uses_none_of_them_up(store: Store) -> None:
    one = Can(replies=1, max_text=100, window=48 * 3600.0)
    async with Staffed(store, Probe(name="kf"), at=lambda channel, address: one) as house:
        await house.come("Bob")
        await house.hear("hello", kind=Kind.TEXT, channel="kf", chat="ann")
        await house.settled()
        later = update(reply).values(state="waiting", due_at=time.time() + 3600)  # as if nobody had begun to send it
        await store.write(lambda c: c.execute(later))
        assert (await house.order("Bob", await house.number("ann", "kf"), "say", text="It is me")).state == "done"
        assert await house.rows("SELECT DISTINCT state FROM reply WHERE seq < 3") == [("withdrawn",)]
