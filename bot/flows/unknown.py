"""A question we do not know the answer to."""

from __future__ import annotations

from bot.dialogue import Note
from bot.flows.steps import Flow, Known, Say

WAYS_ON = ("do:ticket", "do:human")


def unknown(known: Known) -> Flow:
    """Say so honestly and ask for one rephrase; the second time offer the nearest questions, a ticket, a person."""
    yield Note("unknown", {"question": known.get("question", "")})
    offers = known.get("offers", ())
    if known.get("angry"):
        yield Say("unknown.angry", *WAYS_ON, "do:complaint")
    elif known["times"] == 1:
        yield Say("unknown.rephrase")
    elif offers:
        yield Say("unknown.nearest", *offers, *WAYS_ON)
    else:
        yield Say("unknown.again", *WAYS_ON)
