"""What belongs to good manners: a greeting, thanks, a yes or no to nothing in particular."""

from __future__ import annotations

from typing import Final

from bot.cues import cue
from bot.dialogue import Alarm
from bot.flows import matter
from bot.flows.draft import Draft
from bot.flows.reading import SUBJECT
from bot.flows.wording import gives_up, is_question

STARTERS: Final = ("do:ticket", "do:ticket_status", "do:human")
SAID: Final[dict[str, tuple[str, ...]]] = {  # wish -> sentence and buttons
    "greeting": ("greeting", *STARTERS),
    "help": ("help", *STARTERS),
    "thanks": ("thanks",),
    "smalltalk": ("smalltalk", *STARTERS),
    "yes": ("go_ahead",),
    "no": ("nothing_more",),
    "cancel": ("nothing_to_cancel",),
    "back": ("nothing_to_cancel",),
}
PEOPLE: Final = ("do:ticket", "do:human")
AFTERTHOUGHTS: Final = frozenset({"thanks", "yes", "no", "cancel", "back"})  # they open no new conversation
_ANNOUNCES = cue("pleasantries.announces")
_TAKES_NOTE = cue("pleasantries.takes_note")

_APPROVES = cue("pleasantries.approves")
_NO_BAN = cue("pleasantries.no_ban")
_RESERVATION = cue("pleasantries.reservation")


def praises(draft: Draft) -> bool:
    """Whether praise is all that is said: in so many words, neither in scorn, nor with a "but", nor as a question."""
    if (draft.meant and draft.meant.angry) or is_question(draft.words):
        return False
    return bool(_APPROVES.heard(draft.words)) and not _RESERVATION.heard(_NO_BAN.without(draft.words))


def praise(draft: Draft, _: str) -> None:
    """One of our people is praised: those in charge are to read it."""
    if not draft.turn.last:
        draft.open()
    draft.do(Alarm("praise", draft.words[:SUBJECT]))
    draft.say("praise")


def is_unanswered(draft: Draft) -> bool:
    """Whether he has asked what nobody could answer, and has not let it be."""
    return bool(draft.talk.unknowns and matter.still_open(draft) and not draft.talk.extra.get("let_be"))


def meant(draft: Draft, wish: str) -> str:
    """Thanks for nothing yet are a greeting: "good afternoon, thanks for your hard work"."""
    return "greeting" if wish == "thanks" and not (draft.number or draft.turn.last) else wish


def answer(draft: Draft, wish: str) -> None:
    """The polite answer, as it fits to what was said last."""
    key, *buttons = SAID[wish]
    offered = () if draft.talk.extra.get("passed") else tuple(choice for choice, _ in draft.talk.offered)
    match wish:
        case "thanks":
            draft.keep(answered=None, let_be=True)  # it has helped: no matter for people
        case "greeting" | "yes" if is_unanswered(draft) and "do:none" not in offered:
            key, buttons = "still_here", [*PEOPLE]  # "hello?" of who waits for an answer
        case "greeting" if _ANNOUNCES.heard(draft.words):
            key, buttons = "go_ahead", []
        case "cancel" if offered or gives_up(draft.words):
            key = "nothing_more"  # he declines what was just offered
        case "yes" if "do:none" in offered:
            key, buttons = "choose", [*offered]  # yes, but which?
        case "yes" if draft.talk.extra.get("settled"):
            key = "thanks"
        case "yes" if _TAKES_NOTE.heard(draft.words):
            key = "nothing_more"
    if key == "nothing_more":
        draft.keep(let_be=True)
    if wish not in AFTERTHOUGHTS or not draft.turn.last:
        draft.open()
    draft.say(key, *buttons)
