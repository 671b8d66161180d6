"""The commands a customer may type, what they mean to the engine, and the few words this channel says by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.messages import Kind

FROM_GROUP: Final = "group"  # https://t.me/<bot>?start=group: what is personal goes on in private
DEFAULT: Final = "en"  # shown to whoever reads none of the languages below


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the engine is told instead of a command."""

    kind: Kind = Kind.TEXT
    text: str = ""
    choice: str = ""


COMMANDS: Final = {  # what a customer sees when he types "/", per language
    "start": {"en": "Say hello", "zh": "开始"},
    "help": {"en": "What I can do", "zh": "我能做什么"},
    "human": {"en": "Talk to a person", "zh": "转人工"},
    "ticket": {"en": "Open a ticket", "zh": "提交工单"},
    "status": {"en": "How is my ticket?", "zh": "查询工单进度"},
    "language": {"en": "Change the language", "zh": "切换语言"},
    "stop": {"en": "Stop writing to me", "zh": "停止消息"},
}
ABOUT: Final = {  # shown before the first word is written; {company} is the company's name
    "en": "Customer support of {company}. Ask me anything about your product; I can also call a person.",
    "zh": "{company}售后支持。产品问题请直接发给我,也可以随时转人工。",
}
NOT_YOURS: Final = {  # at most 200 characters
    "en": "These buttons belong to somebody else's question. Please ask me yourself.",
    "zh": "这是别人提问的按钮,请直接向我提问。",
}

_PRESSES: Final = {"help": "do:help", "human": "do:human", "ticket": "do:ticket", "status": "do:ticket_status"}
_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?", re.DOTALL)
_LINK: Final = re.compile(r"(ans|do|lang)-([A-Za-z0-9_-]{1,55})")  # https://t.me/<bot>?start=ans-<entry>
_NUMBER: Final = re.compile(r"[A-Za-z0-9-]{1,40}")


def command(text: str) -> tuple[str, str, str] | None:
    """Its name, the bot it names ("" = any) and what follows; None if the text is no command."""
    found = _COMMAND.fullmatch(text)
    return (found[1].lower(), (found[2] or "").lower(), (found[3] or "").strip()) if found else None


def meaning(name: str, rest: str) -> Meaning | None:
    """What a command means; None for one we do not know, which is then just text."""
    if name == "start":
        if rest == FROM_GROUP:
            return Meaning(Kind.CHOICE, choice="do:help")
        link = _LINK.fullmatch(rest)
        return Meaning(Kind.CHOICE, choice=f"{link[1]}:{link[2]}") if link else Meaning(Kind.HELLO)
    if name == "stop":
        return Meaning(text="stop")
    if name == "language":
        known = rest.lower() in ABOUT
        return Meaning(Kind.CHOICE, choice=f"lang:{rest.lower()}" if known else "do:language")
    if name == "status" and _NUMBER.fullmatch(rest):
        return Meaning(Kind.CHOICE, choice=f"do:ticket_status:{rest.upper()}")
    return Meaning(Kind.CHOICE, choice=_PRESSES[name]) if name in _PRESSES else None


def spoken(words: dict[str, str], language: str) -> str:
    """The words in the language somebody reads, as far as we have them."""
    return words.get(language.lower().partition("-")[0], words[DEFAULT])
