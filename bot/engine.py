"""What to say and do about an event: a pure function of values. What customers write is decided by bot/rules.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bot.dialogue import Decision, Need, OpenTicket, Turn, Wait
from bot.flows import (
    buttons,
    changed,
    declined,
    journal,
    notices,
    particulars,
    platform,
    public,
    quiet,
    scores,
    unsettled,
    waiting,
    wishes,
)
from bot.flows.draft import Draft, Missing
from bot.flows.inside import left
from bot.messages import Kind
from bot.rules import ALWAYS, ANEW, POLICY, UNANSWERED
from handoff import care, deadlines, desk, promises, tickets

FALLING_DUE: Final = {**care.TIMERS, **promises.TIMERS, **deadlines.TIMERS}  # what is owed, and what was promised


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
    declined.heed(draft)
    if draft.event.public:
        public.words(draft)
        return
    rule = next((rule for rule in POLICY if rule(draft)), None)
    draft.keep(said=said, unanswered=said if rule in UNANSWERED else None)
    particulars.keep(draft)


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
            draft.fact("deleted" if gone else "edited", text=draft.words)
        elif rule not in UNANSWERED:
            draft.keep(unanswered=None)
    draft.files = ()


def choice(draft: Draft) -> None:
    """A button was pressed; what was written before it is answered before it."""
    if draft.turn.talk.pending:
        words(draft)
    pressed = draft.event.choice
    if draft.agent_has_floor and not pressed.startswith("rate:"):
        draft.fact("pressed", choice=pressed)
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
        draft.fact("started", link=str(draft.event.data.get("start", "")))
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
        registered = any(isinstance(effect, OpenTicket) for effect in draft.effects)  # nothing of it is settled yet
        if not (registered or unsettled.remind(draft)) and (draft.talk.answered or here.answered):
            scores.ask(draft, here.number, here.cycle)
        draft.close("idle")


def rating_due(draft: Draft) -> None:
    """A conversation was closed by an agent: how was it?"""
    last = draft.turn.last
    if last and not draft.turn.conversation:
        scores.ask(draft, last.number, last.cycle)


EVENTS: Final[dict[Kind, Callable[[Draft], None]]] = {
    Kind.TEXT: words,
    Kind.EDIT: edit,
    Kind.CHOICE: choice,
    Kind.HELLO: hello,
    Kind.TIMER: timer,
    Kind.COMMAND: desk.command,
    Kind.NOTICE: notices.notice,
}
