"""The web chat's routes over real HTTP, as a browser or an attacker would use them."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from bot.messages import Kind
from channels.http import HttpError, RateLimit
from channels.web import Web
from tests.channels.standin import Desk, Site

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


class Browser:
    """One customer."""

    def __init__(self, url: str) -> None:
        self.http = httpx2.Client(base_url=url)
        self.session = self.http.post("/chat/session", json={"language": "zh", "name": " Li\0 Lei "}).json()
        self.token: str = self.session["token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def say(self, text: str = "", **more: Any) -> httpx2.Response:
        return self.http.post("/chat/messages", json={"id": str(uuid4()), "text": text, **more})

    def upload(self, data: bytes = PNG, name: str = "lamp.png") -> httpx2.Response:
        return self.http.post("/chat/files", content=data, headers={"X-File-Name": name})

    def events(self, most: int, **headers: str) -> list[tuple[str, dict[str, Any]]]:
        """The first events of the stream."""
        found: list[tuple[str, dict[str, Any]]] = []
        fields: dict[str, str] = {}
        with self.http.stream("GET", "/chat/events", headers=headers) as stream:
            assert stream.status_code == 200
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                elif "data" in fields:
                    found.append((fields["event"], {**json.loads(fields["data"]), "_id": fields.get("id")}))
                    fields = {}
                if len(found) == most:
                    break
        return found


@pytest.fixture
def li(site: Site) -> Iterator[Browser]:
    browser = Browser(site.url)
    yield browser
    browser.http.close()


@pytest.fixture
def mallory(site: Site) -> Iterator[Browser]:
    browser = Browser(site.url)
    yield browser
    browser.http.close()


def address_of(desk: Desk) -> str:
    return desk.received[-1].address or ""


# ---------------------------------------------------------------- messages


def test_a_message_goes_in_and_comes_back(li: Browser, desk: Desk) -> None:
    id = str(uuid4())
    answer = li.say("你好", id=id)
    assert (answer.status_code, answer.json()) == (202, {"id": id, "seq": 1})
    [one] = desk.received
    assert (one.kind, one.text, one.language, one.name, one.native) == (Kind.TEXT, "你好", "zh", "Li Lei", id)
    assert one.key == f"{one.address}:{id}"
    [(kind, event)] = li.events(1)
    assert (kind, event["id"], event["_id"], event["text"]) == ("message", id, "1", "你好")


def test_the_same_id_again_changes_nothing(li: Browser, desk: Desk) -> None:
    id = str(uuid4())
    for same in (id, id, id.upper(), id.replace("-", "")):
        answer = li.say("once", id=same)
        assert (answer.status_code, answer.json()["id"]) == (202, same)
    assert len(desk.received) == 1


def test_choice_and_language(li: Browser, desk: Desk) -> None:
    li.say("Yes", choice="yes", language="en")
    [one] = desk.received
    assert (one.kind, one.choice, one.language) == (Kind.CHOICE, "yes", "en")


def test_hello_is_said_once_and_only_on_wish(site: Site, desk: Desk) -> None:
    httpx2.post(f"{site.url}/chat/session")
    assert not desk.received
    httpx2.post(f"{site.url}/chat/session", json={"hello": True, "language": "en"})
    assert [one.kind for one in desk.received] == [Kind.HELLO]


def test_history_from_a_place(li: Browser) -> None:
    for text in "abc":
        li.say(text)
    assert [event["text"] for _, event in li.events(2, **{"Last-Event-ID": "1"})] == ["b", "c"]


def test_two_customers_see_nothing_of_each_other(li: Browser, mallory: Browser) -> None:
    li.say("secret")
    mallory.say("mine")
    assert [event["text"] for _, event in mallory.events(1)] == ["mine"]


ID = "5f0c7a52-9f0e-4b52-8f65-0f6d1f1f7b11"
BAD: list[tuple[bytes, int]] = [
    (b"", 400),
    (b"no json", 400),
    (b"\xff\xfe", 400),
    (b"[" * 100_000, 400),
    (b'{"a":' * 100_000, 400),
    (b"[]", 400),
    (b"null", 400),
    (b"1" * 10_000, 400),
    (b"{}", 400),
    (json.dumps({"id": "x", "text": "a"}).encode(), 400),
    (json.dumps({"id": 7, "text": "a"}).encode(), 400),
    (json.dumps({"id": ID}).encode(), 400),
    (json.dumps({"id": ID, "text": " \0 "}).encode(), 400),
    (json.dumps({"id": ID, "text": {"a": 1}}).encode(), 400),
    (json.dumps({"id": ID, "choice": "x" * 65}).encode(), 400),
    (json.dumps({"id": ID, "choice": "\ud800"}).encode(), 400),
    (json.dumps({"id": ID, "attachment": "invented"}).encode(), 404),
    (json.dumps({"id": ID, "attachment": "\ud800"}).encode(), 404),
    (json.dumps({"id": ID, "attachment": {"id": "\ud800"}}).encode(), 404),
    (json.dumps({"id": ID, "attachment": [1]}).encode(), 400),
    (json.dumps({"id": ID, "text": "x" * 1_000_000}).encode(), 413),
    (json.dumps({"id": ID, "text": "x" * 2_000_000}).encode(), 413),
]


@pytest.mark.parametrize(("body", "status"), BAD, ids=lambda value: str(value)[:40])
def test_bad_messages_get_a_clean_answer(li: Browser, desk: Desk, body: bytes, status: int) -> None:
    answer = li.http.post("/chat/messages", content=body)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert not desk.received


def test_strange_text_is_kept_as_text(li: Browser, desk: Desk) -> None:
    li.http.post("/chat/messages", content=b'{"id":"%s","text":"a\\u0000\\ud800\\u202e <b>"}' % str(uuid4()).encode())
    li.say("😀" * 8000)
    assert [one.text[:9] for one in desk.received] == ["a\ufffd\u202e <b>", "😀" * 9]


@pytest.mark.parametrize("after", ["-1", "x", "9" * 30, "1.5"])
def test_a_wrong_place_in_the_stream(li: Browser, after: str) -> None:
    assert li.http.get("/chat/events", params={"after": after}).status_code == 400


def test_without_the_right_token(li: Browser, site: Site) -> None:
    forged = [li.token[:-2], li.token + "x", "", "x" * 5000, Web(secret="t" * 32)._tokens.dumps(["a", "", ""])]
    for token in forged:
        headers = {"Authorization": f"Bearer {token}".strip()}
        for method, path in [("POST", "messages"), ("POST", "files"), ("GET", "events"), ("GET", "files/x")]:
            answer = httpx2.request(method, f"{site.url}/chat/{path}", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_ends(web: Web, li: Browser) -> None:
    visitor = web._visitor_of(li.token)
    assert visitor.until - time.time() == pytest.approx(180 * 86400, abs=5)


def test_away_is_said_and_nothing_acknowledged(li: Browser, desk: Desk) -> None:
    desk.away = True
    answer = li.say("hello")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    desk.away = False
    assert li.say("hello").status_code == 202


# ---------------------------------------------------------------- limits


def test_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("channels.http.time.monotonic", lambda: now)
    budget = RateLimit(3, keep=2)
    for _ in range(3):
        budget.spend("a")
    with pytest.raises(HttpError) as refused:
        budget.spend("a")
    assert refused.value.response.status_code == 429
    assert int(refused.value.response.headers["Retry-After"]) == 21
    budget.spend("b")
    now += 20.1
    budget.spend("a")
    with pytest.raises(HttpError):
        budget.spend("a")


@pytest.mark.parametrize("limit", ["_messages", "_sessions"])
def test_too_much_is_slowed_down(web: Web, li: Browser, desk: Desk, limit: str) -> None:
    setattr(web, limit, RateLimit(2))
    path = {"_messages": "/chat/messages", "_sessions": "/chat/session"}[limit]
    answers = [li.http.post(path, json={"id": str(uuid4()), "text": "a"}) for _ in range(3)]
    assert answers[1].status_code < 300
    assert answers[2].status_code == 429
    assert int(answers[2].headers["Retry-After"]) > 0


def test_streams_of_one_chat_are_counted_and_let_go(web: Web, li: Browser, desk: Desk) -> None:
    li.say("a")
    address = address_of(desk)
    web._streams[address] = 5
    assert li.http.get("/chat/events").status_code == 429
    web._streams[address] = 4
    assert len(li.events(1)) == 1
    until = time.monotonic() + 5
    while web._streams[address] != 4 and time.monotonic() < until:
        time.sleep(0.02)
    assert web._streams[address] == 4


def test_streams_asked_for_at_once_are_counted_too(web: Web, li: Browser, site: Site) -> None:
    port = int(site.url.rpartition(":")[2])
    ask = f"GET /chat/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {li.token}\r\n\r\n".encode()
    with ExitStack() as open_ones:
        sockets = [open_ones.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(30)]
        for one in sockets:
            one.sendall(ask)
        answers = [one.recv(12)[-3:] for one in sockets]
        assert (answers.count(b"200"), answers.count(b"429")) == (5, 25)
    until = time.monotonic() + 5
    while web._streams and time.monotonic() < until:
        time.sleep(0.02)
    assert not web._streams


def test_a_head_holds_no_stream_open(web: Web, li: Browser) -> None:
    assert li.http.head("/chat/events").status_code == 200
    assert li.http.head("/chat/events").headers["Content-Type"].startswith("text/event-stream")
    assert not web._streams


# ---------------------------------------------------------------- files


def test_a_picture_goes_with_a_message_and_is_shown(li: Browser, desk: Desk) -> None:
    uploaded = li.upload(name="%E7%81%AF.png")
    assert uploaded.status_code == 201
    attachment = uploaded.json()["attachment"]
    assert {**attachment, "id": ""} == {"id": "", "name": "灯.png", "type": "image/png", "size": len(PNG)}
    assert li.say("see", attachment=attachment["id"]).status_code == 202
    assert li.say(attachment=attachment).status_code == 202
    assert [one.attachments[0].id for one in desk.received] == [attachment["id"]] * 2
    [(_, event)] = li.events(1)
    shown = httpx2.get(str(li.http.base_url.join(event["attachments"][0]["url"])))  # no token: the key in it is enough
    assert shown.content == PNG
    assert shown.headers["Content-Type"] == "image/png"
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_form_does_as_well(li: Browser) -> None:
    answer = li.http.post("/chat/files", files={"file": ("a.pdf", b"%PDF-1.7 x", "image/png")})
    attachment = answer.json()["attachment"]
    assert attachment["type"] == "application/pdf"
    answer = li.http.get(f"/chat/files/{attachment['id']}")
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"content": b""}, 415),
        ({"content": b"PK\x03\x04"}, 415),
        ({"content": PNG * 20_000}, 413),
        ({"content": iter([PNG * 5000] * 5)}, 413),
        ({"files": {"file": ("a.png", PNG * 20_000)}}, 413),
        ({"files": {"a": ("a.png", PNG), "b": ("b.png", PNG)}}, 400),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400),
    ],
    ids=["empty", "zip", "large", "large-chunked", "large-form", "two", "no-boundary", "broken"],
)
def test_files_that_are_not_taken(li: Browser, request_: dict[str, Any], status: int) -> None:
    answer = li.http.post("/chat/files", **request_)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]


def test_a_foreign_file_is_no_file(li: Browser, mallory: Browser) -> None:
    id = li.upload().json()["attachment"]["id"]
    assert li.http.get(f"/chat/files/{id}").status_code == 200
    foreign, invented = (mallory.http.get(f"/chat/files/{one}") for one in (id, "invented"))
    assert foreign.status_code == invented.status_code == 404
    assert foreign.json() == invented.json()
    assert mallory.say("look", attachment=id).status_code == 404


def test_a_file_that_is_gone_from_the_disk_is_no_file(li: Browser, tmp_path: Path) -> None:
    id = li.upload().json()["attachment"]["id"]
    for path in (tmp_path / "files").glob("??/*"):
        path.unlink()
    assert li.http.get(f"/chat/files/{id}").status_code == 404


def test_a_key_opens_its_own_file_only(web: Web, li: Browser, desk: Desk, site: Site) -> None:
    one, two = (li.upload(PNG + bytes([n])).json()["attachment"]["id"] for n in (1, 2))
    li.say("x")
    key = web._links.dumps([one, address_of(desk)])
    assert httpx2.get(f"{site.url}/chat/files/{one}?key={key}").status_code == 200
    assert httpx2.get(f"{site.url}/chat/files/{two}?key={key}").status_code == 403
    assert httpx2.get(f"{site.url}/chat/files/{one}?key={key}x").status_code == 403


@pytest.mark.parametrize(("hours", "status"), [(-1, 200), (11, 200), (13, 403)])
def test_a_picture_is_shown_by_a_machine_whose_clock_is_behind_and_not_for_ever(
    web: Web, li: Browser, desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch, hours: int, status: int
) -> None:
    id, real = li.upload().json()["attachment"]["id"], time.time
    li.say("x")
    key = web._links.dumps([id, address_of(desk)])
    monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)
    assert httpx2.get(f"{site.url}/chat/files/{id}?key={key}").status_code == status


# ---------------------------------------------------------------- other sites, the front end


def test_cors_for_the_configured_site_only(site: Site) -> None:
    for origin, allowed in [("https://shop.example", "https://shop.example"), ("https://evil.example", None)]:
        asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        preflight = httpx2.options(f"{site.url}/chat/messages", headers={"Origin": origin, **asks})
        assert preflight.headers.get("Access-Control-Allow-Origin") == allowed
        answer = httpx2.post(f"{site.url}/chat/session", headers={"Origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed


def test_the_front_end(site: Site) -> None:
    loader = httpx2.get(f"{site.url}/widget.js")
    assert loader.headers["Content-Type"].startswith("text/javascript")
    assert "{{" not in loader.text.replace('"widget/{{', "")
    version = loader.text.split('new URL("widget/')[1].split("/")[0]
    for name in ("panel.js", "widget.css", "mark.svg"):
        file = httpx2.get(f"{site.url}/widget/{version}/{name}")
        assert "immutable" in file.headers["Cache-Control"]
        assert file.headers["Access-Control-Allow-Origin"] == "*"
        assert "immutable" not in httpx2.get(f"{site.url}/widget/older/{name}").headers["Cache-Control"]
    for name in ("__init__.py", "page.html", "..%2fweb.py"):
        assert httpx2.get(f"{site.url}/widget/{version}/{name}").status_code == 404


@pytest.mark.parametrize(
    ("query", "accept", "language"),
    [("", "zh-CN,en;q=0.5", "zh"), ("", "fr,en", "en"), ("?lang=zh", "en", "zh"), ("", "fr", "en")],
)
def test_the_page_speaks_the_readers_language(site: Site, query: str, accept: str, language: str) -> None:
    page = httpx2.get(f"{site.url}/{query}", headers={"Accept-Language": accept})
    assert page.headers["Content-Language"] == language
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://shop.example" in policy
    assert "unsafe" not in policy


def test_typing_is_told_to_who_looks_on_and_not_back_to_the_customer(site: Site, desk: Desk) -> None:
    li = Browser(site.url)
    assert li.http.post("/chat/typing", json={}).status_code == 204
    [address] = desk.events
    assert [event["data"]["author"] for event in desk.events[address]] == ["customer"]
    desk.say(address, "bot", "Hello")
    assert [kind for kind, _ in li.events(1)] == ["message"]
    assert httpx2.post(f"{site.url}/chat/typing", json={}).status_code == 401
