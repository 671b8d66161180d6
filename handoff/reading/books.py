"""What the house keeps and how it is set: the answers' use, the settings, the audit, what could not be delivered."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, select

from bot import dead
from bot.strictyaml import YamlError, load
from bot.tables import conversation, fact
from handoff.agents import Actor, audit
from handoff.tables import agent
from handoff.tables import audit as book

LOOK_BACK: Final = 30 * 86400.0  # seconds of facts that use counts are taken from
FACTS: Final = 20_000  # the newest of them that are counted
SHOWN: Final = 100
DEEDS: Final = {"retry": dead.retry, "discard": dead.discard}
_SECRET = re.compile(r"secret|token|password|aes_key|_key$")
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@")


def settle_failure(connection: Connection, actor: Actor, which: str, do: str) -> None:
    """Try it again, or let it go; raises dead.NoSuchDead."""
    DEEDS[do](connection, [which])
    audit(connection, actor, f"dead.{do}", which)


def usage(connection: Connection) -> tuple[Counter[str], list[Any]]:
    """How often each answer was given lately, and the newest questions that had none."""
    its = select(fact.c.data, fact.c.at).where(fact.c.at > time.time() - LOOK_BACK).order_by(fact.c.id.desc())
    given = connection.execute(its.where(fact.c.kind == "answered").limit(FACTS))
    open_ones = its.add_columns(conversation.c.number).where(fact.c.kind == "unknown").limit(SHOWN)
    open_ones = open_ones.outerjoin(conversation, conversation.c.id == fact.c.conversation_id)
    return Counter(str(row.data.get("entry")) for row in given), list(connection.execute(open_ones))


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
