"""Slack: what it tells read as events, what we say as blocks; nothing here touches a network."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.messages import Choice, Kind, Reply
from channels import NotSent, Refused, Unknown
from channels.slack import Slack
from channels.slack.client import Client, Failed, meaning
from channels.slack.interactions import interaction
from channels.slack.manifest import manifest
from channels.slack.reading import event, signed, unpack
from channels.slack.rendering import WORDS, form, render
from channels.slack.values import Context, Person, Place

HOME = Path(__file__).parent.parent.parent
PAYLOADS = HOME / "tests/payloads/slack"
CONTEXT = Context("slack", "s" * 32, "T1", "UBOT", people={"U1": Person("Alice", "zh-CN")})


def recorded(name: str) -> dict[str, Any]:
    """A payload as Slack documents it."""
    loaded: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))
    return loaded


# ---------------------------------------------------------------- reading


def test_private_chat() -> None:
    heard = event(CONTEXT, recorded("message_im"), b"raw").inbound
    assert heard
    assert (heard.address, heard.kind, heard.text) == ("T1/D1", Kind.TEXT, "路由器 <b> & 怎么重置?")
    assert (heard.key, heard.native, heard.sender) == ("T1:D1:1700000000.000100", "1700000000.000100", "U1")
    assert (heard.public, heard.addressed, heard.name, heard.language) == (False, True, "Alice", "zh-CN")


def test_one_message_comes_as_two_events() -> None:
    """In a channel one message may come as message and as app_mention: under two ids, with one key."""
    message, mention = (event(CONTEXT, recorded(n), b"").inbound for n in ("message_channel", "app_mention"))
    assert message
    assert mention
    assert message.key == mention.key
    assert message.address == mention.address == "T1/C1/1700000001.000200#U1"
    assert message.text == mention.text == "how do I reset my router?"
    assert message.public
    assert message.addressed
    assert mention.addressed
    assert str(message.extra["private"]).startswith("https://slack.com/app_redirect?app=A1")


def test_a_thread_is_a_chat_and_not_everything_in_it_is_said_to_us() -> None:
    heard = event(CONTEXT, recorded("message_thread"), b"").inbound
    assert heard
    assert heard.address == "T1/C1/1700000001.000200#U2"
    assert heard.public
    assert not heard.addressed
    assert "answer_unasked" not in heard.extra
    unasked = event(replace(CONTEXT, answer_unasked=True), recorded("message_thread"), b"").inbound
    assert unasked
    assert unasked.extra["answer_unasked"] is True
    assert heard.text == "@Alice see #general and Guide (https://a.example/x) or https://b.example @here"


def test_an_edit_is_a_new_version_under_a_key_of_its_own() -> None:
    new = event(CONTEXT, recorded("message_changed"), b"").inbound
    assert new
    assert (new.kind, new.native, new.text) == (Kind.EDIT, "1700000000.000100", "edited words")
    assert new.key == "T1:D1:1700000000.000100:1700000009.000000"


def test_a_deletion_is_a_version_without_words() -> None:
    for name in ("message_deleted", "tombstone"):
        gone = event(CONTEXT, recorded(name), b"").inbound
        assert gone
        assert (gone.kind, gone.text, gone.extra["deleted"]) == (Kind.EDIT, "", True)
        assert gone.native == "1700000000.000100"


@pytest.mark.parametrize("name", ["bot_message", "own_message", "joined", "unfolded", "own_changed", "home_tab"])
def test_what_is_nobodys_words_is_left_alone(name: str) -> None:
    heard = event(CONTEXT, recorded(name), b"")
    assert heard.inbound is None
    assert not heard.calls


def test_files_are_noted_with_the_event() -> None:
    heard = event(CONTEXT, recorded("file_share"), b"")
    again = event(CONTEXT, recorded("file_share"), b"other bytes")
    assert heard.inbound
    assert again.inbound
    [photo, guest] = heard.inbound.attachments
    assert heard.inbound.attachments == again.inbound.attachments
    assert (photo.name, photo.type, photo.size, len(photo.id)) == ("photo.png", "image/png", 72, 24)
    note = json.loads(heard.notes[f"file:{photo.id}"])
    assert note["url"] == "https://files.slack.com/files-pri/T1-F1/download/photo.png"
    assert note["owner"] == heard.inbound.address
    assert json.loads(heard.notes[f"file:{guest.id}"])["url"] == ""  # a stranger's: Slack only names it
    assert "Plan https://docs.example/plan" in heard.inbound.text  # not at Slack, so never fetched


def test_a_stranger_of_slack_connect_is_at_our_team() -> None:
    heard = event(replace(CONTEXT, team="", user=""), recorded("connect_stranger"), b"").inbound
    assert heard
    assert heard.address == "T1/C9/1700000005.000000#W7"
    assert heard.addressed


def test_the_chat_was_opened() -> None:
    heard = event(CONTEXT, recorded("app_home_opened"), b"").inbound
    assert heard
    assert (heard.kind, heard.address, heard.key) == (Kind.HELLO, "T1/D1", "Ev0HELLO")


def test_an_unknown_kind_is_kept_as_it_came() -> None:
    heard = event(CONTEXT, recorded("unknown"), b"bytes").inbound
    assert heard
    assert heard.address is None
    assert heard.raw == b"bytes"


def test_a_button_is_the_askers() -> None:
    pressed = interaction(CONTEXT, recorded("block_actions"), b"")
    assert pressed.inbound
    assert pressed.inbound.address == "T1/C1/1700000001.000200#U1"
    assert (pressed.inbound.kind, pressed.inbound.choice, pressed.inbound.text) == (
        Kind.CHOICE,
        "rate:C-1:1:5",
        "5 – very good",
    )
    [update] = pressed.calls
    assert update.method == "chat.update"
    assert [b["type"] for b in update.args["blocks"]] == ["section", "context"]
    theirs = recorded("block_actions")
    theirs["user"]["id"] = "U2"
    refused = interaction(CONTEXT, theirs, b"")
    assert refused.inbound is None
    assert [(c.method, c.args["user"]) for c in refused.calls] == [("chat.postEphemeral", "U2")]


def test_a_form_as_it_was_sent() -> None:
    heard = interaction(CONTEXT, recorded("view_submission"), b"")
    assert heard.inbound
    assert (heard.inbound.address, heard.inbound.key) == ("T1/@U1", "form:V1")
    assert heard.inbound.extra["form"] == {"what": "The router is dead", "product": "AX3000", "contact": ""}
    assert heard.inbound.extra["about"] == {"channel": "C1", "ts": "1700000001.000200"}
    blank = recorded("view_submission")
    blank["view"]["state"]["values"]["what"]["what"]["value"] = "  "
    refused = interaction(CONTEXT, blank, b"")
    assert refused.inbound is None
    assert refused.answer == {
        "response_action": "errors",
        "errors": {"what": WORDS["zh"]["empty"]},
    }


def test_shortcut_and_command() -> None:
    shortcut = interaction(CONTEXT, recorded("message_action"), b"")
    [call] = shortcut.calls
    assert shortcut.inbound is None
    assert call.method == "views.open"
    assert call.otherwise
    assert call.args["view"]["blocks"][0]["element"]["initial_value"] == "it is broken & loud"
    asked = interaction(CONTEXT, unpack((PAYLOADS / "command.form").read_bytes().strip()), b"")
    assert asked.inbound
    assert (asked.inbound.text, asked.inbound.address) == ("怎么重置 router?", "T1/@U1")
    assert asked.answer
    assert asked.answer["response_type"] == "ephemeral"


@pytest.mark.parametrize("raw", [b"", b"[]", b"payload=[1]", b"payload=" + b"[" * 50_000, b"{" * 9, b"\xff\xfe"])
def test_what_is_no_request(raw: bytes) -> None:
    try:
        data = unpack(raw)
    except (ValueError, RecursionError):
        return
    with pytest.raises(Exception):  # noqa: B017, PT011 # whatever it is, it is caught where it is called
        event(CONTEXT, data, raw)


def test_signature() -> None:
    mark = "v0=" + hashlib.sha256(b"").hexdigest()
    good = "v0=" + hmac.new(b"shh", b"v0:1000:\xff", hashlib.sha256).hexdigest()
    assert signed("shh", "1000", good, b"\xff", 1100)
    assert not signed("shh", "1000", good, b"\xff", 1301)
    for stamp, signature in (
        ("1000", mark),
        ("x", good),
        ("１０００", good),
        ("1000", "ü"),
        ("", ""),
        ("9" * 40, good),
    ):
        assert not signed("shh", stamp, signature, b"\xff", 1000)


def test_address() -> None:
    for address in ("T1/D1", "T1/C1/1700000001.000200#U1"):
        assert str(Place.of(address)) == address
    channel = Slack(secret="s", token="xoxb-1")
    assert channel.place("T1/C1/1.2#U1") == channel.place("T1/C1/3.4#U2") == ("T1/C1", True)
    assert channel.place("T1/D1") == ("T1/D1", False)


# ---------------------------------------------------------------- saying


def test_render() -> None:
    reply = Reply("**Hold** it <!channel>", (Choice("do:solved", "Yes"), Choice("do:human", "A person")))
    said = render(Place.of("T1/C1/1.2#U1"), reply)
    assert (said["channel"], said["thread_ts"]) == ("C1", "1.2")
    assert "<!channel>" not in json.dumps(said["blocks"])
    assert "&lt;!channel&gt;" in said["text"]
    assert said["blocks"][-1]["block_id"] == "0#U1"
    assert "thread_ts" not in render(Place.of("T1/D1"), reply)


def test_what_is_too_long_for_blocks_has_none() -> None:
    said = render(Place.of("T1/D1"), Reply("&" * 7000, (Choice("do:solved", "Yes"),)))
    assert "blocks" not in said
    assert "1. Yes" in said["text"]


@pytest.mark.parametrize(
    ("failed", "wanted"),
    [
        (Failed("ratelimited", 429, 7), NotSent),
        (Failed("http_502", 502), NotSent),
        (Failed("invalid_auth"), NotSent),
        (Failed("channel_not_found"), Refused),
        (Failed("is_archived"), Refused),
        (Failed("account_inactive"), NotSent),
        (Failed("ekm_access_denied"), NotSent),
        (Failed("team_added_to_org"), NotSent),
        (Failed("no_text"), Refused),
        (Failed("missing_scope", needed="files:write"), Refused),
        (Failed("fatal_error"), Unknown),
        (Failed("http_504", 504), Unknown),
    ],
)
def test_what_an_error_means(failed: Failed, wanted: type[Exception]) -> None:
    meant = meaning(failed)
    assert isinstance(meant, wanted)
    assert not isinstance(meant, NotSent) or meant.everything == (failed.status == 200)
    assert not isinstance(meant, Refused) or meant.gone == (failed.error not in ("no_text", "missing_scope"))


def test_files_are_fetched_from_slack_only() -> None:
    real, other = Client("x"), Client("x", "http://127.0.0.1:3010")
    assert other.url == "http://127.0.0.1:3010/api/"
    assert real.own("https://files.slack.com/files-pri/T1-F1/a.png")
    for url in (
        "http://files.slack.com/a",
        "https://files.slack.com.evil.example/a",
        "https://slack.com/a",
        "file:///",
    ):
        assert not real.own(url)
        assert not other.own(url)
    assert other.own("http://127.0.0.1:3010/files/a")
    assert not real.own("http://127.0.0.1:3010/files/a")
    assert not other.own("http://127.0.0.1:80/files/a")


def test_slacks_libraries_are_loaded_only_when_needed() -> None:
    known = "{'aiohttp', 'slack_bolt', 'slack_sdk'}"
    loaded = f"import sys, channels.slack; sys.exit(bool({known} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", loaded], cwd=HOME, check=False).returncode == 0


def test_manifest_is_the_one_in_the_docs() -> None:
    """To write it anew: the command in docs/slack.md."""
    written = yaml.safe_load((HOME / "docs/slack-manifest.yaml").read_text("utf-8"))
    assert written == manifest()


def test_every_permission_is_in_the_docs() -> None:
    page = (HOME / "docs/slack.md").read_text("utf-8")
    told = manifest()
    for named in (*told["oauth_config"]["scopes"]["bot"], *told["settings"]["event_subscriptions"]["bot_events"]):
        assert f"`{named}`" in page, named


def test_the_form_speaks_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for language, say in WORDS.items():
        assert max(len(say[name]) for name in ("title", "submit", "close")) <= 24
        view = form(language, "x" * 5000, ("AX3000", "M3"), {})
        assert len(view["blocks"][0]["element"]["initial_value"]) <= 2000
