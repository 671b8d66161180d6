"""A promise to a customer: told him with its time, reminded of before, asked after; kept, moved, or broken. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bot.dialogue import Alarm, DropTimer, SetTimer
from bot.flows.draft import Draft
from handoff import care, tickets
from handoff.care import Refused, notice
from handoff.dialogue import AgentView, EndPromise, MakePromise, PromiseView, Result

SOON: Final = timedelta(hours=2)  # so long before its owner is reminded, or a quarter of the way, if that is less
GRACE: Final = timedelta(minutes=30)  # after it was due its owner has so long to say what became of it
TEXT: Final = 500  # characters


# ---------------------------------------------------------------- what agents do


def made(draft: Draft, who: AgentView) -> None:
    """Somebody will do something by then; the customer has it in writing."""
    data = draft.event.data
    text, ticket = str(data.get("text", "")).strip()[:TEXT], str(data.get("ticket") or "")
    if not text:
        raise Refused("empty")
    if (due := care.due(draft)) is None:
        raise Refused("when")
    if ticket and tickets.view(draft, ticket) is None:
        raise Refused("gone")
    number = _make(draft, who.id, text, due, ticket=ticket)
    notice(draft, "promise.made", name=who.name, text=text, when=_when(draft, due))
    draft.do(Result(True, {"promise": number}))


def ended(draft: Draft, who: AgentView) -> None:
    """Kept, with what proves it; renegotiated, before it was due; or broken, with an apology and a new time."""
    data = draft.event.data
    promise = _promise(draft, str(data.get("promise", "")))
    if promise is None or promise.state != "open":
        raise Refused("gone")
    state, proof = str(data.get("state", "")), str(data.get("proof", "")).strip()[:TEXT]
    if state not in ("kept", "renegotiated", "broken"):
        raise Refused("unknown")
    if state == "kept" and not proof:
        raise Refused("empty")  # what makes us say so?
    if state == "renegotiated" and draft.now >= promise.due_at:
        raise Refused("late")  # it is broken, and that is what the customer hears
    due = care.due(draft) if state != "kept" else None
    if state != "kept" and due is None:
        raise Refused("when")
    _end(draft, promise, state, proof)
    if state == "kept":
        notice(draft, "promise.kept", text=promise.text)
    elif due:
        number = _make(draft, who.id, promise.text, due, ticket=promise.ticket, follows=promise.number)
        said = "promise.renegotiated" if state == "renegotiated" else "promise.broken"
        notice(draft, said, text=promise.text, when=_when(draft, due))
        draft.do(Result(True, {"promise": number}))
    if state == "broken":
        draft.do(Alarm("promise_broken", promise.text, agent=promise.agent))


COMMANDS: Final = {"promise": made, "promise_end": ended}


# ---------------------------------------------------------------- what time does


def soon(draft: Draft) -> None:
    """A promise falls due before long: its owner is reminded."""
    if (promise := _promise(draft, _number(draft))) and promise.state == "open":
        draft.do(Alarm("promise_soon", promise.text, agent=promise.agent))


def due(draft: Draft) -> None:
    """Its time has come: its owner is asked; if he does not answer, the customer hears the truth from us."""
    promise = _promise(draft, _number(draft))
    if promise is None or promise.state != "open":
        return
    if not draft.event.data.get("asked"):
        draft.do(Alarm("promise_due", promise.text, agent=promise.agent))
        asked = {"number": promise.number, "asked": True}
        draft.do(SetTimer("promise_due", draft.now + GRACE, f"promise:{promise.number}", asked))
        return
    _end(draft, promise, "broken", "")
    notice(draft, "promise.missed", text=promise.text)
    draft.do(Alarm("promise_broken", promise.text, agent=promise.agent))


TIMERS: Final = {"promise_soon": soon, "promise_due": due}


def _make(draft: Draft, agent: int, text: str, due_at: datetime, *, ticket: str = "", follows: str = "") -> str:
    number = "P" + next(draft.tickets)[1:]
    draft.do(MakePromise(number, agent, text, due_at, ticket, follows))
    about = f"promise:{number}"
    before = min(SOON, (due_at - draft.now) / 4)
    draft.do(SetTimer("promise_soon", due_at - before, about, {"number": number}))
    draft.do(SetTimer("promise_due", due_at, about, {"number": number}))
    return number


def _end(draft: Draft, promise: PromiseView, state: str, proof: str) -> None:
    about = f"promise:{promise.number}"
    draft.do(
        EndPromise(promise.number, state, proof), DropTimer("promise_soon", about), DropTimer("promise_due", about)
    )


def _promise(draft: Draft, number: str) -> PromiseView | None:
    found: PromiseView | None = draft.look("promise", number)
    return found


def _number(draft: Draft) -> str:
    return str(draft.event.data.get("number", ""))


def _when(draft: Draft, at: datetime) -> str:
    return draft.turn.policy.hours.spoken(at, draft.lang)
