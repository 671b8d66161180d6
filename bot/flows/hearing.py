"""The words as a reply to a flow's question: an answer, more of the matter, a question back, or none of these."""

from __future__ import annotations

from typing import Any, Final

from bot.cues import cue
from bot.dialogue import Learn
from bot.flows import fields, journal, matter, particulars, waiting, wishes
from bot.flows.draft import Draft
from bot.flows.lengths import BARE_WISH, CLAUSE, REMARK, letters
from bot.flows.questions import answer, outcome
from bot.flows.reading import Heard, cannot, refused
from bot.flows.steps import LEFT, SKIP, Ask
from bot.flows.wording import bare, clauses, is_address, is_all, is_question

MISSES: Final = 3  # answers in a row that did not fit, then a person
PASSES: Final = 1  # times a question may be passed over, and is asked again
ASIDE: Final = frozenset({"ticket_status", "complaint"})  # wishes granted in the middle of a flow
NUMBERS: Final = frozenset({"contact", "serial", "order"})  # how a field is read that nobody tells twice for nothing
# flows in which a matter is told: statements belong to it
TOLD: Final = frozenset({journal.FORM, "complaint", "human", "rating"})

_WHY_ASKED = cue("hearing.why_asked")


def heard(draft: Draft, run: journal.Run, asked: Ask, others: dict[str, str]) -> None:
    """The words as an answer to the question, to other questions (``others``), as a question in the middle, or none."""
    passed = fields.elsewhere(draft, run, others)
    if run.number and (contact := others.get("contact")):  # people have the matter already
        draft.do(Learn("contact", contact))
        if passed:
            draft.add(run.number, draft.words)
    loose = asked.free and not is_question(draft.words) and letters(draft.words) > BARE_WISH
    middle = not passed and in_the_middle(draft, run) and not loose
    back = asked_back(draft, run)
    value = None if passed or back else read(draft, run, asked)
    if middle and asked.free and value not in asked.answers:
        value = None
    again = run.fills_form and repeats(draft, run)
    told = beside(draft, run, others) if value is None and not (middle or back or again) else ""
    if told:
        run = run.beside(told)
        draft.remember(journal=tuple(run.journal))
    if value is not None:
        taken(draft, run, value, others)
    elif others or told:
        told_instead(draft, run, asked, "flow.asked" if told and is_question(draft.words) else "flow.noted")
    elif back:
        run.say_question(back)
    elif middle:
        aside(draft, run)
    elif again:
        run.say_question(draft.text("flow.noted"))
    else:
        missed(draft, run)


def beside(draft: Draft, run: journal.Run, others: dict[str, str]) -> str:
    """What is told of the matter instead of an answer; a day or an address, too, that the form does not ask for."""
    asked = run.asking
    detail = run.fills_form and not others and asked != "what" and particulars.only_details(draft)
    return draft.words if detail else fields.aside(draft, run, others)


def repeats(draft: Draft, run: journal.Run) -> bool:
    """Whether nothing is said but what is known already."""
    every = ((part["read"], run.told(part["name"])) for part in run.form)
    told = {read: bare(value) for read, value in every if value not in ("", SKIP)}
    same = bare(draft.words) in {told[read] for read in NUMBERS & told.keys()}
    named = [bare(entity.value) for entity in (draft.meant.entities if draft.meant else ())]
    return same or (particulars.only_details(draft) and bool(named) and set(told.values()).issuperset(named))


def read(draft: Draft, run: journal.Run, asked: Ask) -> Any:
    """What the question makes of the words, None if they do not fit; pictures may tell the matter without any."""
    value, form = asked.read(draft.heard), run.fills_form
    if (
        form
        and asked.free
        and asked.name != "what"
        and draft.heard.named("model")
        and particulars.nothing_beside(draft)
    ):
        return None  # a product is no company, and no address
    if form and asked.name == "address" and draft.files and not is_address(draft.words):
        return None  # "the photo"
    wordless = form and asked.name == "what" and draft.talk.extra.get("files")
    return draft.text("no_words") if value is None and wordless and refused(draft.heard) else value


def asked_back(draft: Draft, run: journal.Run) -> str:
    """The answer to a question about our question: what it is good for, or when he hears from us; "" if it is none."""
    if not run.fills_form or not run.asked:
        return ""
    if run.asking != "confirm" and letters(draft.words) <= REMARK and _WHY_ASKED.heard(draft.words):
        return draft.text("flow.why_optional" if SKIP in run.asked.answers else "flow.why")
    short = letters(draft.words) <= REMARK
    if short and run.asking != "time" and waiting.of_answer(draft.words):
        policy, tier = draft.turn.policy, str(draft.turn.customer.get("tier", ""))
        promised = policy.promised(run.known["kind"], run.known["priority"], tier)
        return draft.text("flow.when", by=draft.by(policy.hours.add(draft.now, promised)))
    return ""


def taken(draft: Draft, run: journal.Run, value: Any, others: dict[str, str]) -> None:
    """The question is answered; what is said beside the answer is kept as well."""
    least = BARE_WISH if value == SKIP else 0
    if run.number and run.asking == "contact" and letters(particulars.beside_contact(draft)) > least:
        draft.add(run.number, draft.words)
    wishes.answered(draft, run.beside(draft.words) if telling_more(draft, run, value, others) else run, value)


def told_instead(draft: Draft, run: journal.Run, asked: Ask, key: str) -> None:
    """What was told instead of an answer is kept; who passes over a question twice need not answer it, if it may be."""
    if asked.name == "change":  # "the contact, use …": that is changed
        wishes.answered(draft, run, LEFT)
        return
    passes = draft.talk.misses + 1 if may_pass(run, asked) else 0
    if passes > (PASSES if SKIP in asked.answers else MISSES - 1):
        if key == "flow.asked":
            draft.say(key)
        wishes.answered(draft, run, SKIP)
    else:
        draft.remember(journal=tuple(run.journal), misses=passes)
        run.say_question(draft.text(key))


def may_pass(run: journal.Run, asked: Ask) -> bool:
    """Whether a ticket can do without it: nobody is kept from people for ever by what he does not tell."""
    return SKIP in asked.answers or (run.fills_form and asked.name not in ("what", "confirm", "change"))


def telling_more(draft: Draft, run: journal.Run, value: str, others: dict[str, str]) -> bool:
    """Whether the words that answer a small question of a ticket tell more of its matter."""
    if not run.fills_form or not run.asked or is_all(draft.words):
        return False
    if draft.meant and draft.meant.intent in ("yes", "no", "thanks") and draft.meant.intent_confidence >= 1:
        return False  # nothing but that
    if run.asking not in fields.SMALL:  # "no need to come, I'll send it in" is no address, and worth reading
        return value == SKIP and letters(draft.words) >= BARE_WISH
    if run.asking == "contact" and value != SKIP and particulars.beside_contact(draft):
        return True
    if value == SKIP:  # "no order number, bought it in a shop"
        more = [part for part in clauses(draft.words)[1:] if not cannot(Heard(part))]
        return any(letters(part) >= CLAUSE for part in more) or letters(draft.words) >= REMARK
    return letters(draft.words) - sum(map(letters, (value, *others.values()))) >= BARE_WISH


def in_the_middle(draft: Draft, run: journal.Run) -> bool:
    """Whether the words are a question we are sure of, or a wish that a flow can be interrupted for."""
    intent = between(draft)
    guessed = intent == "complaint" and not matter.complains(draft)
    asks = outcome(draft) == "answer" and (run.name not in TOLD or is_question(draft.words))
    return asks or (intent in ASIDE and intent != run.name and not guessed)


def between(draft: Draft) -> str:
    """What is wished in the middle, "" if nothing; a ticket's number alone asks how far it is."""
    named = draft.heard.named("ticket") and particulars.nothing_beside(draft)
    return "ticket_status" if named else draft.meant.intent if draft.meant else ""


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
    small = run.fills_form and run.asking in fields.SMALL - {"confirm"}
    return small and refused(draft.heard) and draft.heard.intent != "thanks"


def missed(draft: Draft, run: journal.Run) -> None:
    """The answer does not fit: ask again in other words; the third time it is a person's turn."""
    misses, number, files = draft.talk.misses + 1, run.number, bool(draft.files)
    refuses, contact = declined(draft, run), run.asking == "contact"
    if refuses and misses > PASSES:  # then people answer here, or ask themselves
        wishes.answered(draft, run, SKIP)
        return
    needed = ("flow.needed_contact" if contact else "flow.needed") if refuses else run.again
    again = draft.text("files.noted" if files and not number else needed)
    if number and (bare(draft.words) or files):  # no answer, but people should know it
        draft.add(number, draft.words)
        added = "unknown.added" if is_question(draft.words) else "flow.added"
        again = draft.text("files.added" if files else added, number=number)
    if files and not (number and draft.words):
        once_more(draft, run, again)
    elif misses <= (PASSES if number else MISSES - 1):
        draft.remember(misses=misses)
        run.say_question(again)
    elif run.asked and run.name in journal.PEOPLE:
        run.answer(SKIP if SKIP in run.asked.answers else LEFT)  # nobody is said to have chosen what he has not
        run.store()
    else:
        wishes.human(draft, "misses")
