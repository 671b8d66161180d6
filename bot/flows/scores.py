"""A score is given, or wished to be: it belongs to its own conversation and cycle, however late the button."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from bot.cues import cue
from bot.dialogue import ConversationView, Learn, OpenTicket
from bot.flows import journal, matter
from bot.flows.draft import Draft
from bot.flows.reading import Heard
from bot.flows.wording import bare

RATE: Final = tuple("12345")
_SCORE = cue("scores.score")
_COUNT = cue("scores.count")


def ask(draft: Draft, number: str, cycle: int) -> None:
    """Ask for a score, unless it was asked lately or given already, or the customer wants no more words."""
    asked, here = draft.turn.customer.get("asked_rating_at"), draft.turn.conversation or draft.turn.last
    asked = datetime.fromisoformat(asked) if isinstance(asked, str) and asked else asked
    rated = here is not None and here.number == number and here.rated is not None
    lately = asked and (draft.now - asked).total_seconds() < draft.turn.policy.rating_pause
    waits = draft.own_ticket("emergency", "urgent", "complaint")  # he will be asked how that was settled
    if not (draft.talk.stopped or rated or lately or waits):
        draft.say("rating.ask", *(f"rate:{number}:{cycle}:{score}" for score in RATE))
        about = {**draft.talk.extra.get("rated_about", {}), number: draft.talk.last_question[:200]}
        draft.keep(rated_about=dict(list(about.items())[-3:]))
        draft.do(Learn("asked_rating_at", draft.now.isoformat()))


def rating(draft: Draft, _: str) -> None:
    """The customer wants to rate: what is open now, or else what was closed last."""
    view = draft.turn.conversation or draft.turn.last
    if view is None:
        draft.say("rating.nothing")
    elif draft.meant and draft.meant.rating and is_score(draft.heard):
        rate(draft, f"{view.number}:{view.cycle}:{draft.meant.rating}")
    else:
        draft.say("rating.ask", *(f"rate:{view.number}:{view.cycle}:{score}" for score in RATE))


def rate(draft: Draft, of: str) -> None:
    """``of`` is number:cycle:score; a late button rates its own conversation and cycle."""
    number, _, rest = of.partition(":")
    cycle, _, score = rest.partition(":")
    if score not in RATE or not re.fullmatch("[1-9][0-9]{0,5}", cycle):
        return draft.say("button.gone")
    views = (draft.turn.conversation, draft.turn.last)
    view = next((v for v in views if v and v.number == number), None) or draft.look("rated", number)
    if view is None or int(cycle) > view.cycle:
        return draft.say("button.gone")
    rated_at = view.rated_at if int(cycle) == view.cycle else None
    if rated_at and draft.now - rated_at > timedelta(seconds=draft.turn.policy.rating_window):
        return draft.say("rating.closed")
    _rated(draft, view, int(cycle), int(score))
    return None


def _rated(draft: Draft, view: ConversationView, cycle: int, score: int) -> None:
    number = view.number
    of, recoveries = f"{number}:{cycle}", dict(draft.talk.extra.get("recoveries", {}))
    run = journal.resume(draft) if draft.talk.flow and draft.talk.flow != "rating" else None
    asked = draft.talk.extra.get("rated_about", {}).get(number, "")
    about = ": ".join(filter(None, [draft.text("rating.about", number=number, score=score), asked]))
    more = {"conversation": number, "cycle": cycle, "score": score, "recovery": recoveries.get(of, "")}
    more["agent"] = str(view.served_by or "")
    journal.begin(draft, "rating", **matter.known(draft, **more, about=about, busy=bool(run)))
    if opened := [e.number for e in draft.effects if isinstance(e, OpenTicket)]:
        draft.keep(recoveries=dict([*recoveries.items(), (of, opened[0])][-5:]))
    if run:
        run.say_question()


def is_score(heard: Heard) -> bool:
    """Whether a score is said without being asked for: an angry face alone is no rating, nor "useless", nor "one"."""
    return bool(heard.meant and heard.meant.rating and _SCORE.heard(heard.text))


def mood(heard: Heard) -> int | None:
    """The score that is felt in words such as "useless" or "great", where none was asked for; a number is no mood."""
    telling = heard.meant is not None and bare(heard.text) and not _COUNT.heard(heard.text)
    return heard.meant.rating if heard.meant and telling else None
