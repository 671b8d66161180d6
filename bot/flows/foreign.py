"""Words in a language that we do not speak, or that ask for one: which ones we speak is said in each of them."""

from __future__ import annotations

from bot import texts
from bot.cues import cue
from bot.flows import wishes
from bot.flows.draft import Draft
from bot.flows.reading import SUBJECT
from bot.messages import Choice
from intents.language import is_foreign

_PERSON = cue("foreign.person")
_ASKS_LANGUAGE = cue("foreign.asks_language")


def in_another_language(draft: Draft) -> bool:
    """Words that we cannot read, or that ask for other ones: say which languages we speak, in each of them; a colleague
    may know that one.
    """
    if not (is_foreign(draft.words) or _ASKS_LANGUAGE.heard(draft.words.strip())):
        return False
    draft.open()
    draft.fact("unknown", question=draft.words[:SUBJECT])
    draft.asked_freely()
    if _PERSON.heard(draft.words):
        wishes.human(draft, "asked")
        return True
    spoken = draft.turn.policy.languages
    names = " / ".join(texts.say(one, "language.name") for one in spoken)
    said = "\n\n".join(texts.say(one, "language.unknown", languages=names) for one in spoken)
    buttons = (*(f"lang:{one}" for one in spoken), "do:human")
    draft.tell(said, tuple(Choice(button, draft.label(button)) for button in buttons))
    return True
