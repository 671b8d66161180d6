"""Receive: store what a channel read, under its unique key, and only then let the channel acknowledge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from bot.among import among
from bot.bulk import Bulk, Query, inserts
from bot.bulk import insert as upserting
from bot.group import Group
from bot.messages import Attachment, Inbound, Kind
from bot.store import RowLocked, Store
from bot.tables import chat, customer, identity, inbox

Also = Callable[[Connection], None]
Batch = tuple[tuple[Inbound, ...], Also | None]
COMMANDS_FIRST = {Kind.COMMAND: 0}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event: where it stands, and whether it was new."""

    chat_id: int | None
    seq: int
    fresh: bool


def chat_id(channel: str, address: str) -> int:
    """The chat at an address: 53 bits, so that JSON keeps it; known before anything is stored."""
    return int.from_bytes(blake2b(f"{channel}\0{address}".encode(), digest_size=8).digest()) >> 11


class Inbox:
    """The way in, for all channels of this process."""

    def __init__(self, store: Store, woken: Any = None) -> None:
        self._store = store
        self._group = Group(self._commit)
        self._woken = woken or (lambda: None)

    async def receive(self, inbounds: Sequence[Inbound], also: Also | None = None) -> list[Receipt]:
        """Store the events; returns after the commit. Raises ``store.Away`` when not all could be stored.

        ``also`` is written in the same transaction, e.g. the offset up to which a channel has read.
        """
        receipts: list[Receipt] = await self._group.put((tuple(inbounds), also))
        return receipts

    async def _commit(self, batches: Sequence[Batch]) -> Sequence[list[Receipt] | RowLocked]:
        try:
            return await self._write(batches)
        except RowLocked as error:
            locked = await self._store.write(lambda c: _locked(c, batches), first=True, shared=True)
            free = [tuple(one for one in inbounds if _chat_of(one) not in locked) for inbounds, _ in batches]
            whole = [part == inbounds for part, (inbounds, _) in zip(free, batches, strict=True)]
            notes = [also if all_free else None for (_, also), all_free in zip(batches, whole, strict=True)]
            written = await self._write(list(zip(free, notes, strict=True)))
            # who gets the error sends all of his batch again; what is stored already is then known by its key
            return [receipts if all_free else error for receipts, all_free in zip(written, whole, strict=True)]

    async def _write(self, batches: Sequence[Batch]) -> list[list[Receipt]]:
        flat = [one for batch, _ in batches for one in batch]

        def work(connection: Connection) -> list[Receipt]:
            for _, also in batches:
                if also:
                    also(connection)
            return insert_events(connection, flat, time.time()) if flat else []

        receipts = iter(await self._store.write(work, first=True, shared=True))
        self._woken()
        return [[next(receipts) for _ in batch] for batch, _ in batches]


def _locked(connection: Connection, batches: Sequence[Batch]) -> set[int]:
    """The chats that somebody keeps locked."""
    ids = list({_chat_of(one) for inbounds, _ in batches for one in inbounds})
    there = select(chat.c.id).where(chat.c.id.in_(ids))
    free = connection.scalars(there.with_for_update(skip_locked=True)).all()
    return set(connection.scalars(there)) - set(free)


def _chat_of(one: Inbound) -> int:
    return chat_id(one.channel, one.address or "")


def insert_events(connection: Connection, inbounds: Sequence[Inbound], now: float) -> list[Receipt]:
    """Insert the events that are new, in order of receipt; part of the caller's transaction."""
    chats = _chats(connection, {(i.channel, i.address): i for i in reversed(inbounds) if i.address}, now)
    known = _known(connection, inbounds)
    receipts, rows = [], []
    for one in inbounds:
        key = (one.channel, one.key)
        if key in known:
            receipts.append(Receipt(*known[key], fresh=False))
            continue
        home = chats[one.channel, one.address] if one.address else None
        if home:
            home["inbox_seq"] += 1
        receipt = Receipt(home["id"] if home else None, home["inbox_seq"] if home else 0, fresh=True)
        known[key] = (receipt.chat_id, receipt.seq)
        receipts.append(receipt)
        rows.append(_row(one, receipt, now))
    if rows:
        EVENTS(connection, rows)
        touched = {r["chat_id"]: now for r in rows if r["chat_id"]}
        touched |= {r["chat_id"]: 0.0 for r in rows if not r["priority"]}  # somebody waits for the outcome: before all
        _ready(connection, touched, chats)
    return receipts


def _row(one: Inbound, receipt: Receipt, now: float) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "dedup_key": one.key,
        "chat_id": receipt.chat_id,
        "seq": receipt.seq,
        "kind": one.kind.value,
        "timer_id": one.extra.get("timer") if one.kind is Kind.TIMER else None,
        "priority": COMMANDS_FIRST.get(one.kind, 1),
        "body": body(one),
        "raw": one.raw or None,
        "state": "waiting" if one.address else "dead",
        "error": None if one.address else "it could not be read",
        "ready_at": now,
        "received_at": now,
    }


def body(one: Inbound) -> dict[str, Any]:
    """What is kept of an event beside its columns; empty fields are left out."""
    fields: dict[str, Any] = {
        "text": one.text,
        "choice": one.choice,
        "native": one.native,
        "language": one.language,
        "name": one.name,
        "attachments": [asdict(a) for a in one.attachments],
        "extra": dict(one.extra),
        "public": one.public,
        "unaddressed": not one.addressed,
    }
    return {k: v for k, v in fields.items() if v}


def attachments(data: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """The attachments of a stored body."""
    return tuple(Attachment(**a) for a in data.get("attachments", ()))


KNOWN = Query(
    select(inbox.c.channel, inbox.c.dedup_key, inbox.c.chat_id, inbox.c.seq).where(
        among(inbox.c.channel, "channels"), among(inbox.c.dedup_key, "keys")
    )
)
CHATS = Query(
    select(chat.c.id, chat.c.channel, chat.c.address, chat.c.inbox_seq)
    .where(among(chat.c.id, "ids"))
    .order_by(chat.c.id)
    .with_for_update()
)
EVENTS = inserts(
    inbox,
    "channel dedup_key chat_id seq kind timer_id priority body raw state error ready_at received_at",
)
READY = Bulk(
    {"chat": chat.c.id, "seq": chat.c.inbox_seq, "ready": chat.c.ready_at},
    lambda new: update(chat).where(chat.c.id == new["chat"]).values(inbox_seq=new["seq"], ready_at=new["ready"]),
)
WHO = select(identity.c.customer_id).where(
    identity.c.channel == bindparam("on"), identity.c.sender == bindparam("from_")
)
CUSTOMER = insert(customer).returning(customer.c.id)
IDENTITY = upserting(identity).on_conflict_do_nothing()
CHAT = upserting(chat).on_conflict_do_nothing()


def _known(connection: Connection, inbounds: Iterable[Inbound]) -> dict[tuple[str, str], tuple[int | None, int]]:
    rows = KNOWN(connection, channels=sorted({i.channel for i in inbounds}), keys=[i.key for i in inbounds])
    return {(r.channel, r.dedup_key): (r.chat_id, r.seq) for r in rows}


def _ready(connection: Connection, touched: Mapping[int, float], chats: Mapping[Any, dict[str, Any]]) -> None:
    by_id = {c["id"]: c for c in chats.values()}
    # Every arrival makes its chat ready; the worker looks at the head and puts it off again if that is not due.
    READY(connection, [{"chat": i, "seq": by_id[i]["inbox_seq"], "ready": touched[i]} for i in sorted(touched)])


def _chats(connection: Connection, places: Mapping[Any, Inbound], now: float) -> dict[Any, dict[str, Any]]:
    """The chat rows of these addresses, locked in the order of their ids; new ones are made."""
    ids = {chat_id(*place): place for place in places}
    found = {row.id: row for row in CHATS(connection, ids=list(ids))} if ids else {}
    for missing in sorted(ids.keys() - found.keys()):
        _open(connection, missing, places[ids[missing]], now)
    if ids.keys() - found.keys():
        found = {row.id: row for row in CHATS(connection, ids=list(ids))}
    for number, row in found.items():
        if (row.channel, row.address) != ids[number]:
            raise ValueError(f"two addresses share the chat id {number}")
    return {ids[i]: {"id": i, "inbox_seq": row.inbox_seq} for i, row in found.items()}


def _open(connection: Connection, number: int, first: Inbound, now: float) -> None:
    """A chat and, unless the sender is known already, its customer."""
    sender = first.sender or first.address
    named = {"on": first.channel, "from_": sender}
    owner = connection.scalar(WHO, named)
    if owner is None:
        made = connection.scalar(CUSTOMER, {"name": first.name[:200], "created_at": now})
        connection.execute(IDENTITY, {"channel": first.channel, "sender": sender, "customer_id": made})
        owner = connection.scalar(WHO, named)
    row = {"id": number, "channel": first.channel, "address": first.address, "customer_id": owner, "created_at": now}
    connection.execute(CHAT, row)
