"""A person is wanted: the matter goes to people at once, with an honest word on when."""

from __future__ import annotations

from bot.dialogue import Fact, Learn
from bot.flows import reading
from bot.flows.steps import SKIP, Add, Ask, Flow, Known, Say, Ticket
from bot.texts import Word

TAKEN = {  # why the matter goes to people, and how that is said
    "misses": "human.misses",
    "error": "human.error",
    "callback": "human.callback",
}


def human(known: Known) -> Flow:
    """Number first, questions later: what it is about, how to reach him."""
    if number := known.get("open"):
        yield Add(number, known.get("words", ""))
        yield Say("human.already", number=number)
    else:
        details = {**known.get("slots", {}), **{name: known.get(name, "") for name in ("reason", "product", "contact")}}
        about = known.get("what") or known.get("answered") or known["words"]
        opened = yield Ticket("urgent", about, "urgent", details)
        number = opened["number"]
        yield Fact("handed_over", {"reason": known.get("reason", ""), "ticket": number})
        back = Word("human.back", {"when": known["back"]}) if known.get("back") else ""
        key = known.get("said") or TAKEN.get(known.get("reason", ""), "human.taken")
        yield Say(key, back=back, **opened)
        if not known.get("what"):
            what = yield Ask("what", reading.comment, options=(SKIP,), free=True)
            yield Add(number, what if what != SKIP else "")
            if contact := known.get("contact"):
                yield Say("human.contact_noted", contact=contact, number=number)
    yield from reached(number, known)


def reached(number: str, known: Known) -> Flow:
    """How people reach the customer, unless they know, or he has been asked and did not say."""
    if known.get("contact") or known.get("asked"):
        return
    contact = yield Ask("contact", reading.contact, options=(SKIP,), key="ask.contact")
    if contact == SKIP:
        yield Say("human.no_contact", number=number)
    else:
        yield Learn("contact", contact)
        yield Add(number, contact)
        yield Say("human.contact_noted", contact=contact, number=number)
