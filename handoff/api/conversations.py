"""Conversations: lists, one of them, and what can be done to it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from sqlalchemy import Connection

from bot.rows import event_data
from bot.text import clean
from handoff.access import allowed
from handoff.api import customers, paging, requests
from handoff.api.gate import Caller, Commander
from handoff.api.paging import Cursor, Limit
from handoff.console import canned
from handoff.packet import packet
from handoff.reading import answers, files, lists, talks, tickets

Number = Annotated[str, Path(pattern=r"^C-[0-9A-Z]{8}$", description="Of the conversation.")]


async def conversations(
    call: Caller,
    tab: Annotated[Literal["mine", "queue", "team", "all", "closed"], Query(description="As in the inbox.")] = "all",
    only: Annotated[str, Query(max_length=64, description="unread, or a channel's name.")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """Conversations of a tab of the inbox: the newest first, of the queue the next first."""
    after = paging.after(cursor, 3 if tab == "queue" else 1)
    rows = await call.read(lambda c: lists.page(c, call.actor, tab, after=after, only=clean(only), most=limit + 1))
    return paging.page(rows, limit, lambda line: lists.place(line, tab))


async def search(
    call: Caller, q: Annotated[str, Query(min_length=1, max_length=200, description="All the words must be there.")]
) -> Any:
    """Conversations and tickets in which something was said, or of such a customer; the newest 60 and 100."""

    def read(c: Connection) -> dict[str, Any]:
        talked = lists.found(c, call.actor, clean(q))
        if not allowed(call.actor, "ticket.read"):
            return {"conversations": talked, "tickets": []}
        work = tickets.page(c, call.actor, tickets.found(c, call.actor, clean(q)), before=0, most=tickets.SHOWN)
        return {"conversations": talked, "tickets": [dict(row._mapping) for row in work]}

    return await call.read(read)


async def conversation(call: Caller, number: Number) -> Any:
    """Everything about one conversation but its messages: whose it is, the customer, what people need to know."""

    def read(c: Connection) -> dict[str, Any]:
        here = talks.talk(c, call.actor, number)
        known, who = packet(c, number), customers.known(c, call.actor, here["customer_id"])
        told = known and {
            **asdict(known),
            "lines": [{"author": author, "text": text} for author, text in known.lines],
            "tried": [{"entry": entry, "confidence": sure} for entry, sure in known.tried],
        }
        return {**here, "packet": told, "customer": who}

    return await call.read(read)


async def messages(call: Caller, number: Number, cursor: Cursor = "", limit: Limit = 50) -> Any:
    """What was said in a conversation, the newest first, with what became of each message that was sent."""
    before = paging.before(cursor) or 2**31 - 1

    def read(c: Connection) -> list[dict[str, Any]]:
        here = talks.talk(c, call.actor, number)
        rows = talks.older(c, call.actor, here["chat_id"], min(before, 2**31 - 1), limit + 1, here["id"])
        sent = talks.delivery(c, here["chat_id"], rows[0]["seq"] - 1) if rows else {}
        return [{**event_data(row), "delivery": sent.get(row["seq"])} for row in reversed(rows)]

    return paging.page(await call.read(read), limit, lambda row: (row["seq"],))


async def course(call: Caller, number: Number) -> Any:
    """Internal notes, and who had the conversation when: the first 500 of each."""

    def read(c: Connection) -> dict[str, Any]:
        happened = talks.beats(c, talks.talk(c, call.actor, number)["id"], {"remark": 0, "deed": 0})
        return {"notes": [dict(row._mapping) for row in happened["remarks"]], "deeds": happened["deeds"]}

    return await call.read(read)


async def phrases(call: Caller, number: Number) -> Any:
    """The company's standard phrases in the customer's language, filled in."""
    here = await call.read(lambda c: talks.talk(c, call.actor, number))
    return canned.filled(here, call.actor.name, call.house.settings.company)


async def suggested(call: Caller, number: Number) -> Any:
    """What the FAQ would say to the customer's last question, best first."""

    def read(c: Connection) -> tuple[list[str], str]:
        here = talks.talk(c, call.actor, number)
        return answers.said(c, here["id"]), here["lang"]

    words, lang = await call.read(read)
    return await answers.suggested(call.house.shelf.now, words, lang)


async def upload(call: Caller, number: Number) -> Any:
    """Keep a file for this conversation, to be sent or put to a note: the body itself (its name, percent-encoded, in
    X-File-Name), or the first file of a form."""
    return await files.keep(call.house, number, call.request)


async def download(call: Caller, number: Number, id: Annotated[str, Path(pattern=r"^[\w-]{1,64}$")]) -> Any:
    """A file of this conversation."""
    return await files.served(call.house, number, clean(id))


async def seen(call: Caller, number: Number, body: requests.Seen) -> Any:
    """Say how far the talk was read, and whether somebody looks at it or types, for 15 seconds."""

    def write(c: Connection) -> dict[str, Any]:
        here = talks.talk(c, call.actor, number)
        talks.look(c, call.actor, here, body.seq, looking=body.looking, typing=body.typing)
        return here

    here = await call.write(write)
    if body.typing and here["mine"]:
        call.house.typing(here["channel"], here["address"], "agent")
    return {}


async def resend(
    call: Caller, number: Number, reply: Annotated[int, Path(ge=1, le=10**15, description="As delivery says.")]
) -> Any:
    """Send a message that failed once more."""
    await call.write(lambda c: talks.resend(c, call.actor, number, reply))
    call.house.woken()
    return {"number": number}


# ---------------------------------------------------------------- commands


async def claim(call: Commander, number: Number, body: requests.Claim = requests.CLAIM) -> Any:
    """Take the conversation; of several who try, one wins."""
    return await call.command(number, "claim", body)


async def say(call: Commander, number: Number, body: requests.Say) -> Any:
    """Say something to the customer. It takes the conversation by itself, and opens the last matter again."""
    return await call.command(number, "say", body)


async def start(call: Commander, number: Number, body: requests.Say) -> Any:
    """Open a new matter with the same customer by saying something."""
    return await call.command(number, "start", body)


async def note(call: Commander, number: Number, body: requests.Note) -> Any:
    """Leave a note for colleagues; it is never sent."""
    return await call.command(number, "remark", body)


async def back(call: Commander, number: Number, body: requests.Nothing = requests.NOTHING) -> Any:
    """Give it back to the bot, which starts fresh and says so."""
    return await call.command(number, "back", body)


async def transfer(call: Commander, number: Number, body: requests.Transfer) -> Any:
    """Pass it on to a colleague who is online and has room, or to a team of which somebody is there."""
    return await call.command(number, "transfer", body)


async def snooze(call: Commander, number: Number, body: requests.Snooze) -> Any:
    """Put it aside until then, or until the customer writes."""
    return await call.command(number, "snooze", body)


async def close(call: Commander, number: Number, body: requests.Close = requests.CLOSE) -> Any:
    """The matter is settled; the customer is asked for a rating."""
    return await call.command(number, "close", body)


async def reopen(call: Commander, number: Number, body: requests.Claim = requests.CLAIM) -> Any:
    """Open the last matter again, and take it."""
    return await call.command(number, "reopen", body)


async def language(call: Commander, number: Number, body: requests.Language) -> Any:
    """From now on the customer is spoken to in this language."""
    return await call.command(number, "language", body)


async def open_ticket(call: Commander, number: Number, body: requests.NewTicket) -> Any:
    """Open a ticket for the customer; he is told its number."""
    return await call.command(number, "ticket_open", body)


async def promise(call: Commander, number: Number, body: requests.NewPromise) -> Any:
    """Promise the customer something by a time; he is told, and whoever promised is reminded."""
    return await call.command(number, "promise", body)


async def end_promise(
    call: Commander,
    number: Number,
    promise: Annotated[str, Path(pattern=r"^P-[0-9A-Z]{8}$")],
    body: requests.PromiseEnd,
) -> Any:
    """Say what became of a promise: kept, with what proves it; renegotiated before it was due; or broken."""
    return await call.command(number, "promise_end", body, promise=clean(promise))
