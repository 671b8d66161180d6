"""Whatever a platform sends can be stored, and so be acknowledged."""

from __future__ import annotations

import pytest

from bot.inbox import Inbox
from bot.messages import Inbound
from bot.storable import KEY, NAME, storable
from bot.store import Store

ODD = "a\x00b\ud800c"


def test_what_is_fine_is_left_as_it_is() -> None:
    one = Inbound("x", "k", "a", text="hello 👋\n你好", name="Ann", extra={"form": {"what": "x"}, "n": 1})
    assert storable(one) is one


def test_words_are_mended() -> None:
    one = storable(Inbound("x", "k", "a", text=ODD, name=ODD, extra={ODD: [ODD, {"deep": ODD}], "n": 1}))
    mended = "ab\ufffdc"
    assert (one.text, one.name) == (mended, mended)
    assert one.extra == {mended: [mended, {"deep": mended}], "n": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        Inbound("x", "k" * (KEY + 1), "a", raw=b"1"),
        Inbound("x", "k", "a" * (NAME + 1), raw=b"2"),
        Inbound("x", "k", "a", sender="s" * (NAME + 1), raw=b"3"),
        Inbound("x", "k", "a", native=ODD, raw=b"4"),
        Inbound("x", ODD, "a", raw=b"5"),
    ],
)
async def test_names_that_no_column_holds_leave_the_bytes(store: Store, wrong: Inbound) -> None:
    one = storable(wrong)
    assert (one.address, one.raw) == (None, wrong.raw)
    assert storable(wrong) == one  # the same when it comes again
    receipts = await Inbox(store).receive([one, storable(wrong)])
    assert [receipt.fresh for receipt in receipts] == [True, False]
