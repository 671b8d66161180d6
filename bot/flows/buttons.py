"""What a button does, by its id: pressed, or typed by its number or label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.flows import journal, wishes
from bot.flows.draft import Draft
from bot.flows.reading import SUBJECT, mentioned, reachable
from bot.flows.steps import SKIP

TAKING_OVER: Final = frozenset({"human", "complaint"})  # what was told so far goes with them
REPEATS: Final = frozenset({"solved", "not_helpful", "ticket_status", "none"})  # no reason to leave the running flow


def press(draft: Draft, choice: str) -> None:
    """Do what the button says; one that means nothing any more is refused politely."""
    kind, _, rest = choice.partition(":")
    BUTTONS.get(kind, gone)(draft, rest)


def gone(draft: Draft, _: str = "") -> None:
    """The button belongs to an earlier question: say so, and ask the current one again."""
    if draft.talk.flow and (run := journal.resume(draft)):
        run.say_question(draft.text("button.earlier"))
    else:
        draft.say("button.gone")


def answer(draft: Draft, entry: str) -> None:
    """``ans:<entry>``: one of the questions offered."""
    if draft.turn.knowledge.entry(entry) is None:
        return gone(draft)
    draft.open()
    why = {"chosen": entry, "question": draft.talk.last_question, "version": draft.turn.knowledge.version}
    journal.begin(draft, "answer", entry=entry, why=why, question=draft.talk.last_question, chosen=True)
    repeat(draft)
    return None


def flow(draft: Draft, rest: str) -> None:
    """``flow:<flow>:<step>:<value>:<run>``: an answer to a question of a flow."""
    name, step, token, number = [*rest.split(":"), "", "", "", ""][:4]
    run = journal.resume(draft) if draft.talk.flow == name else None
    if run and (value := run.pressed(step, token, number)):
        wishes.answered(draft, run, value)
    else:
        gone(draft)


def do(draft: Draft, rest: str) -> None:
    """``do:<wish>`` and ``do:<wish>:<about>``."""
    wish, _, about = rest.partition(":")
    running, form = draft.talk.flow, draft.event.data.get("form")
    if wish == "ticket" and isinstance(form, Mapping):
        filled_in(draft, form)
    elif running and wish == running:
        repeat(draft)
    elif running and wish in REPEATS:
        if wish == "ticket_status":
            wishes.grant(draft, wish)
        else:
            draft.note("helped" if wish == "solved" else wish, entry=wishes.held(draft, about))
        repeat(draft)
    else:
        if wish not in TAKING_OVER:
            journal.drop(draft)
        if not wishes.grant(draft, wish, about):
            draft.say("button.gone")


def filled_in(draft: Draft, form: Mapping[str, Any]) -> None:
    """A form that asked everything at once: the ticket's dialogue with its answers, and nothing left to confirm."""
    told = {part: str(form.get(part) or "").strip()[:SUBJECT] for part in ("what", "product", "contact")}
    if told["contact"] and not reachable(told["contact"]):
        told["contact"] = ""  # then it is asked for
    journal.drop(draft)
    what, kept = told["what"] or draft.words, draft.turn.customer.get("contact", "")
    product = told["product"] or mentioned(what, draft.turn.policy.products) or SKIP
    contact = told["contact"] or kept or ("" if form.get("contact") else SKIP)
    wishes.ticket(draft, "", what=what, product=product, contact=contact, sure="yes")


def language(draft: Draft, name: str) -> None:
    """``lang:<language>``."""
    wishes.language(draft, name)
    repeat(draft)


def repeat(draft: Draft) -> None:
    """Ask the running flow's question again."""
    if draft.talk.flow and (run := journal.resume(draft)):
        run.say_question()


BUTTONS: Final[dict[str, Callable[[Draft, str], None]]] = {
    "ans": answer,
    "do": do,
    "flow": flow,
    "lang": language,
    "rate": wishes.rate,
}
