"""Prove the invariants on a live database: each rule is a query for what breaks it, and finds nothing."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, text

SHOWN: Final = 20  # offenders named per rule

RULES: Final[dict[str, str]] = {
    "every open conversation has an unfired timer": """
        SELECT c.number FROM conversation c WHERE c.owner <> 'none' AND NOT EXISTS (
            SELECT 1 FROM timer t WHERE t.subject = 'conversation:' || c.number AND t.fired_at IS NULL)""",
    "every open ticket has an owner and an unfired timer": """
        SELECT k.number FROM ticket k WHERE k.closed_at IS NULL AND (k.owner = '' OR NOT EXISTS (
            SELECT 1 FROM timer t WHERE t.subject = 'ticket:' || k.number AND t.fired_at IS NULL))""",
    "a chat has at most one open conversation": """
        SELECT chat_id FROM conversation WHERE owner <> 'none' GROUP BY chat_id HAVING count(*) > 1""",
    "a turn that replied has a reply": """
        SELECT i.id FROM inbox i WHERE i.outcome = 'replied' AND NOT EXISTS (
            SELECT 1 FROM reply r WHERE r.cause_inbox_id = i.turn_id)""",
    "merged words belong to a finished turn of their chat": """
        SELECT i.id FROM inbox i LEFT JOIN inbox turn ON turn.id = i.turn_id
        WHERE i.state = 'done' AND (turn.id IS NULL OR turn.chat_id <> i.chat_id OR turn.state <> 'done')""",
    "words that wait for more have a timer": """
        SELECT i.id FROM inbox i WHERE i.state = 'taken' AND NOT EXISTS (
            SELECT 1 FROM timer t WHERE t.chat_id = i.chat_id AND t.kind = 'burst' AND t.fired_at IS NULL)""",
    "a chat with something waiting is ready at some time": """
        SELECT DISTINCT c.id FROM chat c JOIN inbox i ON i.chat_id = c.id AND i.state = 'waiting'
        WHERE c.ready_at IS NULL""",
    "events of a chat were handled in the order of their receipt": """
        SELECT id FROM (
            SELECT i.id, coalesce(t.at, i.received_at) AS received_at, i.done_at, max(i.done_at) OVER earlier AS prior,
                max(coalesce(t.at, i.received_at)) OVER earlier AS heard
            FROM inbox i LEFT JOIN (  -- words that waited for more have their turn when the timer fires
                SELECT turn_id, max(seq) AS seq, max(received_at) AS at FROM inbox
                WHERE outcome = 'timer' GROUP BY turn_id) t
            ON t.turn_id = i.id
            WHERE i.outcome IN ('replied', 'silent') AND i.priority = 1
            WINDOW earlier AS (PARTITION BY i.chat_id ORDER BY coalesce(t.seq, i.seq)
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) o
        WHERE o.done_at < o.prior  -- by a clock that was not set back meanwhile
        AND o.heard <= o.received_at AND o.received_at <= o.done_at""",
    "the messages of a chat are numbered without a hole": """
        SELECT c.id FROM chat c JOIN (SELECT chat_id, count(*) AS n, max(seq) AS last FROM message GROUP BY chat_id) m
        ON m.chat_id = c.id WHERE m.n <> m.last OR m.last <> c.message_seq""",
    "the events of a chat are numbered once": """
        SELECT chat_id FROM inbox WHERE chat_id IS NOT NULL GROUP BY chat_id, seq HAVING count(*) > 1""",
    "a reply that is not due is settled": """
        SELECT id FROM reply
        WHERE state <> 'uncertain' AND (state IN ('waiting', 'sending')) <> (due_at IS NOT NULL)""",
    "what waits for people is in the queue and looked after": """
        SELECT c.number FROM handover h JOIN conversation c ON c.id = h.conversation_id
        WHERE h.waiting_since IS NOT NULL AND (c.owner <> 'queue' OR NOT EXISTS (
            SELECT 1 FROM timer t WHERE t.subject = 'conversation:' || c.number AND t.kind = 'queue'
            AND t.fired_at IS NULL))""",
    "an agent's conversation is that of somebody who can act": """
        SELECT c.number FROM conversation c LEFT JOIN agent a ON a.id = c.agent_id AND a.disabled_at IS NULL
        WHERE c.owner = 'agent' AND a.id IS NULL AND NOT EXISTS (
            SELECT 1 FROM timer t WHERE t.subject = 'conversation:' || c.number AND t.kind = 'released'
            AND t.fired_at IS NULL)""",
    "an open ticket's agent can act": """
        SELECT k.number FROM ticket k LEFT JOIN agent a ON a.id = k.agent_id AND a.disabled_at IS NULL
        WHERE k.closed_at IS NULL AND k.agent_id IS NOT NULL AND a.id IS NULL""",
    "an open promise is that of somebody who can act": """
        SELECT p.number FROM promise p JOIN agent a ON a.id = p.agent_id WHERE p.state = 'open'
        AND a.disabled_at IS NOT NULL AND EXISTS (
            SELECT 1 FROM agent l WHERE l.role IN ('supervisor', 'admin') AND l.disabled_at IS NULL)""",
    "a standard that is being measured has its timer": """
        SELECT k.number FROM ticket k CROSS JOIN (SELECT 'first_reply' AS name UNION SELECT 'next_reply'
            UNION SELECT 'resolution') s
        WHERE k.closed_at IS NULL AND (k.clocks -> s.name ->> 'since') IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM timer t WHERE t.subject = 'ticket:' || k.number AND t.kind = s.name
            AND t.fired_at IS NULL)""",
    "a standard is met or missed once": """
        SELECT min(id) FROM fact WHERE kind IN ('standard_met', 'standard_missed')
        GROUP BY data ->> 'number', data ->> 'standard', data ->> 'begun' HAVING count(*) > 1""",
    "an agent's command that is done has a result": """
        SELECT i.dedup_key FROM inbox i WHERE i.kind = 'command' AND i.state = 'done' AND i.outcome = 'command'
        AND NOT EXISTS (SELECT 1 FROM command_result r WHERE r.inbox_id = i.id)""",
    "only the customer's own event causes a ticket": """
        SELECT k.number FROM ticket k JOIN inbox i ON i.id = k.cause_inbox_id WHERE i.chat_id <> k.chat_id""",
}


def verify(connection: Connection) -> dict[str, Any]:
    """{"ok", "broken": {rule: offenders}, "rules", "counts"}, from one snapshot of the database."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    broken = {}
    for rule, query in RULES.items():
        if offenders := [str(row[0]) for row in connection.execute(text(f"{query} LIMIT {SHOWN}"))]:
            broken[rule] = offenders
    states = connection.execute(text("SELECT state, count(*) FROM inbox GROUP BY state")).all()
    return {"ok": not broken, "broken": broken, "rules": len(RULES), "events": dict(map(tuple, states))}
