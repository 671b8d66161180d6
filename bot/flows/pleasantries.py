"""What belongs to good manners: a greeting, thanks, a yes or no to nothing in particular."""

from __future__ import annotations

import re
from typing import Final

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
_ANNOUNCES = re.compile(r"\b(?:questions?|things?|something|problems?)\b|问|事", re.IGNORECASE)  # "I have a question"
_TAKES_NOTE = re.compile(r"ok\b|okay|got it|noted|fine|好[的吧]|行吧?$|知道|了解|明白|收到|👌|👍", re.IGNORECASE)

_APPROVES = re.compile(
    r"\b(?:great|brilliant|excellent|fantastic|amazing|wonderful|awesome|perfect|superb|outstanding|lovely|nice|kind|kindly"
    r"|friendly|patient|polite|helpful|professional|quick|tidy|on time|praise|commend|compliments?|kudos|shout ?-?out"
    r"|thanks?|well done|good (?:job|work)|hats off|credit to|the best|star|legend|hero|impressed|raise)\b"
    r"|[很真好太特别非常挺超]{1,2}(?:好|棒|赞|专业|耐心|负责|细心|热情|周到|准时|满意|认真|及时|贴心|客气|厉害)|不错|到位|点个?赞"
    r"|表扬|夸|感谢|谢谢|帮了?大忙|五星|(?:专业|耐心|负责|细心|热情|周到|准时|认真)$",
    re.IGNORECASE,
)
_ESPECIALLY = re.compile("特别|级别|个别")  # 别 forbids nothing in these
_MARS = re.compile(  # what makes praise of something else
    r"\b(?:but|however|although|though|still|unfortunately|not|no|never|nobody|nothing|hardly|would|should)\b"
    r"|n't\b|\b(?:dont|didnt|isnt|wasnt|doesnt|wont|cant)\b"
    r"|但|可是|不过|只是|就是|可惜|还是|不(?!错)|没|别(?!提)|差|骂|坏",
    re.IGNORECASE,
)


def praises(draft: Draft) -> bool:
    """Whether praise is all that is said: in so many words, neither in scorn, nor with a "but", nor as a question."""
    if (draft.meant and draft.meant.angry) or is_question(draft.words):
        return False
    return bool(_APPROVES.search(draft.words)) and not _MARS.search(_ESPECIALLY.sub("", draft.words))


def praise(draft: Draft, _: str) -> None:
    """One of our people is praised: those in charge are to read it."""
    if not draft.turn.last:
        draft.open()
    draft.do(Alarm("praise", draft.words[:SUBJECT]))
    draft.say("praise")


def waits(draft: Draft) -> bool:
    """Whether he has asked what nobody could answer, and has not let it be."""
    return bool(draft.talk.unknowns and matter.still_open(draft) and not draft.talk.extra.get("let_be"))


def answer(draft: Draft, wish: str) -> None:
    """The polite answer, as it fits to what was said last."""
    key, *buttons = SAID[wish]
    offered = () if draft.talk.extra.get("passed") else tuple(choice for choice, _ in draft.talk.offered)
    match wish:
        case "thanks":
            draft.keep(answered=None, let_be=True)  # it has helped: no matter for people
        case "greeting" | "yes" if waits(draft) and "do:none" not in offered:
            key, buttons = "still_here", [*PEOPLE]  # "hello?" of who waits for an answer
        case "greeting" if _ANNOUNCES.search(draft.words):
            key, buttons = "go_ahead", []
        case "cancel" if offered or gives_up(draft.words):
            key = "nothing_more"  # he declines what was just offered
        case "yes" if "do:none" in offered:
            key, buttons = "choose", [*offered]  # yes, but which?
        case "yes" if draft.talk.extra.get("settled"):
            key = "thanks"
        case "yes" if _TAKES_NOTE.match(draft.words):
            key = "nothing_more"
    if key == "nothing_more":
        draft.keep(let_be=True)
    if wish not in AFTERTHOUGHTS or not draft.turn.last:
        draft.open()
    draft.say(key, *buttons)
