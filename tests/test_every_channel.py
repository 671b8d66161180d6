"""What every channel must do, however its platform behaves: one suite, and a driver for each (``tests/kit``).

A case runs for every driver that has what the case needs; what a driver has not is declared in its ``cannot`` with the
reason, and is not collected. A new channel brings a driver and is named in DRIVERS.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.messages import Choice, Reply
from bot.store import Away
from channels.fit import parts
from tests.kit import slack, telegram, terminal, toy, web, wecom
from tests.kit.driver import ABILITIES, ANN, LI, PUBLIC, Driver
from tests.kit.scene import Scene, bare, choices

HOME = Path(__file__).parent.parent
DRIVERS: tuple[type[Driver], ...] = (
    terminal.Keyboard,
    web.Browsers,
    telegram.Polling,
    telegram.Webhook,
    slack.Http,
    slack.Socket,
    wecom.App,
    wecom.Kf,
    toy.Toys,
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(48))
Case = Callable[..., Any]


def needs(*abilities: str) -> Callable[[Case], Case]:
    """The case applies to channels whose driver has all of these."""

    def marked(case: Case) -> Case:
        case.needs = abilities  # type: ignore[attr-defined]
        return case

    return marked


def able(driver: type[Driver]) -> set[str]:
    """What a driver has."""
    return ABILITIES.keys() - driver.cannot.keys()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each case once for each driver that it applies to."""
    if "scene" in metafunc.fixturenames or hasattr(metafunc.function, "needs"):
        wanted = set(getattr(metafunc.function, "needs", ()))
        assert wanted <= ABILITIES.keys()
        apt = [driver for driver in DRIVERS if wanted <= able(driver)]
        metafunc.parametrize("driver", apt, ids=[driver.name for driver in apt])


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a case asks for several processes."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
async def scene(
    driver: type[Driver], database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    """The application with this channel; at the end nothing is lost and nothing was done twice."""
    monkeypatch.setattr("bot.outbox.PAUSES", (0.03,) * 6)
    monkeypatch.setattr("channels.fetching.PAUSES", (0.03,) * 6)
    async with driver(tmp_path) as platform:
        scene = Scene(platform, database, tmp_path)
        await scene.start()
        try:
            yield scene
            await scene.whole()
        finally:
            await scene.end()


@contextmanager
def away(scene: Scene) -> Iterator[None]:
    """Nothing can be kept."""
    kept = scene.app.store.write

    async def refuse(*_: Any, **__: Any) -> Any:
        raise Away("for a test")

    scene.app.store.write = refuse  # type: ignore[method-assign]
    yield
    scene.app.store.write = kept  # type: ignore[method-assign]


# ---------------------------------------------------------------- the kit itself


def test_every_channel_of_the_house_has_a_driver() -> None:
    platforms = {driver.name.partition("-")[0] for driver in DRIVERS}
    with_class = {
        path.stem
        for path in (HOME / "channels").iterdir()
        if f"class {path.stem.capitalize()}(Channel)" in _source(path)
    }
    assert with_class | {"toy"} == platforms


def _source(path: Path) -> str:
    file = path / "__init__.py" if path.is_dir() else path
    return file.read_text("utf-8") if file.suffix == ".py" and file.exists() else ""


@pytest.mark.parametrize("driver", DRIVERS, ids=[driver.name for driver in DRIVERS])
def test_what_a_driver_cannot_is_declared_with_its_reason(driver: type[Driver]) -> None:
    assert driver.cannot.keys() <= ABILITIES.keys()
    assert all(len(why) > 5 for why in driver.cannot.values())


def test_there_is_a_channel_for_every_ability() -> None:
    assert set.union(*map(able, DRIVERS)) == set(ABILITIES)


# ---------------------------------------------------------------- words


async def test_words_are_heard_and_answered_once(scene: Scene) -> None:
    for words in ("How do I reset my router?", "路由器怎么恢复出厂设置？", "كيف أعيد الضبط؟"):
        [answer] = await scene.ask(words)
        assert words in bare(answer.words)
    await scene.settled()
    assert await scene.events() == [("text", "done")] * 3
    assert await scene.replies() == ["sent"] * 3


HOSTILE = {
    "nul": "a\x00b",
    "controls": "a\x07\x1b[31mb\x7f",
    "bidi": "abc \u202egnp.exe\u202c def \u2066x\u2069",
    "zero-width": "\u200b\u200d\ufeffh\u200bi\u2060",
    "combining": "e" + "\u0301" * 300,
    "flags-and-families": "👨‍👩‍👧‍👦🇩🇪👍🏽1️⃣" * 20,
    "one-word": "x" * 400,
    "markup": "**a** <b>b</b> `c` [d](javascript:e) &lt;f&gt; <script>g</script> \\ | # 1. > ~~h~~",
    "mentions": "<!channel> <!here> <@U1> @everyone #general",
    "templates": "{name} {0} ${HOME} {{7*7}} %s %(a)s {{{",
    "sql": "'; DROP TABLE inbox; --",
    "xml": "]]> <![CDATA[x]]> &amp; <!DOCTYPE x>",
    "path": "../../etc/passwd\\..\\x",
}


async def test_hostile_words_are_words(scene: Scene) -> None:
    if scene.driver.name == "wecom-app":
        scene.driver.qyapi.most = 99  # type: ignore[attr-defined]
    for name, words in HOSTILE.items():
        wire = words.replace("\x00", "").replace("\x1b", "").replace("\x07", "")  # XML and terminals carry none of them
        [answer] = await scene.ask(wire if scene.driver.name.startswith(("wecom-app", "terminal")) else words)
        if name in ("markup", "mentions", "templates", "sql", "xml", "path", "one-word"):
            assert "".join(words.split()) in "".join(bare(answer.words).split()), name
    assert {state for _, state in await scene.events()} == {"done"}
    assert await scene.replies() == ["sent"] * len(HOSTILE)


async def test_ten_thousand_emoji(scene: Scene) -> None:
    await scene.driver.tell(scene.driver.text("😀" * 10_000))
    await scene.shown(1)
    await scene.settled()
    assert await scene.events() == [("text", "done")]


async def test_lone_surrogates_are_mended(scene: Scene) -> None:
    event = scene.driver.text("broken \ud83d here \udc00 and so on")
    if "xml" in scene.driver.name or scene.driver.name.startswith(("wecom-app", "terminal")):
        event = scene.driver.text("broken \ufffd here")  # their wires have no such thing
    assert await scene.driver.tell(event)
    assert "broken" in (await scene.shown(1))[0].words
    await scene.settled()
    assert await scene.events() == [("text", "done")]


async def test_saying_nothing_is_no_trouble(scene: Scene) -> None:
    for words in (" ", "\n\n", "\u200b"):
        await scene.driver.tell(scene.driver.text(words))
    await scene.driver.tell(scene.driver.text("and now?"))
    await scene.until(lambda: any("and now?" in words for words in scene.words()))
    assert {state for _, state in await scene.events()} == {"done"}


# ---------------------------------------------------------------- once, in order, whatever comes


@needs("again")
async def test_an_event_told_again_is_known(scene: Scene) -> None:
    event = scene.driver.text("hello")
    assert await scene.driver.tell(event)
    await scene.shown(1)
    for _ in range(3):
        assert await scene.driver.deliver(event)
    await scene.ask("and now?")
    assert await scene.events() == [("text", "done")] * 2
    assert len(scene.driver.seen()) == 2


@needs("again")
async def test_an_event_told_five_times_at_once_is_one(scene: Scene) -> None:
    event = scene.driver.text("hello")
    assert all(await asyncio.gather(*(scene.driver.deliver(event) for _ in range(5))))
    await scene.shown(1)
    await scene.settled()
    assert await scene.events() == [("text", "done")]


@needs("again")
async def test_an_event_told_again_after_a_restart_is_known(scene: Scene) -> None:
    event = scene.driver.text("hello")
    assert await scene.driver.tell(event)
    await scene.shown(1)
    await scene.restart()
    assert await scene.driver.deliver(event)
    await scene.ask("and now?")
    assert await scene.events() == [("text", "done")] * 2


@needs("twin")
async def test_an_event_in_other_bytes_is_the_same_event(scene: Scene) -> None:
    event = scene.driver.text("hello", PUBLIC) if "others" not in scene.driver.cannot else scene.driver.text("hello")
    assert all(await asyncio.gather(scene.driver.tell(event), scene.driver.tell(scene.driver.twin(event))))
    await scene.settled()
    assert await scene.events() == [("text", "done")]
    assert await scene.replies() == ["sent"]


async def test_the_same_words_twice_are_two_messages(scene: Scene) -> None:
    scene.answer("ok?", "Yes, it is.")
    for _ in range(2):
        assert await scene.driver.tell(scene.driver.text("ok?"))
    await scene.shown(2)
    await scene.settled()
    assert await scene.events() == [("text", "done")] * 2
    assert scene.words() == [scene.words()[0]] * 2


async def test_one_customers_messages_keep_their_order(scene: Scene) -> None:
    many = scene.driver.burst
    for n in range(many):
        assert await scene.driver.tell(scene.driver.text(f"number {n}."))
    shown = await scene.shown(many)
    assert [f"number {n}." in bare(shown[n].words) for n in range(many)] == [True] * many


@needs("crowd")
async def test_everybody_gets_his_own_answers(scene: Scene) -> None:
    events = [scene.driver.text(f"I am {who}.", who) for who in range(2, 10)]
    assert all(await asyncio.gather(*map(scene.driver.tell, events)))
    for who in range(2, 9):
        [answer] = await scene.shown(1, who)
        assert f"I am {who}." in answer.words
    await scene.settled()
    assert len(await scene.rows("SELECT DISTINCT chat_id FROM inbox WHERE kind = 'text'")) == 8


@needs("again", "crowd")
async def test_what_was_made_first_may_come_last(scene: Scene) -> None:
    first, second, other = (scene.driver.text(f"this is {n}", who) for n, who in ((1, ANN), (2, ANN), (3, LI)))
    for event in (other, second, first):
        assert await scene.driver.deliver(event)
    said = " ".join(seen.words for seen in await scene.shown(2))
    assert "this is 1" in said
    assert "this is 2" in said
    await scene.shown(1, LI)
    await scene.settled()
    assert await scene.events() == [("text", "done")] * 3


# ---------------------------------------------------------------- who may come in, and with what


@needs("signed")
async def test_forgeries_are_refused_and_not_kept(scene: Scene) -> None:
    statuses = await scene.driver.forged()
    assert len(statuses) > 2
    assert set(statuses) <= {400, 401, 403}
    assert await scene.rows("SELECT count(*) FROM inbox WHERE kind <> 'hello'") == [(0,)]
    await scene.ask("and now?")


@needs("dated")
async def test_requests_of_another_time_are_refused(scene: Scene) -> None:
    assert set(await scene.driver.stale()) <= {401, 403}
    assert await scene.rows("SELECT count(*) FROM inbox") == [(0,)]
    await scene.ask("and now?")


@needs("hook")
async def test_what_is_too_large_is_refused(scene: Scene) -> None:
    assert await scene.driver.oversized() == 413
    assert await scene.rows("SELECT count(*) FROM inbox WHERE kind <> 'hello'") == [(0,)]
    await scene.ask("and now?")


@needs("odd")
async def test_what_nobody_can_read_is_kept_and_holds_up_nothing(scene: Scene) -> None:
    odd = scene.driver.odd()
    assert len(odd) > 3
    for event in odd:
        assert await scene.driver.tell(event), str(event)[:200]
    await scene.ask("and now?")
    await scene.settled()
    [(scene.dead,)] = await scene.rows("SELECT count(*) FROM inbox WHERE chat_id IS NULL AND state = 'dead'")
    assert scene.dead > 0
    for event in odd:
        assert await scene.driver.deliver(event), str(event)[:200]
    await scene.ask("and now again?")
    [(unkept,)] = await scene.rows("SELECT count(*) FROM inbox WHERE raw IS NULL AND state = 'dead'")
    assert unkept <= odd.count(b"")


@needs("retry")
async def test_what_cannot_be_kept_is_not_acknowledged_and_comes_again(scene: Scene) -> None:
    await scene.ask("first")
    event = scene.driver.text("hello")
    with away(scene):
        assert not await scene.driver.deliver(event)
    assert await scene.driver.tell(event)
    await scene.shown(2)
    await scene.settled()
    assert await scene.events() == [("text", "done")] * 2


@needs("hook")
async def test_an_acknowledgement_does_not_wait_for_the_answer(scene: Scene) -> None:
    scene.open.clear()
    events = [scene.driver.text(f"hello {n}") for n in range(4)]
    assert all([await scene.driver.deliver(event) for event in events])
    assert scene.driver.seen() == []
    scene.open.set()
    await scene.shown(4)


@needs("again")
async def test_a_fault_of_ours_stops_no_one_else(scene: Scene) -> None:
    def poisoned(turn: Any) -> Any:
        if turn.event.text == "poison":
            raise ValueError("no")
        return kept(turn)

    kept, scene.app.decider._decide = scene.app.decider._decide, poisoned
    scene.app.decider._apologise = lambda turn: kept(turn)
    for words, who in (("poison", ANN), ("before?", LI), ("after?", ANN)):
        assert await scene.driver.tell(scene.driver.text(words, who))
    await scene.until(lambda: any("after?" in words for words in scene.words()))
    await scene.shown(1, LI)
    await scene.settled()
    scene.dead = 1


# ---------------------------------------------------------------- buttons


@needs("buttons")
async def test_a_press_is_heard_as_its_choice(scene: Scene) -> None:
    scene.answer("buttons?", Reply("Which one?", (Choice("kit:a", "Yes, please"), Choice("x" * 60, "不用了"))))
    [offer] = await scene.ask("buttons?")
    assert offer.buttons == ("Yes, please", "不用了")
    for label, choice in (("Yes, please", "[kit:a]"), ("不用了", f"[{'x' * 60}]")):
        press = scene.driver.press(offer, label)
        known = len(scene.driver.seen())
        assert await scene.driver.tell(press)
        if "again" not in scene.driver.cannot:
            assert await scene.driver.deliver(press)  # told again, it is known
        assert choice in (await scene.shown(known + 1))[known].words
    await scene.settled()
    assert await scene.events() == [("text", "done"), ("choice", "done"), ("choice", "done")]


@needs("buttons")
async def test_a_button_works_after_a_restart(scene: Scene) -> None:
    scene.answer("buttons?", Reply("Which one?", choices(2)))
    [offer] = await scene.ask("buttons?")
    await scene.restart()
    assert await scene.driver.tell(scene.driver.press(offer, "Choice 2"))
    assert "[kit:2]" in (await scene.shown(2))[1].words
    await scene.settled()
    assert await scene.driver.tell(scene.driver.press(offer, "Choice 1"))
    assert "[kit:1]" in (await scene.shown(3))[2].words


@needs("late")
async def test_a_press_that_comes_too_late_for_a_quick_answer_counts(scene: Scene) -> None:
    scene.answer("buttons?", Reply("Which one?", (Choice("do:ticket", "A ticket"), Choice("rate:5", "Five"))))
    [offer] = await scene.ask("buttons?")
    scene.driver.late()
    for label, choice in (("A ticket", "[do:ticket]"), ("Five", "[rate:5]")):
        known = len(scene.driver.seen())
        assert await scene.driver.tell(scene.driver.press(offer, label))
        assert choice in (await scene.shown(known + 1))[known].words


@needs("others")
async def test_only_the_askers_presses_count(scene: Scene) -> None:
    scene.answer("buttons?", Reply("Which one?", choices(2)))
    [offer] = await scene.ask("buttons?", PUBLIC)
    assert await scene.driver.tell(scene.driver.press(offer, "Choice 1", LI))
    assert await scene.driver.tell(scene.driver.press(offer, "Choice 2", ANN))
    assert "[kit:2]" in (await scene.shown(2, PUBLIC))[1].words
    await scene.settled()
    assert await scene.events() == [("text", "done"), ("choice", "done")]


async def test_more_buttons_than_fit_become_numbered_lines(scene: Scene) -> None:
    can = scene.can
    many = 2 if not can.buttons else can.most_buttons + 1
    scene.answer("many?", Reply("Which one?", choices(many, "The choice {n}")))
    shown = await scene.ask("many?")
    if scene.driver.name == "web" or (can.buttons and shown[0].buttons):
        assert scene.driver.name == "web"
        return
    assert all(f"{n}. The choice {n}" in bare(shown[0].words) for n in range(1, many + 1))


@needs("buttons")
async def test_labels_are_words_and_long_ones_are_cut(scene: Scene) -> None:
    labels = ("<b>bold</b> & <!channel>", "长标签" * 40, "👨‍👩‍👧‍👦" * 30)
    scene.answer("labels?", Reply("Which one?", tuple(Choice(f"kit:{n}", label) for n, label in enumerate(labels))))
    await scene.driver.tell(scene.driver.text("labels?"))
    await scene.settled()
    offer = next(seen for seen in scene.driver.seen() if seen.buttons)
    assert len(offer.buttons) == 3
    known = len(scene.driver.seen())
    assert await scene.driver.tell(scene.driver.press(offer, offer.buttons[1]))
    assert "[kit:1]" in (await scene.shown(known + 1))[known].words


# ---------------------------------------------------------------- changes of mind


@needs("edit")
async def test_an_edit_is_a_new_version(scene: Scene) -> None:
    event = scene.driver.text("helo")
    await scene.driver.tell(event)
    await scene.shown(1)
    edit = scene.driver.edit(event, "hello")
    for _ in range(2):
        assert await scene.driver.tell(edit)
    assert await scene.driver.tell(scene.driver.edit(edit, "hello!"))
    await scene.comes("SELECT kind, state FROM inbox WHERE kind = 'edit'", [("edit", "done")] * 2)
    assert await scene.rows("SELECT text FROM message WHERE author = 'customer'") == [("hello!",)]


@needs("edit")
async def test_an_edit_of_what_we_never_saw_is_no_trouble(scene: Scene) -> None:
    assert await scene.driver.tell(scene.driver.edit(scene.driver.text("lost"), "found"))
    await scene.ask("and now?")
    assert await scene.events() == [("edit", "done"), ("text", "done")]


@needs("delete")
async def test_what_is_taken_back_loses_its_words(scene: Scene) -> None:
    event = scene.driver.text("my number is 12345")
    await scene.driver.tell(event)
    await scene.shown(1)
    for _ in range(2):
        assert await scene.driver.tell(scene.driver.delete(event))
    await scene.comes("SELECT DISTINCT text FROM message WHERE author = 'customer'", [("",)])


# ---------------------------------------------------------------- files


@needs("files")
async def test_a_picture_is_fetched_once(scene: Scene) -> None:
    event = scene.driver.picture(PNG)
    assert await scene.driver.tell(event)
    assert await scene.driver.deliver(event)
    await scene.shown(1)
    await scene.comes("SELECT type, size FROM file", [("image/png", len(PNG))])
    await scene.comes("SELECT count(*) FROM note WHERE key LIKE 'file:%'", [(0,)])
    [(id, owner)] = await scene.rows("SELECT id, owner FROM file")
    found = await scene.app.files.open(id, owner)
    assert found
    assert found[1].read_bytes() == PNG


@needs("files")
async def test_a_file_that_cannot_be_had_at_once_is_fetched_later(scene: Scene) -> None:
    scene.driver.no_file()
    assert await scene.driver.tell(scene.driver.picture(PNG))
    await scene.ask("and now?", more=2)
    await scene.comes("SELECT count(*) FROM file", [(1,)])


@needs("files")
async def test_a_file_noted_before_a_crash_is_fetched_after_it(scene: Scene) -> None:
    scene.driver.no_file()
    assert await scene.driver.tell(scene.driver.picture(PNG))
    await scene.crash()
    await scene.start()
    await scene.comes("SELECT count(*) FROM file", [(1,)])
    await scene.shown(1)


@needs("files")
async def test_a_file_that_is_not_taken_leaves_its_message(scene: Scene) -> None:
    for content, name in (
        (b"MZ\x00\x01" * 99, "evil.png"),
        (b"", "empty.png"),
        (b"#!/bin/sh\x00", "../../x.sh\u202egnp"),
    ):
        assert await scene.driver.tell(scene.driver.picture(content, name))
    await scene.shown(3)
    await scene.comes("SELECT count(*) FROM note WHERE key LIKE 'file:%'", [(0,)])
    assert await scene.rows("SELECT count(*) FROM file") == [(0,)]
    assert (await scene.events()).count(("text", "done")) == 3  # beside them what the customer is told of it


@needs("files_out")
async def test_a_file_of_ours_is_sent(scene: Scene) -> None:
    await scene.ask("hello")
    file = await scene.file(PNG, "lamp.png")
    scene.answer("show me", Reply("Here it is.", (), (file,)))
    assert await scene.driver.tell(scene.driver.text("show me"))
    await scene.settled()
    await scene.until(lambda: any("Here it is." in words for words in scene.words()))
    assert await scene.driver.files_seen() == [PNG]


# ---------------------------------------------------------------- sending, and all that can go wrong


@needs("net")
@pytest.mark.parametrize("fault", ["busy", "broken"])
async def test_what_was_certainly_not_taken_is_sent_again_and_seen_once(scene: Scene, fault: str) -> None:
    scene.driver.fault(fault, fault)
    await scene.ask("hello")
    await scene.settled()
    assert await scene.replies() == ["sent"]
    assert len(scene.driver.seen()) == 1


@needs("net")
@pytest.mark.parametrize("fault", ["lost", "kept"])
async def test_what_may_have_been_taken_is_uncertain_and_sent_once_more(scene: Scene, fault: str) -> None:
    if fault == "kept":
        scene.hurry()
    scene.driver.fault(fault)
    await scene.ask("hello")
    assert await scene.replies() == ["uncertain"]
    assert 1 <= len(scene.driver.seen()) <= scene.driver.own_repeats
    await scene.ask("and now?")


@needs("net")
async def test_in_doubt_twice_it_is_not_tried_a_third_time(scene: Scene) -> None:
    scene.driver.fault("lost", "lost", "lost")
    await scene.ask("hello")
    await scene.comes("SELECT state, attempts, due_at IS NULL FROM reply", [("uncertain", 2, True)])
    assert len(scene.driver.seen()) <= scene.driver.own_repeats


@needs("net")
async def test_what_will_never_be_taken_is_dead_and_the_next_goes_out(scene: Scene) -> None:
    scene.driver.fault("refused")
    await scene.driver.tell(scene.driver.text("hello"))
    await scene.comes("SELECT state FROM reply", [("dead",)])
    await scene.ask("and now?")
    await scene.settled()
    assert await scene.replies() == ["dead", "sent"]


@needs("net", "gone")
async def test_who_cannot_be_reached_is_marked(scene: Scene) -> None:
    scene.driver.fault("gone")
    await scene.driver.tell(scene.driver.text("hello"))
    await scene.comes("SELECT state FROM reply", [("dead",)])
    assert [bool(there) for (there,) in await scene.rows("SELECT unreachable FROM chat")] == [True]


@needs("net")
async def test_a_reply_that_must_wait_is_not_overtaken(scene: Scene) -> None:
    scene.driver.fault("busy", "broken")
    scene.answer("three?", "The first of three.", "The second of three.", "The third of three.")
    assert await scene.driver.tell(scene.driver.text("three?"))
    await scene.shown(3)
    assert [words.split()[1] for words in scene.words()] == ["first", "second", "third"]


@needs("net", "crowd")
async def test_one_who_must_wait_holds_up_nobody_else(scene: Scene) -> None:
    await scene.ask("hello")
    scene.driver.fault("busy")
    assert await scene.driver.tell(scene.driver.text("I must wait"))
    await scene.comes("SELECT count(*) FROM reply WHERE error IS NOT NULL", [(1,)])
    await scene.ask("I need not", LI)
    await scene.shown(2)


LONG = {
    "words": "The quick brown fox jumps over the lazy dog. " * 130,
    "chinese": "请先断开电源，等待十秒钟，然后重新接通。" * 150,
    "emoji": "👨‍👩‍👧‍👦🇩🇪" * 180,
    "markup": "Use **this** & `that` [here](https://x.example/a_b?c=d&e=f), then <wait>. " * 60,
}


@needs("limits")
async def test_long_answers_come_in_parts_that_fit(scene: Scene) -> None:
    for name in LONG:
        await _in_parts(scene, name)


async def _in_parts(scene: Scene, name: str) -> None:
    can = scene.can
    share = can.max_text * (2 if scene.driver.burst > 4 else 1) + can.max_text // 2
    measure = can.measure or len
    words = LONG[name] * (1 + share // measure(LONG[name]))
    while measure(words) > share:
        words = words[: len(words) - max(200, len(words) // 40)].rstrip()
    scene.answer(name, words)
    wanted = len(parts(Reply(words), can, can.measure))
    assert wanted > 1
    shown = await scene.ask(name, more=wanted)
    assert all(scene.driver.size(seen) <= scene.driver.largest for seen in shown)
    said = "".join("".join(bare(seen.words).split()) for seen in shown)
    if name in ("words", "chinese", "emoji"):
        assert said == "".join(bare(words).split())
    await scene.settled()
    assert set(await scene.replies()) == {"sent"}


@needs("limits", "net")
@pytest.mark.parametrize("fault", ["busy", "lost"])
async def test_of_an_answer_in_parts_only_the_part_is_sent_again(scene: Scene, fault: str) -> None:
    can = scene.can
    paragraph = "x" * (can.max_text // 3 - 40)
    scene.answer("parts?", "\n\n".join(f"Part {n}. {paragraph}" for n in range(1, 6)))
    wanted = len(parts(scene.answers["parts?"][0], can, can.measure))
    assert wanted >= 2
    scene.driver.fault("", fault) if scene.driver.name == "toy" else scene.driver.fault(fault)
    await scene.driver.tell(scene.driver.text("parts?"))
    await scene.settled()
    states = await scene.replies()
    assert sorted(states) == sorted(["uncertain" if fault == "lost" else "sent"] + ["sent"] * (wanted - 1))
    numbers = [word for words in scene.words() for word in words.replace(".", "").split() if word in "12345"]
    assert [n for at, n in enumerate(numbers) if n not in numbers[:at]] == ["1", "2", "3", "4", "5"]


MARKDOWN = {
    "unclosed": "**a *b `c ~~d [e](f",
    "foreign": "<b>a</b> <!channel> <@U1> </pre> &lt;i&gt; <a href='javascript:x'>y</a> ]]>",
    "nested": "> " * 60 + "deep\n\n" + "  " * 40 + "- item\n" * 40,
    "stars": "*" * 600 + " a " + "_" * 600 + " b " + "`" * 601,
    "table": "| a | b |\n|---|---|\n| `1` | [x](https://x.example/?a=1&b=2) |\n| 一二三 | **c** |",
    "fence": "Do:\n\n```\nif a < b & c:\n    <!channel>\n```\n\nDone.",
    "links": "[a](javascript:alert) [b](tel:+49301) [c](https://x.example/(d)) <https://y.example> https://z.example/a_b_c",
    "brackets": "[" * 300 + "x" + "](" * 300,
    "marks": "a\u202eb **\u200b** _\ufeff_ *a\u0301*",
}


async def test_whatever_an_admin_writes_is_shown(scene: Scene) -> None:
    for many, (name, words) in enumerate(MARKDOWN.items(), 1):  # one by one: a platform may count our messages
        scene.answer(name, f"Here: {words}", "So much for that.")
        await scene.driver.tell(scene.driver.text(name))
        await scene.read("So much for that.", many)
    await scene.settled()
    assert set(await scene.replies()) == {"sent"}
    assert not any(
        "<!channel>" in json.dumps(seen.raw) for seen in scene.driver.seen() if scene.driver.name[:5] == "slack"
    )


@needs("pace")
async def test_nothing_is_sent_quicker_than_the_platform_takes_it(
    driver: type[Driver], database: str, tmp_path: Path
) -> None:
    async with driver(tmp_path) as platform:
        scene = Scene(platform, database, tmp_path)
        scene.paced = True
        platform.strict()
        await scene.start()
        try:
            scene.answer("three?", "The first.", "The second.", "The third.")
            await platform.tell(platform.text("three?"))
            await platform.tell(platform.text("hello", LI))
            await scene.shown(3)
            await scene.shown(1, LI)
            assert platform.hurried() == 0
            await scene.whole()
        finally:
            await scene.end()


# ---------------------------------------------------------------- kill -9


@needs("net")
async def test_killed_between_sending_and_marking_it_is_uncertain(scene: Scene) -> None:
    scene.driver.fault("kept")
    await scene.driver.tell(scene.driver.text("hello"))
    await scene.shown(1)  # the customer has it; we do not know
    await scene.crash()
    await scene.start()
    await scene.settled()
    assert await scene.replies() == ["uncertain"]
    assert len(scene.driver.seen()) == scene.driver.own_repeats
    await scene.ask("and now?")


@needs("net")
async def test_killed_twice_in_the_same_doubt_it_is_not_sent_a_third_time(scene: Scene) -> None:
    scene.driver.fault("kept", "kept")
    await scene.driver.tell(scene.driver.text("hello"))
    await scene.shown(1)
    await scene.crash()
    await scene.start()
    await scene.comes("SELECT attempts FROM reply", [(2,)])
    await scene.crash()
    await scene.start()
    await scene.ask("and now?")
    await scene.settled()
    assert await scene.replies() == ["uncertain", "sent"]


@needs("again")
async def test_killed_before_anything_was_decided_it_is_decided_afterwards(scene: Scene) -> None:
    scene.open.clear()
    event = scene.driver.text("hello")
    assert await scene.driver.tell(event)
    await scene.comes("SELECT count(*) FROM inbox WHERE kind = 'text'", [(1,)])
    await scene.crash()
    scene.open.set()
    await scene.start()
    assert await scene.driver.deliver(event)
    await scene.shown(1)
    await scene.settled()
    assert await scene.events() == [("text", "done")]
    assert await scene.replies() == ["sent"]


@needs("net")
async def test_killed_with_answers_waiting_they_go_out_afterwards(scene: Scene) -> None:
    scene.driver.fault("busy")
    scene.answer("three?", "The first of three.", "The second of three.", "The third of three.")
    await scene.driver.tell(scene.driver.text("three?"))
    await scene.comes("SELECT count(*) FROM reply", [(3,)])
    await scene.crash()
    await scene.start()
    await scene.settled()
    states, words = await scene.replies(), scene.words()
    assert list(dict.fromkeys(word.split()[1] for word in words)) == ["first", "second", "third"]
    assert len(words) - 3 <= states.count("uncertain")


@needs("retry")
async def test_what_is_written_while_we_are_down_is_heard_afterwards(scene: Scene) -> None:
    await scene.ask("hello")
    await scene.settled()
    await scene.crash()
    telling = asyncio.create_task(_told(scene.driver, scene.driver.text("are you there?")))
    await asyncio.sleep(0.1)
    await scene.start()
    assert await telling
    assert "are you there?" in (await scene.shown(2))[1].words
    await scene.settled()
    assert await scene.events() == [("text", "done")] * 2


async def _told(driver: Driver, event: Any) -> bool:
    """By a platform, or a customer, with patience."""
    for _ in range(600):
        if await driver.tell(event):
            return True
        await asyncio.sleep(0.05)
    return False


# ---------------------------------------------------------------- several processes


@needs("crowd")
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_of_two_processes_each_does_its_share_and_nothing_is_done_twice(scene: Scene) -> None:
    await scene.start()
    events = [scene.driver.text(f"I am {who}.", who) for who in range(2, 8)]
    assert all(await asyncio.gather(*map(scene.driver.tell, events)))
    for who in range(2, 8):
        assert len(await scene.shown(1, who)) == 1
    await scene.settled()
    assert await scene.replies() == ["sent"] * 6
    assert await scene.rows("SELECT count(*) FROM lease WHERE name LIKE 'send:%'") == [
        (0 if scene.can.shows_itself else 1,)
    ]


@needs("held")
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_when_the_process_that_listens_ends_another_takes_over(scene: Scene) -> None:
    await scene.ask("hello")
    await scene.start()
    first, second = scene.lives
    holders = f"SELECT holder FROM lease WHERE name LIKE '%{scene.driver.duty}'"  # noqa: S608 # our own words
    assert await scene.rows(holders) == [(first.app.holder,)]
    await first.stop()
    await scene.ask("are you there?")
    assert await scene.rows(holders) == [(second.app.holder,)]
    await scene.settled()
    assert await scene.events() == [("text", "done")] * 2
