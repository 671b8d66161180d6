"""Topics that are missing are found, the largest first, with a patch that works."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.gaps import HOME, found
from bot.strictyaml import YamlError
from knowledge.exchange import as_block
from knowledge.faq import Entry, Faq, read
from knowledge.gaps import SHOWN, Asked, gaps, topics
from knowledge.index import build

KNOWN = [
    Entry(id=name, topic="t", questions={"en": tuple(said)}, answer={"en": "So."})
    for name, said in {
        "reset": [
            "reset the router",
            "factory reset",
            "how do I reset it",
            "erase all settings",
            "press the reset pin",
        ],
        "light": ["the light is red", "red lamp on the modem", "why does the led blink", "what does the led mean"],
        "bill": ["send me an invoice", "where is my bill", "I need a receipt", "invoice for my company", "tax invoice"],
        "camera": ["the camera is offline", "no picture from my camera", "camera night vision", "camera turns black"],
        "password": ["I forgot my password", "change the wifi password", "new password please", "password is wrong"],
        "parcel": ["where is my parcel", "when does the delivery arrive", "track my parcel", "delivery is late"],
        "account": ["delete my account", "create an account", "sign up with e-mail", "account is locked"],
        "slow": ["internet is slow", "speed is bad in the evening", "wifi slow upstairs", "video keeps buffering"],
    }.items()
]
PIZZA = [
    f"{ask} a {kind} pizza" for ask in ("is there", "got", "hungry for", "bake me") for kind in ("hot", "big", "cheap")
]
TRAIN = [
    f"{ask} train to {town}"
    for ask in ("when leaves the", "which platform has the")
    for town in ("Ulm", "Bonn", "Trier")
]
FOREIGN = ["几点开门", "周末几点开门", "你们几点开门啊", "早上几点开门"]


def test_missing_topics_are_found_with_patches(tmp_path: Path) -> None:
    knowledge = build(Faq(tuple(KNOWN)))
    single = "reset the router", "our office moved"
    asked = [Asked(text, f"chat-{text}", "unanswered") for text in (*PIZZA, *TRAIN, *single)]
    asked += [Asked(text, f"chat-{text}", "handed-over", "九点") for text in FOREIGN]
    made = gaps(knowledge, asked)
    assert (made[0].languages, made[0].size) == (("en",), len(PIZZA))
    (chinese,) = (gap for gap in made if gap.languages == ("zh",))
    assert chinese.size == len(FOREIGN)
    assert any("train" in gap.examples[0] for gap in made)
    assert not any("reset" in text or "moved" in text for gap in made for text in gap.examples)
    assert (made[0].gain, made[0].fresh) == (1.0, len(PIZZA) - SHOWN)
    assert made[0].collisions == ()
    assert chinese.reasons == {"handed-over": 4}
    (tmp_path / "patch.yaml").write_text(chinese.patch, encoding="utf-8")
    (entry,) = read(tmp_path).entries
    assert entry.answer == {"zh": "九点"}
    assert set(made[0].as_json()) >= {"size", "examples", "patch", "gain", "collisions", "languages"}
    assert "12 chats (12 unanswered)" in str(made[0])
    assert "the block would answer 100% of its 4 other questions, take no question of others" in str(made[0])


def test_a_patch_that_nobody_has_written_an_answer_for_is_refused(tmp_path: Path) -> None:
    gap, *_ = gaps(build(Faq(tuple(KNOWN))), [Asked(text, text, "unanswered") for text in PIZZA])
    (tmp_path / "patch.yaml").write_text(gap.patch, encoding="utf-8")
    with pytest.raises(YamlError, match=r"patch\.yaml:1: .*the answer in 'en' is still to be written"):
        read(tmp_path)


def test_what_was_given_and_did_not_help_is_evidence_while_it_would_be_given_again() -> None:
    knowledge = build(Faq(tuple(KNOWN)), mode={"answer": 0.3, "choose": 0.2})
    near = ["reset the router pin", "factory reset the box", "how do I reset the pin"]
    assert {knowledge.ask(text).outcome for text in near} == {"answer"}
    assert topics(knowledge, [Asked(text, text, "not helpful", given="reset") for text in near])[0].size == 3
    assert topics(knowledge, [Asked(text, text, "not helpful", given="light") for text in near]) == []
    assert topics(knowledge, [Asked(text, text, "not helpful") for text in near]) == []


def test_missing_topics_are_among_the_ten_first_of_two_thousand_chats() -> None:
    hit, _, _ = found(read(HOME / "knowledge" / "faq"), 2000, ["zh"], seed=0)
    assert hit >= 7, "eight, give or take one; benchmarks/gaps.py tells of more seeds"


def test_one_person_asking_often_is_no_gap() -> None:
    asked = [Asked(text, "the same chat", "unanswered") for text in PIZZA]
    assert gaps(build(Faq(tuple(KNOWN))), asked) == []


def test_nothing_asked_nothing_missing() -> None:
    assert gaps(build(Faq()), []) == []
    assert as_block([]) == "[]\n"
