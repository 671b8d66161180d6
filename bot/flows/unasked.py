"""Facts told without being asked: details of a matter, and how to reach the customer; kept where people read them."""

from __future__ import annotations

from typing import Final

from bot.dialogue import Learn
from bot.flows import matter, opening, particulars, wishes
from bot.flows.clause_wishes import heads_with_wish, wished_within
from bot.flows.draft import Draft
from bot.flows.lengths import GRIEVANCE, MATTER, letters
from bot.flows.progress import FINISHED
from bot.flows.questions import offered_form, outcome, still_meant, together
from bot.flows.wording import bare

WITH_NONE: Final = 2  # "none of these" and one wish


def details_told(draft: Draft) -> bool:
    """Only a product, a number, a day: kept for the matter, and no question about it is made up."""
    if not particulars.only_details(draft):
        return False
    if number := matter.just_opened(draft) or draft.own_ticket("emergency", "urgent", "complaint"):
        draft.add(number, draft.words)
        draft.say("flow.added", number=number)
    elif not (draft.talk.unknowns and not draft.heard.numbers and together(draft)):
        draft.open()
        bare_so_far = not draft.talk.extra.get("told") or draft.talk.extra.get("bare")  # details alone are none
        draft.asked_freely()
        draft.keep(bare=bare_so_far or None)
        if meant := still_meant(draft):
            again = draft.talk.extra.get("noted") == draft.number
            wish = offered_form(draft) if again else ""
            draft.keep(noted=draft.number)
            if wish:  # who fills in a form does not only ask about it
                opening.ticket(draft, wish)
            elif not again:
                draft.say("details.choose", *meant)
            if wish or not again:
                return True
        draft.say("details.also" if draft.talk.extra.get("noted") == draft.number else "details.noted", *wishes.WAYS_ON)
        draft.keep(noted=draft.number)
    return True


def contacted(draft: Draft) -> bool:
    """How to reach the customer, told without being asked: kept, and added to the ticket there is."""
    contact = matter.contact(draft)
    if not contact:
        return False
    draft.open()
    draft.do(Learn("contact", contact))
    tells = letters(draft.words) - letters(contact) >= MATTER + GRIEVANCE
    number = draft.talk.extra.get("ticket")
    if tells and outcome(draft) == "answer":
        return False
    if tells and not number and (heads_with_wish(draft) or wished_within(draft)):
        return True
    if tells:
        draft.asked_freely()
    lacking = unreached(draft, contact)
    for one in lacking if tells and not number else ():
        draft.add(one, draft.words)
    agrees = not number and matter.still_open(draft) and not draft.talk.extra.get("bare")
    several = sum(choice.startswith("do:") for choice in still_meant(draft)) > WITH_NONE
    if agrees and (wish := "ticket" if several else offered_form(draft)):
        opening.ticket(draft, wish)  # "shall I pass it on?" and how to reach him: he agrees
    elif numbers := list(dict.fromkeys([number, *lacking] if number else () if tells else lacking)):
        for one in numbers:
            draft.add(one, draft.words)
        draft.keep(ticket=numbers[0])
        draft.say("human.contact_noted", contact=contact, number=", ".join(numbers))
    else:
        draft.say("contact.kept", *wishes.WAYS_ON, contact=contact)
    return True


def unreached(draft: Draft, contact: str) -> list[str]:
    """The customer's tickets under way, the newest first, whose people do not know yet that he is reached there."""
    known = bare(contact) == bare(str(draft.turn.customer.get("contact", "")))
    return [] if known else [one.number for one in draft.turn.tickets if one.state not in FINISHED]
