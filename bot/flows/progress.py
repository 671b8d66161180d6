"""How far a ticket is: its state and what is promised on it, as a flow may know it and a customer is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from handoff.standards import MEASURED, Clock

if TYPE_CHECKING:
    from bot.dialogue import TicketView, Turn

FINISHED: Final = frozenset({"resolved", "closed"})
ITS_OWN: Final = ("number", "kind", "state", "subject", "last_word")


def progress(ticket: TicketView, turn: Turn, lang: str) -> dict[str, Any]:
    """What is known of a ticket at that turn, with its times in the words of ``lang``.

    ``due``: when something happens next; ``promised``: measure -> when, of what runs; ``late``: what is missed.
    """
    now, policy = turn.now, turn.policy
    due = {name: at for name in MEASURED if (at := _due(ticket, turn, name))}
    form = policy.forms.kinds.get(ticket.kind)
    return {name: getattr(ticket, name) for name in ITS_OWN} | {
        "label": dict(form.label) if form else None,
        "due": policy.hours.spoken(ticket.due_at, lang) if ticket.due_at else "",
        "overdue": ticket.due_at is None or ticket.due_at <= now,
        "promised": {name: policy.hours.spoken(at, lang) for name, at in due.items()},
        "late": [name for name, at in due.items() if at <= now],
        "finished": ticket.state in FINISHED,
    }


def _due(ticket: TicketView, turn: Turn, name: str) -> Any:
    policy, tier = turn.policy, str(turn.customer.get("tier", ""))
    promised = policy.standards.times(ticket.kind, ticket.priority, tier).get(name)
    clock = Clock.of(ticket.clocks[name]) if name in ticket.clocks else None
    if clock is None or clock.since is None or promised is None:
        return None
    return clock.reaches(promised, turn.now, policy.hours)
