"""The inbox and the page of one conversation, whole and in the parts that change while one looks at them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response

from bot.dead import NoSuchDead
from bot.rows import event_data
from channels.http import HttpError
from handoff.access import allowed
from handoff.console import canned
from handoff.console.gate import Asked, fits
from handoff.console.live import FIRST
from handoff.console.look import safe_json
from handoff.console.nav import shell
from handoff.desk import COMMANDS
from handoff.reading import lists, talks, waits
from handoff.reading.answers import answers_to, said
from handoff.reading.answers import suggested as suggestions


async def inbox(asked: Asked) -> Response:
    """GET /: the list and, beside it, nothing yet."""
    return asked.page("inbox.html", **await _listed(asked), here=None)


async def listing(asked: Asked) -> Response:
    """GET /list: the list alone, anew."""
    return asked.page("_list.html", **await _listed(asked, asked.query("number")))


async def counts(asked: Asked) -> Response:
    """GET /counts: how much waits; and whether the server is there again."""
    return JSONResponse(await asked.read(lambda c: waits.counts(c, [asked.actor])[asked.actor]))


async def conversation(asked: Asked) -> Response:
    """GET /conversations/{number}: the list, the talk and what stands beside it."""
    number = asked.path("number")
    return asked.page("inbox.html", **await _listed(asked, number), **await _talk(asked, whole=True))


async def head(asked: Asked) -> Response:
    """GET /conversations/{number}/head: who has it, and what one can do."""
    return asked.page("_head.html", tab=_tab(asked), **await _talk(asked))


async def side(asked: Asked) -> Response:
    """GET /conversations/{number}/side: the customer's panel."""
    return asked.page("_side.html", **await _talk(asked))


async def colleagues(asked: Asked) -> Response:
    """GET /conversations/{number}/colleagues: whom it can be given to, as they are now."""
    people = await asked.read(talks.colleagues)
    teams = sorted({team for one in people for team in one.teams})
    return asked.page("_colleagues.html", people=people, teams=teams)


async def _listed(asked: Asked, number: str = "") -> dict[str, Any]:
    tab, only, q, before = _tab(asked), asked.query("only"), asked.query("q").strip(), asked.number("before")
    found: int | None = None

    def read(c: Connection) -> dict[str, Any]:
        nonlocal found
        if q:
            rows = lists.found(c, asked.actor, q)
            found = len(rows)
        else:
            rows = lists.inbox(c, asked.actor, tab, before=before, only=only)
        return {"rows": rows, "counts": waits.counts(c, [asked.actor])[asked.actor], **shell(c, asked.actor)}

    values = await asked.read(read)
    more = values["rows"][-1]["id"] if tab == "closed" and len(values["rows"]) == lists.SHOWN and not q else 0
    channels = sorted(asked.house.settings.channels)
    more_values = {"only": only, "q": q, "found": found, "more": more, "channels": channels, "number": number}
    return {**values, **more_values, "tab": "all" if q else tab, "tabs": lists.TABS, "section": "inbox"}


def _tab(asked: Asked) -> str:
    tab = asked.query("tab")
    if tab in lists.TABS:
        return tab
    return "mine" if allowed(asked.actor, "conversation.command") else "all"


async def _talk(asked: Asked, *, whole: bool = False) -> dict[str, Any]:
    number, actor = asked.path("number"), asked.actor

    def read(c: Connection) -> dict[str, Any]:
        here = talks.talk(c, actor, number)
        found = {"here": here, **talks.beside(c, actor, here)}
        if whole:
            found["from_seq"] = talks.beginning(c, here["chat_id"], 0, FIRST)
            found["names"] = safe_json(talks.names(c))
        return found

    found: dict[str, Any] = await asked.read(read)
    knowledge = asked.house.shelf.now.knowledge

    def entry_name(name: str) -> str:
        entry = knowledge.entry(name)
        said = entry.questions.get(asked.look.language) or next(iter(entry.questions.values())) if entry else ()
        return said[0] if said else name

    found |= {"entry_name": entry_name, "commands": COMMANDS}
    return {**found, "may": allowed(actor, "conversation.command"), "forms": asked.house.settings.forms}


async def older(asked: Asked) -> Response:
    """GET /conversations/{number}/older?before=SEQ: earlier messages, oldest first."""
    number, before = asked.path("number"), asked.number("before", 1)

    def read(c: Connection) -> list[dict[str, Any]]:
        here = talks.talk(c, asked.actor, number)
        return talks.older(c, asked.actor, here["chat_id"], before, FIRST)

    rows = await asked.read(read)
    return JSONResponse({"messages": [event_data(row) for row in rows], "more": bool(rows) and rows[0]["seq"] > 1})


async def look(asked: Asked) -> Response:
    """POST /conversations/{number}/seen {seq, looking, typing}: how far one has read, and whether one types."""
    data, actor, number = await asked.data(), asked.actor, asked.path("number")
    seq, typing, looking = data.get("seq"), data.get("typing") is True, data.get("looking") is not False
    if type(seq) is not int or not fits(str(seq)):
        raise HttpError(400, "seq must be the number of a message")

    def write(c: Connection) -> dict[str, Any]:
        here = talks.talk(c, actor, number)
        talks.look(c, actor, here, seq, looking=looking, typing=typing)
        return here

    here = await asked.write(write)
    if typing and here["mine"]:
        asked.house.typing(here["channel"], here["address"], "agent")
    return JSONResponse({})


async def phrases(asked: Asked) -> Response:
    """GET /conversations/{number}/canned: the company's phrases in the customer's language, filled in."""
    number = asked.path("number")
    here = await asked.read(lambda c: talks.talk(c, asked.actor, number))
    return JSONResponse({"phrases": canned.filled(here, asked.actor.name, asked.house.settings.company)})


async def answers(asked: Asked) -> Response:
    """GET /faq/search?q=&lang=: what the FAQ would answer, best first."""
    question, lang = asked.query("q").strip(), asked.query("lang", asked.look.language)[:8]
    return JSONResponse({"answers": await answers_to(asked.house.shelf.now.knowledge, question, lang)})


async def suggested(asked: Asked) -> Response:
    """GET /conversations/{number}/suggested: what the FAQ would say to the customer's last question."""
    number = asked.path("number")

    def read(c: Connection) -> tuple[list[str], str]:
        here = talks.talk(c, asked.actor, number)
        return said(c, here["id"]), here["lang"]

    words, lang = await asked.read(read)
    return JSONResponse({"answers": await suggestions(asked.house.shelf.now, words, lang)})


async def retry(asked: Asked) -> Response:
    """POST /conversations/{number}/retry {reply}: send a failed message of this conversation once more."""
    data, number = await asked.data(), asked.path("number")
    reply = data.get("reply")
    if not isinstance(reply, int) or not fits(str(reply)):
        raise HttpError(400, "reply must be the number of a reply")
    try:
        await asked.write(lambda c: talks.resend(c, asked.actor, number, reply))
    except NoSuchDead as error:
        raise HttpError(409, str(error)) from error
    asked.house.woken()
    return JSONResponse({})
