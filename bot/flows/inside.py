"""Inside a flow: a way out of it, another wish than its own, or a reply to its question; written once for all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bot.flows import fields, journal, matter, opening, scores, unsettled, waiting, wishes
from bot.flows.draft import Draft
from bot.flows.hearing import heard
from bot.flows.lengths import REMARK, letters
from bot.flows.questions import outcome
from bot.flows.rating import FAIR
from bot.flows.reading import cannot
from bot.flows.steps import LEFT, SKIP, Ask
from bot.flows.wording import gives_up, is_all, is_calm, is_question, sends

WAITED: Final = frozenset({"emergency", "human"})  # flows that only ask how to reach the customer
COMMENTS: Final = frozenset({"not_helpful", "solved", "yes", "no", "rating", "smalltalk", "cancel", "back", "praise"})


def aftermath(draft: Draft) -> bool:
    """After an emergency people are told what becomes of it; nobody is asked "did you mean" about danger."""
    number, told = draft.own_ticket("emergency"), "" if matter.contact(draft) else draft.words
    run = journal.resume(draft) if number and draft.talk.flow else None
    calm, unsure = is_calm(told), outcome(draft) in ("choose", "unknown")
    statement = outcome(draft) == "answer" and not is_question(told)
    asks = run is not None and run.name == "emergency" and outcome(draft) == "answer"  # what we know is of calmer days
    if (
        not (number and told)
        or (not run and waiting.asks_when(draft, of_ours=True))
        or (run and run.name not in WAITED)
        or not (calm or asks or (not run and (unsure or statement)))
    ):
        return False
    draft.add(number, told)
    said = draft.text("emergency.noted", number=number)
    if run:
        run.say_question(said)
    else:
        draft.tell(said)
    return True


def inside(draft: Draft) -> bool:
    """A flow is running: a way out of it, an answer to its question, or a question in the middle."""
    run = journal.resume(draft) if draft.talk.flow else None
    asked = run.asked if run else None
    if not run or not asked:
        return False
    if asked.light and elsewhere(draft, run):
        journal.drop(draft)
        return False
    if run.name == "rating" and scored(draft, run):
        return True
    if way_out(draft, run) or handed_in(draft, run) or complains_too(draft, run):
        return True
    if run.fills_form and gives_up(draft.words) and outcome(draft) == "answer":
        journal.drop(draft)  # "never mind, tell me how to …"
        return False
    if run.continues(draft.heard):
        run.amend(draft.words)
        return True
    if kind := fields.changed(draft, run):
        opening.instead(draft, kind)
        return True
    others = fields.told(draft, run)
    if not others and given_up(draft, run, asked):
        journal.give_up(draft, run)
        draft.say("flow.cancelled")
    elif not others and (name := fields.renamed(draft, run)):
        rewrite(draft, run, name)
    else:
        heard(draft, run.noticing(others) if others else run, asked, others)
    return True


def handed_in(draft: Draft, run: journal.Run) -> bool:
    """Whether "send it" passes over all that need not be told, up to what is needed or to be confirmed."""
    passed = False
    if not run.fills_form or not sends(draft.words):
        return False
    while (asked := run.asked) and asked.name not in fields.CARD:
        known = run.told(asked.name) not in ("", SKIP)  # it was to be changed, and stays as it is
        if not (known or SKIP in asked.answers):
            break
        run.answer(LEFT if known else SKIP)
        passed = True
    if passed:
        run.store()
    return passed


def complains_too(draft: Draft, run: journal.Run) -> bool:
    """A complaint besides what a form is about: both reach people, each on its own."""
    complains, blames = draft.heard.intent == "complaint", matter.blames(draft)
    at_its_end = run.asking in fields.CARD or run.asking == "remarks"  # before, it becomes the complaint
    said = (complains or blames) and fields.is_besides(draft.words)
    besides = run.fills_form and (said or (at_its_end and complains and blames))
    if besides:
        left(draft)
        journal.drop(draft)
        wishes.complaint(draft, "")
    return besides


def given_up(draft: Draft, run: journal.Run, asked: Ask) -> bool:
    """Whether the whole form is given up, and not just this question ("never mind, I can't find it")."""
    if not run.fills_form or not gives_up(draft.words) or letters(draft.words) > REMARK:
        return False
    value = asked.read(draft.heard)
    if cannot(draft.heard) or (asked.name in ("what", "remarks") and value != SKIP):
        return False
    return value in (None, SKIP) or asked.free


def scored(draft: Draft, run: journal.Run) -> bool:
    """Whether the words are another score than the one just given, or announce what is still to be told."""
    score = draft.meant.rating if draft.meant and scores.mood(draft.heard) is None else None
    if score:
        scores.rate(draft, f"{run.known['conversation']}:{run.known['cycle']}:{score}")  # "I meant 5"
    elif draft.heard.intent in ("yes", "greeting"):
        draft.say("go_ahead")
    return bool(score) or draft.heard.intent in ("yes", "greeting")


def rewrite(draft: Draft, run: journal.Run, name: str) -> None:
    """Something told before is to be changed: it is asked again where everything is confirmed."""
    if run.asking == "confirm":
        run.answer("change")
        wishes.answered(draft, run, name)
    else:
        run.say_question("" if run.asking == name else draft.text("flow.later"))


def left(draft: Draft) -> None:
    """The customer is going in the middle of a ticket: what he told, or sent, reaches people all the same."""
    run = journal.resume(draft) if draft.talk.flow == "ticket" else None
    told = run and (run.known.get("what") or run.known.get("more"))
    if run and run.asked and not run.turns and not told:  # nothing was told yet
        if not draft.talk.extra.get("files"):
            return
        run.answer(draft.text("no_words") if run.asking == "what" else LEFT)
    while run and run.asked:
        run.answer(LEFT)


def elsewhere(draft: Draft, run: journal.Run) -> bool:
    """Whether the words are about something else than a light question asked a moment ago."""
    asked_at = datetime.fromisoformat(run.known["at"])
    intent = draft.meant.intent if draft.meant else ""
    late = draft.now - asked_at > timedelta(seconds=draft.turn.policy.idle)
    unhappy = run.known.get("score", FAIR + 1) <= FAIR  # "too slow" is why, even where the FAQ has an answer to it
    sure = not unhappy or bool(draft.meant and draft.meant.intent_confidence >= matter.SURE)
    commends = intent == "thanks" and draft.meant is not None and draft.meant.intent_confidence < 1
    wished = bool(intent) and intent not in COMMENTS and sure and not commends
    known = outcome(draft) == "answer" and not unhappy
    broken = not unhappy and (unsettled.is_still(draft.words) or fields.tells_fault(draft))
    return late or wished or broken or not draft.words or known or is_question(draft.words)


def firmly(draft: Draft) -> bool:
    """Whether what is wished was not just guessed."""
    return draft.meant is not None and draft.meant.intent_confidence >= matter.SURE


def agrees(draft: Draft, run: journal.Run) -> bool:
    """Whether "no more problems" is said of what is to be confirmed, and not of the matter."""
    return run.asking == "confirm" and is_all(draft.words)


def way_out(draft: Draft, run: journal.Run) -> bool:
    """Cancel, back, another language: at any question."""
    match draft.meant.intent if draft.meant else "":
        case "cancel":
            if run.number:
                draft.add(run.number, draft.words)
            journal.give_up(draft, run)
            draft.say("flow.left" if run.name in journal.PEOPLE else "flow.cancelled")
        case "goodbye":
            left(draft)
            journal.drop(draft)
            wishes.grant(draft, "goodbye")
        case "back" if not fields.told(draft, run):  # "that was wrong, it is …" goes on
            journal.back(draft, run)
        case "not_helpful" if run.fills_form and run.asked and not run.asked.free:
            draft.fact("not_helpful", entry=matter.held(draft, draft.talk.last_entry), question=draft.words)
            run.say_question(draft.text("flow.not_helpful"))
        case "solved" if run.fills_form and firmly(draft) and not agrees(draft, run):
            journal.drop(draft)
            wishes.solved(draft, "")
        case "help" if run.asked and not run.asked.free:
            run.say_question(draft.text("help"))
        case "thanks" | "greeting" if run.asking == "confirm" and not draft.heard.yes_no:
            run.say_question()
        case "language" if not matter.telling(draft):
            wishes.language(draft, "")
            run.say_question()
        case _:
            return False
    return True
