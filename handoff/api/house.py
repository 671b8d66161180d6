"""The house: who works there, what waits, what failed, what the FAQ says, how it is set, and who did what."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from sqlalchemy import Connection, select

from bot import dead
from bot.text import clean
from handoff import accounts, staff
from handoff.api import paging, requests
from handoff.api.gate import Caller
from handoff.api.paging import Cursor, Limit
from handoff.reading import alarms as seeing
from handoff.reading import books, talks, waits
from handoff.reading import wall as figures
from handoff.reading.answers import answers_to
from handoff.tables import agent

Id = Annotated[int, Path(ge=1, le=10**15)]
Question = Annotated[str, Query(min_length=1, max_length=1000)]
Lang = Annotated[str, Query(pattern=r"^([a-z]{2})?$", description="Helps where the script does not tell.")]


# ---------------------------------------------------------------- oneself


async def me(call: Caller) -> Any:
    """Whom the token acts for, and what it may do."""
    who = call.actor
    presence = await call.read(lambda c: c.scalar(select(agent.c.presence).where(agent.c.id == who.id)))
    more = {"teams": sorted(who.teams), "scopes": sorted(who.scopes)}
    return {"token": who.token, "id": who.id, "name": who.name, "role": who.role, "presence": presence, **more}


async def be(call: Caller, body: requests.Presence) -> Any:
    """Say whether he is there: who is online is given conversations. To be said again every two minutes at least."""
    await call.write(lambda c: staff.be(c, call.actor, body.presence))
    call.house.hub.stir()
    call.house.worker.wake()
    return await me(call)


async def colleagues(call: Caller) -> Any:
    """Whoever a conversation can be given to."""
    return [dict(row._mapping) for row in await call.read(talks.colleagues)]


# ---------------------------------------------------------------- what waits and what failed


async def counts(call: Caller) -> Any:
    """How much waits: as the badges of the console tell it."""

    return await call.read(lambda c: waits.counts(c, [call.actor])[call.actor])


async def wall(call: Caller) -> Any:
    """The queue wall's figures, of the part of the house that may be seen."""
    found = await call.read(lambda c: figures.figures(c, call.actor))
    totals, (score, rated) = found["totals"], found["rated"]
    return {
        "waiting": totals.waiting,
        "working": totals.working,
        "bot": totals.bot,
        "waiting_since": totals.since,
        "there": found["there"],
        "room": found["room"],
        "standards": dict(found["standing"]._mapping),
        "kept": dict(found["kept"]._mapping),
        "rated": rated,
        "score": score,
        "people": [dict(row._mapping) for row in found["people"]],
        "line": found["line"],
    }


async def alarms(call: Caller) -> Any:
    """What somebody must see now: the newest 100."""
    return [dict(row._mapping) for row in await call.read(lambda c: seeing.unsettled(c, call.actor))]


async def settle_alarm(call: Caller, id: Id) -> Any:
    """An alarm was seen to."""
    await call.write(lambda c: seeing.settle(c, call.actor, id))
    call.house.hub.stir()
    return {}


async def failures(call: Caller, cursor: Cursor = "", limit: Limit = 50) -> Any:
    """What could not be handled or sent: events before replies, the oldest first."""
    kind, which = paging.after(cursor, 2) or (0, 0)
    after = int(kind), int(which)
    rows = await call.read(lambda c: books.failures(c, call.actor, after=after, most=limit + 1))
    return paging.page(rows, limit, dead.place)


async def settle_failure(
    call: Caller,
    id: Annotated[str, Path(pattern=r"^r?[0-9]{1,15}$")],
    do: Annotated[Literal["retry", "discard"], Path(description="Try it again, or let it go.")],
) -> Any:
    """Try it again from the start, or let it go: it stays on record."""
    await call.write(lambda c: books.settle_failure(c, call.actor, id, do))
    call.house.woken()
    return {}


# ---------------------------------------------------------------- the FAQ


async def faq(call: Caller) -> Any:
    """The answers in force."""
    shelf = call.house.shelf
    uses = await call.read(lambda c: books.usage(c, call.actor))
    known = shelf.now.knowledge
    fields = ("id", "topic", "questions", "answer")
    entries = []
    for one in known.faq.entries:
        use = uses.get(one.id) or books.Use(0)
        last = [{"conversation": number, "at": at} for number, at in use.last]
        entries.append({**{name: getattr(one, name) for name in fields}, "uses": use.times, "last": last})
    return {"version": str(known.version), "problem": shelf.problem, "entries": entries}


async def unanswered(call: Caller) -> Any:
    """The newest questions of the last 30 days that had no answer: 100 at most."""
    rows = await call.read(lambda c: books.unanswered(c, call.actor))
    return [{"at": r.at, "question": r.question, "times": r.times, "conversation": r.number or None} for r in rows]


async def answers(call: Caller, q: Question, lang: Lang = "") -> Any:
    """What the FAQ would say, best first."""
    return await answers_to(call.house.shelf.now.knowledge, clean(q), lang)


async def why(call: Caller, q: Question, lang: Lang = "") -> Any:
    """What the bot would make of a question, and how it comes to that."""
    knowledge = call.house.shelf.now.knowledge
    ranking = await asyncio.to_thread(knowledge.ask, clean(q), lang)
    return {"outcome": ranking.outcome, "candidates": list(ranking.candidates), "why": dict(ranking.why)}


# ---------------------------------------------------------------- accounts


async def agents(call: Caller) -> Any:
    """Every account, those in use first."""
    return await call.read(accounts.listed)


async def add_agent(call: Caller, body: requests.NewAgent) -> Any:
    """Add an account; its owner chooses the password by the link."""
    room = {"capacity": call.house.settings.handoff.capacity}
    number, token = await call.write(lambda c: staff.add(c, call.actor, body.login, room | body.fields()))
    return {"id": number, "link": _link(call, token)}


async def change_agent(call: Caller, id: Id, body: requests.AgentFields) -> Any:
    """Change what is sent of an account; the rest stays."""
    await call.write(lambda c: staff.change(c, call.actor, id, body.fields()))
    return {}


async def settle_agent(call: Caller, id: Id, do: Annotated[Literal["disable", "enable"], Path()]) -> Any:
    """Take an account out of use at once, its tokens included; or let it be used again."""
    await call.write(lambda c: staff.settle(c, call.actor, id, do))
    call.house.hub.stir()
    return {}


async def link_agent(call: Caller, id: Id) -> Any:
    """A new one-use link for a forgotten password; an earlier one becomes void."""
    token = await call.write(lambda c: staff.settle(c, call.actor, id, "link"))
    return {"id": id, "link": _link(call, token)}


def _link(call: Caller, token: str) -> str:
    return f"{call.house.settings.server.place}/console/welcome/{token}"


# ---------------------------------------------------------------- the books


async def settings(call: Caller) -> Any:
    """What holds, with the line of config.yaml where it is set; secrets are hidden. Nothing can be changed here."""
    own = call.house.settings
    rows = await asyncio.to_thread(lambda: [row for _, rows in books.settings(own) for row in rows])
    return {"file": str(own.source or ""), "off": dict(own.off), "settings": rows}


async def audit(
    call: Caller,
    agent: Annotated[int, Query(ge=0, le=10**15, description="Of this account alone; 0: of all.")] = 0,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """Who did what, the newest first."""
    before = paging.before(cursor)

    def read(c: Connection) -> list[Any]:
        return books.audits(c, before=before, who=agent, most=limit + 1)

    return paging.page(await call.read(read), limit, paging.by_id)
