"""Inside a flow: its answer, a way out, a question in the middle, an answer that does not fit; written once for all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bot.flows import journal, wishes
from bot.flows.draft import Draft
from bot.flows.questions import answer, outcome
from bot.flows.reading import is_question

MISSES: Final = 3  # answers in a row that did not fit, then a person
PEOPLE: Final = frozenset({"human", "emergency", "complaint", "rating"})  # flows whose matter is with people already
ASIDE: Final = frozenset({"ticket_status", "complaint"})  # wishes granted in the middle of a flow
COMMENTS: Final = frozenset({"not_helpful", "solved", "yes", "no", "rating", "smalltalk", "cancel", "back"})


def inside(draft: Draft) -> bool:
    """A flow is running: a way out of it, an answer to its question, or a question in the middle."""
    run = journal.resume(draft) if draft.talk.flow else None
    if not run or not run.asked:
        return False
    if run.asked.light and elsewhere(draft, run):
        journal.drop(draft)
        return False
    if way_out(draft, run):
        return True
    if run.continues(draft.heard):
        run.amend(draft.words)
        return True
    middle = in_the_middle(draft, run) and (is_question(draft.words) or not run.asked.free)
    value = None if middle and run.asked.free else run.asked.read(draft.heard)
    if value is not None:
        wishes.answered(draft, run, value)
    elif middle:
        aside(draft, run)
    else:
        missed(draft, run)
    return True


def elsewhere(draft: Draft, run: journal.Run) -> bool:
    """Whether the words are about something else than a light question asked a moment ago."""
    asked_at = datetime.fromisoformat(run.known["at"])
    intent = draft.meant.intent if draft.meant else ""
    late = draft.now - asked_at > timedelta(seconds=draft.turn.policy.idle)
    wished = bool(intent) and intent not in COMMENTS
    return late or wished or not draft.words or outcome(draft) == "answer" or is_question(draft.words)


def in_the_middle(draft: Draft, run: journal.Run) -> bool:
    """Whether the words are a question we are sure of, or a wish that a flow can be interrupted for."""
    intent = draft.meant.intent if draft.meant else ""
    return outcome(draft) == "answer" or (intent in ASIDE and intent != run.name)


def way_out(draft: Draft, run: journal.Run) -> bool:
    """Cancel, back, another language: at any question."""
    match draft.meant.intent if draft.meant else "":
        case "cancel":
            journal.drop(draft)
            draft.say("flow.left" if run.name in PEOPLE else "flow.cancelled")
        case "goodbye":
            journal.drop(draft)
            wishes.grant(draft, "goodbye")
        case "back":
            journal.back(draft, run)
        case "language" if not wishes.telling(draft):
            wishes.language(draft, "")
            run.say_question()
        case _:
            return False
    return True


def aside(draft: Draft, run: journal.Run) -> None:
    """A question in the middle is answered, a complaint takes over; then on with the question that is open."""
    intent = draft.meant.intent if draft.meant else ""
    if intent == "complaint" and run.name != "complaint":
        wishes.complaint(draft, "")
        return
    if intent not in ASIDE or not wishes.grant(draft, intent):
        answer(draft)
    run.say_question()


def missed(draft: Draft, run: journal.Run) -> None:
    """The answer does not fit: ask again in other words; the third time it is a person's turn."""
    misses, number = draft.talk.misses + 1, draft.talk.extra.get("ticket")
    again = draft.text(run.again)
    if run.name in PEOPLE and number and draft.words:  # no answer, but people should know it
        draft.add(number, draft.words)
        again = draft.text("flow.added", number=number)
    if draft.files and not draft.words:
        run.say_question(draft.text("files.noted"))
    elif misses < MISSES:
        draft.remember(misses=misses)
        run.say_question(again)
    elif run.name in PEOPLE and run.asked:
        run.answer(run.asked.answers[-1])  # the most modest choice: skip, or just record
        run.store()
    else:
        wishes.human(draft, "misses")
