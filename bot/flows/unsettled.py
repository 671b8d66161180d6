"""What nobody has answered yet when the customer has gone: he is told so, and one tap passes it to people."""

from __future__ import annotations

from bot.flows import journal, matter, opening
from bot.flows.draft import Draft
from bot.flows.steps import SKIP
from bot.flows.ticket import on_a_line


def remind(draft: Draft) -> bool:
    """Say what is still open; False if nothing is, or he has let it be."""
    extra = draft.talk.extra
    files, what = extra.get("files"), "" if extra.get("bare") else matter.still_open(draft)
    if not (what or files) or extra.get("let_be") or draft.talk.stopped:
        return False
    what = what or draft.text("no_words")
    product = extra.get("product", "")
    draft.keep(unsettled={"number": draft.number, "what": what, "files": files, "product": product})
    draft.say("unsettled", f"do:pass_on:{draft.number}", what=on_a_line(what))
    return True


def pass_on(draft: Draft, number: str) -> None:
    """It goes to people after all: nothing is asked but how to reach him, if nobody knows."""
    left = draft.talk.extra.get("unsettled") or {}
    if not number or left.get("number") != number:
        draft.say("button.gone")
        return
    journal.drop(draft)
    draft.open()
    what = "\n".join(filter(None, (left["what"], matter.still_open(draft))))
    draft.keep(unsettled=None, files=left["files"] or draft.talk.extra.get("files"))
    opening.ticket(draft, "", what=what, product=left["product"] or SKIP, sure="yes")
