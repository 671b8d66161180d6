"""Who takes what waits, with 200 agents and 5 000 waiting conversations: CPU time of one decision, in milliseconds.

One decision gives out at most 50. Three days: nobody has room; a few have, as on a busy day; everybody has, as in the
morning.
"""

from __future__ import annotations

import random
import statistics
import time

from handoff.routing import Colleague, Patience, Waiting, Wants, route

AGENTS, CHATS, RUNS = 200, 5000, 30
LANGUAGES, PRODUCTS, TEAMS = ("en", "zh", "de", "fr"), [f"P{n}" for n in range(20)], ("north", "south", "repairs")
SERVICES = ("installation", "maintenance", "emergency", "complaint")
NOW = 1_800_000_000.0


def waiting(draw: random.Random) -> list[Waiting]:
    """A line of every kind."""
    return [
        Waiting(
            number=f"C-{n:08d}",
            epoch=1,
            priority=draw.choice((0, 1, 2, 2, 2, 2)),
            since=NOW - draw.uniform(0, 900),
            wants=Wants(
                language=draw.choice(LANGUAGES),
                product=draw.choice(PRODUCTS) if draw.random() < 0.5 else "",
                service=draw.choice(SERVICES) if draw.random() < 0.2 else "",
                team=draw.choice(TEAMS) if draw.random() < 0.1 else "",
            ),
            preferred=draw.choice((0, draw.randrange(AGENTS))),
        )
        for n in range(CHATS)
    ]


def people(draw: random.Random, room: str) -> list[Colleague]:
    """Agents with skills of their own."""
    share = {"none": 0.0, "a few": 0.1, "all": 1.0}[room]
    return [
        Colleague(
            id=n,
            room=4 if draw.random() < share else 0,
            capacity=4,
            languages=frozenset(draw.sample(LANGUAGES, 2)),
            skills=frozenset(draw.sample([*PRODUCTS, *SERVICES], 12)) if n % 3 else frozenset(),
            teams=frozenset((draw.choice(TEAMS),)),
            leads=n % 20 == 0,
            given_at=NOW - draw.uniform(0, 600),
        )
        for n in range(AGENTS)
    ]


def main() -> None:
    """Print the median and the worst of each day."""
    draw = random.Random(7)
    for room in ("none", "a few", "all"):
        took, given = [], 0
        for _ in range(RUNS):
            line, team = waiting(draw), people(draw, room)
            start = time.process_time()
            given = len(route(line, team, NOW, Patience()))
            took.append(1000 * (time.process_time() - start))
        middle = statistics.median(took)
        print(f"room: {room:6}  given {given:4}  quickest {min(took):5.2f} ms  median {middle:5.2f} ms")


if __name__ == "__main__":
    main()
