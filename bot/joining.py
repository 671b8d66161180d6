"""Several waiting replies as one message, where a platform counts the messages that may follow a customer's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from bot.messages import Attachment, Choice, Reply
from bot.tables import reply
from channels import Can

MOST: Final = 20  # replies in one message
SEAM: Final = "\n\n———\n\n"  # or the list at an answer's end would go on in the next one
BEHIND = (
    select(reply)
    .where(reply.c.channel == bindparam("of"), reply.c.address == bindparam("at"), reply.c.due_at.is_not(None))
    .where(reply.c.id > bindparam("head"))
    .order_by(reply.c.id)
    .limit(MOST - 1)
)


def joined(connection: Connection, head: Any, can: Can, now: float) -> list[Any]:
    """The rows that go out as one message with ``head``, it included: the plain words that wait behind it. What may
    have arrived goes out again with what it went with, so that the platform knows it again."""
    rows = [head]
    if head.state == "sending" or not (can.replies and _plain(head)):
        return rows
    for row in connection.execute(BEHIND, {"of": head.channel, "at": head.address, "head": head.id}):
        if head.state == "uncertain":
            fits = row.state == "uncertain" and row.provider_id == going_with(head)
        else:
            fits = row.state == "waiting" and row.due_at <= now and _plain(row) and _short([*rows, row], can)
        if not fits:
            break
        rows.append(row)
    return rows


def going_with(head: Any) -> str:
    """What stands in the place of the platform's id as long as a reply is part of another's message."""
    return f"with r{head.id}"


def as_one(rows: Sequence[Any]) -> Reply:
    """The message."""
    if len(rows) > 1:
        return Reply(SEAM.join(row.body["text"] for row in rows))
    body = rows[0].body
    choices = tuple(Choice(**c) for c in body["choices"])
    files = tuple(Attachment(**a) for a in body["attachments"])
    return Reply(body["text"], choices, files, hand_over=bool(body.get("hand_over")))


def _plain(row: Any) -> bool:
    body = row.body
    return not (body["choices"] or body["attachments"] or body.get("hand_over"))


def _short(rows: Sequence[Any], can: Can) -> bool:
    from channels.fit import measured  # brings a parser of markdown: only where messages are counted

    return (can.measure or measured(str, can.text_unit))(as_one(rows).text) <= can.max_text
