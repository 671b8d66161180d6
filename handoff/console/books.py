"""What the house keeps and how it is set: failures, answers in force, settings, the audit."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select
from starlette.responses import JSONResponse, Response

from bot import dead
from channels.http import HttpError
from handoff.console.gate import Asked, fits
from handoff.console.nav import shell
from handoff.reading import books as reading
from handoff.tables import agent


async def failures(asked: Asked) -> Response:
    """GET /dead?after=: what could not be handled or sent, from the one after that on."""
    after = asked.query("after")
    if after and not fits(after.removeprefix("r")):
        raise HttpError(400, "after is the id of an event or a reply")
    place = dead.place({"id": after}) if after else (0, 0)

    def read(c: Connection) -> dict[str, Any]:
        rows = reading.failures(c, asked.actor, after=place, most=reading.SHOWN + 1)
        return {"rows": rows[: reading.SHOWN], "more": rows[reading.SHOWN :], **shell(c, asked.actor)}

    return asked.page("dead.html", **await asked.read(read), section="dead")


async def settle_failure(asked: Asked) -> Response:
    """POST /dead {id, do}: try it again, or let it go."""
    data = await asked.data()
    which, do = str(data.get("id", ""))[:20], str(data.get("do"))
    if do not in reading.DEEDS or not fits(which.removeprefix("r")):
        raise HttpError(400, "do is retry or discard, id names one event or reply")
    try:
        await asked.write(lambda c: reading.settle_failure(c, asked.actor, which, do))
    except dead.NoSuchDead as error:
        raise HttpError(409, str(error)) from error
    asked.house.woken()
    return JSONResponse({})


async def answers(asked: Asked) -> Response:
    """GET /faq: every answer in force, how often it was given, and what could not be answered."""
    known = asked.house.shelf.now.knowledge
    q = asked.query("q").strip().lower()

    def read(c: Connection) -> dict[str, Any]:
        open_ones = reading.unanswered(c, asked.actor)
        return {"uses": reading.usage(c, asked.actor), "unanswered": open_ones, **shell(c, asked.actor)}

    shown = [e for e in known.faq.entries if not q or q in f"{e.id} {e.questions} {e.answer}".lower()]
    topics = [(topic, list(some)) for topic, some in groupby(sorted(shown, key=lambda e: e.topic), lambda e: e.topic)]
    values = {"topics": topics, "total": len(known.faq.entries), "version": known.version, "q": q}
    values["most"], values["problem"] = reading.FACTS, asked.house.shelf.problem
    return asked.page("faq.html", **await asked.read(read), **values, section="faq")


async def settings(asked: Asked) -> Response:
    """GET /settings: what holds, and the file and line where it is set. Secrets are not shown."""
    house = asked.house.settings
    values: dict[str, Any] = await asked.read(lambda c: shell(c, asked.actor))
    values |= {"groups": list(reading.settings(house)), "file": str(house.source or ""), "off": house.off}
    return asked.page("settings.html", **values, section="settings")


async def audits(asked: Asked) -> Response:
    """GET /audit: who did what, the newest first."""
    before, who = asked.number("before"), asked.number("who")

    def read(c: Connection) -> dict[str, Any]:
        everybody = c.execute(select(agent.c.id, agent.c.name).order_by(agent.c.name)).all()
        rows = reading.audits(c, before=before, who=who)
        return {"rows": rows, "everybody": everybody, **shell(c, asked.actor)}

    return asked.page("audit.html", **await asked.read(read), who=str(who or ""), size=reading.SHOWN, section="audit")
