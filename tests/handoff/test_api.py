"""What integrations do all day: read, say, pass on, send files, register calls; once each, whatever is sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx2
import pytest

from handoff import tickets
from handoff.access import RULES
from handoff.api import conversations, requests
from handoff.api import tickets as ticketing
from handoff.reading import lists
from handoff.reading import tickets as reading
from tests.handoff.serving import Serving

HERE, WORK = "/conversations/C-REPAIR00", "/tickets/T-REPAIR00"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


class Client:
    """An integration with every scope, acting for an admin."""

    def __init__(self, serving: Serving) -> None:
        headers = {"Authorization": f"Bearer {serving.token}"}
        self._http = httpx2.Client(base_url=f"{serving.place}/api/v1", headers=headers)
        self._keys = 0

    def close(self) -> None:
        """It asks nothing more."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """What is there; it must be."""
        answer = self._http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, path: str, body: Any = None, *, key: str = "", method: str = "POST", **more: Any) -> httpx2.Response:
        """A command with a key of its own, or this one."""
        self._keys += 1
        headers = {"Idempotency-Key": key or str(self._keys), **more.pop("headers", {})}
        sent = {"json": body} if body is not None else {}
        return self._http.request(method, path, headers=headers, **sent, **more)

    def all(self, path: str, **query: Any) -> list[list[str]]:
        """The numbers on every page."""
        found, cursor = [], ""
        while cursor is not None:
            page = self.get(path, cursor=cursor, **query)
            found.append([one["number"] for one in page["items"]])
            cursor = page["next"]
        return found


@pytest.fixture
def client(serving: Serving) -> Iterator[Client]:
    """Asks a house that runs."""
    one = Client(serving)
    yield one
    one.close()
    assert serving.faults == []


def test_a_conversation_from_the_queue_to_its_end(client: Client) -> None:
    assert [one["number"] for one in client.get("/conversations", tab="queue")["items"]] == ["C-REPAIR00", "C-SALES000"]
    assert client.do(f"{HERE}/claim").json() == {"state": "done", "number": "C-REPAIR00", "promise": None}
    assert client.do(f"{HERE}/say", {"text": "Hello from the shop"}).status_code == 200
    assert client.do(f"{HERE}/note", {"text": "he is in a hurry"}).status_code == 200
    [said, *_] = client.get(f"{HERE}/messages", limit=1)["items"]
    assert (said["author"], said["text"], said["agent_id"]) == ("agent", "Hello from the shop", 4)
    assert said["delivery"]["state"] == "waiting"  # no channel is on in this house
    course = client.get(f"{HERE}/course")
    assert [note["text"] for note in course["notes"]] == ["he is in a hurry"]
    assert (course["deeds"][-1]["what"], course["deeds"][-1]["who"]) == ("agent", "Root")
    whole = client.get(HERE)
    assert (whole["owner"], whole["agent_name"], whole["customer"]["name"]) == ("agent", "Root", "Customer of repair")
    assert whole["packet"]["lines"][0] == {"author": "customer", "text": "words for repair"}
    until = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    assert client.do(f"{HERE}/snooze", {"until": until}).status_code == 200
    assert client.get(HERE)["snoozed_until"].endswith("Z")
    made = client.do(f"{HERE}/promises", {"text": "a call", "due_at": until}).json()
    kept = client.do(f"{HERE}/promises/{made['promise']}", {"state": "kept", "proof": "called at ten"})
    assert kept.status_code == 200
    assert [one["state"] for one in client.get("/customers/1")["promises"]] == ["kept"]
    assert client.do(f"{HERE}/close", {"reason": "settled"}).status_code == 200
    lost = client.do(f"{HERE}/claim")
    assert (lost.status_code, lost.json()["reason"]) == (409, "closed")
    assert lost.json()["detail"] == "the conversation is closed"
    assert [one["number"] for one in client.get("/conversations", tab="closed")["items"]] == ["C-REPAIR00"]
    assert client.do(f"{HERE}/reopen").status_code == 200


def test_a_command_is_done_once_and_its_key_is_for_nothing_else(client: Client) -> None:
    once = [client.do(f"{HERE}/say", {"text": "once"}, key="order-1") for _ in range(3)]
    assert [one.status_code for one in once] == [200, 200, 200]
    assert [m["text"] for m in client.get(f"{HERE}/messages")["items"] if m["author"] == "agent"] == ["once"]
    for path, body in ((f"{HERE}/say", {"text": "twice"}), ("/conversations/C-SALES000/say", {"text": "once"})):
        other = client.do(path, body, key="order-1")
        assert (other.status_code, "used for another command" in other.json()["detail"]) == (422, True)
    said = [deed for deed in client.get("/audit")["items"] if deed["action"] == "conversation.say"]
    assert [(deed["subject"], deed["data"]["token"], deed["data"]["via"]) for deed in said] == [
        ("C-REPAIR00", "all", "api")
    ]
    without = client.do(f"{HERE}/say", {"text": "x"}, headers={"Idempotency-Key": ""})
    assert without.status_code == 422


def test_pages_hold_everything_once_in_order(client: Client) -> None:
    for n in range(3):
        assert (
            client.do("/tickets", {"called": f"Caller {n}", "subject": f"call {n}", "came": "phone"}).status_code == 200
        )
    assert [len(page) for page in client.all("/tickets", limit=2)] == [2, 2, 1]
    numbers = [number for page in client.all("/tickets", limit=1) for number in page if number]
    assert numbers == [one["number"] for one in client.get("/tickets", limit=100)["items"]]
    assert client.all("/conversations", tab="queue", limit=1) == [["C-REPAIR00"], ["C-SALES000"]]
    assert client.all("/conversations", limit=1) == [["C-SALES000"], ["C-REPAIR00"]]
    names = [one["name"] for one in client.get("/customers")["items"]]
    assert names == ["Caller 2", "Caller 1", "Caller 0", "Customer of sales", "Customer of repair"]
    page = client.get("/conversations", tab="queue", limit=1)["next"]
    for cursor in ("x", page, "W10", "WzEsMl0", "WyJhIl0", "Wy0xXQ"):
        assert client.do(f"/tickets?cursor={cursor}", method="GET").status_code == 400, cursor


def test_a_file_goes_to_its_conversation_and_nowhere_else(client: Client) -> None:
    put = client.do(f"{HERE}/files", headers={"X-File-Name": "%E5%9B%BE.png"}, content=PNG)
    assert (put.status_code, put.json()["name"], put.json()["type"]) == (201, "图.png", "image/png")
    formed = client.do(f"{HERE}/files", files={"file": ("a.png", PNG, "image/png")}).json()
    ids = [put.json()["id"], formed["id"]]
    assert client.do(f"{HERE}/say", {"files": ids}).status_code == 200
    [said, *_] = client.get(f"{HERE}/messages")["items"]
    assert [one["id"] for one in said["attachments"]] == ids
    got = client.do(f"{HERE}/files/{ids[0]}", method="GET")
    assert (got.content, got.headers["content-type"]) == (PNG, "image/png")
    assert "sandbox" in got.headers["content-security-policy"]
    assert client.do("/conversations/C-SALES000/say", {"files": ids}).status_code == 404
    assert client.do(f"{HERE}/files", content=b"MZ\0\0").status_code == 415


def test_tickets_are_moved_given_and_spoken_on(client: Client) -> None:
    wrong = client.do(f"{WORK}/move", {"state": "sold"})
    assert (wrong.status_code, wrong.json()["errors"][0]["at"]) == (422, "body.state")
    assert client.do(f"{WORK}/own").status_code == 200
    assert client.do(f"{WORK}/word", {"text": "for us"}).status_code == 200
    assert client.do(f"{WORK}/move", {"state": "resolved", "text": "done"}).status_code == 200
    lost = client.do(f"{WORK}/move", {"state": "waiting_parts"})
    assert (lost.status_code, lost.json()["reason"]) == (409, "move")
    one = client.get(WORK)
    assert (one["state"], one["agent_name"], one["moves"]) == ("resolved", "Root", ["reopened", "closed"])
    assert [(w["kind"], w["text"]) for w in one["course"] if w["kind"] != "move"] == [("remark", "for us")]
    made = client.do(f"{HERE}/tickets", {"subject": "a leg is missing", "kind": "exchange"}).json()
    assert client.get(f"/tickets/{made['number']}")["conversation"] == "C-REPAIR00"
    naive = client.do(f"{WORK}/move", {"state": "reopened", "due_at": "2030-01-01T10:00:00"})
    assert naive.json()["errors"] == [{"at": "body.due_at", "said": "Input should have timezone info"}]


def test_a_call_is_registered_and_what_is_known_of_the_customer_kept(client: Client) -> None:
    made = client.do("/tickets", {"called": "Frau Lang", "subject": "no light", "came": "phone"}).json()
    who = client.get(f"/tickets/{made['number']}")["customer_id"]
    assert client.do(f"/customers/{who}/notes", {"text": "rings in the morning"}).status_code == 200
    assert client.do(f"/customers/{who}/tier", {"tier": "gold"}, method="PUT").status_code == 200
    known = client.get(f"/customers/{who}")
    assert (known["name"], known["tier"], known["notes"][0]["text"]) == ("Frau Lang", "gold", "rings in the morning")
    lost = client.do(f"/customers/{who}/start", {"text": "Good morning"})
    assert (lost.status_code, lost.json()["reason"]) == (409, "nowhere")
    assert client.do(f"/customers/{who}/tickets", {"subject": "and no sound", "came": "letter"}).status_code == 200
    assert len(client.get(f"/customers/{who}")["tickets"]) == 2


def test_whatever_is_written_once_is_written_the_same_elsewhere() -> None:
    assert get_args(requests.Came) == tickets.CAME
    tab, whose = (
        get_type_hints(one)[name] for one, name in ((conversations.conversations, "tab"), (ticketing.tickets, "whose"))
    )
    assert (get_args(tab), get_args(whose)) == (lists.TABS, reading.LISTS)
    page = Path(__file__).parent.parent.parent / "docs" / "api.md"
    assert {scope for scope in RULES if f"`{scope}`" not in page.read_text("utf-8")} == set()
