"""What each effect of a decision writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, null, select, update

from bot import dialogue as d
from bot.bulk import insert as upsert
from bot.lanes import Lane, moment
from bot.messages import Author, Reply
from bot.rows import UNFIRED, Rows, Said, event_data, extras
from bot.tables import conversation, customer, message, rating, timer
from handoff import ledger as ledger  # registers what tickets write
from handoff.dialogue import Assign
from handoff.recording import let_go, refused, write

LATER = 3600.0  # seconds until a timer that could not be handled is tried again


class Writer:
    """Writes the effects of one turn: what other rows refer to at once, the rest into the group's rows."""

    def __init__(self, connection: Connection, lane: Lane, rows: Rows, now: float) -> None:
        self.connection, self.lane, self.rows, self.now = connection, lane, rows, now
        self.open = lane.open
        self.conversation_id = lane.open.id if lane.open else None
        self.cause = lane.inbox_id  # the row whose turn this is
        self.unreachable = lane.unreachable
        self.lost = False  # an agent could not take it: nothing else was written
        self.withdrawn: tuple[int, ...] = ()  # messages of the bot that will not be sent
        self._answered = 0

    def apply(self, effects: Iterable[d.Effect], parts: Iterable[tuple[Reply, ...]]) -> bool:
        """Write them in order; True if anything was said. ``parts``: what is to be sent of each thing said."""
        self._parts = iter(parts)
        if self.lane.kind == "timer" and not self.lane.stale:  # moved after it was queued: it is still to fire
            self._fired()
        effects = tuple(effects)
        if wanted := [e for e in effects if isinstance(e, Assign)]:
            self.lost = refused(self, wanted[0])
            if self.lost:
                return False
        said = False
        for effect in effects:
            if do := WRITES.get(type(effect)):
                do(self, effect)
            else:
                write(effect, self)  # what concerns people has a home of its own
            said = said or isinstance(effect, d.Say)
        if self._answered and self.conversation_id:
            self.rows.answered.append({"which": self.conversation_id, "more": self._answered})
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
        agent: int | None = None,
    ) -> dict[str, Any]:
        """Add a message to the chat; returns its row."""
        lane = self.lane
        lane.message_seq += 1
        row = {
            "chat_id": lane.chat_id,
            "seq": lane.message_seq,
            "conversation_id": self.conversation_id,
            "author": author.value,
            "agent_id": agent,
            "native": native,
            "text": words,
            "choices": choices or None,
            "attachments": attachments or None,
            "why": dict(why) if why else None,
            "inbox_id": self.cause,
            "created_at": self.now,
        }
        self.rows.messages.append(row)
        self.rows.said.append(Said(lane.channel, lane.address, lane.message_seq, event_data(row), self.conversation_id))
        return row

    def edit(self, native: str, words: str, *, deleted: bool = False) -> None:
        """A new version of a customer's message; the event keeps what it said before. A deleted one shows no files."""
        its = message.c.chat_id == self.lane.chat_id, message.c.native == native, message.c.author == "customer"
        gone = {"attachments": null()} if deleted else {}
        self.connection.execute(update(message).where(*its).values(text=words, **gone))

    def set_timer(self, kind: str, subject: str, due: float, data: Mapping[str, Any]) -> None:
        """Something falls due for this chat."""
        row = {"subject": subject, "kind": kind, "chat_id": self.lane.chat_id, "due_at": due, "data": dict(data)}
        self.rows.timers[subject, kind] = row

    def drop_timer(self, kind: str, subject: str) -> None:
        """It is no longer due."""
        self.rows.timers.pop((subject, kind), None)
        self.rows.dropped.add((subject, kind))

    def fact(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """A line in the books."""
        self.rows.facts.append(
            {
                "at": self.now,
                "kind": kind,
                "chat_id": self.lane.chat_id,
                "conversation_id": self.conversation_id,
                "customer_id": self.lane.customer_id,
                "inbox_id": self.cause,
                "data": dict(data or {}),
            }
        )

    def put_off(self) -> None:
        """A timer whose event died is due again later, lest nothing ever happens to its subject."""
        if self.lane.kind == "timer":
            again = {"queued_at": None, "due_at": self.now + LATER}
            which = timer.c.id == self.lane.body["extra"]["timer"]
            self.connection.execute(update(timer).where(which, UNFIRED).values(**again))

    def _fired(self) -> None:
        which = self.lane.body["extra"]["timer"]
        self.connection.execute(update(timer).where(timer.c.id == which).values(fired_at=self.now))

    def change(self, which: int, **values: Any) -> None:
        """Change a conversation."""
        self.connection.execute(update(conversation).where(conversation.c.id == which).values(**values))

    def _subject(self, named: str) -> str:
        if named == "chat":
            return f"chat:{self.lane.chat_id}"
        if named == "conversation":
            if self.open is None:
                raise ValueError("a timer for a conversation, but none is open")
            return f"conversation:{self.open.number}"
        return named

    def _open(self, effect: d.Open) -> None:
        lane = self.lane
        row = {
            "number": effect.number,
            "chat_id": lane.chat_id,
            "customer_id": lane.customer_id,
            "owner": "bot",
            "opened_at": self.now,
        }
        made = insert(conversation).values(row).returning(conversation.c.id)
        self.conversation_id = self.connection.scalar(made)
        self._opened(effect.number, cycle=1)
        self.fact("opened", {"channel": lane.channel})

    def _reopen(self, effect: d.Reopen) -> None:
        row = self.connection.execute(
            update(conversation)
            .where(conversation.c.number == effect.number, conversation.c.chat_id == self.lane.chat_id)
            .values(
                owner="bot",
                agent_id=None,
                served_by=None,
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
        self.open = d.ConversationView(
            id=self.conversation_id or 0, number=number, owner="bot", epoch=0, cycle=cycle, opened_at=moment(self.now)
        )

    def _close(self, effect: d.Close) -> None:
        if self.open is None:
            return
        self.fact("closed", {"reason": effect.reason, "agent": self.open.agent})
        let_go(self)
        self.change(
            self.open.id,
            owner="none",
            agent_id=None,
            closed_at=self.now,
            close_reason=effect.reason,
            epoch=conversation.c.epoch + 1,
        )
        subject = f"conversation:{self.open.number}"
        self.connection.execute(delete(timer).where(timer.c.subject == subject, UNFIRED))
        for key in [k for k in self.rows.timers if k[0] == subject]:
            del self.rows.timers[key]
        self.open = None

    def _own(self, effect: d.Own) -> None:
        if self.open is not None:
            let_go(self)
            self.change(self.open.id, owner=effect.owner, agent_id=None, epoch=conversation.c.epoch + 1)
            self.fact("owner", {"owner": effect.owner, "reason": effect.reason})
            self.open = replace(self.open, owner=effect.owner, agent=None)

    def _say(self, effect: d.Say) -> None:
        lane, said = self.lane, effect.reply
        row = self.message(effect.author, said.text, **extras(said), why=effect.why, agent=effect.agent)
        common = {
            "chat_id": lane.chat_id,
            "seq": row["seq"],
            "cause_inbox_id": self.cause,
            "channel": lane.channel,
            "address": lane.address,
            "created_at": self.now,
        }
        parts = next(self._parts, ())
        state, due = ("dead", None) if self.unreachable else ("waiting", self.now)
        for n, part in enumerate(parts, 1):
            body = {"text": part.text, **extras(part), **({"hand_over": True} if part.hand_over else {})}
            self.rows.replies.append({**common, "part_no": n, "body": body, "state": state, "due_at": due})
        if not parts:  # the channel shows the message itself
            self.rows.replies.append({**common, "part_no": 1, "body": None, "state": "sent", "due_at": None})

    def _rate(self, effect: d.Rate) -> None:
        its = conversation.c.number == effect.conversation, conversation.c.customer_id == self.lane.customer_id
        rated = self.connection.execute(select(conversation).where(*its)).first()
        if rated is None:
            raise ValueError("a rating of a conversation that is not this customer's")
        row = {
            "conversation_id": rated.id,
            "cycle": effect.cycle,
            "score": effect.score,
            "comment": effect.comment,
            "agent_id": rated.served_by if rated.cycle == effect.cycle else None,
            "created_at": self.now,
            "changed_at": self.now,
        }
        changed: dict[str, Any] = {"score": effect.score, "changed_at": self.now}
        if effect.comment:  # another score alone leaves the words as they were
            changed["comment"] = effect.comment
        self.connection.execute(
            upsert(rating).values(row).on_conflict_do_update(index_elements=["conversation_id", "cycle"], set_=changed)
        )
        self.fact("rated", {"score": effect.score, "conversation": rated.id, "cycle": effect.cycle})

    def _set(self, effect: d.SetTimer) -> None:
        self.set_timer(effect.kind, self._subject(effect.subject), effect.due_at.timestamp(), effect.data)

    def _drop(self, effect: d.DropTimer) -> None:
        if effect.subject != "conversation" or self.open is not None:
            self.drop_timer(effect.kind, self._subject(effect.subject))

    def _learn(self, effect: d.Learn) -> None:
        mine = customer.c.id == self.lane.customer_id
        known = dict(self.connection.scalar(select(customer.c.known).where(mine).with_for_update(key_share=True)) or {})
        known[effect.key] = effect.value
        self.connection.execute(update(customer).where(mine).values(known=known))

    def _fact(self, effect: d.Fact) -> None:
        self._answered += effect.kind == "answered"
        self.fact(effect.kind, effect.data)


WRITES: Final[Mapping[type, Callable[[Writer, Any], None]]] = {
    d.Open: Writer._open,
    d.Reopen: Writer._reopen,
    d.Close: Writer._close,
    d.Own: Writer._own,
    d.Say: Writer._say,
    d.Rate: Writer._rate,
    d.SetTimer: Writer._set,
    d.DropTimer: Writer._drop,
    d.Learn: Writer._learn,
    d.Fact: Writer._fact,
}
