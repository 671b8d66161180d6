"""One conversation and what belongs to it, read in a few bounded queries."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, and_, func, or_, select, text, update

from bot import dead
from bot.bulk import insert as upsert
from bot.hub import COLUMNS
from bot.tables import chat, conversation, customer, fact, identity, inbox, message, rating, reply, ticket
from handoff import access, sessions
from handoff.access import Actor, audit, conversations, of_chat, tickets
from handoff.lookups import WORKING, presence
from handoff.reading import profiles
from handoff.reading.lists import DUE
from handoff.tables import agent, agent_identity, handover, promise, remark, seen
from handoff.tables import audit as book

PRESENT: Final = 15.0  # seconds an agent counts as looking at a conversation, or typing, after he last said so
MOST: Final = 500  # remarks, or turns of its course, that are read at once
STATE: Final = 8  # of a conversation's marks, those of its head and its panel
COURSE: Final = "'owner', 'closed', 'reopened'"  # the facts an index is kept for: see bot/tables.py


def talk(connection: Connection, actor: Actor, number: str) -> dict[str, Any]:
    """Everything about one conversation but its messages, which come on the stream."""
    columns = (
        *conversation.c,
        *(chat.c.channel, chat.c.address, chat.c.message_seq, chat.c.unreachable, chat.c.talk),
        *(customer.c.name, customer.c.tier, customer.c.known, agent.c.name.label("agent_name")),
        *(handover.c.reason, handover.c.priority, handover.c.wants, handover.c.packet, handover.c.waiting_since),
        *(handover.c.snoozed_until, DUE.label("due_at")),
    )
    query = (
        select(*columns)
        .join(chat, chat.c.id == conversation.c.chat_id)
        .join(customer, customer.c.id == conversation.c.customer_id)
        .outerjoin(handover, handover.c.conversation_id == conversation.c.id)
        .outerjoin(agent, agent.c.id == conversation.c.agent_id)
        .where(conversation.c.number == number)
    )
    row = connection.execute(query).one()
    found = dict(row._mapping)
    found["lang"] = (row.talk or {}).get("language") or "en"
    found["mine"] = row.owner == "agent" and row.agent_id == actor.id
    found["open"] = row.owner != "none"
    found["others"] = others(connection, actor, row.chat_id)
    return found


def address(connection: Connection, number: str) -> str:
    """Where the customer of a conversation or a ticket is."""
    matter = ticket if number.startswith("T-") else conversation
    its = select(chat.c.address).join(matter, matter.c.chat_id == chat.c.id)
    return str(connection.scalar(its.where(matter.c.number == number)) or "")


def beside(connection: Connection, actor: Actor, here: dict[str, Any]) -> dict[str, Any]:
    """What the panel beside a conversation shows: the customer, what he has, and what was promised to him."""
    who = here["customer_id"]
    identities = connection.execute(select(identity.c.channel, identity.c.sender).where(identity.c.customer_id == who))
    past = (
        select(conversation.c.number, conversation.c.opened_at, conversation.c.owner, conversation.c.close_reason)
        .add_columns(rating.c.score)
        .outerjoin(handover)
        .outerjoin(rating, and_(rating.c.conversation_id == conversation.c.id, rating.c.cycle == conversation.c.cycle))
        .where(conversation.c.customer_id == who, conversation.c.id != here["id"], conversations(connection, actor))
        .order_by(conversation.c.id.desc())
        .limit(8)
    )
    own = select(ticket).where(ticket.c.customer_id == who, tickets(connection, actor))
    open_first = own.order_by(ticket.c.closed_at.is_not(None), ticket.c.id.desc()).limit(8)
    kept = select(promise, agent.c.name.label("agent_name")).join(agent).where(promise.c.customer_id == who)
    if here["id"]:  # beside a conversation only what still matters there
        kept = kept.where(or_(promise.c.state == "open", promise.c.conversation_id == here["id"]))
    return {
        "notes": profiles.notes(connection, who),
        "products": profiles.products(connection, who),
        "identities": identities.all(),
        "history": connection.execute(past).all(),
        "tickets": connection.execute(open_first).all(),
        "promises": connection.execute(kept.order_by(promise.c.state != "open", promise.c.due_at).limit(8)).all(),
    }


def others(connection: Connection, actor: Actor, chat_id: int) -> list[dict[str, Any]]:
    """Colleagues who are looking at this chat now, and whether they type."""
    return [one for one in present(connection, [chat_id]).get(chat_id, ()) if one["id"] != actor.id]


def present(connection: Connection, chat_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Whoever is looking at each of these chats now, by name, and whether he types."""
    since = time.time() - PRESENT
    here = select(seen.c.chat_id, agent.c.id, agent.c.name, seen.c.typing_at).join(agent, agent.c.id == seen.c.agent_id)
    found: dict[int, list[dict[str, Any]]] = {}
    there = here.where(seen.c.chat_id.in_(chat_ids), seen.c.looking_at > since)
    for row in connection.execute(there.order_by(agent.c.name)):
        who = {"id": row.id, "name": row.name, "typing": bool(row.typing_at and row.typing_at > since)}
        found.setdefault(row.chat_id, []).append(who)
    return found


def beginning(connection: Connection, chat_id: int, before: int, most: int) -> int:
    """The seq before the first of the last ``most`` messages that stand before ``before`` (0: the end)."""
    query = select(message.c.seq).where(message.c.chat_id == chat_id)
    query = query.where(message.c.seq < before) if before else query
    first = connection.execute(query.order_by(message.c.seq.desc()).limit(most)).scalars().all()
    return min(first, default=1) - 1


def older(
    connection: Connection, actor: Actor, chat_id: int, before: int, most: int, of: int = 0
) -> list[dict[str, Any]]:
    """Messages that he may see and that stand before one, oldest first, as rows; ``of`` one conversation alone."""
    query = select(*COLUMNS).where(message.c.chat_id == chat_id, message.c.seq < before)
    query = query.where(message.c.conversation_id == of) if of else query
    query = query.where(of_chat(connection, actor, chat_id))
    rows = connection.execute(query.order_by(message.c.seq.desc()).limit(most)).all()
    return [dict(row._mapping) for row in reversed(rows)]


def hidden(connection: Connection, actor: Actor, chat_id: int, seqs: list[int]) -> set[int]:
    """Which of a chat's messages belong to conversations that he may not see."""
    if actor.sees_all or not seqs:
        return set()
    query = select(message.c.seq).where(message.c.chat_id == chat_id, message.c.seq.in_(seqs))
    return set(seqs) - set(connection.scalars(query.where(of_chat(connection, actor, chat_id))))


def beats(connection: Connection, conversation_id: int, after: dict[str, int]) -> dict[str, Any]:
    """What happened besides messages since these ids: remarks, and what became of the conversation; oldest first."""
    noted = select(remark, agent.c.name.label("agent_name")).join(agent)
    noted = noted.where(remark.c.conversation_id == conversation_id, remark.c.id > after["remark"])
    course = select(fact.c.id, fact.c.at, fact.c.kind, fact.c.data).where(text(f"fact.kind IN ({COURSE})"))
    course = course.where(fact.c.conversation_id == conversation_id, fact.c.id > after["deed"])
    return {
        "remarks": connection.execute(noted.order_by(remark.c.id).limit(MOST)).all(),
        "deeds": [_deed(connection, row) for row in connection.execute(course.order_by(fact.c.id).limit(MOST))],
    }


def _deed(connection: Connection, row: Any) -> dict[str, Any]:
    """A turn in the conversation's course: who has it now and why, or that it was closed or opened again."""
    which, what = row.data.get("agent"), row.data.get("owner") if row.kind == "owner" else row.kind
    name = connection.scalar(select(agent.c.name).where(agent.c.id == which)) if which else ""
    return {"id": row.id, "at": row.at, "what": what, "who": name or "", "reason": row.data.get("reason", "")}


def marks(connection: Connection, ids: Collection[int]) -> dict[int, tuple[Any, ...]]:
    """For each of these conversations, values that differ when anything of it that a page shows has changed; the
    first STATE of them when its head or its panel has something new."""

    def of(what: Any, table: Any, *also: Any) -> Any:
        its = select(what).select_from(table).where(table.c.conversation_id == conversation.c.id, *also)
        return its.correlate(conversation).scalar_subquery()

    course = text(f"fact.kind IN ({COURSE})")
    state = (
        *(conversation.c.owner, conversation.c.epoch, conversation.c.agent_id, handover.c.snoozed_until),
        *(of(func.count(), ticket), of(func.sum(ticket.c.epoch), ticket)),
        *(of(func.count(), promise), of(func.count(promise.c.ended_at), promise)),
    )
    newest = chat.c.message_seq, of(func.max(remark.c.id), remark), of(func.max(fact.c.id), fact, course)
    query = select(conversation.c.id, *state, *newest).join(chat, chat.c.id == conversation.c.chat_id)
    query = query.outerjoin(handover, handover.c.conversation_id == conversation.c.id)
    return {row[0]: tuple(row[1:]) for row in connection.execute(query.where(conversation.c.id.in_(ids)))}


def visible(connection: Connection, actor: Actor, ids: Collection[int]) -> set[int]:
    """Which of these conversations he may see."""
    its = select(conversation.c.id).outerjoin(handover).where(conversation.c.id.in_(ids))
    return set(connection.scalars(its.where(conversations(connection, actor))))


def delivery(connection: Connection, chat_id: int, after: int) -> dict[int, dict[str, Any]]:
    """What became of each message sent after a seq: the worst state of its parts, and why it failed."""
    ranks = {"sent": 0, "withdrawn": 1, "waiting": 2, "sending": 3, "uncertain": 4, "dead": 5}
    columns = (reply.c.id, reply.c.seq, reply.c.state, reply.c.error)
    found: dict[int, dict[str, Any]] = {}
    for row in connection.execute(select(*columns).where(reply.c.chat_id == chat_id, reply.c.seq > after)):
        if row.seq not in found or ranks[row.state] > ranks[found[row.seq]["state"]]:
            found[row.seq] = {"state": row.state, "error": row.error or "", "reply": row.id}
    return found


def dead_reply(connection: Connection, conversation_id: int, reply_id: int) -> bool:
    """Whether this is a reply of the conversation's chat that failed."""
    its = select(reply.c.id).join(conversation, conversation.c.chat_id == reply.c.chat_id)
    query = its.where(conversation.c.id == conversation_id, reply.c.id == reply_id, reply.c.state == "dead")
    return connection.scalar(query) is not None


def digest(connection: Connection) -> tuple[Any, ...]:
    """Numbers that differ when anything a list shows may have changed; cheap enough for every second."""
    newest = [select(func.max(t.c.id)).scalar_subquery() for t in (inbox, fact, remark, book)]
    done = select(func.max(inbox.c.done_at)).where(inbox.c.id > select(func.max(inbox.c.id)).scalar_subquery() - 200)
    return tuple(connection.execute(select(*newest, done.scalar_subquery())).one())


def colleagues(connection: Connection) -> list[Any]:
    """Whoever a conversation can be given to, by name."""
    load = select(func.count()).where(conversation.c.owner == "agent", conversation.c.agent_id == agent.c.id)
    now = presence(time.time()).label("presence")
    columns = (agent.c.id, agent.c.name, agent.c.role, agent.c.teams, agent.c.capacity, now)
    at_a_desk = select(agent_identity.c.agent_id).where(agent_identity.c.agent_id == agent.c.id).exists()
    can_work = or_(agent.c.password != "", at_a_desk)  # who has not come yet is given nothing
    there = agent.c.disabled_at.is_(None), agent.c.role.in_(WORKING), can_work
    query = select(*columns, load.correlate(agent).scalar_subquery().label("load")).where(*there)
    return list(connection.execute(query.order_by(agent.c.name)))


def names(connection: Connection) -> dict[int, str]:
    """What everybody who ever worked here is called, by id."""
    return {row.id: row.name for row in connection.execute(select(agent.c.id, agent.c.name))}


def look(
    connection: Connection, actor: Actor, here: dict[str, Any], seq: int, *, looking: bool = True, typing: bool = False
) -> None:
    """He has read this talk as far as ``seq``, and says whether he looks at it, or types, just now."""
    now = time.time()
    row = {"looking_at": now if looking else None, "typing_at": now if typing else None}
    read = min(seq, here["message_seq"])
    new = upsert(seen).values(agent_id=actor.id, chat_id=here["chat_id"], seq=read, **row)
    connection.execute(new.on_conflict_do_update(index_elements=["agent_id", "chat_id"], set_=row))
    further = seen.c.agent_id == actor.id, seen.c.chat_id == here["chat_id"], seen.c.seq < read
    connection.execute(update(seen).where(*further).values(seq=read))
    sessions.there(connection, actor)


def resend(connection: Connection, actor: Actor, number: str, reply_id: int) -> None:
    """Send a failed message of a conversation once more. Raises dead.NoSuchDead."""
    here = talk(connection, actor, number)
    if not dead_reply(connection, here["id"], reply_id):
        raise dead.NoSuchDead("there is nothing of this conversation to be sent again")
    dead.retry(connection, [f"r{reply_id}"], access.dead(connection, actor))
    audit(connection, actor, "retried", f"conversation:{number}", {"reply": reply_id})
