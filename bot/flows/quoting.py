"""An answer from the knowledge base as customers get it: the admin's words, links, and buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.flows.draft import TOLD, Draft
from bot.messages import Choice

BUTTON: Final = 60  # bytes of a button's id


def quote(draft: Draft, entry_id: str, why: Mapping[str, Any]) -> None:
    """The admin's own words, links below, then: did it help, and what people ask next."""
    entry = draft.turn.knowledge.entry(entry_id)
    if entry is None:
        return
    text = entry.answer.get(draft.lang) or next(iter(entry.answer.values()))
    links = (f"[{link.label.get(draft.lang, link.url)}]({link.url})" for link in entry.links)
    buttons = [f"ans:{e}" for e in entry.follow_ups if draft.turn.knowledge.entry(e)][:3]
    if not draft.talk.flow and not draft.event.public:
        buttons += [_about("do:solved", entry_id), _about("do:not_helpful", entry_id)]
    draft.tell("\n\n".join([text.strip(), *links]), tuple(Choice(b, draft.label(b)) for b in buttons), why)
    draft.remember(last_entry=entry_id, answered=draft.talk.answered + 1, unknowns=0)
    asked, extra = draft.talk.last_question, draft.talk.extra
    open_yet = [said for said in extra.get("told", ()) if said != asked]
    answered = [said for said in extra.get("answered", ()) if said != asked]
    # no matter for people, unless it did not help
    draft.keep(settled=True, told=open_yet or None, answered=[*answered, asked][-TOLD:] if asked else None)


def _about(button: str, entry: str) -> str:
    """A button that says what it is about, if its id can hold that."""
    return f"{button}:{entry}" if len(button) + len(entry) < BUTTON else button
