"""What is to be sent of what was said: fitted to the place, and to how many messages may still follow there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, or_, select

from bot.lanes import moment
from bot.messages import Author, Kind, Reply
from bot.tables import inbox, message, reply
from channels import Can

GREETING: Final = 1  # messages to a customer who has not written yet: the answer to his opening the chat
SPENT: Final = ("waiting", "sending", "sent", "uncertain")  # states of a reply that uses one up
HIS: Final = (Kind.TEXT.value, Kind.CHOICE.value)  # what a customer has said

Parts = tuple[Reply, ...]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may still be written to a customer until he writes again: how many messages, and until when."""

    left: int
    until: datetime | None  # None: he has not written yet, or time does not matter


def fitted(can: Can, replies: Sequence[Reply], left: int | None = None, more: str = "") -> tuple[Parts, ...]:
    """Of each reply the messages to be sent; none where the channel shows it itself.

    If ``left`` are too few for all of them they become one text, which is shortened and ends with ``more``.
    """
    if can.shows_itself:
        return tuple(() for _ in replies)
    from channels.fit import parts, shorten  # brings a parser of markdown: only where a channel sends

    whole = tuple(parts(one, can, can.measure) for one in replies)
    if left is None or sum(map(len, whole)) <= left:
        return whole
    *before, last = replies
    text = "\n\n".join(filter(None, (one.text for one in replies)))
    files = tuple(file for one in replies for file in one.attachments)
    choices = next((one.choices for one in reversed(replies) if one.choices), ())
    one = Reply(text, choices, files, hand_over=last.hand_over)
    return (*(() for _ in before), shorten(one, can, max(left, 1), more, can.measure))


def allowance(
    connection: Connection, chat_id: int, can: Can, since: float | None = None, *, taken: bool = False
) -> Allowance:
    """What may still be sent to a chat at a place that counts, by its reply rows.

    ``since``: when the customer's last words came, should they not stand among the messages yet. ``taken``: a person
    takes the floor, so that what the bot has said and nobody has begun to send uses nothing up.
    """
    since = _last_words(connection, chat_id) if since is None else since
    spent = _spent(connection, chat_id, can, SPENT, taken=taken)
    if since is None:
        return Allowance(max(0, GREETING - len(spent)), None)
    used = sum(at >= since for at in spent)
    return Allowance(max(0, can.replies - used), moment(since + can.window) if can.window else None)


def unspent(connection: Connection, chat_id: int, can: Can, since: float | None = None) -> int:
    """How many more messages may be begun, those that wait included."""
    since = _last_words(connection, chat_id) if since is None else since
    return can.replies - sum(since is None or at >= since for at in _spent(connection, chat_id, can, SPENT[1:]))


def _last_words(connection: Connection, chat_id: int) -> float | None:
    """When they came: the platform counts from then on, however late they were answered."""
    his = select(func.coalesce(inbox.c.received_at, message.c.created_at))
    his = his.select_from(message).outerjoin(inbox, inbox.c.id == message.c.inbox_id)
    his = his.where(message.c.chat_id == chat_id, message.c.author == "customer")
    came: float | None = connection.scalar(his.order_by(message.c.seq.desc()).limit(1))
    return came


def _spent(
    connection: Connection, chat_id: int, can: Can, states: Collection[str], *, taken: bool = False
) -> list[float]:
    """When each of our last messages was said; several replies may be one message."""
    ours = select(reply.c.id, reply.c.state, reply.c.created_at, reply.c.provider_id)
    ours = ours.where(reply.c.chat_id == chat_id, reply.c.body.is_not(None))
    if taken:
        its = message.c.chat_id == reply.c.chat_id, message.c.seq == reply.c.seq
        by_bot = select(message.c.seq).where(*its, message.c.author == Author.BOT.value).exists()
        ours = ours.where(or_(reply.c.state != "waiting", ~by_bot))
    lately = connection.execute(ours.order_by(reply.c.seq.desc(), reply.c.part_no.desc()).limit(4 * can.replies))
    seen = [one for one in reversed(lately.all()) if one.state in states]
    return [*{one.provider_id or one.id: one.created_at for one in seen}.values()]


def allowances(connection: Connection, wanted: Mapping[int, tuple[Can, float | None, bool]]) -> dict[int, int]:
    """How many messages are left, for several chats."""
    return {
        chat: allowance(connection, chat, can, since, taken=taken).left for chat, (can, since, taken) in wanted.items()
    }
