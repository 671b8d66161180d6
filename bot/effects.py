"""What each effect of a decision writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import singledispatchmethod
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from bot import dialogue as d
from bot.bulk import insert as upsert
from bot.lanes import Lane, moment
from bot.messages import Author, Reply
from bot.rows import UNFIRED, Rows, Said, event_data, extras
from bot.tables import conversation, customer, message, rating, ticket, timer

LATER = 3600.0  # seconds until a timer that could not be handled is tried again


class Writer:
    """Writes the effects of one turn: what other rows refer to at once, the rest into the group's rows."""

    def __init__(self, connection: Connection, lane: Lane, rows: Rows, now: float) -> None:
        self._connection, self._lane, self._rows, self._now = connection, lane, rows, now
        self._open = lane.open
        self.conversation_id = lane.open.id if lane.open else None
        self.cause = lane.inbox_id  # the row whose turn this is
        self._answered = 0

    def apply(self, effects: Iterable[d.Effect], parts: Iterable[tuple[Reply, ...]]) -> bool:
        """Write them in order; True if anything was said. ``parts``: what is to be sent of each thing said."""
        self._parts = iter(parts)
        if self._lane.kind == "timer" and not self._lane.stale:  # moved after it was queued: it is still to fire
            self._fired()
        said, do = False, self._do  # looked up once: singledispatchmethod makes a function every time
        for effect in effects:
            do(effect)
            said = said or isinstance(effect, d.Say)
        if self._answered and self.conversation_id:
            self._rows.answered.append({"which": self.conversation_id, "more": self._answered})
        return said

    def message(
        self,
        author: Author,
        words: str,
        *,
        native: str = "",
        choices: list[dict[str, str]] | None = None,
        attachments: list[dict[str, Any]] | None = None,
        why: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Add a message to the chat; returns its row."""
        lane = self._lane
        lane.message_seq += 1
        row = {
            "chat_id": lane.chat_id,
            "seq": lane.message_seq,
            "conversation_id": self.conversation_id,
            "author": author.value,
            "native": native,
            "text": words,
            "choices": choices or None,
            "attachments": attachments or None,
            "why": dict(why) if why else None,
            "inbox_id": self.cause,
            "created_at": self._now,
        }
        self._rows.messages.append(row)
        self._rows.said.append(Said(lane.channel, lane.address, lane.message_seq, event_data(row)))
        return row

    def edit(self, native: str, words: str) -> None:
        """A new version of a customer's message; the event keeps what it said before."""
        its = message.c.chat_id == self._lane.chat_id, message.c.native == native, message.c.author == "customer"
        self._connection.execute(update(message).where(*its).values(text=words))

    def set_timer(self, kind: str, subject: str, due: float, data: Mapping[str, Any]) -> None:
        """Something falls due for this chat."""
        row = {"subject": subject, "kind": kind, "chat_id": self._lane.chat_id, "due_at": due, "data": dict(data)}
        self._rows.timers[subject, kind] = row

    def drop_timer(self, kind: str, subject: str) -> None:
        """It is no longer due."""
        self._rows.timers.pop((subject, kind), None)
        self._rows.dropped.add((subject, kind))

    def fact(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """A line in the books."""
        self._rows.facts.append(
            {
                "at": self._now,
                "kind": kind,
                "chat_id": self._lane.chat_id,
                "conversation_id": self.conversation_id,
                "customer_id": self._lane.customer_id,
                "inbox_id": self.cause,
                "data": dict(data or {}),
            }
        )

    def put_off(self) -> None:
        """A timer whose event died is due again later, lest nothing ever happens to its subject."""
        if self._lane.kind == "timer":
            again = {"queued_at": None, "due_at": self._now + LATER}
            which = timer.c.id == self._lane.body["extra"]["timer"]
            self._connection.execute(update(timer).where(which, UNFIRED).values(**again))

    def _fired(self) -> None:
        which = self._lane.body["extra"]["timer"]
        self._connection.execute(update(timer).where(timer.c.id == which).values(fired_at=self._now))

    def _change(self, which: int, **values: Any) -> None:
        self._connection.execute(update(conversation).where(conversation.c.id == which).values(**values))

    def _subject(self, named: str) -> str:
        if named == "chat":
            return f"chat:{self._lane.chat_id}"
        if named == "conversation":
            if self._open is None:
                raise ValueError("a timer for a conversation, but none is open")
            return f"conversation:{self._open.number}"
        return named

    @singledispatchmethod
    def _do(self, effect: d.Effect) -> None:
        raise TypeError(f"no such effect: {effect!r}")

    @_do.register
    def _(self, effect: d.Open) -> None:
        lane = self._lane
        row = {
            "number": effect.number,
            "chat_id": lane.chat_id,
            "customer_id": lane.customer_id,
            "owner": "bot",
            "opened_at": self._now,
        }
        made = insert(conversation).values(row).returning(conversation.c.id)
        self.conversation_id = self._connection.scalar(made)
        self._opened(effect.number, cycle=1)
        self.fact("opened", {"channel": lane.channel})

    @_do.register
    def _(self, effect: d.Reopen) -> None:
        row = self._connection.execute(
            update(conversation)
            .where(conversation.c.number == effect.number, conversation.c.chat_id == self._lane.chat_id)
            .values(
                owner="bot",
                agent_id=None,
                closed_at=None,
                close_reason=None,
                cycle=conversation.c.cycle + 1,
                epoch=conversation.c.epoch + 1,
            )
            .returning(conversation.c.id, conversation.c.cycle)
        ).one()
        self.conversation_id = row.id
        self._opened(effect.number, cycle=row.cycle)
        self.fact("reopened")

    def _opened(self, number: str, cycle: int) -> None:
        self._open = d.ConversationView(
            id=self.conversation_id or 0, number=number, owner="bot", epoch=0, cycle=cycle, opened_at=moment(self._now)
        )

    @_do.register
    def _(self, effect: d.Close) -> None:
        if self._open is None:
            return
        self.fact("closed", {"reason": effect.reason})
        self._change(
            self._open.id,
            owner="none",
            agent_id=None,
            closed_at=self._now,
            close_reason=effect.reason,
            epoch=conversation.c.epoch + 1,
        )
        subject = f"conversation:{self._open.number}"
        self._connection.execute(delete(timer).where(timer.c.subject == subject, UNFIRED))
        for key in [k for k in self._rows.timers if k[0] == subject]:
            del self._rows.timers[key]
        self._open = None

    @_do.register
    def _(self, effect: d.Own) -> None:
        if self._open is not None:
            self._change(self._open.id, owner=effect.owner, agent_id=None, epoch=conversation.c.epoch + 1)
            self.fact("owner", {"owner": effect.owner, "reason": effect.reason})

    @_do.register
    def _(self, effect: d.Say) -> None:
        lane, said = self._lane, effect.reply
        row = self.message(Author.BOT, said.text, **extras(said), why=effect.why)
        common = {
            "chat_id": lane.chat_id,
            "seq": row["seq"],
            "cause_inbox_id": self.cause,
            "channel": lane.channel,
            "address": lane.address,
            "created_at": self._now,
        }
        parts = next(self._parts, ())
        for n, part in enumerate(parts, 1):
            body = {"text": part.text, **extras(part)}
            self._rows.replies.append({**common, "part_no": n, "body": body, "state": "waiting", "due_at": self._now})
        if not parts:  # the channel shows the message itself
            self._rows.replies.append({**common, "part_no": 1, "body": None, "state": "sent", "due_at": None})

    @_do.register
    def _(self, effect: d.OpenTicket) -> None:
        row = {
            "number": effect.number,
            "conversation_id": self.conversation_id,
            "chat_id": self._lane.chat_id,
            "customer_id": self._lane.customer_id,
            "cause_inbox_id": self.cause,
            "kind": effect.kind,
            "state": "new",
            "owner": "queue",
            "priority": effect.priority,
            "subject": effect.subject,
            "details": {**effect.details, "attachments": [asdict(a) for a in effect.attachments]},
            "due_at": effect.due_at.timestamp(),
            "opened_at": self._now,
        }
        self._connection.execute(insert(ticket).values(row))
        self.fact("ticket", {"number": effect.number, "kind": effect.kind, "priority": effect.priority})

    @_do.register
    def _(self, effect: d.AddToTicket) -> None:
        its = ticket.c.number == effect.number, ticket.c.customer_id == self._lane.customer_id
        which = self._connection.scalar(select(ticket.c.id).where(*its))
        if which is None:
            raise ValueError("words for a ticket that is not this customer's")
        files = [asdict(a) for a in effect.attachments]
        self._rows.words.append(
            {
                "ticket_id": which,
                "author": Author.CUSTOMER.value,
                "text": effect.text,
                "attachments": files or None,
                "created_at": self._now,
            }
        )

    @_do.register
    def _(self, effect: d.Rate) -> None:
        its = conversation.c.number == effect.conversation, conversation.c.customer_id == self._lane.customer_id
        which = self._connection.scalar(select(conversation.c.id).where(*its))
        if which is None:
            raise ValueError("a rating of a conversation that is not this customer's")
        row = {
            "conversation_id": which,
            "cycle": effect.cycle,
            "score": effect.score,
            "comment": effect.comment,
            "created_at": self._now,
            "changed_at": self._now,
        }
        changed: dict[str, Any] = {"score": effect.score, "changed_at": self._now}
        if effect.comment:  # another score alone leaves the words as they were
            changed["comment"] = effect.comment
        self._connection.execute(
            upsert(rating).values(row).on_conflict_do_update(index_elements=["conversation_id", "cycle"], set_=changed)
        )
        self.fact("rated", {"score": effect.score, "conversation": which, "cycle": effect.cycle})

    @_do.register
    def _(self, effect: d.SetTimer) -> None:
        self.set_timer(effect.kind, self._subject(effect.subject), effect.due_at.timestamp(), effect.data)

    @_do.register
    def _(self, effect: d.DropTimer) -> None:
        if effect.subject != "conversation" or self._open is not None:
            self.drop_timer(effect.kind, self._subject(effect.subject))

    @_do.register
    def _(self, effect: d.Learn) -> None:
        mine = customer.c.id == self._lane.customer_id
        known = dict(self._connection.scalar(select(customer.c.known).where(mine).with_for_update()) or {})
        known[effect.key] = effect.value
        self._connection.execute(update(customer).where(mine).values(known=known))

    @_do.register
    def _(self, effect: d.Alarm) -> None:
        self.fact("alarm", {"kind": effect.kind, "text": effect.text})

    @_do.register
    def _(self, effect: d.Note) -> None:
        self._answered += effect.kind == "answered"
        self.fact(effect.kind, effect.data)
