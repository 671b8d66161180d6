"""What a question refuses, and whose product it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.faq import Entry, Faq, Names, read
from knowledge.guards import Foreign, disputed, refuses, wanted
from knowledge.index import Knowledge, build
from knowledge.normal import normal


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("no factory reset, I just want to reboot", "i just want to reboot"),
        ("I don't want to put the modem in bridge mode, I want the router as an access point", "the router as an acc"),
        ("I'm not asking how long a repair takes but how long the guarantee runs", "how long the guarantee runs"),
        ("LOS isn't red, all lamps are fine, there's no internet", "all lamps are fine, there's no internet"),
        ("Please don't erase my settings, just restart the router", "just restart the router"),
        ("Not the camera, the router won't start", "the router won't start"),
        ("I want to restart the router. I don't want to lose my settings.", "i want to restart the router"),
        ("restart the router instead of resetting everything", "restart the router"),
        ("I know the app login, it's the wifi password I forgot", "it's the wifi password i forgot"),
        ("不是要访客网络，是要管孩子几点能上网", "要管孩子几点能上网"),
        ("别给我恢复出厂啊，我只是想重启路由器", "我只是想重启路由器"),
        ("不是问光猫桥接，我问的是怎么设成中继", "我问的是怎么设成中继"),
        ("别告诉我怎么退货，我要换货", "我要换货"),
        ("I don't want to see my password i want to know who uses the wifi", "i want to know who uses the wifi"),
        ("App密码我记得，忘的是家里WiFi的密码", "忘的是家里wifi的密码"),
        ("我不想退货而是想换一台新的", "想换一台新的"),
        ("不是重启是恢复出厂设置", "恢复出厂设置"),
        ("我要重启路由器，不要恢复出厂", "我要重启路由器"),
        ("光猫没亮红灯，所有设备都上不了网", "所有设备都上不了网"),
        ("后台密码忘了，但是不想恢复出厂，还有别的办法吗", "还有别的办法吗"),
        ("a tablet drops out, but I don't want to restart it, what else helps", "drops out, what else helps"),
    ],
)
def test_what_is_refused_is_not_asked(question: str, asked: str) -> None:
    left = wanted(normal(question))
    assert asked in left
    assert len(left) < len(normal(question))


@pytest.mark.parametrize(
    "question",
    [
        "it does not work",
        "I can't connect, what now",
        "don't know how to reset",
        "don't know how to reset, please help",
        "not working after update, please help",
        "no internet, just a red light",
        "no signal, I need help",
        "wifi is not stable, I want to fix it",
        "I don't want my neighbours on my wifi, how do I block them",
        "I don't want to reset the router",
        "the app does not find it, but the router is on",
        "I know the password but it does not work",
        "not a single device connects, the router is on",
        "I paid 1,200 and got a C2 instead of a C5",
        "do not receive the code, please send it again",
        "不亮了",
        "没有网络",
        "没有网络，就一个红灯",
        "信号不是很好，怎么办",
        "是不是坏了，要怎么修",
        "要不要带包装盒，怎么寄",
        "别的手机都行，就我这台连不上",
        "不想要了，还给退吗",
        "人在家不想让摄像头拍，怎么让它休眠",
        "不是七天无理由退货吗，我要退",
        "不用密码也能连网吗",
        "不知道怎么重置",
        "没问题，继续",
        "不需要，谢谢",
        "不想每次手动重启，有没有自动的",
        "I don't want to be watched at home, how do I make the camera sleep",
        "how can I close my account, I don't want it",
        "",
        "?!",
    ],
)
def test_a_fault_is_no_refusal(question: str) -> None:
    assert wanted(normal(question)) == normal(question)


PIECES = [*"不是别要想,.;。 的", "i don't want ", "not the ", "but ", "just ", "no reset", "重启", "路由"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_nothing_is_made_up(text: str) -> None:
    plain = normal(text)
    assert set(wanted(plain)) <= set(plain) | {",", " "}


# ---------------------------------------------------------------- others' names

NAMES = Names(
    others=("TP-Link", "小米", "Google Nest"),
    places=("淘宝", "Gmail"),
    ours=("Hailan", "海澜"),
    things=("fridge", "冰箱"),
    kinds=("router", "路由器"),
    sends=("invoice", "发票"),
    used_with=("phone", "laptop", "手机"),
    services=("Netflix", "抖音"),
)
FOREIGN = Foreign(NAMES, {"AX3000", "C5"}, normal)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("reset my tp link archer", {"TP-Link"}),
        ("reset my TPLINK", {"TP-Link"}),
        ("小米路由器", {"小米"}),
        ("my google-nest is slow", {"Google Nest"}),
        ("stplinks", set()),
        ("my TP-Link phone cannot connect", set()),
        ("小米14手机连不上", set()),
        ("淘宝买的鞋子", {"淘宝"}),
        ("淘宝买的海澜路由器", set()),
        ("淘宝买的 C5", set()),
        ("how do i reset it", set()),
        ("how do i reset my phone", {"phone"}),
        ("please help me to back up the old laptop", {"laptop"}),
        ("how can i update the firmware of my old phone", {"phone"}),
        ("手机怎么恢复出厂设置", {"手机"}),
        ("怎么重启我的手机", {"手机"}),
        ("i restarted my phone and it still does not connect", set()),
        ("do i have to restart my phone after that", set()),
        ("how do i update the app on my phone", set()),
        ("how do i fix my phone's connection", set()),
        ("手机怎么重启路由器", set()),
        ("手机重启了还是连不上", set()),
        ("cancel my netflix subscription", {"netflix"}),
        ("password for my netflix", {"netflix"}),
        ("抖音账号怎么注销", {"抖音"}),
        ("how do i sign out of netflix", {"netflix"}),
        ("怎么退出抖音", {"抖音"}),
        ("stop my son logging in to netflix", set()),
        ("怎么禁止孩子登录抖音", set()),
        ("netflix is slow", set()),
        ("不让孩子刷抖音", set()),
        ("my netflix works but the account of the router does not", set()),
    ],
)
def test_others_are_known_by_name(text: str, named: set[str]) -> None:
    assert FOREIGN.names(normal(text)) == named


def entry(name: str, *questions: str) -> Entry:
    return Entry(id=name, topic="faults", questions={"en": questions}, answer={"en": "So."})


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    reset = entry("reset", "How do I reset the router?", "factory reset of the AX3000", "erase the router", "reset it")
    swap = entry("swap", "Can I replace a TP-Link router by yours?", "swap my TP-Link for yours", "replace old TP-Link")
    slow = entry("slow", "why is the wifi slow", "slow internet", "bad speed", "downloads take long")
    return build(Faq((reset, swap, slow), names=NAMES))


@pytest.mark.parametrize(
    ("question", "outcomes"),
    [
        ("How do I reset the router?", {"answer"}),
        ("How do I reset the TP-Link router?", {"unknown"}),
        ("How do I reset the Hailan router, not the TP-Link", {"answer", "choose"}),
        ("How do I reset the router AX3000 behind a TP-Link", {"choose"}),
        ("How do I reset the router from 淘宝", {"choose"}),
        ("Can I replace a TP-Link router by yours?", {"answer"}),
    ],
)
def test_another_maker_is_not_answered_for(knowledge: Knowledge, question: str, outcomes: set[str]) -> None:
    ranking = knowledge.ask(question)
    assert ranking.outcome in outcomes
    if outcomes <= {"unknown", "choose"}:
        assert "foreign" in {g["guard"] for g in ranking.why["guards"]}


@pytest.mark.parametrize(
    ("question", "outcomes"),
    [
        ("How do I reset the router beside the fridge?", {"answer"}),
        ("What beside the fridge erases the settings of a router?", {"choose"}),
        ("How do I reset it, the fridge", {"unknown"}),
        ("How do I reset the fridge?", {"unknown"}),
        ("How do I reset the TP-Link router beside the fridge?", {"unknown"}),
    ],
)
def test_a_thing_of_another_trade_may_be_but_mentioned(knowledge: Knowledge, question: str, outcomes: set[str]) -> None:
    assert knowledge.ask(question).outcome in outcomes


@pytest.mark.parametrize(
    ("text", "named", "mentioned"),
    [
        ("the router reboots when the fridge starts", {"fridge"}, True),
        ("换了路由器,冰箱要重连吗", {"冰箱"}, True),
        ("the c5 sees only the fridge", {"fridge"}, True),
        ("the fridge starts", {"fridge"}, False),
        ("where is the invoice of my fridge", {"fridge"}, False),
        ("冰箱的发票在哪", {"冰箱"}, False),
        ("the tp-link router is near the fridge", {"TP-Link", "fridge"}, False),
        ("the router of 淘宝 and the fridge", {"淘宝", "fridge"}, False),
    ],
)
def test_a_thing_is_mentioned_beside_what_we_make(text: str, named: set[str], mentioned: bool) -> None:
    assert FOREIGN.names(text) == named
    assert FOREIGN.mentions(text, frozenset(named)) is mentioned


def test_a_word_as_an_example_does_not_allow_a_refusal() -> None:
    bill = entry("bill", "invoice", "where is the invoice", "I need the bill", "send me a receipt")
    ranking = build(Faq((bill, entry("slow", "why is the wifi slow", "slow internet")))).ask(
        "how do I make sure that nobody gets the invoice"
    )
    assert "negation" in {g["guard"] for g in ranking.why["guards"]}


def test_what_is_used_with_ours_may_be_what_is_asked_about(knowledge: Knowledge) -> None:
    ranking = knowledge.ask("factory reset of the TP-Link phone")
    assert (ranking.outcome, ranking.candidates[0].entry) == ("choose", "reset")
    assert "foreign" in {g["guard"] for g in ranking.why["guards"]}


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("我不想重置路由器", True),
        ("不要换货", True),
        ("不用恢复出厂,我要重启", True),
        ("不想要了,还能退吗", False),
        ("要不要手续费", False),
        ("用不用本人去", False),
        ("以后不用了,想注销", False),
        ("是不是要把密码给他", False),
        ("客人来了别让他们看到我的电脑", False),
        ("别告诉我怎么换货", True),
        ("keep the name so i don't have to connect everything again", False),
        ("i don't want the neighbours to see my network", False),
        ("i don't want you to reset it", True),
        ("i don't want a replacement device to be sent", True),
        ("i don't want a new router to be shipped", True),
        ("i don't want a technician to come", True),
        ("i don't want the new router to be sent", True),
        ("i don't want the technician to come", True),
        ("i don't want my kids to be online at night", False),
        ("i don't want the router to restart every night", False),
        ("怎么让手机不用重连", False),
        ("i don't want to reset it", True),
        ("it does not work", False),
        ("在家的时候不想被摄像头拍", False),
        ("换新路由器不想每个设备都重新连一遍", False),
        ("don't want it filming us while we are at home", False),
        ("I don't want to reset it while it is filming", True),
    ],
)
def test_what_says_what_is_not_wanted(text: str, refused: bool) -> None:
    assert refuses(text) is refused


def test_what_is_absent_is_not_asked() -> None:
    assert wanted("it never disconnects, it's just awfully slow") == "it's just awfully slow"
    assert wanted("the address is right, i just want another day") == "i just want another day"
    assert wanted("地址没错,就想换一天送货") == "就想换一天送货"
    assert wanted("it does not work, what can i do") == "it does not work, what can i do"
    assert wanted("路由器没反应,怎么办") == "路由器没反应,怎么办"


def test_a_refusal_that_cannot_be_cut_out_still_counts() -> None:
    text = "please, no factory reset. i just want to reboot it."
    assert wanted(text) == text
    assert disputed(text)
    assert not disputed("how do i reset the router")


@pytest.mark.parametrize("text", ["怎么让别人重启不了路由器", "how do i make sure nobody can restart it"])
def test_what_shall_not_happen_is_not_asked_for(text: str) -> None:
    assert disputed(text)


def test_a_word_is_answered_where_it_is_an_example() -> None:
    word = build(Faq((entry("box", "box", "what is in the box"), entry("slow", "why is it slow", "bad speed"))))
    assert word.ask("box").outcome == "answer"


def test_names_stand_beside_the_entries(tmp_path: Path) -> None:
    (tmp_path / "foreign.yaml").write_text("others: [TP-Link]\nours: [Hailan]\n", "utf-8")
    faq = read(tmp_path)
    assert faq.names == Names(others=("TP-Link",), ours=("Hailan",))
    assert faq.version != Faq().version


def test_without_names_nothing_is_foreign() -> None:
    nobody = Foreign(Names(), (), normal)
    assert nobody.names("my tp-link") == frozenset()
    assert not nobody.ours("hailan", frozenset({"TP-Link"}))


def test_what_is_refused_does_not_decide(knowledge: Knowledge) -> None:
    ranking = knowledge.ask("I don't want to reset the router, I ask why the wifi is slow")
    assert ranking.candidates[0].entry == "slow"
    assert ranking.why["wanted"] == "i ask why the wifi is slow"


def test_a_purpose_is_that_of_its_own_clause() -> None:
    assert not refuses(normal("I don't want it blinking every time"))
    assert refuses(normal("the router fails and I don't want a refund, it always fails"))
    assert refuses(normal("listen I don't want a refund. every time the same"))
