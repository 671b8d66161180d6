"""What a known wish leads to, whether it was written or a button says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from bot.dialogue import ConversationView, Learn, OpenTicket
from bot.flows import journal, line, platform
from bot.flows.draft import RATE, Draft
from bot.flows.reading import bare, ticket_number
from handoff import tickets

STARTERS: Final = ("do:ticket", "do:ticket_status", "do:human")
WAYS_ON: Final = ("do:ticket", "do:human")
OFFERED: Final = frozenset({"ticket", "ticket_status", "human", "complaint", "rating"})  # and every kind of ticket
PLEASANTRIES: Final[dict[str, tuple[str, ...]]] = {  # wish -> sentence and buttons
    "greeting": ("greeting", *STARTERS),
    "help": ("help", *STARTERS),
    "thanks": ("thanks",),
    "smalltalk": ("smalltalk", *STARTERS),
    "yes": ("go_ahead",),
    "no": ("nothing_more",),
    "cancel": ("nothing_to_cancel",),
    "back": ("nothing_to_cancel",),
}
SURE: Final = 0.8  # confidence of a wish that was not just guessed
WISH: Final = 16  # letters a bare wish may have (a Chinese character counts two) …
TELLING: Final = 20  # … and how many more tell a matter
GRIEVANCE: Final = 6  # letters beside the bare wish that tell what a complaint is about
_COMPLAINT = re.compile(  # the bare wish, in any words
    r"\b(?:i|id|ive|we|want|to|wanna|would|like|need|must|have|got|make|file|lodge|raise|register|an?|this|is|my|formal"
    r"|compl(?:ain|aint|aints|aining)|about|against|over|of|you|your|the|please|company|service|support|us|and|now)\b"
    r"|投诉|举报|我们?|[想要]|你们?|[您贵]|公司|客服|一下|登记|[请帮给的了]",
    re.IGNORECASE,
)
_COMPLAINS = re.compile(r"complain|投诉|投訴", re.IGNORECASE)
AFTERTHOUGHTS: Final = frozenset({"thanks", "yes", "no", "cancel", "back"})  # they open no new conversation


def known(draft: Draft, **more: Any) -> dict[str, Any]:
    """What a flow need not ask: the words, the product named, what the customer told before."""
    customer = draft.turn.customer
    return {
        "words": draft.words or matter(draft) or draft.text("no_words"),
        "product": draft.heard.named("model") or customer.get("product", ""),
        "contact": customer.get("contact", ""),
        **more,
    }


def telling(draft: Draft) -> str:
    """The words if they tell a matter and not only a wish."""
    wished = draft.ranking and draft.ranking.outcome == "intent"
    wish = letters(draft.ranking.candidates[0].nearest) if draft.ranking and wished else WISH
    return draft.words if letters(draft.words) >= wish + TELLING else ""


def matter(draft: Draft) -> str:
    """The question before, unless it was answered well."""
    return "" if draft.talk.extra.get("settled") else draft.talk.last_question


def complains(draft: Draft) -> bool:
    """Whether a complaint is meant: the word is said, we are sure, or there is anger in it."""
    meant = draft.meant
    return meant is None or meant.intent_confidence >= SURE or meant.angry or bool(_COMPLAINS.search(draft.words))


def held(draft: Draft, entry: str) -> str:
    """The entry, if the knowledge still holds it."""
    return entry if draft.turn.knowledge.entry(entry) else ""


def letters(text: str) -> int:
    """How much is said: a Chinese character counts two."""
    return sum(2 if char > "\u2e80" else 1 for char in bare(text))


def grant(draft: Draft, wish: str, about: str = "") -> bool:
    """Do what is wished; False if nobody knows how."""
    if wish in PLEASANTRIES:
        key, *buttons = PLEASANTRIES[wish]
        key = "thanks" if wish == "yes" and draft.talk.extra.get("settled") else key
        if wish not in AFTERTHOUGHTS or not draft.turn.last:
            draft.open()
        draft.say(key, *buttons)
    elif wish in WISHES:
        WISHES[wish](draft, about)
    elif draft.turn.policy.forms.wished(wish):
        ticket(draft, wish)
    else:
        return False
    return True


def offers(draft: Draft) -> tuple[str, ...]:
    """The nearest questions and wishes as buttons, at most three."""
    found = []
    for candidate in draft.ranking.candidates if draft.ranking else ():
        kind, _, name = candidate.entry.rpartition(":")
        button = f"do:{name}" if kind == "intent" else f"ans:{candidate.entry}"
        wish = name in OFFERED or draft.turn.policy.forms.wished(name)
        if wish if kind else draft.turn.knowledge.entry(candidate.entry):
            found.append(button)
    return tuple(dict.fromkeys(found))[:3]


def ticket(draft: Draft, kind: str, **told: str) -> None:
    """A ticket about the words, or about the question before them."""
    line.leave(draft, "ticket")
    draft.open()
    if not kind or kind == "ticket":
        entry = draft.turn.knowledge.entry(draft.talk.last_entry)
        kind = "fault" if entry and entry.topic == "faults" else "question"
    what = told.get("what") or telling(draft) or matter(draft)
    priority = "high" if draft.meant and draft.meant.urgent else "normal"
    asks = draft.turn.policy.forms.asked(kind)
    more = {"what": what, "kind": kind, "priority": priority, "asks": asks, "named": draft.heard.numbers}
    more["products"] = draft.turn.policy.products[:8]
    journal.begin(draft, "ticket", **known(draft, **{**told, **more}))


def ticket_status(draft: Draft, number: str) -> None:
    """The ticket named, or all that are open."""
    own = [t.number for t in draft.turn.tickets]
    journal.begin(draft, "ticket_status", number=number or ticket_number(draft.heard, own))


def human(draft: Draft, reason: str) -> None:
    """A person, at once and without conditions."""
    if platform.hand_over(draft, reason):
        return
    draft.open()
    flow, told = draft.talk.flow, journal.take_over(draft)
    what = told.get("what") or telling(draft) or matter(draft)
    again = reason == "error" and draft.talk.extra.get("failed")  # people have it once per conversation, then a ticket
    if not again and line.join(draft, reason or "asked", known(draft, **{**told, "what": what, "flow": flow})):
        draft.keep(failed=reason == "error" or None)
        return
    more = {**told, "what": what, "reason": reason or "asked", "open": draft.own_ticket("urgent", "emergency")}
    journal.begin(draft, "human", **known(draft, **more, **line.away(draft, reason)))


def callback(draft: Draft, _: str) -> None:
    """Rather than wait, be called: numbered, with a promise."""
    line.leave(draft, "callback")
    draft.open()
    what = matter(draft)
    journal.begin(draft, "human", **known(draft, what=what or draft.text("no_words"), reason="callback"))


def bot(draft: Draft, _: str) -> None:
    """Rather than wait, go on with the bot."""
    line.leave(draft, "cancelled")
    draft.say("line.left", *STARTERS)


def answered(draft: Draft, run: journal.Run, value: Any) -> None:
    """A flow's question is answered: on to the next; who turns in circles gets a person."""
    run.answer(value)
    if run.asked and len(run.journal) > journal.LONGEST:
        human(draft, "misses")
    else:
        run.store()
    hand_over(draft, run)


def hand_over(draft: Draft, run: journal.Run) -> None:
    """Files sent along with other words go to the people who have the matter already."""
    if draft.files and run.number:
        draft.add(run.number, "")


def complaint(draft: Draft, _: str) -> None:
    """A complaint; what was being told goes with it."""
    draft.open()
    told = journal.take_over(draft)
    grievance = draft.words if letters(_COMPLAINT.sub("", draft.words.replace("'", ""))) >= GRIEVANCE else ""
    what = "\n".join(filter(None, (told.pop("what", ""), grievance)))
    journal.begin(draft, "complaint", **{**known(draft, open=draft.own_ticket("complaint")), **told, "what": what})


def language(draft: Draft, name: str) -> None:
    """The language named, or the choice."""
    spoken = draft.turn.policy.languages
    chosen = name or draft.heard.named("language")
    if chosen in spoken:
        draft.remember(language=chosen, language_chosen=True)
        draft.do(Learn("language", chosen))
        draft.say("language.set")
    else:
        draft.say("language.ask", *(f"lang:{x}" for x in spoken))


def solved(draft: Draft, entry: str) -> None:
    """Settled: a good moment to ask how it was."""
    if held(draft, entry):
        draft.note("helped", entry=entry)
    draft.say("solved")
    settle(draft)


def goodbye(draft: Draft, _: str) -> None:
    """The customer leaves."""
    draft.say("goodbye")
    if draft.talk.answered:
        settle(draft)


def settle(draft: Draft) -> None:
    """Close what is open; ask for a rating of it."""
    if draft.number:
        here = draft.turn.conversation
        draft.ask_rating(draft.number, here.cycle if here else 1)
        draft.close("solved")


def not_helpful(draft: Draft, entry: str) -> None:
    """An apology and the ways on; a matter closed a moment ago is open again."""
    last, soon = draft.turn.last, timedelta(seconds=draft.turn.policy.rating_window)
    if last and last.closed_at and draft.now - last.closed_at <= soon:
        draft.reopen()
    draft.open()
    about = held(draft, entry) or held(draft, draft.talk.last_entry)
    draft.note("not_helpful", entry=about, question=draft.talk.last_question)
    draft.keep(settled=None)
    draft.say("not_helpful", *WAYS_ON)


def none_of_these(draft: Draft, _: str) -> None:
    """None of the questions offered was meant."""
    draft.open()
    draft.note("unknown", question=draft.talk.last_question, offered=[c for c, _ in draft.talk.offered])
    draft.say("unknown.again", *WAYS_ON)


def rating(draft: Draft, _: str) -> None:
    """The customer wants to rate: what is open now, or else what was closed last."""
    view = draft.turn.conversation or draft.turn.last
    if view is None:
        draft.say("rating.nothing")
    elif draft.meant and draft.meant.rating:
        rate(draft, f"{view.number}:{view.cycle}:{draft.meant.rating}")
    else:
        draft.say("rating.ask", *(f"rate:{view.number}:{view.cycle}:{score}" for score in RATE))


def rate(draft: Draft, of: str) -> None:
    """``of`` is number:cycle:score; a late button rates its own conversation and cycle."""
    number, _, rest = of.partition(":")
    cycle, _, score = rest.partition(":")
    if score not in RATE or not re.fullmatch("[1-9][0-9]{0,5}", cycle):
        return draft.say("button.gone")
    views = (draft.turn.conversation, draft.turn.last)
    view = next((v for v in views if v and v.number == number), None) or draft.look("rated", number)
    if view is None or int(cycle) > view.cycle:
        return draft.say("button.gone")
    rated_at = view.rated_at if int(cycle) == view.cycle else None
    if rated_at and draft.now - rated_at > timedelta(seconds=draft.turn.policy.rating_window):
        return draft.say("rating.closed")
    _rated(draft, view, int(cycle), int(score))
    return None


def _rated(draft: Draft, view: ConversationView, cycle: int, score: int) -> None:
    number = view.number
    of, recoveries = f"{number}:{cycle}", dict(draft.talk.extra.get("recoveries", {}))
    run = journal.resume(draft) if draft.talk.flow and draft.talk.flow != "rating" else None
    asked = draft.talk.extra.get("rated_about", {}).get(number, "")
    about = ": ".join(filter(None, [draft.text("rating.about", number=number, score=score), asked]))
    more = {"conversation": number, "cycle": cycle, "score": score, "recovery": recoveries.get(of, "")}
    more["agent"] = str(view.served_by or "")
    journal.begin(draft, "rating", **known(draft, **more, about=about, busy=bool(run)))
    if opened := [e.number for e in draft.effects if isinstance(e, OpenTicket)]:
        draft.keep(recoveries=dict([*recoveries.items(), (of, opened[0])][-5:]))
    if run:
        run.say_question()


WISHES: Final[dict[str, Callable[[Draft, str], None]]] = {
    "ticket": ticket,
    "ticket_status": ticket_status,
    "human": human,
    "callback": callback,
    "bot": bot,
    "complaint": complaint,
    "rating": rating,
    "language": language,
    "solved": solved,
    "not_helpful": not_helpful,
    "goodbye": goodbye,
    "none": none_of_these,
    "reopen": tickets.reopen,
}
