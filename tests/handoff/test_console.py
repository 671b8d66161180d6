"""The console in a real Chromium beside a customer's chat: two agents, one talk, a server that dies in the middle."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.channels.test_widget import file, png
from tests.kit.browser import PHONE, pages
from tests.kit.browser import chromium as chromium
from tests.test_serve import HOME, Served

PASSWORD = "a long enough one"
DESKTOP: Any = {"width": 1400, "height": 860}
WORK = ("/?tab=all", "/tickets", "/tickets?view=board", "/customers?q=wang", "/register", "/alarms", "/wall")
PAGES = (*WORK, "/dead", "/faq", "/people", "/audit", "/settings")

Opener = Callable[..., Page]


class Company:
    """A served Aftercare with two agents and an admin; killed and started again at will."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, 0
        self.start()

    def start(self) -> None:
        """On the same port as before, if there was one."""
        more = ("--port", str(self.port)) if self.port else ()
        self.served = Served(self.folder, f"sqlite:///{self.folder}/a.db", *more)
        self.url = self.served.url
        self.port = int(self.url.rsplit(":", 1)[1])

    def die(self) -> None:
        """As kill -9 does it."""
        self.served.process.send_signal(signal.SIGKILL)
        self.served.end()

    def command(self, *words: str) -> str:
        """What a command of ours prints."""
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{self.folder}/a.db", "PYTHONPATH": str(HOME)}
        whole = [sys.executable, "-m", "bot", *words]
        return subprocess.run(
            whole, cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        ).stdout


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    one = Company(tmp_path_factory.mktemp("company"))
    for login, role in (("anna", "agent"), ("bo", "agent"), ("root", "admin")):
        one.command("agent", "add", login, "--name", login.title(), "--role", role)
    yield one
    one.served.end()


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, company: Company) -> dict[str, Any]:
    """Everybody's cookies, after each came in by a one-use link."""
    found: dict[str, Any] = {}
    for login in ("anna", "bo", "root"):
        link = company.command("agent", "link", login).strip().rsplit("/", 1)[1]
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{company.url}/console/welcome/{link}")
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=again]").fill(PASSWORD)
        page.get_by_role("button", name="Save and go in").click()
        expect(page.locator("#list")).to_be_visible()
        found[login] = context.storage_state()
        context.close()
    return found


@pytest.fixture
def opened(chromium: Browser, company: Company, signed_in: dict[str, Any]) -> Iterator[Opener]:
    """Opens pages for people."""

    def open_(login: str = "", path: str = "", size: Any = DESKTOP, **options: Any) -> Page:
        url = company.url + (f"/console{path}" if login else path or "/?lang=en")
        return watched.open(url, size, storage_state=signed_in.get(login), **options)

    with pages(chromium) as watched:
        yield open_


def says(customer: Page, text: str) -> None:
    box = customer.get_by_role("textbox")
    box.fill(text)
    box.press("Enter")


def heard(customer: Page, words: str) -> None:
    expect(customer.locator(".message .text").filter(has_text=words).last).to_be_visible()


def answers(agent: Page, text: str) -> None:
    agent.locator("#text").fill(text)
    agent.locator("#text").press("Control+Enter")


def test_a_talk_from_the_queue_to_the_rating_through_a_crash(opened: Opener, company: Company) -> None:
    customer = opened()
    says(customer, "I want to talk to a person")
    anna, bo = opened("anna", "/?tab=all"), opened("bo", "/?tab=all")
    for one in (anna, bo):
        one.locator(".item").first.click()
        expect(one.locator(".message.customer").first).to_contain_text("talk to a person")
    owner, other = (anna, bo) if _holds(anna) else (bo, anna)
    name = "Anna" if owner is anna else "Bo"
    expect(other.locator(".who")).to_contain_text(f"With {name}")
    other.locator('[data-command="claim"]').first.click()
    expect(other.locator(".toast")).to_contain_text(f"{name} was quicker")
    expect(owner.locator("#collision")).to_contain_text("looking at this too")

    _both_ways(owner, other, customer)
    _refused_and_sent_later(owner, other, customer)
    _through_a_crash(owner, customer, company)
    _back_again_and_closed(owner, customer)


def _both_ways(owner: Page, other: Page, customer: Page) -> None:
    answers(owner, "Hello, **which** model is it?")
    heard(customer, "Hello, which model is it?")
    says(customer, "AX3000 <b>hangs</b>")
    expect(owner.locator(".message.customer .text").last).to_have_text("AX3000 <b>hangs</b>")
    owner.get_by_role("button", name="Internal note").click()
    answers(owner, "the third time this month")
    expect(other.locator(".message.remark")).to_contain_text("the third time")

    owner.locator("#file").set_input_files(file("lights.png", png()))
    expect(owner.locator("#files li")).to_contain_text("lights.png")
    answers(owner, "like this?")
    expect(customer.locator(".message.agent img")).to_be_visible()


def _refused_and_sent_later(owner: Page, other: Page, customer: Page) -> None:
    answers(other, "what I would say")
    expect(other.locator("#send")).to_be_enabled()
    expect(other.locator(".toast.bad").last).to_be_visible()
    expect(other.locator("#text")).to_have_value("what I would say")
    owner.locator('[data-command="back"]').first.click()
    expect(other.locator(".who")).to_contain_text("Bot")
    other.locator("#text").press("Control+Enter")
    heard(customer, "what I would say")
    other.locator('[data-command="back"]').first.click()
    expect(owner.locator(".who")).to_contain_text("Bot")
    owner.locator('[data-command="claim"]').first.click()
    expect(owner.locator(".state")).to_contain_text("You have it")


def _through_a_crash(owner: Page, customer: Page, company: Company) -> None:
    company.die()
    owner.locator("#text").fill("written while nobody was there")
    owner.locator("#text").press("Control+Enter")
    expect(owner.locator(".toast").first).to_contain_text("Connection lost")
    company.start()
    owner.locator("#text").press("Control+Enter")
    heard(customer, "written while nobody was there")
    says(customer, "still here")
    expect(owner.locator(".message.customer").last).to_contain_text("still here")
    said = [text for text in customer.locator(".message .text").all_inner_texts() if "nobody was there" in text]
    assert len(said) == 1
    assert "third time" not in customer.content()


def _back_again_and_closed(owner: Page, customer: Page) -> None:
    owner.locator('[data-command="back"]').first.click()
    expect(owner.locator(".who")).to_contain_text("Bot")
    owner.locator('[data-command="claim"]').first.click()
    owner.locator('.acts [data-open="close-sheet"]').click()
    owner.locator("#close-sheet textarea").fill("Goodbye!")
    owner.locator("#close-sheet .primary").click()
    expect(owner.locator(".who")).to_contain_text("Closed")
    heard(customer, "Goodbye!")
    heard(customer, "How satisfied")


def _holds(agent: Page) -> bool:
    """Whether the queue gave the conversation to this agent; waits until it gave it to somebody."""
    expect(agent.locator(".state")).to_have_text(re.compile("You have it|With "))
    return "You have it" in agent.locator(".state").inner_text()


def test_search_answers_and_phrases(opened: Opener) -> None:
    customer = opened(path="/?lang=zh")
    says(customer, "我的路由器一直闪红灯，找人工")
    anna = opened("root", "/?tab=all")
    for _ in range(20):  # the index is a few seconds behind
        anna.goto(anna.url.split("?")[0] + "?q=闪红灯")
        if anna.locator(".item").count():
            break
        time.sleep(0.5)
    expect(anna.locator(".item mark")).to_have_text("闪红灯")
    anna.locator(".item").first.click()
    expect(anna.locator(".message.customer")).to_contain_text("闪红灯")
    anna.keyboard.press("f")
    anna.locator("#faq-q").fill("怎么重启路由器")
    anna.locator("#faq-picks button").first.click()
    expect(anna.locator("#text")).not_to_have_value("")
    anna.locator("#text").fill("")
    anna.get_by_role("button", name="Standard phrases").click()
    anna.locator("#canned-q").fill("Root")
    anna.locator("#canned-picks button").first.click()
    expect(anna.locator("#text")).to_have_value(re.compile("海澜网络的Root"))


def test_the_keyboard_and_its_help(opened: Opener) -> None:
    page = opened("root", "/")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page).to_have_url(re.compile("/console/tickets"))


@pytest.mark.parametrize(
    ("language", "scheme", "size"), [("en-US", "light", DESKTOP), ("zh-CN", "dark", DESKTOP), ("zh-CN", "light", PHONE)]
)
def test_every_page_is_fit_for_everybody(opened: Opener, language: str, scheme: str, size: Any) -> None:
    page = opened("root", "/?tab=closed", size, locale=language, color_scheme=scheme)
    first = page.locator(".item").first
    paths = [*PAGES, *([str(first.get_attribute("href")).removeprefix("/console")] if first.count() else [])]
    wrong = []
    for path in paths:
        page.goto(page.url.split("/console")[0] + f"/console{path}")
        page.wait_for_timeout(200)
        found = Axe().run(page).response["violations"]
        wrong += [(path, v["id"], v["nodes"][0]["target"]) for v in found if v["impact"] in ("critical", "serious")]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append((path, "wider than the screen", ""))
    assert wrong == []


def test_on_a_phone_it_is_taken_from_a_colleague_and_what_is_said_twice_is_done_once(opened: Opener) -> None:
    customer = opened()
    says(customer, "please let me talk to somebody")
    page = opened("root", "/?tab=all", PHONE)
    page.locator(".item").first.click()
    expect(page.locator(".state")).to_contain_text("With ")  # the queue has given it to somebody
    page.get_by_role("button", name="Take from").click()
    expect(page.locator(".state")).to_have_text("You have it")
    page.locator('[popovertarget="more-acts"]').click()
    page.locator('.menu [data-open="promise-sheet"]').click()
    page.locator("#promise-sheet [name=text]").fill("a call")
    page.locator("#promise-sheet [name=due_at]").fill(
        f"{datetime.now().astimezone() + timedelta(days=2):%Y-%m-%dT10:00}"
    )
    lost = re.compile("commands/promise")
    page.route(lost, lambda route: (route.fetch(), route.abort()), times=1)  # it arrives; the answer does not
    for _ in range(2):
        page.locator("#promise-sheet .primary").click()
        expect(page.locator(".toast, dialog:not([open])#promise-sheet").first).to_be_attached()
        page.wait_for_timeout(500)
    expect(page.locator("#promise-sheet")).to_be_hidden()
    heard(customer, "a call")
    assert customer.locator(".message .text").filter(has_text="a call").count() == 1
    page.locator('[popovertarget="more-acts"]').click()
    page.locator('.menu [data-open="close-sheet"]').click()
    page.locator("#close-sheet .primary").click()
    expect(page.locator(".who")).to_contain_text("Closed")
    page.locator('[popovertarget="more-acts"]').click()
    page.locator('.menu [data-command="reopen"]').click()
    expect(page.locator(".who")).not_to_contain_text("Closed")


def test_who_is_disabled_is_out_at_once(opened: Opener, company: Company) -> None:
    bo = opened("bo", "/")
    expect(bo.locator("#list")).to_be_visible()
    company.command("agent", "disable", "bo")
    expect(bo).to_have_url(re.compile("/console/login"))


def test_a_call_is_registered_and_its_customer_found(opened: Opener) -> None:
    page = opened("anna", "/register")
    page.locator("[name=called]").fill("Wang Fang")
    expect(page.locator("[name='field:serial']")).to_be_hidden()
    page.locator("[name=kind]").select_option("repair")
    page.locator("[name=subject]").fill("The camera fell down")
    page.get_by_role("button", name="Register").click()  # what the kind needs is still missing
    expect(page.locator("[name='field:product']")).to_be_focused()
    for field, said in (("product", "C5"), ("serial", "HL24A7X9K2M4"), ("contact", "13800138000")):
        page.locator(f"[name='field:{field}']").fill(said)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name=re.compile("T-"))).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("HL24A7X9K2M4")
    page.get_by_role("link", name="Wang Fang").click()
    page.get_by_role("textbox", name="Add a note").fill("Speak slowly")
    page.get_by_role("button", name="Add a note").click()
    expect(page.locator(".card-note")).to_have_text("Speak slowly")
    page.get_by_role("textbox", name="Message").fill("Good morning")
    page.get_by_role("button", name="Write to the customer").click()
    expect(page.locator(".toast")).to_contain_text("no chat we can write to")
