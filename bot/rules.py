"""The policy for what customers write: a list of rules, of which the first that applies decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from bot.cues import cue
from bot.dialogue import Alarm
from bot.flows import (
    burst,
    buttons,
    declined,
    fields,
    following,
    journal,
    line,
    matter,
    opening,
    platform,
    pleasantries,
    unsettled,
    waiting,
    wishes,
)
from bot.flows.clause_wishes import heads_with_wish, may_wish_ticket, wished_with_matter
from bot.flows.complaint import wished
from bot.flows.draft import Draft
from bot.flows.foreign import in_another_language
from bot.flows.inside import aftermath, inside
from bot.flows.lengths import REMARK, letters
from bot.flows.questions import (
    answer,
    both_meant,
    choose,
    outcome,
    unknown,
)
from bot.flows.reading import ticket_number
from bot.flows.scores import RATE, is_score, mood
from bot.flows.unasked import contacted, details_told
from bot.flows.wording import bare, is_question
from handoff import care

Rule = Callable[[Draft], bool]

HEARTFELT: Final = frozenset({"praise", "complaint"})  # nobody is asked whether he means that
VERDICTS: Final = frozenset({"solved", "not_helpful"})
WAYS_BACK: Final = frozenset({"cancel", "back"})
_AFTER_ALL = cue("rules.after_all")
_WHETHER_DONE = cue("rules.whether_done")
MOODS: Final = {1: "not_helpful", 2: "not_helpful", 4: "thanks", 5: "thanks"}  # "useless" or "great", not asked for


def floor(draft: Draft) -> bool:
    """A human has the floor: the bot is silent, but it stops when told to and calls people when there is danger."""
    if draft.agent_has_floor and not platform.has(draft):
        care.heard(draft)
    if not draft.agent_has_floor or draft.meant is None:
        return draft.agent_has_floor
    if draft.meant.emergency:
        draft.do(Alarm("emergency", draft.words))
    if draft.meant.wants_stop:
        draft.do(Alarm("stopped", draft.words))
        stop(draft)
    return True


def stop(draft: Draft) -> bool:
    """No more words from us: said once, then silence until the customer writes again."""
    if not (draft.meant and draft.meant.wants_stop):
        draft.remember(stopped=False)
        return False
    if draft.number or not draft.talk.stopped:
        draft.fact("stopped")
        draft.say("stopped")
    draft.close("stopped")
    journal.drop(draft)
    draft.remember(stopped=True)
    return True


def emergency(draft: Draft) -> bool:
    """Danger: safety and people come before anything else."""
    if not (draft.meant and draft.meant.emergency):
        return False
    draft.open()
    told, before = journal.take_over(draft), matter.still_open(draft)
    before = told.pop("what", "") or before
    known = {**told, "before": before, "danger": draft.meant.emergency, "open": draft.own_ticket("emergency")}
    more = matter.known(draft, **known)
    called = line.join(draft, "emergency", {**more, "what": draft.words}, quiet=True)
    journal.begin(draft, "emergency", **more, called=called or None)
    return True


def button(draft: Draft) -> bool:
    """Every button can be typed; a digit belongs to the last question asked, yes and no to our last sentence."""
    if both_meant(draft):
        return True
    pressed = buttons.typed(draft.words, draft.talk.offered, draft.meant, last=not draft.talk.extra.get("passed"))
    if pressed == "do:ticket" and (kind := fields.kind_named(draft)):
        opening.ticket(draft, kind)  # "yes, repair it"
    elif pressed:
        if pressed == "do:ticket" and draft.heard.yes_no == "yes" and not matter.still_open(draft):
            matter.answers_did_not_help(draft)  # "shall I pass it on?", "yes": what was asked before
        buttons.press(draft, pressed)
    return bool(pressed)


def person(draft: Draft) -> bool:
    """A request for a person is always honoured at once."""
    if not (draft.meant and draft.meant.wants_person):
        return False
    asked = draft.talk.flow == "complaint" and draft.talk.asked == "wish"
    answers = wished(draft.heard) if asked else ""
    if answers == "call" or (answers == "supervisor" and not line.desk(draft).open):
        return False  # of the people who have the complaint, he wants their head, or a call: that is an answer
    wishes.human(draft, "asked")
    return True


def wish(draft: Draft) -> bool:
    """Something known is wished; a ticket number alone asks for its status, "very satisfied" is a rating."""
    intent = draft.meant.intent if draft.meant else ""
    likely = likeliest(draft).removeprefix("intent:") if outcome(draft) == "choose" else ""
    intent = intent or (likely if likely in HEARTFELT else "")
    if intent == "praise" and matter.blames(draft):
        intent = "complaint"  # what is said of our people resembles it, good or bad
    if draft.meant and doubtful(draft, intent):
        return False
    answered = outcome(draft) == "answer" and may_wish_ticket(draft)
    beside = answered or (intent in pleasantries.SAID and not phrased(draft))
    if (beside and wished_with_matter(draft)) or (outcome(draft) == "answer" and heads_with_wish(draft)):
        return True  # "open a ticket: my camera is offline", "I want a refund please, thank you"
    if draft.meant and intent in ("", "solved"):
        intent = unspoken(draft)
    elif intent == "greeting" and waiting.asks_when(draft, of_ours=True):
        intent = "ticket_status"  # "hello?? still nothing"
    return bool(intent) and wishes.grant(draft, intent)


def doubtful(draft: Draft, intent: str) -> bool:
    """Whether what sounds like a wish may well be none."""
    if draft.meant is None or phrased(draft):
        return False
    if intent in VERDICTS:
        return not draft.talk.answered  # about what?
    if intent in pleasantries.SAID and draft.meant.angry:
        return True  # said in scorn
    if intent == "yes":
        return bool(draft.talk.unknowns and matter.still_open(draft))  # "yes I need one", of what we do not know
    if intent == "praise":
        return not pleasantries.praises(draft)
    if intent == "complaint":
        return not matter.complains(draft)
    return intent in WAYS_BACK and draft.meant.intent_confidence < matter.SURE


def meant_by(draft: Draft) -> tuple[str, ...]:
    """What he may mean where several things are as likely."""
    return wishes.offers(draft) if outcome(draft) == "choose" else ()


def likeliest(draft: Draft) -> str:
    """What the words most likely mean, "" if nothing is."""
    return draft.ranking.candidates[0].entry if draft.ranking and draft.ranking.candidates else ""


def phrased(draft: Draft) -> bool:
    """Whether the words are nothing but a phrase for what they wish."""
    return draft.meant is not None and draft.meant.intent_confidence >= 1


def unspoken(draft: Draft) -> str:
    """What is wished without a word for it: how far a ticket is, a rating, thanks; "" if nothing is."""
    if draft.heard.intent:
        return "ticket_status" if _WHETHER_DONE.heard(draft.words) else draft.heard.intent  # "is it ready?"
    if waiting.asks_when(draft, of_ours=True) or (draft.turn.tickets and "do:ticket_status" in meant_by(draft)):
        return "ticket_status"
    if outcome(draft) == "answer" or matter.telling(draft):
        return ""
    own = (ticket.number for ticket in draft.turn.tickets)
    if ticket_number(draft.heard, own) or waiting.asks_when(draft, of_ours=False):
        return "ticket_status"
    if draft.talk.answered and "do:none" not in dict(draft.talk.offered) and bare(draft.words) in RATE:
        return "rating"  # a number for nothing we have asked
    if outcome(draft) == "unknown" and waiting.asks_of_nothing(draft):
        return "ticket_status"  # "did you fix it?" of who writes from elsewhere
    return "rating" if is_score(draft.heard) else MOODS.get(mood(draft.heard) or 0, "")


def after_all(draft: Draft) -> bool:
    """The form just cancelled is wanted after all: "no wait, go on", 还是提交吧."""
    journal_kept = draft.talk.extra.get("cancelled")
    if not journal_kept:
        return False
    kind, intent = journal_kept[0][1].get("kind"), draft.meant.intent if draft.meant else ""
    other = is_question(draft.words) or outcome(draft) == "answer" or draft.turn.policy.forms.wished(intent)
    if letters(draft.words) <= REMARK and _AFTER_ALL.heard(draft.words) and (intent == kind or not other):
        return journal.taken_up(draft)
    draft.keep(cancelled=None)
    return False


def still_so(draft: Draft) -> bool:
    """What was answered has not helped: "it's still red", 还是一样."""
    last, soon = draft.turn.last, timedelta(seconds=draft.turn.policy.rating_window)
    lately = bool(last and last.closed_at and draft.now - last.closed_at <= soon and not draft.heard.named("model"))
    entry = draft.talk.last_entry if (draft.number or lately) and draft.talk.extra.get("settled") else ""
    other = outcome(draft) == "intent" or (outcome(draft) == "answer" and likeliest(draft) != entry)
    if not entry or other or letters(draft.words) > REMARK or not unsettled.is_still(draft.words):
        return False
    wishes.not_helpful(draft, entry)
    draft.tells(draft.words)
    return True


def files(draft: Draft) -> bool:
    """Files are for people: they go to the ticket opened just now, or are kept for the one to come."""
    wordless = not bare(draft.words) and not (draft.meant and (draft.meant.intent or draft.meant.angry))
    if not (wordless or draft.files):
        return False
    draft.open()
    if draft.files and (number := draft.talk.extra.get("ticket")):
        draft.add(number, draft.words)
        draft.say("files.added", number=number)
    else:
        draft.asked_freely()
        draft.say("files.kept" if draft.files else "nothing_heard", *wishes.WAYS_ON)
    return True


POLICY: Final[tuple[Rule, ...]] = (
    floor,
    stop,
    emergency,
    button,
    person,
    burst.album,
    aftermath,
    inside,
    waiting.queued,
    following.goes_on,
    opening.rearranged,
    details_told,
    in_another_language,
    after_all,
    declined.noted,
    wish,
    contacted,
    burst.scrap,
    opening.unwanted,
    unsettled.resolved_not,
    still_so,
    answer,
    files,
    burst.patient,
    choose,
    unknown,
)


UNANSWERED: Final = frozenset({choose, unknown})  # after these an edit is tried anew
ALWAYS: Final[tuple[Rule, ...]] = (floor, stop, emergency)  # whichever message was edited
ANEW: Final[tuple[Rule, ...]] = (person, wish, answer, choose)
