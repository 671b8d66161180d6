"""Topics that are missing are found, the largest first, with a patch that works."""

from __future__ import annotations

from pathlib import Path

from knowledge.exchange import as_block
from knowledge.faq import Entry, Faq, read
from knowledge.gaps import Asked, gaps
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
    asked = [Asked(text, f"chat-{text}", "unanswered") for text in (*PIZZA, *TRAIN, "reset the router", "I like trees")]
    asked += [Asked(text, f"chat-{text}", "handed-over", "九点") for text in FOREIGN]
    found = gaps(knowledge, asked)
    assert [(g.language, g.size) for g in found] == [("en", len(PIZZA)), ("en", len(TRAIN)), ("zh", len(FOREIGN))]
    assert found[0].gain > 0.9
    assert found[0].collisions == ()
    assert found[2].reasons == {"handed-over": 4}
    (tmp_path / "patch.yaml").write_text(found[2].patch, encoding="utf-8")
    assert read(tmp_path).by_id["new-entry"].answer == {"zh": "九点"}
    assert set(found[0].as_json()) >= {"size", "examples", "patch", "gain"}
    assert "12 chats (12 unanswered)" in str(found[0])


def test_one_person_asking_often_is_no_gap() -> None:
    asked = [Asked(text, "the same chat", "unanswered") for text in PIZZA]
    assert gaps(build(Faq(tuple(KNOWN))), asked) == []


def test_nothing_asked_nothing_missing() -> None:
    assert gaps(build(Faq()), []) == []
    assert as_block([]) == "[]\n"
