"""A ticket that one clause of a message wishes for, while another tells what it is about."""

from __future__ import annotations

import re
from typing import Final

from bot import texts
from bot.cues import cue
from bot.flows import fields, matter, opening, particulars
from bot.flows.declined import refuses
from bot.flows.draft import Draft
from bot.flows.lengths import BESIDE, CLAUSE, GRIEVANCE, STORY, letters
from bot.flows.wording import bare, clauses, is_question

SOON: Final = 0.7  # confidence from which the wish in a few words is taken for granted
_ASKS_US = cue("clause_wishes.asks_us")
_WANTS = cue("clause_wishes.wants")
_HEAD = re.compile("([\u3400-\u9fff]{2,4})[\\s:：]")
_REASON = re.compile(r"[:：](?!\d|//)|\b(?:because|cause|cos)\b|因为|由于", re.IGNORECASE)


def may_wish_ticket(draft: Draft) -> bool:
    """Whether a ticket is among what the words may well mean: only then their clauses are worth a look each."""
    forms, candidates = draft.turn.policy.forms, draft.ranking.candidates if draft.ranking else ()
    likely = (one.entry for one in candidates if one.confidence >= matter.NEAR)
    named = (entry.removeprefix("intent:") for entry in likely if entry.startswith("intent:"))
    return any(wish == "ticket" or forms.wished(wish) for wish in named)


def wished_with_matter(draft: Draft) -> bool:
    """ "Please repair my mesh, one node won't turn on": a wish in one clause, what it is about in another."""
    parts = _parts(draft.words)
    if len(parts) < 2 or any(is_question(part) and not _ASKS_US.heard(part) for part in parts):
        return False
    if is_question(draft.words) and not _ASKS_US.heard(parts[-1]):
        return False
    return wished_within(draft, BESIDE)


def heads_with_wish(draft: Draft) -> bool:
    """A kind of ticket is named first, as on a form: "Repair: no light", 报修 摄像头不亮."""
    kind, head = fields.kind_named(draft), _HEAD.match(draft.words)
    if not kind and head:
        ranking = matter.ranked(draft, head[1])
        exact = ranking.outcome == "intent" and bare(ranking.candidates[0].nearest) == bare(head[1])
        kind = ranking.candidates[0].entry.removeprefix("intent:") if exact else ""
    said = draft.words[head.end() :] if head else draft.words.partition(":")[2]
    if not draft.turn.policy.forms.wished(kind) or is_question(draft.words) or is_question(said.strip()):
        return False
    if draft.ranking and draft.ranking.outcome == "answer" and not _of_a_fault(draft, said):
        return False  # 退货 流程 is answered
    opening.ticket(draft, kind, **({"what": draft.words} if letters(said) >= GRIEVANCE else {}))
    return True


def _of_a_fault(draft: Draft, said: str) -> bool:
    """Whether the words, or some of them, tell what is broken; not how such a wish is granted."""
    found = draft.turn.knowledge.entry(draft.ranking.candidates[0].entry) if draft.ranking else None
    return bool(found and found.of_fault) or particulars.is_fault(said)


def wished_within(draft: Draft, least: int = CLAUSE) -> bool:
    """A kind of ticket wished in one clause of a long message: all of it is what that ticket is about."""
    wished = (_ASKS_US.without(part, "please ") for part in _parts(draft.words))  # "can you repair it" is one
    parts = [part for part in wished if not (is_question(part) or refuses(part))][: particulars.PARTS]
    for part in parts:
        ranking = matter.ranked(draft, part)
        if letters(part) < least and bare(ranking.candidates[0].nearest if ranking.candidates else "") != bare(part):
            continue  # few words are a wish only if they are nothing else: "Return: …"
        kind = ranking.candidates[0].entry.removeprefix("intent:") if ranking.outcome == "intent" else ""
        forms = draft.turn.policy.forms
        tells = least >= CLAUSE and letters(draft.words) >= STORY  # much of it of the past
        asked_for = not tells or kind == "ticket" or bool(_WANTS.heard(part))
        sure = asked_for and (least >= CLAUSE or ranking.candidates[0].confidence >= SOON)
        if sure and (kind == "ticket" or forms.wished(kind)):
            if least >= CLAUSE and kind != "ticket":
                draft.say("flow.kind", kind=texts.Written(forms.kinds[kind].label))
            opening.ticket(draft, kind)
            return True
    return False


def _parts(text: str) -> list[str]:
    """The clauses of a text, and what stands before and after a reason."""
    return [part.strip() for clause in clauses(text) for part in _REASON.split(clause) if part.strip()]
