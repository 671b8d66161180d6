"""One clause of a message may be what it asks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config import load
from bot.knowledge_base import load_knowledge
from intents.clauses import asked
from intents.normal import clean
from intents.understanding import understand
from knowledge.index import Candidate, Knowledge, Ranking

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo() -> Knowledge:
    """What the demo company knows."""
    return load_knowledge(load(ROOT / "config.yaml")).knowledge


@pytest.mark.parametrize(
    ("said", "entry"),
    [
        ("We bought two in May and all was fine until Sunday. How do I reset my router? My husband says it's our fault",
         "factory-reset"),
        ("where is my parcel\nJohn Smith", "order-tracking"),
        ("I have been your customer since 2019. can I return the camera after 10 days?", "return-rules"),
        ("五月份买了两台，摄像头离线了怎么办？我老公说是我们自己的问题", "camera-offline"),
        ("我打过两次电话了。摄像头离线了怎么办", "camera-offline"),
    ],
)  # fmt: skip
def test_what_is_told_beside_a_question_does_not_hide_it(demo: Knowledge, said: str, entry: str) -> None:
    ranking = understand(said, demo, hint="en", now=NOW).decision
    assert (ranking.outcome, ranking.candidates[0].entry) == ("answer", entry)
    assert ranking.why["text"] == clean(said)


@pytest.mark.parametrize(
    "said",
    [
        "My order arrived yesterday. Does your router support a VPN server?",
        "I already called twice, who is your CEO?",
        "昨天收到货了。你们老板是谁？",
        "我重启过两次了，电脑开机还是黑屏",
        "how do I reset my iphone, I bought it last week",
    ],
)
def test_what_is_told_is_not_answered_instead_of_what_is_asked(demo: Knowledge, said: str) -> None:
    assert understand(said, demo, hint="en", now=NOW).decision.outcome != "answer"


def told(outcome: str, *labels: str, guard: str = "") -> Ranking:
    """A ranking of these labels, the first one the likeliest."""
    guards = [{"guard": guard, "entry": labels[0], "reason": ""}] if guard else []
    return Ranking(outcome, tuple(Candidate(label, 0.4, "") for label in labels), {"guards": guards})


@pytest.mark.parametrize(
    ("whole", "clause", "outcome"),
    [
        (told("choose", "a", "b"), told("answer", "a"), "answer"),
        (told("choose", "a", "b"), told("answer", "b"), "choose"),  # the whole says otherwise
        (told("choose", "a", "b"), told("intent", "a"), "choose"),
        (told("choose", "a", guard="foreign"), told("answer", "a"), "choose"),
        (told("choose", "a", guard="negation"), told("answer", "a"), "choose"),
        (told("choose", "a", guard="vague"), told("answer", "a"), "answer"),
        (told("unknown", "a"), told("answer", "a"), "unknown"),  # nothing is asked
        (told("unknown"), told("answer", "a"), "unknown"),
        (told("intent", "a"), told("answer", "a"), "intent"),
    ],
)
def test_a_clause_counts_only_where_the_whole_wavers(whole: Ranking, clause: Ranking, outcome: str) -> None:
    found = asked("red, green", lambda text: clause if text == "red" else whole if "," in text else told("unknown"))
    assert found.outcome == outcome


@pytest.mark.parametrize("outcome", ["answer", "intent"])
def test_of_an_unknown_message_its_questions_are_asked(outcome: str) -> None:
    found = asked("red. why green?", lambda text: told(outcome if text == "why green?" else "unknown", "a", "b"))
    assert (found.outcome, len(found.candidates)) == (outcome, 2)
