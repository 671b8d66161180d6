"""What a question tells: words that others have as well single out no answer, and a short question is less sure."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.evidence import Evidence
from knowledge.faq import from_examples
from knowledge.grams import Grams
from knowledge.index import Knowledge, build

TEXTS = ["reset the router", "reset it to factory state", "pay the invoice", "pay by card", "track the parcel", "go"]
LABELS = np.array([0, 0, 1, 1, 2, -1])


def made() -> tuple[Grams, Evidence]:
    grams = Grams([text.split() for text in TEXTS])
    return grams, Evidence(grams, lambda _: True, LABELS, 3, np.arange(5))


def test_what_is_shared_with_a_label_counts_by_how_rare_it_is() -> None:
    grams, evidence = made()
    value = evidence.of(grams.columns(["reset", "the", "pay", "never heard"]))
    assert value[0] == pytest.approx(value[1])  # "the" and one word of their own
    assert value[2] < value[0]  # "the" alone
    assert (evidence.of(grams.columns(["never", "heard"])) == evidence.of(grams.columns([]))).all()


def test_left_out_a_text_shares_with_its_label_what_others_of_it_say() -> None:
    grams, evidence = made()
    rows = np.arange(5)
    value = evidence.left_out(rows, LABELS[:5])
    for row in rows.tolist():
        asked = grams.columns(TEXTS[row].split())
        whole = evidence.of(asked)
        others = np.delete(np.arange(3), LABELS[row])
        assert value[row, others] == pytest.approx(whole[others])
        without = {word for r in np.flatnonzero(LABELS[row] == LABELS) if r != row for word in TEXTS[r].split()}
        told = evidence.of(grams.columns(set(TEXTS[row].split()) & without))
        assert value[row, LABELS[row]] == pytest.approx(told[LABELS[row]])


def test_common_words_single_out_nothing() -> None:
    grams, evidence = made()
    assert evidence.apart(grams.columns(["the"]), 0) < 0  # all three have it
    assert evidence.apart(grams.columns(["reset"]), 0) == pytest.approx(0)
    assert evidence.apart(grams.columns(["reset", "router"]), 0) > 0
    assert evidence.apart(grams.columns(["reset", "router"]), 1) < 0  # not its words


@pytest.fixture(scope="module")
def shop() -> Knowledge:
    said = {
        "password": ["how do I find out my wifi password", "where is my wifi password", "my wifi password is lost"],
        "reset": ["how do I reset my router", "my router needs a factory reset", "where is the reset button"],
        "refund": ["how do I get a refund", "when is my refund paid", "where is my refund"],
        "parcel": ["where is my parcel", "my parcel is lost", "when does my parcel come"],
        "camera": ["my camera is offline", "how do I add my camera", "where is my camera recording"],
        "invoice": ["how do I get my invoice", "my invoice is wrong", "where is my invoice"],
    }
    rows = [{"label": label, "text": text} for label, texts in said.items() for text in texts]
    return build(from_examples(rows))


@pytest.mark.parametrize("text", ["where is my", "how do I", "my is", "where is the"])
def test_a_frame_is_not_answered(shop: Knowledge, text: str) -> None:
    assert shop.ask(text).outcome != "answer", text


@pytest.mark.parametrize(("text", "entry"), [("where is my parcel", "parcel"), ("reset", "reset")])
def test_what_is_said_is(shop: Knowledge, text: str, entry: str) -> None:
    assert shop.ask(text).candidates[0].entry == entry
    assert not [guard for guard in shop.ask(text).why["guards"] if guard["guard"] == "vague"]
