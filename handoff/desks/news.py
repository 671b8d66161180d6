"""What a desk has not yet been told of its conversations: read from what is kept, after a mark for each stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, and_, select, text

from bot.allowance import allowance
from bot.inbox import attachments
from bot.messages import Attachment
from bot.tables import fact, inbox, message, reply
from channels import Can
from handoff.desks import rendering, words
from handoff.desks.rendering import Item, say, spoken, verbatim
from handoff.desks.threads import CHANGED, COURSE, DEAD, Thread, digest, latest_words
from handoff.tables import alarm, remark

SAID: Final = "said"  # in a command's key: the words were typed in the thread itself, where everybody sees them
MOST: Final = 50  # of one stream at once
PICTURES: Final = 5  # of what the customer sent before


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
            known = dict([*known.items(), (str(row.seq), digest(row))][-CHANGED:])
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
    rows = connection.execute(latest_words(one.conversation)).all()
    found = [file for row in rows if row.seq <= one.shown["seq"] for file in row.attachments or ()]
    return attachments({"attachments": found[:PICTURES]})


def _changes(connection: Connection, one: Thread, lang: str) -> Iterator[Item]:
    """The customer's messages that were told and say something else now."""
    known = dict(one.shown["words"])
    name = verbatim(one.customer or say(lang, "somebody"))
    for row in reversed(connection.execute(latest_words(one.conversation)).all()):
        if row.seq > one.shown["seq"] or known.get(str(row.seq)) in (None, digest(row)):
            continue
        known = {**known, str(row.seq): digest(row)}
        said = say(lang, "edited", name=name, text=verbatim(row.text)) if row.text else say(lang, "deleted", name=name)
        yield Item(said, mark={"words": known})


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
