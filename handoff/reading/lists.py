"""What the inbox shows: conversations by tab, or as they were searched for; each list is one bounded query."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, select, tuple_

from bot.tables import chat, conversation, customer, message, timer
from handoff import search
from handoff.access import Actor, conversations, team_mates
from handoff.standards import MEASURED
from handoff.tables import agent, handover, seen

TABS: Final = ("mine", "queue", "team", "all", "closed")
SHOWN: Final = 60  # conversations on one page of the inbox

_MARKS: Final = re.compile(r"\*\*|`|^ *(?:#+|[-*]) +", re.MULTILINE)

_last = message.alias("last")
_mine = seen.alias("mine")
_people = message.alias("people")
_spoken = (  # the last words of a person: the bot's and the house's say nothing about who waits
    select(_people.c.seq)
    .where(_people.c.chat_id == chat.c.id, _people.c.author.in_(("customer", "agent")))
    .order_by(_people.c.seq.desc())
    .limit(1)
    .correlate(chat)
    .scalar_subquery()
)
due_at: Final = timer.c.data["due"].as_float()  # when what is promised is missed; the timer goes step by step
warned: Final = timer.c.data["clock"]["told"].as_integer()  # how many of the steps were taken
_clocks = (
    timer.c.subject == "conversation:" + conversation.c.number,
    timer.c.fired_at.is_(None),
    timer.c.kind.in_(MEASURED),
)
DUE = select(func.min(due_at)).where(*_clocks).correlate(conversation).scalar_subquery()
_warned = select(func.max(warned)).where(*_clocks).correlate(conversation).scalar_subquery()


def inbox(connection: Connection, actor: Actor, tab: str, *, before: int = 0, only: str = "") -> list[dict[str, Any]]:
    """The conversations of a tab, most pressing first. ``only``: unread, or a channel's name.

    Which ones is found out first, from what is indexed; only those are then looked at closely.
    """
    after = (before,) if tab == "closed" and before else ()
    found = page(connection, actor, tab, after=after, only=only)
    return sorted(found, key=lambda line: -(line["last_at"] or 0)) if tab in ("mine", "team") else found


def page(
    connection: Connection, actor: Actor, tab: str, *, after: Sequence[float] = (), only: str = "", most: int = SHOWN
) -> list[dict[str, Any]]:
    """The conversations of a tab after the one whose ``place`` this is: the newest first, of the queue the next."""
    picked = select(conversation.c.id).outerjoin(handover, handover.c.conversation_id == conversation.c.id)
    picked = picked.where(conversations(connection, actor), _of(connection, actor, tab))
    if only:
        picked = picked.join(chat, chat.c.id == conversation.c.chat_id)
        picked = picked.where(unread(actor.id) if only == "unread" else chat.c.channel == only)
    order: tuple[Any, ...] = (conversation.c.id.desc(),)
    if tab == "queue":
        order = handover.c.priority, handover.c.waiting_since, conversation.c.id
        if after:
            last = (literal(value, column.type) for value, column in zip(after, order, strict=True))
            picked = picked.where(tuple_(*order) > tuple_(*last))
    elif after:
        picked = picked.where(conversation.c.id < after[-1])
    return lines(connection, actor, connection.scalars(picked.order_by(*order).limit(most)).all())


def place(line: Mapping[str, Any], tab: str) -> tuple[float, ...]:
    """Where a line of a tab stands in it."""
    return (line["priority"], line["waiting_since"], line["id"]) if tab == "queue" else (line["id"],)


def lines(connection: Connection, actor: Actor, ids: Sequence[int]) -> list[dict[str, Any]]:
    """These conversations, as the inbox shows them, in this order; those he may not see are left out."""
    query = _listed(actor).where(conversation.c.id.in_(ids), conversations(connection, actor))
    found = {row.id: _line(row) for row in connection.execute(query)}
    return [found[id] for id in ids if id in found]


def found(connection: Connection, actor: Actor, query: str) -> list[dict[str, Any]]:
    """The conversations in which all the words were said, or that are of such a customer; the newest hit first."""
    newest: dict[int, Any] = {}
    for hit in search.hits(connection, query):
        if hit.conversation_id:
            newest.setdefault(hit.conversation_id, hit)
    its = select(conversation.c.id).outerjoin(handover).where(conversation.c.id.in_(newest))
    his = set(connection.scalars(its.where(conversations(connection, actor))))
    shown = lines(connection, actor, [id for id in newest if id in his][:SHOWN])
    for line in shown:
        hit = newest[line["id"]]
        if hit.kind == "message":
            its = select(message.c.text).where(message.c.chat_id == hit.chat_id, message.c.seq == hit.ref)
            line["snippet"] = around(connection.scalar(its) or "", query)
    return shown


def plain(said: str) -> str:
    """A text on one line, without the signs of its markdown."""
    return " ".join(_MARKS.sub("", said).split())


def around(said: str, query: str) -> tuple[str, str, str]:
    """The part of a text that was looked for: what stands before it, it, and what follows."""
    said = plain(said)
    words = sorted(query.split(), key=len, reverse=True)
    found = next((hit for word in words if (hit := re.search(re.escape(word), said, re.IGNORECASE))), None)
    at, end = found.span() if found else (0, 0)
    start = max(0, at - 16)
    return ("…" if start else "") + said[start:at], said[at:end], said[end : end + 120]


def _of(connection: Connection, actor: Actor, tab: str) -> ColumnElement[bool]:
    match tab:
        case "mine":
            return and_(conversation.c.owner == "agent", conversation.c.agent_id == actor.id)
        case "queue":
            return conversation.c.owner == "queue"
        case "team":
            mates = [id for id in team_mates(connection, actor) if id != actor.id]
            return and_(conversation.c.owner == "agent", conversation.c.agent_id.in_(mates))
        case "closed":
            return conversation.c.owner == "none"
    return conversation.c.owner != "none"


def unread(whose: Any) -> ColumnElement[bool]:
    """Whether the last words of a person in the chat are the customer's, and an agent (an id, or a column of
    ``conversation``) has not seen them."""
    his = select(seen.c.seq).where(seen.c.chat_id == chat.c.id, seen.c.agent_id == whose).correlate(chat, conversation)
    author = select(_people.c.author).where(_people.c.chat_id == chat.c.id, _people.c.seq == _spoken).correlate(chat)
    return and_(author.scalar_subquery() == "customer", func.coalesce(his.scalar_subquery(), 0) < _spoken)


def _listed(actor: Actor) -> Select[Any]:
    columns = (
        *(conversation.c[name] for name in "id number owner agent_id customer_id".split()),
        *(conversation.c[name] for name in "opened_at closed_at close_reason".split()),
        *(
            chat.c.channel,
            chat.c.message_seq,
            chat.c.unreachable,
            chat.c.talk["extra"]["owed"].as_string().label("owed"),
        ),
        *(customer.c.name, customer.c.tier, agent.c.name.label("agent_name")),
        *(handover.c.reason, handover.c.priority, handover.c.waiting_since, handover.c.snoozed_until),
        *(_last.c.seq, _last.c.author, _last.c.text, _last.c.attachments, _last.c.created_at.label("last_at")),
        *(_mine.c.seq.label("read_seq"), DUE.label("due_at"), _warned.label("warned")),
    )
    return (
        select(*columns)
        .join(chat, chat.c.id == conversation.c.chat_id)
        .join(customer, customer.c.id == conversation.c.customer_id)
        .outerjoin(handover, handover.c.conversation_id == conversation.c.id)
        .outerjoin(agent, agent.c.id == conversation.c.agent_id)
        .outerjoin(_last, and_(_last.c.chat_id == chat.c.id, _last.c.seq == _spoken))
        .outerjoin(_mine, and_(_mine.c.chat_id == chat.c.id, _mine.c.agent_id == actor.id))
    )


def _line(row: Any) -> dict[str, Any]:
    line, now = dict(row._mapping), time.time()
    owed = datetime.fromisoformat(row.owed).timestamp() if row.owed and row.owner == "agent" else None
    line["unread"] = row.owner != "none" and row.author == "customer" and (row.read_seq or 0) < row.seq
    line["waiting"] = row.waiting_since or owed
    line["text"] = plain(row.text or "")[:160]
    line["files"] = len(row.attachments or ())
    line["asleep"] = bool(row.snoozed_until and row.snoozed_until > now)
    line["risk"] = risk(row.due_at, row.warned, now)
    return line


def risk(due: float | None, told: int | None, now: float) -> str:
    """How what is promised stands: "late", "soon" once somebody was warned, "" while there is time."""
    if due is None:
        return ""
    return "late" if due < now else "soon" if told else ""
