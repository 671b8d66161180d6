"""A free question: known, nearly known, or not known."""

from __future__ import annotations

from bot.dialogue import Learn
from bot.flows import journal, matter, wishes
from bot.flows.draft import Draft
from bot.flows.reading import SUBJECT, bare, given_freely, is_question


def outcome(draft: Draft) -> str:
    """What the knowledge makes of the words: answer, choose, unknown, intent; "" = nothing was asked."""
    return draft.ranking.outcome if draft.ranking else ""


def answer(draft: Draft) -> bool:
    """A question we are sure of."""
    if outcome(draft) != "answer" or not draft.ranking:
        return False
    draft.open()
    entry, before = draft.ranking.candidates[0].entry, draft.talk.last_question if draft.talk.unknowns == 1 else ""
    more = {"question": draft.words[:SUBJECT], "rephrased": before}
    draft.asked_freely()
    journal.begin(draft, "answer", entry=entry, why=dict(draft.ranking.why), **more)
    return True


def contacted(draft: Draft) -> bool:
    """How to reach the customer, told without being asked: kept, and added to the ticket there is."""
    ours = bare(draft.turn.policy.company.get("phone", ""))
    contact = given_freely(draft.heard)
    if not contact or bare(contact) == ours:
        return False
    draft.open()
    draft.do(Learn("contact", contact))
    tells = matter.letters(draft.words) - matter.letters(contact) >= matter.TELLING + matter.GRIEVANCE
    if tells and outcome(draft) == "answer":
        return False
    if tells:
        draft.asked_freely()
    if number := draft.talk.extra.get("ticket"):
        draft.add(number, draft.words)
        draft.say("human.contact_noted", contact=contact, number=number)
    else:
        draft.say("contact.kept", *wishes.WAYS_ON, contact=contact)
    return True


def choose(draft: Draft) -> bool:
    """Two answers about as likely: did you mean …? Who is angry is not asked that."""
    offers = wishes.offers(draft)
    waits = draft.own_ticket("urgent") and not is_question(draft.words)  # a person wants to know this
    if outcome(draft) != "choose" or not offers or waits or (draft.meant and draft.meant.angry):
        return False
    draft.open()
    draft.asked_freely()
    draft.remember(unknowns=0)
    journal.begin(draft, "choose", question=draft.words[:SUBJECT], offers=offers)
    return True


def unknown(draft: Draft) -> bool:
    """Nothing we know."""
    draft.open()
    draft.asked_freely()
    times = draft.talk.unknowns + 1
    draft.remember(unknowns=times)
    near = [button for button in wishes.offers(draft) if button.startswith("ans:")]
    angry = bool(draft.meant and draft.meant.angry)
    more = {"question": draft.words[:SUBJECT], "offers": near, "angry": angry, "times": times}
    more["soothed"] = bool(draft.talk.extra.get("soothed"))
    more |= {"open": draft.own_ticket("emergency", "urgent", "complaint"), "asks": is_question(draft.words)}
    journal.begin(draft, "unknown", **more)
    if angry:
        draft.keep(soothed=not more["soothed"] or None)  # never the same words twice in a row
    return True
