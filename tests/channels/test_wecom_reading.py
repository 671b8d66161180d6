"""What WeCom sends and takes, translated: recorded payloads in, payloads out; pure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import Choice, Inbound, Kind, Reply
from channels import NotSent, Refused
from channels.fit import parts, shorten
from channels.wecom import rendering
from channels.wecom.envelope import fields
from channels.wecom.errors import MEANINGS, Fault, Verdict, explained
from channels.wecom.reading import Heard, Reader

PAYLOADS = Path(__file__).parent.parent / "payloads" / "wecom"
READER = Reader("wecom", "s" * 32, most=2000)


def heard(name: str) -> Heard:
    raw = (PAYLOADS / f"{name}.xml").read_bytes().strip()
    return READER.callback(fields(raw), raw)


def one(name: str) -> Inbound:
    [inbound] = heard(name).inbounds
    return inbound


def page() -> dict[str, Inbound]:
    items = json.loads((PAYLOADS / "kf_page.json").read_text("utf-8"))
    return {i.native or i.key.removeprefix("kf:"): i for i in READER.page(items, "wkABC", {}).inbounds}


@pytest.mark.parametrize(
    ("name", "kind", "text", "choice"),
    [
        ("app_text", Kind.TEXT, "路由器 <!channel> 怎么重置?", ""),
        ("app_image", Kind.TEXT, "", ""),
        ("app_voice", Kind.TEXT, "", ""),
        ("app_location", Kind.TEXT, "📍 广州市海珠区新港中路397号 (23.134, 113.358)", ""),
        ("app_link", Kind.TEXT, "🔗 订单 https://example.com/o/1", ""),
        ("app_subscribe", Kind.HELLO, "", ""),
        ("app_click", Kind.CHOICE, "转人工", "do:human"),
        ("app_click_own_menu", Kind.TEXT, "保修政策", ""),
        ("app_template_card_event", Kind.CHOICE, "解决了", "do:solved:reset-router"),
    ],
)
def test_callbacks(name: str, kind: Kind, text: str, choice: str) -> None:
    inbound = one(name)
    assert (inbound.kind, inbound.text, inbound.choice) == (kind, text, choice)
    assert inbound.address in ("user/zhangsan", "user/lisi")
    assert inbound.sender == inbound.address
    assert inbound.at is not None
    assert inbound.raw


def test_keys_hold_the_platforms_id_or_the_hash_of_the_words() -> None:
    assert one("app_text").key == "msg:7561234567890123456"
    assert one("app_click").key != one("app_click_own_menu").key  # the same person in the same second
    assert one("app_click").key == one("app_click").key


def test_a_file_is_fetched_later_under_an_id_known_now() -> None:
    first, second = heard("app_image"), heard("app_image")
    [file] = first.inbounds[0].attachments
    assert second.inbounds[0].attachments == (file,)
    assert len(file.id) == 24
    errand = json.loads(first.notes[f"file:{file.id}"] or b"")
    assert errand["media"].startswith("1Yv-")
    assert errand["owner"] == "user/zhangsan"
    other = Reader("wecom", "t" * 32).callback(
        {"MsgType": "image", "FromUserName": "z", "MsgId": "1", "MediaId": "m"}, b""
    )
    assert other.inbounds[0].attachments[0].id != file.id


def test_what_asks_nothing_of_us_is_let_go_and_what_we_do_not_know_is_kept() -> None:
    assert heard("app_enter_agent") == Heard()
    unknown = one("app_unknown")
    assert unknown.address is None
    assert b"hologram" in unknown.raw


def test_a_card_that_was_pressed_can_be_changed() -> None:
    assert one("app_template_card_event").extra == {"response_code": "ResponseCodeOfThis"}


def test_kf_only_says_that_there_is_something() -> None:
    called = heard("app_kf_msg_or_event")
    assert called.inbounds == []
    [(key, token)] = called.notes.items()
    assert key.startswith("due:wkABC:")
    assert token == b"ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR"


@pytest.mark.parametrize(
    ("id", "kind", "text"),
    [
        ("k-text", Kind.TEXT, "你好 在吗"),
        ("k-menu", Kind.CHOICE, "解决了"),
        ("k-location", Kind.TEXT, "📍 海珠 新港中路 (23.1, 113.3)"),
        ("k-link", Kind.TEXT, "🔗 订单 https://example.com/o/1"),
        ("k-card", Kind.TEXT, "👤 lisi"),
        ("k-mini", Kind.TEXT, "🔗 商城"),
        ("k-enter", Kind.HELLO, ""),
        ("k-to-person", Kind.TEXT, "谢谢你"),
        ("k-from-person", Kind.NOTICE, "不客气"),
        ("k-taken", Kind.NOTICE, ""),
        ("k-over", Kind.NOTICE, ""),
        ("k-after", Kind.EDIT, ""),  # the recall, which names the message
        ("k-broken", Kind.TEXT, ""),
    ],
)
def test_kf_messages(id: str, kind: Kind, text: str) -> None:
    inbound = page()[id]
    assert (inbound.kind, inbound.text) == (kind, text)
    assert inbound.address in ("kf/wkABC/wmXYZ", "kf/wkABC/wmNEW")
    assert inbound.sender.startswith("external/wm")


def test_kf_files_and_sessions_and_greetings() -> None:
    items = json.loads((PAYLOADS / "kf_page.json").read_text("utf-8"))
    read = READER.page(items, "wkABC", {})
    by_key = {i.key: i for i in read.inbounds}
    assert [by_key[f"kf:k-{what}"].attachments[0].name for what in ("image", "voice", "video", "file")] == [
        "image.jpg",
        "voice.amr",
        "video.mp4",
        "file",
    ]
    assert not by_key["kf:k-to-person"].addressed
    assert by_key["kf:k-to-person"].extra == {"person": "wangwu"}
    assert by_key["kf:k-after"].addressed
    assert read.notes["state:kf/wkABC/wmXYZ"] is None
    assert json.loads(read.notes["welcome:kf/wkABC/wmNEW"] or b"")[0] == "WELCOME1"
    assert by_key["kf:k-from-person"].extra == {"person": "wangwu", "notice": "agent"}
    assert by_key["kf:k-taken"].extra == {"notice": "taken", "person": "wangwu"}
    assert by_key["kf:k-over"].extra == {"notice": "returned"}
    assert by_key["kf:k-enter"].extra == {"scene": "package", "scene_param": "AX3000", "asked": True}
    assert "kf:k-enter-again" not in by_key
    assert read.failed == [("kf/wkABC/wmXYZ", "FAIL1", 10)]
    assert sum(i.address is None for i in read.inbounds) == 3  # two kinds of tomorrow, and what is no object


def test_the_first_look_leaves_the_past_alone() -> None:
    items = json.loads((PAYLOADS / "kf_page.json").read_text("utf-8"))
    keys = {i.key for i in READER.page(items, "wkABC", {}, since=1763740806).inbounds}
    assert "kf:k-file" not in keys
    assert "kf:k-location" in keys


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries(
        {"msgid": st.text(max_size=5), "msgtype": st.sampled_from(["text", "event", "image", "link", "x"])},
        optional=dict.fromkeys(("text", "event", "image", "link", "external_userid", "send_time", "origin"), ANYTHING),
    )
)
def test_no_item_is_an_exception(item: dict[str, Any]) -> None:
    READER.page([item, item], "wk", {})


# ---------------------------------------------------------------- out


def app(reply: Reply) -> list[dict[str, Any]]:
    """The messages to a member."""
    return [
        rendering.app(part, "k", "task", markdown=True) for part in parts(reply, rendering.CAN, rendering.CAN.measure)
    ]


def kf(reply: Reply) -> list[dict[str, Any]]:
    """The messages to a customer."""
    return [rendering.kf(part) for part in parts(reply, rendering.CAN_KF, rendering.CAN_KF.measure)]


YES_NO = (Choice("do:solved:x", "解决了"), Choice("do:not_helpful:x", "没解决"))


def test_a_short_answer_with_buttons_is_one_card() -> None:
    body = app(Reply("按住 **Reset** 键 10 秒。", YES_NO))[0]
    card = body["template_card"]
    assert card["main_title"] == {"title": "按住 Reset 键 10 秒。"}
    assert card["task_id"] == "task"
    assert [b["key"] for b in card["button_list"]] == ["do:solved:x|解决了", "do:not_helpful:x|没解决"]


def test_a_long_answer_goes_before_its_card() -> None:
    text = "\n\n".join(["第一步。" * 30, "第二步。" * 30, "有帮助吗？"])
    words, card = app(Reply(text, YES_NO))
    assert words["msgtype"] == "text"
    assert card["template_card"]["main_title"] == {"title": "有帮助吗？"}


def test_long_labels_are_listed() -> None:
    labels = ("How do I change my Wi-Fi password?", "How do I change my administrator password?")
    choices = tuple(Choice(f"ans:{n}", label) for n, label in enumerate(labels))
    [body] = app(Reply("Which one do you mean?", choices))
    assert "2. How do I change my administrator password?" in body["template_card"]["sub_title_text"]
    assert [b["text"][:3] for b in body["template_card"]["button_list"]] == ["1. ", "2. "]


def test_markdown_only_where_it_shows() -> None:
    assert rendering.app(Reply("**fat**"), "k", "t", markdown=True)["msgtype"] == "markdown"
    assert rendering.app(Reply("**fat**"), "k", "t", markdown=False)["msgtype"] == "text"
    assert rendering.app(Reply("plain * text <x>"), "k", "t", markdown=True)["msgtype"] == "text"


def test_buttons_alone_have_something_above_them() -> None:
    long = "长" * 200
    words, card = app(Reply(long, YES_NO))
    assert words["text"]["content"].startswith(long)
    assert card["template_card"]["main_title"]["title"]


def test_equal_texts_of_two_replies_differ_and_attempts_of_one_do_not() -> None:
    first, again, other = (rendering.sealed("好的", key) for key in ("a", "a", "b"))
    assert first == again != other
    assert first.rstrip("\u200b\u200c") == "好的"


def test_kf_has_menus_and_never_more_messages_than_needed() -> None:
    [menu] = kf(Reply("有帮助吗？", YES_NO))
    assert menu["msgmenu"]["head_content"] == "有帮助吗？"
    assert menu["msgmenu"]["list"][0] == {"type": "click", "click": {"id": "do:solved:x", "content": "解决了"}}
    [text] = kf(Reply("长" * 400, YES_NO))
    assert text["text"]["content"].endswith("1. 解决了\n2. 没解决")
    assert [b["msgtype"] for b in kf(Reply("长" * 670, (Choice("a", "乙" * 60),)))] == ["text", "text"]
    assert len(shorten(Reply("长。" * 3000), rendering.CAN_KF, 3, "请继续问", rendering.CAN_KF.measure)) == 3


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=3000), st.lists(st.text(min_size=1, max_size=60), max_size=6))
def test_whatever_is_said_fits(text: str, labels: list[str]) -> None:
    reply = Reply(text, tuple(Choice(f"c{n}", label) for n, label in enumerate(labels)))
    for part in parts(reply, rendering.CAN, rendering.CAN.measure):
        body = rendering.app(part, "k", "t", markdown=True)
        assert len(str(body.get(body["msgtype"], {}).get("content", "")).encode("utf-8", "replace")) <= 2048
    for part in parts(reply, rendering.CAN_KF, rendering.CAN_KF.measure):
        body = rendering.kf(part)
        assert len(str(body.get("text", {}).get("content", "")).encode("utf-8", "replace")) <= 2048
        assert len(body.get("msgmenu", {}).get("head_content", "").encode("utf-8", "replace")) <= 1024


def test_every_error_has_a_meaning_in_both_languages() -> None:
    for code, (kind, zh, en, _) in MEANINGS.items():
        assert kind in {"token", "busy", "slow", "setup", "gone", "state", "spent", "wrong"}
        assert zh in explained(code)
        assert en in explained(code)
    assert "未知错误" in explained(123456)


def outcome(code: int, said: str = "") -> NotSent | Refused:
    return Verdict().on(Fault(code, "message/send", said))


def test_what_an_error_means_for_a_message() -> None:
    now = 1000.0
    slow, pauses = Verdict(lambda: now), []
    for _ in range(3):
        held = slow.on(Fault(45009, "x"))
        assert isinstance(held, NotSent)
        pauses.append(held.retry_after)
        now += held.retry_after
    assert pauses == [60, 300, 900]
    slow.fine()
    assert getattr(slow.on(Fault(45009, "x")), "retry_after", 0) == 60
    gone, spent, trust = outcome(81013), outcome(95001), outcome(60020)
    assert isinstance(gone, Refused)
    assert gone.gone
    assert isinstance(spent, Refused)
    assert not spent.gone
    assert isinstance(trust, NotSent)
    assert trust.everything
    assert isinstance(outcome(777), Refused)
    early = outcome(40014)
    assert isinstance(early, NotSent)
    assert early.retry_after < 60, "a new token that is not known everywhere yet holds nobody up for minutes"


def test_what_was_under_way_when_we_called_too_often_makes_the_pause_no_longer() -> None:
    now = 1000.0
    slow, paused = Verdict(lambda: now), []
    for _ in range(50):
        held = slow.on(Fault(45009, "message/send"))
        assert isinstance(held, NotSent)
        paused.append(round(now + held.retry_after, 6))
        now += 0.01
    assert set(paused) == {1060.0}
