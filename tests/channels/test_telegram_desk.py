"""The agents' desk in a Telegram group, through the whole application, with a customer in the web chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from channels import Budget
from tests.channels.desks import PNG, Firm, eventually, opened, settings
from tests.wire.telegram import DESK, TOKEN
from tests.wire.telegram import Telegram as Platform

BOB = {"id": 501, "is_bot": False, "first_name": "Bob", "language_code": "en"}
EVE = {"id": 502, "is_bot": False, "first_name": "Eve", "language_code": "en"}
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}


class Scene:
    """Telegram, the firm, and what its agents write in their group."""

    def __init__(self, platform: Platform, firm: Firm) -> None:
        self.platform, self.firm = platform, firm

    async def shown(self, words: str, topic: int = 0) -> dict[str, Any]:
        """The post at the desk that holds these words, once it is there."""

        def found() -> Any:
            there = (m for m in self.platform.shown[DESK["id"]] if words in m.get("text", m.get("caption", "")))
            return next((m for m in there if topic in (0, m.get("message_thread_id"))), None)

        try:
            post: dict[str, Any] = await eventually(found)
        except AssertionError:
            raise AssertionError((words, self.platform.shown[DESK["id"]], self.platform.calls[-3:])) from None
        return post

    async def topic(self, number: str) -> int:
        """The topic of a conversation, once its packet is there."""
        post = await self.shown("Whatever is written here")
        head = await self.shown(number)
        assert number in self.platform.topics[head["message_thread_id"]]
        assert post["message_thread_id"] == head["message_thread_id"]
        return int(head["message_thread_id"])

    def say(self, text: str, topic: int, user: Any = BOB, **more: Any) -> dict[str, Any]:
        """Somebody writes in a topic."""
        return self.platform.say(text, user=user, chat=DESK, message_thread_id=topic, is_topic_message=True, **more)


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    """Telegram."""
    one = Platform()
    async with one.running():
        yield one


@pytest.fixture
def config(platform: Platform, database: str, tmp_path: Path, index: Path) -> Any:
    """Telegram with a desk, asked by polling."""
    (tmp_path / "index").symlink_to(index)
    own = {"token": TOKEN, "api_url": platform.url, "desk": str(DESK["id"]), "poll_seconds": 1.0, "poll_pause": 0.05}
    return settings(database, tmp_path, type="telegram", **own)


@pytest.fixture
async def scene(platform: Platform, config: Any) -> AsyncIterator[Scene]:
    """Bob and Eve are agents; nobody else counts."""
    async with opened(config, "telegram") as firm:
        await firm.staff(bob=("agent", "501"), eve=("agent", "502"))
        throttled = firm.app.desks["telegram"]._throttled
        throttled._all._budget = throttled._news._budget = Budget()
        yield Scene(platform, firm)


async def test_a_conversation_in_a_topic_from_the_handoff_to_its_end(scene: Scene) -> None:
    number = await scene.firm.asks()
    topic = await scene.topic(number)
    head = await scene.shown(number)
    assert "my router makes noises" in head["text"]
    query = scene.platform.press(head, "Claim", BOB)
    assert (await scene.platform.ended(query))["id"] == query  # at once, whatever comes of it
    await scene.shown("Bob has it.", topic)
    scene.platform.press(head, "Claim", EVE)
    await scene.shown("Not done: Bob has it.", topic)

    said = scene.say("Hello there", topic)
    await scene.firm.heard("Hello there")
    scene.platform.edit(said, "Hello, Ann")
    await scene.firm.until("SELECT 1 FROM message WHERE author = 'agent' AND text LIKE '%corrected%Hello, Ann%'")
    scene.platform.files["how"] = PNG
    photo = [{"file_id": "how", "file_unique_id": "how", "width": 1, "height": 1, "file_size": len(PNG)}]
    scene.say("", topic, photo=photo, caption="do it like this")
    await scene.firm.heard("do it like this")
    await scene.firm.write("thank you")
    await scene.shown("thank you", topic)

    scene.say("！备注 很客气", topic)
    await scene.shown("很客气", topic)
    hidden = scene.say("!note he pays late", topic)
    await scene.shown("he pays late", topic)
    scene.platform.edit(hidden, "he pays late")
    await scene.shown("The change was not sent", topic)
    scene.say("!transfer eve please", topic)
    await scene.shown("Eve has it.", topic)
    scene.say("!close", topic, EVE)
    await scene.shown("Closed", topic)
    await scene.firm.until("SELECT 1 FROM desk_place WHERE NOT live")
    said_to_her = await scene.firm.to_customer()
    assert "客气" not in said_to_her
    assert "pays late" not in said_to_her
    assert {c for (c,) in await scene.firm.rows("SELECT channel FROM chat")} == {"web"}


async def test_an_album_is_a_note_if_any_of_its_words_are(scene: Scene) -> None:
    topic = await scene.topic(await scene.firm.asks())
    scene.say("mine", topic)
    await scene.firm.heard("mine")
    scene.platform.files |= {"a": PNG, "b": PNG + b"b"}
    for n, (file, words) in enumerate((("a", {}), ("b", {"caption": "!note her passport"}))):
        photo = [{"file_id": file, "file_unique_id": file, "width": 1, "height": 1, "file_size": 70 + n}]
        scene.say("", topic, photo=photo, media_group_id="77", **words)
    await scene.firm.until("SELECT count(*) FROM remark", [(2,)])
    assert await scene.firm.rows("SELECT 1 FROM message WHERE author = 'agent' AND attachments IS NOT NULL") == []
    assert "passport" not in await scene.firm.to_customer()


async def test_what_no_column_holds_stops_nobody(scene: Scene) -> None:
    topic = await scene.topic(await scene.firm.asks())
    odd = {"file_id": "d\0\ud800", "file_unique_id": "d", "file_name": "x.pdf", "mime_type": "a\0/\ud800"}
    scene.say("", topic, document=odd)
    scene.say("", topic, BOB | {"id": "\0\ud800"})  # as nobody sends it
    scene.say("go on", topic)
    await scene.firm.heard("go on")
    await scene.shown("x.pdf is not taken", topic)


async def test_nobody_who_hides_or_passes_on_counts(scene: Scene) -> None:
    topic = await scene.topic(await scene.firm.asks())
    scene.say("I am hidden", topic, ANONYMOUS, sender_chat=DESK)
    scene.say("I am a machine", topic, BOB | {"is_bot": True})
    scene.say("I am passed on", topic, forward_origin={"type": "user", "date": 1, "sender_user": EVE})
    scene.say("I am a stranger", topic, {"id": 999, "is_bot": False, "first_name": "X"})
    scene.platform.say("among ourselves", user=BOB, chat=DESK)
    await scene.firm.until("SELECT count(*) FROM audit WHERE action = 'desk_ignored'", [(4,)])
    scene.say("the end", topic)
    await scene.firm.heard("the end")
    said = await scene.firm.to_customer()
    assert "I am" not in said
    assert "ourselves" not in said
    assert {c for (c,) in await scene.firm.rows("SELECT channel FROM chat")} == {"web"}


async def test_a_topic_that_was_deleted_is_opened_anew(scene: Scene) -> None:
    number = await scene.firm.asks()
    topic = await scene.topic(number)
    scene.platform.topics.clear()
    await scene.firm.write("are you there?")
    await eventually(lambda: [t for t in scene.platform.topics if t != topic])
    other = next(t for t in scene.platform.topics if t != topic)
    await scene.shown("Whatever is written here", other)
    scene.say("yes", other)
    await scene.firm.heard("yes")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_in_a_group_without_topics_replies_tell_what_is_meant(platform: Platform, config: Any) -> None:
    platform.forum = False
    async with opened(config, "telegram") as firm:
        await firm.staff(bob=("agent", "501"))
        throttled = firm.app.desks["telegram"]._throttled
        throttled._all._budget = throttled._news._budget = Budget()
        scene = Scene(platform, firm)
        number = await firm.asks()
        packet = await scene.shown("Whatever is written here")
        assert number in packet["text"]
        platform.say("not to anybody", user=BOB, chat=DESK)
        platform.say("to you", user=BOB, chat=DESK, reply_to_message=packet)
        await firm.heard("to you")
        assert "not to anybody" not in await firm.to_customer()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_numbers_in_what_people_write_lead_nowhere(platform: Platform, config: Any) -> None:
    platform.forum = False
    async with opened(config, "telegram") as firm:
        await firm.staff(bob=("agent", "501"))
        throttled = firm.app.desks["telegram"]._throttled
        throttled._all._budget = throttled._news._budget = Budget()
        scene = Scene(platform, firm)
        await firm.asks("ann")
        await firm.asks("ben")
        queued = "FROM conversation WHERE owner = 'queue'"
        await firm.until(f"SELECT count(*) {queued}", [(2,)])
        own, other = (number for (number,) in await firm.rows(f"SELECT number {queued} ORDER BY id"))
        await firm.write(f"my friend has {other} in the same flat, mine is {own}", address="ann")
        post = await scene.shown("in the same flat")
        platform.say("to you alone", user=BOB, chat=DESK, reply_to_message=post)
        await firm.heard("to you alone")
        its = "SELECT c.number FROM conversation c JOIN message m ON m.conversation_id = c.id WHERE m.text = "
        assert await firm.rows(f"{its}'to you alone'") == [(own,)]
        head = await scene.shown(f"{other} ·")
        assert head["text"].count(other) == 1  # it begins with it already


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_commands_are_answered_in_time_behind_a_backlog(platform: Platform, config: Any) -> None:
    """The group takes twenty messages a minute, and news would use them all."""
    async with opened(config, "telegram") as firm:
        await firm.staff(bob=("agent", "501"))
        scene = Scene(platform, firm)
        topic = await scene.topic(await firm.asks())
        throttled = firm.app.desks["telegram"]._throttled
        for pace in (throttled._all, throttled._news):  # 14 have gone out just now
            times = pace._sent[str(DESK["id"])]
            while len(times) < 14:
                times.appendleft(times[0])
        before = len(platform.shown[DESK["id"]])
        for n in range(6):
            await firm.write(f"word {n}")
            await asyncio.sleep(0.2)
        scene.say("!help", topic)
        await eventually(_says(platform, "whoever writes takes the conversation"), 4.0)
        assert len(platform.shown[DESK["id"]]) - before <= 3  # what she says meanwhile comes together, later


def _says(platform: Platform, words: str) -> Callable[[], bool]:
    return lambda: any(words in m.get("text", "") for m in platform.shown[DESK["id"]])


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_the_check_tells_what_the_desk_lacks(platform: Platform, config: Any) -> None:
    from bot.app import channels_of

    def channel() -> Any:
        return channels_of(config, "s" * 32)[1]

    assert not [line for right, line in await channel().check() if not right and "desk" in line]
    platform.forum, platform.standing = False, "member"
    wrong = [line for right, line in await channel().check() if not right]
    assert [w for w in ("administrator", "no topics", "Manage Topics") if not any(w in line for line in wrong)] == []
