"""The dialogues, one per file: each reads like the talk it holds. ``FLOWS`` is the table of them.

The other modules are the talk around them, which is written once for all; ``bot/rules.py`` says in which order.

a turn           draft (what a decision is written on), journal (a flow, run again over its answers), steps, language,
                 floor, quiet
what words hold  wording, reading, particulars, matter, lengths
inside a flow    inside (ways out), hearing (an answer, or something else), fields (of a form)
a question       questions, following, clause_wishes, foreign, burst, quoting, unsettled
a wish           wishes, declined, opening (of tickets), progress (of one), pleasantries, scores, buttons, unasked
people           line, waiting (in it), platform (its own people), notices
besides          public (where others read along), changed (messages)
"""

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
