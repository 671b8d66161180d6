"""Slack, both ways through the whole application: events over HTTP and over Socket Mode, and what can go wrong."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import text as sql

from bot.app import App
from bot.config import Company, KnowledgeSettings, Limits, Settings
from bot.messages import Attachment, Choice, Reply
from bot.server import Server, listen, web
from bot.store import Away
from channels import NotSent, Refused, Unknown
from channels.slack import Slack, socket_mode
from channels.slack.client import Client
from channels.slack.rendering import plainly
from channels.slack.values import Place
from tests.channels.desks import eventually
from tests.wire.slack import FakeSlack

HOME = Path(__file__).parent.parent.parent
QUICK = Limits(burst=0.2, backoff=(0.05,), send_timeout=2.0, rating_pause=0.0)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


class Scene:
    """The application with Slack as its one channel, and Slack."""

    def __init__(self, slack: FakeSlack, app: App, url: str) -> None:
        self.slack, self.app, self.url = slack, app, url
        self.channel: Any = app.channels[0]

    async def said(self, count: int = 1, *, seconds: float = 8.0) -> list[dict[str, Any]]:
        """What the bot has posted, as soon as it is so much."""
        await eventually(lambda: len(self.slack.posted) >= count, seconds)
        return self.slack.posted

    async def rows(self, query: str) -> list[Any]:
        """Rows of the database."""
        return await self.app.store.read(lambda c: [tuple(r) for r in c.execute(sql(query))])


@asynccontextmanager
async def opened(slack: FakeSlack, folder: Path, **settings: Any) -> AsyncIterator[Scene]:
    """The application is started."""
    own = {"token": "xoxb-1", "signing_secret": slack.secret, "api_url": slack.url, **settings}
    config = Settings(
        database=f"sqlite:///{folder}/aftercare.db",
        data=folder,
        company=Company(products=("AX3000",)),
        channels={"slack": {"type": "slack", **own}},
        knowledge=KnowledgeSettings(faq=HOME / "tests/faq"),
        limits=QUICK,
    )
    app, listener = App(config), listen("127.0.0.1", 0)
    await app.start()
    server = Server(uvicorn.Config(web(app), log_config=None, lifespan="off", ws="none"))
    serving = asyncio.create_task(server.serve([listener]))
    await eventually(lambda: server.started)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/hooks/slack"
    slack.hook = url if own["signing_secret"] else ""
    try:
        yield Scene(slack, app, url)
    finally:
        server.should_exit = True
        await serving
        await app.stop()


@pytest.fixture
def folder(index: Path, tmp_path: Path) -> Path:
    """The application's data."""
    (tmp_path / "index").symlink_to(index)
    return tmp_path


@pytest.fixture
async def scene(slack: FakeSlack, folder: Path) -> AsyncIterator[Scene]:
    """Events over HTTP."""
    async with opened(slack, folder) as one:
        yield one


async def test_a_question_in_private_is_answered_with_buttons(scene: Scene) -> None:
    assert await scene.slack.tell(scene.slack.message("how do I reset my router?")) == ([200], b"")
    [answer] = await scene.said()
    assert answer["channel"] == "DU1"
    assert "thread_ts" not in answer
    assert "*Reset*" in answer["blocks"][0]["text"]["text"]
    press = scene.slack.press(answer, "do:solved:reset-router")
    assert (await scene.slack.tell(press))[0] == [200]
    assert (await scene.slack.tell(press))[0] == [200]  # again: known
    solved = (await scene.said(2))[1:]
    rating = next(m for m in solved + (await scene.said(3))[2:] if "rate:" in json.dumps(m))
    best = next(b["value"] for row in rating["blocks"] if row["type"] == "actions" for b in row["elements"][-1:])
    await scene.slack.tell(scene.slack.press(rating, best))
    await eventually(lambda: rating["blocks"][-1]["type"] == "context")
    assert rating["blocks"][-1]["elements"][0]["text"].startswith("✓ ")
    await scene.said(4)  # thanks, and a word on it?
    assert await scene.rows("SELECT score FROM rating") == [(5,)]


async def test_in_a_channel_the_answer_goes_into_the_thread_once(scene: Scene) -> None:
    message = scene.slack.message("<@UBOT> how do I reset my router?", channel="C1")
    both = asyncio.gather(scene.slack.tell(scene.slack.mention(message)), scene.slack.tell(message))
    assert [statuses for statuses, _ in await both] == [[200], [200]]
    [answer] = await scene.said()
    assert (answer["channel"], answer["thread_ts"]) == ("C1", message["event"]["ts"])
    assert await scene.rows("SELECT count(*) FROM inbox") == [(1,)]
    [row] = [block for block in answer["blocks"] if block["type"] == "actions"][:1]
    theirs = scene.slack.press(answer, row["elements"][0]["value"], user="U2")
    assert (await scene.slack.tell(theirs))[0] == [200]
    await eventually(lambda: "chat.postEphemeral" in dict(scene.slack.calls))
    assert await scene.rows("SELECT count(*) FROM inbox WHERE kind = 'choice'") == [(0,)]


async def test_bots_are_never_answered(scene: Scene) -> None:
    own = scene.slack.message("how do I reset my router?", bot_id="B1")
    assert (await scene.slack.tell(own))[0] == [200]
    assert (await scene.slack.tell(scene.slack.message("hello?", user="UBOT")))[0] == [200]
    assert await scene.rows("SELECT count(*) FROM inbox") == [(0,)]


async def test_forged_stale_and_strange_requests(scene: Scene) -> None:
    message = json.dumps(scene.slack.message("hello")).encode()
    assert (await scene.slack.post(message, at=time.time() - 400))[0] == 401
    scene.slack.secret = "other"
    assert (await scene.slack.post(message))[0] == 401
    scene.slack.secret = "shh"
    for odd in ({"X-Slack-Request-Timestamp": "soon"}, {"X-Slack-Signature": "v0=\xfc"}):
        assert (await scene.slack.post(message, odd))[0] == 401
    assert (await scene.slack.post(b"x" * ((1 << 20) + 1)))[0] == 413
    assert await scene.rows("SELECT count(*) FROM inbox") == [(0,)]
    for strange in (b"\xff\xfe", b'{"type":"event_callback"}', b"payload=%5B", b'{"type":"event_callback","event":[]}'):
        assert await scene.slack.post(strange) == (200, b"")
        assert await scene.slack.post(strange) == (200, b"")
    assert await scene.rows("SELECT state, count(*) FROM inbox GROUP BY state") == [("dead", 4)]
    challenge = await scene.slack.post(b'{"type":"url_verification","challenge":"abc"}')
    assert challenge == (200, b'{"challenge": "abc"}')
    lone = rb'{"type":"url_verification","challenge":"\ud800"}'
    assert await scene.slack.post(lone) == (200, rb'{"challenge": "\ud800"}')


async def test_while_the_store_is_away_slack_sends_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processed even when only a retry arrives; the retry header decides nothing."""
    scene.slack.scale, away = 0.5, [True]
    real = scene.app.inbox.receive

    async def receive(*given: Any) -> Any:
        if away:
            away.pop()
            raise Away("gone")
        return await real(*given)

    monkeypatch.setattr(scene.app.inbox, "receive", receive)
    assert (await scene.slack.tell(scene.slack.message("how do I reset my router?")))[0] == [503, 200]
    await scene.said()
    retry = {"X-Slack-Retry-Num": "3", "X-Slack-Retry-Reason": "http_timeout"}
    await scene.slack.post(json.dumps(scene.slack.message("how long does delivery take?")).encode(), retry)
    assert len(await scene.said(2)) == 2


async def test_a_store_that_hangs_is_a_503_in_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.slack.IN_TIME", 0.1)
    monkeypatch.setattr(scene.app.inbox, "receive", lambda *_: asyncio.sleep(5))
    assert (await scene.slack.post(json.dumps(scene.slack.message("hello")).encode()))[0] == 503


async def test_edits_and_deletions(scene: Scene) -> None:
    message = scene.slack.message("blah")
    await scene.slack.tell(message)
    await scene.said()
    old, ts = message["event"], scene.slack.ts()
    new = {**old, "text": "how do I reset my router?", "edited": {"user": "U1", "ts": ts}}
    changed = {"type": "message", "subtype": "message_changed", "channel": "DU1", "channel_type": "im"}
    edit = scene.slack.envelope({**changed, "message": new, "previous_message": old, "ts": ts})
    await scene.slack.tell(edit)
    assert "Reset" in (await scene.said(2))[1]["text"]
    deleted = {**changed, "subtype": "message_deleted", "deleted_ts": old["ts"], "previous_message": new}
    await scene.slack.tell(scene.slack.envelope(deleted))
    async with asyncio.timeout(8):
        while await scene.rows("SELECT text FROM message WHERE author = 'customer'") != [("",)]:
            await asyncio.sleep(0.02)
    assert len(scene.slack.posted) == 2


async def test_form_from_the_command_and_from_a_message(scene: Scene) -> None:
    assert await scene.slack.tell(scene.slack.command("")) == ([200], b"")
    await eventually(lambda: len(scene.slack.views) == 1)
    about = scene.slack.message("my router is broken and smells", channel="C1", user="U2")
    await scene.slack.tell(scene.slack.shortcut(about))
    await eventually(lambda: len(scene.slack.views) == 2)
    view = scene.slack.views[1]
    assert view["blocks"][0]["element"]["initial_value"] == "my router is broken and smells"
    assert await scene.rows("SELECT count(*) FROM inbox") == [(0,)]
    filled = {"what": "My router is broken, smells and hums all night", "contact": "a@example.com"}
    for _ in range(2):  # sent twice, one ticket
        assert (await scene.slack.tell(scene.slack.submit(view, **filled)))[0] == [200]
    [first, *_] = await scene.said()
    assert first["channel"] == "DU1"
    assert "T-" in first["blocks"][0]["text"]["text"]  # numbered at once: nothing is left to ask
    [(body,)] = await scene.rows("SELECT body FROM inbox")
    assert json.loads(body)["extra"]["form"] == filled
    [(subject, details)] = await scene.rows("SELECT subject, details FROM ticket")
    assert (subject, json.loads(details)["contact"]) == (filled["what"], filled["contact"])
    [(said,)] = await scene.rows("SELECT text FROM message WHERE author = 'customer'")
    assert said == "\n".join(filled.values())  # for all to see in the conversation


async def test_the_button_opens_the_form_beside_the_dialogue(scene: Scene) -> None:
    await scene.slack.tell(scene.slack.message("hello"))
    [offer] = await scene.said()
    assert (await scene.slack.tell(scene.slack.press(offer, "do:ticket")))[0] == [200]
    await eventually(lambda: scene.slack.views)
    assert len(await scene.said(2)) == 2
    assert await scene.rows("SELECT count(*) FROM inbox WHERE kind = 'choice'") == [(1,)]
    await scene.slack.tell(scene.slack.submit(scene.slack.views[0], what="It hums all night", product="AX3000"))
    assert "T-" in json.dumps((await scene.said(3))[2])  # the form ends the typed dialogue
    assert await scene.rows("SELECT count(*) FROM ticket") == [(1,)]


async def test_a_trigger_that_has_expired_leads_to_the_typed_dialogue(scene: Scene) -> None:
    scene.slack.faults["views.open"].append("expired_trigger_id")
    await scene.slack.tell(scene.slack.command(""))
    [question] = await scene.said()
    assert question["channel"] == "DU1"


async def test_a_command_with_words_is_answered_in_private(scene: Scene) -> None:
    statuses, answer = await scene.slack.tell(scene.slack.command("how do I reset my router?"))
    assert statuses == [200]
    assert json.loads(answer)["response_type"] == "ephemeral"
    assert (await scene.said())[0]["channel"] == "DU1"
    await scene.slack.tell(scene.slack.command("how long does delivery take?"))
    await scene.said(2)
    assert [m for m, _ in scene.slack.calls].count("conversations.open") == 1


async def test_files_come_and_go(scene: Scene) -> None:
    slack = scene.slack
    slack.files |= {"F1": PNG, "secret": b"no"}
    file = {"id": "F1", "name": "../a.png", "mimetype": "image/png", "size": len(PNG), "mode": "hosted"}
    file["url_private_download"] = f"{slack.home}/files/F1"
    slack.faults["file"].append("503")
    await slack.tell(slack.message("", subtype="file_share", files=[file]))
    [(body,)] = await scene.rows("SELECT body FROM inbox")
    [kept] = json.loads(body)["attachments"]
    end = time.monotonic() + 8
    while (found := await scene.channel.office.files.open(kept["id"], "T1/DU1")) is None:
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    assert found[1].read_bytes() == PNG
    assert found[0].name == "a.png"
    await asyncio.sleep(0.1)
    assert await scene.channel.office.notes("file:") == {}
    await scene.channel.send("T1/DU1", Reply("", (), (Attachment(**kept),)), "r9")
    with pytest.raises(Refused):
        await scene.channel.send("T1/DU2", Reply("", (), (Attachment(**kept),)), "r10")
    done = dict(slack.calls)["files.completeUploadExternal"]
    assert slack.files[done["files"][0]["id"]] == PNG
    assert done["channel_id"] == "DU1"


@pytest.mark.parametrize("trouble", ["internal_error", "504"])
async def test_what_goes_wrong_before_a_file_is_shown_leaves_nothing_in_doubt(tmp_path: Path, trouble: str) -> None:
    path, file = tmp_path / "a.png", Attachment("1", "a.png", "image/png", len(PNG))
    path.write_bytes(PNG)
    async with FakeSlack() as slack:
        client = Client("xoxb-1", slack.url)
        slack.faults["files.getUploadURLExternal"].append(trouble)
        with pytest.raises(NotSent):
            await client.upload(file, path)
        assert slack.files[await client.upload(file, path)] == PNG
        await client.close()


async def test_a_redirect_is_not_followed_and_a_foreign_host_not_asked(scene: Scene) -> None:
    scene.slack.files["secret"] = PNG
    scene.slack.faults["file"].append("elsewhere")
    api = scene.channel._api
    for url, wanted in ((f"{scene.slack.home}/files/F1", "missing_scope"), ("http://127.0.0.1:1/x", "not at Slack")):
        with pytest.raises(Exception, match=wanted):
            async with api.download(url):
                pytest.fail("it was fetched")


# ---------------------------------------------------------------- sending


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("429:3", NotSent),
        ("503", NotSent),
        ("404", NotSent),  # a proxy's
        ("403", NotSent),
        ("200", Unknown),  # and nothing of Slack's in it
        ("invalid_auth", NotSent),
        ("is_archived", Refused),
        ("reset", Unknown),
        ("late", Unknown),
        ("fatal_error", Unknown),
        ("hang", Unknown),
    ],
)
async def test_how_sending_fails(slack: FakeSlack, fault: str, wanted: type[Exception]) -> None:
    channel = Slack(secret="s", token="xoxb-1", api_url=slack.url, send_timeout=0.5)
    slack.faults["chat.postMessage"].append(fault)
    with pytest.raises(wanted) as failed:
        await channel.send("T1/D1", Reply("hello"), "r1")
    if fault == "429:3":
        assert getattr(failed.value, "retry_after", 0) == 3
    assert len(slack.calls) == 1  # never again by itself
    await channel._api.close()


async def test_nobody_there_is_certainly_not_sent() -> None:
    channel = Slack(secret="s", token="xoxb-1", api_url="http://127.0.0.1:1/api/")
    with pytest.raises(NotSent):
        await channel.send("T1/D1", Reply("hello"), "r1")
    await channel._api.close()


async def test_blocks_that_are_refused_are_sent_once_as_text(slack: FakeSlack) -> None:
    channel = Slack(secret="s", token="xoxb-1", api_url=slack.url)
    slack.faults["chat.postMessage"].append("msg_blocks_too_long")
    await channel.send("T1/D1", Reply("hello", (Choice("do:human", "A person"),)), "r1")
    assert slack.posted[0]["text"] == plainly(Place.of("T1/D1"), Reply("hello", (Choice("", "A person"),)))["text"]
    assert "blocks" not in slack.posted[0]
    await channel._api.close()


async def test_one_message_a_second_in_a_channel(folder: Path) -> None:
    async with FakeSlack(strict=True) as slack, opened(slack, folder) as scene:
        began = time.monotonic()
        for user in ("U1", "U2", "U3"):
            await slack.tell(slack.message("<@UBOT> how do I reset my router?", channel="C1", user=user))
        await scene.said(3)
        assert time.monotonic() - began > 1.9
        assert [m for m, _ in slack.calls].count("chat.postMessage") == 3  # none was refused


# ---------------------------------------------------------------- Socket Mode, and looking after it


async def test_socket_mode(slack: FakeSlack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_mode, "TURN", 0.05)
    async with opened(slack, folder, signing_secret="", app_token="xapp-1") as scene:
        await eventually(lambda: len(slack.sockets) == 1)
        message = slack.message("<@UBOT> how do I reset my router?", channel="C1")
        assert (await slack.tell(message))[0] == [200]
        assert (await slack.tell(slack.mention(message)))[0] == [200]
        [answer] = await scene.said()
        assert answer["thread_ts"] == message["event"]["ts"]
        statuses, said = await slack.tell(slack.command("how long does delivery take?"))
        assert statuses == [200]
        assert said["response_type"] == "ephemeral"
        for odd in ([1], "words", None):  # whatever it is, it is kept and acknowledged, or it would come for ever
            acks = len(slack.acks)
            await slack.sockets[0].send_json({"envelope_id": f"odd {odd}", "type": "events_api", "payload": odd})
            await eventually(partial(lambda acks: len(slack.acks) > acks, acks))
        await slack.sockets[0].send_json({"type": "disconnect", "reason": "refresh_requested"})
        await asyncio.sleep(0.3)
        await eventually(lambda: len(slack.sockets) == 1)
        assert (await slack.tell(slack.message("<@UBOT> hello", channel="C1")))[0] == [200]
        slack.scale, stored = 0.2, scene.app.inbox.receive
        monkeypatch.setattr(scene.app.inbox, "receive", lambda *_: asyncio.sleep(9))
        later, acks = asyncio.create_task(slack.tell(slack.message("when are you open?"))), len(slack.acks)
        await asyncio.sleep(0.3)
        assert len(slack.acks) == acks
        monkeypatch.setattr(scene.app.inbox, "receive", stored)
        assert (await later)[0][-1] == 200  # not stored, so not acknowledged, so it came again
        assert await scene.rows("SELECT count(*) FROM inbox WHERE body LIKE '%when are you open%'") == [(1,)]
    assert slack.sockets == []


async def test_a_socket_that_is_refused_is_tried_again(
    slack: FakeSlack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "TURN", 0.05)
    slack.faults["apps.connections.open"].extend(["invalid_auth", "503"])
    async with opened(slack, folder, signing_secret="", app_token="xapp-1"):
        await eventually(lambda: len(slack.sockets) == 1)


async def test_check_says_what_is_wrong(slack: FakeSlack) -> None:
    channel = Slack(secret="s", token="xoxb-1", signing_secret="shh", app_token="xapp-1", api_url=slack.url)
    assert all(ok for ok, _ in await channel.check())
    slack.tokens.clear()
    slack.faults["apps.connections.open"].append("invalid_auth")
    [token, _, socket] = await channel.check()
    assert not token[0]
    assert "OAuth & Permissions" in token[1]
    assert not socket[0]
    assert "SLACK_APP_TOKEN" in socket[1]
    nothing = Slack(secret="s", token="xoxb-1", api_url="http://127.0.0.1:1")
    assert [ok for ok, _ in await nothing.check()] == [False, False]
    assert "slack-manifest.yaml" in (await nothing.setup())[0]
    assert all("xoxb-1" not in line for _, line in await channel.check())
