"""How far a ticket is: the customer's own ones only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.flows.steps import Flow, Known, Look, Say
from bot.texts import Word, Written

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
        yield Say("status.none", "do:ticket")


def line(ticket: Mapping[str, Any]) -> Word:
    """One ticket as one line, with the last word on it and when to expect the next."""
    due = Word("status.late") if ticket["left"] <= 0 else Word("status.due", {"within": float(ticket["left"])})
    return Word(
        "status.noted" if ticket["note"] else "status.line",
        {
            "number": ticket["number"],
            "kind": Written(ticket["label"]) if ticket["label"] else Word("kind.other"),
            "state": Word(f"state.{ticket['state']}", otherwise="state.new"),
            "subject": ticket["subject"],
            "note": ticket["note"],
            "due": Word("status.finished") if ticket["finished"] else due,
        },
    )
