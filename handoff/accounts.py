"""Accounts of the people of the company: add, change, disable, and the one-use links that bring a first password."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, text, update

from bot.bulk import insert as upsert
from bot.tables import chat, conversation, customer, ticket
from bot.text import clean
from handoff.access import ROLES, Actor, audit
from handoff.leading import pass_promises_on
from handoff.queue import release
from handoff.tables import agent, agent_identity, agent_link, agent_session, promise

LINK_LIFE: Final = 3 * 86400.0  # seconds a one-use link may be used
PRESENCES: Final = ("online", "busy", "away", "offline")
_LOGIN = re.compile(r"\w[\w.@+-]{0,99}")
_WORD = re.compile(r"[\w][\w .&/+-]{0,39}")


class NoAccount(Exception):
    """Something about an account that cannot be done; says what and what would be right."""

    exit_code = 2


def secret_hash(token: str) -> str:
    """How a random token is kept: whoever reads the database cannot use it."""
    return sha256(token.encode()).hexdigest()


def canonical(login: str) -> str:
    """A login in the one spelling it is kept in; raises NoAccount for what is none."""
    found = login.strip().lower()
    if not _LOGIN.fullmatch(found):
        raise NoAccount(f"{login[:100]!r} is no login: letters, digits and . _ @ + - such as anna or li.wei")
    return found


def add(connection: Connection, login: str, *, name: str = "", role: str = "agent", **more: Any) -> int:
    """A new account without a password; returns its id. ``more``: teams, skills, languages, capacity."""
    login = canonical(login)
    values = {**_checked(name=name.strip() or login, role=role, **more), "login": login, "created_at": time.time()}
    made = upsert(agent).values(values).on_conflict_do_nothing(index_elements=["login"]).returning(agent.c.id)
    number: int | None = connection.scalar(made)
    if number is None:
        raise NoAccount(f"there is an account {login} already; `aftercare agent list` shows them all")
    return number


def change(connection: Connection, id: int, **values: Any) -> None:
    """Another name, role, teams, skills, languages or capacity."""
    changed = _checked(**values)
    if changed.get("role", "admin") != "admin":
        _keep_an_admin(connection, id)
    if not changed or not connection.execute(update(agent).where(agent.c.id == id).values(changed)).rowcount:
        raise NoAccount("there is no such account, or nothing to change in it")


def disable(connection: Connection, id: int) -> None:
    """Nobody works under this account any more, from this moment on; what it did stays on record."""
    his = select(conversation.c.chat_id).where(conversation.c.agent_id == id, conversation.c.owner == "agent")
    promised = select(promise.c.chat_id).where(promise.c.agent_id == id, promise.c.state == "open")
    work = ticket.c.agent_id == id, ticket.c.closed_at.is_(None)
    places = his.union(promised, select(ticket.c.chat_id).where(*work))
    chats = select(chat.c.id).where(chat.c.id.in_(places)).order_by(chat.c.id)
    connection.execute(chats.with_for_update(key_share=True))  # chats before agents, as a turn takes them
    whose = select(customer.c.id).where(customer.c.id.in_(select(ticket.c.customer_id).where(*work)))
    connection.execute(whose.order_by(customer.c.id).with_for_update(key_share=True))  # of another chat, as well
    _keep_an_admin(connection, id)
    gone = {"disabled_at": time.time(), "presence": "offline"}
    connection.execute(update(agent).where(agent.c.id == id, agent.c.disabled_at.is_(None)).values(gone))
    release(connection, id, time.time())
    pass_promises_on(connection, id, time.time())
    left = {"owner": "queue", "agent_id": None, "epoch": ticket.c.epoch + 1}
    connection.execute(update(ticket).where(*work).values(left))
    connection.execute(delete(agent_session).where(agent_session.c.agent_id == id))
    connection.execute(delete(agent_link).where(agent_link.c.agent_id == id, agent_link.c.used_at.is_(None)))


def enable(connection: Connection, id: int) -> None:
    """It may be used again, with the password it had."""
    connection.execute(update(agent).where(agent.c.id == id).values(disabled_at=None))


def link(connection: Connection, id: int) -> str:
    """A new one-use link's token, for a first or a forgotten password; an earlier one becomes void."""
    connection.execute(delete(agent_link).where(agent_link.c.agent_id == id, agent_link.c.used_at.is_(None)))
    token = secrets.token_urlsafe(24)
    row = {"token_hash": secret_hash(token), "agent_id": id, "expires_at": time.time() + LINK_LIFE}
    connection.execute(insert(agent_link).values(row))
    return token


def linked(connection: Connection, token: str) -> Any:
    """The account that a link is for, while it may be used: ``id``, ``login``, ``name``, ``role``; else None."""
    valid = agent_link.c.used_at.is_(None), agent_link.c.expires_at > time.time(), agent.c.disabled_at.is_(None)
    its = select(agent.c.id, agent.c.login, agent.c.name, agent.c.role).join(agent_link)
    return connection.execute(its.where(agent_link.c.token_hash == secret_hash(token), *valid)).first()


def use_link(connection: Connection, token: str, password_hash: str, name: str = "") -> int | None:
    """Set the password by a link, once; returns the account's id. Whoever was signed in under it is no longer."""
    account = linked(connection, token)
    mine = agent_link.c.token_hash == secret_hash(token), agent_link.c.used_at.is_(None)
    if account is None or not connection.execute(update(agent_link).where(*mine).values(used_at=time.time())).rowcount:
        return None
    set_password(connection, account.id, password_hash)
    if name.strip():
        change(connection, account.id, name=name)
    return int(account.id)


def set_password(connection: Connection, id: int, password_hash: str) -> None:
    """Another password; every session under the old one ends."""
    connection.execute(update(agent).where(agent.c.id == id).values(password=password_hash))
    connection.execute(delete(agent_session).where(agent_session.c.agent_id == id))


def be(connection: Connection, actor: Actor, presence: str) -> None:
    """Say whether he is there; the queue goes to those who are online."""
    there = {"presence": presence, "seen_at": time.time()}
    connection.execute(update(agent).where(agent.c.id == actor.id).values(there))
    audit(connection, actor, "presence", f"agent:{actor.id}", {"presence": presence})


def identify(connection: Connection, id: int, channel: str, sender: str) -> None:
    """Who this account is on a platform: from now on what that person does there counts as the agent's."""
    row = {"channel": channel, "sender": sender, "agent_id": id, "created_at": time.time()}
    new = upsert(agent_identity).values(row)
    connection.execute(new.on_conflict_do_update(index_elements=["channel", "sender"], set_={"agent_id": id}))


def named(connection: Connection, login: str) -> Any:
    """The row of the account with this login; raises NoAccount."""
    row = connection.execute(select(agent).where(agent.c.login == login.strip().lower())).first()
    if row is None:
        raise NoAccount(f"there is no account {login!r}; `aftercare agent list` shows them all")
    return row


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every account, those in use first: its row without the password, but with ``ready``: whether it has one."""
    rows = connection.execute(select(agent).order_by(agent.c.disabled_at.is_not(None), agent.c.login))
    return [{**{k: v for k, v in r._mapping.items() if k != "password"}, "ready": bool(r.password)} for r in rows]


def alone(connection: Connection) -> None:
    """Nobody else makes accounts until this transaction ends: of two first admins at once one comes too late."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE agent IN SHARE ROW EXCLUSIVE MODE"))


def anybody(connection: Connection) -> bool:
    """Whether there is any account at all."""
    return connection.scalar(select(agent.c.id).limit(1)) is not None


def admins(connection: Connection) -> int:
    """How many admins there are who are not disabled."""
    there = agent.c.role == "admin", agent.c.disabled_at.is_(None)
    return connection.scalar(select(func.count()).where(*there)) or 0


def _keep_an_admin(connection: Connection, id: int) -> None:
    """Raises NoAccount for the last one. Locks all admins, in one order: two cannot remove each other at once."""
    there = agent.c.role == "admin", agent.c.disabled_at.is_(None)
    found = connection.scalars(select(agent.c.id).where(*there).order_by(agent.c.id).with_for_update()).all()
    if list(found) == [id]:
        raise NoAccount("this is the last admin: make somebody else one first")


def _checked(**values: Any) -> dict[str, Any]:
    """The fields of an account as they are kept; raises NoAccount."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        match key:
            case "name":
                found[key] = " ".join(clean(str(value)).split())[:100]
                if not found[key]:
                    raise NoAccount("an agent needs a name that customers and colleagues see")
            case "role":
                if value not in ROLES:
                    raise NoAccount(f"there is no role {value!r}; the roles are {', '.join(ROLES)}")
                found[key] = value
            case "capacity":
                if not 0 <= int(value) <= 50:
                    raise NoAccount("capacity is how many conversations at a time: 0 to 50")
                found[key] = int(value)
            case "teams" | "skills" | "languages":
                found[key] = _words(key, value)
            case _:
                raise NoAccount(f"an account has no {key}")
    return found


def _words(key: str, value: Iterable[str]) -> list[str]:
    words = list(dict.fromkeys(" ".join(word.split()) for word in value if word.strip()))
    if wrong := [word for word in words if not _WORD.fullmatch(word)]:
        raise NoAccount(f"{key}: {wrong[0][:60]!r} is no name; letters, digits and spaces")
    return words
