"""People who answer on the platform itself (WeCom's 微信客服): they take a customer and give him back; we record."""

from __future__ import annotations

from bot.dialogue import Say
from bot.flows import journal
from bot.flows.draft import Draft
from bot.messages import Kind, Reply


def has(draft: Draft) -> bool:
    """Whether they have the customer, as far as we were told."""
    return bool(draft.number and draft.talk.extra.get("platform"))


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
        draft.keep(platform=True)  # not in our own queue: none of our people is to be sent there
        draft.note("platform", has=True)


def give_back(draft: Draft, reason: str) -> None:
    """He is ours again."""
    draft.keep(platform=None)
    draft.note("platform", has=False, reason=reason)


def hand_over(draft: Draft, reason: str) -> bool:
    """Ask them to take the customer; False where there is nobody, or nobody could. What he is told goes out before."""
    if not draft.turn.people_there or draft.event.public or draft.event.data.get("notice"):
        return False
    journal.drop(draft)
    draft.note("handed_over", reason=reason or "asked", to="platform")
    take(draft)
    draft.do(Say(Reply(draft.text("human.there"), hand_over=True)))
    return True
