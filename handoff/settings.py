"""The block ``handoff`` of config.yaml: how what the bot cannot resolve reaches people."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bot.section import Count, Section, Span
from handoff.forms import SHIPPED
from handoff.hours import Hours


class Handoff(Section):
    """How people and waiting customers come together. Without any agent all of it is left to tickets."""

    hours: Hours = Hours()  # when people work: what is promised is counted in this time
    mode: Literal["auto", "manual"] = "auto"  # who gives out what waits: we do, or agents pick
    capacity: Count = 4  # conversations at a time, for agents who have no number of their own
    silent_after: Span = 180.0  # an agent who owes an answer for so long loses the conversation
    widen_after: Span = 60.0  # each such time of waiting widens the search for somebody by one step
    escalate_after: Span = 300.0  # supervisors are told, and take part
    tell_every: Span = 300.0  # how often somebody who waits hears where he stands
    give_up_after: Span = 1800.0  # nobody waits longer: it becomes a ticket
    left_after: Span = 86400.0  # a customer who owes an answer for so long has left
    remind_after: Span = 3 * 86400.0  # a ticket that waits for the customer or for parts is brought up again
    close_after: Span = 7 * 86400.0  # a resolved ticket that nobody objects to is closed
    reopen_within: Span = 14 * 86400.0  # later a ticket is carried on as a new one
    forms: Path = SHIPPED  # the kinds of tickets, and what is asked for each
    first_tiers: tuple[str, ...] = ()  # customers of these tiers go before others
