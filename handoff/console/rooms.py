"""Conversations that are open on pages: looked at once for everybody who has them open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from handoff.access import Actor
from handoff.reading import talks

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Beside:
    """How a conversation stands besides its messages; of remarks and deeds, those that are new."""

    mark: tuple[Any, ...] = ()
    remarks: Sequence[Any] = ()
    deeds: Sequence[dict[str, Any]] = ()
    sent: dict[int, dict[str, Any]] = field(default_factory=dict)  # what became of replies, by seq
    present: Sequence[dict[str, Any]] = ()
    seers: frozenset[Actor] = frozenset()  # whom teams limit, and who may see it nevertheless
    known: dict[str, int] = field(default_factory=lambda: {"remark": 0, "deed": 0})  # the newest of either


@dataclass(slots=True)
class Room(Generic[S]):
    """A conversation, the pages that have it open, and how it stood last."""

    here: dict[str, Any]
    from_seq: int  # the seq before the first message that one of the pages shows
    streams: frozenset[S] = frozenset()
    last: Beside = field(default_factory=Beside)

    @property
    def sending(self) -> bool:
        """Whether a reply is on its way; nobody tells when it has arrived."""
        return any(it["state"] in ("waiting", "sending") for it in self.last.sent.values())

    @property
    def settled(self) -> bool:
        """Whether every reply has come to an end."""
        return all(it["state"] in ("sent", "withdrawn") for it in self.last.sent.values())


def look(connection: Connection, rooms: Sequence[tuple[Room[S], Collection[Actor]]]) -> list[tuple[Room[S], Beside]]:
    """Those rooms, each with its people, in which something differs from how it was last; and how it is now.

    Two queries for all of them, and a few more for each that has changed.
    """
    if not rooms:
        return []
    marks = talks.marks(connection, {room.here["id"] for room, _ in rooms})
    present = talks.present(connection, {room.here["chat_id"] for room, _ in rooms})
    moved = [one for one in rooms if marks.get(one[0].here["id"], ()) != one[0].last.mark or not one[0].settled]
    limited = {actor for _, people in moved for actor in people if not actor.sees_all}
    ids = {room.here["id"] for room, _ in moved}
    seers = {actor: talks.visible(connection, actor, ids) for actor in limited}
    found = []
    for room, people in rooms:
        which, there, last = room.here["id"], present.get(room.here["chat_id"], []), room.last
        if which in ids:
            his = frozenset(actor for actor in people if actor in seers and which in seers[actor])
            found.append((room, _moved(connection, room, marks.get(which, ()), there, his)))
        elif there != last.present:
            found.append((room, Beside(last.mark, (), (), last.sent, there, last.seers, last.known)))
    return found


def _moved(
    connection: Connection,
    room: Room[Any],
    mark: tuple[Any, ...],
    there: Sequence[dict[str, Any]],
    seers: frozenset[Actor],
) -> Beside:
    here, known = room.here, room.last.known
    new = talks.beats(connection, here["id"], known)
    remarks, deeds = new["remarks"], new["deeds"]
    sent = talks.delivery(connection, here["chat_id"], room.from_seq)
    newest = {
        "remark": max((row.id for row in remarks), default=known["remark"]),
        "deed": max((deed["id"] for deed in deeds), default=known["deed"]),
    }
    whole = len(remarks) < talks.MOST and len(deeds) < talks.MOST  # else the rest comes with the next look
    return Beside(mark if whole else (), remarks, deeds, sent, there, seers, newest)


def shown(new: Beside, old: Beside, actor: Actor, from_seq: int) -> tuple[list[tuple[str, Any]], Beside]:
    """The events for a page that shows a conversation as it was, from a seq on; and what it shows then."""
    told: list[tuple[str, Any]] = []
    told += [("remark", remark_data(row)) for row in new.remarks if row.id > old.known["remark"]]
    told += [("deed", deed) for deed in new.deeds if deed["id"] > old.known["deed"]]
    if new.sent is not old.sent:
        fresh = {seq: it for seq, it in new.sent.items() if seq > from_seq and old.sent.get(seq) != it}
        told += [("delivery", fresh)] if fresh else []
    there = [one for one in new.present if one["id"] != actor.id]
    if there != [one for one in old.present if one["id"] != actor.id]:
        told.append(("others", there))
    if new.mark and new.mark[: talks.STATE] != old.mark[: talks.STATE]:
        told.append(("state", {"owner": new.mark[0], "epoch": new.mark[1]}))
    known = {kind: max(new.known[kind], old.known[kind]) for kind in new.known}
    return told, Beside(new.mark, (), (), new.sent, new.present, new.seers, known)


def remark_data(row: Any) -> dict[str, Any]:
    """An internal note as a page gets it."""
    files = row.attachments or []
    return {"id": row.id, "at": row.created_at, "agent": row.agent_name, "text": row.text, "attachments": files}
