"""What people write down of a customer, and where he is reached: every way to him is one of his chats."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from bot.allowance import allowance
from bot.bulk import insert as upsert
from bot.messages import BY_HAND
from bot.tables import chat, conversation, customer, identity, timer
from channels import NOWHERE, Can
from handoff.access import Actor, NotFound, audit
from handoff.standards import MEASURED
from handoff.tables import customer_note

NOTE: Final = 2000  # characters
TIER: Final = 40
Reach = Callable[[str, str], Can]  # a channel's name and an address -> what can be done there
ANY: Final[Reach] = lambda _channel, _address: Can()  # noqa: E731 - everywhere everything


class Unreachable(Exception):
    """No chat of his can be written to; ``reason`` is nowhere, or window: he must write first."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def note(connection: Connection, actor: Actor, id: int, text: str) -> None:
    """Something colleagues should know of him."""
    row = {"customer_id": id, "agent_id": actor.id, "text": text[:NOTE], "created_at": time.time()}
    connection.execute(insert(customer_note).values(row))
    audit(connection, actor, "customer.note", f"customer:{id}")


def set_tier(connection: Connection, actor: Actor, id: int, tier: str) -> None:
    """How he is to be treated from now on; "" as everybody. Raises NotFound."""
    his = select(chat.c.id).where(chat.c.customer_id == id).order_by(chat.c.id)
    places = list(connection.scalars(his.with_for_update()))  # before himself, as a turn takes them
    was = connection.execute(select(customer.c.tier).where(customer.c.id == id).with_for_update(key_share=True)).first()
    if was is None:
        raise NotFound("there is no such customer")
    connection.execute(update(customer).where(customer.c.id == id).values(tier=tier[:TIER]))
    run = timer.c.kind.in_(MEASURED), timer.c.fired_at.is_(None), timer.c.queued_at.is_(None)
    now = update(timer).where(timer.c.chat_id.in_(places), *run).values(due_at=time.time())
    connection.execute(now)  # what he is promised may be due sooner: each clock is looked at, and plans itself
    audit(connection, actor, "customer.tier", f"customer:{id}", {"was": was.tier, "tier": tier[:TIER]})


def chats(connection: Connection, id: int) -> list[Any]:
    """His chats, where he was last first; the one that people keep by hand comes last."""
    latest = select(func.max(conversation.c.id)).where(conversation.c.chat_id == chat.c.id).correlate(chat)
    its = select(chat.c.id, chat.c.channel, chat.c.address, chat.c.unreachable).where(chat.c.customer_id == id)
    order = chat.c.channel == BY_HAND, func.coalesce(latest.scalar_subquery(), 0).desc(), chat.c.created_at.desc()
    return list(connection.execute(its.order_by(*order)))


def reached(connection: Connection, id: int, reach: Reach) -> Any:
    """The chat in which he can be written to now, the one he used last first. Raises Unreachable."""
    closed = False
    for one in chats(connection, id):
        can = reach(one.channel, one.address)
        if one.unreachable or one.channel == BY_HAND or can is NOWHERE:
            continue
        allowed = allowance(connection, one.id, can) if can.replies else None
        if allowed is None or (allowed.left and (not allowed.until or allowed.until.timestamp() > time.time())):
            return one
        closed = True
    raise Unreachable("window" if closed else "nowhere")


def by_hand(connection: Connection, id: int) -> str:
    """The address of the chat in which people keep what he says by telephone or letter: it is his from now on."""
    sender = f"customer:{id}"
    its = upsert(identity).values(channel=BY_HAND, sender=sender, customer_id=id)
    connection.execute(its.on_conflict_do_nothing())
    return sender
