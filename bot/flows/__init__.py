"""The dialogues, one per file: each reads like the talk it holds. This is the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bot.flows.answer import answer
from bot.flows.choose import choose
from bot.flows.complaint import complaint
from bot.flows.emergency import emergency
from bot.flows.human import human
from bot.flows.overdue import overdue
from bot.flows.rating import rating
from bot.flows.steps import Flow, Known
from bot.flows.ticket import ticket
from bot.flows.ticket_reply import ticket_reply
from bot.flows.ticket_status import ticket_status
from bot.flows.unknown import unknown

FLOWS: Final[Mapping[str, Callable[[Known], Flow]]] = {
    flow.__name__: flow
    for flow in (
        answer,
        choose,
        complaint,
        emergency,
        human,
        overdue,
        rating,
        ticket,
        ticket_reply,
        ticket_status,
        unknown,
    )
}
