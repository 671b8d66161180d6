"""A complaint: taken seriously, numbered at once, and the customer chooses what happens."""

from __future__ import annotations

from typing import Final

from bot.cues import cue
from bot.dialogue import Alarm, Fact
from bot.flows import reading, wording
from bot.flows.human import reached
from bot.flows.reading import Heard
from bot.flows.steps import LEFT, SKIP, Add, Ask, Flow, Known, Say, Ticket

WISHES: Final = ("call", "repair", "exchange", "supervisor", "record")

_SUPERVISOR = cue("complaint.supervisor")
_REMEDY = cue("complaint.remedy")
_CALLS = cue("complaint.calls")


def wished(heard: Heard) -> str | None:
    """What would put it right: one of the buttons in other words, or what the customer says himself."""
    if heard.yes_no == "no" or heard.intent == "thanks":
        return "record"
    if _SUPERVISOR.heard(heard.text):
        return "supervisor"
    if reading.calls(heard) or (_CALLS.heard(heard.text) and not reading.refused(heard)):
        return "call"
    if heard.intent in ("repair", "exchange"):
        return heard.intent
    if wording.is_question(heard.text) or heard.intent in reading.NO_MATTER:
        return None
    return heard.text[: reading.SUBJECT] if _REMEDY.heard(heard.text) else None


def complaint(known: Known) -> Flow:
    """An apology and a number before anything else; then what went wrong, and what would put it right."""
    if number := known.get("open"):
        yield Add(number, known["words"])
        yield Say("complaint.again", number=number)
    else:
        details = {name: known.get(name, "") for name in ("product", "contact")}
        opened = yield Ticket("complaint", known.get("what") or known["words"], "high", details)
        number = opened["number"]
        yield Fact("complained", {"ticket": number})
        yield Add(number, known.get("before", ""))
        yield Say("complaint.sorry", **opened)
        if not known.get("what"):
            what = yield Ask("what", reading.comment, options=(SKIP,), free=True)
            yield Add(number, what if what != SKIP else "")
    wish = yield Ask("wish", wished, options=WISHES, free=True)
    chosen = wish in WISHES
    if wish != LEFT:  # what he has told instead is with his complaint already
        yield Add(number, key=f"complaint.wish.{wish}") if chosen else Add(number, wish)
    if wish == "supervisor":
        yield Alarm("supervisor", number, role="supervisor", ticket=number)
    yield Say(f"complaint.{wish}" if chosen else "complaint.record" if wish == LEFT else "complaint.own", number=number)
    if wish != "record":
        yield from reached(number, known)
