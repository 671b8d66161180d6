"""What a button does, by its id: pressed, or typed by its number or label."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from bot.cues import cue
from bot.flows import journal, matter, opening, scores, wishes
from bot.flows.draft import Draft
from bot.flows.lengths import BARE_NO, BARE_YES, letters
from bot.flows.reading import PART, SUBJECT
from bot.flows.steps import SKIP
from bot.flows.wording import bare, is_question, mentioned, reachable

if TYPE_CHECKING:
    from intents import Understanding

TAIL: Final = 3  # signs beside a label: "repair it please" is more than "repair it"
TAKING_OVER: Final = frozenset({"pass_on", "human", "complaint"})  # what was told so far goes with them
REPEATS: Final = frozenset({"solved", "not_helpful", "ticket_status", "none"})  # no reason to leave the running flow
ONE_TAP: Final = ("do:pass_on:", "do:reopen:")  # what "yes" agrees to
_DIGIT = re.compile(r"[\W_]*(\d{1,2})[\W_]*")
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth")
_ORDINAL = re.compile(
    rf"(?:i mean |the )*(?P<en>{'|'.join(_PLACES)})(?: one)?(?: please)?[.!]?"
    r"|(?:选|是|要|问)?第(?P<zh>[一二三四五六1-6])[个项条种]?[。！]?"
)
_HELPED = cue("buttons.helped")
_CONTRARY = cue("buttons.contrary")
_NOTHING_MORE = cue("buttons.nothing_more")


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
            draft.fact("helped" if wish == "solved" else wish, entry=matter.held(draft, about))
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
    opening.ticket(draft, "", what=what, product=product, contact=contact, sure="yes")


def language(draft: Draft, name: str) -> None:
    """``lang:<language>``."""
    wishes.language(draft, name)
    repeat(draft)


def repeat(draft: Draft) -> None:
    """Ask the running flow's question again."""
    if draft.talk.flow and (run := journal.resume(draft)):
        run.say_question()


def typed(text: str, offered: tuple[tuple[str, str], ...], meant: Understanding | None, *, last: bool = True) -> str:
    """The id of the button that was typed, by number or by label, "" if none was.

    ``last``: the buttons stand below our last sentence, so that yes and no may mean them too.
    """
    if not offered:
        return ""
    if digit := _DIGIT.fullmatch(_ORDINAL.sub(_numbered, unicodedata.normalize("NFKC", text).strip().casefold())):
        place = int(digit[1]) - 1
        return offered[place][0] if 0 <= place < len(offered) else ""
    said = bare(text)
    labels = {choice: bare(label) for choice, label in offered}
    if exact := [choice for choice, label in labels.items() if said and said == label]:
        return exact[0]
    part = [choice for choice, label in labels.items() if said in label and choice.startswith("flow:")]
    if len(part) == 1 and len(said.encode()) >= PART:
        return part[0]
    within = [choice for choice, label in labels.items() if _says(said, label) and choice.startswith("flow:")]
    if len(within) == 1:
        return within[0]
    return _meant(offered, meant, last) if meant else ""


def _numbered(place: re.Match[str]) -> str:
    """ "The second one" as its number, if that is all that is said."""
    if place.span() != (0, len(place.string)):
        return place[0]
    zh = place["zh"]
    return str(
        _PLACES.index(place["en"]) + 1 if place["en"] else int(zh) if zh.isdigit() else "一二三四五六".index(zh) + 1
    )


def _says(said: str, label: str) -> bool:
    """Whether little more than a label is said, and not its contrary."""
    return label in said and len(label) > 1 and len(said) - len(label) <= TAIL and not _CONTRARY.heard(said)


def _meant(offered: tuple[tuple[str, str], ...], meant: Understanding, last: bool) -> str:
    """A button hit by other words for the same: stars for a score, yes and no to what was asked with the buttons."""
    ids = [choice for choice, _ in offered]
    at_most = BARE_NO if meant.yes_no == "no" else BARE_YES
    short = letters(meant.text) <= at_most and not is_question(meant.text)
    short = short and meant.intent not in ("goodbye", "language")
    says = meant.yes_no if short and not meant.wants_person else ""  # "ok, send someone" is no yes
    said = {says, meant.intent} if last else set()
    wanted = f"{ids[0].rpartition(':')[0]}:{meant.rating}" if ids[0].startswith("rate:") else ""
    if "yes" in said and "do:ticket" in ids and "do:ticket_status" not in ids:  # "shall I pass it to my colleagues?"
        wanted = "do:ticket"
    elif "yes" in said and ids[0].startswith(ONE_TAP):
        wanted = ids[0]
    elif "yes" in said and meant.intent != "cancel" and _HELPED.heard(meant.text):
        wanted = "do:solved"
    elif "no" in said and "do:none" in ids:
        wanted = "do:none"
    elif (
        "no" in said and letters(meant.text) <= BARE_NO and not meant.entities and not _NOTHING_MORE.heard(meant.text)
    ):  # "no, that's all" is no complaint
        wanted = "do:not_helpful"
    return next((choice for choice in ids if f"{choice}:".startswith(f"{wanted}:")), "")


BUTTONS: Final[dict[str, Callable[[Draft, str], None]]] = {
    "ans": answer,
    "do": do,
    "flow": flow,
    "lang": language,
    "rate": scores.rate,
}
