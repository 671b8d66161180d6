"""People in dialogues word for word: agents, the queue and what is handed over, as the database would keep them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot import dialogue as d
from handoff import dialogue as people
from handoff.hours import Calendar

if TYPE_CHECKING:
    from tests.talks import Chat

ROOM = 2  # conversations an agent of a dialogue takes


class Desks:
    """The people of one dialogue."""

    def __init__(self) -> None:
        self.agents: dict[int, people.AgentView] = {}
        self.held: people.HandoverView | None = None
        self.ahead, self.busy = 0, 0  # others who wait before; conversations they have elsewhere
        self.pace: float | None = None
        self.promises: dict[str, people.PromiseView] = {}
        self.result: people.Result | None = None

    def set(self, chat: Chat, *, ahead: str = "0", pace: str = "", busy: str = "0", opens: str = "") -> list[str]:
        """What the day is like: who waits before, seconds from one to the next, room taken, when people are back."""
        self.ahead, self.busy, self.pace = int(ahead), int(busy), float(pace) if pace else None
        if opens:
            chat.policy = replace(chat.policy, hours=_from(chat.now + _span(opens)))
        return []

    def come(self, told: str) -> list[str]:
        """``Anna, Ben (away), Cho (supervisor)``: who is there."""
        for number, one in enumerate(told.split(", "), 1):
            name, _, more = one.partition(" (")
            words = set(more.rstrip(")").split())
            role = next(iter(words & {"supervisor", "admin"}), "agent")
            presence = next(iter(words & {"busy", "away", "offline"}), "online")
            self.agents[number] = people.AgentView(
                number, name, role, presence, (), ("repairs",) * ("repairs" in words)
            )
        return []

    def look(self, kind: str, key: str, waits: bool) -> Any:
        """What a decision may ask about people."""
        match kind:
            case "agent":
                return self.agents.get(int(key)) if key.isdigit() else None
            case "promise":
                return self.promises.get(key)
            case "handover":
                return self.held
            case "lead":
                leads = [n for n, one in self.agents.items() if one.leads and str(n) != key]
                return leads[0] if leads else None
            case "team":
                return any(key in one.teams for one in self.agents.values() if one.presence != "away")
            case "members":
                return any(key in one.teams for one in self.agents.values())
            case "desk":
                return self._seen()
            case "place":
                return self._seen() if waits else None
        raise KeyError(kind)

    def _seen(self) -> people.DeskView:
        there = [one for one in self.agents.values() if one.presence in ("online", "busy")]
        free = max(0, ROOM * sum(one.presence == "online" for one in there) - self.busy)
        pace = self.pace if there else None
        return people.DeskView(bool(self.agents), bool(there), (self.ahead,) * 3, free, pace)

    # ------------------------------------------------------------ what comes of it

    def refusal(self, decision: d.Decision) -> people.Result | None:
        """What becomes of the command if an agent cannot take the conversation."""
        for effect in decision.effects:
            if isinstance(effect, people.Assign) and effect.within_capacity:
                one = self.agents[effect.agent]
                if one.presence != "online":
                    return people.Result(False, {"reason": "away", "by": one.name})
        return None

    def fold(self, chat: Chat, effect: d.Effect) -> Iterator[str]:
        """Keep what an effect that concerns people does; its line in the transcript."""
        here = chat.open
        match effect:
            case people.Assign(agent=agent, name=name):
                assert here, "nothing is open"
                chat.change(here, owner="agent", agent=agent, served_by=agent, epoch=here.epoch + 1)
                self.held = replace(self.held or people.HandoverView("claimed", 2), waiting_since=None)
                yield f"* {name} has {here.number}"
            case people.Queue(reason=reason, priority=priority, wants=wants, packet=packet, since=since):
                assert here, "nothing is open"
                old = self.held or people.HandoverView(reason, priority)
                since = since or old.waiting_since or chat.now
                self.held = people.HandoverView(reason, priority, wants, packet or old.packet, since)
                chat.change(here, owner="queue", agent=None, epoch=here.epoch + (here.owner != "queue"))
                told = "".join(f" {k}={v}" for k, v in wants.items() if k not in ("since", "language", "queued"))
                yield f"* queue {reason} {priority} since {since:%H:%M}{told}"
            case people.Presence(agent=agent, presence=presence):
                self.agents[agent] = replace(self.agents[agent], presence=presence)
                yield f"* {self.agents[agent].name} is {presence}"
            case people.Remark(text=text):
                yield f"* note {text!r}"
            case people.Snooze(until=until):
                yield f"* sleeps until {until:%H:%M}" if until else "* awake"
            case people.MakePromise() | people.EndPromise():
                yield self._promise(chat, effect)
            case people.MoveTicket() | people.OwnTicket() | people.TicketWord():
                yield self._ticket(chat, effect)
            case people.Result(done=done, data=data):
                self.result = effect
                if not done:
                    told = "".join(f" {k}={v}" for k, v in data.items() if k != "reason")
                    yield f"* refused: {data['reason']}{told}"

    def _promise(self, chat: Chat, effect: people.MakePromise | people.EndPromise) -> str:
        number = effect.number
        if isinstance(effect, people.MakePromise):
            chat.taken("T")
            text, due = effect.text, effect.due_at
            self.promises[number] = people.PromiseView(number, effect.agent, text, due, "open", effect.ticket)
            return f"* promise {number} {text!r} by {due:%d %H:%M}"
        assert self.promises[number].state == "open"
        self.promises[number] = replace(self.promises[number], state=effect.state)
        return f"* promise {number} {effect.state}{f' {effect.proof!r}' if effect.proof else ''}"

    def _ticket(self, chat: Chat, effect: people.MoveTicket | people.OwnTicket | people.TicketWord) -> str:
        at = next(n for n, one in enumerate(chat.tickets) if one.number == effect.number)
        old = chat.tickets[at]
        match effect:
            case people.MoveTicket(state=state, text=text, due_at=due):
                assert old.state == effect.was, "moved from where it is not"
                ended = (old.ended_at or chat.now) if state in ("resolved", "closed") else None
                changed = replace(
                    old, state=state, due_at=due or old.due_at, last_word=text or old.last_word, ended_at=ended
                )
                told = f"* {old.number} {state}{f' until {due:%d %H:%M}' if due else ''}"
            case people.OwnTicket(agent=agent, team=team):
                changed = replace(old, agent=agent)
                told = f"* {old.number} is {self.agents[agent].name if agent else team}'s"
            case people.TicketWord(text=text, remark=remark):
                changed = old if remark else replace(old, last_word=text)
                told = f"* {old.number} {'note' if remark else 'word'} {text!r}"
        chat.tickets[at] = changed
        return told

    def command(self, chat: Chat, who: str, words: str) -> list[str]:
        """``claim`` | ``say WORDS`` | ``transfer 2 WORDS`` | ``back`` | ``close REASON`` | ``snooze 2h`` …"""
        name, _, rest = words.partition(" ")
        data: dict[str, Any] = {"command": name, "agent": int(who)}
        if name == "transfer":
            to, _, text = rest.partition(" ")
            data |= {"to_agent": int(to)} if to.isdigit() else {"to_team": to}
            data["text"] = text
        elif name == "snooze":
            data["until"] = (chat.now + _span(rest)).isoformat()
        elif name.startswith("ticket_"):
            data |= _about_ticket(name, rest)
        elif name == "promise":
            hours, _, text = rest.partition(" ")
            data |= {"text": text, "due_at": (chat.now + _span(hours)).isoformat()}
        elif name == "promise_end":
            number, state, *more = rest.split(" ", 2)
            data |= {"promise": number, "state": state, "proof": " ".join(more) if state == "kept" else ""}
            data |= {"due_at": (chat.now + _span(more[0])).isoformat()} if more and state != "kept" else {}
        elif name == "offer":
            data["epoch"] = chat.open.epoch if chat.open else 0
        else:
            data |= {{"close": "reason", "language": "lang"}.get(name, "text"): rest.removesuffix(" !")}
            data["take"] = rest.endswith("!") or name == "take"
        lines = chat.command(data)
        return [*lines, *chat.later(seconds=0)]


def _about_ticket(name: str, rest: str) -> dict[str, Any]:
    """``ticket_open repair W``, ``ticket_move T-1 resolved W``, ``ticket_own T-1 2``, ``ticket_word T-1 ! W``."""
    first, _, rest = rest.partition(" ")
    if name == "ticket_open":
        return {"kind": first, "subject": rest}
    if name == "ticket_own":
        return {"ticket": first, **({"to_team": rest} if rest.isalpha() else {"to_agent": int(rest) if rest else None})}
    word, _, text = rest.partition(" ")
    if name == "ticket_move":
        return {"ticket": first, "state": word, "text": text}
    return {"ticket": first, "public": word == "!", "text": text if word == "!" else rest}


def _from(at: datetime) -> Calendar:
    """Ten hours a day from this time of day on."""
    begins = at.hour * 60 + at.minute
    return Calendar(week=(((begins, begins + 600),),) * 7)


def _span(words: str) -> Any:
    found = re.fullmatch(r"(\d+)([smhd])", words)
    assert found, words
    return timedelta(**{{"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[found[2]]: int(found[1])})
