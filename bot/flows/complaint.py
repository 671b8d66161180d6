"""A complaint: taken seriously, numbered at once, and the customer chooses what happens."""

from __future__ import annotations

import re

from bot.dialogue import Alarm, Note
from bot.flows import reading
from bot.flows.human import reached
from bot.flows.reading import Heard
from bot.flows.steps import SKIP, Add, Ask, Flow, Known, Say, Ticket

_SUPERVISOR = re.compile(r"\b(?:supervisor|manager|boss)\b|经理|主管|领导|负责人|老板", re.IGNORECASE)


def wished(heard: Heard) -> str | None:
    """A repair, an exchange or a supervisor in other words than the button's."""
    if _SUPERVISOR.search(heard.text):
        return "supervisor"
    return heard.intent if heard.intent in ("repair", "exchange") else None


def complaint(known: Known) -> Flow:
    """An apology and a number before anything else; then what went wrong, and what would put it right."""
    if number := known.get("open"):
        yield Add(number, known["words"])
        yield Say("complaint.again", number=number)
    else:
        details = {name: known.get(name, "") for name in ("product", "contact")}
        opened = yield Ticket("complaint", known.get("what") or known.get("about") or known["words"], "high", details)
        number = opened["number"]
        yield Note("complained", {"ticket": number})
        yield Say("complaint.sorry", **opened)
        if not known.get("what"):
            what = yield Ask("what", reading.comment, options=(SKIP,), free=True)
            yield Add(number, what if what != SKIP else "")
    wish = yield Ask("wish", wished, options=("call", "repair", "exchange", "supervisor", "record"))
    yield Add(number, key=f"complaint.wish.{wish}")
    if wish == "supervisor":
        yield Alarm("supervisor", number, role="supervisor", ticket=number)
    yield Say(f"complaint.{wish}", number=number)
    if wish != "record":
        yield from reached(number, known)
