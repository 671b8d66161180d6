"""The read-only views for operators and audits: names that outsiders rely on."""

from __future__ import annotations


def _when(dialect: str, column: str) -> str:
    """A stored time as the database's own readable UTC time."""
    if dialect == "sqlite":
        return f"strftime('%Y-%m-%d %H:%M:%f', {column}, 'unixepoch')"
    return f"to_timestamp({column})"


def views(dialect: str) -> dict[str, str]:
    """Name of each view -> its SELECT, for ``sqlite`` or ``postgresql``."""

    def at(column: str) -> str:
        return f"{_when(dialect, column)} AS {column.split('.')[-1]}"

    def next_due(subject: str) -> str:
        due = f"SELECT min(m.due_at) FROM timer m WHERE m.fired_at IS NULL AND m.subject = {subject}"
        return f"{_when(dialect, f'({due})')} AS next_due_at"

    conversation_due, ticket_due = next_due("'conversation:' || c.number"), next_due("'ticket:' || t.number")
    return {
        "check_inbox": (
            "SELECT i.id, i.channel, i.dedup_key, i.chat_id, i.seq, i.state, i.outcome, i.turn_id, "
            "i.attempts + CASE WHEN c.trying = i.id THEN c.tries ELSE 0 END AS attempts, "
            f"{at('i.received_at')}, {at('i.done_at')} FROM inbox i LEFT JOIN chat c ON c.id = i.chat_id"
        ),
        "check_reply": ("SELECT id, chat_id, seq, part_no, cause_inbox_id, state, provider_id, attempts FROM reply"),
        "check_conversation": (
            "SELECT c.id, c.number, c.chat_id, c.owner, c.agent_id, c.epoch, c.cycle, "
            f"{conversation_due}, {at('c.opened_at')}, {at('c.closed_at')} FROM conversation c"
        ),
        "check_ticket": (
            "SELECT t.id, t.number, t.conversation_id, t.cause_inbox_id, t.kind, t.state, t.owner, "
            f"{ticket_due} FROM ticket t"
        ),
        "check_rating": "SELECT conversation_id, cycle, score, agent_id FROM rating",
        "check_timer": f"SELECT id, subject, kind, {at('due_at')}, {at('fired_at')} FROM timer",
    }
