"""What is done to accounts by people, and written down with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, select

from handoff import accounts, tokens
from handoff.access import Actor, Denied, NotFound, audit
from handoff.tables import agent

AccountAction = Literal["disable", "enable", "link"]


def add(connection: Connection, actor: Actor, login: str, fields: Mapping[str, Any]) -> tuple[int, str]:
    """A new account: its id, and the token of its one-use link. Raises NoAccount."""
    number = accounts.add(connection, login, **fields)
    told = {"login": login, "role": fields.get("role")}
    audit(connection, actor, "account_added", f"agent:{number}", told)
    return number, accounts.link(connection, number)


def change(connection: Connection, actor: Actor, id: int, fields: Mapping[str, Any]) -> None:
    """Another name, role, teams, skills, languages or capacity. Raises NotFound, NoAccount."""
    _there(connection, id)
    accounts.change(connection, id, **fields)
    audit(connection, actor, "account_changed", f"agent:{id}", fields)


def settle(connection: Connection, actor: Actor, id: int, do: AccountAction) -> str:
    """Disable it, enable it, or make a one-use link; returns the link's token, else "". Raises NotFound, NoAccount."""
    _there(connection, id)
    token = ""
    match do:
        case "disable":
            accounts.disable(connection, id)
        case "enable":
            accounts.enable(connection, id)
        case "link":
            token = accounts.link(connection, id)
    audit(connection, actor, f"account_{do}", f"agent:{id}")
    return token


def add_token(connection: Connection, actor: Actor, id: int, name: str, scopes: Sequence[str]) -> str:
    """A token with which an integration acts for this account. Raises NotFound, NoAccount."""
    _there(connection, id)
    account = connection.execute(select(agent).where(agent.c.id == id)).one()
    return tokens.add(connection, actor, account, name, scopes)


def be(connection: Connection, actor: Actor, presence: str) -> None:
    """Say whether he is there. Raises Denied, NoAccount."""
    if presence not in accounts.PRESENCES:
        raise accounts.NoAccount(f"presence is one of {', '.join(accounts.PRESENCES)}")
    if actor.role == "auditor":
        raise Denied("auditors take no conversations")
    accounts.be(connection, actor, presence)


def _there(connection: Connection, id: int) -> None:
    if connection.scalar(select(agent.c.id).where(agent.c.id == id)) is None:
        raise NotFound("there is no such account")
