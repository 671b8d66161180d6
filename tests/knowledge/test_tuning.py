"""An encoder is tuned on the FAQ, measured on questions it has not seen, kept only if better, and taken back."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.__main__ import main
from knowledge import encoder, tuning
from knowledge.faq import Faq, from_examples
from tests.knowledge.tiny import made

THINGS = ["abacus", "bucket", "cobweb", "dagger", "engine", "fiddle"]
ASKED = [
    "where is my {}",
    "{} gone",
    "a {} please",
    "is the {} late",
    "how big is the {}",
    "the {} fell",
    "my {}",
    "{} x",
]
FAQ = from_examples({"label": thing, "text": form.format(thing)} for thing in THINGS for form in [*ASKED, *ASKED[::-1]])


def test_one_question_of_four_is_held_out_of_every_entry() -> None:
    part, unseen = tuning.divided(FAQ, ["en"])
    assert [len(e.questions["en"]) for e in part.entries] == [12] * len(THINGS)
    assert len(unseen) == 4 * len(THINGS)
    assert {(e.id, text) for e in part.entries for text in e.questions["en"]}.isdisjoint((e, t) for e, t, _ in unseen)
    assert tuning.divided(FAQ, ["zh"]) == (FAQ, [])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("tiny"))


def test_a_better_model_is_kept_and_taken_back(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, models, seen = str(tiny / "model"), tiny / "models", list[tuple[str, int, int]]()
    scores = iter(tuning.Measured((-1,) * 2 + (1,) * right + (0,) * (22 - right)) for right in (10, 15))
    monkeypatch.setattr(tuning, "_measured", lambda *_: next(scores))

    def progress(what: str, count: int, steps: Iterator[object]) -> None:
        seen.append((what, count, len(list(steps))))

    done = tuning.tune(name, models, FAQ, {}, languages=["en"], progress=progress)
    assert [(count, steps) for _, count, steps in seen] == [(20, 20)] * 2
    assert "before  best answer right 10 (41.7%), answered wrongly 2" in str(done)
    assert "5 came out better and 0 worse; by luck alone so much in 3.1% of cases" in str(done)
    base, served = encoder.Encoder(encoder.original(name, models), ["en"]), encoder.load(name, models, ["en"])
    assert served is not None
    assert (models / done.kept / "model.onnx").is_file()
    assert served.name != base.name, "what is made of another model is not the same knowledge"
    rows = {made.name: made.examples(["my abacus", "a abacus please", "my engine"]) for made in (base, served)}
    apart = [rows[n][0] @ rows[n][1] - rows[n][0] @ rows[n][2] for n in (base.name, served.name)]
    assert apart[1] > apart[0], "an entry's questions are nearer to each other than before"
    assert tuning.undo(name, models)
    again = encoder.load(name, models, ["en"])
    assert again is not None
    assert again.name == base.name
    assert not (models / done.kept).exists()
    assert not tuning.undo(name, models)


def test_a_gain_that_may_be_luck_is_none() -> None:
    before = tuning.Measured((0,) * 30)
    few = tuning.Tuning(before, tuning.Measured((1,) * 4 + (0,) * 26), "")
    assert (few.changed, few.luck, few.better) == ((4, 0), 0.0625, False)
    mixed = tuning.Tuning(before, tuning.Measured((1,) * 12 + (-1,) * 6 + (0,) * 12), "")
    assert (mixed.changed, mixed.better) == ((12, 6), False)
    assert mixed.luck == pytest.approx(0.1189, abs=1e-4)
    assert tuning.Tuning(before, tuning.Measured((1,) * 5 + (0,) * 25), "").better
    assert tuning.Tuning(before, before, "").luck == 1


def test_what_is_no_better_changes_nothing(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, models = str(tiny / "model"), tiny / "models"
    monkeypatch.setattr(tuning, "_learnt", lambda _name, folder, *_: folder.symlink_to(encoder.original(name, models)))
    done = tuning.tune(name, models, FAQ, {}, languages=["en"])
    assert (done.before, done.kept) == (done.after, "")
    assert encoder.tuned(name, models) is None
    few = Faq(FAQ.entries[:2])
    with pytest.raises(tuning.CannotTune, match="8 questions can be held out to measure with, 20 are needed"):
        tuning.tune(name, models, few, {}, languages=["en"])


def told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: Path, model: str, *more: str
) -> tuple[int, str, str]:
    (place / "config.yaml").write_text(
        f"company: {{name: {{en: Us, zh: 我们}}}}\nknowledge: {{model: '{model}'}}\n", "utf-8"
    )
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    with pytest.raises(SystemExit) as ended:
        main(["knowledge", "tune", "--config", str(place / "config.yaml"), *more])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_what_cannot_be_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    code, out, err = told(capsys, monkeypatch, tmp_path, "")
    assert (code, out) == (2, "")
    assert err.startswith("there is no model to tune: ")
    assert told(capsys, monkeypatch, tmp_path, "x/y", "--undo") == (1, "x/y is not tuned: nothing to undo\n", "")
    monkeypatch.setattr(tuning, "NEEDED", ("no_such_module",))
    code, out, err = told(capsys, monkeypatch, tmp_path, "x/y")
    assert (code, out) == (2, "")
    assert err == ("tuning needs the extra 'semantic': no_such_module is not installed; `make install SEMANTIC=1`\n")
    with caplog.at_level(logging.WARNING):
        assert encoder.load("x/y", tmp_path) is None
