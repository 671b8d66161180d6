"""A free question: known, nearly known, or not known."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from bot.cues import cue
from bot.flows import buttons, fields, journal, matter, opening, wishes
from bot.flows.clause_wishes import wished_with_matter, wished_within
from bot.flows.draft import Draft
from bot.flows.lengths import BARE_WISH, BESIDE, CLAUSE, MATTER, REMARK, SCRAP, STORY, letters
from bot.flows.reading import SUBJECT
from bot.flows.ticket import SKIPS
from bot.flows.wording import bare, is_question

if TYPE_CHECKING:
    from knowledge.index import Ranking

CLAUSES: Final = 3  # questions of one message that are looked at
MOST: Final = 0.7  # of a message: who says so much in one clause means that clause
_DECLINES = cue("questions.declines")
_WANTS = cue("clause_wishes.wants")
_BOTH = cue("questions.both")
_ALL = cue("questions.all")
_FORBIDS = cue("questions.forbids")
_ADDS = cue("questions.adds")
_CLAUSE = re.compile(
    r"[?？;；]+|\b(?:and also|also|another (?:thing|question)|plus"
    r"|and (?=(?:how|what|when|where|why|who|which|can|is|are|do|does|will)\b))\b"
    r"|[,，。]?(?:另外|还有就是|还有|以及|顺便|再问一下|同时)",
    re.IGNORECASE,
)
_AND = re.compile(r"\band\b|[:：,，。;；]|和|而且|并且|以及", re.IGNORECASE)


def outcome(draft: Draft) -> str:
    """What the knowledge makes of the words: answer, choose, unknown, intent; "" = nothing was asked."""
    return draft.ranking.outcome if draft.ranking else ""


def answer(draft: Draft) -> bool:
    """A question we are sure of; what else is asked in the same message is answered as well, or asked back."""
    asked = _asked(draft) if outcome(draft) in ("answer", "choose") else []
    sure = [ranking for ranking in asked if ranking.outcome == "answer"]
    whole, few = draft.ranking if outcome(draft) == "answer" else None, 1
    if whole and sure and whole.candidates[0].entry in _forbidden(draft):
        whole, few = None, 0  # "how do I reset it? Don't tell me to restart it"
    first = whole or (sure[0] if len({ranking.candidates[0].entry for ranking in sure}) > few else None)
    if not first or bare(draft.words).isnumeric():
        return False
    angry = draft.meant is not None and draft.meant.angry and not is_question(draft.words)
    if angry and first.candidates[0].confidence < matter.SURE:
        return False  # he wants to be heard
    if whole and said_already(draft):
        return True
    before = draft.talk.last_question if draft.talk.unknowns == 1 else ""
    given = set[str]()
    for ranking in (first, *sure):
        if ranking.candidates[0].entry not in given:
            given.add(ranking.candidates[0].entry)
            _given(draft, ranking, before if ranking is first else "")
    _asks_back(draft, asked, given)
    return True


def _asked(draft: Draft) -> list[Ranking]:
    """What the knowledge makes of each clause of a message that has several; one that is most of what has an answer is
    not asked again.
    """
    clauses = [clause.strip() for clause in _CLAUSE.split(draft.words)[:CLAUSES] if letters(clause) >= CLAUSE]
    if len(clauses) > 1:
        most = MOST * letters(draft.words) if outcome(draft) == "answer" else math.inf
        rest = (clause for clause in clauses if letters(clause) < most and not _FORBIDS.heard(clause))
        return [matter.ranked(draft, clause) for clause in rest]
    told = [clause for clause in _AND.split(draft.words)[:CLAUSES] if letters(clause) >= CLAUSE]
    if len(told) < 2 or outcome(draft) != "choose":
        return []
    likely, found = set(wishes.offers(draft)), [matter.ranked(draft, clause) for clause in told]
    return [one for one in found if one.outcome == "answer" and f"ans:{one.candidates[0].entry}" in likely]


def _forbidden(draft: Draft) -> set[str]:
    """What a clause says that he does not want to be told."""
    clauses = [clause.strip() for clause in _CLAUSE.split(draft.words)[:CLAUSES] if _FORBIDS.heard(clause.strip())]
    found = [matter.ranked(draft, _FORBIDS.without(clause)) for clause in clauses]
    return {ranking.candidates[0].entry for ranking in found if ranking.candidates}


def _asks_back(draft: Draft, asked: list[Ranking], given: set[str]) -> None:
    """One clause of a message whose other is answered may mean several things."""
    for ranking in asked:
        offers = wishes.offers(draft, ranking)
        if ranking.outcome == "choose" and offers and not {f"ans:{entry}" for entry in given} & {*offers}:
            journal.begin(draft, "choose", question=draft.words[:SUBJECT], offers=offers)
            return


def _given(draft: Draft, ranking: Ranking, before: str) -> None:
    """The best answer there is; ``before``: the question that it was not found for."""
    draft.open()
    more = {"question": draft.words[:SUBJECT], "rephrased": before}
    draft.asked_freely()
    journal.begin(draft, "answer", entry=ranking.candidates[0].entry, why=dict(ranking.why), **more)


def together(draft: Draft) -> bool:
    """What was not understood, said in two pieces: with the words before it may be a question we are sure of."""
    before = draft.talk.last_question if draft.number and not draft.talk.extra.get("settled") else ""
    ranking = matter.ranked(draft, f"{before}\n{draft.words}") if before else None
    if ranking is None or ranking.outcome != "answer" or ranking.candidates[0].entry == draft.talk.last_entry:
        return False
    _given(draft, ranking, before)
    return True


def still_meant(draft: Draft) -> tuple[str, ...]:
    """The questions that "which of these do you mean?" asks about, while it is our last word."""
    ids = tuple(choice for choice, _ in draft.talk.offered)
    return ids if "do:none" in ids and not draft.talk.extra.get("passed") else ()


def both_meant(draft: Draft) -> bool:
    """ "Both of them", to "which of these do you mean?": each is answered."""
    meant = [choice for choice in still_meant(draft) if choice.startswith("ans:")]
    if len(meant) < 2 or not _BOTH.heard(draft.words.strip()):
        return False
    for choice in meant if _ALL.heard(draft.words) else meant[:2]:
        buttons.press(draft, choice)
    return True


def offered_form(draft: Draft) -> str:
    """The kind of ticket that our last word offered, "ticket" for any; "" if it offered none."""
    offered = () if draft.talk.extra.get("passed") else (choice for choice, _ in draft.talk.offered)
    wished = (choice.removeprefix("do:") for choice in offered if choice.startswith("do:"))
    return next((wish for wish in wished if wish == "ticket" or draft.turn.policy.forms.wished(wish)), "")


def choose(draft: Draft) -> bool:
    """Two answers about as likely: did you mean …? Who is angry is not asked that."""
    offers = wishes.offers(draft)
    waits = draft.own_ticket("urgent") and not is_question(draft.words)  # a person wants to know this
    if outcome(draft) != "choose" or not offers or waits or (draft.meant and draft.meant.angry):
        return False
    if bare(draft.words).isnumeric():
        return False
    draft.open()
    if letters(draft.words) <= BARE_WISH and (kind := fields.kind_named(draft)):
        opening.ticket(draft, kind)  # "then repair it"
        return True
    declines = bool(_DECLINES.heard(draft.words)) and not _WANTS.heard(_DECLINES.without(draft.words))
    if offers[0].startswith("do:") and (draft.heard.yes_no == "no" or declines):
        draft.say("nothing_more")  # that is what he does not want
        return True
    scrap = letters(draft.words) < SCRAP and not any(offer.startswith("do:") for offer in offers)
    of_ticket = f"do:{kind_of(draft, matter.just_opened(draft))}"
    states = all(offer.startswith(("ans:", of_ticket)) for offer in offers) and not is_question(draft.words)
    if states and told_of_ticket(draft):
        return True
    if wished_with_matter(draft) or (scrap and (told_of_files(draft) or told_of_ticket(draft))):
        return True
    draft.asked_freely()
    draft.remember(unknowns=0)
    journal.begin(draft, "choose", question=draft.words[:SUBJECT], offers=offers)
    return True


def unknown(draft: Draft) -> bool:
    """Nothing we know, unless it belongs to what was said before."""
    if bare(draft.words) in SKIPS:
        draft.open()
        draft.say("nothing_more")
        return True
    if together(draft):
        return True
    if draft.heard.yes_no == "no" and any(choice.startswith("do:not_helpful") for choice, _ in draft.talk.offered):
        wishes.not_helpful(draft, "")  # "no, …" to the answer just given
        draft.tells(draft.words)
        return True
    draft.open()
    if told_of_files(draft) or told_of_ticket(draft) or wished_with_matter(draft):
        return True
    if letters(draft.words) >= STORY and wished_within(draft):
        return True
    _admit(draft)
    return True


def _admit(draft: Draft) -> None:
    """Say that it is not known, as it fits to how it was said and to what was said before."""
    draft.asked_freely()
    said, meant, asks = letters(draft.words), draft.meant, is_question(draft.words)
    times, noted = draft.talk.unknowns + 1, draft.talk.extra.get("noted") == draft.number
    draft.remember(unknowns=times)
    offers = () if bare(draft.words).isnumeric() else wishes.offers(draft)
    angry, soothed = bool(meant and meant.angry), bool(draft.talk.extra.get("soothed"))
    if angry:
        matter.answers_did_not_help(draft)
    describes = bool(draft.heard.named("model")) and said > REMARK and not asks
    tells_on = offered_form(draft) == "ticket" and (times > 1 or noted) and not asks
    journal.begin(
        draft,
        "unknown",
        question=draft.words[:SUBJECT],
        offers=[button for button in offers if button.startswith("ans:")],
        times=times,
        asks=asks,
        angry=angry,
        soothed=soothed,
        urgent=bool(meant and meant.urgent),
        long=describes or said >= STORY,  # whoever has told so much is not asked for other words
        tells=said >= MATTER + CLAUSE and not asks,
        ours=not asks and _of_our_people(draft),
        told_on=tells_on,
        told_again=noted,
        open=draft.own_ticket("emergency", "urgent", "complaint"),
    )
    draft.keep(noted=draft.number if tells_on else draft.talk.extra.get("noted"))
    if angry:
        draft.keep(soothed=not soothed or None)  # never the same words twice in a row


def kind_of(draft: Draft, number: str) -> str:
    """The kind of one of his tickets, "" if it is none."""
    return next((one.kind for one in draft.turn.tickets if one.number == number), "")


def _of_our_people(draft: Draft) -> bool:
    """Whether the words resemble what is said in praise of our people, and are none."""
    candidates = draft.ranking.candidates if draft.ranking and outcome(draft) in ("intent", "choose") else ()
    return bool(candidates) and candidates[0].entry == "intent:praise"


def told_of_files(draft: Draft) -> bool:
    """What is said to files that wait for a ticket tells of them: it is kept with them."""
    if not draft.talk.extra.get("files") or is_question(draft.words) or (draft.meant and draft.meant.angry):
        return False
    draft.asked_freely()
    draft.say("details.also" if draft.talk.extra.get("noted") == draft.number else "details.noted", *wishes.WAYS_ON)
    draft.keep(noted=draft.number)
    return True


def told_of_ticket(draft: Draft) -> bool:
    """Few words right after a ticket was opened are about it: people read them there."""
    number, asks = matter.just_opened(draft), is_question(draft.words)
    if _ADDS.heard(draft.words) and not asks:
        number = str(draft.talk.extra.get("ticket", ""))
    other = fields.kind_named(draft)
    if number and other not in ("", kind_of(draft, number)) and not asks:
        opening.ticket(draft, other)  # "and now the router: repair"
        return True
    apart = letters(draft.words) > REMARK or draft.heard.named("model") or (draft.meant and draft.meant.angry)
    if not number or apart:
        return False
    draft.fact("unknown", question=draft.words)
    draft.add(number, draft.words)
    unwanted = "ticket.unwanted" if opening.is_unwanted(draft.words) else "flow.added"
    draft.say("unknown.added" if asks else unwanted, number=number)
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
    repeated = draft.talk.extra.get("again") == entry
    tells = letters(draft.words) >= (BESIDE if repeated else MATTER) and not is_question(draft.words)
    if not tells and not repeated:
        draft.keep(again=entry)
        return False
    draft.asked_freely()
    if tells:
        draft.say("details.noted", *wishes.WAYS_ON)
        return True
    draft.fact("asked_back", question=draft.words[:SUBJECT], offered=[f"ans:{entry}"])
    matter.answers_did_not_help(draft)
    draft.remember(unknowns=max(1, draft.talk.unknowns))
    draft.say("answer.again", f"ans:{entry}", *wishes.WAYS_ON)
    return True
