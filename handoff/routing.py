"""Who takes what waits: pure. The oldest first within its priority, to whoever suits it and has the most room.

Waiting widens the search step by step: first any product, then any team, at last whoever leads; never everyone.
Nobody is passed over for good: long waiting lifts the priority, so that at some time the oldest is the first of all.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from operator import attrgetter
from typing import Final, NamedTuple

ANY_PRODUCT: Final = 1  # steps of a search: what no longer counts from there on
ANY_TEAM: Final = 2
LEADERS: Final = 3
MOST: Final = 50  # given out by one decision


class Wants(NamedTuple):
    """What would suit a conversation; "" where it does not matter."""

    language: str = ""
    product: str = ""
    service: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation in the line. ``since`` in seconds since 1970."""

    number: str
    epoch: int
    priority: int  # 0 urgent, 1 high, 2 normal
    since: float
    wants: Wants = field(default_factory=Wants)
    preferred: int = 0  # the agent who had this customer before
    avoid: tuple[int, ...] = ()  # agents who let it lie


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent who is online. ``skills``: products and kinds of service, empty = all; the same with languages."""

    id: int
    room: int  # conversations he may still take
    capacity: int
    languages: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    leads: bool = False
    given_at: float = 0.0  # when he was last given one


@dataclass(frozen=True, slots=True)
class Patience:
    """When a search widens, and when whoever leads takes part and a priority rises: seconds of waiting."""

    widen_after: float = 60.0
    escalate_after: float = 300.0

    def step(self, waited: float) -> int:
        """How wide the search is."""
        return LEADERS if waited >= self.escalate_after else min(int(waited / self.widen_after), ANY_TEAM)

    def rank(self, priority: int, waited: float) -> int:
        """The priority that long waiting makes of one."""
        return max(0, priority - int(waited / self.escalate_after)) if waited > 0 else priority


@dataclass(frozen=True, slots=True)
class Pair:
    """This conversation is for this agent."""

    number: str
    epoch: int
    agent: int


def route(
    waiting: Iterable[Waiting], people: Iterable[Colleague], now: float, patience: Patience, most: int = MOST
) -> list[Pair]:
    """Who gets what, best placed first, at most ``most``; what nobody suitable has room for is left out.

    Those who want the same stand in one line: if there is nobody for its first, there is none for the others.
    """
    team = _Team(people)
    if not team.free:
        return []
    lines: dict[tuple[int, Wants], list[Waiting]] = defaultdict(list)
    for one in sorted(waiting, key=attrgetter("since"), reverse=True):
        lines[one.priority, one.wants].append(one)  # the oldest is the last
    heads = [_head(line, now, patience, place) for place, line in enumerate(lines.values())]
    by_place = list(lines.values())
    pairs: list[Pair] = []
    heapify(heads)
    while heads and team.free and len(pairs) < most:
        line = by_place[heads[0][2]]
        one = line[-1]
        agent = team.best(one, patience.step(now - one.since))
        if agent is not None:
            pairs.append(Pair(one.number, one.epoch, agent))
        if agent is not None or one.avoid:  # who was let lie is no measure for those behind him
            line.pop()
        else:
            line.clear()
        if line:
            heapreplace(heads, _head(line, now, patience, heads[0][2]))
        else:
            heappop(heads)
    return pairs


def _head(line: Sequence[Waiting], now: float, patience: Patience, place: int) -> tuple[int, float, int]:
    first = line[-1]
    return patience.rank(first.priority, now - first.since), first.since, place


@dataclass(slots=True)
class _Holders:
    """Who has a word among his own, as bits; who names none has all of them."""

    any: int = 0
    who: dict[str, int] = field(default_factory=dict)

    def add(self, bit: int, words: Iterable[str], *, none_is_all: bool) -> None:
        words = tuple(words)
        if none_is_all and not words:
            self.any |= bit
        for word in words:
            self.who[word] = self.who.get(word, 0) | bit

    def having(self, word: str) -> int:
        return self.who.get(word, 0) | self.any


class _Team:
    """Those who have room, as sets of bits: looking for somebody costs a few operations, whatever is asked for."""

    def __init__(self, people: Iterable[Colleague]) -> None:
        there = list(people)
        self._people = [one for one in there if one.room > 0]
        self._room = [one.room for one in self._people]
        self._at = {one.id: place for place, one in enumerate(self._people)}
        self._languages, self._skills, self._teams, self._leaders = _Holders(), _Holders(), _Holders(), 0
        for place, one in enumerate(self._people):
            bit = 1 << place
            self._languages.add(bit, one.languages, none_is_all=True)
            self._skills.add(bit, one.skills, none_is_all=True)
            self._teams.add(bit, one.teams, none_is_all=False)
            self._leaders |= bit * one.leads
        # where nobody else is there, whoever leads works like everybody
        self._spared = 0 if all(one.leads for one in there) else self._leaders
        self.free = (1 << len(self._people)) - 1
        self._order = sorted(self._key(place) for place in range(len(self._people)))

    def best(self, one: Waiting, step: int) -> int | None:
        """The agent who takes it, and has less room then; None if nobody suits it who has any."""
        suits = self._suiting(one.wants, step) & self.free
        if one.avoid and step < ANY_PRODUCT:  # at first he is spared whoever let it lie
            for agent in one.avoid:
                suits &= ~(1 << self._at[agent]) if agent in self._at else -1
        if not suits:
            return None
        place = self._at.get(one.preferred)
        if place is None or not suits >> place & 1:
            place = next(place for *_, place in self._order if suits >> place & 1)
        return self._take(place)

    def _suiting(self, wants: Wants, step: int) -> int:
        language, product, service, team = wants
        suits = self._languages.having(language) if language else -1
        if step == LEADERS:
            return suits | self._leaders  # at last whoever leads, in any language
        suits &= ~self._spared
        if step < ANY_PRODUCT:
            if product:
                suits &= self._skills.having(product)
            if service:
                suits &= self._skills.having(service)
        if step < ANY_TEAM and team:
            suits &= self._teams.having(team)
        return suits

    def _take(self, place: int) -> int:
        self._order.remove(self._key(place))
        self._room[place] -= 1
        if self._room[place]:
            insort(self._order, self._key(place))
        else:
            self.free &= ~(1 << place)
        return self._people[place].id

    def _key(self, place: int) -> tuple[float, float, int]:
        """Whose turn it is: the smallest part of the capacity in use; of these, who has waited longest for work."""
        one = self._people[place]
        return 1 - self._room[place] / one.capacity, one.given_at, place
