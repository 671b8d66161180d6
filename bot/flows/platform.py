"""People who answer on the platform itself (WeCom's 微信客服): they take a customer and give him back; we record."""

from __future__ import annotations

from bot.dialogue import Alarm, Say
from bot.flows import journal, line
from bot.flows.draft import Draft
from bot.messages import Kind, Reply

ASKED, TAKEN = "asked", "taken"  # handed over to them, and seen to be with one of them
QUEUE = "queue"  # the person of whoever waits in the platform's own queue


def has(draft: Draft) -> bool:
    """Whether they have the customer, as far as we were told."""
    return bool(draft.number and draft.talk.extra.get("platform"))


def spoken(draft: Draft) -> None:
    """The customer says something: the platform tells with it who has him just now."""
    if draft.event.kind not in (Kind.TEXT, Kind.CHOICE):
        return
    if "person" in draft.event.data:
        take(draft, ASKED if draft.event.data["person"] == QUEUE else TAKEN)
    elif has(draft):
        give_back(draft, "returned")


def take(draft: Draft, how: str = TAKEN) -> None:
    """They have him: from now on we only record."""
    if draft.talk.extra.get("platform") != how or not draft.number:
        line.leave(draft, "platform")
        draft.open()
        draft.keep(platform=how)  # not in our own queue: none of our people is to be sent there
        draft.fact("platform", has=True)


def overlooked(draft: Draft) -> None:
    """Nobody there has taken him for as long as a conversation may rest: our own people must see that."""
    if draft.talk.extra.get("platform") == ASKED:
        draft.do(Alarm("not_taken_over", draft.number))


def give_back(draft: Draft, reason: str) -> None:
    """He is ours again."""
    draft.keep(platform=None)
    draft.fact("platform", has=False, reason=reason)


def hand_over(draft: Draft, reason: str) -> bool:
    """Ask them to take the customer; False where there is nobody, or nobody could. What he is told goes out before."""
    if not draft.turn.people_there or draft.event.public or draft.event.data.get("notice"):
        return False
    journal.drop(draft)
    draft.fact("handed_over", reason=reason or "asked", to="platform")
    take(draft, ASKED)
    draft.do(Say(Reply(draft.text("human.there"), hand_over=True)))
    return True
