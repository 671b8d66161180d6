"""The line for people: who joins it is told where he stands and how long it may take, honestly; who leaves it, too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from bot import texts
from bot.dialogue import DropTimer, Own, SetTimer
from bot.flows import floor
from bot.flows.draft import Draft
from handoff.dialogue import HIGH, NORMAL, URGENT, DeskView, Queue
from handoff.standards import CHAT, Clock

PRIORITIES: Final = {"emergency": URGENT, "error": HIGH, "complaint": HIGH, "misses": HIGH, "vip": HIGH}
JOINED: Final = {"misses": "line.joined.misses", "error": "line.joined.error"}  # else "line.joined"
WAYS_OUT: Final = ("do:ticket", "do:callback", "do:bot")
TRIED: Final = 3  # entries told to people with their confidence
AT_ONCE: Final = 0.0  # estimate while somebody has time


def waits(draft: Draft) -> bool:
    """Whether the customer waits in our line (not in that of a platform's own people)."""
    here = floor.owner(draft.turn, draft.effects)
    return here == "queue" and not draft.talk.extra.get("platform")


def desk(draft: Draft) -> DeskView:
    """Whether anybody is there."""
    return draft.look("desk", "") or DeskView()


def join(draft: Draft, reason: str, told: dict[str, Any], *, quiet: bool = False) -> bool:
    """Wait for a person, if anybody is there; False if not. ``told``: what the customer has told already."""
    if draft.event.public or not desk(draft).open:
        return False
    draft.open()
    reason = "missing" if reason == "asked" and draft.talk.unknowns else reason  # there was no answer before
    wants, packet = _wants(draft, reason, told), _packet(draft, told)
    vip = str(draft.turn.customer.get("tier", "")) in draft.turn.policy.people.first_tiers
    priority = min(PRIORITIES.get(reason, NORMAL), HIGH if vip else NORMAL)
    draft.do(Queue(reason, priority, wants, packet, None if waits(draft) else draft.event.at))
    draft.fact("queued", reason=reason, question=packet["question"])
    draft.keep(kept=None, escalated=None)
    watch(draft, draft.turn.policy.people.tell_every)
    if not quiet:
        place(draft, desk(draft).ahead[priority], desk(draft), JOINED.get(reason, "line.joined"))
    return True


def away(draft: Draft, reason: str) -> dict[str, Any]:
    """What is said instead of the usual when there are people, but none is there: when they are back."""
    seen = desk(draft)
    if not seen.staffed or reason in ("misses", "error", "callback"):  # those have a word of their own
        return {}
    return {"said": "human.away", "back": back(draft)}


def back(draft: Draft) -> str:
    """When people work again, as it is said; "" if they should be there now, and nobody knows."""
    hours = draft.turn.policy.hours
    opens = hours.opens(draft.now)
    return hours.spoken(opens, draft.lang) if opens and opens > draft.now else ""


def watch(draft: Draft, seconds: float) -> None:
    """Look after whoever waits, in so many seconds."""
    draft.do(SetTimer("queue", draft.now + timedelta(seconds=max(1.0, seconds))))


def place(draft: Draft, ahead: int, desk: DeskView, key: str) -> None:
    """Where the customer stands, how long it may take as far as anybody knows, and the ways out."""
    estimate = desk.estimate(ahead)
    first = texts.Word("line.next") if ahead == 0 else texts.Word("line.place", {"place": ahead + 1})
    takes = texts.Word("line.unknown") if estimate is None else texts.Word("line.estimate", {"within": estimate})
    said = texts.Word("line.stands", {"first": first, "takes": takes, "promised": _promised(draft)})
    if estimate == AT_ONCE:
        said = texts.Word("line.now")
    draft.keep(place=ahead, placed=draft.now.isoformat())
    draft.say(key, *WAYS_OUT, place=said)


def _promised(draft: Draft) -> texts.Word | str:
    """What is promised to whoever waits for a first word, as long as it can be kept."""
    policy, extra = draft.turn.policy, draft.talk.extra
    tier, urgency = str(draft.turn.customer.get("tier", "")), str(extra.get("urgency", "normal"))
    time = policy.standards.times(CHAT, urgency, tier).get("first_reply")
    clock = extra.get("clocks", {}).get("first_reply")
    if clock is None or time is None:
        return ""
    due = Clock.of(clock).reaches(time, draft.now, policy.hours)
    return texts.Word("line.promised", {"by": draft.by(due)}) if due > draft.now else ""


def tell(draft: Draft, key: str = "line.still") -> None:
    """Where the customer stands now."""
    seen = draft.look("place", draft.number) or DeskView()
    place(draft, seen.ahead[NORMAL], seen, key)


def leave(draft: Draft, reason: str) -> None:
    """The customer waits no more: the bot goes on with him."""
    if waits(draft):
        draft.do(Own("bot", reason), DropTimer("queue"))
        draft.fact("left_queue", reason=reason)
        draft.keep(kept=None, escalated=None, place=None, placed=None)


def _wants(draft: Draft, reason: str, told: dict[str, Any]) -> dict[str, Any]:
    """Who would be right for it."""
    entry = draft.turn.knowledge.entry(draft.talk.last_entry)
    service = reason if reason in ("emergency", "complaint") else entry.service if entry else ""
    before = draft.turn.conversation or draft.turn.last
    last = (before and before.served_by) or (draft.turn.last and draft.turn.last.served_by)
    wanted = {
        "language": draft.lang,
        "product": told.get("product", ""),
        "service": service,
        "tier": draft.turn.customer.get("tier", ""),
        "preferred": last,
        "since": draft.event.at.isoformat(),
    }
    return {name: value for name, value in wanted.items() if value}


def _packet(draft: Draft, told: dict[str, Any]) -> dict[str, Any]:
    """What a person should know before he says a word; the rest is read from the books when it is shown."""
    candidates = draft.ranking.candidates[:TRIED] if draft.ranking else ()
    ranked = [(c.entry, round(c.confidence, 2)) for c in candidates if ":" not in c.entry]
    known = draft.turn.customer
    return {
        "question": told.get("what", ""),
        "words": draft.words,
        "slots": {name: told[name] for name in draft.turn.policy.forms.fields if name != "what" and told.get(name)},
        "flow": told.get("flow", ""),
        "tried": [draft.talk.last_entry] if draft.talk.last_entry else [],
        "candidates": ranked,
        "angry": bool(draft.meant and draft.meant.angry),
        "customer": {name: known[name] for name in ("name", "tier", "contact", "product") if known.get(name)},
        "tickets": [ticket.number for ticket in draft.turn.tickets],
        "files": [f["name"] for f in draft.talk.extra.get("files", ())],
    }
