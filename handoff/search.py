"""Full-text search over what was said, tickets and customers, in Chinese as well: pairs of characters are the words."""

from __future__ import annotations

import asyncio
import re
import time
import unicodedata
from collections.abc import Iterable
from functools import partial
from typing import Any, Final
from zlib import crc32

import structlog
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    and_,
    func,
    select,
    text,
)

from bot.bulk import insert as upsert
from bot.duty import Duty
from bot.hub import Hub
from bot.schema import Id, beside, metadata
from bot.store import Away, Store
from bot.tables import chat, conversation, customer, inbox, message, ticket, ticket_word
from handoff.tables import agent

log = structlog.get_logger("search")

PAUSE: Final = 2.0  # seconds between two looks for what is new
SETTLED: Final = 10.0  # seconds after which no event with a smaller number can appear any more
AT_ONCE: Final = 2000  # events looked through in one transaction
PIECE: Final = 25  # rows written in one: customers wait for it
REST: Final = 4.0  # pauses are so many times as long as the writing
BEHIND: Final = 20_000  # events an unfinished one may hold up the rest
HITS: Final = 2000  # newest hits that are looked at
LONGEST: Final = 4000  # characters of a text that are searched
_PAIRED = "[\u2e80-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U0003ffff]"  # written without spaces between words
_TOKEN = re.compile(rf"(?:(?={_PAIRED})[^\W_])+|(?:(?!{_PAIRED})[^\W_])+")

# Not in the common metadata: the words are a virtual table here, a tsvector column there.
search = Table(
    "search",
    MetaData(naming_convention=metadata.naming_convention),
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("kind", String(8), nullable=False),  # message, ticket, word (of a ticket), customer
    Column("chat_id", BigInteger, nullable=False),
    Column("ref", BigInteger, nullable=False),  # seq of the message; id of the ticket or its word; sum of the words
    Column("conversation_id", BigInteger),
    Column("ticket_id", BigInteger),
    UniqueConstraint("kind", "chat_id", "ref", name="uq_search_kind_chat_id_ref"),
)
beside(
    search,
    "sqlite",
    "CREATE VIRTUAL TABLE search_words USING fts5(words, content='', tokenize=\"unicode61 remove_diacritics 0\")",
)
beside(
    search,
    "postgresql",
    "ALTER TABLE search ADD COLUMN words tsvector NOT NULL",
    "CREATE INDEX ix_search_words ON search USING gin (words)",
)
progress = Table(
    "search_progress", search.metadata, Column("name", String(20), primary_key=True), Column("mark", Id, nullable=False)
)

_POSTGRES = text(
    "INSERT INTO search (kind, chat_id, ref, conversation_id, ticket_id, words) VALUES (:kind, :chat_id, :ref, "
    ":conversation_id, :ticket_id, array_to_tsvector(string_to_array(:words, ' '))) ON CONFLICT DO NOTHING"
)
_SQLITE = text("INSERT INTO search_words (rowid, words) VALUES (:id, :words)")
_FIND = {
    "sqlite": "SELECT rowid FROM search_words WHERE search_words MATCH :wanted ORDER BY rowid DESC LIMIT :most",
    "postgresql": "SELECT id FROM search WHERE words @@ CAST(:wanted AS tsquery) ORDER BY id DESC LIMIT :most",
}


def tokens(said: str) -> list[str]:
    """The words of a text: Latin words and numbers in lower case, of Chinese every pair of neighbours and each end."""
    found: dict[str, None] = {}
    for run in _TOKEN.findall(unicodedata.normalize("NFKC", said[:LONGEST]).lower()):
        if _pairs(run):
            found |= dict.fromkeys([run[i : i + 2] for i in range(len(run) - 1)] + [run[-1]])
        else:
            found[run[:40]] = None
    return list(found)


def wanted(query: str, dialect: str) -> str:
    """A query in the database's own words; "" if there is nothing to look for. The parts must all be there."""
    parts: list[tuple[str, bool]] = []  # a token, and whether it is only a beginning
    for run in _TOKEN.findall(unicodedata.normalize("NFKC", query[:200]).lower())[:12]:
        if _pairs(run) and len(run) > 1:
            parts += [(run[i : i + 2], False) for i in range(len(run) - 1)]
        else:
            parts.append((run[:40], True))
    if dialect == "sqlite":
        return " AND ".join(f'"{token}"{" *" if begins else ""}' for token, begins in parts)
    return " & ".join(f"'{token}'{':*' if begins else ''}" for token, begins in parts)


def _pairs(run: str) -> bool:
    return re.match(_PAIRED, run) is not None


def hits(connection: Connection, query: str) -> list[Any]:
    """The newest rows of ``search`` that hold all of the query, newest first."""
    dialect = connection.dialect.name
    words = wanted(query, dialect)
    if not words:
        return []
    found = text(_FIND[dialect]).columns(Column("id", Id))
    ids = list(connection.scalars(found, {"wanted": words, "most": HITS}))
    return list(connection.execute(select(search).where(search.c.id.in_(ids)).order_by(search.c.id.desc())))


# ---------------------------------------------------------------- filling it


def unread(connection: Connection) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """What is not in the index yet, as rows to write, and the marks up to which all will have been looked through."""
    marks = {row.name: row.mark for row in connection.execute(select(progress))}
    rows, mark = _messages(connection, marks.get("inbox", 0))
    new = {"inbox": mark}
    for name, fresh in (("ticket", _tickets), ("word", _ticket_words)):
        found = fresh(connection, marks.get(name, 0))
        rows += found
        new[name] = max((row["ref"] for row in found), default=marks.get(name, 0))
    return rows, {name: mark for name, mark in new.items() if mark != marks.get(name, 0)}


def write(connection: Connection, rows: Iterable[dict[str, Any]], marks: dict[str, int]) -> None:
    """Put rows into the index, each once, and keep the marks."""
    for row in rows:
        words = row.get("words") or " ".join(tokens(row["text"]))
        kept = {name: row.get(name) for name in ("kind", "chat_id", "ref", "conversation_id", "ticket_id")}
        if connection.dialect.name == "postgresql":
            connection.execute(_POSTGRES, {**kept, "words": words})
        elif made := connection.scalar(upsert(search).values(kept).on_conflict_do_nothing().returning(search.c.id)):
            connection.execute(_SQLITE, {"id": made, "words": words})
    for name, mark in marks.items():
        new = upsert(progress).values(name=name, mark=mark)
        connection.execute(new.on_conflict_do_update(index_elements=["name"], set_={"mark": mark}))


def _messages(connection: Connection, mark: int) -> tuple[list[dict[str, Any]], int]:
    """Messages of the chats in which something was done since; every message comes of an event."""
    columns = (inbox.c.id, inbox.c.chat_id, inbox.c.state, inbox.c.received_at)
    events = connection.execute(select(*columns).where(inbox.c.id > mark).order_by(inbox.c.id).limit(AT_ONCE)).all()
    busy = {event.chat_id for event in events if event.state in ("waiting", "taken")}  # and may get a conversation
    chats = sorted({event.chat_id for event in events if event.chat_id} - busy)
    fresh = time.time() - SETTLED
    held = [e.id for e in events if e.state in ("waiting", "taken") or (e.received_at > fresh)]
    last = events[-1].id if events else mark
    next_mark = max(min([*held, last + 1]) - 1, last - BEHIND)
    known = select(func.max(search.c.ref)).where(search.c.kind == "message", search.c.chat_id == chat.c.id)
    last = func.coalesce(known.correlate(chat).scalar_subquery(), 0)  # once per chat: what comes after it is a range
    said = (
        select(message.c.chat_id, message.c.seq.label("ref"), message.c.conversation_id, message.c.text)
        .select_from(chat.join(message, message.c.chat_id == chat.c.id))
        .where(chat.c.id.in_(chats), message.c.seq > last)
    )
    rows = connection.execute(said.order_by(message.c.chat_id)).all()
    found = [{**row._mapping, "kind": "message"} for row in rows]
    return found + _customers(connection, {row.conversation_id for row in rows if row.conversation_id}), next_mark


def _customers(connection: Connection, conversations: set[int]) -> list[dict[str, Any]]:
    """Who the customers of these conversations are, and the conversations' numbers: a row per version of that."""
    its = select(conversation.c.id, conversation.c.number, conversation.c.chat_id, customer.c.name, customer.c.known)
    rows = connection.execute(
        its.join(customer, customer.c.id == conversation.c.customer_id).where(conversation.c.id.in_(conversations))
    )
    found = []
    for row in rows:
        known = [
            v for k, v in (row.known or {}).items() if isinstance(v, str) and k not in ("language", "asked_rating_at")
        ]
        words = " ".join([row.number, row.name, *known])
        ref = crc32(f"{row.id} {words}".encode())
        found.append({"kind": "customer", "chat_id": row.chat_id, "ref": ref, "conversation_id": row.id, "text": words})
    return found


def _tickets(connection: Connection, mark: int) -> list[dict[str, Any]]:
    new = select(ticket, customer.c.name).join(customer, customer.c.id == ticket.c.customer_id)
    new = new.where(ticket.c.id > mark - 100, ~_there("ticket", ticket.c.id, ticket.c.chat_id))
    found = []
    for row in connection.execute(new.order_by(ticket.c.id).limit(AT_ONCE)):
        told = (v for k, v in row.details.items() if isinstance(v, str) and k not in ("language", "came", "note"))
        words = " ".join((row.number, row.name, row.subject, *told))
        found.append(_of_ticket("ticket", row, row.id, row.id, words))
    return found


def _ticket_words(connection: Connection, mark: int) -> list[dict[str, Any]]:
    columns = (ticket_word.c.id.label("word"), ticket_word.c.text, ticket.c.id, ticket.c.chat_id)
    new = select(*columns, ticket.c.conversation_id).join(ticket).where(ticket_word.c.id > mark - 100)
    rows = connection.execute(
        new.where(~_there("word", ticket_word.c.id, ticket.c.chat_id)).order_by(ticket_word.c.id).limit(AT_ONCE)
    )
    return [_of_ticket("word", row, row.word, row.id, row.text) for row in rows]


def _there(kind: str, ref: Any, chat_id: Any) -> Any:
    same = and_(search.c.kind == kind, search.c.chat_id == chat_id, search.c.ref == ref)
    return select(search.c.id).where(same).exists()


def _of_ticket(kind: str, row: Any, ref: int, ticket_id: int, words: str) -> dict[str, Any]:
    place = {"chat_id": row.chat_id, "conversation_id": row.conversation_id, "ticket_id": ticket_id}
    return {"kind": kind, "ref": ref, "text": words, **place}


class Indexer:
    """Keeps the index up to date: one process at a time, a little behind."""

    def __init__(self, store: Store, hub: Hub, holder: str) -> None:
        self._store, self._hub = store, hub
        self._duty = Duty(store, "search", holder)

    async def run(self) -> None:
        """Index what is new until the server stops."""
        with self._hub.watch() as changed:
            while not self._hub.over:
                changed.clear()
                try:
                    while await self._wanted() and await self.fill() >= AT_ONCE and not self._hub.over:
                        await asyncio.sleep(0)
                except Away as error:
                    log.warning("database_away", reason=str(error))
                await changed.wait()
                await asyncio.sleep(PAUSE)
        await self._duty.drop()

    async def fill(self) -> int:
        """Write what is new; returns how many rows that were."""
        rows, marks = await self._store.read(unread)
        for at in range(0, len(rows), PIECE):
            began, piece = time.monotonic(), rows[at : at + PIECE]
            await asyncio.to_thread(_split, piece)
            await self._store.write(partial(write, rows=piece, marks={}))
            await asyncio.sleep((time.monotonic() - began) * REST)
        if marks:
            await self._store.write(partial(write, rows=(), marks=marks))
        return len(rows)

    async def _wanted(self) -> bool:
        """Whether it is ours to do, and anybody could ever look for something."""
        somebody = select(agent.c.id).limit(1)
        return await self._store.read(lambda c: c.scalar(somebody)) is not None and await self._duty.hold()


def _split(rows: Iterable[dict[str, Any]]) -> None:
    """Find the words before the database is held up for them."""
    for row in rows:
        row["words"] = " ".join(tokens(row["text"]))
