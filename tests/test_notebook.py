"""A channel's notebook: with the events or not at all, and unreadable without the key."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bot.messages import Inbound
from bot.notebook import Notebook
from bot.store import Store
from tests.house import House

BOOK = Notebook("a secret")


async def kept(store: Store, key: str, book: Notebook = BOOK) -> bytes | None:
    return await store.read(partial(book.get, channel="probe", key=key))


async def test_notes_are_kept_with_the_events(store: Store) -> None:
    async with House(store) as house:
        offset = partial(BOOK.put, channel="probe", notes={"offset": b"17"})
        await house.inbox.receive([Inbound("probe", "k1", "a", text="x")], offset)
        assert await kept(store, "offset") == b"17"
        [(value,)] = await house.rows("SELECT value FROM note")
        assert b"17" not in bytes(value)
        assert await kept(store, "offset", Notebook("another secret")) is None


async def test_what_cannot_be_stored_leaves_no_note(store: Store) -> None:
    async with House(store) as house:

        def also(connection: Connection) -> None:
            BOOK.put(connection, "probe", {"offset": b"17"})
            connection.execute(text("INSERT INTO lease (name, holder, until) VALUES ('x', NULL, 1)"))

        with pytest.raises(DBAPIError):
            await house.inbox.receive([Inbound("probe", "k1", "a", text="x")], also)
        assert await house.rows("SELECT id FROM inbox") == []
        assert await kept(store, "offset") is None


async def test_a_note_is_changed_forgotten_and_expires(store: Store) -> None:
    await store.write(partial(BOOK.put, channel="probe", notes={"a": b"1", "b": b"2"}))
    await store.write(partial(BOOK.put, channel="probe", notes={"a": b"3", "b": None}))
    assert (await kept(store, "a"), await kept(store, "b")) == (b"3", None)
    await store.write(partial(BOOK.put, channel="probe", notes={"a": b"4"}, expires=1.0))
    assert await kept(store, "a") is None


async def test_a_key_that_no_column_holds_is_nobodys_and_spoils_no_other(store: Store) -> None:
    odd = {"state:a\0b": b"1", "state:\ud800": b"2", "x" * 256: b"3", "y" * 256: None, "fine": b"4"}
    await store.write(partial(BOOK.put, channel="probe", notes=odd))
    assert await store.read(partial(BOOK.find, channel="probe", prefix="")) == {"fine": b"4"}
