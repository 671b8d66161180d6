"""Telegram: what is read from recorded updates, what is sent, and whole conversations with a Bot API server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from aiohttp import web as http
from sqlalchemy import text

from bot.app import App
from bot.config import KnowledgeSettings, Limits, Settings
from bot.messages import Attachment, Choice, Inbound, Kind, Reply
from bot.server import listen, web
from bot.store import Away
from channels import Budget, NotSent, Refused, Unknown
from channels.fit import parts
from channels.telegram import Telegram
from channels.telegram.client import Client
from channels.telegram.places import Place, address_of, asker_of, button_data, place_of
from channels.telegram.reading import read
from channels.telegram.rendering import MARK, marked, render, shown_length
from channels.telegram.values import Context, Heard
from tests.wire.telegram import ANN, BOT, GROUP, LI, TOKEN, Bad
from tests.wire.telegram import Telegram as Platform

HOME = Path(__file__).parent.parent
PAYLOADS = HOME / "payloads" / "telegram"
ANSWERS = KnowledgeSettings(faq=HOME / "faq")
LIMITS = Limits(burst=0.1, backoff=(0.02,) * 4, send_timeout=2.0, stop=2.0)
HOOK = "hook-secret_1"
SECRET = "s" * 32
CONTEXT = Context("telegram", SECRET, 666, "aftercare_bot")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def recorded(name: str, context: Context = CONTEXT) -> Heard:
    raw = (PAYLOADS / f"{name}.json").read_bytes()
    return read(json.loads(raw), raw, context)


def event(name: str) -> Inbound:
    inbound = recorded(name).inbound
    assert inbound is not None
    return inbound


# ---------------------------------------------------------------- reading

READ: dict[str, dict[str, Any]] = {
    "text": {
        "kind": Kind.TEXT,
        "address": "42",
        "text": "How do I reset my router?",
        "sender": "42",
        "name": "Ann Lee",
    },
    "text_zh": {"address": "43", "language": "zh-hans", "public": False, "addressed": True},
    "start": {"kind": Kind.HELLO, "text": "", "extra": {"asked": True}},
    "start_link": {"kind": Kind.CHOICE, "choice": "ans:reset-router", "extra": {"start": "ans-reset-router"}},
    "command_status": {"kind": Kind.CHOICE, "choice": "do:ticket_status:T-AB12CD34"},
    "command_stop": {"kind": Kind.TEXT, "text": "stop"},
    "command_language": {"choice": "lang:zh"},
    "command_unknown": {"kind": Kind.TEXT, "text": "/frobnicate now"},
    "photo": {"text": "The LOS light is red"},
    "album_1": {"text": "Both sides", "extra": {"album": "13600"}},
    "album_2": {"text": "", "extra": {"album": "13600"}},
    "document": {"text": ""},
    "voice": {"extra": {"kind": "voice"}},
    "audio": {"text": ""},
    "video": {"text": "it blinks like this"},
    "video_note": {"extra": {"kind": "video_note"}},
    "animation": {"text": ""},
    "sticker": {"text": "👍", "extra": {"kind": "sticker"}},
    "location": {"text": "📍 31.230416, 121.473701"},
    "venue": {"text": "Service point, 1 Nanjing Road 📍 31.230416, 121.473701"},
    "contact": {"text": "Ann Lee +8613800138000"},
    "dice": {"text": "🎲"},
    "poll": {"text": "Which one?\n- AX3000\n- BE6500"},
    "poll_of_an_older_server": {"text": "", "address": "42"},
    "story": {"text": "", "extra": {"kind": "story"}},
    "from_the_future": {"text": ""},
    "forward": {"extra": {"forwarded": True}},
    "edit": {"kind": Kind.EDIT, "text": "How do I reset my AX3000?"},
    "edited_caption": {"kind": Kind.EDIT, "text": "The LOS light is red and blinks", "attachments": ()},
    "lone_surrogate": {"text": "broken � here", "name": "Ann"},
    "group_mention": {"text": "how do I reset my router?", "address": "-100200#42", "public": True, "addressed": True},
    "group_mention_emoji": {"text": "👋👋 怎么恢复出厂设置?", "address": "-100200#43", "addressed": True},
    "group_talk": {"public": True, "addressed": False},
    "group_other_mention": {"addressed": False, "text": "@otherbot hello"},
    "group_reply": {"addressed": True},
    "group_command": {"choice": "do:human", "addressed": True},
    "group_command_of_another": {"kind": Kind.TEXT, "addressed": False},
    "topic_talk": {"address": "-100300:7#42", "addressed": False},
    "topic_mention": {"address": "-100300:7#42", "addressed": True, "text": "wifi password"},
    "group_thread_without_topics": {"address": "-100200#42"},
    "anonymous_admin": {"address": "-100200#-100200", "name": "Owners"},
    "press": {"kind": Kind.CHOICE, "choice": "do:human", "text": "Talk to a person", "address": "42"},
    "press_of_a_deleted_message": {"kind": Kind.CHOICE, "choice": "do:human", "address": "42"},
}
NOTHING = ["live_location_moved", "channel_post_in_group", "another_bot", "joined", "pinned", "blocked", "channel_post"]
FILES = {
    "photo": ("photo-109.jpg", "image/jpeg", 123456),
    "album_2": ("photo-111.jpg", "image/jpeg", 99),
    "document": ("发票 2026.pdf", "application/pdf", 34567),
    "voice": ("voice-113.ogg", "audio/ogg", 9001),
    "audio": ("noise.mp3", "audio/mpeg", 90010),
    "video": ("video-115.mp4", "video/mp4", 777777),
    "video_note": ("video_note-116.mp4", "video/mp4", 7777),
    "animation": ("blink.mp4", "video/mp4", 777),
}


@pytest.mark.parametrize("name", READ)
def test_every_recorded_kind_is_read(name: str) -> None:
    one = event(name)
    raw = (PAYLOADS / f"{name}.json").read_bytes()
    assert {field: getattr(one, field) for field in READ[name] if field != "extra"} == {
        field: value for field, value in READ[name].items() if field != "extra"
    }
    assert READ[name].get("extra", {}).items() <= one.extra.items()
    assert one.raw == raw
    assert one.key.endswith(f":{json.loads(raw)['update_id']}")
    json.dumps(one.extra)
    assert recorded(name) == recorded(name)


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_nothing_to_us_is_passed_over(name: str) -> None:
    assert recorded(name) == Heard()


def test_every_payload_has_its_expectation() -> None:
    others = {"migrated", "press_inline", "unknown_kind"}
    assert {path.stem for path in PAYLOADS.glob("*.json")} == READ.keys() | set(NOTHING) | others


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_an_attachment_and_a_note_where_to_fetch_it(name: str) -> None:
    heard = recorded(name)
    assert heard.inbound
    [one] = heard.inbound.attachments
    assert (one.name, one.type, one.size) == FILES[name]
    assert len(one.id) == 24
    how = json.loads(heard.notes[f"file:{one.id}"] or b"")
    assert (how["owner"], how["name"]) == (heard.inbound.address, one.name)
    assert how["at"] == 1763700000
    other = recorded(name, replace(CONTEXT, secret="t" * 32)).inbound
    assert other
    assert other.attachments[0].id != one.id


def test_the_question_in_a_group_is_noted_for_the_answer_to_reply_to() -> None:
    assert recorded("group_mention").notes == {"asked:-100200#42": event("group_mention").native.encode()}
    assert recorded("group_talk").notes == recorded("text").notes == {}
    assert event("group_mention").extra["private"] == "https://t.me/aftercare_bot?start=group"


def test_a_group_that_became_a_supergroup_keeps_its_addresses() -> None:
    assert recorded("migrated").notes == {"moved:-100555": b"-555"}
    moved = recorded("group_mention", replace(CONTEXT, moved={-100200: -7}))
    assert moved.inbound
    assert moved.inbound.address == "-7#42"


def test_a_press_is_answered_and_marked() -> None:
    press = recorded("press").press
    assert press
    assert (press.id, press.mine, press.chat, press.message) == ("4382bfdwdsb323b2d9", True, 42, 60)
    assert [b["text"] for row in press.keyboard for b in row] == [f"{MARK}Talk to a person", "Open a ticket"]
    again = marked(press.keyboard, "do:ticket")
    assert [b["text"] for row in again for b in row] == ["Talk to a person", f"{MARK}Open a ticket"]
    assert recorded("press_inline").inbound is None
    assert recorded("press_inline").press


def test_an_unknown_kind_is_unreadable() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        recorded("unknown_kind")


def test_places_and_askers() -> None:
    for place in (Place(42), Place(-100200, None, 42), Place(-100300, 7, 42)):
        group = place.user is not None
        assert place_of(address_of(place.chat, place.topic, place.user or 0, group=group)) == place
    data = button_data("x" * 60, 42, SECRET)
    assert len(data) == 64
    assert asker_of(data, 42, SECRET) == ("x" * 60, True)
    assert asker_of(data, 43, SECRET)[1] is False
    assert asker_of("do:human", 42, SECRET)[1] is False


# ---------------------------------------------------------------- rendering

HERE = Place(-100300, 7, 42)


def test_words_buttons_topic_and_reply() -> None:
    reply = Reply("Hold **Reset** & <wait>", (Choice("ans:a", "Yes"), Choice("ans:b", "No"), Choice("c", "长" * 20)))
    call = render(reply, HERE, SECRET, 99)
    assert call.method == "sendMessage"
    assert call.payload["text"] == "Hold <b>Reset</b> &amp; &lt;wait&gt;"
    assert call.payload["reply_parameters"] == {"message_id": 99, "allow_sending_without_reply": True}
    assert (call.payload["chat_id"], call.payload["message_thread_id"]) == (-100300, 7)
    rows = call.payload["reply_markup"]["inline_keyboard"]
    assert [len(row) for row in rows] == [1, 1, 1]
    short = render(replace(reply, choices=tuple(Choice(f"rate:{n}", str(n)) for n in range(1, 6))), Place(4), SECRET)
    assert [len(row) for row in short.payload["reply_markup"]["inline_keyboard"]] == [5]
    assert short.payload["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "rate:1"


def test_files_have_the_words_as_caption_if_they_fit() -> None:
    photo, pdf = Attachment("a", "a.png", "image/png", 10), Attachment("b", "b.pdf", "application/pdf", 10)

    def calls(reply: Reply) -> list[str]:
        return [render(part, Place(4), SECRET).method for part in parts(reply, Telegram.can, Telegram.can.measure)]

    one = render(Reply("See **this**", (Choice("x", "X"),), (photo,)), Place(4), SECRET)
    assert (one.method, one.payload["caption"], "reply_markup" in one.payload) == ("sendPhoto", "See <b>this</b>", True)
    assert calls(Reply("See **this**", (Choice("x", "X"),), (photo,))) == ["sendPhoto"]
    assert calls(Reply("See", (), (photo, pdf))) == ["sendMessage", "sendPhoto", "sendDocument"]
    assert calls(Reply("x" * 1025, (), (pdf,))) == ["sendMessage", "sendDocument"]
    assert calls(Reply("", (), (pdf,))) == ["sendDocument"]


def test_lengths_are_counted_as_telegram_does() -> None:
    assert shown_length("**Reset** & [here](https://example.com/long)") == len("Reset & here")
    assert shown_length("😀") == 2
    pieces = parts(Reply("😀" * 5000), Telegram.can, Telegram.can.measure)
    assert [shown_length(piece.text) for piece in pieces] == [4096, 4096, 1808]


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    code = "import channels.telegram, sys; sys.exit(any(m in sys.modules for m in ('telegram', 'slack_bolt', 'httpx')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=HOME.parent, check=False).returncode == 0


# ---------------------------------------------------------------- sending


class Desk:
    """A house with a notebook and files, and nobody in it."""

    limit = 1 << 20

    def __init__(self, folder: Path) -> None:
        self.kept: dict[str, bytes] = {}
        self.files, self._folder = self, folder

    async def receive(self, inbounds: Any, notes: Any = None) -> list[Any]:
        self.kept |= {k: v for k, v in (notes or {}).items() if v is not None}
        return []

    async def note(self, key: str) -> bytes | None:
        return self.kept.get(key)

    async def notes(self, prefix: str) -> dict[str, bytes]:
        return {key: value for key, value in self.kept.items() if key.startswith(prefix)}

    async def hold(self, what: str) -> bool:
        return True

    async def open(self, id: str, owner: str) -> Any:
        path = self._folder / id
        return (Attachment(id, f"{id}.png", "image/png", 48), path) if path.exists() else None


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with Platform().running() as platform:
        yield platform


@pytest.fixture
async def channel(platform: Platform, tmp_path: Path) -> AsyncIterator[Telegram]:
    channel = Telegram(token=TOKEN, secret=SECRET, api_url=platform.url)
    channel.office = Desk(tmp_path)  # type: ignore[assignment]
    yield channel
    await channel.close()


async def test_markup_that_is_refused_is_sent_plain_once(channel: Telegram, platform: Platform) -> None:
    platform.faults.append(("sendMessage", Bad(400, "Bad Request: can't parse entities: Unsupported start tag")))
    assert await channel.send("42", Reply("Hold **Reset**"), "r1")
    assert [m["text"] for m in platform.shown[42]] == ["Hold Reset"]
    assert [call.get("parse_mode") for call in platform.called("sendMessage")] == ["HTML", None]


ERRORS: list[tuple[Any, type[Exception], dict[str, Any]]] = [
    (Bad(403, "Forbidden: bot was blocked by the user"), Refused, {"gone": True}),
    (Bad(403, "Forbidden: bot was kicked from the group chat"), Refused, {"gone": True}),
    (Bad(400, "Bad Request: chat not found"), Refused, {"gone": True}),
    (Bad(400, "Bad Request: not enough rights to send text messages to the chat"), Refused, {"gone": False}),
    (Bad(429, "Too Many Requests: retry after 7", retry_after=7), NotSent, {"retry_after": 7.0, "everything": False}),
    (Bad(500, "Internal Server Error"), NotSent, {"retry_after": 0.0}),
    (Bad(502, "Bad Gateway"), NotSent, {}),
    ("reset", Unknown, {}),
]


@pytest.mark.parametrize(("fault", "expected", "more"), ERRORS)
async def test_what_an_error_means(
    channel: Telegram, platform: Platform, fault: Any, expected: type[Exception], more: dict[str, Any]
) -> None:
    platform.faults.append(("sendMessage", fault))
    with pytest.raises(expected) as caught:
        await channel.send("42", Reply("hi"), "r1")
    assert {name: getattr(caught.value, name) for name in more} == more
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("status", [http.HTTPBadRequest, http.HTTPUnauthorized, http.HTTPForbidden, http.HTTPNotFound])
async def test_the_page_of_a_proxy_says_nothing_of_our_token_or_of_the_customer(
    channel: Telegram, platform: Platform, status: type[http.HTTPException]
) -> None:
    platform.faults.append(("sendMessage", status(text="<html>no</html>")))
    with pytest.raises(NotSent) as caught:
        await channel.send("42", Reply("hi"), "r1")
    assert not caught.value.everything
    assert await channel.send("42", Reply("hi"), "r1")


@pytest.mark.parametrize("body", ["", "null", "7", "[]", '{"ok": true}', "<html>"])
async def test_an_answer_that_is_none_of_telegrams_is_unknown(platform: Platform, body: str) -> None:
    client = Client(TOKEN, platform.url)
    platform.faults.append(("getMe", http.HTTPOk(text=body)))
    with pytest.raises(Unknown):
        await client.call("getMe", {})
    await client.close()


async def test_nobody_there_is_not_sent_and_no_answer_is_unknown(platform: Platform, tmp_path: Path) -> None:
    client = Client(TOKEN, "http://127.0.0.1:9")
    with pytest.raises(NotSent):
        await client.call("getMe", {})
    platform.faults.append(("getMe", "hang"))
    slow = Client(TOKEN, platform.url)
    with pytest.raises(Unknown):
        await slow.call("getMe", {}, patience=0.2)
    await client.close()
    await slow.close()


async def test_a_refused_token_stops_the_channel(platform: Platform, tmp_path: Path) -> None:
    channel = Telegram(token="666:wrong", secret=SECRET, api_url=platform.url)
    channel.office = Desk(tmp_path)  # type: ignore[assignment]
    for _ in range(2):
        with pytest.raises(NotSent) as caught:
            await channel.send("42", Reply("hi"), "r1")
        assert caught.value.everything
        assert caught.value.retry_after > 200
    assert len(platform.calls) == 1
    listening = asyncio.create_task(channel.run())
    await asyncio.sleep(0.2)
    assert not listening.done()
    assert [name for name, _ in platform.calls] == ["sendMessage", "getMe"]
    listening.cancel()
    await asyncio.wait({listening})
    await channel.close()


async def test_a_moved_group_is_followed(channel: Telegram, platform: Platform) -> None:
    gone = "Bad Request: group chat was upgraded to a supergroup chat"
    platform.faults.append(("sendMessage", Bad(400, gone, migrate_to_chat_id=-100555)))
    with pytest.raises(NotSent):
        await channel.send("-555#42", Reply("hi"), "r1")
    await channel.send("-555#42", Reply("hi"), "r1")
    assert [m["text"] for m in platform.shown[-100555]] == ["hi"]
    assert await channel.office.note("moved:-100555") == b"-555"


async def test_files_go_out_as_pictures_or_as_files(channel: Telegram, platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(PNG)
    (tmp_path / "bad").write_bytes(b"GIF89a no picture")
    good, bad = (Attachment(id, f"{id}.png", "image/png", 48) for id in ("good", "bad"))
    await channel.send("42", Reply("A **picture**", (), (good,)), "r1")
    await channel.send("42", Reply("", (), (bad,)), "r2")
    assert [next(k for k in ("photo", "document") if k in m) for m in platform.shown[42]] == ["photo", "document"]
    assert platform.shown[42][0]["caption"] == "A picture"
    with pytest.raises(Refused):
        await channel.send("42", Reply("", (), (Attachment("none", "n", "image/png", 1),)), "r3")


async def test_typing_never_fails(channel: Telegram, platform: Platform) -> None:
    platform.faults.append(("sendChatAction", Bad(400, "Bad Request: chat not found")))
    await channel.typing("-100300:7#42")
    assert platform.called("sendChatAction") == [{"chat_id": -100300, "action": "typing", "message_thread_id": 7}]


async def test_check_and_setup(platform: Platform) -> None:
    channel = Telegram(token=TOKEN, secret=SECRET, api_url=platform.url, webhook_secret=HOOK, public_url="https://a.b/")
    wrong = [line for ok, line in await channel.check() if not ok]
    assert any("not registered" in line for line in wrong)
    assert any("commands (zh) are missing" in line for line in wrong)
    assert all(line.startswith("done: ") for line in await channel.setup())
    assert platform.webhook["url"] == "https://a.b/hooks/telegram"
    assert platform.webhook["secret_token"] == HOOK
    assert [ok for ok, _ in await channel.check() if not ok] == []
    assert platform.settings["commands:zh"][2] == {"command": "human", "description": "转人工"}
    channel._client._told("Sat, 21 Nov 2020 00:00:00 GMT")
    assert channel._client.skew > 86400
    await channel.close()
    stranger = Telegram(token="666:wrong", secret=SECRET, api_url=platform.url)
    assert [(ok, "@BotFather" in line) for ok, line in await stranger.check()] == [(False, True)]
    await stranger.close()


# ---------------------------------------------------------------- whole conversations


@asynccontextmanager
async def house(platform: Platform, folder: Path, *, hook: bool) -> AsyncIterator[tuple[App, Telegram]]:
    """The application with this channel alone, on a port of its own."""
    channel = Telegram(
        token=TOKEN,
        secret=SECRET,
        api_url=platform.url,
        webhook_secret=HOOK if hook else "",
        poll_seconds=1,
        poll_pause=0.02,
        body_bytes=20_000,
    )
    channel.can = replace(channel.can, budget=Budget())
    settings = Settings(database=f"sqlite:///{folder}/a.db", data=folder, channels={}, knowledge=ANSWERS, limits=LIMITS)
    app = App(settings, channels=[channel])
    await app.start()
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(web(app), log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    if hook:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/hooks/telegram"
        await platform.api_setWebhook(url=url, secret_token=HOOK)
    try:
        yield app, channel
    finally:
        server.should_exit = True
        await serving
        await app.stop()
        await channel.close()


async def rows(app: App, query: str) -> list[tuple[Any, ...]]:
    return await app.store.read(lambda c: [tuple(r) for r in c.execute(text(query))])


async def until(app: App, query: str, expected: Any, seconds: float = 12.0) -> None:
    end = time.monotonic() + seconds
    while (found := await rows(app, query)) != expected:
        assert time.monotonic() < end, found
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("hook", [False, True], ids=["polling", "webhook"])
async def test_a_conversation_over_a_restart(platform: Platform, tmp_path: Path, hook: bool) -> None:
    async with house(platform, tmp_path, hook=hook) as (app, _):
        platform.say("How do I reset my router?")
        platform.say("路由器怎么恢复出厂设置?", user=LI)
        english, chinese = (await platform.seen(42, 1))[0], (await platform.seen(43, 1))[0]
        assert "Hold the Reset button" in english["text"]
        assert "按住 Reset 键" in chinese["text"]
        platform.say("/human")
        called = (await platform.seen(42, 2))[1]
        assert "T-" in called["text"]
        answered = platform.press(english, english["reply_markup"]["inline_keyboard"][0][0]["text"])
        await platform.seen(42, 3)
        await platform.ended(answered)
        await until(app, "SELECT count(*) FROM inbox WHERE state <> 'done'", [(0,)])
    label = english["reply_markup"]["inline_keyboard"][0][0]["text"].removeprefix(MARK)
    assert english["reply_markup"]["inline_keyboard"][0][0]["text"].startswith(MARK)
    platform.say("怎么修改无线密码?", user=LI)  # while nobody is there
    async with house(platform, tmp_path, hook=hook) as (app, _):
        platform.press(english, label)
        await platform.seen(42, 4)
        assert "密码" in (await platform.seen(43, 2))[1]["text"]
        await until(app, "SELECT count(*) FROM inbox WHERE state <> 'done'", [(0,)])
        assert await rows(app, "SELECT count(*) FROM inbox WHERE kind IN ('text', 'choice')") == [(6,)]
    assert all(status == 200 for _, status in platform.deliveries) or hook


async def test_redelivered_and_reordered_updates_are_handled_once(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=True) as (app, _):
        first = {"update_id": 7, "message": platform.message("How do I reset my router?")}
        second = {"update_id": 6, "message": platform.message("How long does delivery take?", user=LI)}
        for update in (second, first, second, first):
            assert (await platform.post(json.dumps(update).encode()))[0] == 200
        await platform.seen(42, 1)
        await platform.seen(43, 1)
        await until(app, "SELECT count(*) FROM check_inbox WHERE dedup_key LIKE '%6' OR dedup_key LIKE '%7'", [(2,)])
        await asyncio.sleep(0.2)
        assert (len(platform.shown[42]), len(platform.shown[43])) == (1, 1)


async def test_a_poller_that_died_before_its_offset_went_out_handles_nothing_twice(
    platform: Platform, tmp_path: Path
) -> None:
    async with house(platform, tmp_path, hook=False) as (app, _):
        platform.say("How do I reset my router?")
        await platform.seen(42, 1)
        left = list(platform._pending)
    platform._pending = left  # as if it had never been confirmed
    async with house(platform, tmp_path, hook=False) as (app, _):
        await app.store.write(lambda c: c.exec_driver_sql("DELETE FROM note WHERE key = 'offset'"))
        platform.say("How long does delivery take?")
        assert "working days" in (await platform.seen(42, 2))[1]["text"]
        assert await rows(app, "SELECT count(*) FROM inbox WHERE kind = 'text'") == [(2,)]


async def test_the_webhook_lets_only_telegram_in_and_keeps_what_it_cannot_read(
    platform: Platform, tmp_path: Path
) -> None:
    async with house(platform, tmp_path, hook=True) as (app, _):
        good = json.dumps({"update_id": 1, "message": platform.message("hello")}).encode()
        for forged in ("", "wrong", HOOK + "x", HOOK[:-1]):
            assert (await platform.post(good, forged))[0] == 403
        assert (await platform.post(b" " * 20_001))[0] == 413
        assert await rows(app, "SELECT count(*) FROM inbox") == [(0,)]
        for odd in (b"", b"\xff\xfe{", b"[" * 9000, b"[]", b'{"update_id": 3}', b'{"message": 7, "update_id": 1}'):
            assert (await platform.post(odd))[0] == 200
            assert (await platform.post(odd))[0] == 200
        assert await rows(app, "SELECT state, count(*) FROM inbox GROUP BY state") == [("dead", 6)]
        assert (await platform.post((PAYLOADS / "unknown_kind.json").read_bytes()))[0] == 200


async def test_when_nothing_can_be_kept_telegram_is_asked_to_come_again(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=True) as (app, _):
        kept, app.store.write = app.store.write, _away  # type: ignore[method-assign]
        said = json.dumps({"update_id": 1, "message": platform.message("hello", user=LI)}).encode()
        status, wait = await platform.post(said)
        assert (status, wait > 0) == (503, True)
        platform.say("How do I reset my router?")
        platform.say("How long does delivery take?")
        async with asyncio.timeout(5):
            while 503 not in [status for _, status in platform.deliveries]:
                await asyncio.sleep(0.01)
        app.store.write = kept  # type: ignore[method-assign]
        answers = await platform.seen(42, 2)
        assert ["Reset" in answers[0]["text"], "working days" in answers[1]["text"]] == [True, True]


async def test_a_group_moves_and_its_conversation_with_it(platform: Platform, tmp_path: Path) -> None:
    old, new = {"id": -555, "type": "group", "title": "Owners"}, {**GROUP, "id": -100555}
    async with house(platform, tmp_path, hook=False) as (app, _):
        platform.say("@aftercare_bot How do I reset my router?", chat=old)
        await platform.seen(-555, 1)
        platform.say("has anybody got a red light?", chat=old)
        platform.happen("message", platform.message(chat=old, migrate_to_chat_id=-100555))
        platform.happen("message", platform.message(chat=new, migrate_from_chat_id=-555))
        platform.say("@aftercare_bot How long does delivery take?", chat=new)
        assert "working days" in (await platform.seen(-100555, 1))[0]["text"]
        assert await rows(app, "SELECT address FROM chat") == [("-555#42",)]
        assert len(platform.shown[-555]) == 1
    async with house(platform, tmp_path, hook=False):
        platform.say("@aftercare_bot How do I reset my router?", chat=new)
        assert "Reset" in (await platform.seen(-100555, 2))[1]["text"]


async def test_an_expired_press_and_an_album_are_no_trouble(platform: Platform, tmp_path: Path) -> None:
    platform.callback_life = 0.0
    platform.files["a"] = platform.files["b"] = PNG
    async with house(platform, tmp_path, hook=False) as (app, _):
        platform.faults += [
            ("getUpdates", Bad(409, "Conflict: terminated by other getUpdates request")),
            ("getUpdates", "reset"),
        ]
        platform.say("How do I reset my router?")
        answer = (await platform.seen(42, 1))[0]
        platform.press(answer, answer["reply_markup"]["inline_keyboard"][0][0]["text"])
        await platform.seen(42, 2)
        for file, words in (("a", "Both sides of it"), ("b", "")):
            photo = [{"file_id": file, "file_unique_id": file, "width": 1, "height": 1, "file_size": 48}]
            platform.say(photo=photo, media_group_id="7", **({"caption": words} if words else {}))
        await until(app, "SELECT count(*) FROM file", [(2,)])
        await until(app, "SELECT count(*) FROM inbox WHERE state <> 'done'", [(0,)])
        assert platform.answered == []


async def test_one_process_polls_the_others_wait(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=False) as (app, channel):
        other: Any = type(channel.office)(app, channel.name)  # type: ignore[call-arg]
        stranger = type(app).__new__(type(app))
        stranger.__dict__ |= app.__dict__ | {"holder": "another process"}
        other._app = stranger
        await asyncio.sleep(0.3)
        assert [await channel.office.hold("poll"), await other.hold("poll")] == [True, False]


async def _away(*_: Any, **__: Any) -> Any:
    raise Away("for a test")


async def test_in_a_group_it_answers_who_asks_and_only_his_presses_count(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=True) as (app, _):
        asked = platform.say("@aftercare_bot How do I reset my router?", chat=GROUP)
        answer = (await platform.seen(-100200, 1))[0]
        assert answer["reply_to"] == asked["message_id"]
        label = answer["reply_markup"]["inline_keyboard"][0][0]["text"]
        await until(app, "SELECT count(*) FROM inbox WHERE state = 'waiting'", [(0,)])
        foreign = platform.press(answer, label, user=LI)
        assert (await platform.ended(foreign))["text"].startswith("这是别人")
        assert await rows(app, "SELECT count(*) FROM inbox WHERE kind = 'choice'") == [(0,)]
        platform.press(answer, label, user=ANN)
        await platform.seen(-100200, 2)
        topic = {"message_thread_id": 7, "is_topic_message": True, "chat": {**GROUP, "id": -100300, "is_forum": True}}
        platform.say("@aftercare_bot How do I change my Wi-Fi password?", **topic)
        assert (await platform.seen(-100300, 1))[0]["message_thread_id"] == 7


@pytest.mark.parametrize("hook", [False, True], ids=["polling", "webhook"])
async def test_pictures_are_fetched_from_the_platform_alone(platform: Platform, tmp_path: Path, hook: bool) -> None:
    def photo(id: str) -> list[dict[str, Any]]:
        return [{"file_id": id, "file_unique_id": id, "width": 1, "height": 1, "file_size": 48}]

    platform.files["photos/1.png"] = PNG
    async with house(platform, tmp_path, hook=hook) as (app, _):
        platform.say(photo=photo("photos/1.png"), caption="The LOS light is red")
        for bad in ("elsewhere", "../etc", "/abs", "http://127.0.0.1:9/x", "huge", "photos/none"):
            platform.say(photo=photo(bad))
        await platform.seen(42, 1)
        await until(app, "SELECT name, type, size, owner FROM file", [("photo-1.jpg", "image/png", 48, "42")])
        await until(app, "SELECT count(*) FROM note WHERE key LIKE 'file:%'", [(1,)])  # the redirect may heal
        assert await rows(app, "SELECT count(*) FROM inbox WHERE state = 'dead'") == [(0,)]


async def test_before_we_know_our_name_a_group_is_asked_to_come_again(platform: Platform, tmp_path: Path) -> None:
    platform.faults += [("getMe", Bad(500, "Internal Server Error"))] * 2
    async with house(platform, tmp_path, hook=True) as (app, _):
        platform.say("How do I reset my router?")
        await platform.seen(42, 1)  # in private it does not matter
        platform.say("@aftercare_bot How do I reset my router?", chat=GROUP)
        await platform.seen(-100200, 1)
        assert 503 in [status for _, status in platform.deliveries]
        assert await rows(app, "SELECT count(*) FROM inbox WHERE kind = 'text'") == [(2,)]


async def test_an_edit_changes_the_message(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=True) as (app, _):
        said = platform.say("How do I reset my router?")
        await platform.seen(42, 1)
        platform.edit(said, "How do I change my Wi-Fi password?")
        await until(app, "SELECT kind, state FROM inbox ORDER BY id", [("text", "done"), ("edit", "done")])
        for name in ("sticker", "voice", "location", "contact", "poll", "from_the_future", "lone_surrogate"):
            assert (await platform.post((PAYLOADS / f"{name}.json").read_bytes()))[0] == 200
        await until(app, "SELECT count(*) FROM inbox WHERE state <> 'done'", [(0,)])


async def test_a_customer_who_blocked_us_is_marked(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=False) as (app, _):
        platform.faults.append(("sendMessage", Bad(403, "Forbidden: bot was blocked by the user")))
        platform.say("How do I reset my router?", user={**ANN, "first_name": "\u200b"})
        await until(app, "SELECT unreachable FROM chat", [(1,)])
        platform.say("How long does delivery take?")  # he is back, and has a name now
        await platform.seen(42, 1)
        assert await rows(app, "SELECT unreachable FROM chat") == [(0,)]


async def test_start_is_answered_each_time_and_a_link_is_honoured(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=True) as (app, _):
        for many, command in enumerate(("/start", "/start", "/start ans-reset-router", "/start summer"), 1):
            platform.say(command)
            await platform.seen(42, many)
        told = [message["text"] for message in platform.shown[42]]
        assert "welcome" in told[0].lower()
        assert "I can answer questions" in told[1]
        assert "Hold the Reset button" in told[2]
        assert "I can answer questions" in told[3]
        facts = await rows(app, "SELECT data FROM fact WHERE kind = 'started' ORDER BY id")
        assert [json.loads(data)["link"] for (data,) in facts] == ["", "", "summer"]


async def test_somebody_is_seen_typing_while_understanding_takes_long(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=True) as (app, _):
        understand = app.decider._understand

        def slowly(turn: Any) -> Any:
            time.sleep(0.6)  # on the deciding thread, twice what a customer should wait without a sign
            return understand(turn)

        app.decider._understand = slowly
        platform.say("How do I reset my router?")
        await platform.seen(42, 1)
        assert platform.called("sendChatAction")[0] == {"chat_id": 42, "action": "typing"}
        before = len(platform.called("sendChatAction"))
        platform.say("has anybody seen my cat?", chat=GROUP)  # not said to us: nobody is to see us typing
        await until(app, "SELECT count(*) FROM inbox WHERE state <> 'done'", [(0,)])
        assert len(platform.called("sendChatAction")) == before


async def test_anger_in_a_group_reaches_people_and_nobody_is_argued_with(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=True) as (app, _):
        await platform.seen(42, 0)
        said = platform.say("does anybody know the manual?", chat=GROUP)
        platform.edit(said, "You are liars and thieves, this company is a scam!!!")
        platform.say("你们就是一群骗子！！！第三次了！！！", chat=GROUP, user=LI)
        alarms = "SELECT count(*) FROM fact WHERE kind = 'alarm' AND data LIKE '%angry_in_public%'"
        await until(app, alarms, [(2,)])
        assert platform.shown[-100200] == []


async def test_words_changed_while_they_wait_are_decided_as_they_are(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=True) as (app, _):
        patient = replace(app.decider._policy(), burst=1.0)
        app.decider._policy = lambda: patient
        said = platform.say("zorp")
        await until(app, "SELECT state FROM inbox", [("taken",)])
        platform.edit(said, "How do I reset my router?")
        assert "Hold the Reset button" in (await platform.seen(42, 1))[0]["text"]
        await until(app, "SELECT count(*) FROM inbox WHERE state <> 'done'", [(0,)])
        assert len(platform.shown[42]) == 1


async def test_one_unkeepable_event_does_not_hold_up_the_others(platform: Platform, tmp_path: Path) -> None:
    async with house(platform, tmp_path, hook=False) as (app, channel):
        keep = channel.office.receive

        async def picky(inbounds: Any, notes: Any = None) -> Any:
            if any(one.text == "poison" for one in inbounds):
                raise ValueError("a fault of ours")
            return await keep(inbounds, notes)

        channel.office.receive = picky  # type: ignore[method-assign]
        for words in ("How do I reset my router?", "poison", "How long does delivery take?"):
            platform.say(words)
        await platform.seen(42, 2)
        assert await rows(app, "SELECT count(*) FROM inbox WHERE state = 'dead'") == [(1,)]


def test_the_bot_of_the_fake_is_the_one_we_read_for() -> None:
    assert (CONTEXT.id, CONTEXT.username) == (BOT["id"], BOT["username"])
