"""Who may do what: one place says yes or no to people, whatever way they come, and keeps the book of what they did."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, insert, or_, select, true

from bot.dead import ALL, Scope
from bot.tables import conversation, customer, inbox, message, reply, ticket
from handoff.tables import agent, handover
from handoff.tables import audit as book

ROLES: Final = ("agent", "supervisor", "admin", "auditor")
_ALL: Final = frozenset(ROLES)
_WORK: Final = frozenset({"agent", "supervisor", "admin"})
_LEAD: Final = frozenset({"supervisor", "admin"})
_LOOK: Final = frozenset({"supervisor", "admin", "auditor"})

RULES: Final[dict[str, frozenset[str]]] = {  # what can be done -> the roles that may
    "self": _ALL,  # one's own password, presence and session
    "inbox.read": _ALL,
    "conversation.read": _ALL,
    "conversation.command": _WORK,
    "ticket.read": _ALL,
    "ticket.command": _WORK,
    "customer.read": _ALL,
    "customer.command": _WORK,
    "customer.tier": _LEAD,
    "alarm.read": _ALL,
    "alarm.command": _WORK,
    "wall.read": _LOOK,
    "dead.read": _LOOK,
    "dead.command": _LEAD,
    "faq.read": _ALL,
    "settings.read": frozenset({"admin", "auditor"}),
    "account.read": _LOOK,
    "account.command": frozenset({"admin"}),
    "audit.read": frozenset({"admin", "auditor"}),
}


class Denied(Exception):
    """This role may not do that."""

    def __init__(self, said: str = "your role may not do that") -> None:
        super().__init__(said)


class NotFound(Denied):
    """There is no such thing, or it is another team's: outsiders cannot tell which."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts, as the rules see him. ``scopes``: of an API token, the actions it may; else empty."""

    id: int
    name: str
    role: str
    teams: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    via: str = "console"  # console, api, command line, or the channel of a desk
    token: str = ""  # the name of the integration that acts for him

    @property
    def sees_all(self) -> bool:
        """Whether no team limits him: admins, auditors, and supervisors of the whole house."""
        return self.role in ("admin", "auditor") or (self.role == "supervisor" and not self.teams)


def allowed(actor: Actor, action: str) -> bool:
    """Whether somebody of this role, or with this token, may do such a thing at all. An unknown action is a slip."""
    return actor.role in RULES[action] and (actor.via != "api" or action in actor.scopes)


def require(connection: Connection, actor: Actor, id: str, action: str) -> None:
    """Let the actor do ``action`` to the conversation or ticket with this number ("" where there is none).

    Raises Denied when his role does not allow it, NotFound when that one is not his to see.
    """
    if not allowed(actor, action):
        raise Denied
    if id and (find := _FIND.get(action.split(".")[0])):
        find(connection, actor, id)


def _conversation(connection: Connection, actor: Actor, number: str) -> None:
    its = select(conversation.c.id).outerjoin(handover).where(conversation.c.number == number)
    if connection.scalar(its.where(conversations(connection, actor))) is None:
        raise NotFound("there is no such conversation")


def _ticket(connection: Connection, actor: Actor, number: str) -> None:
    its = select(ticket.c.id).where(ticket.c.number == number)
    if connection.scalar(its.where(tickets(connection, actor))) is None:
        raise NotFound("there is no such ticket")


def _customer(connection: Connection, actor: Actor, id: str) -> None:
    which = int(id) if id.isascii() and id.isdecimal() and len(id) <= 15 else 0
    its = select(customer.c.id).where(customer.c.id == which)
    if connection.scalar(its.where(customers(connection, actor))) is None:
        raise NotFound("there is no such customer")


_FIND: Final[dict[str, Callable[[Connection, Actor, str], None]]] = {
    "conversation": _conversation,
    "ticket": _ticket,
    "customer": _customer,
}


def conversations(connection: Connection, actor: Actor) -> ColumnElement[bool]:
    """The conversations he may see, for a query that has ``conversation`` outer-joined to ``handover``.

    His own, his team's colleagues', and those nobody has that are wanted of his team or of none in particular.
    """
    if actor.sees_all:
        return true()
    colleagues = conversation.c.agent_id.in_(team_mates(connection, actor))
    return or_(colleagues, and_(conversation.c.agent_id.is_(None), wanted(actor)))


def of_chat(connection: Connection, actor: Actor, chat_id: int) -> ColumnElement[bool]:
    """The messages of a chat that he may see: those of his conversations in it, and of none."""
    if actor.sees_all:
        return true()
    his = select(conversation.c.id).outerjoin(handover).where(conversation.c.chat_id == chat_id)
    his = his.where(conversations(connection, actor))
    return or_(message.c.conversation_id.is_(None), message.c.conversation_id.in_(his))


def wanted(actor: Actor) -> ColumnElement[bool]:
    """The rows of ``handover`` that are wanted of his team, or of none in particular."""
    if actor.sees_all:
        return true()
    team = handover.c.wants["team"].as_string()
    return or_(team.is_(None), team == "", team.in_(sorted(actor.teams)))


def tickets(connection: Connection, actor: Actor) -> ColumnElement[bool]:
    """The tickets he may see, for a query on ``ticket``: ``owner`` may be ``team:NAME``."""
    if actor.sees_all:
        return true()
    teams = [f"team:{name}" for name in sorted(actor.teams)]
    free = or_(ticket.c.owner.not_like("team:%"), ticket.c.owner.in_(teams))
    return or_(ticket.c.agent_id.in_(team_mates(connection, actor)), and_(ticket.c.agent_id.is_(None), free))


def customers(connection: Connection, actor: Actor) -> ColumnElement[bool]:
    """The customers he may see, for a query on ``customer``: those of whom he may see a conversation or a ticket."""
    if actor.sees_all:
        return true()
    talked = select(conversation.c.id).outerjoin(handover).where(conversation.c.customer_id == customer.c.id)
    owed = select(ticket.c.id).where(ticket.c.customer_id == customer.c.id)
    return or_(
        talked.where(conversations(connection, actor)).correlate(customer).exists(),
        owed.where(tickets(connection, actor)).correlate(customer).exists(),
    )


def dead(connection: Connection, actor: Actor) -> Scope:
    """What could not be handled or sent and is his to see: of his conversations, and of none.

    An event whose words stand nowhere yet belongs where its chat is now.
    """
    if actor.sees_all:
        return ALL
    heard = select(func.max(message.c.conversation_id)).correlate(inbox)
    heard = heard.where(message.c.chat_id == inbox.c.chat_id, message.c.inbox_id == inbox.c.id)
    said = select(message.c.conversation_id).correlate(reply)
    said = said.where(message.c.chat_id == reply.c.chat_id, message.c.seq == reply.c.seq)
    return Scope(_of(connection, actor, inbox, heard), _of(connection, actor, reply, said))


def _of(connection: Connection, actor: Actor, rows: Table, named: Select[Any]) -> ColumnElement[bool]:
    """The rows of chats whose conversation (``named``, else the chat's last) he may see, or that have none."""
    last = select(func.max(conversation.c.id)).where(conversation.c.chat_id == rows.c.chat_id).correlate(rows)
    its = func.coalesce(named.scalar_subquery(), last.scalar_subquery())
    his = select(conversation.c.id).outerjoin(handover).where(conversations(connection, actor))
    return or_(its.is_(None), his.where(conversation.c.id == its).correlate(rows).exists())


def team_mates(connection: Connection, actor: Actor) -> list[int]:
    """The ids of everybody who shares a team with him, he included; who has no team is with the others without one."""
    everybody = connection.execute(select(agent.c.id, agent.c.teams)).all()
    mine = actor.teams
    mates = {one.id for one in everybody if (mine & set(one.teams) if mine else not one.teams)}
    return sorted(mates | {actor.id})


def audit(
    connection: Connection, actor: Actor | None, action: str, subject: str = "", data: Mapping[str, Any] | None = None
) -> None:
    """Write down who did what to what; nothing is ever taken out of this book. No actor: nobody who could be named."""
    told = dict(data or {})
    if actor and actor.via != "console":
        told |= {"via": actor.via, **({"token": actor.token} if actor.token else {})}
    who = actor.id if actor and actor.id else None
    row = {"at": time.time(), "agent_id": who, "action": action, "subject": subject[:120], "data": told}
    connection.execute(insert(book).values(row))
