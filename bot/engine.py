"""What to say and do: a pure function of values. The policy is a list of rules; the first that applies decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bot.dialogue import Alarm, Decision, Need, Turn, Wait
from bot.flows import (
    burst,
    buttons,
    changed,
    fields,
    journal,
    line,
    matter,
    notices,
    platform,
    pleasantries,
    public,
    quiet,
    waiting,
    wishes,
)
from bot.flows.complaint import wished
from bot.flows.draft import Draft, Missing
from bot.flows.inside import aftermath, inside, left
from bot.flows.questions import answer, choose, contacted, noted, outcome, unknown
from bot.flows.reading import is_score, mood, ticket_number
from bot.flows.wording import bare
from bot.messages import Kind
from handoff import care, deadlines, desk, promises, tickets

Rule = Callable[[Draft], bool]

FALLING_DUE: Final = {**care.TIMERS, **promises.TIMERS, **deadlines.TIMERS}  # what is owed, and what was promised
VERDICTS: Final = frozenset({"solved", "not_helpful"})
WAYS_BACK: Final = frozenset({"cancel", "back"})
MOODS: Final = {1: "not_helpful", 2: "not_helpful", 4: "thanks", 5: "thanks"}  # "useless" or "great", not asked for


def decide(turn: Turn) -> Decision | Need | Wait:
    """All that comes of one event; no clock, no randomness, nothing read or written."""
    draft = Draft(turn)
    try:
        platform.spoken(draft)
        EVENTS[turn.event.kind](draft)
        tickets.heard(draft)
        deadlines.follow(draft)
    except Missing as missing:
        return missing.need
    return care.told_by_hand(turn, draft.decision())


# ---------------------------------------------------------------- what may happen


def words(draft: Draft) -> None:
    """The customer has written."""
    said = next((id for id in (draft.event.native, *(p.native for p in reversed(draft.talk.pending))) if id), None)
    draft.remember(pending=())
    if draft.event.public:
        public.words(draft)
        return
    rule = next((rule for rule in POLICY if rule(draft)), None)
    draft.keep(said=said, unanswered=said if rule in UNANSWERED else None)
    fields.keep(draft)


def edit(draft: Draft) -> None:
    """A message was changed or taken back: what waits is changed there, what was not answered may be now."""
    rules = (*ALWAYS, *(ANEW if changed.unanswered(draft) else ()))
    if draft.event.public:
        public.edited(draft)
    elif not changed.waiting(draft):
        changed.remembered(draft)
        gone = changed.taken_back(draft)
        rule = None if gone else next((rule for rule in rules if rule(draft)), None)
        if rule is None:
            draft.note("deleted" if gone else "edited", text=draft.words)
        elif rule not in UNANSWERED:
            draft.keep(unanswered=None)
    draft.files = ()


def choice(draft: Draft) -> None:
    """A button was pressed; what was written before it is answered before it."""
    if draft.turn.talk.pending:
        words(draft)
    pressed = draft.event.choice
    if draft.agent_has_floor and not pressed.startswith("rate:"):
        draft.note("pressed", choice=pressed)
        return
    if not pressed.startswith("rate:"):
        draft.remember(stopped=False)
    if not draft.event.public or public.pressed(draft, pressed):
        buttons.press(draft, pressed)


def hello(draft: Draft) -> None:
    """The chat was opened: greet once, if it is new; whoever says so himself (``/start``) is answered each time.

    What was written before it is answered before it.
    """
    asked, waited = bool(draft.event.data.get("asked")), bool(draft.turn.talk.pending)
    known = draft.turn.conversation or draft.turn.last or draft.talk.extra.get("greeted") or draft.talk.stopped
    new = not (known or waited)
    if waited:
        words(draft)
    if asked:
        draft.remember(stopped=False)
        draft.note("started", link=str(draft.event.data.get("start", "")))
    if draft.event.public:
        public.hello(draft)
    elif asked and draft.talk.flow and (run := journal.resume(draft)):
        run.say_question(draft.text("greeting"))
    elif new or asked:
        draft.keep(greeted=True)
        draft.say("hello" if new else "help", *wishes.STARTERS)


def timer(draft: Draft) -> None:
    """Something fell due."""
    match draft.event.timer:
        case "burst" if draft.turn.talk.pending:
            words(draft)
        case "idle":
            idle(draft)
        case "rating":
            rating_due(draft)
        case "ticket_due":
            tickets.due(draft)
        case "queue":
            waiting.look_after(draft)
        case other if other in FALLING_DUE:
            FALLING_DUE[other](draft)


def idle(draft: Draft) -> None:
    """The customer has gone quiet."""
    if not quiet.enough(draft.turn):
        return
    here = draft.turn.conversation
    awaited = draft.talk.extra.get("owed") or draft.talk.extra.get("snoozed")  # it is the agent's turn
    if here and here.owner == "agent" and not awaited:
        care.left(draft)
    elif platform.has(draft):
        platform.overlooked(draft)
    elif here and here.owner == "bot" and not draft.talk.pending:
        left(draft)
        if draft.talk.answered or here.answered:
            draft.ask_rating(here.number, here.cycle)
        draft.close("idle")


def rating_due(draft: Draft) -> None:
    """A conversation was closed by an agent: how was it?"""
    last = draft.turn.last
    if last and not draft.turn.conversation:
        draft.ask_rating(last.number, last.cycle)


EVENTS: Final[dict[Kind, Callable[[Draft], None]]] = {
    Kind.TEXT: words,
    Kind.EDIT: edit,
    Kind.CHOICE: choice,
    Kind.HELLO: hello,
    Kind.TIMER: timer,
    Kind.COMMAND: desk.command,
    Kind.NOTICE: notices.notice,
}


# ---------------------------------------------------------------- the policy, rule by rule


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
        draft.note("stopped")
        draft.say("stopped")
    draft.close("stopped")
    journal.drop(draft)
    draft.remember(stopped=True)
    return True


def emergency(draft: Draft) -> bool:
    """Danger: safety and people come before anything else."""
    if not (draft.meant and draft.meant.emergency):
        return False
    journal.drop(draft)
    draft.open()
    more = matter.known(draft, danger=draft.meant.emergency, open=draft.own_ticket("emergency"))
    called = line.join(draft, "emergency", {**more, "what": draft.words}, quiet=True)
    journal.begin(draft, "emergency", **more, called=called or None)
    return True


def button(draft: Draft) -> bool:
    """Every button can be typed; a digit belongs to the last question asked, yes and no to our last sentence."""
    pressed = buttons.typed(draft.words, draft.talk.offered, draft.meant, last=not draft.talk.extra.get("passed"))
    if pressed:
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
    if draft.meant and intent in VERDICTS and draft.meant.intent_confidence < 1 and not draft.talk.answered:
        return False  # about what?
    if draft.meant and draft.meant.angry and intent in pleasantries.SAID and draft.meant.intent_confidence < 1:
        return False  # said in scorn
    guessed = draft.meant is not None and draft.meant.intent_confidence < matter.SURE
    if (intent == "complaint" and not matter.complains(draft)) or (intent in WAYS_BACK and guessed):
        return False
    if draft.meant and not intent and waiting.asks_when(draft, of_ours=True):
        intent = "ticket_status"
    elif draft.meant and not intent and outcome(draft) != "answer" and not matter.telling(draft):
        own = (ticket.number for ticket in draft.turn.tickets)
        if ticket_number(draft.heard, own) or waiting.asks_when(draft, of_ours=False):
            intent = "ticket_status"
        elif is_score(draft.heard):
            intent = "rating"
        elif felt := mood(draft.heard):
            intent = MOODS.get(felt, "")
    return bool(intent) and wishes.grant(draft, intent)


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
    noted,
    wish,
    contacted,
    burst.scrap,
    wishes.rearranged,
    answer,
    files,
    burst.patient,
    choose,
    unknown,
)


UNANSWERED: Final = frozenset({choose, unknown})  # after these an edit is tried anew
ALWAYS: Final[tuple[Rule, ...]] = (floor, stop, emergency)  # whichever message was edited
ANEW: Final[tuple[Rule, ...]] = (person, wish, answer, choose)
