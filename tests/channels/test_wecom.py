"""WeCom from end to end: the fake API on real sockets, the real application, the real engine."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from wechatpy.work.crypto import WeChatCrypto

from bot.allowance import Allowance, allowance
from bot.dialogue import Decision, Say
from bot.messages import Attachment, Reply
from bot.migrate import migrate
from bot.store import Store
from channels import NotSent, Refused, Unknown
from channels.wecom.envelope import fields
from tests.wire.wecom import AES_KEY, AGENT, CORP, KF_SECRET, PNG, SECRET, TOKEN, Qyapi, sealed
from tests.wire.wecom_firm import Firm, channel, firm, shown


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, migrated once."""
    file = tmp_path_factory.mktemp("wecom") / "empty.db"

    async def make() -> None:
        store = Store(f"sqlite:///{file}")
        await migrate(store)
        await store.close()

    asyncio.run(make())
    return file


@pytest.fixture
async def qyapi() -> AsyncIterator[Qyapi]:
    async with Qyapi() as one:
        yield one


@pytest.fixture
async def house(tmp_path: Path, qyapi: Qyapi, template: Path) -> AsyncIterator[Firm]:
    async with firm(tmp_path, qyapi, template) as one:
        yield one


# ---------------------------------------------------------------- members, through the application


async def test_questions_are_answered_and_a_button_is_pressed_before_and_after_a_restart(
    tmp_path: Path, qyapi: Qyapi, template: Path
) -> None:
    async with firm(tmp_path, qyapi, template) as house:
        assert await qyapi.says("zhangsan", "怎么恢复出厂设置") == 200
        assert await qyapi.says("lisi", "How do I reset my router?") == 200
        await house.settled()
        by_user = {body["touser"]: body for body in qyapi.sent}
        assert "按住 Reset 键 10 秒" in shown(by_user["zhangsan"])
        assert "Hold the Reset button" in shown(by_user["lisi"])
        keys = [button["key"] for button in by_user["zhangsan"]["template_card"]["button_list"]]
        assert keys[0].startswith("ans:wifi-password|")
        code = await qyapi.presses("zhangsan", keys[0])
        await house.settled()
        assert "打开 App" in house.told()[-1]
        await house.until(lambda: qyapi.cards)
        assert (qyapi.cards[0]["response_code"], qyapi.cards[0]["userids"]) == (code, ["zhangsan"])
        assert qyapi.cards[0]["button"]["replace_name"].startswith("✓ ")
    async with firm(tmp_path, qyapi) as again:
        before = len(qyapi.sent)
        await qyapi.presses("zhangsan", keys[0])
        await again.settled()
        assert "打开 App" in again.told()[-1]
        await qyapi.presses("zhangsan", "flow:ticket:need:x:9|旧的")
        await again.settled()
        assert len(qyapi.sent) == before + 2  # a stale one is refused politely
        assert await again.rows("SELECT DISTINCT state FROM check_reply") == [("sent",)]


async def test_retries_sealed_anew_change_nothing(house: Firm, qyapi: Qyapi) -> None:
    message = {
        "FromUserName": "zhangsan",
        "MsgType": "text",
        "Content": "怎么恢复出厂设置",
        "MsgId": "47",
        "CreateTime": 1,
    }
    await qyapi.push(message, times=3)
    assert qyapi.statuses == [200, 200, 200]
    await house.settled()
    assert await house.rows("SELECT dedup_key, state FROM check_inbox") == [("msg:47", "done")]
    assert len(qyapi.sent) == 1


async def test_events_without_an_id_in_one_second_are_told_apart(house: Firm, qyapi: Qyapi) -> None:
    event = {"FromUserName": "zhangsan", "MsgType": "event", "Event": "click", "CreateTime": int(time.time())}
    await asyncio.gather(*(qyapi.push({**event, "EventKey": key}) for key in ("多久能送到?", "怎么开访客网络?")))
    await qyapi.push({**event, "EventKey": "多久能送到?"})
    await house.settled()
    assert len(await house.rows("SELECT 1 FROM check_inbox")) == 2
    assert {"两到四" in told or "工作日" in told for told in house.told()} == {True, False}


async def test_the_address_is_checked_and_forgeries_are_not(house: Firm, qyapi: Qyapi) -> None:
    now = str(int(time.time()))
    sent, signature = sealed(WeChatCrypto(TOKEN, AES_KEY, CORP), "1616140317555161061", "n", now)
    echo = fields(sent.encode())["Encrypt"]
    query = {"msg_signature": signature, "timestamp": now, "nonce": "n", "echostr": echo}
    async with qyapi._http.get(qyapi.hook, params=query) as answer:
        assert (answer.status, await answer.read()) == (200, b"1616140317555161061")
    async with qyapi._http.get(qyapi.hook, params={**query, "msg_signature": "0" * 40}) as answer:
        assert answer.status == 403
    async with qyapi._http.get(qyapi.hook) as answer:
        assert answer.status == 403
    words = "<xml><MsgType>text</MsgType><FromUserName>x</FromUserName><MsgId>1</MsgId><Content>x</Content></xml>"
    assert await qyapi.post(words, "n", msg_signature="0" * 40) == 403
    assert await qyapi.post(words, "n", at=time.time() - 3 * 3600) == 403
    assert await qyapi.post(words, "n", nonce="other") == 403
    for body, status in ((b"<!DOCTYPE x><xml/>", 403), (b"x" * (2 << 20), 413), (b"", 403)):
        async with qyapi._http.post(qyapi.hook, params=query, data=BytesIO(body)) as answer:
            assert answer.status == status
    assert await house.rows("SELECT count(*) FROM check_inbox") == [(0,)]
    assert await qyapi.post("<!DOCTYPE x><xml/>", "n") == 200  # truly sealed by WeCom: kept, as what cannot be read
    assert await house.rows("SELECT state FROM check_inbox") == [("dead",)]


async def test_a_token_that_died_is_renewed_once_for_everybody(house: Firm, qyapi: Qyapi) -> None:
    await qyapi.says("zhangsan", "怎么恢复出厂设置")
    await house.settled()
    qyapi.tokens.clear()
    await asyncio.gather(*(house.wecom.send(f"user/{u}", Reply(u), f"r{u}") for u in ("zhangsan", "lisi") * 5))
    assert qyapi.calls.count("gettoken") == 2
    other = channel(qyapi)  # another process on the same database
    other.office = house.wecom.office
    await other.send("user/lisi", Reply("from the other"), "r77")
    await other.close()
    assert qyapi.calls.count("gettoken") == 2


async def test_a_lost_answer_is_sent_again_and_seen_once(house: Firm, qyapi: Qyapi) -> None:
    qyapi.faults["message/send"] = ["lost"]
    await qyapi.says("zhangsan", "怎么恢复出厂设置")
    await house.settled()
    assert await house.rows("SELECT state, attempts FROM check_reply") == [("uncertain", 2)]
    assert qyapi.calls.count("message/send") == 2
    await house.wecom.send("user/lisi", Reply("好的"), "r1")
    qyapi.faults["message/send"] = ["lost"]
    with pytest.raises(Unknown, match="message/send"):
        await house.wecom.send("user/lisi", Reply("好的"), "r2")
    await house.wecom.send("user/lisi", Reply("好的"), "r2")
    assert [told for told in house.told() if told == "好的"] == ["好的", "好的"]  # two replies, three attempts


async def test_errors_of_the_api(house: Firm, qyapi: Qyapi) -> None:
    qyapi.faults["message/send"] = [-1, 503, 45009, 60020, "reset"]
    for wrong in (NotSent, NotSent, NotSent, NotSent, Unknown):
        with pytest.raises(wrong):
            await house.wecom.send("user/zhangsan", Reply("x"), "r1")
    await house.wecom.send("user/zhangsan", Reply("x"), "r1")
    assert house.told() == ["x"]
    await qyapi.says("nobody", "怎么恢复出厂设置")
    await house.settled()
    assert await house.rows("SELECT count(*) FROM chat WHERE unreachable") == [(1,)]
    await qyapi.says("gone", "怎么恢复出厂设置")  # errcode 0, but named as invalid
    await house.settled()
    assert await house.rows("SELECT count(*) FROM chat WHERE unreachable") == [(2,)]
    qyapi.faults["message/send"] = [302]
    with pytest.raises(NotSent, match="HTTP 302"):  # no redirect is followed
        await house.wecom.send("user/lisi", Reply("x"), "r5")


async def test_files_in_and_out(house: Firm, qyapi: Qyapi) -> None:
    qyapi.media["MEDIA1"] = (PNG, "", "image/jpeg")
    await qyapi.says("zhangsan", "", MsgType="image", MediaId="MEDIA1")
    await qyapi.says("zhangsan", "", MsgType="image", MediaId="GONE")
    await house.settled()
    [(id, kind, size, owner)] = await house.rows("SELECT id, type, size, owner FROM file")
    assert (kind, size, owner) == ("image/png", len(PNG), "user/zhangsan")
    errand = {"media": "MEDIA1", "owner": owner, "name": "image.jpg", "type": "image/jpeg", "at": time.time()}
    await house.wecom.office.receive([], {f"file:{id}": json.dumps(errand).encode()})  # as after a crash
    await house.settled()
    assert qyapi.calls.count("media/get") == 2
    file = Attachment(id, "图 1.png", kind, size)
    await house.wecom.send("user/zhangsan", Reply("", attachments=(file,)), "r9")
    await house.wecom.send("user/zhangsan", Reply("", attachments=(file,)), "r10")
    assert [told for told in house.told() if told.startswith("<image")] == ["<image up" + _up(qyapi) + ">"] * 1
    assert qyapi.calls.count("media/upload") == 1
    assert qyapi.media["up" + _up(qyapi)][0] == PNG


def _up(qyapi: Qyapi) -> str:
    [up] = [id for id in qyapi.media if id.startswith("up")]
    return up.removeprefix("up")


class Moody:
    """The house, whose database is away for the first few calls."""

    def __init__(self, house: Any, times: int) -> None:
        self._house, self._times = house, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house, name)

    async def receive(self, *given: Any) -> Any:
        self._times -= 1
        if self._times >= 0:
            raise ConnectionError("no database")
        return await self._house.receive(*given)


async def test_nothing_is_acknowledged_that_is_not_kept(house: Firm, qyapi: Qyapi) -> None:
    house.wecom.office = Moody(house.wecom.office, times=2)
    assert await qyapi.says("zhangsan", "怎么恢复出厂设置") == 200
    assert qyapi.statuses == [503, 503, 200]
    await house.settled()
    assert len(qyapi.sent) == 1
    house.wecom.office = Moody(house.wecom.office, times=3)
    assert await qyapi.says("zhangsan", "and again") == 503


async def test_wechatpy_speaks_to_the_same_fake(qyapi: Qyapi) -> None:
    """The fake is held to the wire by a client that is not ours."""
    from requests.adapters import HTTPAdapter
    from wechatpy.work import WeChatClient

    class Here(HTTPAdapter):
        def send(self, request: Any, *given: Any, **more: Any) -> Any:
            request.url = request.url.replace("https://qyapi.weixin.qq.com", qyapi.url)
            return super().send(request, *given, **more)

    def speak() -> tuple[Any, ...]:
        client = WeChatClient(CORP, SECRET)
        client._http.mount("https://qyapi.weixin.qq.com", Here())
        sent = client.message.send_text(AGENT, "zhangsan", "你好")
        state = client.kf.get_service_state("wk1", "wmA")["service_state"]
        client.kf.trans_service_state("wk1", "wmA", 1)
        told = client.kf_message.send_text("wmA", "wk1", "在的", msgid="m1")["msgid"]
        qyapi.tokens.clear()
        again = client.message.send_text(AGENT, "lisi", "again")["errcode"]
        client._http.close()
        return sent["errcode"], state, told, again

    await qyapi.kf_says("wk1", "wmA", "在吗")
    assert await asyncio.to_thread(speak) == (0, 0, "m1", 0)
    assert [body["msgtype"] for body in (*qyapi.sent, *qyapi.kf_sent)] == ["text"] * 3


# ---------------------------------------------------------------- kf


async def test_a_kf_customer_is_answered_from_pages_that_repeat(house: Firm, qyapi: Qyapi) -> None:
    qyapi.page = 2
    for n in range(4):
        qyapi._item("wk1", {"origin": 3, "msgtype": "text", "text": {"content": "😀"}, "external_userid": f"wm{n}"})
    await qyapi.kf_says("wk1", "wmA", "怎么恢复出厂设置")
    await house.until(lambda: [t for t in house.kf_told() if "Reset" in t])
    await house.settled()
    assert await house.rows("SELECT count(*) FROM check_inbox") == [(5,)]
    assert qyapi.customers["wk1", "wmA"].state == 1  # it stays with us
    menu = next(body for body in qyapi.kf_sent if body["touser"] == "wmA")["msgmenu"]
    qyapi.rewind = 3
    chosen = menu["list"][0]["click"]
    await qyapi.kf_says("wk1", "wmA", text={"content": chosen["content"], "menu_id": chosen["id"]})
    await house.until(lambda: [t for t in house.kf_told() if "App" in t])
    await house.settled()
    assert await house.rows("SELECT count(*) FROM check_inbox") == [(6,)]
    assert all("msgid" in body and len(body["msgid"]) <= 32 for body in qyapi.kf_sent)


async def test_a_pull_is_due_until_it_is_done(tmp_path: Path, qyapi: Qyapi, template: Path) -> None:
    qyapi.faults["kf/sync_msg"] = ["hang"]
    async with firm(tmp_path, qyapi, template) as house:
        await qyapi.kf_says("wk1", "wmA", "怎么恢复出厂设置")
        await house.until(lambda: "kf/sync_msg" in qyapi.calls)
    assert qyapi.kf_sent == []
    qyapi.pull_tokens.clear()  # more than ten minutes have passed
    async with firm(tmp_path, qyapi, template) as again:
        await again.until(lambda: [t for t in again.kf_told() if "Reset" in t])
        await again.settled()
        assert await again.rows("SELECT count(*) FROM check_inbox") == [(1,)]


async def test_a_kf_message_whose_answer_was_lost_is_not_sent_twice(house: Firm, qyapi: Qyapi) -> None:
    qyapi.faults["kf/send_msg"] = ["lost"]
    await qyapi.kf_says("wk1", "wmA", "怎么恢复出厂设置")
    await house.until(lambda: qyapi.calls.count("kf/send_msg") == 2)
    await house.settled()
    assert await house.rows("SELECT state FROM check_reply") == [("uncertain",)]
    assert len(qyapi.kf_sent) == 1
    assert qyapi.customers["wk1", "wmA"].left == 4


async def test_five_messages_and_no_more(house: Firm, qyapi: Qyapi) -> None:
    await qyapi.kf_says("wk1", "wmA", "😀")
    await house.settled()
    qyapi.customers["wk1", "wmA"].left = 1
    await house.wecom.send("kf/wk1/wmA", Reply("fifth"), "x5")
    with pytest.raises(Refused, match="95001 48 小时内只能发 5 条"):
        await house.wecom.send("kf/wk1/wmA", Reply("sixth"), "x6")
    assert (house.wecom.at("kf/wk1/wmA").replies, house.wecom.at("user/zhangsan").replies) == (5, 0)
    assert house.wecom.at("kf/wk1/wmA").window == 48 * 3600


async def left(house: Firm, address: str) -> Allowance:
    """What the desk is told."""
    chat, can = house.wecom.office.chat(address), house.wecom.at(address)
    return await house.app.store.read(lambda c: allowance(c, chat, can))


async def test_the_five_are_planned_and_counted(tmp_path: Path, qyapi: Qyapi, template: Path) -> None:
    """An answer of seven parts is shortened; what an agent may still write is known."""
    async with firm(tmp_path, qyapi, template) as house:
        paragraphs = "\n\n".join(f"{n}. {'长' * 640}" for n in range(1, 8))
        house.app.decider._decide = lambda turn: Decision(
            turn.talk.but(language="zh", pending=()),
            (Say(Reply(turn.event.text * (turn.event.text != "long") or paragraphs)),),
        )
        assert await left(house, "kf/wk1/wmA") == Allowance(1, None)  # a greeting
        await qyapi.kf_says("wk1", "wmA", "一")
        await house.settled()
        allowed = await left(house, "kf/wk1/wmA")
        assert allowed.left == 4
        assert allowed.until is not None
        assert 0 < allowed.until.timestamp() - time.time() - 47.9 * 3600 < 3600
        await qyapi.kf_says("wk1", "wmA", "long")
        await house.settled()
        told = [body["text"]["content"] for body in qyapi.kf_sent[1:]]
        assert len(told) == 5
        assert told[-1].endswith("请继续问我。")
        assert (await left(house, "kf/wk1/wmA")).left == qyapi.customers["wk1", "wmA"].left == 0
        assert await house.rows("SELECT count(*) FROM check_reply WHERE state <> 'sent'") == [(0,)]
        await qyapi.kf_says("wk1", "wmA", "再问")
        await house.settled()
        assert (await left(house, "kf/wk1/wmA")).left == 4


async def test_a_message_that_failed_later_is_dead(house: Firm, qyapi: Qyapi) -> None:
    await qyapi.kf_says("wk1", "wmA", "怎么恢复出厂设置")
    await house.until(lambda: qyapi.kf_sent)
    await house.settled()
    for _ in range(2):
        await qyapi.kf_event("wk1", "msg_send_fail", "wmA", fail_msgid=qyapi.kf_sent[0]["msgid"], fail_type=10)
        await house.settled()
    [(state, error)] = await house.rows("SELECT state, error FROM reply")
    assert state == "dead"
    assert "拒收" in error
    assert (await left(house, "kf/wk1/wmA")).left == 5


async def test_the_welcome_code_greets_once(house: Firm, qyapi: Qyapi) -> None:
    await qyapi.kf_event("wk1", "enter_session", "wmA", welcome_code="W1")
    await house.until(lambda: qyapi.kf_sent)
    await house.settled()
    assert "kf/send_msg_on_event" in qyapi.calls
    assert "kf/send_msg" not in qyapi.calls
    assert qyapi.kf_sent[0]["code"] == "W1"
    with pytest.raises(Refused, match="95002"):  # he has not written: nothing else may be said
        await house.wecom.send("kf/wk1/wmA", Reply("and another thing"), "x")


async def test_a_person_in_wecom_has_the_session(house: Firm, qyapi: Qyapi) -> None:
    await qyapi.kf_says("wk1", "wmA", "😀")
    await house.settled()
    await house.wecom.hand_over("kf/wk1/wmA", "wangwu")
    assert qyapi.customers["wk1", "wmA"].state == 3
    before = len(qyapi.kf_sent)
    with pytest.raises(Refused, match="人工接待"):
        await house.wecom.send("kf/wk1/wmA", Reply("我也来说一句"), "x1")
    await qyapi.kf_says("wk1", "wmA", "谢谢王工")
    item = {"origin": 5, "msgtype": "text", "text": {"content": "不客气"}, "external_userid": "wmA"}
    qyapi._item("wk1", {**item, "servicer_userid": "wangwu"})
    await qyapi.kf_call("wk1")
    await house.settled()
    rows = await house.rows("SELECT kind, body FROM inbox ORDER BY id DESC LIMIT 2")
    bodies = [json.loads(body) if isinstance(body, str) else body for _, body in rows]
    assert [kind for kind, _ in rows] == ["notice", "text"]
    assert [body["extra"]["person"] for body in bodies] == ["wangwu", "wangwu"]
    assert bodies[1]["unaddressed"] is True
    said = await house.rows("SELECT author, text FROM message ORDER BY seq DESC LIMIT 2")
    assert said == [("agent", "不客气"), ("customer", "谢谢王工")]
    assert len(qyapi.kf_sent) == before  # we record and are silent
    qyapi.customers["wk1", "wmA"].state = 4
    await qyapi.kf_event("wk1", "session_status_change", "wmA", change_type=3, old_servicer_userid="wangwu")
    await qyapi.kf_says("wk1", "wmA", "怎么恢复出厂设置")
    await house.until(lambda: any("Reset" in told for told in house.kf_told()[before:]))


async def test_a_new_session_that_nobody_took_is_taken_when_sending_shows_it(house: Firm, qyapi: Qyapi) -> None:
    await qyapi.kf_says("wk1", "wmA", "😀")
    await house.settled()
    qyapi.faults["kf/send_msg"] = [95018]
    qyapi.customers["wk1", "wmA"].state = 0
    await house.wecom.send("kf/wk1/wmA", Reply("here"), "x1")
    assert qyapi.customers["wk1", "wmA"].state == 1


async def test_native_sessions_are_left_to_wecom(tmp_path: Path, qyapi: Qyapi, template: Path) -> None:
    async with firm(tmp_path, qyapi, template, kf_sessions="native", kf_secret=KF_SECRET) as house:
        await qyapi.kf_says("wk1", "wmA", "怎么恢复出厂设置")
        await house.until(lambda: qyapi.kf_sent)
        await house.settled()
        assert "kf/service_state/trans" not in qyapi.calls
        with pytest.raises(Refused, match="only kf customers"):
            await house.wecom.hand_over("user/zhangsan")
        await house.wecom.hand_over("kf/wk1/wmA")
        assert qyapi.customers["wk1", "wmA"].state == 2
        await house.wecom.hand_over("kf/wk1/wmA")  # again: it is so
        qyapi.customers["wk1", "wmA"].state = 4
        with pytest.raises(Refused, match="95016"):
            await house.wecom.hand_over("kf/wk1/wmA")


async def test_who_wants_a_person_is_handed_over_after_the_last_word(
    tmp_path: Path, qyapi: Qyapi, template: Path
) -> None:
    async with firm(tmp_path, qyapi, template, kf_sessions="native") as house:
        await qyapi.kf_says("wk1", "wmA", "转人工")
        await house.until(lambda: qyapi.customers["wk1", "wmA"].state == 2)
        await house.settled()
        assert len(qyapi.kf_sent) == 1
        assert "同事" in house.kf_told()[0]
        assert await house.rows("SELECT count(*) FROM ticket") == [(0,)]
        await qyapi.kf_says("wk1", "wmA", "怎么恢复出厂设置")
        await house.settled()
        assert len(qyapi.kf_sent) == 1  # it is theirs
        qyapi.customers["wk1", "wmA"].state = 4
        await qyapi.kf_event("wk1", "session_status_change", "wmA", change_type=3, old_servicer_userid="wangwu")
        await house.settled()
        assert await house.rows("SELECT owner, close_reason FROM conversation") == [("none", "agent")]
        await qyapi.kf_says("wk1", "wmA", "怎么恢复出厂设置")
        await house.until(lambda: len(qyapi.kf_sent) == 2)
        await house.settled()
        qyapi.faults["kf/service_state/trans"] = [95016]
        await qyapi.kf_says("wk1", "wmA", "人工")
        await house.until(lambda: any("工单" in told for told in house.kf_told()))  # nobody there: our own people
        await house.settled()
        assert await house.rows("SELECT kind FROM ticket") == [("urgent",)]


async def test_kf_files_and_words_taken_back(house: Firm, qyapi: Qyapi) -> None:
    qyapi.media["M1"] = (b"%PDF-1.7 x", "发票.pdf", "application/pdf")
    id = await qyapi.kf_says("wk1", "wmA", msgtype="file", file={"media_id": "M1"})
    await house.settled()
    assert await house.rows("SELECT name, type, owner FROM file") == [("发票.pdf", "application/pdf", "kf/wk1/wmA")]
    await qyapi.kf_event("wk1", "user_recall_msg", "wmA", recall_msgid=id)
    await qyapi.kf_event("wk1", "msg_send_fail", "wmA", fail_msgid="x", fail_type=10)
    await house.settled()
    assert await house.rows("SELECT kind, state FROM inbox ORDER BY id") == [("text", "done"), ("edit", "done")]
    assert await house.rows("SELECT text, attachments FROM message WHERE author = 'customer'") == [("", None)]


async def test_files_that_are_not_taken_are_told_in_a_sentence(house: Firm, qyapi: Qyapi) -> None:
    qyapi.media |= {"BIG": (b"x" * (2 << 20), "大.txt", "text/plain"), "EXE": (b"MZ\0\1" * 99, "a.exe", "x/y")}
    house.app.files.limit = 1 << 20
    for media in ("BIG", "EXE", "GONE"):
        await qyapi.kf_says("wk1", "wmA", msgtype="file", file={"media_id": media})
        await house.settled()
    told = "\n".join(house.kf_told())
    assert "最大 1 MB" in told
    assert "无法接收 file" in told
    assert "没有接收成功" in told
    assert await house.rows("SELECT count(*) FROM file") == [(0,)]


@pytest.mark.parametrize(
    "odd",
    [
        [{"has_more": 1}, {"has_more": 1, "next_cursor": "", "msg_list": []}, {"msg_list": 7}],
        [{"has_more": 1, "next_cursor": "c0"}, {"has_more": 1, "next_cursor": "c00"}],
    ],
)
async def test_pages_that_lead_nowhere_are_asked_for_seldom_and_hold_up_no_other_account(
    house: Firm, qyapi: Qyapi, monkeypatch: pytest.MonkeyPatch, odd: list[dict[str, Any]]
) -> None:
    pulled, asked = qyapi._kf_sync_msg, list[str]()

    def page(body: dict[str, Any], rest: Any) -> dict[str, Any]:
        asked.append(body["open_kfid"])
        return odd[asked.count("wk1") % len(odd)] if body["open_kfid"] == "wk1" else pulled(body, rest)

    monkeypatch.setattr(qyapi, "_kf_sync_msg", page)
    await qyapi.kf_says("wk1", "wmA", "怎么恢复出厂设置")
    await qyapi.kf_says("wk2", "wmB", "怎么恢复出厂设置")
    await house.until(lambda: qyapi.kf_sent, 12)
    await house.until(lambda: asked.count("wk1") > 2, 12)
    assert asked.count("wk1") < 9  # not as fast as can be
    monkeypatch.undo()
    await house.until(lambda: len(qyapi.kf_sent) > 1, 12)


async def test_pulls_that_wecom_refuses_are_tried_again_later(
    house: Firm, qyapi: Qyapi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.wecom.kf.REST", 0.1)
    qyapi.faults["kf/sync_msg"] = [45009, "reset", "expire"]
    await qyapi.kf_says("wk1", "wmA", "怎么恢复出厂设置")
    await house.until(lambda: qyapi.kf_sent, 12)


# ---------------------------------------------------------------- the administrator


async def test_check_says_what_is_wrong_and_where_to_click(qyapi: Qyapi) -> None:
    async def lines(**more: Any) -> dict[str, bool]:
        return {line: ok for ok, line in await channel(qyapi, **more).check()}

    good = await lines()
    assert good["application 1000002: 售后助手"] is True
    assert [ok for line, ok in good.items() if "可调用接口的应用" in line] == [False]
    wrong = await lines(app_secret="no")
    assert list(wrong.values()) == [False]
    assert "WECOM_SECRET" in next(iter(wrong))
    assert any("40013" in line for line in await lines(corp_id="ww0"))
    assert any("301002" in line for line in await lines(agent_id="7"))
    assert any("cannot connect" in line for line in await lines(api_url="http://127.0.0.1:1"))
    assert (await channel(qyapi).setup())[0] == "menu: 转人工 · 报修/提单 · 查进度"


def test_a_wrong_setting_is_named(qyapi: Qyapi) -> None:
    with pytest.raises(ValueError, match="EncodingAESKey"):
        channel(qyapi, aes_key="x")
