"""A free question: known, nearly known, or not known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bot import texts
from bot.dialogue import Learn
from bot.flows import fields, journal, matter, wishes
from bot.flows.draft import Draft
from bot.flows.lengths import CLAUSE, GRIEVANCE, MATTER, REMARK, STORY, letters
from bot.flows.reading import SUBJECT
from bot.flows.wording import bare, clauses, is_question
from intents.language import is_foreign

if TYPE_CHECKING:
    from knowledge.index import Ranking

PARTS: Final = 20  # clauses of a long message that are looked at for a wish
CLAUSES: Final = 3  # questions of one message that are looked at
_DECLINES = re.compile(r"\b(?:don'?t|do not) (?:want|need)\b|不(?:想|要|用|需要)", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[?？;；]+|\b(?:and also|also|another (?:thing|question)|plus|and (?=how|what|when|where|can|is|do))\b"
    r"|[,，。]?(?:另外|还有就是|还有|以及|顺便|再问一下|同时)",
    re.IGNORECASE,
)


def outcome(draft: Draft) -> str:
    """What the knowledge makes of the words: answer, choose, unknown, intent; "" = nothing was asked."""
    return draft.ranking.outcome if draft.ranking else ""


def answer(draft: Draft) -> bool:
    """A question we are sure of; what else is asked in the same message is answered as well."""
    if outcome(draft) != "answer" or not draft.ranking or bare(draft.words).isnumeric():
        return False
    angry = draft.meant is not None and draft.meant.angry and not is_question(draft.words)
    if angry and draft.ranking.candidates[0].confidence < matter.SURE:
        return False  # he wants to be heard
    if said_already(draft):
        return True
    before = draft.talk.last_question if draft.talk.unknowns == 1 else ""
    _given(draft, draft.ranking, before)
    given = {draft.ranking.candidates[0].entry}
    clauses = [clause for clause in _CLAUSE.split(draft.words)[:CLAUSES] if letters(clause) >= CLAUSE]
    for clause in clauses if len(clauses) > 1 else ():  # a single one has just been answered
        ranking = known(draft, clause)
        if ranking.outcome == "answer" and not given & {c.entry for c in ranking.candidates[:1]}:
            given.add(ranking.candidates[0].entry)
            _given(draft, ranking, "")
    return True


def _given(draft: Draft, ranking: Ranking, before: str) -> None:
    """The best answer there is; ``before``: the question that it was not found for."""
    draft.open()
    more = {"question": draft.words[:SUBJECT], "rephrased": before}
    draft.asked_freely()
    journal.begin(draft, "answer", entry=ranking.candidates[0].entry, why=dict(ranking.why), **more)


def known(draft: Draft, text: str) -> Ranking:
    """What the knowledge makes of other words than just these."""
    models = tuple(entity.value for entity in draft.meant.entities if entity.kind == "model") if draft.meant else ()
    return draft.turn.knowledge.ask(text, draft.lang, now=draft.now.date(), products=models)


def together(draft: Draft) -> bool:
    """What was not understood, said in two pieces: with the words before it may be a question we are sure of."""
    before = draft.talk.last_question if draft.number and not draft.talk.extra.get("settled") else ""
    ranking = known(draft, f"{before}\n{draft.words}") if before else None
    if ranking is None or ranking.outcome != "answer" or ranking.candidates[0].entry == draft.talk.last_entry:
        return False
    _given(draft, ranking, before)
    return True


def still_meant(draft: Draft) -> tuple[str, ...]:
    """The questions that "which of these do you mean?" asks about, while it is our last word."""
    ids = tuple(choice for choice, _ in draft.talk.offered)
    return ids if "do:none" in ids and not draft.talk.extra.get("passed") else ()


def noted(draft: Draft) -> bool:
    """Only a product, a number, a day: kept for the matter, and no question about it is made up."""
    if not fields.facts(draft):
        return False
    if not (draft.talk.unknowns and together(draft)):
        draft.open()
        bare_so_far = not draft.talk.extra.get("told") or draft.talk.extra.get("bare")  # nothing but facts is no matter
        draft.asked_freely()
        draft.keep(bare=bare_so_far or None)
        if meant := still_meant(draft):
            draft.say("facts.choose", *meant)
            return True
        draft.say("facts.also" if draft.talk.extra.get("noted") == draft.number else "facts.noted", *wishes.WAYS_ON)
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
    if tells and not number and wished_within(draft):
        return True
    if tells:
        draft.asked_freely()
    if number:
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
    if offers[0].startswith("do:") and (draft.heard.yes_no == "no" or _DECLINES.search(draft.words)):
        draft.say("nothing_more")  # that is what he does not want
        return True
    draft.asked_freely()
    draft.remember(unknowns=0)
    journal.begin(draft, "choose", question=draft.words[:SUBJECT], offers=offers)
    return True


def unknown(draft: Draft) -> bool:
    """Nothing we know."""
    if together(draft):
        return True
    if draft.heard.yes_no == "no" and any(choice.startswith("do:not_helpful") for choice, _ in draft.talk.offered):
        wishes.not_helpful(draft, "")  # "no, …" to the answer just given
        draft.tells(draft.words)
        return True
    draft.open()
    if told_of_files(draft) or told_of_ticket(draft) or in_another_language(draft):
        return True
    if letters(draft.words) >= STORY and wished_within(draft):
        return True
    draft.asked_freely()
    times = draft.talk.unknowns + 1
    draft.remember(unknowns=times)
    offers = () if bare(draft.words).isnumeric() else wishes.offers(draft)
    near = [button for button in offers if button.startswith("ans:")]
    if angry := bool(draft.meant and draft.meant.angry):
        matter.answers_did_not_help(draft)
    more = {"question": draft.words[:SUBJECT], "offers": near, "angry": angry, "times": times}
    more["long"] = letters(draft.words) >= STORY  # whoever has told so much is not asked for other words
    more["urgent"] = bool(draft.meant and draft.meant.urgent)
    more["soothed"] = bool(draft.talk.extra.get("soothed"))
    more |= {"open": draft.own_ticket("emergency", "urgent", "complaint"), "asks": is_question(draft.words)}
    journal.begin(draft, "unknown", **more)
    if angry:
        draft.keep(soothed=not more["soothed"] or None)  # never the same words twice in a row
    return True


def told_of_files(draft: Draft) -> bool:
    """What is said to files that wait for a ticket tells of them: it is kept with them."""
    if not draft.talk.extra.get("files") or is_question(draft.words) or (draft.meant and draft.meant.angry):
        return False
    draft.asked_freely()
    draft.say("facts.also" if draft.talk.extra.get("noted") == draft.number else "facts.noted", *wishes.WAYS_ON)
    draft.keep(noted=draft.number)
    return True


def told_of_ticket(draft: Draft) -> bool:
    """Few words right after a ticket was opened are about it: people read them there."""
    number, asks = matter.just_opened(draft), is_question(draft.words)
    apart = letters(draft.words) > REMARK or draft.heard.named("model") or (draft.meant and draft.meant.angry)
    if not number or apart:
        return False
    draft.note("unknown", question=draft.words)
    draft.add(number, draft.words)
    draft.say("unknown.added" if asks else "flow.added", number=number)
    return True


def in_another_language(draft: Draft) -> bool:
    """Words in a script that we do not read: say which languages we speak; a colleague may know that one."""
    if not is_foreign(draft.words):
        return False
    draft.note("unknown", question=draft.words[:SUBJECT])
    draft.asked_freely()
    spoken = draft.turn.policy.languages
    names = " / ".join(texts.say(one, "language.name") for one in spoken)
    draft.say("language.unknown", *(f"lang:{one}" for one in spoken), "do:human", languages=names)
    return True


def said_already(draft: Draft) -> bool:
    """The same answer to other words than before: given again once, for who asks wants to read it; after that it was
    not what was meant. Who does not ask tells what belongs to it.
    """
    entry = draft.ranking.candidates[0].entry if draft.ranking else ""
    again = draft.number and entry == draft.talk.last_entry and draft.lang == draft.turn.talk.language
    before = bare(draft.talk.last_question)  # "" if a ticket was opened since
    if not again or draft.talk.flow or before in ("", bare(draft.words)):
        return False
    tells = letters(draft.words) >= MATTER and not is_question(draft.words)
    if not tells and draft.talk.extra.get("again") != entry:
        draft.keep(again=entry)
        return False
    draft.asked_freely()
    if tells:
        draft.say("facts.noted", *wishes.WAYS_ON)
        return True
    draft.note("asked_back", question=draft.words[:SUBJECT], offered=[f"ans:{entry}"])
    matter.answers_did_not_help(draft)
    draft.remember(unknowns=max(1, draft.talk.unknowns))
    draft.say("answer.again", f"ans:{entry}", *wishes.WAYS_ON)
    return True


def wished_within(draft: Draft) -> bool:
    """A kind of ticket wished in one clause of a long message: all of it is what that ticket is about."""
    parts = [part for part in clauses(draft.words) if letters(part) >= CLAUSE and not is_question(part)]
    for part in parts[:PARTS]:
        ranking = known(draft, part)
        kind = ranking.candidates[0].entry.removeprefix("intent:") if ranking.outcome == "intent" else ""
        forms = draft.turn.policy.forms
        if kind and forms.wished(kind):
            draft.say("flow.kind", kind=texts.Written(forms.kinds[kind].label))
            wishes.ticket(draft, kind)
            return True
    return False
