"""What is kept of the words written at desks, of who wrote them, and of the conversations their threads are about."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, select, update

from bot.bulk import insert
from bot.messages import Attachment
from bot.storable import cleaned
from bot.tables import chat, conversation
from bot.text import clean
from channels import DeskWord
from handoff.access import Actor
from handoff.lookups import WORKING
from handoff.sessions import actor_of
from handoff.tables import agent, agent_identity, desk_place, desk_word

TOGETHER: Final = 2.0  # seconds until the messages of an album are taken for complete
AT_ONCE: Final = 100
NOTHING: Final = ("answered", "ignored", "failed")  # outcomes of what changed nothing
_KEPT: Final = ("text", "choice", "change", "album", "below", "mentions")


@dataclass(frozen=True, slots=True)
class Matter:
    """What a thread is about: a conversation, and where its customer is."""

    number: str
    channel: str
    address: str
    language: str


def actor(connection: Connection, channel: str, sender: str) -> Actor | None:
    """Who of our people this is: linked by an admin, of a working role, and not disabled."""
    his = select(agent).join(agent_identity, agent_identity.c.agent_id == agent.c.id)
    his = his.where(agent_identity.c.channel == channel, agent_identity.c.sender == sender)
    row = connection.execute(his.where(agent.c.disabled_at.is_(None), agent.c.role.in_(WORKING))).first()
    return actor_of(row, via=channel) if row else None


def matter(connection: Connection, channel: str, thread: str) -> Matter | None:
    """The conversation of a thread."""
    its = (
        select(conversation.c.number, chat.c.channel, chat.c.address, chat.c.talk)
        .join(chat, chat.c.id == conversation.c.chat_id)
        .join(desk_place, desk_place.c.conversation_id == conversation.c.id)
        .where(desk_place.c.channel == channel, desk_place.c.address == thread)
    )
    row = connection.execute(its).first()
    return Matter(row.number, row.channel, row.address, str((row.talk or {}).get("language") or "")) if row else None


def keep(connection: Connection, channel: str, word: DeskWord, now: float) -> bool:
    """Keep it to be done, once however often it comes; whether it is new."""
    body: dict[str, Any] = {name: value for name in _KEPT if (value := getattr(word, name))}
    body["files"] = [{"file": asdict(file), "errand": dict(errand)} for file, errand in word.files]
    row = {
        "channel": channel,
        "key": word.key,
        "thread": word.thread,
        "sender": word.sender,
        "native": word.native,
        "body": cleaned(body),
        "ready_at": now + TOGETHER if word.album else now,
        "received_at": now,
    }
    new = insert(desk_word).values(row).on_conflict_do_nothing(index_elements=["channel", "key"])
    fresh = connection.scalar(new.returning(desk_word.c.id)) is not None
    if fresh and word.album:  # all of it waits for the last
        its = desk_word.c.channel == channel, desk_word.c.outcome == "", desk_word.c.thread == word.thread
        early = desk_word.c.ready_at < row["ready_at"]
        connection.execute(update(desk_word).where(*its, _of_album(word.album), early).values(ready_at=row["ready_at"]))
    return fresh


def _of_album(album: str) -> ColumnElement[bool]:
    its: ColumnElement[bool] = desk_word.c.body["album"].as_string() == clean(album)
    return its


def waiting(connection: Connection, channel: str) -> list[Any]:
    """The first of each thread that is to be done, in order."""
    open_ = select(desk_word).where(desk_word.c.channel == channel, desk_word.c.outcome == "")
    rows: dict[str, Any] = {}
    for row in connection.execute(open_.order_by(desk_word.c.id).limit(AT_ONCE)):
        rows.setdefault(row.thread, row)
    return [row for row in rows.values() if row.ready_at <= time.time()]


def album(connection: Connection, row: Any) -> str:
    """The words that came with any message of the same album."""
    its = desk_word.c.channel == row.channel, desk_word.c.thread == row.thread
    bodies = connection.scalars(
        select(desk_word.c.body).where(*its, _of_album(row.body["album"])).order_by(desk_word.c.id)
    )
    return next((body["text"] for body in bodies if body.get("text")), "")


def before(connection: Connection, row: Any) -> str:
    """What became of the message before it was changed: an outcome, "" if it is not known.

    A change that came to nothing left it as it was.
    """
    same = desk_word.c.channel == row.channel, desk_word.c.thread == row.thread, desk_word.c.native == row.native
    its = select(desk_word.c.outcome).where(*same, desk_word.c.id < row.id, desk_word.c.sender == row.sender)
    last = its.order_by(desk_word.c.outcome.in_(NOTHING), desk_word.c.id.desc()).limit(1)
    return str(connection.scalar(last) or "")


def done(connection: Connection, which: int, outcome: str) -> None:
    """Write down what became of a word; it is not looked at again."""
    connection.execute(update(desk_word).where(desk_word.c.id == which).values(outcome=outcome[:20]))


def later(connection: Connection, which: int, pause: float) -> None:
    """Try the word again after ``pause`` seconds."""
    again = {"attempts": desk_word.c.attempts + 1, "ready_at": time.time() + pause}
    connection.execute(update(desk_word).where(desk_word.c.id == which).values(again))


def forget(connection: Connection, channel: str, before: float) -> None:
    """Drop the text of what was written before then; that it was written, and what became of it, stays."""
    old = desk_word.c.channel == channel, desk_word.c.outcome != "", desk_word.c.received_at < before
    kept = update(desk_word).where(*old, desk_word.c.sender != "").values(body={}, sender="")
    connection.execute(kept)


def files(body: Mapping[str, Any]) -> list[tuple[Attachment, dict[str, Any]]]:
    """The files of a word, each with how it is to be fetched."""
    return [(Attachment(**one["file"]), dict(one["errand"])) for one in body.get("files", ())]


def colleagues(connection: Connection) -> tuple[dict[str, int], set[str]]:
    """By the names people use: agents by name and login, and the teams there are."""
    rows = connection.execute(
        select(agent.c.id, agent.c.name, agent.c.login, agent.c.teams).where(
            agent.c.disabled_at.is_(None), agent.c.role.in_(WORKING)
        )
    ).all()
    named = {row.login: row.id for row in rows} | {row.name: row.id for row in rows}
    return named, {team for row in rows for team in row.teams}


def linked(connection: Connection, channel: str, sender: str) -> int | None:
    """The account of somebody who is named at the desk."""
    one = actor(connection, channel, sender)
    return one.id if one else None


def owner(connection: Connection, desk: str, number: str) -> tuple[str, str]:
    """Who has a conversation: his id on the platform and his name; nothing of either if none has."""
    its = select(conversation.c.agent_id).where(conversation.c.number == number, conversation.c.owner == "agent")
    return people(connection, desk).get(connection.scalar(its) or 0, ("", ""))


def people(connection: Connection, desk: str) -> dict[int, tuple[str, str]]:
    """Everybody who ever worked here, by his id on the platform ("" = not linked) and his name."""
    linked = and_(agent_identity.c.agent_id == agent.c.id, agent_identity.c.channel == desk)
    rows = connection.execute(
        select(agent.c.id, agent.c.name, agent_identity.c.sender).outerjoin(agent_identity, linked)
    )
    return {row.id: (row.sender or "", row.name) for row in rows}
