"""Deliver: send what was recorded, in order per address; back off, and give up visibly.

A reply is marked ``sending`` before the network is touched. What is found so after a crash, or timed out, may have
arrived: it becomes ``uncertain`` for good and is sent once more, because a rare double beats silence; and only when the
platform answers again, because a second loss would be silence for good.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

import structlog
from sqlalchemy import Connection, bindparam, case, exists, func, select, update

from bot.doubt import Answers
from bot.duty import Duty
from bot.group import Group
from bot.joining import as_one, going_with, held, joined
from bot.pace import Pace
from bot.store import Away, Store
from bot.tables import chat, conversation, message, reply
from channels import Channel, NotSent, Refused, Unknown

log = structlog.get_logger("outbox")

AT_ONCE = 50  # addresses served at the same time
POLL = 1.0  # seconds
DOUBT = 2.0  # seconds before what may have arrived is sent once more: what broke is over by then, with luck
PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)  # seconds before trying again what was certainly not sent


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of one attempt."""

    id: int
    state: str
    due_at: float | None = None
    provider_id: str | None = None
    error: str | None = None


MARK = (
    update(reply)
    .where(reply.c.id == bindparam("which"))
    .values(
        # a sender that slept past its lease must not make certain what its successor sent once more
        state=case((reply.c.state == "uncertain", "uncertain"), else_=bindparam("new")),
        due_at=bindparam("due"),
        provider_id=func.coalesce(bindparam("provider"), reply.c.provider_id),
        error=bindparam("why"),
    )
)
_first = (
    select(func.min(reply.c.id).label("id"))
    .where(reply.c.channel == bindparam("of"), reply.c.due_at.is_not(None))
    .group_by(reply.c.address)
    .subquery()
)
OVERRULED = exists().where(  # the bot's, and a person has the floor: he took it while this had to wait to be sent again
    conversation.c.chat_id == reply.c.chat_id,
    conversation.c.owner == "agent",
    message.c.chat_id == reply.c.chat_id,
    message.c.seq == reply.c.seq,
    message.c.author == "bot",
)
HEADS = (
    select(reply)
    .join(_first, _first.c.id == reply.c.id)
    .where(reply.c.due_at <= bindparam("now"), reply.c.address.not_in(bindparam("busy", expanding=True)))
    .order_by(reply.c.id)
    .limit(bindparam("most"))
)


def recover(connection: Connection, channel: str, now: float, ours: Collection[int] = ()) -> int:
    """What was being sent when its sender went away may have arrived: uncertain, to be sent once more.

    ``ours`` are still on their way, or went out while the database was away and are to be marked so. Returns how many
    are in doubt.
    """
    lost = update(reply).where(reply.c.channel == channel, reply.c.state == "sending", reply.c.id.not_in(ours))
    connection.execute(lost.values(state="uncertain", due_at=now, error="the sender was interrupted"))
    due = reply.c.channel == channel, reply.c.state == "uncertain", reply.c.due_at.is_not(None)
    return connection.scalar(select(func.count()).where(*due)) or 0


def take(
    connection: Connection,
    channel: Channel,
    busy: set[str],
    now: float,
    most: int,
    may: Callable[[str], bool],
    *,
    sure: bool = True,
) -> list[list[Any]]:
    """The first reply of each address that is due and ``may`` be written to now, with those that go out as one message
    with it, marked before they are sent; none that is in doubt, unless the platform is ``sure`` to answer."""
    query = {"of": channel.name, "now": now, "busy": sorted(busy), "most": AT_ONCE}
    heads = [head for head in connection.execute(HEADS, query).all() if sure or head.state != "uncertain"]
    due = (head for head in heads if not held(connection, head, channel.at(head.address)) and may(head.address))
    chosen = islice(due, most)  # no further: whoever may be written to has paid for it
    messages = [joined(connection, head, channel.at(head.address), now) for head in chosen]
    tries = update(reply).values(attempts=reply.c.attempts + 1)
    new = [row.id for rows in messages for row in rows if row.state == "waiting"]
    again = [row.id for rows in messages for row in rows if row.state == "uncertain"]
    begun = set(again)
    if new:  # unless it was withdrawn while we looked
        mine = tries.where(reply.c.id.in_(new), reply.c.state == "waiting", ~OVERRULED)
        begun |= set(connection.scalars(mine.values(state="sending").returning(reply.c.id)))
        if left := [i for i in new if i not in begun]:
            gone = update(reply).where(reply.c.id.in_(left), reply.c.state == "waiting", OVERRULED)
            connection.execute(gone.values(state="withdrawn", due_at=None))
    if again:  # the second attempt is the last: should we crash now, nobody tries a third time
        connection.execute(tries.where(reply.c.id.in_(again)).values(due_at=None))
    found = [own for rows in messages if (own := [row for row in rows if row.id in begun])]
    for head, *more in (rows for rows in found if len(rows) > 1):
        its = update(reply).where(reply.c.id.in_([row.id for row in more]))
        connection.execute(its.values(provider_id=going_with(head)))
    return found


def mark(connection: Connection, attempts: list[list[Mark]]) -> list[None]:
    """Write what became of attempts."""
    rows = [
        {"which": m.id, "new": m.state, "due": m.due_at, "provider": m.provider_id, "why": m.error}
        for m in sorted(chain.from_iterable(attempts), key=lambda m: m.id)
    ]
    connection.execute(MARK, rows)
    return [None] * len(attempts)


def unreachable(connection: Connection, chat_id: int) -> None:
    """The customer blocked us or left: nothing more can be sent to this chat."""
    connection.execute(update(chat).where(chat.c.id == chat_id).values(unreachable=True))
    left = update(reply).where(reply.c.chat_id == chat_id, reply.c.state == "waiting")
    connection.execute(left.values(state="dead", due_at=None, error="the customer cannot be reached"))


def undelivered(connection: Connection, chat_id: int, provider_id: str, why: str) -> None:
    """What the platform had taken did not arrive after all: dead, and visible as such."""
    its = reply.c.chat_id == chat_id, reply.c.provider_id == provider_id, reply.c.state.in_(("sent", "uncertain"))
    connection.execute(update(reply).where(*its).values(state="dead", due_at=None, error=why[:300]))


class Outbox:
    """Sends for one channel; one process at a time does, by lease."""

    def __init__(self, store: Store, channel: Channel, duty: Duty, *, timeout: float, attempts: int) -> None:
        self._store, self._channel, self._duty = store, channel, duty
        self._timeout, self._attempts = timeout, attempts
        self._marks = Group(lambda marks: self._store.write(lambda c: mark(c, marks)))
        self._pace = Pace(channel.can.budget, channel.place)
        self._busy: dict[str, list[int]] = {}  # addresses being written to, and the replies that are under way there
        self._early: dict[str, float] = {}  # addresses that must wait, and until when
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._answers = Answers(channel.awake, self._woken, timeout=timeout)
        self._stopping = False

    @property
    def sending(self) -> bool:
        """Whether a reply is under way."""
        return bool(self._busy)

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    def stop(self) -> None:
        """Send nothing new; ``run`` returns when what is under way has ended."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Until stopped."""
        recovered = False
        while not self._stopping:
            self._woken.clear()
            try:
                if await self._duty.hold():
                    if not recovered:
                        ours = [*chain.from_iterable(self._busy.values())]
                        away = partial(recover, channel=self._channel.name, now=time.time(), ours=ours)
                        if await self._store.write(away):
                            self._answers.doubt()
                        recovered = True
                    if await self._round():
                        continue
                else:
                    recovered = False
            except Away as error:
                log.warning("database_away", reason=str(error))
            await self._rest()
        self._answers.stop()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._duty.drop()

    async def _rest(self) -> None:
        try:
            pause = min([POLL, *(free - time.monotonic() for free in self._early.values())])
            async with asyncio.timeout(max(0.0, pause)):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _round(self) -> bool:
        now = time.monotonic()  # budgets count seconds, whatever becomes of the time of day
        room = self._pace.room(now, AT_ONCE - len(self._busy))
        if room <= 0:
            return False
        self._early = {address: free for address, free in self._early.items() if free > now}
        closed = self._busy.keys() | self._early.keys()
        sure = self._answers.sure
        found = await self._store.write(
            lambda c: take(c, self._channel, closed, time.time(), room, self._may, sure=sure)
        )
        for rows in found:
            self._busy[rows[0].address] = [row.id for row in rows]
            task = asyncio.create_task(self._send(rows))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return bool(found)

    def _may(self, address: str) -> bool:
        """Whether the budget allows a message to this address now; if so, it is spent."""
        now = time.monotonic()
        if (free := self._pace.free_at(address)) > now:
            self._early[address] = free
            return False
        self._pace.spend(address, now)
        return True

    async def _send(self, rows: list[Any]) -> None:
        address = rows[0].address
        try:
            done = await self._attempt(rows)
            self._pace.arrived(address, time.monotonic())
            while True:
                try:
                    await self._marks.put(done)
                    break
                except Away:  # it was sent: that must be written down before anything follows it
                    await asyncio.sleep(POLL)
        finally:
            del self._busy[address]
            self._woken.set()

    async def _attempt(self, rows: list[Any]) -> list[Mark]:
        row = rows[0]
        doubtful = row.state == "uncertain"
        try:
            message = as_one(rows, self._channel.at(row.address))
            async with asyncio.timeout(self._timeout):
                provider = await self._channel.send(row.address, message, f"r{row.id}")
            self._answers.heard()
            return [Mark(one.id, "uncertain" if doubtful else "sent", provider_id=provider) for one in rows]
        except NotSent as error:
            return [self._later(one, error, doubtful) for one in rows]
        except Refused as error:
            log.warning("reply_refused", reply=row.id, channel=row.channel)
            if error.gone:
                await self._store.write(lambda c: unreachable(c, row.chat_id))
            return [Mark(one.id, "dead", error=str(error)[:300]) for one in rows]
        except (Unknown, TimeoutError) as error:
            told = isinstance(error, Unknown) and error.told
            return [self._doubt(one, str(error) or "no answer in time", doubtful, told=told) for one in rows]
        except Exception as error:  # a fault of ours after the request may have gone out
            log.error("send_failed", reply=row.id, channel=row.channel, error=type(error).__name__)
            return [self._doubt(one, type(error).__name__, doubtful) for one in rows]

    def _later(self, row: Any, error: NotSent, doubtful: bool) -> Mark:
        tries = row.attempts + 1
        if tries >= self._attempts and not error.everything:  # a stopped channel is no fault of this reply
            return Mark(row.id, "dead", error=str(error)[:300])
        pause = max(error.retry_after, PAUSES[min(tries, len(PAUSES)) - 1])
        if error.retry_after:
            self._pace.hold(row.address, time.monotonic() + error.retry_after, everything=error.everything)
        return Mark(row.id, "uncertain" if doubtful else "waiting", time.time() + pause, error=str(error)[:300])

    def _doubt(self, row: Any, why: str, doubtful: bool, *, told: bool = False) -> Mark:
        tries, pause = row.attempts + 1, None if doubtful else DOUBT
        if told and doubtful and tries < self._attempts:  # it says each time that something is wrong with it
            pause = PAUSES[min(tries, len(PAUSES)) - 1]
        if pause is not None:
            self._answers.doubt(pause)
        return Mark(row.id, "uncertain", None if pause is None else time.time() + pause, error=why[:300])
