"""Many rows in one statement: written as given; and no statement on a message's way reads a whole table."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Pool, event, select

from bot.among import among
from bot.bulk import Bulk, inserts
from bot.store import Store
from bot.tables import customer, fact
from tests.house import House

FACTS = inserts(fact, "at kind chat_id data")


async def test_rows_come_back_as_they_were_given(store: Store) -> None:
    given: list[dict[str, Any]] = [
        {"at": 1.5, "kind": "a", "chat_id": None, "data": {"words": "héllo 你好", "deep": [1, None, {"x": True}]}},
        {"at": 2.0, "kind": "b", "chat_id": 2**53 - 1, "data": {}},
    ]
    await store.write(lambda c: FACTS(c, given))
    await store.write(lambda c: FACTS(c, []))
    columns = select(fact.c.at, fact.c.kind, fact.c.chat_id, fact.c.data).order_by(fact.c.id)
    assert await store.read(lambda c: [dict(row._mapping) for row in c.execute(columns)]) == given


@pytest.mark.parametrize("many", [1, 2, 63, 64, 65, 139])
async def test_any_number_of_rows_is_written_in_their_order(store: Store, many: int) -> None:
    given = [{"at": float(n), "kind": f"k{n}", "chat_id": n, "data": {"n": n}} for n in range(many)]
    await store.write(lambda c: FACTS(c, given))
    columns = select(fact.c.at, fact.c.kind, fact.c.chat_id, fact.c.data).order_by(fact.c.id)
    assert await store.read(lambda c: [dict(row._mapping) for row in c.execute(columns)]) == given


async def test_a_list_is_one_parameter(store: Store) -> None:
    await store.write(lambda c: FACTS(c, [{"at": n, "kind": f"k{n}", "chat_id": n, "data": {}} for n in range(5)]))
    numbers = (
        select(fact.c.chat_id).where(among(fact.c.chat_id, "ids"), among(fact.c.kind, "kinds")).order_by(fact.c.id)
    )
    given = {"ids": [3, 1, 9], "kinds": ["k1", "k2", "k3"]}
    assert await store.read(lambda c: list(c.scalars(numbers, given))) == [1, 3]
    assert await store.read(lambda c: list(c.scalars(numbers, {"ids": [], "kinds": []}))) == []


async def test_a_text_too_long_for_its_column_is_refused_not_cut(store: Store) -> None:
    names: Bulk = inserts(customer, "name created_at")
    if store.dialect == "postgresql":
        with pytest.raises(Exception, match="too long"):
            await store.write(lambda c: names(c, [{"name": "x" * 201, "created_at": 0.0}]))


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_no_statement_on_the_way_of_a_message_reads_a_whole_table(store: Store) -> None:
    said: set[str] = set()

    def listened(driver: Any, *_: Any) -> None:
        driver.set_trace_callback(said.add)

    event.listen(Pool, "checkout", listened)
    try:
        async with House(store) as house:
            for words in ("one", "ticket please", "rate me"):
                await house.hear(words)
                await house.settled()
    finally:
        event.remove(Pool, "checkout", listened)
    swept = "DELETE FROM note"  # every ten minutes, not with every message
    hot = {s for s in said if re.match("SELECT|UPDATE|DELETE|WITH", s) and "count(*)" not in s and swept not in s}
    assert len(hot) > 10
    plans = sqlite3.connect(Path(str(store.url.database)))
    given = r"json_each|\(|anon|new$|CONSTANT ROW|\d+ CONSTANT ROWS|\d+-ROW VALUES"
    for statement in hot:
        steps = [row[3] for row in plans.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert not [
            step for step in steps if re.match(rf"SCAN (?!{given})(?!.*USING.*ix_\w+_(due|ready|raw|waiting))", step)
        ], statement
    plans.close()
