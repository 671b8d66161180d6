"""The threads a desk has of its conversations: which are wanted, which may have news, how far each has been told."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, func, literal_column, or_, select, text, update

from bot.bulk import insert
from bot.tables import chat, conversation, customer, fact, message, reply
from handoff.recording import CLAIMED
from handoff.tables import alarm, desk_place, handover, remark

MOST: Final = 50  # threads opened at once
CHANGED: Final = 30  # of the customer's latest messages are looked at for changes
COURSE: Final = "fact.kind IN ('owner', 'closed', 'reopened')"  # in the words of its index
DEAD: Final = reply.c.state == literal_column("'dead'")  # likewise
_FAILED: Final = select(func.count()).select_from(reply).where(DEAD).scalar_subquery()
_PEOPLE: Final = text(  # by the small indexes of what is open, whatever the history
    "conversation.id IN (SELECT id FROM conversation WHERE owner = 'agent' "
    "UNION SELECT conversation_id FROM handover WHERE waiting_since IS NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation and where the desk has it."""

    conversation: int
    number: str
    thread: str  # its address
    shown: Mapping[str, Any]
    chat_id: int
    channel: str  # the customer's …
    address: str  # … and where he is on it
    customer: str
    owner: str
    state: tuple[Any, ...]  # differs when something may have happened
    busy: bool  # something is being recorded just now


def wanted(connection: Connection, desk: str) -> list[str]:
    """The conversations that were handed over and have no thread yet, the first first."""
    place = and_(desk_place.c.conversation_id == conversation.c.id, desk_place.c.channel == desk)
    its = select(conversation.c.number).join(handover, handover.c.conversation_id == conversation.c.id)
    its = its.outerjoin(desk_place, place).where(_PEOPLE, desk_place.c.conversation_id.is_(None))
    fresh = its.where(or_(handover.c.reason != CLAIMED, conversation.c.owner == "queue"))
    return list(connection.scalars(fresh.order_by(handover.c.priority, conversation.c.id).limit(MOST)))


def asleep(connection: Connection, desk: str) -> list[int]:
    """The conversations with a thread that were closed and are with people again."""
    again = select(conversation.c.id).join(handover, handover.c.conversation_id == conversation.c.id)
    again = again.join(desk_place, desk_place.c.conversation_id == conversation.c.id)
    return list(connection.scalars(again.where(desk_place.c.channel == desk, ~desk_place.c.live, _PEOPLE)))


def revive(connection: Connection, desk: str) -> None:
    """Look at the threads of these conversations again."""
    its = desk_place.c.channel == desk, desk_place.c.conversation_id.in_(asleep(connection, desk))
    connection.execute(update(desk_place).where(*its).values(live=True))


def live(connection: Connection, desk: str) -> list[Thread]:
    """All threads in which something may have to be told."""
    columns = conversation.c.number, conversation.c.owner, conversation.c.epoch, conversation.c.chat_id
    there = chat.c.channel, chat.c.address, chat.c.inbox_seq, chat.c.fence, chat.c.message_seq, chat.c.lease_holder
    rows = connection.execute(
        select(desk_place.c.conversation_id, desk_place.c.address.label("thread"), desk_place.c.shown, *columns, *there)
        .add_columns(customer.c.name, _FAILED.label("failed"))
        .join(conversation, conversation.c.id == desk_place.c.conversation_id)
        .join(chat, chat.c.id == conversation.c.chat_id)
        .join(customer, customer.c.id == conversation.c.customer_id)
        .where(desk_place.c.channel == desk, desk_place.c.live)
        .order_by(desk_place.c.conversation_id)
    )
    return [
        Thread(
            conversation=row.conversation_id,
            number=row.number,
            thread=row.thread,
            shown=row.shown,
            chat_id=row.chat_id,
            channel=row.channel,
            address=row.address,
            customer=row.name,
            owner=row.owner,
            state=(row.inbox_seq, row.fence, row.message_seq, row.epoch, row.failed),
            busy=row.lease_holder is not None,
        )
        for row in rows
    ]


# ---------------------------------------------------------------- how far they have been told


def begin(connection: Connection, desk: str, number: str, thread: str, mark: Mapping[str, Any]) -> None:
    """Write down a conversation's thread, in which all before ``mark`` has been told."""
    its = select(conversation.c.id).where(conversation.c.number == number)
    row = {"conversation_id": connection.scalar(its), "channel": desk, "address": thread, "shown": dict(mark)}
    new = insert(desk_place).values(row)
    same = ["conversation_id", "channel"]
    connection.execute(new.on_conflict_do_update(index_elements=same, set_={"address": thread, "live": True}))


def mark(connection: Connection, number: str) -> dict[str, Any]:
    """Where each stream of a conversation ends now: what the packet tells is not told again."""
    row = connection.execute(
        select(conversation.c.id, chat.c.message_seq, chat.c.id.label("chat_id"))
        .join(chat, chat.c.id == conversation.c.chat_id)
        .where(conversation.c.number == number)
    ).one()
    ends = {name: connection.scalar(_last(name, row.id)) or 0 for name in ("remark", "fact", "alarm")}
    known = {str(one.seq): digest(one) for one in connection.execute(latest_words(row.id))}
    return {
        **ends,
        "seq": row.message_seq,
        "settled": row.message_seq,
        "words": known,
        "dead": [],
        "packet": False,
        "at": time.time(),
    }


def _last(stream: str, which: int) -> Any:
    table = {"remark": remark, "fact": fact, "alarm": alarm}[stream]
    its = select(func.max(table.c.id)).where(table.c.conversation_id == which)
    return its.where(text(COURSE)) if stream == "fact" else its


def told(connection: Connection, desk: str, one: Thread, mark: Mapping[str, Any]) -> None:
    """Write down how far the thread has been told."""
    its = desk_place.c.conversation_id == one.conversation, desk_place.c.channel == desk
    connection.execute(update(desk_place).where(*its).values(shown=dict(mark)))


def rest(connection: Connection, desk: str, one: Thread) -> None:
    """Look at the thread no more if its conversation is closed; all of it has been told."""
    its = desk_place.c.conversation_id == one.conversation, desk_place.c.channel == desk
    over = select(conversation.c.id).where(conversation.c.id == one.conversation, conversation.c.owner == "none")
    connection.execute(update(desk_place).where(*its, over.exists()).values(live=False))


def lost(connection: Connection, desk: str, one: Thread) -> None:
    """Forget a thread that was deleted: the conversation gets another one."""
    connection.execute(
        desk_place.delete().where(desk_place.c.conversation_id == one.conversation, desk_place.c.channel == desk)
    )


def latest_words(which: int) -> Any:
    """The customer's latest messages in a conversation, the last first."""
    his = select(message).where(message.c.conversation_id == which, message.c.author == "customer")
    return his.order_by(message.c.seq.desc()).limit(CHANGED)


def digest(row: Any) -> str:
    """By which a message is known to say the same as before."""
    return hashlib.blake2b(row.text.encode("utf-8", "replace"), digest_size=6).hexdigest()
