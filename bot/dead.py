"""What could not be handled or sent: look at it, try it again, or let it go. Ids: ``12`` an event, ``r7`` a reply."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, text, update

from bot.tables import chat, inbox, reply

SEE = "; see `aftercare dead list` (what could not be read has no chat and stays as it is)"


class NoSuchDead(Exception):
    """There is nothing dead by that id."""


class NoId(NoSuchDead):
    """What was given is no id at all."""

    exit_code = 2


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Everything dead, oldest first: {"id", "what", "channel", "chat", "since", "attempts", "error"}."""
    columns = (inbox.c.id, inbox.c.channel, inbox.c.chat_id, inbox.c.done_at, inbox.c.attempts, inbox.c.error)
    events = connection.execute(select(*columns).where(inbox.c.state == "dead").order_by(inbox.c.id))
    found = [_line(str(e.id), "event", e, e.done_at) for e in events]
    own = (reply.c.id, reply.c.channel, reply.c.chat_id, reply.c.created_at, reply.c.attempts, reply.c.error)
    replies = connection.execute(select(*own).where(reply.c.state == "dead").order_by(reply.c.id))
    return found + [_line(f"r{r.id}", "reply", r, r.created_at) for r in replies]


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


def retry(connection: Connection, ids: Sequence[str]) -> int:
    """Let these be handled or sent again from the first try, and count them; raises NoSuchDead: nothing was changed."""
    now, names = time.time(), _all(connection, ids)
    for name in names:
        kind, which = _which(name)
        if kind == "reply":
            again = update(reply).where(reply.c.id == which, reply.c.state == "dead")
            done = connection.execute(again.values(state="waiting", attempts=0, due_at=now, error=None)).rowcount
        else:
            done = _enter_anew(connection, which, now)
        if not done:
            raise NoSuchDead(f"nothing dead by the id {name} can be tried again{SEE}")
    return len(names)


def _enter_anew(connection: Connection, which: int, now: float) -> int:
    """Put a dead event at the end of its chat's line: what came meanwhile was handled before it."""
    dead = inbox.c.id == which, inbox.c.state == "dead", inbox.c.chat_id.is_not(None)
    home = connection.scalar(select(inbox.c.chat_id).where(*dead))
    place = update(chat).where(chat.c.id == home).values(inbox_seq=chat.c.inbox_seq + 1, ready_at=now)
    seq = connection.scalar(place.returning(chat.c.inbox_seq))
    if seq is None:
        return 0
    anew = {"state": "waiting", "seq": seq, "attempts": 0, "ready_at": now, "done_at": None, "error": None}
    return connection.execute(update(inbox).where(*dead).values(**anew)).rowcount


def discard(connection: Connection, ids: Sequence[str]) -> int:
    """Let these go, and count them: they stay on record, silent; raises NoSuchDead: nothing was changed."""
    names = _all(connection, ids)
    for name in names:
        kind, which = _which(name)
        if kind == "reply":
            gone = update(reply).where(reply.c.id == which, reply.c.state == "dead").values(state="withdrawn")
        else:
            gone = update(inbox).where(inbox.c.id == which, inbox.c.state == "dead", inbox.c.chat_id.is_not(None))
            gone = gone.values(state="done", outcome="silent", turn_id=inbox.c.id)
        if not connection.execute(gone).rowcount:
            raise NoSuchDead(f"nothing dead by the id {name} can be discarded{SEE}")
    return len(names)


def _all(connection: Connection, ids: Sequence[str]) -> Sequence[str]:
    if "all" not in ids:
        return list(dict.fromkeys(ids))  # named twice, meant once
    readable = connection.execute(text("SELECT id FROM inbox WHERE state = 'dead' AND chat_id IS NOT NULL ORDER BY id"))
    replies = connection.execute(text("SELECT id FROM reply WHERE state = 'dead'"))
    return [str(i) for (i,) in readable] + [f"r{i}" for (i,) in replies]


def _which(name: str) -> tuple[str, int]:
    kind, digits = ("reply", name[1:]) if name.startswith("r") else ("event", name)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 18):
        raise NoId(f"{name!r} is no id: 12 names an event, r7 a reply, all everything")
    return kind, int(digits)
