"""Test questions are judged as a customer would judge, and two versions can be compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.strictyaml import YamlError
from knowledge.faq import from_examples
from knowledge.index import Knowledge, build
from knowledge.trials import compare, judge, read, run

ROWS = [
    ("pay", "how can i pay"),
    ("pay", "which cards do you take"),
    ("pay", "payment by bank card"),
    ("ship", "when will it arrive"),
    ("ship", "how long does delivery take"),
    ("ship", "delivery time"),
]
TESTS = """\
- {question: how can i pay, expect: pay, lang: en}
- {question: delivery time, expect: pay, lang: en}
- {question: what is the meaning of life, expect: unknown, lang: en}
"""


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return build(from_examples({"label": label, "text": text} for label, text in ROWS))


def test_a_report(tmp_path: Path, knowledge: Knowledge) -> None:
    (tmp_path / "a.yaml").write_text(TESTS)
    report = run(knowledge.ask, read(tmp_path, knowledge), knowledge.version)
    assert [v.verdict for v in report.verdicts] == ["right", "wrong", "right"]
    assert report.share == pytest.approx(2 / 3)
    assert report.right == pytest.approx(2 / 3)
    assert "en, with an answer: 1 right, 0 offered, 0 not known, 1 wrong of 2" in str(report)
    assert "en, without one: 1 right, 0 offered, 0 not known, 0 wrong of 1" in str(report)
    assert "a.yaml:2: 'delivery time' should be pay, is answer ship" in str(report)
    assert report.as_json()["verdicts"][1]["got"] == "ship"


def test_expectations_must_exist(tmp_path: Path, knowledge: Knowledge) -> None:
    (tmp_path / "a.yaml").write_text("- {question: x, expect: pey}\n- {question: x, expects: pay}\n")
    with pytest.raises(YamlError) as caught:
        read(tmp_path, knowledge)
    said = str(caught.value)
    assert "a.yaml:1" in said
    assert "did you mean 'pay'" in said
    assert "unknown key 'expects'" in said


def test_verdicts(knowledge: Knowledge) -> None:
    answered = knowledge.ask("delivery time")
    assert judge(answered, "ship") == "right"
    assert judge(answered, "unknown") == "wrong"
    offered = build(knowledge.faq, mode={"answer": 1.1, "choose": 0.0}).ask("delivery time")
    assert judge(offered, "ship") == judge(offered, "unknown") == "offered"
    assert judge(offered, "choose") == "right"


def test_only_what_changes_is_told(knowledge: Knowledge) -> None:
    renamed = build(from_examples({"label": label.replace("ship", "post"), "text": text} for label, text in ROWS))
    changes = compare(knowledge.ask, renamed.ask, [("delivery time", "en"), ("how can i pay", "en")])
    assert [str(c) for c in changes] == ["'delivery time': ship → post"]
