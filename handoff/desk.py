"""What an agent can do with a conversation: pure decisions, one function per command.

A command is an event of the customer's chat; ``extra`` holds ``command``, ``agent`` (its author's id; of an offer, the
one it is made to) and what else it needs. What came of it is a ``Result``: done, or not done and for what ``reason``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from bot.dialogue import Alarm, DropTimer, Learn, Own, Say, SetTimer
from bot.flows import floor, line, wishes
from bot.flows.draft import Draft
from bot.messages import Author, Reply
from bot.texts import Markup
from handoff import promises, tickets
from handoff.care import Refused, again, awake, coming, fresh, notice, owe
from handoff.dialogue import AgentView, Assign, Remark, Result, Snooze

LONGEST: Final = timedelta(days=60)  # a conversation may sleep
ROUND: Final = 2  # transfers after which whoever leads is told: nobody is passed from desk to desk


def command(draft: Draft) -> None:
    """Do what an agent wants, or say why not; nothing is done by halves."""
    data = draft.event.data
    who = draft.look("agent", str(data.get("agent", "")))
    do = COMMANDS.get(str(data.get("command")))
    try:
        if do is None:
            raise Refused("unknown")
        if who is None:
            raise Refused("nobody")
        _there(draft)
        do(draft, who)
    except Refused as refused:
        draft.undo()
        draft.do(Result(False, refused.data))
    if not any(isinstance(effect, Result) for effect in draft.effects):
        draft.do(Result(True, {"number": draft.number} if draft.number else {}))
    draft.files = ()


def _there(draft: Draft) -> None:
    """The conversation it is meant for is the one that would be touched: a page may be old. Raises Refused."""
    meant, name = draft.event.data.get("conversation"), draft.event.data.get("command")
    if not meant or name in tickets.COMMANDS or name in promises.COMMANDS:
        return  # these concern what the customer has
    last = draft.turn.last.number if draft.turn.last and name in ("say", "reopen", "remark") else meant
    if meant != (draft.number or last):
        raise Refused("closed")


# ---------------------------------------------------------------- taking and saying


def claim(draft: Draft, who: AgentView) -> None:
    """The agent takes the conversation; the first one wins."""
    if not draft.number:
        raise Refused("closed")
    hold(draft, who)


def say(draft: Draft, who: AgentView, *, anew: bool = False) -> None:
    """His words to the customer; they take the floor by themselves, and open a conversation where none is."""
    text = str(draft.event.data.get("text", "")).strip()
    if not text and not draft.files:
        raise Refused("empty")
    if draft.event.data.get("corrects"):
        text = draft.text("people.corrected", text=Markup(text))
    if not anew:
        draft.reopen()
    draft.open()
    speak(draft, who, text)


def speak(draft: Draft, who: AgentView, text: str) -> None:
    """His words go out, if the customer wants any and nobody else has him."""
    if draft.talk.stopped or draft.turn.by_hand:
        raise Refused("stopped" if draft.talk.stopped else "by_hand")
    if draft.turn.left == 0:
        raise Refused("window")
    hold(draft, who)
    draft.do(Say(Reply(text, attachments=draft.files), author=Author.AGENT, agent=who.id))
    answered(draft, who)


def start(draft: Draft, who: AgentView) -> None:
    """The agent opens a new matter with the same customer."""
    say(draft, who, anew=True)


def reopen(draft: Draft, who: AgentView) -> None:
    """The agent opens the last matter again; it is his."""
    if not draft.number and draft.turn.last is None:
        raise Refused("closed")
    draft.reopen()
    hold(draft, who)


def offer(draft: Draft, who: AgentView) -> None:
    """He is given a conversation that waits, if it still does and he has room."""
    here = draft.turn.conversation
    if not here or not line.waits(draft) or here.epoch != draft.event.data.get("epoch"):
        raise Refused("gone", offered=draft.event.data.get("number"))
    take(draft, who, within_capacity=True)
    draft.do(Result(True, {"number": draft.number, "offered": draft.number}))


def hold(draft: Draft, who: AgentView) -> None:
    """He has the floor from now on. What a colleague has is taken only by whoever leads, and only if he says so."""
    here = draft.turn.conversation
    if here and here.owner == "agent":
        if here.agent == who.id:
            return
        if not (who.leads and draft.event.data.get("take")):
            raise Refused("taken", by=_name(draft, here.agent))
    take(draft, who)


def take(draft: Draft, who: AgentView, *, within_capacity: bool = False, key: str = "people.joined") -> None:
    """The conversation is his: the customer is told, the bot is silent, and an answer is owed."""
    fresh(draft)
    draft.do(Assign(who.id, who.name, within_capacity), DropTimer("queue"))
    notice(draft, key, name=who.name)
    owe(draft)


def answered(draft: Draft, who: AgentView) -> None:
    """The agent has answered: nothing is owed to the customer just now."""
    owed = draft.talk.extra.get("owed")
    waited = (draft.now - datetime.fromisoformat(owed)).total_seconds() if owed else None
    draft.fact("agent_said", agent=who.id, waited=waited)
    draft.do(DropTimer("silent"))
    draft.keep(owed=None)
    awake(draft)


# ---------------------------------------------------------------- passing on and ending


def transfer(draft: Draft, who: AgentView) -> None:
    """To a colleague who is there and has room, or to a team of which somebody is; never to an empty seat."""
    mine(draft, who)
    data = draft.event.data
    to, team, text = data.get("to_agent"), str(data.get("to_team", "")), str(data.get("text", "")).strip()
    if to:
        other = draft.look("agent", str(to))
        if other is None or other.id == who.id:
            raise Refused("nobody")
        take(draft, other, within_capacity=True, key="people.passed")
    elif team:
        if not draft.look("team", team):
            raise Refused("away")
        again(draft, "transfer", team=team)
        notice(draft, "people.team")
    else:
        raise Refused("empty")
    if text:
        draft.do(Remark(who.id, text, draft.files))
    times = int(draft.talk.extra.get("transfers", 0)) + 1
    draft.keep(transfers=times)
    draft.fact("transferred", agent=who.id, to=to, team=team, times=times)
    if times >= ROUND:
        draft.do(Alarm("passed_round", role="supervisor"))


def back(draft: Draft, who: AgentView) -> None:
    """The agent gives the conversation back to the bot, which starts fresh and says so."""
    mine(draft, who)
    if floor.owner(draft.turn, ()) == "bot":
        return
    fresh(draft)
    draft.do(Own("bot", "agent"), DropTimer("silent"), DropTimer("queue"), DropTimer("snoozed"))
    draft.keep(owed=None, snoozed=None)
    draft.say("people.back", *wishes.STARTERS)


def close(draft: Draft, who: AgentView) -> None:
    """The matter is settled; a rating is asked for."""
    mine(draft, who)
    text, reason = str(draft.event.data.get("text", "")).strip(), str(draft.event.data.get("reason", "")).strip()
    if text or draft.files:
        speak(draft, who, text)
    draft.fact("resolved", agent=who.id, reason=reason)
    draft.close("agent")
    draft.keep(owed=None, snoozed=None, transfers=None)
    draft.do(SetTimer("rating", draft.now, "chat"))


def snooze(draft: Draft, who: AgentView) -> None:
    """He looks at it again then, or when the customer writes; what nobody has taken keeps its place in the line."""
    mine(draft, who)
    if floor.owner(draft.turn, ()) != "agent":
        raise Refused("nobodys")
    until = coming(draft, draft.event.data.get("until"), LONGEST)
    draft.do(Snooze(until), SetTimer("snoozed", until), DropTimer("silent"))
    draft.keep(snoozed=True)


def remark(draft: Draft, who: AgentView) -> None:
    """The agent leaves a note for colleagues only."""
    text = str(draft.event.data.get("text", "")).strip()
    if not text and not draft.files:
        raise Refused("empty")
    if not draft.number and draft.turn.last is None:
        raise Refused("closed")
    draft.do(Remark(who.id, text, draft.files))


def language(draft: Draft, _: AgentView) -> None:
    """The customer is spoken to in this language from now on."""
    chosen = str(draft.event.data.get("lang", ""))
    if chosen not in draft.turn.policy.languages:
        raise Refused("unknown")
    draft.remember(language=chosen, language_chosen=True)
    draft.do(Learn("language", chosen))


COMMANDS: Final[dict[str, Callable[[Draft, AgentView], None]]] = {
    "claim": claim,
    "say": say,
    "start": start,
    "reopen": reopen,
    "offer": offer,
    "transfer": transfer,
    "back": back,
    "close": close,
    "snooze": snooze,
    "remark": remark,
    "language": language,
    **tickets.COMMANDS,
    **promises.COMMANDS,
}


# ---------------------------------------------------------------- who may


def mine(draft: Draft, who: AgentView) -> None:
    """Only its owner, or whoever leads, decides what becomes of a conversation. Raises Refused."""
    here = draft.turn.conversation
    if here is None:
        raise Refused("closed")
    if here.owner == "agent" and here.agent != who.id and not who.leads:
        raise Refused("taken", by=_name(draft, here.agent))


def _name(draft: Draft, which: int | None) -> str:
    other = draft.look("agent", str(which)) if which else None
    return other.name if other else ""
