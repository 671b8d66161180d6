"""How a desk posts: within what the platform allows, and not at all while it wants nothing."""

from __future__ import annotations

import asyncio

import pytest

from bot.messages import Reply
from channels import NotSent
from handoff.desks.sending import ThrottledChannel
from tests.house import Probe


@pytest.mark.parametrize("everything", [True, False])
async def test_a_platform_that_wants_nothing_is_left_alone_everywhere(everything: bool) -> None:
    async def answer(address: str, _reply: Reply) -> None:
        if address == "a":
            raise NotSent("429", retry_after=60.0, everything=everything)

    probe = Probe(answer=answer)
    throttled = ThrottledChannel(probe)
    with pytest.raises(NotSent):
        await throttled.say("a", Reply("one"), "1")
    saying = asyncio.create_task(throttled.say("b", Reply("two"), "2", answer=True))
    await asyncio.wait({saying}, timeout=0.2)
    assert saying.done() is not everything
    assert [text for _, text, _ in probe.sent] == ([] if everything else ["two"])
    saying.cancel()
    await asyncio.gather(saying, return_exceptions=True)
