"""Dialogues word for word: plays what a customer does through ``decide``, and writes down what comes of it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, singledispatchmethod
from pathlib import Path
from typing import Any

import intents
from bot import dialogue as d
from bot.engine import decide
from bot.flows.wording import bare
from bot.messages import Attachment, Author, Kind
from bot.strictyaml import load
from handoff.dialogue import PlanTicket
from handoff.standards import Standards
from knowledge import faq
from knowledge.index import Candidate, Ranking
from tests.desks import Desks

HERE = Path(__file__).parent
TALKS = HERE / "conversations"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
POLICY = d.Policy(
    company={
        "name_en": "Halden",
        "name_zh": "海登",
        "phone": "400 000 1234",
        "hours_en": "9-21",
        "hours_zh": "9:00-21:00",
    },
    standards=Standards.model_validate(
        {
            "promised": [
                {"first_reply": "24h"},
                {"kind": "chat", "first_reply": "none"},
                {"kind": ["urgent", "emergency"], "first_reply": "2h"},
                {"kind": ["complaint", "recovery"], "first_reply": "4h"},
                {"kind": "fault", "first_reply": "8h"},
            ]
        }
    ),
    products=("AX3000", "Mesh M5", "Cam 2"),
)
FOREIGN = "T-F0RE1GN2"  # somebody else's ticket


class ByHeart:
    """Knows its examples word for word, so that no dialogue changes when matching gets better.

    The longest example found in a text decides; if it belongs to two labels, they are as likely.
    """

    version = "by heart"

    def __init__(self) -> None:
        self.faq = faq.read(HERE / "faq")
        told = [(e.id, e.questions) for e in self.faq.entries]
        told += [(f"intent:{wish}", said) for wish, said in load(HERE / "wishes.yaml").data.items()]
        self.examples = [(label, text) for label, said in told for texts in said.values() for text in texts]

    def entry(self, name: str) -> faq.Entry | None:
        """The FAQ entry of this id."""
        return self.faq.by_id.get(name)

    def ask(self, text: str, lang: str = "", **_: Any) -> Ranking:
        """What the examples make of it."""
        found = [(label, example) for label, example in self.examples if bare(example) in bare(text)]
        longest = max((len(bare(example)) for _, example in found), default=0)
        best = {label: Candidate(label, 0.9, example) for label, example in found if len(bare(example)) == longest}
        if not best:
            return Ranking("unknown", tuple(Candidate(e.id, 0.3, "") for e in self.faq.entries[:2]), {"by": "heart"})
        kind = "intent" if next(iter(best)).startswith("intent:") else "answer"
        outcome = "choose" if len(best) > 1 else kind
        less = {label: Candidate(label, 0.3, example) for label, example in found if outcome == "answer"}
        every = {**best, **{label: one for label, one in less.items() if label not in best}}
        return Ranking(outcome, tuple(every.values()), {"by": "heart"})


@cache
def knowledge() -> Any:
    """A small FAQ that never changes."""
    return ByHeart()


def understood(text: str, hint: str = "en", now: datetime = START) -> intents.Understanding:
    """What the words mean, as the worker has it told."""
    return intents.understand(text, knowledge(), hint=hint, now=now, products=POLICY.products)


class Chat:
    """One customer's chat with everything the worker would keep of it, in memory."""

    def __init__(self, language: str = "", policy: d.Policy = POLICY) -> None:
        self.now, self.policy, self.language = START, policy, language
        self.talk = d.Talk()
        self.conversations: list[d.ConversationView] = []
        self.tickets: list[d.TicketView] = []
        self.customer: dict[str, Any] = {}
        self.timers: dict[tuple[str, str], tuple[datetime, dict[str, Any]]] = {}
        self.effects: tuple[d.Effect, ...] = ()
        self.buttons: dict[str, str] = {}  # label -> id, of all messages so far
        self._count = {"C": 0, "T": 0}
        self._written = 0
        self.there = False
        self.desks = Desks()

    @property
    def open(self) -> d.ConversationView | None:
        """The open conversation."""
        return next((c for c in self.conversations if c.owner != "none"), None)

    @property
    def last(self) -> d.ConversationView | None:
        """The one closed last."""
        closed = [c for c in self.conversations if c.closed_at]
        return max(closed, key=lambda c: c.closed_at or START) if closed else None

    # ------------------------------------------------------------ what may happen

    def write(self, text: str, *files: str, **more: Any) -> list[str]:
        """The customer writes."""
        self._written += 1
        kept = tuple(Attachment(f, f, "image/png", 9) for f in files)
        return self.step(Kind.TEXT, text=text, native=f"m{self._written}", attachments=kept, **more)

    def edit(self, text: str) -> list[str]:
        """The customer changes what he wrote last; to nothing: he deletes it."""
        return self.step(Kind.EDIT, text=text, native=f"m{self._written}")

    def form(self, what: str, product: str, contact: str) -> list[str]:
        """The customer sends a form that asks for a ticket."""
        filled = {"what": what, "product": product, "contact": contact}
        return self.step(Kind.CHOICE, choice="do:ticket", text=what, data={"form": filled})

    def people_there(self, there: str) -> list[str]:
        """Whether people answer on the platform itself."""
        self.there = there == "yes"
        return []

    def press(self, label: str) -> list[str]:
        """The customer presses a button of any message so far, by its label or id."""
        return self.step(Kind.CHOICE, choice=self.buttons.get(label, label))

    def later(self, **delta: float) -> list[str]:
        """Time passes; what falls due happens."""
        until, seen = self.now + timedelta(**delta), list[str]()
        while due := min(((at, key) for key, (at, _) in self.timers.items() if at <= until), default=None):
            self.now, (subject, kind) = max(self.now, due[0]), due[1]
            _, data = self.timers.pop((subject, kind))
            seen += self.step(Kind.TIMER, timer=kind, subject=subject, data=data)
        self.now = until
        return seen

    def agent(self, does: str) -> list[str]:
        """takes over | gives back | closes: what the desk would do."""
        here = self.open
        assert here, "no conversation is open"
        if does == "closes":
            self.change(here, owner="none", closed_at=self.now)
            self._drop(f"conversation:{here.number}")
            self.timers["chat", "rating"] = (self.now, {})
            return [f"* closed {here.number} agent", *self.later(seconds=0)]
        self.change(here, owner={"takes over": "agent", "gives back": "bot"}[does], epoch=here.epoch + 1)
        return []

    def of_tier(self, tier: str) -> list[str]:
        """The customer is of this tier."""
        self.customer["tier"] = tier
        return []

    def command(self, data: dict[str, Any]) -> list[str]:
        """An agent's command."""
        return self.step(Kind.COMMAND, data=data)

    # ------------------------------------------------------------ one turn

    def step(self, kind: Kind, **event: Any) -> list[str]:
        """Decide one event and fold what comes of it; the lines of the transcript."""
        turn = self.turn(kind, **event)
        result = decide(turn)
        for _ in range(3):
            if not isinstance(result, d.Need):
                break
            turn = replace(turn, looked={**turn.looked, **{look: self._look(*look) for look in result.looks}})
            result = decide(turn)
        assert not isinstance(result, d.Need)
        if isinstance(result, d.Wait):
            assert turn.event.kind is Kind.TEXT
            waiting = d.Pending(1, turn.event.text, turn.event.attachments, turn.event.native)
            self.talk = self.talk.but(pending=(*self.talk.pending, waiting))
            self.timers["chat", "burst"] = (result.until, {})
            return ["* waits"]
        if not result.talk.pending:
            self.timers.pop(("chat", "burst"), None)
        self.talk = d.Talk.from_json(json.loads(json.dumps(result.talk.as_json())))
        assert self.talk == result.talk
        silenced = turn.conversation is not None and turn.conversation.owner == "agent" and kind is not Kind.COMMAND
        assert not (silenced and any(said.author is Author.BOT for said in result.replies))
        if refusal := self.desks.refusal(result):
            self.talk, result = turn.talk, d.Decision(turn.talk, (refusal,))
        self.effects = result.effects
        return [line for effect in self.effects for line in self._fold(effect)]

    def turn(self, kind: Kind, **event: Any) -> d.Turn:
        happened = d.Event(1, kind, self.now, language=self.language, **event)
        pending = self.talk.pending if kind is not Kind.EDIT else ()
        joins = bool(pending and kind in (Kind.CHOICE, Kind.HELLO))
        words = kind in (Kind.TEXT, Kind.EDIT) or happened.timer == "burst" or joins
        joined = "\n".join(t for t in (*(p.text for p in pending), happened.text) if t)
        hint = self.talk.language or "en"
        meant = self.meaning(joined, hint)
        return d.Turn(
            now=self.now,
            event=happened,
            talk=self.talk,
            policy=self.policy,
            knowledge=knowledge(),
            understood=meant if words else None,
            conversation=self.open,
            last=self.last,
            tickets=tuple(reversed([t for t in self.tickets if t.state != "closed"])),
            customer=self.customer,
            numbers=(self._next("C"), self._next("T"), self._next("T", 2)),
            people_there=self.there,
        )

    def meaning(self, text: str, hint: str) -> intents.Understanding:
        """What the words mean."""
        return understood(text, hint, self.now)

    def taken(self, prefix: str) -> None:
        """A number of this kind is in use."""
        self._count[prefix] += 1

    def _next(self, prefix: str, ahead: int = 1) -> str:
        return f"{prefix}-{self._count[prefix] + ahead:08d}"

    def _look(self, kind: str, key: str) -> Any:
        own: dict[str, Iterable[Any]] = {"ticket": self.tickets, "rated": self.conversations}
        if kind not in own:
            return self.desks.look(kind, key, self.open is not None and self.open.owner == "queue")
        return next((one for one in own[kind] if one.number == key), None)

    # ------------------------------------------------------------ what comes of it

    @singledispatchmethod
    def _fold(self, effect: Any) -> Iterator[str]:
        if isinstance(effect, d.Fact):
            yield from self._measured(effect)
        else:
            yield from self.desks.fold(self, effect)

    def _measured(self, fact: d.Fact) -> Iterator[str]:
        if fact.kind.startswith("standard_"):
            took = timedelta(seconds=round(fact.data["took"]))
            yield f"* {fact.data['standard']} {fact.kind.removeprefix('standard_')} after {took}"

    @_fold.register
    def _(self, effect: PlanTicket) -> Iterator[str]:
        at = next(n for n, one in enumerate(self.tickets) if one.number == effect.number)
        due, clocks = effect.due_at or self.tickets[at].due_at, json.loads(json.dumps(dict(effect.clocks)))
        self.tickets[at] = replace(self.tickets[at], clocks=clocks, due_at=due)
        yield from ()

    @_fold.register
    def _(self, effect: d.DropTimer) -> Iterator[str]:
        subject = f"conversation:{self.open.number}" if self.open else ""
        self.timers.pop((subject if effect.subject == "conversation" else effect.subject, effect.kind), None)
        yield from ()

    @_fold.register
    def _(self, effect: d.Say) -> Iterator[str]:
        head, *rest = effect.reply.text.split("\n")
        choices = effect.reply.choices
        who = f"says {self.desks.agents[effect.agent].name}" if effect.agent else effect.author.value
        yield f"{who}: {head}"
        yield from (f"  {line}" for line in rest if line)
        if effect.reply.hand_over:
            yield "* handed over on the platform"
        if choices:
            yield "  " + " ".join(f"[{c.label}]" for c in choices)
            self.buttons |= {c.label: c.id for c in choices}
        assert all(len(c.id) <= 60 and c.id.isascii() for c in choices)

    @_fold.register
    def _(self, effect: d.Open) -> Iterator[str]:
        assert self.open is None, "two conversations are open"
        self._count["C"] += 1
        self.conversations.append(d.ConversationView(1, effect.number, "bot", 0, 1, self.now))
        yield f"* opened {effect.number}"

    @_fold.register
    def _(self, effect: d.Reopen) -> Iterator[str]:
        assert self.open is None, "two conversations are open"
        old = self._conversation(effect.number)
        again = {"cycle": old.cycle + 1, "epoch": old.epoch + 1, "rated": None, "rated_at": None}
        self.change(old, owner="bot", closed_at=None, **again)
        yield f"* reopened {effect.number}"

    @_fold.register
    def _(self, effect: d.Own) -> Iterator[str]:
        assert self.open, "nothing is open"
        self.change(self.open, owner=effect.owner, agent=None, epoch=self.open.epoch + 1)
        yield f"* {effect.owner} owns it: {effect.reason}"

    @_fold.register
    def _(self, effect: d.Close) -> Iterator[str]:
        here = self.open
        assert here, "nothing is open"
        self.change(here, owner="none", agent=None, closed_at=self.now)
        self._drop(f"conversation:{here.number}")
        yield f"* closed {here.number} {effect.reason}"

    @_fold.register
    def _(self, effect: d.OpenTicket) -> Iterator[str]:
        self._count["T"] += 1
        number, kind, subject, due = effect.number, effect.kind, effect.subject, effect.due_at
        follows = next((t.id for t in self.tickets if t.number == effect.follows), None)
        opened = d.TicketView(number, kind, "new", subject, self.now, due, id=len(self.tickets) + 1, follows=follows)
        self.tickets.append(replace(opened, priority=effect.priority, agent=effect.agent))
        told = "".join(f" {k}={v}" for k, v in effect.details.items() if k != "language")
        hours = (due - self.now).total_seconds() / 3600
        yield f"* ticket {number} {kind} {effect.priority} {hours:g}h {subject!r}{told}{_names(effect.attachments)}"

    @_fold.register
    def _(self, effect: d.AddToTicket) -> Iterator[str]:
        assert effect.number in [t.number for t in self.tickets]
        yield f"* {effect.number} + {effect.text!r}{_names(effect.attachments)}"

    @_fold.register
    def _(self, effect: d.Rate) -> Iterator[str]:
        old = self._conversation(effect.conversation)
        if effect.cycle == old.cycle:
            self.change(old, rated=effect.score, rated_at=old.rated_at or self.now)
        yield f"* rated {effect.conversation}/{effect.cycle}: {effect.score} {effect.comment!r}"

    @_fold.register
    def _(self, effect: d.SetTimer) -> Iterator[str]:
        here = effect.subject == "conversation"
        assert self.open or not here, "a timer for no conversation"
        subject = f"conversation:{self.open.number}" if self.open and here else effect.subject
        self.timers[subject, effect.kind] = (effect.due_at, dict(effect.data))
        yield from ()

    @_fold.register
    def _(self, effect: d.Learn) -> Iterator[str]:
        self.customer[effect.key] = effect.value
        if effect.key != "asked_rating_at":
            yield f"* learned {effect.key}: {effect.value}"

    @_fold.register
    def _(self, effect: d.Alarm) -> Iterator[str]:
        whose = self.desks.agents[effect.agent].name if effect.agent in self.desks.agents else effect.role
        yield f"* alarm {effect.kind}{f' for {whose}' if whose else ''}"

    def _conversation(self, number: str) -> d.ConversationView:
        return next(c for c in self.conversations if c.number == number)

    def change(self, old: d.ConversationView, **changes: Any) -> None:
        """A conversation changes."""
        self.conversations[self.conversations.index(old)] = replace(old, **changes)

    def _drop(self, subject: str) -> None:
        self.timers = {key: due for key, due in self.timers.items() if key[0] != subject}


def _names(files: Iterable[Attachment]) -> str:
    return "".join(f" <{f.name}>" for f in files)


# ---------------------------------------------------------------- files of dialogues

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def played(script: str) -> str:
    """The script with everything the bot says and does written anew."""
    lines: list[str] = []
    chat = Chat()
    for line in script.splitlines():
        if line.startswith(("bot: ", "system: ", "says ", "* ", "  ")):
            continue
        lines.append(line)
        word, _, rest = line.partition(": ")
        if word == "language":
            chat.language = rest
        elif line and not line.startswith("#"):
            lines += _played(chat, word, rest)
        else:
            chat = Chat() if line.startswith("# ----") else chat
    return "\n".join(lines) + "\n"


def _played(chat: Chat, word: str, rest: str) -> list[str]:
    if passed := re.fullmatch(r"\+(\d+)([smhd])", word):
        return chat.later(**{_UNITS[passed[2]]: int(passed[1])})
    if ("chat", "burst") not in chat.timers:
        chat.now += timedelta(seconds=5)  # nobody types that fast, except what stands on one line
    if word == "customer":
        *said, last = rest.split(" / ") if " / " in rest else [rest]
        return [line for text in said for line in chat.write(text)] + chat.write(last)
    if word.startswith("agent "):
        return chat.desks.command(chat, word.removeprefix("agent "), rest)
    if word in ("file", "album"):
        name, _, text = rest.partition(" ")
        return chat.write(text, name, **({"data": {"album": "7"}} if word == "album" else {}))
    doing = {
        "button": lambda: chat.press(rest),
        "edit": lambda: chat.edit(rest),
        "deletes": lambda: chat.edit(""),
        "agent": lambda: chat.agent(rest),
        "hello": lambda: chat.step(Kind.HELLO),
        "start": lambda: chat.step(Kind.HELLO, data={"asked": True, "start": rest}),
        "form": lambda: chat.form(*rest.split(" | ")),
        "notice": lambda: chat.step(Kind.NOTICE, data=dict(part.split("=") for part in rest.split(" | "))),
        "people": lambda: chat.people_there(rest),
        "in their queue": lambda: chat.step(Kind.TEXT, text=rest, data={"person": "queue"}),
        "to people": lambda: chat.step(Kind.TEXT, text=rest, data={"person": "wangwu"}),
        "agents": lambda: chat.desks.come(rest),
        "desk": lambda: chat.desks.set(chat, **dict(part.split("=") for part in rest.split(" "))),
        "standards": lambda: _standards(chat, rest),
        "tier": lambda: chat.of_tier(rest),
        "ticket": lambda: _ticket(chat, *rest.split(" ", 1)),
    }
    return doing[word]()


def _standards(chat: Chat, lines: str) -> list[str]:
    """``first_reply=24h | chat first_reply=10m next_reply=10m``: what is promised."""
    promised: list[dict[str, Any]] = []
    for line in lines.split(" | "):
        told: dict[str, Any] = dict(part.split("=") for part in line.split(" ") if "=" in part)
        kinds = [part for part in line.split(" ") if "=" not in part]
        promised.append(told | ({"kind": kinds} if kinds else {}))
    chat.policy = replace(chat.policy, standards=Standards.model_validate({"promised": promised}))
    return []


def _ticket(chat: Chat, number: str, state: str) -> list[str]:
    chat.tickets = [replace(t, state=state) if t.number == number else t for t in chat.tickets]
    return []


if __name__ == "__main__":
    for file in [Path(name) for name in sys.argv[1:]] or sorted(TALKS.glob("*.txt")):
        file.write_text(played(file.read_text("utf-8")), "utf-8")
