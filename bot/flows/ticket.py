"""A matter for people: what happened, to which product, how to reach the customer; confirmed, then numbered."""

from __future__ import annotations

from typing import Any

from bot.dialogue import Learn
from bot.flows import reading
from bot.flows.steps import LEFT, SKIP, Ask, Flow, Known, Say, Ticket
from bot.texts import Word


def ticket(known: Known) -> Flow:
    """Ask only what is missing, show it once, and give a number and a time; also to who left in the middle."""
    asks = {
        "what": Ask("what", reading.words, free=True),
        "product": Ask("product", reading.product, names=tuple(known.get("products", ())), options=(SKIP,)),
        "contact": Ask("contact", reading.contact, options=(SKIP,), key="ask.contact"),
    }
    told = dict(known)
    for part, ask in asks.items():
        if part == "product" and not told.get(part):
            told[part] = reading.mentioned(told["what"], known.get("products", ()))
        if not told.get(part):
            yield from filled(told, part, ask)
    told["what"] = "\n".join(filter(None, (told["what"], known.get("more", ""))))
    while (sure := known.get("sure") or (yield confirmation(told))) == "change":
        if (part := (yield Ask("part", reading.button, options=tuple(asks)))) != LEFT:
            yield from filled(told, part, asks[part])
    if sure == "no":
        yield Say("ticket.dropped")
        return
    contact, product = (told[part] if told[part] != SKIP else "" for part in ("contact", "product"))
    opened = yield Ticket(known["kind"], told["what"], known["priority"], {"product": product, "contact": contact})
    if contact:
        yield Learn("contact", contact)
    if product in known.get("products", ()):
        yield Learn("product", product)
    if sure == LEFT:
        yield Say("ticket.left", "do:ticket_status", what=told["what"], **opened)
    else:
        yield Say("ticket.opened", "do:ticket_status", **opened)


def filled(told: dict[str, Any], part: str, ask: Ask) -> Flow:
    """One part of it, asked for; what was told before stands if nobody answers."""
    answer = yield ask
    told[part] = told.get(part) or SKIP if answer == LEFT else answer


def confirmation(told: dict[str, Any]) -> Ask:
    """Everything on one card."""
    parts = {part: told[part] for part in ("what", "product", "contact")}
    values = {part: Word("ask.skipped") if said == SKIP else said for part, said in parts.items()}
    return Ask("confirm", reading.yes_no, options=("yes", "change", "no"), values=values)
