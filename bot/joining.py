"""Several waiting replies as one message, where a platform counts the messages that may follow a customer's.

Plain words that wait together are one message at once. Of the last two nothing is wasted: they wait until all that the
customer has said is answered, and then take what waits with buttons, too; the last buttons are kept where they fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from bot.allowance import HIS, unspent
from bot.lanes import WAITING
from bot.messages import Attachment, Choice, Reply
from bot.tables import inbox, reply
from channels import Can

MOST: Final = 20  # replies in one message
THRIFT: Final = 2  # messages left from which on none is sent while more is to be answered
SEAM: Final = "\n\n———\n\n"  # or the list at an answer's end would go on in the next one
BEHIND = (
    select(reply)
    .where(reply.c.channel == bindparam("of"), reply.c.address == bindparam("at"), reply.c.due_at.is_not(None))
    .where(reply.c.id > bindparam("head"))
    .order_by(reply.c.id)
    .limit(MOST - 1)
)


def held(connection: Connection, head: Any, can: Can) -> bool:
    """Whether a reply waits for those to what else the customer has said: few messages are left for all of them."""
    if not can.replies or head.state != "waiting":
        return False
    more = select(inbox.c.received_at).where(inbox.c.chat_id == head.chat_id, WAITING, inbox.c.kind.in_(HIS))
    since = connection.scalar(more.order_by(inbox.c.received_at.desc()).limit(1))
    return since is not None and unspent(connection, head.chat_id, can, since) <= THRIFT


def joined(connection: Connection, head: Any, can: Can, now: float) -> list[Any]:
    """The rows that go out as one message with ``head``, it included: the words that wait behind it. What may have
    arrived goes out again with what it went with, so that the platform knows it again."""
    rows, again = [head], head.state == "uncertain"
    if head.state == "sending" or not can.replies:
        return rows
    fits = _words if not again and unspent(connection, head.chat_id, can) <= THRIFT else _plain
    if not (again or fits(head)):
        return rows
    for row in connection.execute(BEHIND, {"of": head.channel, "at": head.address, "head": head.id}):
        if again:
            goes = row.state == "uncertain" and row.provider_id == going_with(head)
        else:
            goes = row.state == "waiting" and row.due_at <= now and fits(row) and _short([*rows, row], can)
        if not goes:
            break
        rows.append(row)
    return rows


def going_with(head: Any) -> str:
    """What stands in the place of the platform's id as long as a reply is part of another's message."""
    return f"with r{head.id}"


def as_one(rows: Sequence[Any], can: Can) -> Reply:
    """The message."""
    if len(rows) > 1:
        text = SEAM.join(row.body["text"] for row in rows)
        last = next((row.body["choices"] for row in reversed(rows) if row.body["choices"]), ())
        fit = not can.beside_buttons or _length(text, can) <= can.beside_buttons
        return Reply(text, tuple(Choice(**c) for c in last) if fit else ())
    body = rows[0].body
    choices = tuple(Choice(**c) for c in body["choices"])
    files = tuple(Attachment(**a) for a in body["attachments"])
    return Reply(body["text"], choices, files, hand_over=bool(body.get("hand_over")))


def _words(row: Any) -> bool:
    return not (row.body["attachments"] or row.body.get("hand_over"))


def _plain(row: Any) -> bool:
    return _words(row) and not row.body["choices"]


def _short(rows: Sequence[Any], can: Can) -> bool:
    return _length(as_one(rows, can).text, can) <= can.max_text


def _length(text: str, can: Can) -> int:
    from channels.fit import measured  # brings a parser of markdown: only where messages are counted

    return (can.measure or measured(str, can.text_unit))(text)
