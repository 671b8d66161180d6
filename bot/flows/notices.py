"""What the platform tells about a chat: a file that cannot be had, people who take the customer and give him back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bot.flows import platform, wishes
from bot.flows.draft import Draft
from handoff import care

WHY: Final = {"large": "file.large", "kind": "file.kind"}  # why a file was refused, and how that is said


def notice(draft: Draft) -> None:
    """``extra["notice"]`` says what; one we do not know is only kept."""
    if tell := NOTICES.get(str(draft.event.data.get("notice"))):
        tell(draft)


def file(draft: Draft) -> None:
    """A file of the customer's was not taken, or could not be had: one sentence says why."""
    told = draft.event.data
    why, values = str(told.get("why", "")), {name: str(told.get(name, "")) for name in ("name", "most")}
    draft.fact("file_refused", why=why)
    if draft.agent_has_floor:
        care.notice(draft, WHY.get(why, "file.lost"), **values)
    elif not (draft.event.public or draft.talk.stopped):
        draft.say(WHY.get(why, "file.lost"), **values)


def returned(draft: Draft) -> None:
    """People on the platform are done with him."""
    if platform.has(draft):
        draft.close("agent")


def unmanned(draft: Draft) -> None:
    """Nobody there could take him: then our own people will."""
    if platform.has(draft):
        platform.give_back(draft, "unmanned")
    if not draft.agent_has_floor:  # one of ours has taken him meanwhile
        wishes.human(draft, "asked")


NOTICES: Final[dict[str, Callable[[Draft], None]]] = {
    "file": file,
    "agent": platform.take,
    "taken": platform.take,
    "returned": returned,
    "unmanned": unmanned,
}
