"""Who takes what waits: fair, starving nobody, never everyone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.routing import LEADERS, Colleague, Pair, Patience, Waiting, Wants, route

NOW = 1_800_000_000.0
PATIENCE = Patience(widen_after=60.0, escalate_after=300.0)
LANGUAGES, SKILLS, TEAMS = ("en", "zh"), ("AX3000", "C2", "complaint"), ("north", "repairs")


def some(words: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(words), max_size=len(words))


wishes = st.builds(
    Wants,
    language=st.sampled_from(("", *LANGUAGES)),
    product=st.sampled_from(("", "AX3000", "C2")),
    service=st.sampled_from(("", "complaint")),
    team=st.sampled_from(("", "", *TEAMS)),
)
agents = st.builds(
    lambda **more: Colleague(id=0, capacity=4, **more),
    room=st.integers(0, 3),
    languages=some(LANGUAGES),
    skills=some(SKILLS),
    teams=some(TEAMS),
    leads=st.booleans(),
    given_at=st.floats(NOW - 600, NOW),
)
chats = st.builds(
    lambda waited, **more: Waiting(number="", epoch=1, since=NOW - waited, **more),
    waited=st.floats(0, 1500),
    priority=st.integers(0, 2),
    wants=wishes,
    preferred=st.integers(0, 8),
    avoid=st.sampled_from([(), (), (1,), (1, 2)]),
)
FULL = Colleague(id=99, room=0, capacity=4)  # somebody is there besides those who lead
teams = st.lists(agents, max_size=8).map(lambda all: [*(replace(one, id=n) for n, one in enumerate(all, 1)), FULL])
lines = st.lists(chats, max_size=30).map(lambda all: [replace(one, number=f"C-{n}") for n, one in enumerate(all)])


def suits(one: Waiting, who: Colleague, *, step: int | None = None) -> bool:
    """The rule in plain words."""
    step = PATIENCE.step(NOW - one.since) if step is None else step
    speaks = not one.wants.language or not who.languages or one.wants.language in who.languages
    if step == LEADERS:
        return speaks or who.leads
    knows = all(not word or not who.skills or word in who.skills for word in (one.wants.product, one.wants.service))
    belongs = not one.wants.team or one.wants.team in who.teams
    return speaks and not who.leads and (knows or step >= 1) and (belongs or step >= 2)


def place(one: Waiting) -> tuple[int, float]:
    return PATIENCE.rank(one.priority, NOW - one.since), one.since


@given(lines, teams)
@settings(max_examples=150, deadline=None)
def test_nobody_gets_what_does_not_suit_him_or_more_than_he_can_take(
    line: list[Waiting], team: list[Colleague]
) -> None:
    pairs = route(line, team, NOW, PATIENCE)
    by_number, by_id = {one.number: one for one in line}, {one.id: one for one in team}
    assert len({pair.number for pair in pairs}) == len(pairs)
    for pair in pairs:
        assert suits(by_number[pair.number], by_id[pair.agent])
    for who, given_ in Counter(pair.agent for pair in pairs).items():
        assert given_ <= by_id[who].room


@given(lines, teams)
@settings(max_examples=150, deadline=None)
def test_a_new_one_never_overtakes_one_of_its_class(line: list[Waiting], team: list[Colleague]) -> None:
    served = {pair.number for pair in route(line, team, NOW, PATIENCE)}
    for older in line:
        for younger in line:
            same = older.wants == younger.wants and older.priority == younger.priority and not older.avoid
            if same and older.since < younger.since and younger.number in served:
                assert older.number in served


@given(lines, teams)
@settings(max_examples=150, deadline=None)
def test_whoever_is_left_has_nobody_who_suits_and_has_room(line: list[Waiting], team: list[Colleague]) -> None:
    pairs = route(line, team, NOW, PATIENCE)
    taken = Counter(pair.agent for pair in pairs)
    room = [one for one in team if one.room > taken[one.id]]
    for one in line:
        if one.number not in {pair.number for pair in pairs}:
            left = [who for who in room if suits(one, who) and who.id not in one.avoid]
            assert left == []


@given(lines, teams)
@settings(max_examples=150, deadline=None)
def test_nobody_is_given_to_one_who_came_later_and_counts_less(line: list[Waiting], team: list[Colleague]) -> None:
    pairs = route(line, team, NOW, PATIENCE)
    agent = {pair.number: pair.agent for pair in pairs}
    by_id = {one.id: one for one in team}
    for before in line:
        for after in line:
            if before.number not in agent and after.number in agent and place(before) < place(after):
                who = by_id[agent[after.number]]
                assert not suits(before, who) or who.id in before.avoid


def test_who_had_the_customer_before_has_him_again_if_he_can() -> None:
    team = [Colleague(1, 3, 4), Colleague(2, 1, 4)]
    one = Waiting("C-1", 1, 2, NOW, preferred=2)
    assert route([one], team, NOW, PATIENCE) == [Pair("C-1", 1, 2)]
    assert route([one], [team[0], replace(team[1], room=0)], NOW, PATIENCE) == [Pair("C-1", 1, 1)]


def test_the_most_room_goes_first_then_who_has_waited_longest() -> None:
    team = [Colleague(1, 1, 4), Colleague(2, 2, 4, given_at=NOW - 5), Colleague(3, 2, 4, given_at=NOW - 9)]
    line = [Waiting(f"C-{n}", 1, 2, NOW - 9 + n) for n in range(5)]
    assert [pair.agent for pair in route(line, team, NOW, PATIENCE)] == [3, 2, 1, 3, 2]


def test_who_let_it_lie_is_spared_at_first() -> None:
    one = Waiting("C-1", 1, 2, NOW - 10, avoid=(1,))
    assert route([one], [Colleague(1, 1, 4)], NOW, PATIENCE) == []
    assert route([one], [Colleague(1, 1, 4)], NOW + 60, PATIENCE) == [Pair("C-1", 1, 1)]


def test_nobody_starves_however_many_urgent_ones_come() -> None:
    old = Waiting("C-old", 1, 2, NOW - 600)
    urgent = [Waiting(f"C-{n}", 1, 0, NOW - n / 100) for n in range(100)]
    assert route([*urgent, old], [Colleague(1, 1, 4)], NOW, PATIENCE) == [Pair("C-old", 1, 1)]


def test_the_line_drains_in_a_bounded_time() -> None:
    """One agent who serves one a minute, and an urgent one every two minutes: the others have their turn."""
    line: list[Any] = [Waiting(f"C-{n}", 1, 2, NOW) for n in range(20)]
    served = {}
    for minute in range(60):
        now = NOW + 60 * minute
        if minute % 2:
            line.append(Waiting(f"U-{minute}", 1, 0, now))
        for pair in route(line, [Colleague(1, 1, 1)], now, PATIENCE):
            served[pair.number] = minute
            line = [one for one in line if one.number != pair.number]
    assert max(served[f"C-{n}"] for n in range(20)) < 45


@given(lines, teams)
@settings(max_examples=100, deadline=None)
def test_where_only_leaders_are_there_they_work_like_everybody(line: list[Waiting], team: list[Colleague]) -> None:
    """A small house has nobody else: no customer waits until somebody may take part."""
    leaders = [replace(one, leads=True) for one in team]
    plain = [replace(one, leads=False) for one in team]
    early = [replace(one, since=max(one.since, NOW - 250)) for one in line]  # before they would take part anyway
    assert route(early, leaders, NOW, PATIENCE) == route(early, plain, NOW, PATIENCE)
