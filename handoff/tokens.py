"""Tokens of integrations: each acts for an account, within the scopes it was given, until it is revoked or expires."""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, or_, select, update

from handoff.access import RULES, Actor, audit
from handoff.accounts import NoAccount, secret_hash
from handoff.tables import agent, api_token

NOTED: Final = 60.0  # seconds between two notes of when a token was last used
FAMILIES: Final = {  # names for several scopes at once
    "all": sorted(RULES),
    "read": sorted(action for action in RULES if action.endswith(".read")),
}
_NAME = re.compile(r"\w[\w .@+-]{0,99}")
_TOKEN = re.compile(r"aftercare_(\d{1,15})_([\w-]{20,100})", re.ASCII)
_NOBODYS: Final = secret_hash("")


@dataclass(frozen=True, slots=True)
class Token:
    """An integration that came with its token."""

    id: int
    actor: Actor
    used_at: float | None


def add(
    connection: Connection,
    actor: Actor | None,
    account: Any,
    name: str,
    scopes: Iterable[str],
    days: int | None = None,
) -> str:
    """A new token that acts for ``account`` (a row of ``agent``); returns it, for the only time. Raises NoAccount."""
    name, now, secret = " ".join(name.split()), time.time(), secrets.token_urlsafe(32)
    if not _NAME.fullmatch(name):
        raise NoAccount(f"{name[:100]!r} is no name for a token: letters, digits and . _ @ + - such as shop")
    if connection.scalar(select(api_token.c.id).where(api_token.c.name == name)) is not None:
        raise NoAccount(f"there is, or was, a token {name} already; take another name")
    if account.disabled_at is not None:
        raise NoAccount(f"{account.login} is disabled: nothing can act for it")
    row = {"name": name, "token_hash": secret_hash(secret), "agent_id": account.id, "scopes": _scopes(scopes)}
    until = now + days * 86400.0 if days else None
    made = insert(api_token).values(**row, created_at=now, expires_at=until).returning(api_token.c.id)
    number = connection.scalar(made)
    told = {"name": name, "for": account.login, "scopes": row["scopes"]} | ({} if actor else {"via": "command line"})
    audit(connection, actor, "token_added", f"token:{number}", told)
    return f"aftercare_{number}_{secret}"


def revoke(connection: Connection, actor: Actor | None, name: str) -> None:
    """Make a token invalid at once; raises NoAccount if none of this name is in use."""
    its = api_token.c.name == name, api_token.c.revoked_at.is_(None)
    gone = update(api_token).where(*its).values(revoked_at=time.time()).returning(api_token.c.id)
    number = connection.scalar(gone)
    if number is None:
        raise NoAccount(f"there is no token {name[:100]!r} in use; `aftercare agent token list` shows them all")
    told = {"name": name} | ({} if actor else {"via": "command line"})
    audit(connection, actor, "token_revoked", f"token:{number}", told)


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every token, those in use first: its row without the hash, with ``login`` and ``usable``."""
    row = [column for column in api_token.c if column.name != "token_hash"]
    query = select(*row, agent.c.login, agent.c.disabled_at).join(agent).order_by(api_token.c.name)
    found = []
    for one in connection.execute(query):
        ended = one.revoked_at or one.disabled_at or (one.expires_at and one.expires_at < time.time())
        found.append({**{k: v for k, v in one._mapping.items() if k != "disabled_at"}, "usable": not ended})
    return sorted(found, key=lambda token: not token["usable"])


def number_of(token: str) -> str:
    """The number a token says it has, "" if it is none: what somebody who guesses tries to guess."""
    said = _TOKEN.fullmatch(token)
    return said[1] if said else ""


def find(connection: Connection, token: str) -> Token | None:
    """Whose token this is: read anew for every request, so that a revoked one is out at once."""
    said = _TOKEN.fullmatch(token)
    number, secret = (int(said[1]), said[2]) if said else (0, "")
    now = time.time()
    usable = api_token.c.revoked_at.is_(None), agent.c.disabled_at.is_(None)
    lasting = or_(api_token.c.expires_at.is_(None), api_token.c.expires_at > now)
    columns = [api_token.c[name].label(f"token_{name}") for name in ("id", "name", "token_hash", "scopes", "used_at")]
    query = select(agent, *columns).join(api_token).where(api_token.c.id == number, *usable, lasting)
    row = connection.execute(query).first()
    if not hmac.compare_digest(secret_hash(secret), row.token_token_hash if row else _NOBODYS) or row is None:
        return None
    scopes = frozenset(row.token_scopes)
    actor = Actor(row.id, row.name, row.role, frozenset(row.teams), scopes, via="api", token=row.token_name)
    return Token(row.token_id, actor, row.token_used_at)


def noted(connection: Connection, token: Token) -> None:
    """Write down that the token is in use."""
    connection.execute(update(api_token).where(api_token.c.id == token.id).values(used_at=time.time()))


def stale(token: Token) -> bool:
    """Whether its use is to be noted again."""
    return token.used_at is None or time.time() - token.used_at > NOTED


def _scopes(wanted: Iterable[str]) -> list[str]:
    found = {scope for one in wanted for scope in FAMILIES.get(one, [one])}
    if not found:
        raise NoAccount("a token needs a scope: read, all, or one such as ticket.read")
    if wrong := sorted(found - RULES.keys()):
        raise NoAccount(f"there is no scope {wrong[0][:60]!r}; the scopes are read, all, {', '.join(sorted(RULES))}")
    return sorted(found)
