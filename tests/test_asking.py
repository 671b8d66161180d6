"""A chat, the test questions and ``ask`` decide alike: there is one way to understand a question."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.asking import asker, asker_of
from bot.config import Settings, load
from bot.dialogue import Event, Talk, Turn
from bot.interpreter import Interpreter
from bot.knowledge_base import KnowledgeBase, begin_loading
from bot.messages import Kind
from knowledge import trials
from knowledge.ask import answer_lines
from knowledge.index import Ranking
from knowledge.live import Shelf

HOME = Path(__file__).parent.parent
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, KnowledgeBase]:
    settings = load(HOME / "config.yaml").model_copy(update={"data": tmp_path_factory.mktemp("data")})
    return settings, begin_loading(settings)()


def in_a_chat(settings: Settings, known: KnowledgeBase, text: str, lang: str) -> Ranking:
    """What the first message of a chat comes to."""
    mind = Interpreter(settings, Shelf(lambda: known, (), known))
    event = Event(1, Kind.TEXT, NOW, text, language=lang)
    turn = mind.understand(Turn(NOW, event, Talk(), mind.policy, known.knowledge))
    assert turn.understood
    return turn.understood.decision


def test_every_question_is_decided_as_in_a_chat(demo: tuple[Settings, KnowledgeBase]) -> None:
    settings, known = demo
    ask = asker(settings, known, NOW)
    questions = trials.read(settings.knowledge.checks, known.knowledge)
    assert len(questions) >= 500
    live = [in_a_chat(settings, known, trial.question, trial.lang) for trial, _ in questions]
    assert [ask(trial.question, trial.lang) for trial, _ in questions] == live
    report = trials.run(ask, questions, known.version)
    assert [v.verdict for v in report.verdicts] == [
        trials.judge(ranking, trial.expect) for ranking, (trial, _) in zip(live, questions, strict=True)
    ]
    lines = [json.dumps({"text": trial.question, "lang": trial.lang}) for trial, _ in questions]
    said = [json.loads(line) for line in answer_lines(ask, lines)]
    assert [one["outcome"] for one in said] == [ranking.outcome for ranking in live]


@pytest.mark.parametrize(("text", "outcome", "intent"), [("human", "intent", "human"), ("stop", "unknown", "")])
def test_words_that_decide_alone(demo: tuple[Settings, KnowledgeBase], text: str, outcome: str, intent: str) -> None:
    settings, known = demo
    made = json.loads(next(answer_lines(asker(settings, known, NOW), [json.dumps({"text": text})])))
    assert (made["outcome"], made["intent"], made["entry"]) == (outcome, intent, "")


def test_another_folder_and_a_file_of_examples(demo: tuple[Settings, KnowledgeBase], tmp_path: Path) -> None:
    settings, _ = demo
    (tmp_path / "a.yaml").write_text(
        "- {id: pay, topic: orders, questions: {en: [how can i pay, which cards do you take]}, answer: {en: Any card.}}"
    )
    assert asker_of(settings, tmp_path)("how can i pay", "en").candidates[0].entry == "pay"
    assert asker_of(settings, tmp_path)("thanks", "en").outcome == "intent"
    file = tmp_path / "examples.jsonl"
    file.write_text('{"label": "thanks", "text": "thanks"}\n{"label": "pay", "text": "how can i pay"}\n')
    assert asker_of(settings, file)("thanks", "en").candidates[0].entry == "thanks"
