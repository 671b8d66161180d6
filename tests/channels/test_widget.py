"""The widget in a real Chromium, with the stand-in behind it."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, Request, expect
from starlette.requests import Request as Asked
from starlette.responses import HTMLResponse
from starlette.routing import Route

from bot.messages import Kind
from channels.web import Web
from tests.channels.standin import Desk, Site
from tests.kit.browser import PHONE, WIDE, pages
from tests.kit.browser import chromium as chromium
from tests.test_serve import served

Opener = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Iterator[Opener]:
    """Opens the page."""

    def open_(lang: str = "en", size: Any = WIDE, url: str = "", **options: Any) -> Page:
        return watched.open(url or f"{site.url}/?lang={lang}", size, **options)

    with pages(chromium) as watched:
        yield open_


def say(page: Page, text: str) -> None:
    box = page.get_by_role("textbox")
    box.fill(text)
    box.press("Enter")


def bubbles(page: Page) -> Locator:
    return page.locator(".message .text")


def file(name: str, data: bytes, kind: str = "image/png") -> FilePayload:
    """What the file dialogue would bring."""
    return {"name": name, "mimeType": kind, "buffer": data}


def png(width: int = 60, height: int = 40) -> bytes:
    """A small red picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xd0\x20\x20" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# ---------------------------------------------------------------- a talk


def test_a_talk_in_both_languages(visit: Opener, desk: Desk) -> None:
    desk.answers = {"hello": {"text": "Welcome"}, "你好": {"text": "您好，**请说**"}}
    page = visit("zh")
    expect(bubbles(page)).to_have_text(["Welcome"])
    say(page, "你好")
    expect(bubbles(page)).to_have_text(["Welcome", "你好", "您好，请说"])
    expect(page.locator(".bot strong")).to_have_text("请说")
    page.get_by_role("button", name="Switch to English").click()
    expect(page.get_by_role("textbox")).to_have_attribute("placeholder", "Write a message…")
    say(page, "hi")
    expect(page.locator(".customer .foot").last).to_have_text(re.compile(r"^\d\d:\d\d"))
    assert [(one.kind, one.language) for one in desk.received] == [("hello", "zh"), ("text", "zh"), ("text", "en")]


def test_choices_are_offered_once_and_by_keyboard(visit: Opener, desk: Desk) -> None:
    desk.answers = {
        "hello": {"text": "Which?", "choices": [{"id": "r", "label": "Router"}, {"id": "c", "label": "Camera"}]},
        "c": {"text": "Rate us", "choices": [{"id": str(n), "label": str(n)} for n in range(1, 6)]},
    }
    page = visit()
    choices = page.get_by_role("group", name="Answers to choose from").get_by_role("button")
    expect(choices).to_have_text(["Router", "Camera"])
    choices.nth(1).focus()
    page.keyboard.press("Enter")
    expect(bubbles(page)).to_have_text(["Which?", "Camera", "Rate us"])
    expect(choices).to_have_text(["1", "2", "3", "4", "5"])
    expect(page.get_by_role("textbox")).to_be_focused()
    say(page, "5")
    expect(choices).to_have_count(0)
    assert [(one.choice, one.text) for one in desk.received[1:]] == [("c", "Camera"), ("", "5")]


def test_markdown_is_shown_and_everything_else_is_text(visit: Opener, desk: Desk) -> None:
    evil = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) **bo<b>ld** `<i>` <script>alert(1)</script>"
    nice = "# Title\n1. one\n   - two **three**\n2. [link](https://x.example/a_(b)) and https://y.example/z.\n\n"
    nice += "| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx <y>\n```"
    desk.answers = {"hello": {"text": evil}, evil: {"text": nice}}
    page = visit()
    expect(bubbles(page)).to_have_text([evil.replace("**", "").replace("`", "")])
    say(page, evil)
    expect(bubbles(page).nth(1)).to_have_text(evil)
    answer = bubbles(page).nth(2)
    expect(answer.locator("ol > li")).to_have_count(2)
    expect(answer.locator("ol > li > ul > li strong")).to_have_text("three")
    expect(answer.locator("td")).to_have_text(["1", "2"])
    expect(answer.locator("pre")).to_have_text("x <y>")
    links = answer.get_by_role("link")
    assert [link.get_attribute("href") for link in links.all()] == ["https://x.example/a_(b)", "https://y.example/z"]
    assert links.first.get_attribute("rel") == "noopener noreferrer nofollow"
    assert page.locator(".text img, .text script, .text b, .text i").count() == 0


def test_typing_read_agent_and_system(visit: Opener, desk: Desk) -> None:
    desk.answers = {"hello": {"text": "Hi"}}
    page = visit()
    say(page, "one")
    expect(bubbles(page)).to_have_count(2)
    address = desk.received[-1].address or ""
    desk.tell(address, "typing", author="agent")
    expect(page.locator(".typing")).to_be_visible()
    desk.tell(address, "read", seq=2)
    expect(page.locator(".customer .seen")).to_be_visible()
    desk.say(address, "system", "Anna has joined")
    desk.say(address, "agent", "Hello", name="Anna")
    expect(page.locator(".agent .who")).to_have_text("Anna")
    expect(page.locator(".typing")).to_be_hidden()


def test_an_input_methods_enter_does_not_send(visit: Opener, desk: Desk) -> None:
    page = visit("zh")
    box = page.get_by_role("textbox")
    box.fill("luyou")
    box.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    box.press("Shift+Enter")
    expect(box).to_have_value("luyou\n")
    assert all(one.kind is Kind.HELLO for one in desk.received)


# ---------------------------------------------------------------- nothing is lost, nothing is doubled


def test_a_reload_shows_the_talk_again(visit: Opener, desk: Desk) -> None:
    desk.answers = {"hello": {"text": "Hi"}, "one": {"text": "two"}}
    page = visit()
    say(page, "one")
    expect(bubbles(page)).to_have_text(["Hi", "one", "two"])
    page.reload()
    expect(bubbles(page)).to_have_text(["Hi", "one", "two"])
    assert len({one.address for one in desk.received}) == 1


def test_what_was_written_without_a_connection_is_sent_once(visit: Opener, desk: Desk, site: Site) -> None:
    desk.answers = {"hello": {"text": "Hi"}}
    page = visit()
    expect(bubbles(page)).to_have_count(1)
    site.stop()
    say(page, "first")
    say(page, "second")
    expect(page.locator(".customer .foot").first).to_have_text(re.compile("when the connection is back"))
    expect(page.locator(".status")).to_have_text(re.compile("No connection"))
    site.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator(".customer.sending")).to_have_count(0)
    expect(bubbles(page)).to_have_text(["Hi", "first", "second"])
    expect(page.locator(".status")).to_have_text("Here day and night")
    assert [one.text for one in desk.received[1:]] == ["first", "second"]


def test_unsent_words_and_files_outlive_the_page(visit: Opener, desk: Desk) -> None:
    page = visit()
    expect(page.locator(".intro")).to_be_visible()
    page.route("**/chat/messages", lambda route: route.abort())
    page.route("**/chat/files", lambda route: route.abort())
    say(page, "kept")
    page.locator("input[type=file]").set_input_files(file("p.png", png()))
    say(page, "with a picture")
    expect(page.locator(".customer.sending")).to_have_count(2)
    page.unroute_all()
    page.reload()
    expect(bubbles(page)).to_have_text(["kept", "with a picture"])
    expect(page.locator(".customer.sending")).to_have_count(0)
    said = [one for one in desk.received if one.kind is Kind.TEXT]
    assert [(one.text, len(one.attachments)) for one in said] == [("kept", 0), ("with a picture", 1)]


def test_a_lost_answer_does_not_double_the_message(visit: Opener, desk: Desk) -> None:
    page = visit()
    tries: list[str] = []

    def lose(route: Any) -> None:
        tries.append(route.request.post_data_json["id"])
        if len(tries) == 1:
            route.fetch()  # the server has it, the browser never learns
            route.abort()
        else:
            route.continue_()

    page.route("**/chat/messages", lose)
    say(page, "once")
    expect(bubbles(page)).to_have_text(["once"])
    expect(page.locator(".customer.sending")).to_have_count(0)
    page.wait_for_timeout(1800)
    expect(bubbles(page)).to_have_text(["once"])
    assert len(set(tries)) == 1
    assert [one.text for one in desk.received if one.kind is Kind.TEXT] == ["once"]


def test_refused_for_good_can_be_tried_again_or_discarded(visit: Opener, desk: Desk) -> None:
    page = visit()
    page.route("**/chat/messages", lambda route: route.fulfill(status=400, body='{"error":"no"}'))
    say(page, "a")
    say(page, "b")
    failed = page.locator(".customer.failed")
    expect(failed).to_have_count(2)
    page.unroute_all()
    failed.first.get_by_role("button", name="Discard").click()
    failed.first.get_by_role("button", name="Try again").click()
    expect(failed).to_have_count(0)
    expect(bubbles(page)).to_have_text(["b"])
    page.reload()
    expect(bubbles(page)).to_have_text(["b"])


def test_a_gap_in_the_numbers_is_asked_about_once(visit: Opener, desk: Desk) -> None:
    desk.answers = {"hello": {"text": "Hi"}}
    page = visit()
    expect(bubbles(page)).to_have_count(1)
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/chat/events"):
            asked.append(request.headers["last-event-id"])

    page.on("request", note)
    address = desk.received[-1].address or ""
    desk.say(address, "bot", "later", skip=2)
    desk.say(address, "bot", "last")
    expect(bubbles(page)).to_have_text(["Hi", "later", "last"])
    page.wait_for_timeout(300)
    assert asked == ["1"]


def test_a_token_that_is_no_longer_taken_begins_a_new_chat(visit: Opener, desk: Desk, web: Web) -> None:
    desk.answers = {"hello": {"text": "Hi"}}
    page = visit()
    say(page, "old")
    expect(page.locator(".customer .foot")).to_have_text(re.compile(r"\d\d:\d\d"))
    page.wait_for_timeout(200)  # it has left the list of the unsent, too
    page.evaluate("""for (const [key, kept] of Object.entries(localStorage))
        if (kept.includes("token")) localStorage[key] = '{"token": "x"}'""")
    page.reload()
    expect(bubbles(page)).to_have_text(["Hi"])
    say(page, "new")
    expect(bubbles(page)).to_have_text(["Hi", "new"])


def test_the_token_is_in_no_address(visit: Opener, desk: Desk) -> None:
    page = visit()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.reload()
    say(page, "x")
    expect(page.locator(".customer .foot")).to_have_text(re.compile(r"\d\d:\d\d"))
    token = page.evaluate("Object.values(localStorage).map((one) => JSON.parse(one)?.token).find(Boolean)")
    assert len(token) > 40
    assert not [url for url in urls if token in url]


# ---------------------------------------------------------------- pictures and files


@pytest.mark.parametrize("way", ["chosen", "pasted", "dropped"])
def test_a_picture_is_sent_and_shown(visit: Opener, desk: Desk, way: str) -> None:
    page = visit()
    if way == "chosen":
        page.locator("input[type=file]").set_input_files(file("p.png", png()))
    else:
        kind, field = ("paste", "clipboardData") if way == "pasted" else ("drop", "dataTransfer")
        page.get_by_role("textbox").evaluate(
            """(box, [kind, field, data]) => {
              const files = new DataTransfer();
              const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
              files.items.add(new File([bytes], "p.png", { type: "image/png" }));
              const made = kind === "paste" ? ClipboardEvent : DragEvent;
              box.dispatchEvent(new made(kind, { [field]: files, bubbles: true, composed: true, cancelable: true }));
            }""",
            [kind, field, base64.b64encode(png()).decode()],
        )
    expect(page.locator(".staged li")).to_have_count(1)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("link", name="p.png, 1 KB")).to_be_in_viewport()
    page.reload()
    image = page.get_by_role("img", name="p.png")
    expect(image).to_be_visible()
    assert image.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 60


def test_nothing_is_wider_than_the_log(visit: Opener, desk: Desk) -> None:
    page = visit(size=PHONE)
    page.get_by_role("button", name="Open the support chat").click()
    for text in ("\u0e49" * 800, "a" * 3000, "x\u0301\u0302" * 900, "https://x.example/" + "a" * 900):
        say(page, text)
    page.locator("input[type=file]").set_input_files(file("p.png", png(640, 200)))
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("link", name="p.png")).to_be_in_viewport()
    page.reload()
    page.get_by_role("button", name="Open the support chat").click()
    image = page.get_by_role("img", name="p.png")
    expect(image).to_be_visible()
    widths = page.get_by_role("log").evaluate("(log) => [log.scrollWidth, log.clientWidth]")
    assert widths[0] == widths[1]
    assert image.evaluate("(image) => image.parentElement.clientWidth - image.clientWidth") == 0


def test_files_that_cannot_be_sent_are_named(visit: Opener, desk: Desk) -> None:
    page = visit()
    files = page.locator("input[type=file]")
    expect(files).to_have_attribute("accept", re.compile("image/png"))  # the server has told its limits
    files.set_input_files(file("big.png", b"x" * (2 << 20)))
    expect(page.get_by_role("alert")).to_have_text("“big.png” is larger than 1 MB.")
    files.set_input_files(file("a.exe", b"MZ", "application/x-msdownload"))
    expect(page.get_by_role("alert")).to_have_text(re.compile("a.exe"))
    expect(page.locator(".staged li")).to_have_count(0)


# ---------------------------------------------------------------- on phones, by keyboard, on other sites


def test_on_a_phone_it_fills_the_screen_and_gives_it_back(visit: Opener, desk: Desk) -> None:
    desk.answers = {"hello": {"text": "Hi"}}
    page = visit(size=PHONE, has_touch=True)
    assert not desk.received  # nobody has opened the chat yet
    page.get_by_role("button", name="Open the support chat").click()
    panel = page.get_by_role("dialog")
    expect(bubbles(page)).to_have_count(1)
    page.wait_for_timeout(300)
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    assert panel.get_attribute("aria-modal") == "true"
    page.set_viewport_size({"width": 390, "height": 500})  # as the keyboard does it
    expect(page.get_by_role("textbox")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name="Open the support chat")).to_be_focused()


def test_news_while_closed_or_hidden(visit: Opener, desk: Desk) -> None:
    desk.answers = {"hello": {"text": "Hi"}}
    page = visit(size=PHONE)
    title = page.title()
    launcher = page.locator(".launcher")
    launcher.click()
    expect(bubbles(page)).to_have_count(1)
    page.keyboard.press("Escape")
    address = desk.received[-1].address or ""
    desk.say(address, "agent", "News")
    expect(launcher).to_have_accessible_name("Open the support chat (1 new message)")
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true, configurable: true })")
    desk.say(address, "agent", "More")
    expect(page).to_have_title(f"(2) {title}")
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    launcher.click()
    expect(page).to_have_title(title)
    page.keyboard.press("Escape")
    expect(launcher).to_have_accessible_name("Open the support chat")


def test_questions_of_the_page_are_asked_in_the_chat(visit: Opener, desk: Desk) -> None:
    page = visit()
    page.get_by_role("button", name="How do I get an invoice?").click()
    expect(bubbles(page)).to_have_text(["How do I get an invoice?"])


def test_the_log_is_a_log(visit: Opener, desk: Desk) -> None:
    desk.answers = {"hello": {"text": "Hi"}}
    page = visit()
    expect(page.get_by_role("log", name="Conversation")).to_have_attribute("aria-live", "polite")
    for name in ("Attach a picture or file", "切换到中文"):
        expect(page.get_by_role("button", name=name)).to_be_visible()
    expect(page.get_by_role("textbox", name="Your message")).to_be_visible()


def test_reading_back_is_not_disturbed(visit: Opener, desk: Desk) -> None:
    desk.answers = {"hello": {"text": "\n\n".join(["line"] * 60)}}
    page = visit()
    log = page.get_by_role("log")
    expect(bubbles(page)).to_have_count(1)
    page.wait_for_timeout(200)
    expect(bubbles(page).get_by_text("line").first).to_be_in_viewport()  # a long answer is read from its beginning
    log.hover()
    page.mouse.wheel(0, 9000)
    page.wait_for_timeout(100)
    assert log.evaluate("(log) => log.scrollHeight - log.scrollTop - log.clientHeight") < 2
    page.mouse.wheel(0, -900)
    page.wait_for_timeout(100)
    desk.say(desk.received[-1].address, "bot", "new")
    page.get_by_role("button", name="New messages").click()
    expect(bubbles(page).last).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(visit: Opener, desk: Desk, scheme: str) -> None:
    desk.answers = {"hello": {"text": "Hi `code`", "choices": [{"id": "a", "label": "A b c"}]}}
    page = visit(color_scheme=scheme, reduced_motion="reduce")
    say(page, "x")
    expect(page.locator(".customer:not(.sending) .foot")).to_have_text(re.compile(r"\d\d:\d\d"))
    desk.say(desk.received[-1].address, "system", "note", choices=[{"id": "a", "label": "A b c"}])
    expect(page.locator(".system .text")).to_be_visible()
    expect(page.locator(".choices button").last).to_be_visible()
    for place in PLACES:
        ratio = page.locator(place).first.evaluate(CONTRAST)
        assert ratio >= 4.5, f"{place}: {ratio:.2f}"


PLACES = (
    *(".intro", ".bot .text", ".bot code", ".customer .text", ".system .text", ".foot", ".bot .who", ".status", ".day"),
    *("#title", ".switch", ".choices button >> visible=true"),
    *(".eyebrow", ".lead", ".main-button", ".products span", "dt", "dd", "footer p", "nav a"),
)

CONTRAST = """(node) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const parse = (color) => { // whatever colour space it is told in
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  let under = node;
  const ground = () => parse(getComputedStyle(under).backgroundColor);
  while (ground()[3] === 0) under = under.parentElement ?? under.getRootNode().host;
  const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground())];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide", "phone"])
def test_axe_finds_nothing_to_stumble_over(visit: Opener, desk: Desk, size: Any, scheme: str) -> None:
    scores = [{"id": f"rate:C-1:1:{n}", "label": f"{n} 😀"} for n in range(1, 6)]
    table = "**Hi** [x](https://x.example)\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    desk.answers = {"hello": {"text": table}, "x": {"text": "How was it?", "choices": scores}}
    page = visit(size=size, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)  # axe styles what it tries
    if size is PHONE:
        page.get_by_role("button", name="Open the support chat").click()
    page.locator("input[type=file]").set_input_files(file("p.png", png()))
    say(page, "x")
    expect(page.get_by_role("button", name="4 😀")).to_be_visible()
    page.locator("input[type=file]").set_input_files(file("q.png", png()))
    page.route("**/chat/messages", lambda route: route.fulfill(status=400, body='{"error":"no"}'))
    say(page, "not taken")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    run = "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].target}`))"
    assert page.evaluate(run) == []


def test_a_name_and_a_time_are_shown_once(visit: Opener, desk: Desk) -> None:
    desk.answers = {"hello": {"text": "Hi"}, "a": {"text": "b"}}
    page = visit()
    say(page, "a")
    expect(bubbles(page)).to_have_text(["Hi", "a", "b"])
    expect(page.locator(".foot:visible")).to_have_count(1)
    expect(page.locator(".who:not(.unseen)")).to_have_text(["Assistant"])
    desk.say(desk.received[-1].address, "agent", "c", name="Anna")
    desk.say(desk.received[-1].address, "agent", "d", name="Bert")
    expect(page.locator(".who:not(.unseen)")).to_have_text(["Assistant", "Anna", "Bert"])


def test_on_another_site_with_a_strict_policy(visit: Opener, desk: Desk) -> None:
    """One tag, and a policy that names our origin and nothing else."""

    def sell(_: Asked) -> HTMLResponse:
        tag = f'<script src="{ours.url}/widget.js" data-lang="zh" data-title="店" async></script>'
        policy = "".join(f"; {one}-src {ours.url}" for one in ("script", "style", "connect", "img"))
        headers = {"Content-Security-Policy": "default-src 'none'" + policy}
        return HTMLResponse(f"<!doctype html><title>Shop</title>{tag}<p>Shop", headers=headers)

    shop = Site([Route("/", sell), Route("/favicon.ico", sell)])
    web = Web(secret="s" * 32, origins=(shop.url,))
    web.office = cast("Any", desk)
    ours = Site(web.routes())
    try:
        page = visit(url=shop.url)
        page.get_by_role("button", name="打开客服对话").click()
        page.locator("input[type=file]").set_input_files(file("p.png", png()))
        say(page, "看")
        expect(page.get_by_role("link", name="p.png, 1 KB")).to_be_visible()
        page.reload()
        page.get_by_role("button", name="打开客服对话").click()
        image = page.get_by_role("img", name="p.png")
        assert image.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 60
    finally:
        shop.stop()
        ours.stop()


def test_in_the_real_house(visit: Opener, tmp_path: Path) -> None:
    """The whole way: browser, server, database, engine, and back."""
    with served(tmp_path, f"sqlite:///{tmp_path}/aftercare.db") as house:
        page = visit(url=f"{house.url}/?lang=zh")
        expect(page.locator(".choices button").first).to_be_visible()
        page.locator("[data-ask]", has_text="怎么开发票").click()
        expect(page.locator(".bot .text").last).to_contain_text("电子发票")
        page.get_by_role("link", name="English").click()
        expect(page.locator(".bot .text").last).to_contain_text("电子发票")
        say(page, "How long does a repair take?")
        expect(page.locator(".bot .text").last).to_contain_text("working days")
        page.locator("input[type=file]").set_input_files(file("router.png", png()))
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("link", name="router.png, 1 KB")).to_be_visible()
        page.reload()
        assert page.get_by_role("img", name="router.png").evaluate("(image) => image.decode().then(() => 1)")


def test_a_long_talk_is_shown_whole(visit: Opener, desk: Desk) -> None:
    desk.answers = {"hello": {"text": "Hi"}}
    page = visit()
    expect(bubbles(page)).to_have_count(1)
    for n in range(1500):
        desk.say(desk.received[-1].address, "bot", f"**{n}**")
    page.reload()
    expect(bubbles(page)).to_have_count(1501)
