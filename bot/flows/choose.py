"""Two answers are about as likely."""

from __future__ import annotations

from bot.dialogue import Fact
from bot.flows.steps import Flow, Known, Say


def choose(known: Known) -> Flow:
    """Did you mean …? One tap answers; "none of these" opens the way to people."""
    yield Fact("asked_back", {"question": known.get("question", ""), "offered": known["offers"]})
    yield Say("choose" if len(known["offers"]) > 1 else "choose.one", *known["offers"], "do:none")
