"""What nobody has answered yet when the customer has gone: he is told so, and one tap passes it to people."""

from __future__ import annotations

from bot.cues import cue
from bot.flows import journal, matter, opening
from bot.flows.draft import Draft
from bot.flows.lengths import STORY, letters
from bot.flows.steps import SKIP
from bot.flows.ticket import on_a_line
from bot.flows.wording import is_question

_STILL = cue("unsettled.still")


def is_still(text: str) -> bool:
    """Whether something is said to be as it was."""
    return bool(_STILL.heard(text)) and not is_question(text)


def remind(draft: Draft) -> bool:
    """Say what is still open; False if nothing is, or he has let it be."""
    extra = draft.talk.extra
    open_yet = "" if extra.get("bare") else matter.still_open(draft)
    files, what = extra.get("files"), "\n".join(filter(None, (*extra.get("earlier", ()), open_yet)))
    if not (what or files) or extra.get("let_be") or draft.talk.stopped:
        return False
    what = what or draft.text("no_words")
    product = extra.get("product", "")
    draft.keep(unsettled={"number": draft.number, "what": what, "files": files, "product": product})
    draft.say("unsettled", f"do:pass_on:{draft.number}", what=on_a_line(what))
    return True


def resolved_not(draft: Draft) -> bool:
    """A ticket is said to be resolved, and is not: people read it there, and one tap opens it again."""
    done = next((one for one in draft.turn.tickets if one.state == "resolved"), None)
    if not done or not is_still(draft.words) or letters(draft.words) > STORY:
        return False
    known = draft.ranking.outcome if draft.ranking else ""
    if known == "intent" or (known == "answer" and not _alike(draft, done.subject)):
        return False
    draft.open()
    draft.add(done.number, draft.words)
    draft.say("ticket.still", f"do:reopen:{done.number}", number=done.number)
    return True


def _alike(draft: Draft, subject: str) -> bool:
    """Whether the words are answered with what answers a ticket's subject, too."""
    ranked = (draft.ranking, matter.ranked(draft, subject))
    best = {one.candidates[0].entry if one and one.candidates else "" for one in ranked}
    return len(best) == 1


def pass_on(draft: Draft, number: str) -> None:
    """It goes to people after all: nothing is asked but how to reach him, if nobody knows."""
    left = draft.talk.extra.get("unsettled") or {}
    if not number or left.get("number") != number:
        draft.say("button.gone")
        return
    told = journal.take_over(draft)  # what is being told goes along
    draft.open()
    said = (left["what"], told.pop("what", ""), matter.still_open(draft))
    what = "\n".join(dict.fromkeys(line for part in said for line in part.split("\n") if line))
    draft.keep(unsettled=None, files=left["files"] or draft.talk.extra.get("files"))
    known = {"product": left["product"] or SKIP, **told}
    opening.ticket(draft, "", what=what, sure="yes", **known)
