"""A promise we did not keep."""

from __future__ import annotations

from bot.dialogue import Alarm, Fact
from bot.flows.steps import Flow, Known, Say


def overdue(known: Known) -> Flow:
    """People are told every day; the customer hears an honest apology, once."""
    yield Alarm("ticket_overdue", known["number"], known.get("agent"), ticket=known["number"])
    if known.get("apologise"):
        yield Fact("apologised", {"ticket": known["number"]})
        yield Say("ticket.overdue", number=known["number"])
