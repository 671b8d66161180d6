"""The stream of a page: only what its reader may see, and an end he notices when it can bring no more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Engine, event, insert, select, update

from bot.hub import BACKLOG
from bot.inbox import chat_id
from bot.tables import chat, conversation, message
from handoff import sessions
from handoff.console.gate import Asked
from handoff.console.live import Live, Stream
from handoff.console.look import Look
from handoff.reading import talks
from handoff.tables import agent, handover, remark
from tests.handoff.conftest import Desk

OWN = "C-REPAIR00"


async def stream(desk: Desk, login: str, hub: Any = None) -> Stream:
    """A page of this login's that shows the conversation of the repair team."""

    def begin(c: Connection) -> sessions.Session | None:
        return sessions.find(c, sessions.begin(c, desk.ids[login], "test"))

    session = await desk.app.store.write(begin)
    house: Any = SimpleNamespace(store=desk.app.store, hub=hub or desk.app.hub)
    request: Any = SimpleNamespace()
    asked = Asked(house, request, Look("en"), session)
    here = await asked.read(lambda c: talks.talk(c, asked.actor, OWN))
    return Stream(asked, Live(house), {**here, "from_seq": 0}, 0)


def _elsewhere(c: Connection) -> None:
    """The same customer's next matter is the other team's."""
    now, here = time.time(), chat_id("web", "address repair")
    c.execute(update(conversation).where(conversation.c.number == OWN).values(owner="none", closed_at=now))
    matter = {"number": "C-SECRET00", "chat_id": here, "customer_id": 1, "owner": "queue", "opened_at": now}
    its = c.scalar(insert(conversation).values(matter).returning(conversation.c.id))
    held = {"conversation_id": its, "reason": "asked", "priority": 2, "wants": {"team": "sales"}, "waiting_since": now}
    c.execute(insert(handover).values(held))
    said = {"chat_id": here, "seq": 2, "conversation_id": its, "author": "customer", "text": "for sales only"}
    c.execute(insert(message).values(**said, created_at=now))
    c.execute(update(chat).where(chat.c.id == here).values(message_seq=2))


async def test_another_teams_matter_of_the_same_customer_is_not_shown(desk: Desk) -> None:
    await desk.app.store.write(_elsewhere)
    for login, shown in (("anna", False), ("root", True)):
        page = await stream(desk, login)
        for seq in (1, 2):
            page._talk.append({"event": "message", "seq": seq, "data": {"text": f"message {seq}"}})
        told = b"".join(await page._said()).decode()
        assert ("message 1" in told, "message 2" in told) == (True, shown)
        await desk.let_in(login)
        older = await desk.ask(login, "GET", f"/conversations/{OWN}/older?before=9")
        assert ("words for repair" in older.text, "for sales only" in older.text) == (True, shown)


class Mute:
    """A hub whose streams end, or never stop, as told."""

    over = False

    def __init__(self, said: int) -> None:
        self.said, self.closed = said, False

    async def follow(self, *_: Any) -> AsyncIterator[dict[str, Any] | None]:
        """So many messages at once."""
        try:
            for n in range(self.said):
                yield {"event": "typing", "seq": None, "data": {"n": n}}
        finally:
            self.closed = True


async def test_a_stream_that_can_bring_no_more_ends(desk: Desk) -> None:
    for said, brought in ((0, 0), (3, 3), (BACKLOG + 5, BACKLOG)):
        page = await stream(desk, "root", hub := Mute(said))
        page._live._pulse = asyncio.create_task(asyncio.sleep(0))
        async with asyncio.timeout(30):
            frames = [frame async for frame in page.frames()]
        assert b"".join(frames).count(b"event: typing") == brought
        assert hub.closed


# ---------------------------------------------------------------- one look for all pages


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the database meanwhile, by anybody."""
    asked: list[str] = []

    def count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", count)


async def opened(desk: Desk, live: Live, logins: Sequence[str]) -> list[Stream]:
    """A page of each login's on the same pulse, which has looked around once."""
    live._pulse = asyncio.create_task(asyncio.sleep(3600))  # beats when the test says so
    pages = []
    for login in logins:
        page = await stream(desk, login)
        page._live = live
        live.enter(page)
        pages.append(page)
    await beat(live)
    for page in pages:
        page._news()
    return pages


async def beat(live: Live) -> None:
    """One beat, as after a commit a while after the last."""
    live._lists_due, live._listed, live._checked = True, -1e9, -1e9
    await live.trusted()
    await live._look()


def noted(c: Connection) -> None:
    """A remark on the conversation."""
    its = select(conversation.c.id).where(conversation.c.number == OWN).scalar_subquery()
    c.execute(insert(remark).values(conversation_id=its, agent_id=1, text="look twice", created_at=time.time()))


async def test_many_pages_of_the_same_people_cost_one_read(desk: Desk) -> None:
    costs = []
    for many in (1, 20):
        live = Live(desk.app)
        pages = await opened(desk, live, ["anna", "root"] * many)
        await desk.app.store.write(noted)
        with statements() as asked:
            await beat(live)
            told = [b"".join([*await page._said(), *page._news()]) for page in pages]
        costs.append(len(asked))
        assert all(b"look twice" in one and b"event: counts" in one for one in told)
    assert costs[0] == costs[1] > 5


async def test_a_message_goes_out_without_a_read(desk: Desk) -> None:
    live = Live(desk.app)
    page, *_ = await opened(desk, live, ["anna"])
    own = page.here["id"] if page.here else 0
    with statements() as asked:
        page._talk.append({"event": "message", "seq": 2, "data": {"text": "straight on"}, "of": own})
        assert b"straight on" in b"".join(await page._said())
    assert asked == []


async def test_what_has_not_changed_is_not_told(desk: Desk) -> None:
    live = Live(desk.app)
    pages = await opened(desk, live, ["anna", "root"])
    await live._look()  # at once: the lists have just been told
    assert [page._news() for page in pages] == [[], []]


async def test_a_refresh_that_comes_too_soon_is_made_up_for(desk: Desk) -> None:
    live = Live(desk.app)
    page, *_ = await opened(desk, live, ["anna"])
    live._lists_due = True
    await live._look()
    assert page._news() == []
    live._listed = -1e9
    await live._look()
    assert b"event: counts" in b"".join(page._news())


async def test_who_comes_later_gets_what_was_before(desk: Desk) -> None:
    live = Live(desk.app)
    first, *_ = await opened(desk, live, ["anna"])
    await desk.app.store.write(noted)
    await beat(live)
    assert b"look twice" in b"".join(first._news())
    second, *_ = await opened(desk, live, ["root"])
    later = await stream(desk, "root")
    live.enter(later)
    await beat(live)
    assert b"look twice" in b"".join(later._news())
    assert b"look twice" not in b"".join(first._news() + second._news())


async def test_who_may_no_longer_see_a_conversation_hears_nothing_of_it(desk: Desk) -> None:
    live = Live(desk.app)
    anna, root = await opened(desk, live, ["anna", "root"])
    other = {"team": "sales"}
    its = select(conversation.c.id).where(conversation.c.number == OWN).scalar_subquery()

    def moved(c: Connection) -> None:
        c.execute(update(handover).where(handover.c.conversation_id == its).values(wants=other))
        c.execute(update(conversation).where(conversation.c.number == OWN).values(epoch=conversation.c.epoch + 1))
        noted(c)

    await desk.app.store.write(moved)
    await beat(live)
    own = anna.here["id"] if anna.here else 0
    for page, sees in ((anna, False), (root, True)):
        beside = b"".join(page._news())
        page._talk.append({"event": "message", "seq": 1, "data": {"text": "words for repair"}, "of": own})
        said = b"".join(await page._said())
        assert (b"look twice" in beside, b"words for repair" in said) == (sees, sees)


async def test_pages_of_who_is_disabled_or_gets_another_role_end(desk: Desk) -> None:
    live = Live(desk.app)
    anna, sam, root = await opened(desk, live, ["anna", "sam", "root"])

    def changed(c: Connection) -> None:
        c.execute(update(agent).where(agent.c.id == desk.ids["anna"]).values(disabled_at=time.time()))
        c.execute(update(agent).where(agent.c.id == desk.ids["sam"]).values(teams=["sales"]))

    await desk.app.store.write(changed)
    await beat(live)
    assert [page._ended for page in (anna, sam, root)] == [True, True, False]
    assert b"event: bye" in b"".join([frame async for frame in anna.frames()])


async def test_an_open_page_hears_what_nobody_here_told_until_its_reader_may_no_longer(desk: Desk) -> None:
    page = await stream(desk, "anna")

    async def until(what: bytes) -> None:
        async for frame in frames:
            if what in frame:
                return
        raise AssertionError("the stream has ended")

    def disabled(c: Connection) -> None:
        c.execute(update(agent).where(agent.c.id == desk.ids["anna"]).values(disabled_at=time.time()))

    frames = page.frames()
    async with asyncio.timeout(30):
        await until(b"words for repair")
        await desk.app.store.write(noted)  # as another process would
        await until(b"look twice")
        await desk.app.store.write(disabled)
        await until(b"event: bye")
        assert [frame async for frame in frames] == []
