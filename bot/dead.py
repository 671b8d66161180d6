"""What could not be handled or sent: look at it, try it again, or let it go. Ids: ``12`` an event, ``r7`` a reply."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select, true, update

from bot.tables import chat, inbox, reply

SHOWN: Final = 100
Place = tuple[int, int]  # where one stands in the list: 0 an event, 1 a reply; and its id

SEE = "; see `aftercare dead list` (what could not be read has no chat and stays as it is)"


class NoSuchDead(Exception):
    """There is nothing dead by that id."""


class NoId(NoSuchDead):
    """What was given is no id at all."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """Which of the dead are meant: conditions on ``inbox`` and on ``reply``; without any, all of them."""

    events: ColumnElement[bool] = field(default_factory=true)
    replies: ColumnElement[bool] = field(default_factory=true)


ALL: Final = Scope()


def listed(
    connection: Connection, scope: Scope = ALL, *, after: Place = (0, 0), most: int = SHOWN
) -> list[dict[str, Any]]:
    """The dead after one's ``place``, events before replies, the oldest first:
    {"id", "what", "channel", "chat", "since", "attempts", "error"}."""
    found: list[dict[str, Any]] = []
    if after[0] == 0:
        columns = (inbox.c.id, inbox.c.channel, inbox.c.chat_id, inbox.c.done_at, inbox.c.attempts, inbox.c.error)
        its = select(*columns).where(inbox.c.state == "dead", inbox.c.id > after[1], scope.events)
        events = connection.execute(its.order_by(inbox.c.id).limit(most))
        found = [_line(str(e.id), "event", e, e.done_at) for e in events]
        after = (1, 0)
    if len(found) < most:
        own = (reply.c.id, reply.c.channel, reply.c.chat_id, reply.c.created_at, reply.c.attempts, reply.c.error)
        its = select(*own).where(reply.c.state == "dead", reply.c.id > after[1], scope.replies)
        replies = connection.execute(its.order_by(reply.c.id).limit(most - len(found)))
        found += [_line(f"r{r.id}", "reply", r, r.created_at) for r in replies]
    return found


def place(line: dict[str, Any]) -> Place:
    """Where a line of the list stands in it."""
    kind, which = _which(line["id"])
    return (0 if kind == "event" else 1), which


def every(connection: Connection) -> Iterator[dict[str, Any]]:
    """All the dead, however many: so few at a time that they need no room."""
    after = (0, 0)
    while lines := listed(connection, after=after):
        yield from lines
        after = place(lines[-1])


def _line(name: str, what: str, row: Any, since: float | None) -> dict[str, Any]:
    return {
        "id": name,
        "what": what,
        "channel": row.channel,
        "chat": row.chat_id,
        "since": since,
        "attempts": row.attempts,
        "error": row.error,
    }


def retry(connection: Connection, ids: Sequence[str], scope: Scope = ALL) -> int:
    """Let these be handled or sent again from the first try, and count them; raises NoSuchDead: nothing was changed."""
    now, names = time.time(), _all(connection, ids)
    for name in names:
        kind, which = _which(name)
        if kind == "reply":
            again = update(reply).where(reply.c.id == which, reply.c.state == "dead", scope.replies)
            done = connection.execute(again.values(state="waiting", attempts=0, due_at=now, error=None)).rowcount
        else:
            done = _enter_anew(connection, which, scope, now)
        if not done:
            raise NoSuchDead(f"nothing dead by the id {name} can be tried again{SEE}")
    return len(names)


def _enter_anew(connection: Connection, which: int, scope: Scope, now: float) -> int:
    """Put a dead event at the end of its chat's line: what came meanwhile was handled before it."""
    dead = inbox.c.id == which, inbox.c.state == "dead", inbox.c.chat_id.is_not(None), scope.events
    home = connection.scalar(select(inbox.c.chat_id).where(*dead))
    place = update(chat).where(chat.c.id == home).values(inbox_seq=chat.c.inbox_seq + 1, ready_at=now)
    seq = connection.scalar(place.returning(chat.c.inbox_seq))
    if seq is None:
        return 0
    anew = {"state": "waiting", "seq": seq, "attempts": 0, "ready_at": now, "done_at": None, "error": None}
    return connection.execute(update(inbox).where(*dead).values(**anew)).rowcount


def discard(connection: Connection, ids: Sequence[str], scope: Scope = ALL) -> int:
    """Let these go, and count them: they stay on record, silent; raises NoSuchDead: nothing was changed."""
    names = _all(connection, ids)
    for name in names:
        kind, which = _which(name)
        if kind == "reply":
            dead = reply.c.id == which, reply.c.state == "dead", scope.replies
            gone = update(reply).where(*dead).values(state="withdrawn")
        else:
            readable = inbox.c.id == which, inbox.c.state == "dead", inbox.c.chat_id.is_not(None), scope.events
            gone = update(inbox).where(*readable).values(state="done", outcome="silent", turn_id=inbox.c.id)
        if not connection.execute(gone).rowcount:
            raise NoSuchDead(f"nothing dead by the id {name} can be discarded{SEE}")
    return len(names)


def _all(connection: Connection, ids: Sequence[str]) -> Sequence[str]:
    if "all" not in ids:
        return list(dict.fromkeys(ids))  # named twice, meant once
    return [line["id"] for line in every(connection) if line["chat"] is not None]


def _which(name: str) -> tuple[str, int]:
    kind, digits = ("reply", name[1:]) if name.startswith("r") else ("event", name)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 18):
        raise NoId(f"{name!r} is no id: 12 names an event, r7 a reply, all everything")
    return kind, int(digits)
