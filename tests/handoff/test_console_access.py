"""Every route of the console × every role × what is one's own and what is not."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import Connection, text

from bot.store import Away, Store
from handoff import accounts, sessions
from handoff.access import RULES, Actor, Denied, NotFound, require
from handoff.console import routes
from handoff.console.gate import PUBLIC, Way
from handoff.console.live import Live
from tests.handoff.conftest import PEOPLE, Desk

OWN, FOREIGN = "REPAIR00", "SALES000"
ALL = {"agent", "supervisor", "admin", "auditor"}
WORK = ALL - {"auditor"}
LOOK = ALL - {"agent"}
POLICY: dict[str, Any] = {  # route -> who may; a route that is not here fails the test
    "POST /logout": ALL,
    "POST /presence": ALL,  # an auditor is told no by the page itself
    "GET /": ALL,
    "GET /list": ALL,
    "GET /counts": ALL,
    "GET /events": ALL,
    "GET /faq": ALL,
    "GET /faq/search": ALL,
    "GET /tickets": ALL,
    "GET /tickets/{number}": ALL,
    "GET /conversations/{number}": ALL,
    "GET /conversations/{number}/head": ALL,
    "GET /conversations/{number}/side": ALL,
    "GET /conversations/{number}/older": ALL,
    "GET /conversations/{number}/suggested": ALL,
    "GET /conversations/{number}/files/{id}": ALL,
    "POST /conversations/{number}/seen": ALL,
    "GET /conversations/{number}/canned": WORK,
    "GET /conversations/{number}/colleagues": WORK,
    "POST /conversations/{number}/files": WORK,
    "POST /conversations/{number}/retry": WORK,
    "POST /conversations/{number}/commands/{name}": WORK,
    "POST /tickets/{number}/commands/{name}": WORK,
    "GET /customers": ALL,
    "GET /customers/{id}": ALL,
    "POST /customers/{id}/notes": WORK,
    "POST /customers/{id}/start": WORK,
    "POST /customers/{id}/tier": {"supervisor", "admin"},
    "GET /register": WORK,
    "POST /register": WORK,
    "GET /alarms": ALL,
    "POST /alarms": WORK,
    "GET /wall": LOOK,
    "GET /wall/figures": LOOK,
    "GET /dead": LOOK,
    "POST /dead": {"supervisor", "admin"},
    "GET /people": LOOK,
    "POST /people": {"admin"},
    "POST /people/{id}": {"admin"},
    "POST /people/{id}/tokens": {"admin"},
    "POST /people/{id}/tokens/revoke": {"admin"},
    "POST /people/{id}/{do}": {"admin"},
    "GET /settings": {"admin", "auditor"},
    "GET /audit": {"admin", "auditor"},
}
OPEN = {"GET /static/{version}/{name}", "GET /login", "POST /login", "GET /welcome/{token}", "POST /welcome/{token}"}
STREAM = "GET /events"


def ways() -> dict[str, Way]:
    return {f"{way.method} {way.path}": way for way in routes.ways(Live.__new__(Live))}


def test_every_route_has_a_policy() -> None:
    found = ways()
    assert set(found) == set(POLICY) | OPEN
    assert {name for name, way in found.items() if way.action == PUBLIC} == OPEN
    assert {way.action for way in found.values()} - {PUBLIC} <= set(RULES)
    assert [name for name, way in found.items() if "{number}" in way.path and way.subject != "number"] == []


@pytest.mark.parametrize("login", PEOPLE)
async def test_every_route_for_this_role(desk: Desk, login: str) -> None:
    role, teams = PEOPLE[login]
    await desk.let_in(login)
    wrong = []
    for route in (name for name in POLICY if name not in (STREAM, "POST /logout")):
        method, path = route.split(" ")
        for theirs in (OWN, FOREIGN) if "{number}" in path else ("",):
            letter = "T" if "tickets" in path else "C"
            place = path.format(number=f"{letter}-{theirs}", id="999", name="claim", do="nothing")
            place = place.replace("/commands/claim", "/commands/ticket_word") if letter == "T" else place
            answer = await desk.ask(login, method, place, json={})
            may = role in POLICY[route]
            hidden = theirs == FOREIGN and bool(teams) and role in ("agent", "supervisor")
            expected = 403 if not may else 404 if hidden else None
            if login == "eye" and route == "POST /presence":
                expected = 422
            if expected is None and (answer.status_code in (401, 403, 500) or (answer.status_code == 404 and theirs)):
                expected = 404 if "files/{id}" in path else 200
            if expected not in (None, answer.status_code):
                wrong.append((route, theirs, answer.status_code, expected))
    assert wrong == []


async def test_without_a_session_nothing_is_shown(desk: Desk) -> None:
    for route in POLICY:
        method, path = route.split(" ")
        answer = await desk.ask("", method, path.format(number=f"C-{OWN}", id="1", name="claim", do="link"), json={})
        assert answer.status_code in (303, 401), route
        assert "/console/login?next=" in answer.headers.get("location", "/console/login?next=")


async def test_what_is_foreign_stays_hidden_in_lists_searches_and_side_parameters(desk: Desk) -> None:
    await desk.let_in("anna")
    for path in ("/", "/list?tab=all", "/list?tab=queue", "/tickets", "/tickets?view=board", "/list?q=words"):
        answer = await desk.ask("anna", "GET", path)
        assert answer.status_code == 200
        assert "SALES" not in answer.text, path
    assert (await desk.ask("anna", "GET", f"/events?conversation=C-{FOREIGN}")).status_code == 404
    retry = await desk.ask("anna", "POST", f"/conversations/C-{OWN}/retry", json={"reply": 1})
    assert retry.status_code == 409
    say = {"key": "k", "text": "hi", "files": ["somebody-elses"]}
    assert (await desk.ask("anna", "POST", f"/conversations/C-{OWN}/commands/say", json=say)).status_code == 404
    offer = {"key": "k"}
    assert (await desk.ask("anna", "POST", f"/conversations/C-{OWN}/commands/offer", json=offer)).status_code == 404


async def test_a_name_of_nothing_but_control_characters_is_nobodys(desk: Desk) -> None:
    await desk.let_in("root")
    for route in POLICY:
        method, path = route.split(" ")
        if "{" in path:
            place = path.format(number="%00", id="%00", name="%00", do="%00")
            assert (await desk.ask("root", method, place, json={})).status_code in (400, 404, 422), route


async def test_scopes_of_a_token_narrow_a_role(store: Store) -> None:
    token = Actor(1, "shop", "admin", scopes=frozenset({"ticket.read"}), via="api")

    await store.read(lambda c: require(c, token, "", "ticket.read"))
    with pytest.raises(Denied):
        await store.read(lambda c: require(c, token, "", "conversation.read"))
    with pytest.raises(KeyError):
        await store.read(lambda c: require(c, token, "", "anything.else"))
    assert issubclass(NotFound, Denied)


# ---------------------------------------------------------------- forgery


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://["])
async def test_another_site_can_do_nothing(desk: Desk, origin: str) -> None:
    await desk.let_in("anna")
    for path in ("/presence", f"/conversations/C-{OWN}/commands/claim", "/login"):
        assert (await desk.ask("anna", "POST", path, json={}, Origin=origin)).status_code == 403


async def test_a_request_without_the_pages_token_is_refused(desk: Desk) -> None:
    await desk.let_in("anna")
    for forged in (b"x", b"\xe9"):
        with desk.client("anna") as browser:
            own = {"presence": "online"}
            answer = await browser.post("/console/presence", json=own, headers={b"X-CSRF-Token": forged})
        assert answer.status_code == 403


async def test_a_place_in_a_talk_is_a_number(desk: Desk) -> None:
    await desk.let_in("anna")
    for seq in (None, True, -1, 1.5, 1 << 70, "1", [1]):
        answer = await desk.ask("anna", "POST", f"/conversations/C-{OWN}/seen", json={"seq": seq})
        assert answer.status_code == 400


async def test_pages_may_run_only_our_own_scripts(desk: Desk) -> None:
    await desk.let_in("root")
    for path in ("/", "/login", f"/conversations/C-{OWN}", "/settings"):
        answer = await desk.ask("root", "GET", path)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        for inline in (" style=", "<style", " onclick=", "javascript:"):
            assert inline not in answer.text


async def test_a_name_is_data(desk: Desk) -> None:
    evil = "<img src=x onerror=alert(1)>"
    await desk.app.store.write(lambda c: c.execute(text("UPDATE customer SET name = :name"), {"name": evil}))
    await desk.let_in("root")
    for path in (
        "/?tab=all",
        f"/conversations/C-{OWN}",
        "/tickets",
        f"/tickets/T-{OWN}",
        "/wall",
    ):
        answer = await desk.ask("root", "GET", path)
        assert "<img src=x" not in answer.text
        assert "&lt;img" in answer.text


async def test_settings_show_no_secret(desk: Desk) -> None:
    desk.app.settings = desk.app.settings.model_copy(
        update={
            "database": "postgresql://me:hunter2@db/aftercare",
            "channels": {"telegram": {"type": "telegram", "token": "12:abc", "webhook_secret": "shh"}},
        }
    )
    await desk.let_in("root")
    shown = (await desk.ask("root", "GET", "/settings")).text
    assert "postgresql://me:••••••@db/aftercare" in shown
    for secret in ("hunter2", "12:abc", "shh"):
        assert secret not in shown


# ---------------------------------------------------------------- signing in


async def rows(desk: Desk, query: str) -> list[Any]:
    return await desk.app.store.read(lambda c: list(c.scalars(text(query))))


async def sign_in(desk: Desk, login: str, password: str) -> Any:
    with desk.client() as browser:
        return await browser.post("/console/login", data={"login": login, "password": password})


async def test_a_link_brings_a_password_once_and_a_session_that_ends(desk: Desk) -> None:
    token = await desk.app.store.write(lambda c: accounts.link(c, desk.ids["anna"]))
    place = f"/console/welcome/{token}"
    chosen = {"password": "a long enough one", "again": "a long enough one", "name": "Anna Li"}
    with desk.client() as browser:
        assert (await browser.post(place, data={**chosen, "again": "differs"})).status_code == 422
        short = {**chosen, "password": "short", "again": "short"}
        assert (await browser.post(place, data=short)).status_code == 422
        entered = await browser.post(place, data=chosen)
        assert entered.status_code == 303
        cookie = entered.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "secure" not in cookie  # on this computer alone
        assert (await browser.get("/console/")).status_code == 200
        assert (await browser.post(place, data=chosen)).status_code == 410
    assert (await sign_in(desk, "anna", "a long enough one")).status_code == 303
    assert (await sign_in(desk, "ANNA ", "a long enough one")).status_code == 303
    kept = await desk.app.store.read(
        lambda c: c.execute(text("SELECT password FROM agent WHERE login='anna'")).scalar()
    )
    assert str(kept).startswith("$argon2id$")
    tokens = await desk.app.store.read(
        lambda c: c.execute(text("SELECT token_hash FROM agent_session")).scalars().all()
    )
    assert all(len(token) == 64 for token in tokens)


async def test_over_https_the_cookie_is_the_hosts_alone(desk: Desk) -> None:
    token = await desk.app.store.write(lambda c: accounts.link(c, desk.ids["anna"]))
    chosen = {"password": "a long enough one", "again": "a long enough one", "name": "Anna"}
    with desk.client() as browser:
        url, origin = f"https://help.example/console/welcome/{token}", {"Origin": "https://help.example"}
        entered = await browser.post(url, data=chosen, headers=origin)
        assert entered.headers["set-cookie"].startswith("__Host-aftercare=")
        assert "Secure" in entered.headers["set-cookie"]
        plain = await browser.post(
            "http://help.example/console/login", data={}, headers={"Origin": "http://help.example"}
        )
        assert plain.status_code == 403  # a password is not to be sent over that


async def test_nobody_learns_which_logins_there_are(desk: Desk) -> None:
    hashed = await sessions.hash_of("a long enough one")
    await desk.app.store.write(lambda c: accounts.set_password(c, desk.ids["anna"], hashed))
    answers = [await sign_in(desk, login, "wrong wrong wrong") for login in ("anna", "nobody", "root")]
    assert {a.status_code for a in answers} == {403}
    shown = {a.text.replace(login, "") for a, login in zip(answers, ("anna", "nobody", "root"), strict=True)}
    assert len(shown) == 1
    for login in ("anna", "nobody"):
        codes = [(await sign_in(desk, login, "wrong wrong wrong")).status_code for _ in range(5)]
        assert codes == [403, 403, 403, 403, 403] or 429 in codes
        assert (await sign_in(desk, login, "a long enough one")).status_code == 429


async def test_disabling_takes_effect_at_once(desk: Desk) -> None:
    for login in ("anna", "root"):
        await desk.let_in(login)
    assert (await desk.ask("anna", "GET", "/")).status_code == 200
    out = await desk.ask("root", "POST", f"/people/{desk.ids['anna']}/disable", json={})
    assert out.status_code == 200
    assert (await desk.ask("anna", "GET", "/list")).status_code == 401
    last = await desk.ask("root", "POST", f"/people/{desk.ids['root']}/disable", json={})
    assert (last.status_code, "last admin" in last.text) == (422, True)


async def test_a_changed_role_holds_from_the_next_request_on(desk: Desk) -> None:
    await desk.let_in("sam")
    assert (await desk.ask("sam", "GET", "/wall")).status_code == 200
    await desk.app.store.write(lambda c: accounts.change(c, desk.ids["sam"], role="agent"))
    assert (await desk.ask("sam", "GET", "/wall")).status_code == 403


async def test_sessions_end_by_themselves(desk: Desk) -> None:
    await desk.let_in("anna")
    old = time.time() - sessions.IDLE - 1
    await desk.app.store.write(lambda c: c.execute(text("UPDATE agent_session SET seen_at = :at"), {"at": old}))
    assert (await desk.ask("anna", "GET", "/list")).status_code == 401


async def test_the_first_admin_comes_in_by_a_link_that_is_void_afterwards(store: Store) -> None:
    token = sessions.first_link("the secret")
    assert await store.read(lambda c: sessions.is_first_link(c, "the secret", token))
    assert not await store.read(lambda c: sessions.is_first_link(c, "another", token))
    await store.write(lambda c: accounts.add(c, "root", role="admin"))
    assert not await store.read(lambda c: sessions.is_first_link(c, "the secret", token))


async def test_the_audit_only_grows(desk: Desk) -> None:
    await desk.let_in("anna")
    for change in ("UPDATE audit SET action = ''", "DELETE FROM audit"):

        def work(c: Connection, change: str = change) -> None:
            c.execute(text(change))

        with pytest.raises(Exception, match="only grows") as refused:
            await desk.app.store.write(work)
        assert not isinstance(refused.value, Away)
    [(action, who)] = await desk.app.store.read(lambda c: c.execute(text("SELECT action, agent_id FROM audit")).all())
    assert (action, who) == ("signed_in", desk.ids["anna"])
