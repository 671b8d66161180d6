"""Bad input at the door of the real server: a 4xx or a polite answer, never a 5xx, never a word of it in the log."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from tests.test_serve import Served, served

MARK = "k4rt0ffel"  # stands in all that is said here, and must stand in no log line
ANSWER_TIME = 30.0  # seconds


class Door:
    """The server's port, spoken to in bytes."""

    def __init__(self, server: Served) -> None:
        self.server, self.port = server, int(server.url.rpartition(":")[2])
        self.tokens = [json.loads(self.body("POST /chat/session", b"{}"))["token"] for _ in range(2)]

    def raw(self, sent: bytes, *, until: bytes = b"") -> bytes:
        """What comes back, to the end or to a mark."""
        said = b""
        with socket.create_connection(("127.0.0.1", self.port), ANSWER_TIME) as line:
            line.sendall(sent)
            with suppress(ConnectionResetError):  # it was too much, and the answer came before all was said
                while (not until or until not in said) and (piece := line.recv(65536)):
                    said += piece
        return said

    def ask(self, what: str, body: bytes = b"", *headers: str, token: int | None = 0, version: str = "1.1") -> bytes:
        """One request, ``what`` being its method and path."""
        bearer = f"Authorization: Bearer {self.tokens[token]}" if token is not None else "X-Nobody: yes"
        lines = [f"{what} HTTP/{version}", "Host: x", "Connection: close", bearer, *headers]
        if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
            lines.append(f"Content-Length: {len(body)}")
        return self.raw("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body)

    def body(self, what: str, body: bytes = b"") -> bytes:
        """The body of the answer to a request without a token."""
        return self.ask(what, body, token=None).partition(b"\r\n\r\n")[2]

    def say(self, text: str = MARK, *headers: str, token: int = 0, **more: object) -> bytes:
        """A message of a customer."""
        message = {"id": str(uuid4()), "text": text, **more}
        return self.ask("POST /chat/messages", json.dumps(message).encode(), *headers, token=token)

    def heard(self, token: int, many: int) -> list[str]:
        """The texts of the first so many messages of a chat."""
        head = f"GET /chat/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.tokens[token]}\r\n\r\n"
        said = self.raw(head.encode(), until=f"\nid: {many}\n".encode())
        return [json.loads(line[5:])["text"] for line in said.splitlines() if line.startswith(b'data: {"seq')]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("hostile")
    with served(folder, f"sqlite:///{folder}/a.db") as server:
        one = Door(server)
        yield one
        assert b"200 OK" in one.ask("GET /readyz")
        assert b" 202 " in one.say("still there")
        server.process.terminate()
        assert server.process.wait(20) == 0
        server.log.seek(0)
        log = server.log.read()
        assert MARK not in log
        assert "Traceback" not in log
        assert '"way"' not in log, log  # a fault of ours, told as its way through the code


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1."), answer[:100]
    return int(answer[9:12])


ID = str(uuid4())
BODIES = {
    "no json": MARK.encode(),
    "not utf-8": b'{"id":"\xff","text":"\xfe"}',
    "an odd escape": b'{"id":"\\u12","text":"\\x"}',
    "utf-16 without a word": json.dumps({"id": ID, "text": ""}).encode("utf-16"),
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 200_000,
    "deep text": b'{"id":"%s","text":%s}' % (ID.encode(), b"[" * 99_999 + b"]" * 99_999),
    "infinity": b'{"id":"%s","text":Infinity}' % ID.encode(),
    "a huge number": b'{"id":%s}' % (b"9" * 10_000),
    "a list": b"[]",
    "null": b"null",
    "no id": json.dumps({"text": MARK}).encode(),
    "an id that is none": json.dumps({"id": f"{MARK}-' OR 1=1", "text": MARK}).encode(),
    "text of another type": json.dumps({"id": ID, "text": {"a": MARK}}).encode(),
    "nothing said": json.dumps({"id": ID, "text": "\u0000 \r\n\t"}).encode(),
    "a button of another shape": json.dumps({"id": ID, "choice": MARK * 20}).encode(),
    "a foreign file": json.dumps({"id": ID, "attachment": "../../../etc/passwd"}).encode(),
    "a megabyte": json.dumps({"id": ID, "text": MARK * 110_000}).encode(),
    "more than a megabyte": json.dumps({"id": ID, "text": MARK * 200_000}).encode(),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("route", ["messages", "session"])
def test_bad_bodies(door: Door, route: str, body: str) -> None:
    answer = door.ask(f"POST /chat/{route}", BODIES[body])
    assert status(answer) in ((400, 404, 413) if route == "messages" else (200, 400, 413))
    assert MARK.encode() not in answer


TEXTS = {
    "NUL": f"{MARK}\0\0",
    "a lone surrogate": f"{MARK} \ud800 \udfff",
    "right to left": f"\u202e{MARK}\u2066\u2069\u200f",
    "nothing to be seen": "\u200b\u200c\u200d\ufeff\u2060",
    "ten thousand emoji": "👩‍👩‍👧‍👦" * 1140,
    "accents in heaps": "Z" + "\u0301" * 5000,
    "markdown": "[x](javascript:alert(1)) ![](http://a.example/b.png) ```" + "*_~" * 900,
    "a template": "{{7*7}} {company} %s %(name)s ${HOME}",
    "sql": "'; DROP TABLE inbox; --",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "lines": "\n\r\n\u2028\u2029\x85" * 1000 + MARK,
    "one word": "a" * 8000,
    "patterns": "投诉" * 2000 + "?" * 4000,
    "digits": "1" * 8000,
    "spaces": MARK + " \t" * 3900 + ".",
    "unassigned": "\U000e0001\U0010ffff\ufffe",
}


@pytest.mark.parametrize("text", TEXTS)
def test_odd_words_are_answered(door: Door, text: str) -> None:
    door.tokens[0] = json.loads(door.body("POST /chat/session", b"{}"))["token"]
    assert status(door.say(TEXTS[text])) == 202
    asked, answered = door.heard(0, 2)[:2]
    assert asked == TEXTS[text].strip() or "\0" in TEXTS[text] or "\ud800" in TEXTS[text] or "\r" in TEXTS[text]
    assert answered


def test_ten_thousand_emoji_are_too_many(door: Door) -> None:
    assert status(door.say("😀" * 10_000)) == 413


PATHS = {
    "GET /nothing": {404},
    "GET /chat/files/..%2f..%2fconfig.yaml": {404},
    "GET /chat/files/%00": {404},
    "GET /chat/files/x?key=%ff%fe": {403},
    "GET /widget/x/..%2f__init__.py": {404},
    "GET /widget/x/__init__.py": {404},
    "GET /../../etc/passwd": {404},
    "GET /?lang=%00%ff": {200},
    "GET /hooks/none": {404},
    "POST /hooks/none": {404, 405},
    "DELETE /chat/session": {405},
    "PROPFIND /chat/session": {405},
    "GET /chat/messages": {405},
    "OPTIONS /chat/messages": {405},
    "GET /" + "a" * 60_000: {404},
    "GET /chat/events?after=-1": {400},
    "GET /chat/events?after=1e3": {400},
    "GET /chat/events?after=٣": {400},
    "GET /chat/events?after=" + "9" * 400: {400},
    "GET /ü": {400},
    "BREW /coffee": {400, 404},
    "GET": {400},
    "": {400},
    "\0\0\0": {400},
    "GET / HTTP/9.9\r\nX:": {400},
}


@pytest.mark.parametrize("what", PATHS, ids=lambda what: str(what)[:30])
def test_odd_paths(door: Door, what: str) -> None:
    assert status(door.ask(what)) in PATHS[what]


HEADERS = {
    "a wrong place": ({"Last-Event-ID: -1"}, {400}),
    "a place that is no number": ({"Last-Event-ID: 1 OR 1=1"}, {400}),
    "another kind of login": ({"Authorization: Basic eDp5"}, {200}),  # the first one counts
    "a huge header": ({"X-A: " + "b" * 50_000}, {200}),
    "too long a head": ({f"X-{n}: " + "b" * 60_000 for n in range(30)}, {431}),
    "many headers": ({f"X-{n}: b" for n in range(3000)}, {200}),
    "no utf-8": ({"X-A: \udcff\udcfe", "Accept-Language: \udcff"}, {200}),
    "a name of two words": ({"X A: b"}, {400}),
    "folded": ({"X-A: b\r\n c"}, {200, 400}),
    "an upgrade": ({"Upgrade: websocket", "Connection: Upgrade"}, {200}),
    "a language that is none": ({"Accept-Language: " + "zh,;q=" * 5000}, {200}),
    "two lengths": ({"Content-Length: 1", "Content-Length: 2"}, {400}),
    "a length that is none": ({"Content-Length: -1"}, {400}),
    "a length that does not end": ({"Content-Length: " + "9" * 40}, {400}),
    "a length and pieces": ({"Content-Length: 4", "Transfer-Encoding: chunked"}, {400}),
    "an unknown packing": ({"Transfer-Encoding: gzip"}, {400}),
}


@pytest.mark.parametrize("which", HEADERS)
def test_odd_headers(door: Door, which: str) -> None:
    headers, wanted = HEADERS[which]
    path = "GET /chat/events?after=0" if "Last" in str(headers) else "GET /"
    assert status(door.ask(path, b"", *sorted(headers))) in wanted


def test_bodies_in_pieces_and_of_other_types(door: Door) -> None:
    message = json.dumps({"id": str(uuid4()), "text": MARK}).encode()
    pieces = b"".join(b"%x\r\n%c\r\n" % (1, one) for one in message) + b"0\r\nX-Late: y\r\n\r\n"
    assert status(door.ask("POST /chat/messages", pieces, "Transfer-Encoding: chunked")) == 202
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "a/b;charset=utf-7",
        "\udcff",
    ):
        assert status(door.ask("POST /chat/messages", message, f"Content-Type: {kind}")) == 202
    assert status(door.ask("POST /chat/messages", message, version="1.0")) == 202
    assert status(door.ask("POST /chat/messages", b"", "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc")) == 400
    no_length = (
        f"POST /chat/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {door.tokens[0]}"
    )
    assert status(door.raw(no_length.encode() + b"\r\n\r\n" + message)) == 400  # without a length there is no body


def test_forms_that_are_none(door: Door) -> None:
    forms = [
        b"",
        b"--b",
        b"--b\r\n\r\n",
        b"--b--",
        b"--b\r\nContent-Disposition: form-data; name=\xff\r\n\r\n\r\n--b--",
    ]
    forms.append(b'--b\r\nContent-Disposition: form-data; name="a"; filename="../\0a"\r\n\r\n\r\n--b--\r\n')
    for form in forms:
        answer = door.ask("POST /chat/files", form, "Content-Type: multipart/form-data; boundary=b")
        assert status(answer) in (400, 415)
    odd = b'--b\r\nContent-Disposition: form-data; name="a"; filename="\xff.txt"\r\n\r\nx\r\n--b--\r\n'
    answer = door.ask("POST /chat/files", odd, "Content-Type: multipart/form-data; boundary=b; charset=undefined")
    assert status(answer) == 400
    for name in ("%00%ff%fe", "..%2f..%2fa", "\udcff", "a" * 5000):
        assert status(door.ask("POST /chat/files", b"%PDF-1.7 x", f"X-File-Name: {name}")) == 201


def test_what_is_anothers_is_nobodys(door: Door) -> None:
    door.say("mine", token=1)
    upload = door.ask("POST /chat/files", b"%PDF-1.7 x", token=1)
    file = json.loads(upload.partition(b"\r\n\r\n")[2])["attachment"]["id"]
    own, foreign, invented = (door.ask(f"GET /chat/files/{id}", token=t) for id, t in ((file, 1), (file, 0), ("x", 0)))
    assert (status(own), status(foreign), status(invented)) == (200, 404, 404)
    assert status(door.say(token=0, attachment=file)) == 404
    head = f"GET /chat/events?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.tokens[0]}\r\n"
    said = door.raw(f"{head}Last-Event-ID: 999999\r\n\r\n".encode(), until=b": here")  # a place in another chat
    assert b"mine" not in said
    for token in (door.tokens[0][:-3], door.tokens[0] + "x", "", "null", "é", "x" * 9000, "a.b.c"):
        answer = door.ask("GET /chat/events", b"", f"Authorization: Bearer {token}", token=None)
        assert status(answer) == 401
    assert "mine" not in door.heard(0, 1)


def test_who_is_further_than_the_chat_is_shown_all_of_it(door: Door) -> None:
    """His stream may have seen what a restored backup does not know."""
    door.say(f"early {MARK}")
    for place in ("999999", "999999999999999"):
        head = f"GET /chat/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.tokens[0]}\r\n"
        assert b"early" in door.raw(f"{head}Last-Event-ID: {place}\r\n\r\n".encode(), until=b"early")


def test_replayed_and_reordered(door: Door) -> None:
    door.tokens[0] = json.loads(door.body("POST /chat/session", b"{}"))["token"]
    ids = [str(uuid4()) for _ in range(3)]
    sent = [door.say(f"WiFi {n}", id=ids[n]) for n in (2, 0, 1, 2, 0, 2, 1)]
    told = [json.loads(answer.partition(b"\r\n\r\n")[2]) for answer in sent]
    assert [one["id"] for one in told] == [ids[n] for n in (2, 0, 1, 2, 0, 2, 1)]
    seqs = [one["seq"] for one in told]
    assert seqs == [1, 2, 3, 1, 2, 1, 3]
    assert [text for text in door.heard(0, 4) if text.startswith("WiFi ")][:3] == ["WiFi 2", "WiFi 0", "WiFi 1"]
    assert status(door.say("pressed", choice="flow:ticket:confirm:yes:77")) == 202
    assert status(door.say("pressed", choice="rate:C-00000000:1:5")) == 202


def test_hanging_up_in_the_middle(door: Door, tmp_path: Path) -> None:
    head = f"POST /chat/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.tokens[0]}\r\n"
    for sent in (
        head[:20],
        head,
        head + "Content-Length: 100\r\n\r\n{",
        head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ):
        with socket.create_connection(("127.0.0.1", door.port), ANSWER_TIME) as line:
            line.sendall(sent.encode())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # with a reset
    assert status(door.ask("GET /livez")) == 200
