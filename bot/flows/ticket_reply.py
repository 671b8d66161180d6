"""People ask something about a ticket: the customer's answer goes there."""

from __future__ import annotations

from bot.flows.reading import SUBJECT, Heard
from bot.flows.steps import LEFT, Add, Ask, Flow, Known, Say


def ticket_reply(known: Known) -> Flow:
    """The question in the agent's words; whatever else the customer asks is answered in between."""
    key, number = "ticket.asks.again" if known.get("again") else "ticket.asks", known["number"]
    reply = yield Ask("reply", said, key=key, values={"number": number, "text": known["text"]}, free=True)
    if reply != LEFT:
        yield Add(number, reply)
        yield Say("ticket.replied", number=number)


def said(heard: Heard) -> str | None:
    """Any words: only the people who asked know what fits."""
    return heard.text[:SUBJECT] or None
