"""A hostile platform: every recorded payload with every value in it replaced by something odd, on both databases."""

from __future__ import annotations

import hashlib
import json
import random
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.inbox import Inbox, chat_id
from bot.messages import Inbound
from bot.notebook import Notebook
from bot.outbox import undelivered
from bot.storable import storable
from bot.store import Store
from channels.slack import Slack
from channels.telegram import Telegram
from channels.wecom.cipher import Cipher, Forged
from channels.wecom.envelope import Unreadable, fields
from channels.wecom.reading import Reader

PAYLOADS = Path(__file__).parent.parent / "payloads"
ODD: tuple[Any, ...] = (
    None,
    "",
    "x" * 500,
    "a\0\ud800",
    -1,
    10**30,
    1.5,
    True,
    [],
    {},
    [[]],
    {"id": {}},
    "<!channel>",
    "../..",
)
MANY = 1200  # of each platform, the same ones each time


def mutants(payload: Any) -> Iterator[Any]:
    """The payload with one value replaced, for each value and each odd one; or left out."""

    def walk(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        yield path
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in inside:
            yield from walk(inner, (*path, key))

    for path in list(walk(payload, ()))[1:]:
        for odd in (*ODD, ...):
            copy = json.loads(json.dumps(payload))
            place = copy
            for key in path[:-1]:
                place = place[key]
            if odd is not ...:
                place[path[-1]] = odd
            elif isinstance(place, dict):
                del place[path[-1]]
            yield copy


def recorded(platform: str) -> list[Any]:
    """Recorded payloads and their mutants, some of them."""
    found = [json.loads(file.read_bytes()) for file in sorted((PAYLOADS / platform).glob("*.json"))]
    every = [one for payload in found for one in mutants(payload)]
    return some(every)


def some(every: list[Any]) -> list[Any]:
    """Not all of them, but the same ones each time."""
    return random.Random(7).sample(every, min(MANY, len(every)))  # noqa: S311 - nothing secret is made of it


async def kept(store: Store, heard: list[Inbound]) -> None:
    """All of it can be stored, in one group and once more."""
    inbox, ready = Inbox(store), [storable(one) for one in heard]
    for start in range(0, len(ready), 300):
        await inbox.receive(ready[start : start + 300])
        assert not any(receipt.fresh for receipt in await inbox.receive(ready[start : start + 300]))


async def test_telegram(store: Store) -> None:
    channel = Telegram(token="666:x", secret="s" * 32)
    heard = [channel._read(json.dumps(one).encode()) for one in recorded("telegram")]
    await kept(store, [one.inbound for one in heard if one.inbound])
    assert all(isinstance(note, bytes | None) for one in heard for note in one.notes.values())
    assert all(channel.place(one.inbound.address)[0] for one in heard if one.inbound and one.inbound.address)


async def test_slack(store: Store) -> None:
    channel = Slack(secret="s" * 32, token="xoxb-1")
    heard = [channel._read(one, json.dumps(one).encode()) for one in recorded("slack") if isinstance(one, dict)]
    await kept(store, [one.inbound for one in heard if one.inbound])


async def test_kf(store: Store) -> None:
    reader, page = Reader("wecom", "s" * 32), json.loads((PAYLOADS / "wecom" / "kf_page.json").read_bytes())
    every = [one for item in page for one in mutants(item)]
    heard = reader.page(some(every), "wk1", {})
    await kept(store, heard.inbounds)
    await store.write(lambda c: Notebook("s" * 32).put(c, "wecom", heard.notes))
    for address, id, why in heard.failed:
        number = chat_id("wecom", address)
        await store.write(partial(undelivered, chat_id=number, provider_id=id, why=str(why)))


async def test_the_application_of_wecom(store: Store) -> None:
    reader, heard = Reader("wecom", "s" * 32), list[Inbound]()
    for file in sorted((PAYLOADS / "wecom").glob("*.xml")):
        said = fields(file.read_bytes())
        for name in said:
            for odd in ("", "x" * 500, "a\0", "-1", "9" * 40, "<xml/>", "user/../x"):
                heard += reader.callback({**said, name: odd}, f"{file.name}{name}{odd}".encode()).inbounds
    await kept(store, heard)


@pytest.mark.parametrize("body", [b"", b"\xff", b"<", b"<xml>" * 5000, b"<!DOCTYPE x><xml/>", b"[" * 9000, b"\0" * 99])
def test_no_xml_is_an_exception_of_its_own(body: bytes) -> None:
    with pytest.raises(Unreadable):
        fields(body)


def test_no_seal_is_an_exception_of_its_own() -> None:
    cipher = Cipher("t", "k" * 43, "ww1")
    for size in (0, 1, 16, 31, 32, 33, 64, 4096):
        sealed = b64encode(hashlib.shake_256(b"odd").digest(size)).decode()
        with pytest.raises(Forged):
            cipher.open(cipher.signature("1", "2", sealed), "1", "2", sealed)
