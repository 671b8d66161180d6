"""The semantic tier: served without torch, cached, and gone without harm where it cannot be had."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge import encoder
from knowledge.faq import from_examples
from knowledge.index import build
from tests.knowledge.tiny import made

ROWS = [("food", "i am hungry"), ("food", "where to eat"), ("car", "my engine stutters"), ("car", "flat tyre")]
FAQ = from_examples({"label": label, "text": text} for label, text in ROWS)
TOPICS = ("hungry eat lunch starving", "engine tyre vehicle wheel")


class Topics:
    """Knows two topics by their words."""

    name = "topics@1"
    languages = ("en",)

    def __init__(self) -> None:
        self.asked: list[str] = []

    def question(self, text: str) -> NDArray[np.float32]:
        self.asked.append(text)
        return self._vector(text)

    def examples(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.array([sum(w in topic for w in text.split()) for topic in TOPICS] + [0.1], np.float32)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


def test_meaning_decides_where_words_cannot() -> None:
    topics = Topics()
    knowledge = build(FAQ, encoder=topics)
    assert topics.asked == [], "examples are taken from the cache, not asked again"
    ranking = knowledge.ask("starving for lunch")
    assert ranking.candidates[0].entry == "food"
    assert ranking.why["scores"][0]["parts"]["meaning"] > 0.9
    assert knowledge.version != build(FAQ).version


def test_a_mistyped_question_is_read_once_as_it_was_meant() -> None:
    topics = Topics()
    ranking = build(FAQ, encoder=topics).ask("my engien stutters")
    assert topics.asked == ["my engine stutters"]
    assert ranking.candidates[0].entry == "car"


def test_a_model_that_is_missing_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert encoder.load("no/such-model", tmp_path) is None
    assert len(caplog.records) == 1
    assert "no/such-model not used" in caplog.text


class InTorch:
    """Stands in for sentence-transformers: a text's vector are its first letters."""

    def __init__(self, name: str, device: str) -> None:
        assert (name, device) == ("some-model", "cpu")
        self.tokenizer = self

    def tokenize(self, text: str) -> list[str]:
        return ["[UNK]"] * len(text)

    def encode(self, texts: Sequence[str], **_: bool) -> NDArray[np.float32]:
        assert len(texts) == 1, "one question a run"
        vector = np.array([*map(ord, texts[0].ljust(3)[:3])], np.float32)
        return (vector / np.linalg.norm(vector))[None]


def test_torch_serves_where_onnxruntime_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = ModuleType("sentence_transformers")
    monkeypatch.setattr(library, "SentenceTransformer", InTorch, raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    with caplog.at_level(logging.WARNING):
        found = encoder.load("some-model", tmp_path, ["en", "zh"])
    assert found is not None
    assert found.languages == ("en",), "what cannot read Chinese is not asked in it"
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "encoder some-model is served by torch"
    ]
    assert "meaning" in build(FAQ, encoder=found).ask("where to eat").why["scores"][0]["parts"]
    assert (tmp_path / "some-model--torch" / "embeddings.npz").is_file()


def test_without_either_library_words_must_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("onnxruntime", "sentence_transformers"):
        monkeypatch.setitem(sys.modules, library, None)
    with caplog.at_level(logging.WARNING):
        assert encoder.load("some-model", tmp_path) is None
    assert len(caplog.records) == 1
    assert "install aftercare[semantic]" in caplog.text


def test_who_can_read_chinese() -> None:
    assert encoder.readable(["en", "zh"], list(encoder.CHINESE)) == ("en", "zh")
    assert encoder.readable(["en", "zh"], ["▁我的", "手机", "收不到", "怎么办"]) == ("en", "zh")
    assert encoder.readable(["en", "zh"], ["[UNK]"] * len(encoder.CHINESE)) == ("en",)
    assert encoder.readable(["en", "zh"], ["Ã"] * 3 * len(encoder.CHINESE)) == ("en",)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A multilingual sentence encoder of a few kilobytes, and where its converted form is kept."""
    return made(tmp_path_factory.mktemp("tiny"))


def test_a_model_is_converted_served_and_remembered(tiny: Path) -> None:
    models = tiny / "models"
    first = encoder.load(str(tiny / "model"), models, ["en", "zh"])
    assert first is not None
    rows = first.examples(["how to pay", "怎么付款"])
    assert rows.shape == (2, 32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    (kept,) = models.rglob("embeddings.npz")
    before = kept.stat().st_mtime_ns
    again = encoder.load(str(tiny / "model"), models, ["en", "zh"])
    assert again is not None
    assert (again.examples(["怎么付款"])[0] == rows[1]).all()
    assert kept.stat().st_mtime_ns == before
    kept.write_bytes(b"damaged")
    assert np.allclose(again.examples(["how to pay"])[0], rows[0])
    faq = from_examples([{"label": "pay", "text": "怎么付款"}, {"label": "back", "text": "退货"}])
    assert "meaning" in build(faq, encoder=again).ask("怎么付款").why["scores"][0]["parts"]


def test_converted_a_model_says_what_it_said_in_torch(tiny: Path) -> None:
    converted = encoder.load(str(tiny / "model"), tiny / "models")
    assert converted is not None
    before = encoder.TorchEncoder(str(tiny / "model"), tiny / "torch")
    for text in ("pay", "how do i pay for two things", "router wifi phone " * 12, "x " * 500):
        assert converted.question(text) @ before.question(text) > 0.99


def test_serving_needs_no_torch(tiny: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from knowledge.encoder import load\n"
        f"made = load({str(tiny / 'model')!r}, Path({str(tiny / 'models')!r})); made.question('pay')\n"
        "print(sorted({'torch', 'sentence_transformers', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
