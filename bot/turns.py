"""The turn of a leased chat: what a decision is made from."""

from __future__ import annotations

import secrets
import time
from typing import Any

from bot.dialogue import Event, Policy, Turn
from bot.inbox import attachments
from bot.lanes import Lane, moment
from bot.messages import BY_HAND, Kind

NUMBERS = 6  # ready-made numbers a turn may use: one for a conversation, the rest for tickets
CROCKFORD = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 8  # a byte's sign, of the 32 that are not misread aloud


def numbers() -> tuple[str, ...]:
    """Numbers nobody can guess: ``C-…`` for a conversation, then ``T-…`` for tickets."""
    signs = secrets.token_bytes(NUMBERS * 8).translate(CROCKFORD).decode()
    return tuple(f"{'T' if at else 'C'}-{signs[at : at + 8]}" for at in range(0, NUMBERS * 8, 8))


def turn(lane: Lane, policy: Policy, knowledge: Any, *, people_there: bool) -> Turn:
    """The turn of the event at the lane's head, as of now."""
    body = lane.body
    extra = body.get("extra", {})
    event = Event(
        inbox_id=lane.inbox_id,
        kind=lane.kind,
        at=moment(lane.received_at),
        text=str(body.get("text", "")),
        choice=str(body.get("choice", "")),
        attachments=attachments(body),
        timer=str(extra.get("kind", "")) if lane.kind is Kind.TIMER else "",
        subject=str(extra.get("subject", "")) if lane.kind is Kind.TIMER else "",
        data=extra.get("data", {}) if lane.kind is Kind.TIMER else extra,
        language=str(body.get("language", "")),
        public=bool(body.get("public")),
        addressed=not body.get("unaddressed"),
        native=str(body.get("native", "")),
    )
    return Turn(
        now=moment(time.time()),
        event=event,
        talk=lane.talk,
        policy=policy,
        knowledge=knowledge,
        conversation=lane.open,
        last=lane.last,
        tickets=tuple(lane.tickets),
        customer=lane.customer,
        numbers=numbers(),
        people_there=people_there,
        by_hand=lane.channel == BY_HAND,
        left=lane.left,
    )
