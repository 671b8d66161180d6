"""A flow is re-run over its journal: only the answers are stored, and changed code restarts nobody."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, get_args
from zlib import crc32

from bot import texts
from bot.dialogue import Effect, Learn
from bot.flows import FLOWS, floor
from bot.flows.draft import Draft
from bot.flows.quoting import quote
from bot.flows.reading import SUBJECT, Heard
from bot.flows.steps import SKIP, Add, Ask, Look, Quote, Say, Step, Ticket, name_of
from bot.messages import Choice

Entry = tuple[str, Any]
FORM: Final = "ticket"  # the flow that fills in forms
MATTER: Final = frozenset({"what"})  # answers that may come in several messages
LONGEST: Final = 60  # entries of a journal
OUTSIDE: Final = frozenset({"rating", "overdue", "ticket_reply"})  # flows that need no open conversation
PEOPLE: Final = frozenset({"human", "emergency", "complaint", "rating"})  # flows whose matter is with people already
_EFFECTS = (*get_args(Effect), Ticket, Add)


class Run:
    """One flow, played up to the question that waits for an answer (``asked``; None: it has ended)."""

    def __init__(self, draft: Draft, name: str, journal: Sequence[Entry]) -> None:
        self.draft, self.name, self.journal = draft, name, [journal[0]]
        self.asked: Ask | None = None
        self.turns: list[int] = []  # places of answers that "back" may return to
        self._flow = FLOWS[name](journal[0][1])
        self._on(next(self._flow, None), deque(journal[1:]))

    def answer(self, value: Any) -> None:
        """The question is answered: on to the next."""
        if self.asked:
            self._on(self._sent(self.asked, value), deque())

    def _on(self, step: Step | None, recorded: deque[Entry]) -> None:
        """To the next question: what the journal holds is taken from it, the rest is done."""
        kept: dict[str, deque[Any]] = defaultdict(deque)
        while step is not None:
            name = name_of(step)
            if recorded and recorded[0][0] != name:  # the code has changed: keep the answers that still have a place
                for old, value in recorded:
                    kept[old].append(value)
                recorded.clear()
                self.draft.say("flow.changed")
            if recorded:
                value = recorded.popleft()[1]
            elif kept[name]:
                value = kept[name].popleft()
            elif isinstance(step, Ask):
                break
            else:
                value = self._done(step)
            step = self._sent(step, value)
        self.asked = step if isinstance(step, Ask) else None

    def _sent(self, step: Step, value: Any) -> Step | None:
        if isinstance(step, Ask):
            self.turns.append(len(self.journal))
        elif isinstance(step, _EFFECTS) and not isinstance(step, Learn):
            self.turns.clear()  # "back" never crosses an effect
        self.journal.append((name_of(step), value))
        try:
            return self._flow.send(value)
        except StopIteration:
            return None

    def _done(self, step: Step) -> Any:
        """Do what a step says; what came of it."""
        draft = self.draft
        match step:
            case Say(key=key, buttons=buttons, values=values):
                return draft.say(key, *buttons, **values)
            case Quote(entry=entry, why=why):
                return quote(draft, entry, why)
            case Look(kind=kind, key=key):
                return draft.look(kind, key)
            case Ticket():
                return draft.ticket(step)
            case Add(number=number, text=text, key=key):
                return draft.add(number, draft.text(key) if key else text)
            case Ask():
                raise TypeError("a question is asked, not done")
        draft.do(step)
        return None

    # ------------------------------------------------------------ asking

    def say_question(self, before: str = "") -> None:
        """Ask what is to be answered; digits and labels belong to this question from now on."""
        if ask := self.asked:
            said = self.draft.text(ask.key or f"{self.name}.{ask.name}", **ask.values)
            choices = tuple(Choice(self._id(value), self._label(value)) for value in ask.answers)
            self.draft.remember(offered=())
            self.draft.tell(f"{before}\n\n{said}" if before else said, choices)

    def _id(self, value: str) -> str:
        return f"flow:{self.name}:{self.asked.name if self.asked else ''}:{_token(value)}:{self.known['run']}"

    def _label(self, value: str) -> str:
        if not self.asked or value in self.asked.names:
            return value
        if value in self.asked.labels:
            return self.draft.text("own", said=texts.Written(self.asked.labels[value]))
        own = f"{self.name}.{self.asked.name}.{value}"
        return self.draft.text(own if texts.has(own) else f"option.{value}")

    def pressed(self, step: str, token: str, run: str) -> str:
        """What a button of this flow stands for, "" if its question is not the one being asked."""
        if not self.asked or self.asked.name != step or str(self.known["run"]) != run:
            return ""
        return next((value for value in self.asked.answers if _token(value) == token), "")

    # ------------------------------------------------------------ remembering

    def continues(self, heard: Heard) -> bool:
        """Whether the words come so soon that they belong to the matter told just before."""
        soon = timedelta(seconds=self.draft.turn.policy.burst)
        asked_at = datetime.fromisoformat(self.draft.talk.extra.get("asked_at", self.known["at"]))
        told = bool(self.turns) and self.turns[-1] == len(self.journal) - 1 and self.journal[-1][0] in MATTER
        other = heard.intent or heard.named("model", "phone", "email") or self._plainly(heard)
        return told and self.draft.now - asked_at < soon and not other

    def _plainly(self, heard: Heard) -> bool:
        """Whether the words answer the question, and could not be more of the matter as well."""
        value = self.asked.read(heard) if self.asked else None
        loose = self.asked is not None and (self.asked.free or self.asked.names)
        return value is not None and (value == SKIP or not loose)

    def amend(self, more: str) -> None:
        """Add to the matter told just before; the question after it stands, unless that answers it."""
        name, told = self.journal[-1]
        again = Run(self.draft, self.name, [*self.journal[:-1], (name, f"{told}\n{more}"[:SUBJECT])])
        if again.asked and self.asked and again.asked.name == self.asked.name:
            self.draft.remember(journal=tuple(again.journal))
        else:
            again.store()

    def beside(self, more: str) -> Run:
        """The same flow, knowing ``more`` of its matter: what was told along with the answer to another question."""
        told = "\n".join(filter(None, (self.known.get("more", ""), more)))[:SUBJECT]
        return Run(self.draft, self.name, [("start", {**self.known, "more": told}), *self.journal[1:]])

    def noticing(self, told: Mapping[str, str]) -> Run:
        """The same flow, knowing what is told just now of other questions: answered anew, or not asked any more."""
        given, start = [*self.journal[1:]], {**self.known}
        for name, value in told.items():
            if at := [place for place, (step, _) in enumerate(given) if step == name]:
                given[at[-1]] = (name, value)
            else:
                start[name] = value
        return Run(self.draft, self.name, [("start", start), *given])

    def told(self, name: str) -> str:
        """What was answered to a question, or was known before; "" if nothing."""
        before = self.known.get(name) or self.known.get("named", {}).get(name, "")
        return str(next((value for step, value in reversed(self.journal) if step == name), before))

    def store(self) -> None:
        """Keep the journal while a question is open; a flow that has ended leaves nothing behind."""
        if self.asked:
            asked, journal = self.asked.name, tuple(self.journal)
            self.draft.remember(flow=self.name, journal=journal, asked=asked, misses=0)
            self.draft.keep(asked_at=self.draft.now.isoformat())
            self.say_question()
        elif self.draft.talk.flow == self.name:
            drop(self.draft)

    @property
    def known(self) -> Mapping[str, Any]:
        """What was known when the flow began."""
        known: Mapping[str, Any] = self.journal[0][1]
        return known

    @property
    def asking(self) -> str:
        """The name of the question that waits for an answer, "" if none does."""
        return self.asked.name if self.asked else ""

    @property
    def fills_form(self) -> bool:
        """Whether a ticket's form is filled in."""
        return self.name == FORM

    @property
    def form(self) -> Sequence[Mapping[str, Any]]:
        """The fields of that form, as they were when it was begun; none of another flow."""
        return self.known.get("asks", ()) if self.fills_form else ()

    @property
    def number(self) -> str:
        """The ticket on which people have the matter already, "" if there is none (yet)."""
        if self.name not in PEOPLE:
            return ""
        own = self.known.get("open") or self.known.get("recovery") or self.draft.talk.extra.get("ticket")
        return str(own or "")

    @property
    def again(self) -> str:
        """The sentence for an answer that did not fit."""
        usual = f"{self.asked.key or f'{self.name}.{self.asked.name}'}.again" if self.asked else ""
        own = (self.asked and self.asked.again) or usual
        return own if texts.has(own) else "flow.again"


def begin(draft: Draft, name: str, **known: Any) -> None:
    """Start a flow. What is known goes into its journal, so that nothing changes it under the customer's feet."""
    if name not in OUTSIDE:
        draft.open()
    run = int(draft.talk.extra.get("runs", 0)) % 9999 + 1
    draft.keep(runs=run, cancelled=None)
    told = ((k, list(v) if isinstance(v, tuple) else v) for k, v in known.items())
    start = {k: v for k, v in told if v not in ("", None, [])} | {"epoch": _epoch(draft)}
    Run(draft, name, [("start", {**start, "run": run, "at": draft.now.isoformat()})]).store()


def resume(draft: Draft) -> Run | None:
    """The running flow at its open question; None if none runs (any more)."""
    talk = draft.talk
    known = talk.journal[0][1] if talk.flow in FLOWS and talk.journal else {}
    left = talk.flow not in OUTSIDE and (not draft.number or known.get("epoch") != _epoch(draft))
    if not known or left:  # the code knows it no more, or somebody else has had the floor since
        drop(draft)
        return None
    run = Run(draft, talk.flow, talk.journal)
    if not run.asked:
        drop(draft)
        return None
    return run


def back(draft: Draft, run: Run) -> None:
    """To the question before, unless something was done since."""
    if not run.turns:
        run.say_question(draft.text("flow.no_way_back"))
        return
    Run(draft, run.name, run.journal[: run.turns[-1]]).store()


def drop(draft: Draft) -> None:
    """No flow runs."""
    draft.remember(flow="", journal=(), asked="", misses=0, offered=())


def give_up(draft: Draft, run: Run) -> None:
    """The flow is left; a form may be taken up again, as long as nothing else is said."""
    draft.keep(cancelled=[list(entry) for entry in run.journal] if run.fills_form else None)
    drop(draft)


def taken_up(draft: Draft) -> bool:
    """ "No wait, I did want to send it": the form just given up goes on where it was."""
    journal = [(name, value) for name, value in draft.talk.extra.get("cancelled", ())]
    draft.keep(cancelled=None)
    if not journal or journal[0][1].get("epoch") != _epoch(draft) or not draft.number:
        return False
    Run(draft, FORM, journal).store()
    return bool(draft.talk.flow)


def _epoch(draft: Draft) -> int:
    return floor.epoch(draft.turn, draft.effects)


def take_over(draft: Draft) -> dict[str, str]:
    """End the running flow; what the customer has told it is for the one that follows."""
    journal = draft.talk.journal if draft.talk.flow else ()
    said = [*(journal[0][1].items() if journal else ()), *journal[1:]]
    drop(draft)
    fields = draft.turn.policy.forms.fields
    told = {name: value for name, value in said if name in fields and isinstance(value, str) and value != SKIP}
    known = journal[0][1] if journal else {}
    what = "\n".join(filter(None, (known.get("first", ""), told.pop("what", ""), known.get("more", ""))))
    form = draft.turn.policy.forms.kinds.get(known.get("kind", ""))
    if not what and form and "what" not in form.asks:  # what is wanted says it all
        what = form.label[draft.lang]
    return {**told, **({"what": what} if what else {})}


def _token(value: str) -> str:
    """A value as it may stand in a button's id: short and ASCII."""
    return value if value.isascii() and value.isalpha() and len(value) <= 16 else f"{crc32(value.encode()):08x}"
