"""A question we know the answer to."""

from __future__ import annotations

from bot.dialogue import Fact
from bot.flows.steps import Flow, Known, Quote


def answer(known: Known) -> Flow:
    """What the admin wrote, verbatim; what people ask next; and whether it helped."""
    if before := known.get("rephrased"):
        yield Fact("rephrased", {"before": before, "after": known.get("question", "")})
    fact = {"entry": known["entry"], "question": known.get("question", "")}
    if known.get("chosen"):
        yield Fact("chose", fact)
    yield Fact("answered", fact)
    yield Quote(known["entry"], known["why"])
