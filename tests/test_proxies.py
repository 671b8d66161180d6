"""Who asks: what a proxy of ours says of its customers counts, and what anybody else says does not."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from bot.server import BehindProxy
from channels.http import confidential, network_of

FAR = "203.0.113.9"


async def asked(peer: str, headers: dict[str, str], proxies: tuple[str, ...] = ("127.0.0.1",)) -> Request:
    """A request as the routes see it."""
    seen: list[Request] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(Request(scope))

    raw = [(name.encode(), value.encode()) for name, value in {"host": "support.example.com", **headers}.items()]
    where = {"type": "http", "scheme": "http", "method": "GET", "path": "/", "query_string": b"", "server": None}
    scope: Any = {**where, "client": (peer, 1234), "headers": raw}
    await BehindProxy(app, list(proxies))(scope, None, None)  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize("peer", ["127.0.0.1", "::ffff:127.0.0.1"])
async def test_a_proxy_is_believed(peer: str) -> None:
    request = await asked(peer, {"x-forwarded-for": FAR, "x-forwarded-proto": "https"})
    assert network_of(request) == FAR
    assert confidential(request)


@pytest.mark.parametrize("peer", ["198.51.100.7", "::ffff:198.51.100.7"])
async def test_nobody_else_is(peer: str) -> None:
    request = await asked(peer, {"x-forwarded-for": FAR, "x-forwarded-proto": "https"})
    assert network_of(request) == "198.51.100.7"
    assert not confidential(request)


async def test_behind_several_proxies_it_is_the_last_stranger() -> None:
    ours = ("127.0.0.1", "10.0.0.0/8")
    request = await asked("127.0.0.1", {"x-forwarded-for": f"192.0.2.66, {FAR}, 10.1.2.3"}, ours)
    assert network_of(request) == FAR


@pytest.mark.parametrize(
    ("said", "network"),
    [
        ("::ffff:203.0.113.9", FAR),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("203.0.113.9:4711", FAR),
        ("[2001:db8:1:2::5]:4711", "2001:db8:1:2::/64"),
    ],
)
async def test_a_customer_has_one_network_however_his_address_is_written(said: str, network: str) -> None:
    assert network_of(await asked("127.0.0.1", {"x-forwarded-for": said})) == network
