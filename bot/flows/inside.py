"""Inside a flow: its answer, a way out, a question in the middle, an answer that does not fit; written once for all."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from bot.dialogue import Learn
from bot.flows import fields, journal, matter, scores, wishes
from bot.flows.draft import Draft
from bot.flows.lengths import BARE_WISH, REMARK, letters
from bot.flows.questions import answer, outcome
from bot.flows.rating import FAIR
from bot.flows.reading import mood, refused
from bot.flows.steps import LEFT, SKIP, Ask
from bot.flows.wording import gives_up, is_calm, is_question

MISSES: Final = 3  # answers in a row that did not fit, then a person
PASSES: Final = 1  # times a question may be passed over, and is asked again
ASIDE: Final = frozenset({"ticket_status", "complaint"})  # wishes granted in the middle of a flow
TOLD: Final = frozenset({fields.FORM, "complaint"})  # flows in which a matter is told: statements belong to it
WAITED: Final = frozenset({"emergency", "human"})  # flows that only ask how to reach the customer
COMMENTS: Final = frozenset({"not_helpful", "solved", "yes", "no", "rating", "smalltalk", "cancel", "back"})

_WHY = re.compile(  # what is this good for, and must I?
    r"\bwhy (?:do|would|should|must|is|are) (?:you|i|we|that|this)\b|\bwhat (?:do you need|is) (?:it|that|this) for\b"
    r"|\bwhat for\b|\b(?:do i (?:have|need) to|must i) (?:give|tell|say|enter|fill|answer|provide|leave)\b"
    r"|\bis (?:it|that|this) (?:really )?(?:necessary|required|needed|mandatory)\b"
    r"|(?:为什么|为啥|干嘛|干吗|凭什么).{0,4}[要问填给]|[要问填].{0,6}(?:干嘛|干什么|干吗|做什么|有什么用)"
    r"|(?:必须|一定要|非要|非得).{0,8}[吗么]|[能可](?:以|不可以)?不(?:填|给|说|写|留|提供)",
    re.IGNORECASE,
)


def aftermath(draft: Draft) -> bool:
    """After an emergency people are told what becomes of it; nobody is asked "did you mean" about danger."""
    number, told = draft.own_ticket("emergency"), "" if draft.heard.named("email", "phone") else draft.words
    run = journal.resume(draft) if number and draft.talk.flow else None
    calm, unsure = is_calm(told), outcome(draft) in ("choose", "unknown")
    statement = outcome(draft) == "answer" and not is_question(told)
    if not (number and told) or (run and run.name not in WAITED) or not (calm or (not run and (unsure or statement))):
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
    if way_out(draft, run):
        return True
    if run.name == fields.FORM and gives_up(draft.words) and outcome(draft) == "answer":
        journal.drop(draft)  # "never mind, tell me how to …"
        return False
    if run.continues(draft.heard):
        run.amend(draft.words)
        return True
    if kind := fields.changed(draft, run):
        wishes.instead(draft, kind)
        return True
    others = fields.told(draft, run)
    if not others and (name := fields.renamed(draft, run)):
        rewrite(draft, run, name)
    else:
        heard(draft, run.noticing(others) if others else run, asked, others)
    return True


def scored(draft: Draft, run: journal.Run) -> bool:
    """Whether the words are another score than the one just given, or announce what is still to be told."""
    score = draft.meant.rating if draft.meant and mood(draft.heard) is None else None
    if score:
        scores.rate(draft, f"{run.known['conversation']}:{run.known['cycle']}:{score}")  # "I meant 5"
    elif draft.heard.intent in ("yes", "greeting"):
        draft.say("go_ahead")
    return bool(score) or draft.heard.intent in ("yes", "greeting")


def heard(draft: Draft, run: journal.Run, asked: Ask, others: dict[str, str]) -> None:
    """The words as an answer to the question, to other questions (``others``), as a question in the middle, or none."""
    passed = fields.elsewhere(draft, run, others)
    if run.number and (contact := others.get("contact")):  # people have the matter already
        draft.do(Learn("contact", contact))
        if passed:
            draft.add(run.number, draft.words)
    loose = asked.free and not is_question(draft.words) and letters(draft.words) > BARE_WISH
    middle = not passed and in_the_middle(draft, run) and not loose
    value = None if passed else asked.read(draft.heard)
    if middle and asked.free and value not in asked.answers:
        value = None
    why = asks_why(draft, run)
    value = None if why else value
    told = fields.aside(draft, run, others) if value is None and not (middle or why) else ""
    if told:
        run = run.beside(told)
        draft.remember(journal=tuple(run.journal))
    if value is not None:
        wishes.answered(draft, run.beside(draft.words) if telling_more(draft, run, value) else run, value)
    elif others or told:
        noted(draft, run, asked, "flow.asked" if told and is_question(draft.words) else "flow.noted")
    elif middle:
        aside(draft, run)
    elif why:
        run.say_question(draft.text("flow.why_optional" if SKIP in asked.answers else "flow.why"))
    else:
        missed(draft, run)


def noted(draft: Draft, run: journal.Run, asked: Ask, key: str) -> None:
    """What was told instead of an answer is kept; who passes over a question twice need not answer it, if it may be."""
    passes = draft.talk.misses + 1 if SKIP in asked.answers else 0
    if passes > PASSES:
        wishes.answered(draft, run, SKIP)
    else:
        draft.remember(journal=tuple(run.journal), misses=passes)
        run.say_question(draft.text(key))


def asks_why(draft: Draft, run: journal.Run) -> bool:
    """Whether the words ask what the question of a form is good for."""
    small = run.name == fields.FORM and run.asked is not None and run.asked.name != "confirm"
    return small and letters(draft.words) <= REMARK and bool(_WHY.search(draft.words))


def telling_more(draft: Draft, run: journal.Run, value: str) -> bool:
    """Whether the words that answer a small question of a ticket tell more of its matter."""
    if run.name != fields.FORM or not run.asked:
        return False
    if run.asked.name not in fields.SMALL:  # "no need to come, I'll send it in" is no address, and worth reading
        return value == SKIP and letters(draft.words) >= BARE_WISH
    if run.asked.name == "contact" and fields.signed(draft):
        return True
    return letters(draft.words) - letters(value) >= (REMARK if value == SKIP else BARE_WISH)


def rewrite(draft: Draft, run: journal.Run, name: str) -> None:
    """Something told before is to be changed: it is asked again where everything is confirmed."""
    if run.asked and run.asked.name == "confirm":
        run.answer("change")
        wishes.answered(draft, run, name)
    else:
        run.say_question("" if run.asked and run.asked.name == name else draft.text("flow.later"))


def left(draft: Draft) -> None:
    """The customer is going in the middle of a ticket: what he told, or sent, reaches people all the same."""
    run = journal.resume(draft) if draft.talk.flow == "ticket" else None
    if run and run.asked and not run.turns and not run.known.get("what"):  # nothing was told yet
        if not draft.talk.extra.get("files"):
            return
        run.answer(draft.text("no_words") if run.asked.name == "what" else LEFT)
    while run and run.asked:
        run.answer(LEFT)


def elsewhere(draft: Draft, run: journal.Run) -> bool:
    """Whether the words are about something else than a light question asked a moment ago."""
    asked_at = datetime.fromisoformat(run.known["at"])
    intent = draft.meant.intent if draft.meant else ""
    late = draft.now - asked_at > timedelta(seconds=draft.turn.policy.idle)
    unhappy = run.known.get("score", FAIR + 1) <= FAIR  # "too slow" is why, even where the FAQ has an answer to it
    sure = not unhappy or bool(draft.meant and draft.meant.intent_confidence >= matter.SURE)
    wished = bool(intent) and intent not in COMMENTS and sure
    known = outcome(draft) == "answer" and not unhappy
    return late or wished or not draft.words or known or is_question(draft.words)


def in_the_middle(draft: Draft, run: journal.Run) -> bool:
    """Whether the words are a question we are sure of, or a wish that a flow can be interrupted for."""
    intent = between(draft)
    guessed = intent == "complaint" and not matter.complains(draft)
    asks = outcome(draft) == "answer" and (run.name not in TOLD or is_question(draft.words))
    return asks or (intent in ASIDE and intent != run.name and not guessed)


def between(draft: Draft) -> str:
    """What is wished in the middle, "" if nothing; a ticket's number alone asks how far it is."""
    named = draft.heard.named("ticket") and fields.only(draft)
    return "ticket_status" if named else draft.meant.intent if draft.meant else ""


def way_out(draft: Draft, run: journal.Run) -> bool:
    """Cancel, back, another language: at any question."""
    match draft.meant.intent if draft.meant else "":
        case "cancel":
            if run.number:
                draft.add(run.number, draft.words)
            journal.drop(draft)
            draft.say("flow.left" if run.name in journal.PEOPLE else "flow.cancelled")
        case "goodbye":
            left(draft)
            journal.drop(draft)
            wishes.grant(draft, "goodbye")
        case "back" if not fields.told(draft, run):  # "that was wrong, it is …" goes on
            journal.back(draft, run)
        case "not_helpful" if run.name == fields.FORM and run.asked and not run.asked.free:
            draft.note("not_helpful", entry=matter.held(draft, draft.talk.last_entry), question=draft.words)
            run.say_question(draft.text("flow.not_helpful"))
        case "solved" if run.name == fields.FORM and draft.meant and draft.meant.intent_confidence >= matter.SURE:
            journal.drop(draft)
            wishes.solved(draft, "")
        case "help" if run.asked and not run.asked.free:
            run.say_question(draft.text("help"))
        case "thanks" | "greeting" if run.asked and run.asked.name == "confirm":
            run.say_question()
        case "language" if not matter.telling(draft):
            wishes.language(draft, "")
            run.say_question()
        case _:
            return False
    return True


def aside(draft: Draft, run: journal.Run) -> None:
    """A question in the middle is answered, a complaint takes over; then on with the question that is open."""
    intent = between(draft)
    if intent == "complaint" and run.name != "complaint":
        wishes.complaint(draft, "")
        return
    if intent not in ASIDE or not wishes.grant(draft, intent):
        answer(draft)
    wishes.hand_over(draft, run)
    once_more(draft, run)


def once_more(draft: Draft, run: journal.Run, before: str = "") -> None:
    """The question again, ``before`` it what came in between; who has passed it over, and whose matter people have
    already, is not asked a third time.
    """
    passes = draft.talk.misses + 1
    if run.number and passes > PASSES:
        journal.drop(draft)
        if before:
            draft.tell(before)
        return
    if run.number:
        draft.remember(misses=passes)
    run.say_question(before)


def declined(draft: Draft, run: journal.Run) -> bool:
    """Whether he would rather not say what a form cannot do without."""
    small = run.name == fields.FORM and run.asked is not None and run.asked.name in fields.SMALL - {"confirm"}
    return small and refused(draft.heard) and draft.heard.intent != "thanks"


def missed(draft: Draft, run: journal.Run) -> None:
    """The answer does not fit: ask again in other words; the third time it is a person's turn."""
    misses, number, files = draft.talk.misses + 1, run.number, bool(draft.files)
    needed = "flow.needed" if declined(draft, run) else run.again
    again = draft.text("files.noted" if files and not draft.words else needed)
    if number and (draft.words or files):  # no answer, but people should know it
        draft.add(number, draft.words)
        added = "unknown.added" if is_question(draft.words) else "flow.added"
        again = draft.text("files.added" if files else added, number=number)
    if files and not draft.words:
        once_more(draft, run, again)
    elif misses <= (PASSES if number else MISSES - 1):
        draft.remember(misses=misses)
        run.say_question(again)
    elif run.asked and run.name in journal.PEOPLE:
        run.answer(run.asked.answers[-1])  # the most modest choice: skip, or just record
        run.store()
    else:
        wishes.human(draft, "misses")
