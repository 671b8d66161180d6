"""A question we do not know the answer to."""

from __future__ import annotations

from bot.dialogue import Alarm, Fact
from bot.flows.steps import Add, Flow, Known, Say

WAYS_ON = ("do:ticket", "do:human")


def unknown(known: Known) -> Flow:
    """Say so honestly and ask for one rephrase; the second time offer the nearest questions, a ticket, a person.

    Who is in a hurry is offered people at once.
    """
    offers = known.get("offers", ())
    yield Fact("unknown", {"question": known.get("question", ""), "nearest": offers})
    if number := known.get("open"):  # people have the matter already
        yield Add(number, known.get("question", ""))
        yield Say("unknown.added" if known.get("asks") else "flow.added", number=number)
    elif known.get("angry"):
        yield Alarm("angry", known.get("question", ""))
        yield Say("unknown.angry_again" if known.get("soothed") else "unknown.angry", *WAYS_ON, "do:complaint")
    elif known.get("told_on"):  # he tells more of what people are to see to
        yield Say("details.also" if known.get("told_again") else "unknown.noted", *WAYS_ON)
    elif known.get("long"):
        yield Say("unknown.long", *WAYS_ON)
    elif known.get("ours"):
        yield Say("unknown.ours", *WAYS_ON, "do:complaint")
    elif known["times"] == 1 and known.get("tells"):
        yield Say("unknown.told", *WAYS_ON)
    elif known["times"] == 1:
        yield Say("unknown.again", *WAYS_ON) if known.get("urgent") else Say("unknown.rephrase")
    elif offers:
        yield Say("unknown.nearest", *offers, *WAYS_ON)
    else:
        yield Say("unknown.again", *WAYS_ON)
