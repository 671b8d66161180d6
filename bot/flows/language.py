"""The language to answer in: the one chosen once; else the script's, the last, the platform's or the first."""

from __future__ import annotations

from typing import Final

from bot.dialogue import Talk, Turn
from bot.flows.wording import address, bare

NAMES: Final = dict.fromkeys("product contact serial order bought amount part".split(), 3)  # answers written alike
SKIPS: Final = frozenset({"skip", "跳过", "no", "没有"})
PROPER: Final = frozenset({"address", "company"})
STEERING: Final = frozenset({"help", "cancel", "back", "yes", "no"})  # "ok" and "quit" are said in any language


def spoken_to(turn: Turn, words: str) -> Talk:
    """A copy of the talk in that language."""
    spoken, talk, meant = turn.policy.languages, turn.talk, turn.understood
    chosen = str(turn.customer.get("language", ""))
    if not talk.language and chosen in spoken:
        return talk.but(language=chosen, language_chosen=True)
    heard = meant.language if meant and not talk.language_chosen else ""
    most = NAMES.get(talk.asked, 1 if meant and meant.intent in STEERING else 0)
    for entity in meant.entities if meant else ():
        words, most = words.replace(entity.text, ""), max(most, 1)  # "email: …"
    if talk.language and (
        (talk.asked in PROPER and bare(words) not in SKIPS) or (words and bare(words) == bare(address(words)))
    ):
        heard = ""  # where somebody lives, and what a firm is called, is written as it is
    if heard == "en" and talk.language and len(words.split()) <= most:
        heard = ""
    hint = turn.event.language[:2].lower()
    return talk.but(language=next((x for x in (heard, talk.language, hint) if x in spoken), spoken[0]))
