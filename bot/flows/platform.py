"""People who answer on the platform itself (WeCom's 微信客服): they take a customer and give him back; we record."""

from __future__ import annotations

from bot.dialogue import Own, Say
from bot.flows import journal
from bot.flows.draft import Draft
from bot.messages import Kind, Reply


def has(draft: Draft) -> bool:
    """Whether they have the customer, as far as we were told."""
    here = draft.turn.conversation
    return here is not None and here.owner == "queue" and bool(draft.talk.extra.get("platform"))


def spoken(draft: Draft) -> None:
    """The customer says something: the platform tells with it who has him just now."""
    if draft.event.kind not in (Kind.TEXT, Kind.CHOICE):
        return
    if "person" in draft.event.data:
        take(draft)
    elif has(draft):
        give_back(draft, "returned")


def take(draft: Draft) -> None:
    """They have him: from now on we only record."""
    if not has(draft):
        draft.open()
        draft.keep(platform=True)
        draft.do(Own("queue", "platform"))


def give_back(draft: Draft, reason: str) -> None:
    """He is ours again."""
    draft.keep(platform=None)
    draft.do(Own("bot", reason))


def hand_over(draft: Draft, reason: str) -> bool:
    """Ask them to take the customer; False where there is nobody, or nobody could. What he is told goes out before."""
    if not draft.turn.people_there or draft.event.public or draft.event.data.get("notice"):
        return False
    journal.drop(draft)
    draft.note("handed_over", reason=reason or "asked", to="platform")
    take(draft)
    draft.do(Say(Reply(draft.text("human.there"), hand_over=True)))
    return True
