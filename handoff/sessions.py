"""Signing in: passwords, server-side sessions, and the brake for those who guess."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Select, delete, insert, or_, select, update

from bot.bulk import insert as upsert
from bot.store import Store
from handoff import accounts
from handoff.access import Actor, audit
from handoff.accounts import secret_hash
from handoff.tables import agent, agent_session, throttle

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LIFE: Final = 7 * 86400.0  # seconds a session lasts at most
IDLE: Final = 12 * 3600.0  # seconds without a request after which it ends
NOTED: Final = 60.0  # seconds between two notes of when a session was last used
SHORTEST: Final = 10  # characters of a password
LONGEST: Final = 200
FORGOTTEN: Final = 900.0  # seconds after which failed tries no longer count; no brake lasts longer
FREE: Final = {"both": 5, "network": 30, "login": 50, "token": 10}  # tries that cost no wait, by what they share

_hashing = asyncio.Semaphore(2)  # a hash takes a core and 19 MiB for a moment


class WrongPassword(Exception):
    """Login and password do not belong together; nobody learns which was wrong, or whether there is such a login."""


class TooMany(Exception):
    """Too many tries failed: ``wait`` seconds before the next."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"wait {wait:.0f} s")
        self.wait = wait


class WeakPassword(Exception):
    """This cannot be a password: it is too short, too long, or the login itself."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in."""

    actor: Actor
    csrf: str
    key: str  # the hash of its token
    seen_at: float


async def hash_of(password: str, login: str = "") -> str:
    """The argon2id hash to keep; raises WeakPassword."""
    if not SHORTEST <= len(password) <= LONGEST or (login and login in password.lower() and len(password) < 16):
        raise WeakPassword
    async with _hashing:
        return await asyncio.to_thread(lambda: _hasher().hash(password))


async def sign_in(store: Store, login: str, password: str, network: str) -> str:
    """Begin a session; returns its token. Raises WrongPassword or TooMany.

    A try is counted before it is made, so that many at once are counted as well; an unknown login costs the same time.
    """
    login = login.strip().lower()[:100]
    brakes = {"both": f"{network} {login}"[:255], "network": f"{network} "[:255], "login": f" {login}"[:255]}
    await store.write(lambda c: count(c, brakes), first=True)
    row = await store.read(lambda c: c.execute(select(agent).where(agent.c.login == login)).first())
    usable = row is not None and row.disabled_at is None and bool(row.password)
    async with _hashing:
        right = await asyncio.to_thread(_verify, row.password if usable and row else "", password)
    if not (right and row):
        failed = Actor(row.id, row.name, row.role) if row else None
        await store.write(lambda c: audit(c, failed, "sign_in_failed", data={"network": network}))
        raise WrongPassword

    def let_in(connection: Connection) -> str:
        forgiven = throttle.c.key.in_([brakes["both"], brakes["login"]])
        connection.execute(delete(throttle).where(forgiven))
        return begin(connection, row.id, network)

    return await store.write(let_in, first=True)


def begin(connection: Connection, agent_id: int, network: str) -> str:
    """A new session of an account; returns its token."""
    now, token = time.time(), secrets.token_urlsafe(32)
    row = {"token_hash": secret_hash(token), "agent_id": agent_id, "csrf": secrets.token_urlsafe(24)}
    times = {"created_at": now, "seen_at": now, "expires_at": now + LIFE}
    connection.execute(delete(agent_session).where(agent_session.c.expires_at < now))
    connection.execute(insert(agent_session).values({**row, **times}))
    who = connection.execute(select(agent).where(agent.c.id == agent_id)).one()
    if who.role == "agent" and who.presence == "offline":
        connection.execute(update(agent).where(agent.c.id == agent_id).values(presence="online"))
    there(connection, actor_of(who))
    audit(connection, actor_of(who), "signed_in", data={"network": network})
    return token


def find(connection: Connection, token: str) -> Session | None:
    """Whose session this token is: read anew for every request, so that a disabled account is out at once."""
    return _found(connection, secret_hash(token)) if token else None


def standing(connection: Connection, keys: Collection[str]) -> dict[str, Actor]:
    """Which of these sessions are still valid: key -> their actor as he is now."""
    rows = connection.execute(_standing().where(agent_session.c.token_hash.in_(keys)))
    return {row.token_hash: actor_of(row) for row in rows}


def _found(connection: Connection, key: str) -> Session | None:
    row = connection.execute(_standing().where(agent_session.c.token_hash == key)).first()
    return Session(actor_of(row), row.csrf, key, row.used_at) if row else None


def _standing() -> Select[Any]:
    now = time.time()
    lasting = agent_session.c.expires_at > now, agent_session.c.seen_at > now - IDLE, agent.c.disabled_at.is_(None)
    own = agent_session.c.token_hash, agent_session.c.csrf, agent_session.c.seen_at.label("used_at")
    return select(agent, *own).join(agent_session).where(*lasting)


def stale(session: Session) -> bool:
    """Whether its use is to be noted again."""
    return time.time() - session.seen_at > NOTED


def noted(connection: Connection, session: Session) -> None:
    """Write down that the session is in use and that its agent is there."""
    now = time.time()
    connection.execute(update(agent_session).where(agent_session.c.token_hash == session.key).values(seen_at=now))
    there(connection, session.actor)


def there(connection: Connection, *actors: Actor) -> None:
    """They give a sign of themselves; who said that he stays for hours is not taken at less than his word."""
    now = time.time()
    earlier = or_(agent.c.seen_at.is_(None), agent.c.seen_at < now)
    ids = sorted({actor.id for actor in actors})
    connection.execute(update(agent).where(agent.c.id.in_(ids), earlier).values(seen_at=now))


def end(connection: Connection, session: Session) -> None:
    """Sign out; with the last session gone nobody is there, unless he said at another desk that he stays."""
    connection.execute(delete(agent_session).where(agent_session.c.token_hash == session.key))
    others = select(agent_session.c.agent_id).where(agent_session.c.agent_id == session.actor.id).limit(1)
    if connection.scalar(others) is None:
        gone = agent.c.id == session.actor.id, or_(agent.c.seen_at.is_(None), agent.c.seen_at <= time.time())
        connection.execute(update(agent).where(*gone).values(presence="offline"))
    audit(connection, session.actor, "signed_out")


def actor_of(row: Any, via: str = "console") -> Actor:
    """The actor that a row of ``agent`` is."""
    return Actor(row.id, row.name, row.role, frozenset(row.teams), via=via)


# ---------------------------------------------------------------- the first admin


def first_link(secret: str) -> str:
    """A token that makes the first admin: signed, not kept, and void as soon as there is any account."""
    return str(_signer(secret).dumps("first admin"))


def is_first_link(connection: Connection, secret: str, token: str) -> bool:
    """Whether the token may still make the first admin."""
    from itsdangerous import BadSignature

    try:
        said, made = _signer(secret).loads(token, return_timestamp=True)
    except BadSignature:
        return False
    fresh = made.timestamp() + accounts.LINK_LIFE > time.time()  # or not even made, by a clock that is behind
    return fresh and bool(said == "first admin") and not accounts.anybody(connection)


def _signer(secret: str) -> Any:
    from itsdangerous import URLSafeTimedSerializer

    return URLSafeTimedSerializer(secret, salt="first admin")


# ---------------------------------------------------------------- passwords and the brake


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # only where somebody signs in

    return PasswordHasher(time_cost=3, memory_cost=19 * 1024, parallelism=1)  # OWASP's smallest, one pass more


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_hex(16))


def _verify(kept: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    nobodys = _nobodys()
    try:
        right: bool = _hasher().verify(kept or nobodys, password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return right and bool(kept)


def waits(connection: Connection, brake: str) -> float:
    """Seconds that the next try under this name has to wait."""
    until = connection.scalar(select(throttle.c.until).where(throttle.c.key == brake)) or 0.0
    return max(0.0, until - time.time())


def count(connection: Connection, brakes: dict[str, str]) -> None:
    """Count a try under each of its names; raises TooMany while one of them has to wait."""
    now = time.time()
    rows = connection.execute(
        select(throttle).where(throttle.c.key.in_(sorted(brakes.values()))).order_by(throttle.c.key).with_for_update()
    )
    found = {row.key: row for row in rows}
    if (waits := max((row.until - now for row in found.values()), default=0.0)) > 0:
        raise TooMany(waits)
    for kind, key in sorted(brakes.items(), key=lambda item: item[1]):
        kept = found.get(key)
        tries = 1 if kept is None or now - kept.until > FORGOTTEN else kept.tries + 1
        beyond = tries - FREE[kind]
        row = {"key": key, "tries": tries, "until": now + (min(2.0**beyond, FORGOTTEN) if beyond > 0 else 0.0)}
        more = throttle.c.tries + 1 if kept is None else tries  # somebody else may have begun this row just now
        changed = {"tries": more, "until": row["until"]}
        connection.execute(upsert(throttle).values(row).on_conflict_do_update(index_elements=["key"], set_=changed))
    connection.execute(delete(throttle).where(throttle.c.until < now - FORGOTTEN))
