"""What is odd about the answers as they are written: each is told with its place, and none of it stops anything."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from urllib.parse import urlsplit

from bot.strictyaml import Problem, suggest
from knowledge.faq import Entry, Faq
from knowledge.normal import chinese, normal

ENOUGH = 5  # examples per language and entry
LONGEST = 300  # characters of a question somebody would ask
SOON = timedelta(days=366)  # what begins later is likely a slip
SCHEMES = ("http", "https", "mailto", "tel")

_LINK = re.compile(r"\[[^\]]*\]\(([^)]*)(\)?)")
_ADDRESS = re.compile(r"https?://\S+")
_NUMBER = re.compile(r"\d+(?:,\d{3})+|\d+")


def doubts(faq: Faq, languages: Iterable[str] = (), today: date | None = None) -> list[Problem]:
    """What an admin should look at although the FAQ can be used."""
    topics = Counter(entry.topic for entry in faq.entries)
    return [
        Problem(e.file, e.line, f"{e.id}: {what}") for e in faq.entries for what in _of(e, topics, languages, today)
    ]


def _of(entry: Entry, topics: Counter[str], languages: Iterable[str], today: date | None) -> Iterator[str]:
    for language in languages or entry.questions:
        have = len(entry.questions.get(language, ()))
        if 0 < have < ENOUGH:
            yield f"only {have} example question{'s' * (have > 1)} in {language}; {ENOUGH} or more answer better"
    yield from _texts(entry)
    yield from _dates(entry, today)
    yield from _links(entry)
    yield from _numbers(entry)
    others = [topic for topic, many in topics.items() if many > 1 and topic != entry.topic]
    if topics[entry.topic] == 1 and (meant := suggest(entry.topic, others)).startswith("(did"):
        yield f"nothing else is about '{entry.topic}' {meant}"


def _texts(entry: Entry) -> Iterator[str]:
    """Texts in the wrong language, and questions nobody would ask."""
    for language in {**entry.answer, **entry.questions}:
        for text in (entry.answer.get(language, ""), *entry.questions.get(language, ())):
            if text and (chinese(normal(text)) == 0 if language == "zh" else chinese(normal(text)) > 0.5):
                yield f"“{text[:40]}” stands under '{language}' but is not written in it"
        for text in entry.questions.get(language, ()):
            if not any(c.isalnum() for c in normal(text)):
                yield f"“{text[:40]}” has no words; no question is like it"
            if len(text) > LONGEST:
                yield f"“{text[:40]}…” has {len(text)} characters; write it as a customer would ask"


def _dates(entry: Entry, today: date | None) -> Iterator[str]:
    first, last = entry.valid.first, entry.valid.last
    if today and last and last < today:
        yield f"expired on {last}; remove it or set a later 'to'"
    if today and first and first > today + SOON:
        yield f"is not given before {first}; is that year right?"


def _links(entry: Entry) -> Iterator[str]:
    targets = [(link.url, True) for link in entry.links]
    targets += [(target, bool(end)) for answer in entry.answer.values() for target, end in _LINK.findall(answer)]
    for target, closed in targets:
        parts = urlsplit(target) if closed else urlsplit("")
        web = parts.scheme in ("http", "https")
        if not closed:
            yield f"link '{target[:60]}' is never closed; a ')' is missing"
        elif parts.scheme not in SCHEMES or (web and "." not in parts.netloc) or not (parts.netloc or parts.path):
            yield f"link '{target}' leads nowhere; it should begin with https://, mailto: or tel:"


def _numbers(entry: Entry) -> Iterator[str]:
    """Each language has a number that the other lacks: one of them was changed, the other forgotten."""
    named = {language: _counted(answer) for language, answer in entry.answer.items()}
    first, *rest = named or {"": set[int]()}
    for other in rest:
        here, there = named[first], named[other]
        alone, also = sorted(n for n in here if not _said(n, there)), sorted(n for n in there if not _said(n, here))
        if alone and also:
            yield f"the answer says {_list(alone)} in '{first}' where it says {_list(also)} in '{other}'"


def _counted(answer: str) -> set[int]:
    return {int(number.replace(",", "")) for number in _NUMBER.findall(normal(_ADDRESS.sub(" ", answer)))}


def _said(number: int, others: set[int]) -> bool:
    """Is it among them, or what it is elsewhere: 8 p.m. is 20:00, and 15 % off is 85 折."""
    return not others.isdisjoint({number, number + 12, number - 12, 100 - number})


def _list(numbers: list[int]) -> str:
    return " and ".join(map(str, numbers[:3]))
