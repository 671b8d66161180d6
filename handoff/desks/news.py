"""What a desk has not yet been told of its conversations: read from what is kept, after a mark for each stream."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, func, literal_column, or_, select, text, update

from bot.allowance import allowance
from bot.bulk import insert
from bot.inbox import attachments
from bot.messages import Attachment
from bot.tables import chat, conversation, customer, fact, inbox, message, reply
from channels import Can
from handoff.desks import rendering, words
from handoff.desks.rendering import Item, say, spoken, verbatim
from handoff.recording import CLAIMED
from handoff.tables import alarm, desk_place, handover, remark

SAID: Final = "said"  # in a command's key: the words were typed in the thread itself, where everybody sees them
MOST: Final = 50  # of one stream at once
PICTURES: Final = 5  # of what the customer sent before
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


def threads(connection: Connection, desk: str) -> list[Thread]:
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


# ---------------------------------------------------------------- marks


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
    known = {str(one.seq): _mark_of(one) for one in connection.execute(_his(row.id))}
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


# ---------------------------------------------------------------- what there is to tell


def items(connection: Connection, desk: str, one: Thread, lang: str, can: Can) -> tuple[list[Item], bool]:
    """What is to be told, in the order in which it happened; and whether something sent is still on its way."""
    people = words.people(connection, desk)
    names = {id: name for id, (_, name) in people.items()}
    found = [
        *_messages(connection, desk, one, lang, names),
        *_remarks(connection, one, lang, names),
        *_course(connection, one, lang, people),  # last of what happened at once: buttons end a post
        *_alarms(connection, one, lang),
    ]
    found.sort(key=lambda item: item.at)
    found += _changes(connection, one, lang)
    sent, waiting = _delivered(connection, one, lang)
    found += sent
    if can.replies and any(item.spent for item in found):
        found.append(Item(say(lang, "left", n=allowance(connection, one.chat_id, can).left)))
    return found, waiting


def _messages(connection: Connection, desk: str, one: Thread, lang: str, names: Mapping[int, str]) -> Iterator[Item]:
    its = select(message, inbox.c.dedup_key).outerjoin(inbox, inbox.c.id == message.c.inbox_id)
    its = its.where(message.c.chat_id == one.chat_id, message.c.seq > one.shown["seq"])
    rows = connection.execute(its.where(message.c.conversation_id == one.conversation).order_by(message.c.seq)).all()
    known = dict(one.shown["words"])
    for row in rows[:MOST]:
        mark: dict[str, Any] = {"seq": row.seq}
        if row.author == "customer":
            known = dict([*known.items(), (str(row.seq), _mark_of(row))][-CHANGED:])
            mark["words"] = known
        here = row.author == "agent" and f":desk:{desk}:" in (row.dedup_key or "")
        if here and f":desk:{desk}:{SAID}:" in row.dedup_key:
            yield Item("", mark=mark, at=row.created_at, spent=True)
            continue
        files = attachments({"attachments": row.attachments or ()})
        said = spoken(dict(row._mapping), lang, one.customer, names, here=here) if row.text or not files else ""
        spent = row.author == "agent"
        yield from _pieces(said, files, mark, row.created_at, spent=spent)


def _pieces(
    said: str, files: tuple[Attachment, ...], mark: Mapping[str, Any], at: float, *, spent: bool = False
) -> Iterator[Item]:
    """Words and one file to each post; all of it is told when the last is."""
    yield Item(said, files[:1], mark=mark if len(files) < 2 else {}, at=at, spent=spent)
    for n, file in enumerate(files[1:], 2):
        yield Item("", (file,), mark=mark if n == len(files) else {}, at=at)


def _course(connection: Connection, one: Thread, lang: str, people: Mapping[int, tuple[str, str]]) -> Iterator[Item]:
    its = select(fact.c.id, fact.c.at, fact.c.kind, fact.c.data).where(fact.c.conversation_id == one.conversation)
    rows = connection.execute(its.where(text(COURSE), fact.c.id > one.shown["fact"]).order_by(fact.c.id).limit(MOST))
    for row in rows:
        said, choices = rendering.course(row.data, row.kind, lang, people)
        yield Item(said, choices=choices, mark={"fact": row.id}, at=row.at)


def _remarks(connection: Connection, one: Thread, lang: str, names: Mapping[int, str]) -> Iterator[Item]:
    its = select(remark).where(remark.c.conversation_id == one.conversation, remark.c.id > one.shown["remark"])
    for row in connection.execute(its.order_by(remark.c.id).limit(MOST)):
        who = verbatim(names.get(row.agent_id, "?"))
        files = attachments({"attachments": row.attachments or ()})
        said = say(lang, "note", name=who, text=verbatim(row.text))
        yield from _pieces(said, files, {"remark": row.id}, row.created_at)


def _alarms(connection: Connection, one: Thread, lang: str) -> Iterator[Item]:
    its = select(alarm).where(alarm.c.conversation_id == one.conversation, alarm.c.id > one.shown["alarm"])
    for row in connection.execute(its.order_by(alarm.c.id).limit(MOST)):
        known = f"alarm.{row.kind}" in rendering.TEXTS[lang]
        said = say(lang, "alarm", what=say(lang, f"alarm.{row.kind}"), text=verbatim(row.text)) if known else ""
        yield Item(said, mark={"alarm": row.id}, at=row.at)


def pictures(connection: Connection, one: Thread) -> tuple[Attachment, ...]:
    """The latest files the customer sent before there was a thread."""
    rows = connection.execute(_his(one.conversation)).all()
    found = [file for row in rows if row.seq <= one.shown["seq"] for file in row.attachments or ()]
    return attachments({"attachments": found[:PICTURES]})


def _his(which: int) -> Any:
    his = select(message).where(message.c.conversation_id == which, message.c.author == "customer")
    return his.order_by(message.c.seq.desc()).limit(CHANGED)


def _changes(connection: Connection, one: Thread, lang: str) -> Iterator[Item]:
    """The customer's messages that were told and say something else now."""
    known = dict(one.shown["words"])
    name = verbatim(one.customer or say(lang, "somebody"))
    for row in reversed(connection.execute(_his(one.conversation)).all()):
        if row.seq > one.shown["seq"] or known.get(str(row.seq)) in (None, _mark_of(row)):
            continue
        known = {**known, str(row.seq): _mark_of(row)}
        said = say(lang, "edited", name=name, text=verbatim(row.text)) if row.text else say(lang, "deleted", name=name)
        yield Item(said, mark={"words": known})


def _mark_of(row: Any) -> str:
    return hashlib.blake2b(row.text.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _delivered(connection: Connection, one: Thread, lang: str) -> tuple[list[Item], bool]:
    """What became of the agents' messages, told where they failed or nobody knows; and whether any is on its way."""
    found = list(_lost(connection, one, lang))
    after = _sent(one).where(reply.c.seq > one.shown["settled"]).order_by(reply.c.seq, reply.c.part_no)
    for row in connection.execute(after).all():
        if row.due_at is not None or row.state == "sending":
            return [item for item in found if item.mark.get("settled", 0) < row.seq], True
        unsure = say(lang, "uncertain", text=_short(row.text)) if row.state == "uncertain" else ""
        found.append(Item(unsure, mark={"settled": row.seq}))
    return found, False


def _lost(connection: Connection, one: Thread, lang: str) -> Iterator[Item]:
    """What did not arrive; a platform may say so long after it took it."""
    known = list(one.shown["dead"])
    for row in connection.execute(_sent(one).where(DEAD).order_by(reply.c.seq.desc()).limit(MOST)).all():
        if row.seq not in known:
            known = [*known, row.seq][-MOST:]
            yield Item(say(lang, "dead", text=_short(row.text), why=verbatim(row.error or "?")), mark={"dead": known})


def _sent(one: Thread) -> Any:
    its = select(message.c.seq, message.c.text, reply.c.state, reply.c.due_at, reply.c.error).join(
        message, and_(message.c.chat_id == reply.c.chat_id, message.c.seq == reply.c.seq)
    )
    ours = message.c.author == "agent", message.c.conversation_id == one.conversation
    return its.where(reply.c.chat_id == one.chat_id, reply.c.channel == one.channel, *ours)


def _short(text: str) -> str:
    return verbatim(rendering.clipped(text, 100))
