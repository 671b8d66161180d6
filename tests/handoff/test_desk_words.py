"""What is kept of the words written at a desk: albums wait for their last, a change for what it changes."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import select

from bot.messages import Attachment
from bot.store import Store
from channels import DeskWord
from handoff.desks import words
from handoff.tables import desk_word

WORD = DeskWord("k", "t", "bob", native="m")
FILE = Attachment("f", "a.png", "image/png", 1)


async def kept(store: Store, word: DeskWord, *, ago: float = 0.0, outcome: str = "") -> Any:
    """The row of a word that came so many seconds ago."""
    await store.write(lambda c: words.keep(c, "x", word, time.time() - ago))
    its = select(desk_word).where(desk_word.c.key == word.key)
    row = (await store.read(lambda c: c.execute(its).all()))[0]
    if outcome:
        await store.write(lambda c: words.done(c, row.id, outcome))
    return row


async def waiting(store: Store) -> list[str]:
    """What is to be done now."""
    return [row.key for row in await store.read(partial(words.waiting, channel="x"))]


async def test_an_album_waits_for_the_last_of_it(store: Store) -> None:
    picture = replace(WORD, album="77", files=((FILE, {}),))
    await kept(store, replace(picture, key="1"), ago=words.TOGETHER + 1)
    await kept(store, replace(picture, key="other", album="78", thread="u"), ago=words.TOGETHER + 1)
    assert await waiting(store) == ["1", "other"]
    await kept(store, replace(picture, key="2", text="!note her passport"))
    assert await waiting(store) == ["other"]
    await kept(store, replace(picture, key="1"), ago=words.TOGETHER + 1)  # it comes again
    assert await waiting(store) == ["other"]


async def test_the_words_of_an_album_are_found_however_much_stands_between(store: Store) -> None:
    picture = await kept(store, replace(WORD, key="1", album="77", files=((FILE, {}),)))
    await kept(store, replace(WORD, key="other", album="78", text="hello"))
    for n in range(60):
        await kept(store, replace(WORD, key=f"between {n}", thread="u", text="hello"))
    assert await store.read(lambda c: words.album(c, picture)) == ""
    await kept(store, replace(WORD, key="2", album="77", text="!note her passport"))
    assert await store.read(lambda c: words.album(c, picture)) == "!note her passport"


async def test_a_change_that_came_to_nothing_leaves_a_message_what_it_was(store: Store) -> None:
    for native, outcomes, last in (
        ("a", ("said", "answered", "failed"), "said"),
        ("b", ("note", "answered"), "note"),
        ("c", ("note", "said", "ignored"), "said"),
        ("d", ("answered",), "answered"),
        ("e", (), ""),
    ):
        for n, outcome in enumerate(outcomes):
            await kept(store, replace(WORD, key=f"{native}{n}", native=native), outcome=outcome)
        row = await kept(store, replace(WORD, key=f"{native} now", native=native, change="edited"))
        assert await store.read(lambda c, row=row: words.before(c, row)) == last, native  # type: ignore[misc]


async def test_what_no_column_holds_is_mended(store: Store) -> None:
    odd = replace(FILE, name="a\0\ud800.png")
    row = await kept(store, replace(WORD, text="a\0b", files=((odd, {"file": "f\0", "type": "\ud800"}),)))
    assert row.body["text"] == "ab"
    assert words.files(row.body) == [(replace(FILE, name="a\ufffd.png"), {"file": "f", "type": "\ufffd"})]
