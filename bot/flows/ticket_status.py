"""How far a ticket is: the customer's own ones only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.flows.steps import Flow, Known, Look, Say
from bot.texts import Word, Written
from handoff.standards import MEASURED

SHOWN = 5


def ticket_status(known: Known) -> Flow:
    """One ticket or all open ones; somebody else's number, an invented one and none at all sound the same."""
    if number := known.get("number"):
        found = yield Look("ticket", number)
        tickets = [found] if found else []
    else:
        tickets = yield Look("tickets")
    if tickets:
        done = [f"do:reopen:{t['number']}" for t in tickets[:1] if t["finished"]]
        yield Say("status.list", *done, tickets=tuple(line(t) for t in tickets[:SHOWN]))
    else:
        again = known.get("again")
        yield Say("status.none_again", "do:human", "do:ticket") if again else Say("status.none", "do:ticket")


def line(ticket: Mapping[str, Any]) -> Word:
    """One ticket as one line, with the last word on it and what is promised."""
    return Word(
        "status.noted" if ticket["last_word"] else "status.line",
        {
            "number": ticket["number"],
            "kind": Written(ticket["label"]) if ticket["label"] else Word("kind.other"),
            "state": Word(f"state.{ticket['state']}", otherwise="state.new"),
            "subject": ticket["subject"],
            "note": ticket["last_word"],
            "due": due(ticket),
        },
    )


def due(ticket: Mapping[str, Any]) -> Word:
    """When the customer hears from us, and when it will be settled; honestly, where that was to be before now."""
    if ticket["finished"]:
        return Word("status.finished")
    if ticket["state"] == "waiting_customer":
        return Word("status.rests")
    said = [_promised(ticket, name) for name in MEASURED if name in ticket["promised"]]
    if not said:
        return Word("status.late") if ticket["overdue"] else Word("status.due", {"when": ticket["due"]})
    return said[0] if len(said) == 1 else Word("status.both", {"first": said[0], "then": said[-1]})


def _promised(ticket: Mapping[str, Any], name: str) -> Word:
    solution = name == "resolution"
    if name in ticket["late"]:
        return Word("status.solution_late" if solution else "status.late")
    return Word("status.solution" if solution else "status.answer", {"when": ticket["promised"][name]})
