"""What Prometheus may count."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy import Connection, func, select

from bot.tables import conversation, inbox, reply, ticket

REGISTRY = CollectorRegistry()
RECEIVED = Counter("aftercare_events_received_total", "Events stored", ["channel", "kind"], registry=REGISTRY)
FAULTS = Counter("aftercare_faults_total", "Parts that broke and were started again", ["part"], registry=REGISTRY)
ALARMS = Counter("aftercare_alarms_total", "What people must see at once", ["kind"], registry=REGISTRY)
WAITING = Gauge("aftercare_events", "Events by state", ["state"], registry=REGISTRY)
OLDEST = Gauge("aftercare_oldest_waiting_seconds", "Age of the oldest waiting event", registry=REGISTRY)
REPLIES = Gauge("aftercare_replies", "Replies not yet sent, or not for sure", ["state"], registry=REGISTRY)
OPEN = Gauge("aftercare_open", "Open conversations and tickets", ["what"], registry=REGISTRY)
DEGRADED = Gauge("aftercare_model_missing", "1 if the configured model cannot be used", registry=REGISTRY)
KNOWLEDGE = Gauge("aftercare_knowledge_current", "1 if the FAQ on disk is the one in force", registry=REGISTRY)


def measure(connection: Connection, now: float) -> None:
    """Count what waits; every query walks an index that holds open work only."""
    waiting = select(func.count(), func.min(inbox.c.received_at)).where(inbox.c.state == "waiting")
    count, oldest = connection.execute(waiting).one()
    WAITING.labels("waiting").set(count)
    OLDEST.set(now - oldest if oldest else 0)
    counts: list[tuple[Any, Any]] = [
        (WAITING.labels("dead"), select(func.count()).where(inbox.c.state == "dead")),
        (REPLIES.labels("due"), select(func.count()).where(reply.c.due_at.is_not(None))),
        (REPLIES.labels("dead"), select(func.count()).where(reply.c.state == "dead")),
        (REPLIES.labels("uncertain"), select(func.count()).where(reply.c.state == "uncertain")),
        (OPEN.labels("conversations"), select(func.count()).where(conversation.c.owner != "none")),
        (OPEN.labels("tickets"), select(func.count()).select_from(ticket).where(ticket.c.closed_at.is_(None))),
    ]
    for gauge, query in counts:
        gauge.set(connection.scalar(query))
