"""What every page of the console has: the way to the others, and who one is."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, select

from handoff.access import Actor, allowed
from handoff.tables import agent

PAGES: Final = (  # name, address, what one must be allowed to do
    ("inbox", "/", "inbox.read"),
    ("tickets", "/tickets", "ticket.read"),
    ("customers", "/customers", "customer.read"),
    ("alarms", "/alarms", "alarm.read"),
    ("wall", "/wall", "wall.read"),
    ("dead", "/dead", "dead.read"),
    ("faq", "/faq", "faq.read"),
    ("people", "/people", "account.read"),
    ("audit", "/audit", "audit.read"),
    ("settings", "/settings", "settings.read"),
)


def shell(connection: Connection, actor: Actor) -> dict[str, Any]:
    """The values of shell.html."""
    presence = connection.scalar(select(agent.c.presence).where(agent.c.id == actor.id))
    return {"nav": [(name, path) for name, path, action in PAGES if allowed(actor, action)], "presence": presence}
