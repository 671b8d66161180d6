"""What a known wish leads to, whether it was written or a button says it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.cues import cue
from bot.dialogue import Learn
from bot.flows import journal, line, matter, opening, platform, pleasantries, reading, scores, unsettled
from bot.flows.draft import Draft
from bot.flows.lengths import BARE_WISH, CLAUSE, REMARK, letters
from bot.flows.pleasantries import STARTERS as STARTERS
from bot.flows.quoting import quote
from bot.flows.reading import ticket_number
from bot.flows.wording import mentioned
from handoff import tickets

if TYPE_CHECKING:
    from knowledge.index import Ranking

WAYS_ON: Final = ("do:ticket", "do:human")
PEOPLE: Final = ("urgent", "emergency")  # kinds of tickets on which a person answers at once
OFFERED: Final = frozenset({"ticket", "ticket_status", "human", "complaint", "rating"})  # and every kind of ticket
_LEAVES_TALK = cue("wishes.leaves_talk")
_KEEPS = cue("wishes.keeps")
_PRAISES = cue("wishes.praises")


def grant(draft: Draft, wish: str, about: str = "") -> bool:
    """Do what is wished; False if nobody knows how."""
    number = opening.withdrawn(draft) if wish == "cancel" and not _LEAVES_TALK.heard(draft.words) else ""
    if number:
        draft.add(number, draft.words)
        draft.say("flow.added" if _KEEPS.heard(draft.words) else "ticket.unwanted", number=number)
    elif wish == "cancel" and draft.heard.yes_no == "yes" and draft.offered("do:solved"):
        not_helpful(draft, "")  # "yes, cancel it": we are to do what the answer tells him to do
    elif wish in pleasantries.SAID:
        pleasantries.answer(draft, pleasantries.meant(draft, wish))
    elif wish in WISHES:
        WISHES[wish](draft, about)
    elif draft.turn.policy.forms.wished(wish):
        opening.ticket(draft, wish)
    else:
        return False
    return True


def offers(draft: Draft, ranking: Ranking | None = None) -> tuple[str, ...]:
    """The questions and wishes nearest to the words, or to some of them, as buttons: at most three."""
    found, ranking = [], ranking or draft.ranking
    for candidate in ranking.candidates if ranking else ():
        kind, _, name = candidate.entry.rpartition(":")
        button = f"do:{name}" if kind == "intent" else f"ans:{candidate.entry}"
        if candidate.confidence < matter.NEAR:
            continue
        if kind and name == "complaint" and _PRAISES.heard(draft.words):
            continue  # what is near to it in words only
        wish = name in OFFERED or draft.turn.policy.forms.wished(name)
        if wish if kind else draft.turn.knowledge.entry(candidate.entry):
            found.append(button)
    return tuple(dict.fromkeys(found))[:3]


def ticket_status(draft: Draft, number: str) -> None:
    """The ticket named, or all that are open."""
    own = [t.number for t in draft.turn.tickets]
    number = number or ticket_number(draft.heard, own)
    again = draft.number and draft.talk.extra.get("sought") == draft.number
    journal.begin(draft, "ticket_status", number=number, again=again or None)
    if not draft.talk.extra.get("passed") and "do:ticket" in dict(draft.talk.offered):  # there is none
        draft.keep(sought=draft.number)
        if letters(draft.words) > (BARE_WISH if number else BARE_WISH + CLAUSE):  # people may find it, if they are told
            draft.asked_freely()
        elif number:
            draft.tells(draft.words)  # with whatever is told of it
            draft.keep(bare=True)
    shown = number if number in own else own[0] if len(own) == 1 and not number else ""
    if shown and not draft.talk.extra.get("ticket"):
        draft.keep(ticket=shown)  # what is told next is about it


def human(draft: Draft, reason: str) -> None:
    """A person, at once and without conditions."""
    if platform.hand_over(draft, reason):
        return
    draft.open()
    flow, asked, told = draft.talk.flow, draft.talk.asked, journal.take_over(draft)
    if matter.apart(draft):
        draft.asked_freely()
    what = told.get("what") or opening.whole(draft, "question", matter.telling(draft), matter.still_open(draft))
    if reason == "misses" and letters(draft.words) >= CLAUSE:
        what = "\n".join(filter(None, (what, draft.words)))  # what we did not understand, somebody may
    reason = "callback" if reading.calls(draft.heard) and draft.declined != "human" else reason
    again = reason == "error" and draft.talk.extra.get("failed")  # people have it once per conversation, then a ticket
    if (
        not again
        and reason != "callback"
        and line.join(draft, reason or "asked", matter.known(draft, **{**told, "what": what, "flow": flow}))
    ):
        draft.keep(failed=reason == "error" or None)
        return
    if product := mentioned(what, draft.turn.policy.products):
        told = {"product": product, **told}
    slots, people = (
        {k: v for k, v in told.items() if k != "what"},
        draft.own_ticket(*PEOPLE, *(["complaint"] if reason == "callback" else ())),
    )
    more = {**told, "what": what, "slots": slots, "reason": reason or "asked", "open": people}
    draft.keep(reach=draft.number if asked == "contact" else draft.talk.extra.get("reach"))
    more["answered"] = matter.already_answered(draft)
    more["asked"] = people if draft.talk.extra.get("reach") == draft.number else ""  # how to reach him, in vain
    journal.begin(draft, "human", **matter.known(draft, **more, **line.away(draft, reason)))


def callback(draft: Draft, _: str) -> None:
    """Rather than wait, be called: numbered, with a promise."""
    line.leave(draft, "callback")
    draft.open()
    what = matter.still_open(draft)
    journal.begin(draft, "human", **matter.known(draft, what=what or draft.text("no_words"), reason="callback"))


def bot(draft: Draft, _: str) -> None:
    """Rather than wait, go on with the bot."""
    line.leave(draft, "cancelled")
    draft.say("line.left", *STARTERS)


def answered(draft: Draft, run: journal.Run, value: Any) -> None:
    """A flow's question is answered: on to the next; who turns in circles gets a person."""
    if run.asking == "confirm" and value == "no":
        journal.give_up(draft, run)
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
    told, before = journal.take_over(draft), matter.still_open(draft)
    upset = before if draft.talk.extra.get("soothed") else ""  # in anger he has told what is wrong
    what = "\n".join(filter(None, (told.pop("what", "") or upset, matter.grievance(draft))))
    more = {**told, "what": what, "before": "" if upset else before}
    journal.begin(draft, "complaint", **{**matter.known(draft, open=draft.own_ticket("complaint")), **more})


def language(draft: Draft, name: str) -> None:
    """The language named, or the choice."""
    spoken = draft.turn.policy.languages
    chosen = name or draft.heard.named("language")
    if chosen in spoken:
        draft.remember(language=chosen, language_chosen=True)
        draft.do(Learn("language", chosen))
        draft.say("language.set")
        if entry := draft.number and not draft.talk.flow and draft.talk.extra.get("settled") and draft.talk.last_entry:
            quote(draft, entry, {"repeated": entry, "version": draft.turn.knowledge.version})
    else:
        draft.say("language.ask", *(f"lang:{x}" for x in spoken))


def solved(draft: Draft, entry: str) -> None:
    """Settled: a good moment to ask how it was."""
    if matter.held(draft, entry):
        draft.fact("helped", entry=entry)
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
        scores.ask(draft, draft.number, here.cycle if here else 1)
        draft.close("solved")


def not_helpful(draft: Draft, entry: str) -> None:
    """An apology and the ways on; a matter closed a moment ago is open again."""
    last, soon = draft.turn.last, timedelta(seconds=draft.turn.policy.rating_window)
    if last and last.closed_at and draft.now - last.closed_at <= soon:
        draft.reopen()
    draft.open()
    about = matter.held(draft, entry) or matter.held(draft, draft.talk.last_entry)
    draft.fact("not_helpful", entry=about, question=draft.talk.last_question)
    if draft.talk.extra.get("answered"):
        draft.leaves()
    matter.answers_did_not_help(draft)
    if draft.meant and draft.meant.intent_confidence < 1 and letters(draft.words) > REMARK // 2:
        draft.tells(draft.words)  # and why
    if number := draft.own_ticket("emergency", "urgent", "complaint"):
        draft.add(number, draft.words)
        draft.say("not_helpful.people", number=number)
        return
    again = draft.talk.unknowns and draft.talk.extra.get("unhelped") == draft.number
    draft.remember(unknowns=max(1, draft.talk.unknowns))  # no second "could you put it another way?"
    draft.keep(unhelped=draft.number)
    draft.say("not_helpful.again" if again else "not_helpful", *WAYS_ON)


def none_of_these(draft: Draft, _: str) -> None:
    """None of the questions offered was meant."""
    draft.open()
    draft.fact("unknown", question=draft.talk.last_question, offered=[c for c, _ in draft.talk.offered])
    draft.say("unknown.again", *WAYS_ON)


WISHES: Final[dict[str, Callable[[Draft, str], None]]] = {
    "ticket": opening.ticket,
    "ticket_status": ticket_status,
    "human": human,
    "callback": callback,
    "bot": bot,
    "complaint": complaint,
    "rating": scores.rating,
    "language": language,
    "praise": pleasantries.praise,
    "solved": solved,
    "not_helpful": not_helpful,
    "goodbye": goodbye,
    "none": none_of_these,
    "pass_on": unsettled.pass_on,
    "reopen": tickets.reopen,
}
