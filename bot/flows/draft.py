"""A decision being written: what was heard, what is remembered, what is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Unpack

from bot import texts
from bot.dialogue import (
    AddToTicket,
    Close,
    Decision,
    Effect,
    Fact,
    Need,
    Open,
    OpenTicket,
    Reopen,
    Say,
    TicketView,
    Turn,
    Wait,
)
from bot.flows import quiet
from bot.flows.language import spoken_to
from bot.flows.progress import progress
from bot.flows.reading import SUBJECT, Heard
from bot.flows.steps import Ticket
from bot.flows.wording import bare, is_question
from bot.memory import Memory
from bot.messages import Attachment, Author, Choice, Kind, Reply
from bot.text import clean
from intents.spoken import digits

if TYPE_CHECKING:
    from knowledge.index import Ranking

WORDS: Final = 2000  # characters of a burst that are looked at
TOLD: Final = 8  # messages kept for a ticket to come
FILES: Final = 10  # files kept for a ticket to come
LABEL: Final = 60  # characters on a button
PAUSE: Final = 60.0  # seconds without work that are worth a word


class Missing(Exception):
    """Something has to be looked up before the decision can be written."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(kind, key)
        self.need = Need(((kind, key),))


class Draft:
    """The one thing a turn writes on. ``number`` is the open conversation's, "" if none is open."""

    def __init__(self, turn: Turn) -> None:
        self.turn, self.now, self.event, self.meant = turn, turn.now, turn.event, turn.understood
        asks = turn.event.kind in (Kind.TEXT, Kind.CHOICE, Kind.HELLO) or turn.event.timer == "burst"
        burst = turn.talk.pending if asks else ()
        said = (*(p.text for p in burst), turn.event.text)
        self.words = digits(clean("\n".join(filter(None, said))).strip()[:WORDS].strip())
        self.files = (*(a for p in burst for a in p.attachments), *turn.event.attachments)[:FILES]
        self.wait: Wait | None = None
        self.declined = ""  # a wish that he says is none
        self.undo()
        self.tickets = iter(turn.numbers[1:])  # numbers for what may be opened

    def undo(self) -> None:
        """Nothing has been done in this turn, and nothing is remembered of it."""
        self.number = self.turn.conversation.number if self.turn.conversation else ""
        self.effects: list[Effect] = []
        self.talk = spoken_to(self.turn, self.words)

    @property
    def lang(self) -> str:
        """The language to answer in."""
        return self.talk.language

    @property
    def agent_has_floor(self) -> bool:
        """Whether a person is talking with the customer."""
        here = self.turn.conversation
        return (here is not None and here.owner == "agent") or "person" in self.event.data

    @property
    def ranking(self) -> Ranking | None:
        """What the knowledge makes of the words."""
        return self.meant.ranking if self.meant else None

    @property
    def heard(self) -> Heard:
        """The customer's words as an answer to a question."""
        return Heard(self.words, self.meant)

    # ------------------------------------------------------------ remembering

    def remember(self, **changes: Any) -> None:
        """Change the talk: it is the draft's own copy, nobody else has seen it yet."""
        for name, value in changes.items():
            object.__setattr__(self.talk, name, value)

    def keep(self, **changes: Unpack[Memory]) -> None:
        """Change the talk's ``extra``; None forgets."""
        extra = {**self.talk.extra, **changes}
        self.remember(extra={k: v for k, v in extra.items() if v is not None})

    def asked_freely(self) -> None:
        """The words were a free question: it is what a ticket opened next will be about."""
        if bare(self.words):
            self.remember(last_question=self.words[:SUBJECT])
            self.tells(self.words)
            self.keep(settled=None)

    def tells(self, words: str) -> None:
        """The words belong to the matter that people are to read, as long as no answer settles it."""
        before = [said for said in self.talk.extra.get("told", ()) if said != words[:SUBJECT]]
        kept = [*before, words[:SUBJECT]]
        kept = [*kept[:1], *kept[1:][1 - TOLD :]]  # what he began with says what it is about
        self.keep(told=kept, bare=None, let_be=None)

    def leaves(self) -> None:
        """He turns to another matter: what he has only asked so far is none of it."""
        told, asked = self.talk.extra.get("told", ()), [*self.talk.extra.get("earlier", ())]
        left = [said for said in told if is_question(said) and said != self.talk.last_question]
        self.keep(
            earlier=[*dict.fromkeys((*asked, *left))][-TOLD:] or None,
            told=[said for said in told if said not in left] or None,
        )

    def keep_files(self) -> None:
        """Files wait in the talk for the ticket they belong to."""
        kept = [*self.talk.extra.get("files", ()), *(asdict(f) for f in self.files)][-FILES:]
        if self.files:
            self.keep(files=[{**f, "name": f["name"][:100]} for f in kept])

    # ------------------------------------------------------------ doing

    def do(self, *effects: Effect) -> None:
        """Something is to be recorded."""
        self.effects += effects

    def fact(self, kind: str, **data: Any) -> None:
        """A fact for the books."""
        self.do(Fact(kind, data))

    def open(self) -> None:
        """Words need a conversation: open one if none is."""
        if not self.number:
            self.number = self.turn.numbers[0]
            self.effects.insert(0, Open(self.number))
            self._anew(answered=0, last_question="", last_entry="")

    def reopen(self) -> None:
        """The matter was not settled after all."""
        if not self.number and self.turn.last:
            self.number = self.turn.last.number
            self.do(Reopen(self.number))

    def close(self, reason: str) -> None:
        """The matter is settled, or left."""
        if self.number:
            self.do(Close(reason))
            self.number = ""
            self._anew()
            if not (self.offered("rate") or self.offered("do:pass_on")):
                self.remember(offered=())

    def offered(self, kind: str) -> bool:
        """Whether the last question asked has buttons of this kind."""
        return any(choice.startswith(f"{kind}:") for choice, _ in self.talk.offered)

    def _anew(self, **changes: Any) -> None:
        self.remember(flow="", journal=(), asked="", misses=0, unknowns=0, **changes)
        self.keep(files=None, ticket=None, soothed=None, platform=None, told=None, answered=None, product=None)
        self.keep(details=None, bare=None, again=None, let_be=None, earlier=None, cancelled=None)

    def look(self, kind: str, key: str) -> Any:
        """What the worker found, or what the turn carries. Raises Missing."""
        if kind == "tickets":
            return [progress(t, self.turn, self.lang) for t in self.turn.tickets]
        own = next((t for t in self.turn.tickets if kind == "ticket" and t.number == key), None)
        if own is None and (kind, key) not in self.turn.looked:
            raise Missing(kind, key)
        found = own or self.turn.looked[kind, key]
        return progress(found, self.turn, self.lang) if isinstance(found, TicketView) else found

    def own_ticket(self, *kinds: str) -> str:
        """The customer's ticket of these kinds opened in this conversation, "" if there is none."""
        here = self.turn.conversation
        since = here.opened_at if here else self.now
        return next((t.number for t in self.turn.tickets if t.kind in kinds and t.opened_at >= since), "")

    def ticket(self, wanted: Ticket) -> dict[str, Any]:
        """Open it, with the files sent so far; what is promised on it is looked after in handoff/deadlines.py."""
        number, policy = next(self.tickets), self.turn.policy
        promised = policy.promised(wanted.kind, wanted.priority, str(self.turn.customer.get("tier", "")))
        due = policy.hours.add(self.now, promised)
        self.keep_files()
        files = tuple(Attachment(**f) for f in self.talk.extra.get("files", ()))
        details = {k: v for k, v in wanted.details.items() if v} | {"language": self.lang}
        subject = wanted.subject[:SUBJECT]
        self.do(OpenTicket(number, wanted.kind, subject, due, wanted.priority, details, files, wanted.agent))
        taken = all(said in subject for said in self.talk.extra.get("earlier", ()))
        self.keep(files=None, ticket=number, told=None, product=None, details=None)
        self.keep(earlier=None if taken else self.talk.extra.get("earlier"))
        self.remember(last_question="")
        self.files = ()
        return {"number": number, "by": self.by(due)}

    def add(self, number: str, text: str) -> None:
        """Further words, and the files of this turn, go to a ticket."""
        if text or self.files:
            self.do(AddToTicket(number, text, self.files))
        self.files = ()

    # ------------------------------------------------------------ saying

    def text(self, key: str, **values: Any) -> str:
        """A sentence of ours in the customer's language."""
        if whole := texts.whole(self.lang, key):
            return whole
        company = self.turn.policy.company
        own = {name: company.get(f"{name}_{self.lang}") or company.get(name, "") for name in ("name", "phone", "hours")}
        ours = {"company": own["name"], "phone": own["phone"], "hours": own["hours"]}
        call = texts.Word("call", ours) if own["phone"] else texts.Word("hours", ours) if own["hours"] else ""
        return texts.say(self.lang, key, **{**ours, "call": call, **values})

    def say(self, key: str, *buttons: str, **values: Any) -> None:
        """Say a sentence of ours, with buttons by their ids."""
        self.tell(self.text(key, **values), tuple(Choice(b, self.label(b)) for b in buttons))

    def tell(self, text: str, choices: tuple[Choice, ...] = (), why: Mapping[str, Any] | None = None) -> None:
        """Say it; buttons become what typed numbers and labels stand for."""
        if choices:
            self.remember(offered=tuple((c.id, c.label) for c in choices))
        self.keep(passed=not choices or None)
        self.do(Say(Reply(text, choices), why))

    def by(self, due: datetime) -> str:
        """By when something is done, as people say it: in so many hours, unless nobody works in some of them."""
        hours, left = self.turn.policy.hours, (due - self.now).total_seconds()
        if left - hours.between(self.now, due) < PAUSE:
            return texts.say(self.lang, "time.within", time=left)
        return texts.say(self.lang, "time.by", when=hours.spoken(due, self.lang))

    def label(self, choice: str) -> str:
        """What stands on a button, by its id."""
        kind, _, rest = choice.partition(":")
        if kind == "ans" and (entry := self.turn.knowledge.entry(rest)):
            asked = (entry.questions.get(self.lang) or next(iter(entry.questions.values())))[0]
            return asked if len(asked) <= LABEL else asked[: LABEL - 1] + "…"
        if kind == "lang":
            return texts.say(rest, "language.name")
        wish = rest.partition(":")[0]
        if kind == "do" and not texts.has(f"do.{wish}"):  # a kind of ticket that an admin added
            return self.turn.policy.forms.kinds[wish].label[self.lang]
        return self.text(f"rate.{rest[-1]}" if kind == "rate" else f"do.{wish}")

    # ------------------------------------------------------------ done

    def decision(self) -> Decision | Wait:
        """What comes of the turn; an open conversation is never left without a timer."""
        if self.wait:
            return self.wait
        if not self.agent_has_floor:
            self.keep_files()
        elif self.event.kind is not Kind.COMMAND:
            self.effects = [e for e in self.effects if not (isinstance(e, Say) and e.author is Author.BOT)]
            self.remember(flow="", journal=(), asked="", misses=0, offered=())
        if self.number:
            kept, timer = quiet.watched(self.turn, self.effects)
            self.keep(quiet=kept)
            if timer:
                self.do(timer)
        return Decision(self.talk, tuple(self.effects))
