"""The agents' desk in Slack, through the whole application on both databases, with a customer in the web chat."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy import text as sql

from bot.messages import Kind
from channels import Budget, DeskWord
from handoff.desks.words import forget, keep
from tests.channels.desks import PNG, Firm, eventually, opened, settings
from tests.handoff.test_desk_reading import note
from tests.wire.slack import FakeSlack

DESK = "C0DESK00"
QUICK = Budget()


class Scene:
    """Slack, the firm, and what its agents write there."""

    def __init__(self, slack: FakeSlack, firm: Firm) -> None:
        self.slack, self.firm = slack, firm
        slack.hook = firm.url

    async def shown(self, words: str, thread: str = "") -> dict[str, Any]:
        """The post at the desk that holds these words, once it is there."""

        def found() -> Any:
            there = (m for m in self.slack.posted if m["channel"] == DESK and words in whole(m))
            return next((m for m in there if not thread or m.get("thread_ts") == thread), None)

        try:
            post: dict[str, Any] = await eventually(found)
        except AssertionError:
            raise AssertionError((words, [whole(m) for m in self.slack.posted])) from None
        return post

    async def thread(self, number: str) -> str:
        """The thread of a conversation, once its packet is there."""
        root = await self.shown(f"*{number} ")
        await self.shown("Whatever is written here", root["ts"])
        return str(root["ts"])

    async def say(self, text: str, thread: str, user: str = "UBOB", **more: Any) -> dict[str, Any]:
        """Somebody writes in a thread of the desk."""
        said = self.slack.message(text, channel=DESK, user=user, thread_ts=thread, team="T1", **more)
        statuses, _ = await self.slack.tell(said)
        assert statuses == [200]
        return said


def whole(message: dict[str, Any]) -> str:
    """All the words of a post."""
    return str(message.get("text", "")) + json.dumps(message.get("blocks", []), ensure_ascii=False)


def config(slack: FakeSlack, database: str, folder: Path, index: Path) -> Any:
    if not (folder / "index").exists():
        (folder / "index").symlink_to(index)
    own = {"token": "xoxb-1", "signing_secret": slack.secret, "api_url": slack.url, "desk": DESK}
    return settings(database, folder, type="slack", **own)


@pytest.fixture
async def scene(slack: FakeSlack, database: str, tmp_path: Path, index: Path) -> AsyncIterator[Scene]:
    """Bob and Eve are agents, Sam leads; nobody else counts."""
    async with opened(config(slack, database, tmp_path, index), "slack") as firm:
        one = Scene(slack, firm)
        await firm.staff(bob=("agent", "UBOB"), eve=("agent", "UEVE"), sam=("supervisor", "USAM"))
        throttled = one.firm.app.desks["slack"]._throttled
        throttled._all._budget = throttled._news._budget = QUICK
        yield one


async def test_a_conversation_at_the_desk_from_the_handoff_to_its_end(scene: Scene) -> None:
    number = await scene.firm.asks()
    thread = await scene.thread(number)
    root = await scene.shown(f"*{number} ")
    assert "my router makes noises" in whole(root)
    assert [b["value"] for row in root["blocks"] if row["type"] == "actions" for b in row["elements"]] == ["desk:claim"]

    # two claim at once: one wins, the other is told who
    await asyncio.gather(*(scene.slack.tell(scene.slack.press(root, "desk:claim", user=u)) for u in ("UBOB", "UEVE")))
    await scene.firm.until("SELECT 1 FROM conversation WHERE owner = 'agent'")
    [(winner,)] = await scene.firm.rows("SELECT a.name FROM agent a JOIN conversation c ON c.agent_id = a.id")
    await scene.shown(f"*<@U{winner.upper()}>* has it.", thread)
    await scene.shown(f"Not done: *{winner}* has it.", thread)
    await scene.say("Hello, I am on it", thread, user=f"U{winner.upper()}")
    await scene.firm.heard("Hello, I am on it")

    # the customer's words and changes appear
    await scene.firm.write("it is <!channel> \ue000UEVE\ue001loud\ue002", native="m1")  # nobody is called by that
    await scene.shown("it is &lt;!channel&gt; UEVEloud", thread)
    await scene.firm.write("it is quiet now", kind=Kind.EDIT, native="m1")
    await scene.shown("has changed a message", thread)

    # a colleague is told who has it, and nothing of his goes out
    other = "UEVE" if winner == "Bob" else "UBOB"
    await scene.say("I know better", thread, user=other)
    await eventually(lambda: sum(f"Not done: *{winner}* has it." in whole(m) for m in scene.slack.posted) == 2)

    said = await scene.firm.to_customer()
    assert "I know better" not in said
    assert not [c for c in await scene.firm.rows("SELECT channel FROM chat") if c != ("web",)]


async def test_commands_in_a_thread(scene: Scene) -> None:
    thread, own = await scene.thread(await scene.firm.asks()), "UBOB"
    await scene.say("!note he is nice", thread, user=own)
    await scene.shown("he is nice", thread)
    await scene.say("!claim", thread, user=own)
    await scene.shown("*<@UBOB>* has it.", thread)
    await scene.say("!promise tomorrow 10:00 technician on site", thread, user=own)
    await scene.shown("technician on site", thread)
    [(what,)] = await scene.firm.rows("SELECT text FROM promise")
    assert what == "technician on site"
    await scene.say("<@UEVE|essay> !SAY ！看这里 they say", thread, user=own)
    await scene.firm.heard("！看这里 they say")
    await scene.say("!transfer Nobody", thread, user=own)
    await scene.shown("there is no such colleague or team", thread)
    await scene.say("!clsoe", thread, user=own)
    await scene.shown("Did you mean", thread)
    await scene.say("!transfer Sam please look", thread, user=own)
    await scene.shown("*<@USAM>* has it.", thread)
    await scene.say("!back", thread, user="USAM")
    await scene.shown("The bot has the conversation again", thread)
    await scene.say("One more thing", thread, user="USAM")  # takes the floor
    await scene.firm.heard("One more thing")
    await scene.say("!close all well", thread, user="USAM")
    await scene.shown("*Closed*", thread)
    await scene.firm.until("SELECT 1 FROM desk_place WHERE NOT live")
    await scene.say("I forgot to say goodbye", thread, user="USAM")  # opens it again
    await scene.firm.heard("I forgot to say goodbye")
    await scene.firm.write("goodbye!")
    await scene.shown("goodbye!", thread)
    said = await scene.firm.to_customer()
    assert "he is nice" not in said
    assert "clsoe" not in said


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_thousand_notes_in_any_form_never_reach_the_customer(scene: Scene) -> None:
    number = await scene.firm.asks()
    thread = await scene.thread(number)
    await scene.say("mine", thread)
    await scene.firm.heard("mine")
    dice = random.Random(7)  # noqa: S311
    for _ in range(50):
        texts = [note(dice) for _ in range(20)]
        told = [scene.slack.tell(scene.slack.message(t, channel=DESK, user="UBOB", thread_ts=thread)) for t in texts]
        await asyncio.gather(*told)
    await scene.say("the end", thread)
    await scene.firm.until("SELECT count(*) FROM desk_word WHERE outcome = ''", [(0,)], 150)
    await scene.firm.heard("the end", 30)
    assert (await scene.firm.rows("SELECT count(*) FROM desk_word"))[0][0] >= 900  # a few were nothing but blanks
    assert "SECRET" not in await scene.firm.to_customer()
    [(notes,)] = await scene.firm.rows("SELECT count(*) FROM remark WHERE text LIKE '%SECRET%'")
    assert notes > 200


async def test_who_counts_for_nothing_is_ignored_and_written_down_once(scene: Scene) -> None:
    number = await scene.firm.asks()
    thread = await scene.thread(number)
    scene.slack.people["UEVE"] = {"is_restricted": True}
    await scene.say("I am a guest now", thread, user="UEVE")
    for _ in range(3):
        await scene.say("I am nobody", thread, user="UNOBODY")
    await scene.slack.tell(
        scene.slack.message("I am a stranger", channel=DESK, user="UBOB", thread_ts=thread, user_team="T9")
    )
    await scene.say("I am a bot", thread, user="UBOB", bot_id="B9")
    await scene.slack.tell(
        scene.slack.message(
            "", channel=DESK, user="UBOB", thread_ts=thread, attachments=[{"is_share": True, "text": "x"}]
        )
    )
    await scene.firm.until("SELECT count(*) FROM audit WHERE action = 'desk_ignored'", [(5,)])

    def disable(c: Any) -> None:
        from handoff import accounts

        accounts.disable(c, accounts.named(c, "bob").id)

    await scene.say("I still may", thread)
    await scene.firm.heard("I still may")
    await scene.firm.app.store.write(disable)
    await scene.say("I may no longer", thread)
    await scene.firm.until("SELECT count(*) FROM audit WHERE action = 'desk_ignored'", [(6,)])
    assert "I am" not in await scene.firm.to_customer()
    assert "no longer" not in await scene.firm.to_customer()
    assert {c for (c,) in await scene.firm.rows("SELECT channel FROM chat")} == {"web"}


async def test_only_what_is_his_to_do_is_done(scene: Scene) -> None:
    """By role and team, as everywhere."""
    number = await scene.firm.asks()
    thread = await scene.thread(number)

    def change(c: Any) -> None:
        c.execute(sql('UPDATE handover SET wants = \'{"team": "sales"}\''))
        c.execute(sql("UPDATE agent SET role = 'auditor' WHERE login = 'eve'"))

    await scene.firm.app.store.write(change)
    await scene.say("I am Bob", thread)
    await scene.shown("is not yours to work on", thread)
    await scene.say("!note I am Eve", thread, user="UEVE")
    await scene.firm.until("SELECT 1 FROM audit WHERE action = 'desk_ignored'")
    await scene.say("I lead", thread, user="USAM")  # supervisors of the whole house see all
    await scene.firm.heard("I lead")
    assert "I am" not in await scene.firm.to_customer()
    assert await scene.firm.rows("SELECT 1 FROM remark") == []


async def test_files_go_both_ways_and_edits_are_corrections(scene: Scene) -> None:
    number = await scene.firm.asks()
    thread = await scene.thread(number)
    scene.slack.files["F1"] = PNG
    url = f"{scene.slack.home}/files/F1"
    file = {"id": "F1", "name": "how.png", "mimetype": "image/png", "size": len(PNG), "url_private_download": url}
    said = await scene.say("look here", thread, files=[file], subtype="file_share")
    await scene.firm.heard("look here")
    [(files,)] = await scene.firm.rows("SELECT attachments FROM message WHERE text = 'look here'")
    [kept] = json.loads(files) if isinstance(files, str) else files
    assert await scene.firm.app.files.open(kept["id"], "ann")

    async def bytes_() -> AsyncIterator[bytes]:
        yield PNG

    theirs = await scene.firm.app.files.put(bytes_(), "noise.png", "image/png", "ann")
    await scene.firm.write("this is it", files=[theirs])
    await scene.shown("this is it", thread)
    await eventually(lambda: PNG in [scene.slack.files[f] for f in scene.slack.files if f != "F1"])

    old = said["event"]
    new = {**old, "text": "look there", "edited": {"user": "UBOB", "ts": scene.slack.ts()}}
    changed = {"type": "message", "subtype": "message_changed", "channel": DESK, "channel_type": "channel",
               "message": new, "previous_message": old, "ts": scene.slack.ts()}  # fmt: skip
    await scene.slack.tell(scene.slack.envelope(changed))
    await scene.firm.until("SELECT 1 FROM message WHERE author = 'agent' AND text LIKE '%corrected%look there%'")

    hidden = (await scene.say("!note he lies", thread))["event"]
    bare = {**hidden, "text": "he lies", "edited": {"user": "UBOB", "ts": scene.slack.ts()}}
    await scene.slack.tell(scene.slack.envelope({**changed, "message": bare, "previous_message": hidden}))
    await scene.shown("The change was not sent", thread)
    assert "he lies" not in await scene.firm.to_customer()


async def test_answers_are_found_and_sent_with_a_button(scene: Scene) -> None:
    number = await scene.firm.asks()
    thread = await scene.thread(number)
    await scene.say("!faq how do I reset my router", thread)
    found = await scene.shown("1. ", thread)
    button = next(b for row in found["blocks"] if row["type"] == "actions" for b in row["elements"])
    await scene.slack.tell(scene.slack.press({**found, "thread_ts": thread}, button["value"], user="UBOB"))
    await scene.firm.until("SELECT 1 FROM message WHERE author = 'agent'")
    await scene.shown("➡️ *Bob:*", thread)


async def test_what_happens_while_nobody_posts_is_posted_by_the_next_and_lost_by_none(
    slack: FakeSlack, database: str, tmp_path: Path, index: Path
) -> None:
    slack.faults["chat.postMessage"].extend(["500"] * 3)
    async with opened(config(slack, database, tmp_path, index), "slack") as firm:
        scene = Scene(slack, firm)
        await firm.staff(bob=("agent", "UBOB"))
        number = await firm.asks()
        thread = await scene.thread(number)  # although Slack failed thrice
        await scene.say("mine", thread)
        await firm.heard("mine")
        slack.faults["chat.postMessage"].extend(["late", "429:1"])
        for word in ("one", "two", "three"):
            await firm.write(f"word {word}")
        await scene.shown("word three", thread)
    async with opened(config(slack, database, tmp_path, index), "slack") as firm:
        slack.hook = firm.url
        await firm.write("after the restart")
        await Scene(slack, firm).shown("after the restart", thread)
    posts = [whole(m) for m in slack.posted if m.get("thread_ts") == thread]
    seen = [word for post in posts for word in ("one", "two", "three") if f"word {word}" in post]
    assert list(dict.fromkeys(seen)) == ["one", "two", "three"]
    assert sum(number in whole(m) for m in slack.posted if not m.get("thread_ts")) == 1


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_two_processes_work_at_one_desk(slack: FakeSlack, database: str, tmp_path: Path, index: Path) -> None:
    """One of them has the duty, and the other hears what is written."""
    own = config(slack, database, tmp_path, index)
    async with opened(own, "slack") as first, opened(own, "slack") as second:
        scene = Scene(slack, first)
        await first.staff(bob=("agent", "UBOB"))
        number = await first.asks()
        thread = await scene.thread(number)
        for n, firm in enumerate((second, first, second)):
            slack.hook = firm.url
            await scene.say(f"word {n}", thread)
            await firm.heard(f"word {n}")
        await second.write("thank you")
        await scene.shown("thank you", thread)
        await scene.say("!nto x", thread)
        await scene.shown("there is no such command", thread)
        said = "SELECT text FROM message WHERE author = 'agent' ORDER BY seq"
        assert await first.rows(said) == [("word 0",), ("word 1",), ("word 2",)]
    for words in ("thank you", "there is no such command", f"*{number} "):
        assert sum(words in whole(m) for m in slack.posted) == 1


async def test_a_thread_that_a_crash_left_behind_says_so(scene: Scene) -> None:
    root = await scene.shown(f"*{await scene.firm.asks()} ")
    lost = {**root, "ts": scene.slack.ts()}
    await scene.slack.tell(scene.slack.press(lost, "desk:claim", user="UBOB"))
    await scene.shown("this thread is not in use", lost["ts"])
    again = {**root, "ts": scene.slack.ts()}
    await scene.say("do you hear me?", again["ts"], parent_user_id="UBOT")
    await scene.shown("this thread is not in use", again["ts"])
    await scene.say("we talk among ourselves", scene.slack.ts())
    assert "hear me" not in await scene.firm.to_customer()
    assert "ourselves" not in await scene.firm.to_customer()
    assert await scene.firm.rows("SELECT 1 FROM conversation WHERE owner = 'agent'") == []


async def test_a_promise_counts_from_when_it_was_written_and_is_made_once(scene: Scene) -> None:
    thread = await scene.thread(await scene.firm.asks())
    place = await scene.firm.rows("SELECT address FROM desk_place")
    written = time.time() - 1800
    word = DeskWord("T1:promise", place[0][0], "UBOB", text="!promise a technician calls in two hours", native=thread)
    await scene.firm.app.store.write(lambda c: keep(c, "slack", word, written))
    done = "SELECT outcome FROM desk_word WHERE outcome <> ''"
    await scene.firm.until(done, [("promise",)])
    [(due,)] = await scene.firm.rows("SELECT due_at FROM promise")
    assert abs(due - written - 7200) < 120
    for later in (0, 3600):  # a crash came before it was known to be done; and it may be read otherwise by then
        again = sql("UPDATE desk_word SET outcome = '', received_at = :at").bindparams(at=written + later)
        await scene.firm.app.store.write(partial(Connection.execute, statement=again))
        await scene.firm.until(done, [("promise",)])
    assert await scene.firm.rows("SELECT due_at FROM promise") == [(due,)]
    assert not [m for m in scene.slack.posted if "failed on our side" in whole(m)]


async def test_what_was_written_is_forgotten_in_time(scene: Scene) -> None:
    thread = await scene.thread(await scene.firm.asks())
    await scene.say("a word of mine", thread)
    await scene.firm.until("SELECT 1 FROM desk_word WHERE outcome = 'said'")
    await scene.firm.app.store.write(lambda c: forget(c, "slack", 0.0))
    assert await scene.firm.rows("SELECT sender FROM desk_word") == [("UBOB",)]
    await scene.firm.app.store.write(lambda c: forget(c, "slack", 1e12))
    [(kept, sender)] = await scene.firm.rows("SELECT body, sender FROM desk_word")
    assert (str(kept), sender) == ("{}", "")


async def test_what_does_not_reach_the_customer_is_told(scene: Scene) -> None:
    """The customer is in Slack, too: in a private chat with the app."""
    for words in ("my router makes noises", "human"):
        await scene.slack.tell(scene.slack.message(words, channel="DU1", user="U1"))
        await asyncio.sleep(0.3)
    [(number,)] = await scene.firm.until("SELECT number FROM conversation WHERE owner = 'queue'")
    thread = await scene.thread(number)
    await scene.firm.until("SELECT count(*) FROM reply WHERE due_at IS NOT NULL", [(0,)])
    await scene.say("did you get this", thread)
    sent = "SELECT r.provider_id FROM reply r JOIN message m ON m.chat_id = r.chat_id AND m.seq = r.seq"
    [(id,)] = await scene.firm.until(f"{sent} WHERE m.author = 'agent' AND r.state = 'sent'")
    await asyncio.sleep(0.5)  # the desk has seen that it was sent
    office: Any = next(c for c in scene.firm.app.channels if c.name == "slack").office
    await office.failed("T1/DU1", id, "blocked")  # the platform takes it back
    await scene.shown("did you get this", thread)
    await scene.shown("(blocked)", thread)


@pytest.mark.parametrize(
    ("kind", "desk", "said"),
    [
        ("slack", "#agents", "must be the id of a Slack channel, such as C0123456789, not '#agents'"),
        ("telegram", "@agents", "must be the id of a Telegram group, such as -1001234567890, not '@agents'"),
    ],
)
def test_a_desk_that_is_no_place_is_told(tmp_path: Path, kind: str, desk: str, said: str) -> None:
    from bot.config import load
    from bot.strictyaml import YamlError

    file = tmp_path / "config.yaml"
    file.write_text(f"channels:\n  {kind}:\n    token: '1:x'\n    desk: '{desk}'\n")
    with pytest.raises(YamlError) as wrong:
        load(file)
    assert [f"{one.line}: {one.what}" for one in wrong.value.problems] == [f"4: channels.{kind}: desk: {said}"]


async def test_the_check_tells_whether_the_desk_can_be_used(slack: FakeSlack, tmp_path: Path, index: Path) -> None:
    from bot.app import channels_of

    [_, channel] = channels_of(config(slack, f"sqlite:///{tmp_path}/a.db", tmp_path, index), "s" * 32)
    assert (True, f"the desk {DESK} is a channel we are in") in await channel.check()
    slack.joined.clear()
    assert [line for right, line in await channel.check() if not right and "/invite @" in line]
