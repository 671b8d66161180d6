"""When the calendar or a standard has changed, every clock's next step and deadline are reckoned anew."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Connection, func, select, update

from bot.policy import Policy
from bot.store import Store
from bot.tables import chat, ticket, timer
from handoff.standards import MEASURED, Clock, plan

AT_ONCE: Final = 500  # clocks looked at in one transaction
SAME: Final = 1.0  # seconds by which two reckonings of one moment may differ

log = structlog.get_logger("replanning")


async def replan(store: Store, policy: Policy) -> None:
    """Once, at the start: what runs is planned as it is promised now."""
    last, moved = 0, 0
    while last >= 0:
        last, more = await store.write(partial(some, policy=policy, after=last, now=datetime.now(UTC)))
        moved += more
    if moved:
        log.info("clocks_moved", count=moved)


def some(connection: Connection, policy: Policy, after: int, now: datetime) -> tuple[int, int]:
    """The clocks that follow the timer ``after``: the last one looked at (-1: there are no more), how many moved.

    One whose event waits already is left alone: it plans itself.
    """
    running = timer.c.kind.in_(MEASURED), timer.c.fired_at.is_(None), timer.c.queued_at.is_(None)
    its = select(timer).join(chat, chat.c.id == timer.c.chat_id).where(timer.c.id > after, *running)
    its = its.order_by(timer.c.id).limit(AT_ONCE)
    # What is being written is planned as of now. The chats are taken first, as a turn takes them: it has their tickets.
    rows = connection.execute(its.with_for_update(of=(chat, timer), skip_locked=True)).all()
    moved = sum(_moved(connection, row, policy, now) for row in rows)
    return (rows[-1].id if len(rows) == AT_ONCE else -1), moved


def _moved(connection: Connection, row: Any, policy: Policy, now: datetime) -> bool:
    about, clock = row.data, Clock.of(row.data["clock"])
    promised = policy.standards.times(about["kind"], about["priority"], about["tier"]).get(row.kind)
    if promised is None:  # not promised any more: its next step ends it
        return False
    planned = plan(clock, promised, policy.standards, policy.hours, now)
    due = clock.reaches(promised, now, policy.hours).timestamp()
    at = planned.next.timestamp() if planned else row.due_at
    if abs(due - about["due"]) < SAME and abs(at - row.due_at) < SAME:
        return False
    changed = update(timer).where(timer.c.id == row.id).values(due_at=at, data={**about, "due": due})
    connection.execute(changed)
    if row.subject.startswith("ticket:"):
        _due(connection, row.subject, about["due"])
    return True


def _due(connection: Connection, subject: str, before: float) -> None:
    """The ticket whose next due time was that of the clock that was moved; a time agreed on stays."""
    clocks = timer.c.subject == subject, timer.c.kind.in_(MEASURED), timer.c.fired_at.is_(None)
    first = connection.scalar(select(func.min(timer.c.data["due"].as_float())).where(*clocks))
    mine = ticket.c.number == subject.removeprefix("ticket:"), ticket.c.due_at == before
    connection.execute(update(ticket).where(*mine).values(due_at=first))
