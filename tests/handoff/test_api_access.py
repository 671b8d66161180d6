"""Every operation of the API × every role × every scope × what is one's own and what is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, select, text, update
from typer.testing import CliRunner, Result

from bot import transaction
from bot.__main__ import app
from bot.config import load
from handoff import accounts, tokens
from handoff.access import RULES
from handoff.api import open_api
from handoff.api.gate import Operation
from handoff.api.routes import AT, operations
from handoff.tables import throttle
from tests.handoff.conftest import PEOPLE, Desk
from tests.handoff.test_console_access import ALL, FOREIGN, LOOK, OWN, WORK

COMMANDS = "claim say start note back transfer snooze close reopen language tickets promises".split()
HERE = "/conversations/{number}"
POLICY: dict[str, set[str]] = {  # operation -> who may; one that is not here fails the test
    "GET /me": ALL,
    "PUT /me/presence": ALL,  # an auditor is told no by the operation itself
    "GET /search": ALL,
    "GET /counts": ALL,
    "GET /colleagues": ALL,
    "GET /wall": LOOK,
    "GET /alarms": ALL,
    "POST /alarms/{id}/settle": WORK,
    "GET /dead": LOOK,
    "POST /dead/{id}/{do}": {"supervisor", "admin"},
    "GET /faq": ALL,
    "GET /faq/search": ALL,
    "GET /faq/why": ALL,
    "GET /faq/unanswered": ALL,
    "GET /agents": LOOK,
    "POST /agents": {"admin"},
    "PATCH /agents/{id}": {"admin"},
    "POST /agents/{id}/link": {"admin"},
    "POST /agents/{id}/{do}": {"admin"},
    "GET /settings": {"admin", "auditor"},
    "GET /audit": {"admin", "auditor"},
    "GET /customers": ALL,
    "GET /customers/{id}": ALL,
    **{f"POST /customers/{{id}}/{name}": WORK for name in ("notes", "start", "tickets")},
    "PUT /customers/{id}/tier": {"supervisor", "admin"},
    "GET /kinds": ALL,
    "POST /tickets": WORK,
    "GET /tickets": ALL,
    "GET /tickets/{number}": ALL,
    **{f"POST /tickets/{{number}}/{name}": WORK for name in ("move", "own", "word")},
    "GET /conversations": ALL,
    **{f"GET {HERE}{rest}": ALL for rest in ("", "/messages", "/course", "/suggested", "/files/{id}")},
    f"GET {HERE}/phrases": WORK,
    f"POST {HERE}/files": WORK,
    **{f"POST {HERE}/{name}": WORK for name in COMMANDS},
    f"POST {HERE}/promises/{{promise}}": WORK,
    f"POST {HERE}/seen": WORK,
    f"POST {HERE}/messages/{{reply}}/resend": WORK,
}
OPERATIONS = {f"{one.method} {one.path}": one for one in operations()}


def place(one: Operation, theirs: str = OWN) -> str:
    """Where an operation is asked for something of one's own, or not."""
    which = {"customers": "1" if theirs == OWN else "2", "conversations": "nothing"}.get(one.path.split("/")[1], "999")
    number = f"{'T' if '/tickets/{' in one.path else 'C'}-{theirs}"
    return AT + one.path.format(number=number, id=which, do="retry", reply=1, promise="P-NOTHING0")


class Shop:
    """Integrations that ask the API without a network."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self._asgi = desk, open_api(desk.app)
        self._tokens: dict[str, str] = {}

    async def token(self, login: str, *scopes: str, days: int | None = None) -> str:
        """A new token, named after its account and scopes."""
        name = " ".join([login, *scopes, str(days or "")]).strip()

        def make(c: Any) -> str:
            return tokens.add(c, None, accounts.named(c, login), name, scopes, days)

        self._tokens[login] = await self.desk.app.store.write(make)
        return self._tokens[login]

    async def ask(self, who: str, method: str, path: str, origin: str = "http://localhost", **more: Any) -> Any:
        """One request; ``who`` is a login that has a token, or a token itself."""
        token = self._tokens.get(who, who)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx2.ASGITransport(app=self._asgi, client=("10.1.1.1", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=origin) as client:
            return await client.request(method, path, headers={**headers, **more.pop("headers", {})}, **more)


@pytest.fixture
def shop(desk: Desk) -> Shop:
    """The house of the console's tests, and integrations."""
    return Shop(desk)


def test_every_operation_has_a_policy() -> None:
    assert set(OPERATIONS) == set(POLICY)
    assert {one.action for one in OPERATIONS.values()} <= set(RULES)
    owned = ("{number}", "/customers/{")
    assert [name for name, one in OPERATIONS.items() if any(part in name for part in owned) and not one.subject] == []
    names = [one.endpoint.__name__ for one in OPERATIONS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("login", PEOPLE)
async def test_every_operation_for_this_role(shop: Shop, login: str) -> None:
    role, teams = PEOPLE[login]
    await shop.token(login, "all")
    wrong = []
    for name, one in OPERATIONS.items():
        for theirs in (OWN, FOREIGN) if one.subject else ("",):
            answer = await shop.ask(login, one.method, place(one, theirs))
            hidden = theirs == FOREIGN and bool(teams) and role in ("agent", "supervisor")
            expected = 403 if role not in POLICY[name] else 404 if hidden else None
            if login == "eye" and one.action == "self":
                expected = None
            let_in = answer.status_code not in (401, 403) and (answer.status_code != 404 or "{id}" in name)
            if expected != answer.status_code and (expected or not let_in):
                wrong.append((name, theirs, answer.status_code, expected))
    assert wrong == []


async def test_without_a_token_nothing_is_shown(shop: Shop) -> None:
    good = await shop.token("root", "all")
    for token in ("", "x", good[:-1] + "!", good.replace("aftercare_", ""), good[:-3] + "abc"):
        answer = await shop.ask(token, "GET", f"{AT}/me")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    for one in OPERATIONS.values():
        assert (await shop.ask("", one.method, place(one))).status_code == 401, one
    assert (await shop.ask("", "GET", "/openapi.json")).status_code == 200


async def test_a_scope_opens_what_it_names_and_nothing_else(shop: Shop) -> None:
    for scope in RULES:
        await shop.token("root", scope)
        for name, one in OPERATIONS.items():
            answer = await shop.ask("root", one.method, place(one))
            shut = answer.status_code == 403 and answer.json()["detail"] == f"this token has no scope {one.action}"
            assert shut == (one.action != scope), (scope, name, answer.text)
    await shop.token("root", "inbox.read", days=1)
    found = await shop.ask("root", "GET", f"{AT}/search?q=repair")
    assert found.json()["tickets"] == []


async def test_what_a_scope_does_not_name_is_not_told_beside_what_it_does(shop: Shop) -> None:
    parts = {
        "customer.read": {"known", "created_at", "identities", "notes", "products"},
        "conversation.read": {"conversations", "promises"},
        "ticket.read": {"tickets"},
    }
    named = {"id", "name", "tier"}
    for scopes in (["conversation.read"], ["customer.read"], ["customer.read", "ticket.read"], ["read"]):
        await shop.token("root", *scopes)
        shown = named.union(*(names for scope, names in parts.items() if scope in scopes or scopes == ["read"]))
        talk = await shop.ask("root", "GET", f"{AT}/conversations/C-{OWN}")
        one = await shop.ask("root", "GET", f"{AT}/customers/1")
        told = [a.json()["customer"] for a in (talk,) if a.status_code == 200]
        told += [a.json() for a in (one,) if a.status_code == 200]
        assert len(told) == 1 + (scopes == ["read"])
        for customer in told:
            assert {name for name, value in customer.items() if value is not None} == shown
            assert customer["name"] == "Customer of repair"


async def test_what_is_foreign_stays_hidden_in_lists_searches_and_bodies(shop: Shop) -> None:
    await shop.token("anna", "all")
    lists = ("conversations", "conversations?tab=queue", "tickets", "tickets?q=sales", "customers", "customers?q=sales")
    for path in (*lists, "search?q=words", "alarms", "customers/1", f"conversations/C-{OWN}"):
        answer = await shop.ask("anna", "GET", f"{AT}/{path}")
        assert answer.status_code == 200
        assert "SALES" not in answer.text, path
        assert "of sales" not in answer.text, path
    key, say = {"Idempotency-Key": "k"}, f"{AT}/conversations/C-{OWN}/say"
    bodies = {
        say: {"text": "hi", "files": ["somebody-elses"]},
        f"{AT}/conversations/C-{OWN}/promises": {
            "text": "a thing",
            "due_at": "2030-01-01T00:00:00Z",
            "ticket": f"T-{FOREIGN}",
        },
    }
    for path, body in bodies.items():
        assert (await shop.ask("anna", "POST", path, json=body, headers=key)).status_code == 404
    resend = await shop.ask("anna", "POST", f"{AT}/conversations/C-{OWN}/messages/1/resend")
    assert resend.status_code == 409


async def test_what_takes_a_token_away_holds_from_the_next_request_on(shop: Shop) -> None:
    store, admin, sam = shop.desk.app.store, await shop.token("root", "all"), shop.desk.ids["sam"]
    past = text("UPDATE api_token SET expires_at = :at WHERE name = :name")
    takes: list[Callable[[Connection], object]] = [
        lambda c: tokens.revoke(c, None, "sam read 1"),
        lambda c: accounts.disable(c, sam),
        lambda c: c.execute(past, {"at": time.time() - 1, "name": "sam read 3"}),
    ]
    for n, take in enumerate(takes, 1):
        await store.write(lambda c: accounts.enable(c, sam))
        token = await shop.token("sam", "read", days=n)
        assert (await shop.ask(token, "GET", f"{AT}/wall")).status_code == 200
        await store.write(take)
        assert (await shop.ask(token, "GET", f"{AT}/wall")).status_code == 401
    await store.write(lambda c: accounts.enable(c, sam))
    await shop.token("sam", "wall.read")
    await store.write(lambda c: accounts.change(c, sam, role="agent"))
    told = await shop.ask("sam", "GET", f"{AT}/wall")
    assert (told.status_code, told.json()["detail"]) == (403, "the token's account is agent: its role may not do that")
    assert (await shop.ask(admin, "GET", f"{AT}/me")).status_code == 200


async def test_who_guesses_a_token_waits_and_nobody_else(shop: Shop) -> None:
    good, other = await shop.token("root", "all"), await shop.token("anna", "all")
    codes = [(await shop.ask(good[:-4] + f"{n:04}", "GET", f"{AT}/me")).status_code for n in range(12)]
    assert codes == [401] * 11 + [429]
    told = await shop.ask(good, "GET", f"{AT}/me")
    assert told.status_code == 429
    assert int(told.headers["retry-after"]) >= 1
    assert (await shop.ask(other, "GET", f"{AT}/me")).status_code == 200


async def test_who_varies_what_he_guesses_waits_as_well_and_costs_no_write(shop: Shop) -> None:
    good, store = await shop.token("root", "all"), shop.desk.app.store
    secret, kept = good.split("_", 2)[2], select(throttle.c.key, throttle.c.tries, throttle.c.until)
    codes = [(await shop.ask(f"aftercare_{n}_{secret}", "GET", f"{AT}/me")).status_code for n in range(1000, 1031)]
    assert codes == [401] * 31
    assert await store.read(lambda c: sorted(row.tries for row in c.execute(kept))) == [1] * 31 + [31]
    await store.write(lambda c: c.execute(update(throttle).values(until=throttle.c.until + 60)))
    before = await store.read(lambda c: sorted(c.execute(kept).all()))
    told = await shop.ask(f"aftercare_5000_{secret}", "GET", f"{AT}/me")
    assert told.status_code == 429
    assert int(told.headers["retry-after"]) >= 1
    assert await store.read(lambda c: sorted(c.execute(kept).all())) == before
    assert (await shop.ask(good, "GET", f"{AT}/me")).status_code == 200


async def test_too_many_requests_are_told_when_to_come_again(shop: Shop) -> None:
    slow = shop.desk.app.settings.limits.model_copy(update={"api_per_minute": 3})
    shop.desk.app.settings = shop.desk.app.settings.model_copy(update={"limits": slow})
    hasty = Shop(shop.desk)
    token = await hasty.token("root", "all")
    answers = [await hasty.ask(token, "GET", f"{AT}/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 21
    assert answers[-1].headers["content-type"] == "application/problem+json"


async def test_a_token_is_not_taken_in_the_clear(shop: Shop) -> None:
    token = await shop.token("root", "all")
    assert (await shop.ask(token, "GET", f"{AT}/me", origin="http://help.example")).status_code == 403
    assert (await shop.ask(token, "GET", f"{AT}/me", origin="https://help.example")).status_code == 200


async def test_a_token_is_kept_as_a_hash_and_what_it_does_is_written_down(shop: Shop) -> None:
    token = await shop.token("root", "all")
    hired = await shop.ask(token, "POST", f"{AT}/agents", json={"login": "new.one", "teams": ["repair"]})
    assert hired.status_code == 201
    rows = await shop.desk.app.store.read(
        lambda c: c.execute(text("SELECT agent_id, action, data FROM audit ORDER BY id")).all()
    )
    assert (rows[-1].agent_id, rows[-1].action) == (shop.desk.ids["root"], "account_added")
    assert '"token": "root all"' in str(rows[-1].data).replace("'", '"').replace('":"', '": "')
    [kept] = await shop.desk.app.store.read(lambda c: c.execute(text("SELECT * FROM api_token")).all())
    assert token.rsplit("_", 1)[1] not in str(tuple(kept))
    assert kept.used_at is not None
    listed = await shop.desk.app.store.read(tokens.listed)
    assert [(one["name"], one["login"], one["usable"]) for one in listed] == [("root all", "root", True)]
    assert "token_hash" not in listed[0]


async def test_admins_make_and_revoke_tokens_on_the_page_of_people(shop: Shop) -> None:
    desk = shop.desk
    await desk.let_in("root")
    place = f"/people/{desk.ids['anna']}/tokens"
    made = await desk.ask("root", "POST", place, json={"name": "phone", "scopes": "read, ticket.command"})
    token = made.json()["show"]
    assert (await shop.ask(token, "GET", f"{AT}/me")).status_code == 403  # it has no scope for that
    assert (await shop.ask(token, "GET", f"{AT}/tickets/T-{OWN}")).status_code == 200
    assert (await shop.ask(token, "GET", f"{AT}/tickets/T-{FOREIGN}")).status_code == 404
    page = (await desk.ask("root", "GET", "/people")).text
    assert "<strong>phone</strong>" in page
    assert token not in page
    assert (await desk.ask("root", "POST", place, json={"name": "x", "scopes": "nonsense"})).status_code == 422
    assert (await desk.ask("root", "POST", f"{place}/revoke", json={"name": "phone"})).status_code == 200
    assert (await shop.ask(token, "GET", f"{AT}/tickets/T-{OWN}")).status_code == 401
    assert "<strong>phone</strong>" not in (await desk.ask("root", "GET", "/people")).text


@pytest.mark.parametrize(
    ("name", "scopes", "said"),
    [
        ("", ["read"], "is no name for a token"),
        ("shop", [], "a token needs a scope"),
        ("shop", ["read", "everything"], "there is no scope 'everything'"),
        ("twice", ["read"], "there is, or was, a token twice already"),
    ],
)
async def test_a_token_that_cannot_be_is_told_why(shop: Shop, name: str, scopes: list[str], said: str) -> None:
    store = shop.desk.app.store
    await store.write(lambda c: tokens.add(c, None, accounts.named(c, "root"), "twice", ["read"]))
    with pytest.raises(accounts.NoAccount, match=said):
        await store.write(lambda c: tokens.add(c, None, accounts.named(c, "root"), name, scopes))
    with pytest.raises(accounts.NoAccount, match="there is no token 'nobody' in use"):
        await store.write(lambda c: tokens.revoke(c, None, "nobody"))


def test_tokens_are_made_shown_and_revoked_from_the_command_line(database: str, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"database: {database}\ndata: {tmp_path}\n", "utf-8")
    transaction.run(load(config), lambda c: accounts.add(c, "shop"), write=True)

    def aftercare(*words: str) -> Result:
        return CliRunner().invoke(app, ["agent", "token", *words, "--config", str(config)])

    made = aftercare("add", "shop", "webshop", "--scope", "ticket.read", "--days", "7")
    assert made.exit_code == 0
    [token, *_] = made.stdout.splitlines()
    found = transaction.run(load(config), lambda c: tokens.find(c, token))
    assert found
    assert (found.actor.token, set(found.actor.scopes), found.actor.via) == ("webshop", {"ticket.read"}, "api")
    assert ("webshop" in aftercare("list").stdout, '"login": "shop"' in aftercare("list", "--json").stdout) == (
        True,
        True,
    )
    assert isinstance(aftercare("add", "nobody", "x").exception, accounts.NoAccount)
    assert aftercare("revoke", "webshop").exit_code == 0
    assert transaction.run(load(config), lambda c: tokens.find(c, token)) is None
    assert "of no use" in aftercare("list").stdout
