"""How fast a platform lets us write: per place, per group, and in all. Kept in memory by the one process that sends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from channels import Budget

SECOND, MINUTE = 1.0, 60.0
FORGET = 4096  # places remembered before the idle ones are dropped


class Pace:
    """When the next message to an address may go out.

    ``place`` maps an address to the place whose budget it uses and whether that is a group (several addresses of ours
    may be one group of theirs). Times are seconds on one clock, given by the caller.
    """

    def __init__(self, budget: Budget, place: Callable[[str], tuple[str, bool]]) -> None:
        self._budget, self._place_of = budget, place
        self._sent: dict[str, deque[float]] = {}
        self._held: dict[str, float] = {}
        self._all: deque[float] = deque(maxlen=max(1, int(budget.overall)))  # the latest, to anywhere
        self._all_held = 0.0

    def free_at(self, address: str) -> float:
        """The earliest time at which a message to this address keeps within the budget; <= now: at once."""
        where, group = self._place(address)
        times = self._sent.get(where, deque())
        free = max(self._held.get(where, 0.0), self._all_held)
        if self._budget.overall and len(self._all) == self._all.maxlen:
            free = max(free, self._all[0] + SECOND)
        if times and self._budget.per_address:
            free = max(free, times[-1] + self._budget.per_address)
        most = self._budget.per_group_minute if group else self._budget.per_minute
        if most and len(times) >= most:
            free = max(free, times[-most] + MINUTE)
        return free

    def room(self, now: float, wanted: int) -> int:
        """How many of ``wanted`` messages may go out now, over all addresses."""
        if now < self._all_held:
            return 0
        if not self._budget.overall:
            return wanted
        spent = sum(at > now - SECOND for at in self._all)
        return min(wanted, max(0, int(self._budget.overall) - spent))

    def spend(self, address: str, now: float) -> None:
        """A message goes out."""
        where, _ = self._place(address)
        times = self._sent.setdefault(
            where, deque(maxlen=max(1, self._budget.per_group_minute, self._budget.per_minute))
        )
        times.append(now)
        self._all.append(now)
        if len(self._sent) > FORGET:
            self._sent = {w: t for w, t in self._sent.items() if t[-1] > now - MINUTE}

    def arrived(self, address: str, now: float) -> None:
        """The platform has answered: it counts from when a message reached it, which may be long after it went out."""
        where, _ = self._place(address)
        if times := self._sent.get(where):
            times[-1] = max(times[-1], now)

    def _place(self, address: str) -> tuple[str, bool]:
        try:
            return self._place_of(address)
        except Exception:  # no address of the channel's: sending will tell, and the others must not wait for it
            return address, False

    def hold(self, address: str, until: float, *, everything: bool = False) -> None:
        """The platform said: not before then. Only this place waits, unless it said everything."""
        if everything:
            self._all_held = max(self._all_held, until)
        else:
            self._held[self._place(address)[0]] = until
