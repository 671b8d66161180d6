"""What the house keeps and how it is set: failures, answers in force, settings, the audit."""

from __future__ import annotations

import re
import time
from collections import Counter
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, select
from starlette.responses import JSONResponse, Response

from bot import dead
from bot.strictyaml import YamlError, load
from bot.tables import conversation, fact
from channels.gate import Refused
from handoff.agents import audit
from handoff.console.gate import Asked, fits
from handoff.console.nav import shell
from handoff.tables import agent
from handoff.tables import audit as book

LOOK_BACK: Final = 30 * 86400.0  # seconds of facts that use counts are taken from
FACTS: Final = 20_000  # the newest of them that are counted
SHOWN: Final = 100
_SECRET = re.compile(r"secret|token|password|aes_key|_key$")
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@")


async def failures(asked: Asked) -> Response:
    """GET /dead: what could not be handled or sent."""
    values = await asked.read(lambda c: {"rows": dead.listed(c), **shell(c, asked.actor)})
    return asked.page("dead.html", **values, section="dead")


async def settle_failure(asked: Asked) -> Response:
    """POST /dead {id, do}: try it again, or let it go."""
    data = await asked.data()
    which, do = str(data.get("id", ""))[:20], data.get("do")
    deeds = {"retry": dead.retry, "discard": dead.discard}
    if do not in deeds or not fits(which.removeprefix("r")):
        raise Refused(400, "do is retry or discard, id names one event or reply")

    def write(c: Connection) -> None:
        deeds[str(do)](c, [which])
        audit(c, asked.actor, f"dead.{do}", which)

    try:
        await asked.write(write)
    except dead.NoSuchDead as error:
        raise Refused(409, str(error)) from error
    asked.house.woken()
    return JSONResponse({})


async def answers(asked: Asked) -> Response:
    """GET /faq: every answer in force, how often it was given, and what could not be answered."""
    known = asked.house.shelf.now.knowledge
    q = asked.query("q").strip().lower()

    def read(c: Connection) -> dict[str, Any]:
        since = time.time() - LOOK_BACK
        its = select(fact.c.data, fact.c.at).where(fact.c.at > since).order_by(fact.c.id.desc())
        given = c.execute(its.where(fact.c.kind == "answered").limit(FACTS))
        uses = Counter(row.data.get("entry") for row in given)
        open_ones = select(fact.c.data, fact.c.at, conversation.c.number)
        open_ones = open_ones.outerjoin(conversation, conversation.c.id == fact.c.conversation_id)
        open_ones = open_ones.where(fact.c.kind == "unknown", fact.c.at > since).order_by(fact.c.id.desc())
        return {"uses": uses, "unanswered": c.execute(open_ones.limit(SHOWN)).all(), **shell(c, asked.actor)}

    shown = [e for e in known.faq.entries if not q or q in f"{e.id} {e.questions} {e.answer}".lower()]
    topics = [(topic, list(some)) for topic, some in groupby(sorted(shown, key=lambda e: e.topic), lambda e: e.topic)]
    values = {"topics": topics, "total": len(known.faq.entries), "version": known.version, "q": q}
    values["problem"] = asked.house.shelf.problem
    return asked.page("faq.html", **await asked.read(read), **values, section="faq")


async def settings(asked: Asked) -> Response:
    """GET /settings: what holds, and the file and line where it is set. Secrets are not shown."""
    house = asked.house.settings
    lines: dict[tuple[str | int, ...], int] = {}
    file = house.source
    if file:
        try:
            lines = load(file).lines
        except (YamlError, OSError):
            lines = {}
    groups = []
    for name in type(house).model_fields:
        value = getattr(house, name)
        rows = list(_flat((name,), value.model_dump() if hasattr(value, "model_dump") else value))
        shown = [{"key": ".".join(map(str, at)), "value": _told(at, v), "line": lines.get(at)} for at, v in rows]
        groups.append((name, shown))
    values = await asked.read(lambda c: shell(c, asked.actor))
    return asked.page("settings.html", **values, groups=groups, file=str(file or ""), off=house.off, section="settings")


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


async def audits(asked: Asked) -> Response:
    """GET /audit: who did what, the newest first."""
    before, who = asked.number("before"), asked.number("who")

    def read(c: Connection) -> dict[str, Any]:
        its = select(book, agent.c.name).outerjoin(agent, agent.c.id == book.c.agent_id).order_by(book.c.id.desc())
        its = its.where(book.c.id < before) if before else its
        its = its.where(book.c.agent_id == who) if who else its
        everybody = c.execute(select(agent.c.id, agent.c.name).order_by(agent.c.name)).all()
        return {"rows": c.execute(its.limit(SHOWN)).all(), "everybody": everybody, **shell(c, asked.actor)}

    return asked.page("audit.html", **await asked.read(read), who=str(who or ""), size=SHOWN, section="audit")
