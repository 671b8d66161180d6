"""What a desk is told of its conversations."""

from __future__ import annotations

from bot.messages import Attachment
from bot.store import Store
from channels import Can
from handoff.desks import news
from handoff.desks.threads import Thread
from tests.handoff.staffed import Staffed


async def test_all_files_of_a_note_are_shown(store: Store) -> None:
    async with Staffed(store) as house:
        await house.come("Bob")
        await house.hear("human", chat="ann")
        await house.settled()
        number = await house.number("ann")
        files = [Attachment(f"f{n}", f"{n}.png", "image/png", 9) for n in range(3)]
        told = await house.commands.do(house.actors["Bob"], number, "remark", {"text": "look"}, "k", files)
        assert told.state == "done"
        [(which, chat_id, seq)] = await house.rows(
            "SELECT c.id, c.chat_id, k.message_seq FROM conversation c JOIN chat k ON k.id = c.chat_id"
        )
        shown = {"seq": seq, "remark": 0, "fact": 10**6, "alarm": 10**6, "settled": seq, "words": {}, "dead": []}
        one = Thread(which, number, "t", shown, chat_id, "web", "ann", "Ann", "agent", (), busy=False)
        items, _ = await store.read(lambda c: news.items(c, "slack", one, "en", Can()))
        assert [[file.name for file in item.files] for item in items] == [["0.png"], ["1.png"], ["2.png"]]
        assert [bool(item.text) for item in items] == [True, False, False]
        assert [bool(item.mark) for item in items] == [False, False, True]  # told when all is
