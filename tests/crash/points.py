"""Where a process may be told to die: the table of kill points, and the reaper that stands at each of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from bot.store import Store, Work

# ------------------------------------------------------------------------------------------------ the table
# A message's way, commit by commit; "before" a commit its statements have run, "after" it nothing else has happened.

COMMITS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    # name      the work that is written        what its result says if it was this commit and not an idle round
    "receive": ("Inbox._write", lambda receipts: any(r.fresh for r in receipts)),
    "lease": ("Worker._commit", lambda rows_and_lanes: bool(rows_and_lanes[1])),
    "record": ("Worker._commit", lambda rows_and_lanes: bool(rows_and_lanes[0].said)),
    "timer": ("Rounds.run", lambda fired_and_next: bool(fired_and_next[0])),
    "sending": ("Outbox._round", bool),  # replies marked as being sent
    "sent": ("Outbox.__init__", bool),  # what became of them
}
MOMENTS = {
    "before answer": "the event is committed, its acknowledgement has not been written",
    "after answer": "the acknowledgement is on the wire",
    "before send": "the reply is marked as being sent, the provider has not seen it",
    "in send": "the provider has it, we have not written that down",
}
POINTS = (*(f"{when} {commit}" for commit in COMMITS for when in ("before", "after")), *MOMENTS)


class Reaper:
    """Kills this process at the nth arrival at a point; without a point it waits for ever."""

    def __init__(self, point: str = "", nth: int = 1) -> None:
        self._point, self._left = point, nth

    def at(self, point: str) -> None:
        """The process has come to this point."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Store):
    """A store with the reaper on both sides of every commit."""

    def __init__(self, url: str, reaper: Reaper, provider: str) -> None:
        super().__init__(url)
        self.reaper, self.provider = reaper, provider  # URL of the stand-in, for a variant

    async def write(self, work: Work[Any], *, first: bool = False, shared: bool = False) -> Any:
        """Run ``work`` and commit it, if we live that long."""
        names: list[str] = []

        def watched(connection: Any) -> Any:
            result = work(connection)
            owner = getattr(work, "__qualname__", "")  # a partial has none
            names[:] = [name for name, (whose, it_was) in COMMITS.items() if owner.startswith(whose) and it_was(result)]
            for name in names:
                self.reaper.at(f"before {name}")
            return result

        result = await super().write(watched, first=first, shared=shared)
        for name in names:
            self.reaper.at(f"after {name}")
        return result
