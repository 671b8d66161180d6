"""The clocks of one conversation or ticket while a turn changes them, and their timers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from bot.dialogue import DropTimer, SetTimer
from bot.flows.draft import Draft
from handoff.dialogue import Settle
from handoff.standards import MEASURED, Clock, plan

DAY: Final = timedelta(days=1)


class Watch:
    """The clocks of one conversation or ticket while a turn changes them."""

    def __init__(self, draft: Draft, subject: str, number: str, of: tuple[str, str], agent: int | None) -> None:
        self.draft, self.subject, self.number, self.agent = draft, subject, number, agent
        (self.kind, self.priority), self.tier = of, str(draft.turn.customer.get("tier", ""))
        self.hours, self.standards = draft.turn.policy.hours, draft.turn.policy.standards
        self.times = self.standards.times(self.kind, self.priority, self.tier)
        self.clocks: dict[str, Clock] = {}

    def measures(self, name: str) -> bool:
        """Whether such a clock runs or rests."""
        return name in self.clocks and not self.clocks[name].over

    def start(self, *names: str) -> None:
        """Start clocks now; one that is there already goes on."""
        for name in names:
            if name in self.times and not self.measures(name):
                now = self.draft.now.timestamp()
                self.clocks[name] = Clock(now, now)

    def rest(self, *names: str) -> None:
        """Stop clocks while the customer's word is awaited."""
        for name in names:
            if self.measures(name):
                self.clocks[name] = self.clocks[name].rests(self.draft.now, self.hours)

    def go_on(self, *names: str) -> None:
        """Let stopped clocks run again: it is our turn."""
        self.clocks |= {name: self.clocks[name].goes_on(self.draft.now) for name in names if name in self.clocks}

    def end(self, *names: str, agent: int | None = None) -> None:
        """End clocks because what they measure is done, in time or late; warnings of them need nobody any more."""
        for name in (name for name in names if self.measures(name)):
            before, promised = self.clocks[name], self.times.get(name)
            if promised is None:
                self.drop(name)  # it was promised once, and is no more
                continue
            self.clocks[name] = done = before.ends(self.draft.now, self.hours, promised)
            if done.missed and not before.missed:  # nobody looked meanwhile
                self.note("missed", name, agent, promised)
            self.note(done.ended, name, agent, done.spent)
            self.settle(name, before)

    def drop(self, *names: str) -> None:
        """Take clocks away: nobody waits for what they measure any more."""
        for name in (name for name in names if self.measures(name)):
            self.settle(name, self.clocks.pop(name))

    def settle(self, name: str, clock: Clock) -> None:
        """Take back the alarms that a clock has raised."""
        if clock.told:
            self.draft.do(Settle((f"{name}_soon", f"{name}_missed"), self.ticket))

    def note(self, what: str, name: str, agent: int | None, took: float) -> None:
        """Write down what became of a clock; times in seconds of working time."""
        about = {"number": self.number, "of": self.kind, "priority": self.priority, "tier": self.tier}
        measured = {"promised": self.times[name], "took": round(took, 3), "begun": self.clocks[name].begun}
        self.draft.fact(f"standard_{what}", standard=name, **about, **measured, agent=agent or self.agent)

    @property
    def running(self) -> dict[str, Any]:
        """The clocks that are not over, by name, as plain JSON."""
        return {name: clock.as_json() for name, clock in self.clocks.items() if not clock.over}

    @property
    def usual(self) -> float:
        """Seconds until a next word where nothing else is promised."""
        return self.draft.turn.policy.promised(self.kind, self.priority, self.tier)

    @property
    def ticket(self) -> str:
        """The ticket's number, "" for a conversation."""
        return self.number if self.subject != "conversation" else ""

    def due(self, name: str) -> datetime | None:
        """When a running clock is missed; None for one that does not run."""
        clock = self.clocks.get(name)
        if clock is None or clock.since is None or name not in self.times:
            return None
        return clock.reaches(self.times[name], self.draft.now, self.hours)

    def set_timers(self, before: Mapping[str, Clock], fired: str = "") -> None:
        """One timer for each clock that runs and was changed; it goes through the clock's steps. None for the rest."""
        now = self.draft.now
        for name in MEASURED:
            clock, old = self.clocks.get(name), before.get(name)
            if (due := self.due(name)) and clock and (clock != old or name == fired):
                planned = plan(clock, self.times[name], self.standards, self.hours, now)
                about = {"kind": self.kind, "priority": self.priority, "tier": self.tier}
                data = {"clock": clock.as_json(), "due": due.timestamp(), **about}
                at = planned.next if planned else now + DAY  # all have been told: it stands there as late
                self.draft.do(SetTimer(name, at, self.subject, data))
            elif due is None and old and old.since is not None and name != fired:
                self.draft.do(DropTimer(name, self.subject))


def clocks_of(clocks: Mapping[str, Any]) -> dict[str, Clock]:
    """The clocks that ``running`` wrote, by name."""
    return {name: Clock.of(one) for name, one in clocks.items() if name in MEASURED}
