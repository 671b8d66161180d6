"""What agents see at a desk of what happens in a conversation, as messages; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot import texts
from bot.messages import Attachment, Choice, Reply
from channels.mentions import dropped, mention
from handoff.forms import Forms
from handoff.packet import Packet

TEXTS: Final = texts.read(Path(__file__).parent / "texts")
ROOM: Final = 3000  # characters of what is put into one message
QUESTION: Final = 500
CLAIM, BACK, CLOSE, ANSWER = "desk:claim", "desk:back", "desk:close", "desk:faq:"
AUTHORS: Final = {"customer": "customer", "agent": "agent", "bot": "bot_said", "system": "system"}


@dataclass(frozen=True, slots=True)
class Item:
    """Something to be told. ``mark``: what is known to be told once it is, by stream."""

    text: str
    files: tuple[Attachment, ...] = ()
    choices: tuple[Choice, ...] = ()
    mark: Mapping[str, Any] = field(default_factory=dict)
    at: float = 0.0
    spent: bool = False  # an agent's message to the customer


def say(lang: str, key: str, **values: Any) -> str:
    """A sentence of the desk, as markdown; the values are put in as they stand."""
    return texts.put_in(TEXTS.get(lang, TEXTS["en"])[key], values)


def word(lang: str, family: str, value: str) -> str:
    """The name of a reason or the like; as it stands where it has none."""
    return TEXTS.get(lang, TEXTS["en"]).get(f"{family}.{value}", verbatim(value.replace("_", " ")))


def verbatim(text: str) -> str:
    """Somebody's text, readable as it was typed and meaning nothing as markdown."""
    lines = (texts.at_line_start(texts.literal(line.strip())) for line in dropped(text).split("\n"))
    return "\n".join(filter(None, lines))


def clipped(text: str, most: int) -> str:
    """A text in at most so many characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def press(lang: str, *which: str) -> tuple[Choice, ...]:
    """The buttons of these ids."""
    return tuple(Choice(id, say(lang, f"press.{id.rpartition(':')[2]}")) for id in which)


# ---------------------------------------------------------------- a new conversation


def title(packet: Packet, lang: str) -> str:
    """The name of a topic, in plain words."""
    reason, name = word(lang, "reason", packet.reason), str(packet.customer.get("name") or say(lang, "somebody"))
    return clipped(say(lang, "title", number=packet.number, reason=reason, name=name), 120)


def head(packet: Packet, lang: str, owner: tuple[str, str] = ("", "")) -> Reply:
    """What stands above the thread: what it is about, and the button to take it.

    ``owner``: who has it already, by his id on the platform ("" = not known) and by name.
    """
    reason, name = word(lang, "reason", packet.reason), str(packet.customer.get("name") or say(lang, "somebody"))
    priority = word(lang, "priority", str(packet.priority))
    lines = [say(lang, "head", number=packet.number, reason=reason, priority=priority, name=verbatim(name))]
    if packet.question:
        lines.append(say(lang, "question", text=verbatim(clipped(packet.question, QUESTION))))
    lines += [say(lang, "has", name=mention(owner[0], verbatim(owner[1])))] if owner[1] else []
    return Reply("\n".join(lines), () if owner[1] else press(lang, CLAIM))


def details(packet: Packet, lang: str, zone: ZoneInfo, forms: Forms) -> str:
    """All there is to know: what was said, tried and told, who he is, what is open and promised."""
    told = [f"{forms.called('known', name, lang) or name}: {value}" for name, value in packet.slots.items()]
    facts = [str(value) for key, value in packet.customer.items() if key != "language"]
    pieces = {
        "packet.tried": ("entries", [f"{entry} ({confidence:.0%})" for entry, confidence in packet.tried]),
        "packet.slots": ("slots", told),
        "packet.customer": ("facts", facts),
        "packet.tickets": ("tickets", [f"{t['number']} {clipped(t['subject'], 60)}" for t in packet.tickets]),
        "packet.promises": ("promises", [f"{p['text']} ({clock(p['due_at'], zone)})" for p in packet.promises]),
        "packet.products": ("products", [" ".join(one.values()) for one in packet.products]),
        "packet.notes": ("notes", [f"{name}: {clipped(text, 200)}" for name, text in packet.notes]),
        "packet.rated": ("score", [str(packet.rated)] if packet.rated else []),
        "packet.language": ("language", [word(lang, "language", packet.language)] if packet.language else []),
    }
    said = [say(lang, key, **{place: verbatim("; ".join(it))}) for key, (place, it) in pieces.items() if it]
    talk = [f"{_SIGNS.get(author, '👤')} {clipped(verbatim(text), 300)}" for author, text in packet.lines if text]
    said += [say(lang, "packet.summary") + "\n" + "\n".join(talk)] if talk else []
    return "\n\n".join([*said, say(lang, "packet.hint")])


_SIGNS: Final = {"bot": "🤖", "system": "ℹ️", "agent": "💬"}


# ---------------------------------------------------------------- what happens in it


def spoken(row: Mapping[str, Any], lang: str, customer: str, agents: Mapping[int, str], *, here: bool) -> str:
    """A message of the conversation; the bot's and our own words are markdown, the customer's are only his.

    ``here``: an agent sent it from this desk, by a command or a button.
    """
    author = str(row["author"])
    text = verbatim(row["text"]) if author in ("customer", "agent") else dropped(row["text"])
    name = agents.get(row["agent_id"] or 0, "") if author == "agent" else customer
    key = "sent" if here else AUTHORS[author]
    return say(lang, key, name=verbatim(name or say(lang, "somebody")), text=text)


def course(
    data: Mapping[str, Any], kind: str, lang: str, agents: Mapping[int, tuple[str, str]]
) -> tuple[str, tuple[Choice, ...]]:
    """Who has the conversation from now on, or that it is closed or open again; with what can be done about it.

    ``agents``: everybody's id on the platform ("" = not known) and name.
    """
    reason = word(lang, "reason", str(data.get("reason") or "agent"))
    if kind == "closed":
        return say(lang, "closed", reason=reason), ()
    if kind == "reopened":
        return say(lang, "reopened"), ()
    match data.get("owner"):
        case "queue":
            return say(lang, "waits", reason=reason), press(lang, CLAIM)
        case "bot":
            return say(lang, "bot"), ()
    who, name = agents.get(data.get("agent") or 0, ("", "?"))
    lines = [say(lang, "has", name=mention(who, verbatim(name)))]
    if gone := data.get("withdrawn"):
        lines.append(say(lang, "withdrawn", n=len(gone)))
    return "\n".join(lines), press(lang, BACK, CLOSE)


def joined(items: Sequence[Item]) -> tuple[Reply, dict[str, Any], int]:
    """The first of them as one message, what is told with it, and how many they are."""
    first, *others = items
    taken = [first]
    size = len(first.text)
    for one in others:
        before = taken[-1]
        size += len(one.text)
        if before.files or before.choices or size > ROOM:
            break
        taken.append(one)
    mark: dict[str, Any] = {}
    for one in taken:
        mark |= one.mark
    last = taken[-1]
    return Reply("\n\n".join(one.text for one in taken if one.text), last.choices, last.files), mark, len(taken)


def clock(at: float, zone: ZoneInfo) -> str:
    """A moment by the company's clock."""
    return f"{datetime.fromtimestamp(at, zone):%m-%d %H:%M}"
