"""A score for one cycle of one conversation."""

from __future__ import annotations

from bot.dialogue import Alarm, Fact, Rate
from bot.flows import reading
from bot.flows.steps import SKIP, Add, Ask, Flow, Known, Look, Say, Ticket

LOW, FAIR = 2, 3  # scores up to which a customer is unhappy, or not quite happy


def rating(known: Known) -> Flow:
    """Keep it; a low one becomes somebody's task at once, saying why; then a comment, if the customer likes."""
    conversation, cycle, score = known["conversation"], known["cycle"], known["score"]
    yield Rate(conversation, cycle, score)
    recovery = known.get("recovery", "")
    if score > LOW:
        if recovery:
            yield Add(recovery, f"{score}/5")
        yield Say("rating.thanks" if score > FAIR else "rating.fair")
    elif recovery:
        yield Say("rating.low_again", number=recovery)
    else:
        details = {"reason": "low rating", "score": score, "conversation": conversation, "cycle": cycle}
        reach = {"contact": known.get("contact", ""), "product": known.get("product", "")}
        lead = yield Look("lead", known.get("agent", ""))
        opened = yield Ticket("recovery", known["about"], "high", {**details, **reach}, lead)
        recovery = opened["number"]
        yield Alarm("low_rating", f"{conversation} {score}/5", lead, role="supervisor", ticket=recovery)
        yield Say("rating.low", **opened)
    if known.get("busy"):  # another flow waits for its answer
        return
    comment = yield Ask("comment", reading.comment, options=(SKIP,), free=True, light=True)
    if comment == SKIP:
        yield Say("rating.noted")
        return
    yield Rate(conversation, cycle, score, comment)
    yield Fact("commented", {"conversation": conversation, "score": score})
    if recovery:
        yield Add(recovery, comment)
    yield Say("rating.noted")
