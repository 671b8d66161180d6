"""Fire, smoke, electric shock: safety first, then people, and no form before them."""

from __future__ import annotations

from bot.dialogue import Alarm, Fact
from bot.flows.human import reached
from bot.flows.steps import Add, Flow, Known, Say, Ticket


def emergency(known: Known) -> Flow:
    """What to do now; the matter is with people before anything is asked."""
    yield Alarm("emergency", known["words"])
    yield Say("emergency.advice")
    if number := known.get("open"):
        yield Add(number, known["words"])
        yield Say("emergency.added", number=number)
    else:
        details = {
            "reason": known["danger"],
            **{name: known.get(name, "") for name in ("product", "address", "contact")},
        }
        opened = yield Ticket("emergency", known["words"], "urgent", details)
        number = opened["number"]
        yield Add(number, known.get("before", ""))
        yield Fact("handed_over", {"reason": "emergency", "ticket": number})
        yield Say("emergency.taken", **opened)
    if known.get("called"):
        yield Say("emergency.called")
    yield from reached(number, known)
