"""What the house keeps and how it is set: the answers' use, the settings, the audit, what could not be delivered."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, func, select

from bot import dead
from bot.flows.wording import bare
from bot.strictyaml import YamlError, load
from bot.tables import conversation, fact
from handoff import access
from handoff.access import Actor, audit, conversations
from handoff.tables import agent, handover
from handoff.tables import audit as book

LOOK_BACK: Final = 30 * 86400.0  # seconds of facts that use counts are taken from
FACTS: Final = 20_000  # the newest of them that are counted
SHOWN: Final = 100
NEWEST: Final = 1_000  # of these: in which conversations they were given
LATEST: Final = 3  # conversations shown of each answer
OPEN: Final = 1_000  # questions without an answer that are looked at
DEEDS: Final = {"retry": dead.retry, "discard": dead.discard}
_SECRET = re.compile(r"secret|token|password|aes_key|_key$")
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@")


@dataclass(slots=True)
class Use:
    """How often an answer was given, and where last: number of the conversation and when."""

    times: int
    last: list[tuple[str, float]] = field(default_factory=list)


@dataclass(slots=True)
class Unanswered:
    """A question as it was asked last, when, how often, and in which conversation ("": not his to see)."""

    question: str
    at: float
    conversation_id: int | None
    times: int = 0
    number: str = ""


def failures(
    connection: Connection, actor: Actor, *, after: dead.Place = (0, 0), most: int = SHOWN
) -> list[dict[str, Any]]:
    """What could not be handled or sent and is his to see, after one's place: see bot/dead.py."""
    return dead.listed(connection, access.dead(connection, actor), after=after, most=most)


def settle_failure(connection: Connection, actor: Actor, which: str, do: str) -> None:
    """Try it again, or let it go; raises dead.NoSuchDead, for what is not his to see as well."""
    DEEDS[do](connection, [which], access.dead(connection, actor))
    audit(connection, actor, f"dead.{do}", which)


def usage(connection: Connection, actor: Actor) -> dict[str, Use]:
    """How often each answer was given lately, and where last; of the newest ``FACTS`` at most, to stay quick."""
    given = select(fact.c.data["entry"].as_string().label("entry"), fact.c.conversation_id, fact.c.at)
    lately = fact.c.kind == "answered", fact.c.at > time.time() - LOOK_BACK
    newest = given.where(*lately).order_by(fact.c.at.desc())
    counted = newest.limit(FACTS).subquery()
    times = select(counted.c.entry, func.count().label("times")).group_by(counted.c.entry)
    found = {str(row.entry): Use(row.times) for row in connection.execute(times)}
    rows = connection.execute(newest.limit(NEWEST)).all()
    seen = _seen(connection, actor, {row.conversation_id for row in rows})
    for row in rows:
        use = found.get(str(row.entry))
        if use and row.conversation_id in seen and len(use.last) < LATEST:
            use.last.append((seen[row.conversation_id], row.at))
    return found


def unanswered(connection: Connection, actor: Actor) -> list[Unanswered]:
    """The newest questions that had no answer, those that are written alike as one."""
    its = select(fact.c.data, fact.c.at, fact.c.conversation_id).where(fact.c.kind == "unknown")
    rows = connection.execute(its.where(fact.c.at > time.time() - LOOK_BACK).order_by(fact.c.at.desc()).limit(OPEN))
    found: dict[str, Unanswered] = {}
    for row in rows:
        question = str(row.data.get("question") or "")
        one = found.setdefault(bare(question) or question, Unanswered(question, row.at, row.conversation_id))
        one.times += 1
    shown = list(found.values())[:SHOWN]
    seen = _seen(connection, actor, {one.conversation_id for one in shown})
    for one in shown:
        one.number = seen.get(one.conversation_id, "")
    return shown


def _seen(connection: Connection, actor: Actor, ids: set[int | None]) -> dict[int | None, str]:
    """The numbers of those conversations that he may see."""
    its = select(conversation.c.id, conversation.c.number).outerjoin(handover)
    rows = connection.execute(its.where(conversation.c.id.in_(ids - {None}), conversations(connection, actor)))
    return {row.id: row.number for row in rows}


def settings(house: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What holds, by section: ``key``, ``value`` and the ``line`` of the file where it is set. Secrets are hidden."""
    lines: dict[tuple[str | int, ...], int] = {}
    if house.source:
        try:
            lines = load(house.source).lines
        except (YamlError, OSError):
            lines = {}
    for name in type(house).model_fields:
        value = getattr(house, name)
        rows = list(_flat((name,), value.model_dump() if hasattr(value, "model_dump") else value))
        yield name, [{"key": ".".join(map(str, at)), "value": _told(at, v), "line": lines.get(at)} for at, v in rows]


def _flat(at: tuple[str | int, ...], value: Any) -> Any:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat((*at, key), inner)
    else:
        yield at, value


def _told(at: tuple[str | int, ...], value: Any) -> str:
    if value and _SECRET.search(str(at[-1])):
        return "••••••"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return _PASSWORD.sub(r"\1••••••@", str("" if value is None else value))


def audits(connection: Connection, *, before: int = 0, who: int = 0, most: int = SHOWN) -> list[Any]:
    """Who did what, the newest first."""
    its = select(book, agent.c.name).outerjoin(agent, agent.c.id == book.c.agent_id).order_by(book.c.id.desc())
    its = its.where(book.c.id < before) if before else its
    its = its.where(book.c.agent_id == who) if who else its
    return list(connection.execute(its.limit(most)))
