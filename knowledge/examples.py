"""What is taught of every label: the examples that a question is compared with, and what else tells of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from knowledge.faq import Faq
from knowledge.normal import chinese
from knowledge.space import Example, Role
from knowledge.wording import Wording

Intents: TypeAlias = Mapping[str, Mapping[str, Sequence[str]]]  # name → language → examples
Taught: TypeAlias = tuple[str, str, str, Role]  # language, label, text, and what the text is to the label

INTENT = "intent:"
ELSEWHERE = INTENT + "elsewhere"  # the label of what the FAQ says it cannot answer: found, nothing is given

_MARKS = re.compile(r"https?://\S+|[*`#\[\]()]")  # what an answer has for the eye only
_JOINTS = re.compile(r"[-_./:\s]+|(?<=[a-z])(?=[A-Z])")
_NUMBER = re.compile(r"[\d\W]+")
_WORD = re.compile(r"[^\W\d_]{3}|[\u4e00-\u9fff]{2}")


def written(faq: Faq, intents: Intents) -> tuple[Wording, dict[str, list[Example]]]:
    """How texts are read, and the examples of each language that has questions."""
    texts = [*_answers(faq), *_names(faq), *_elsewhere(faq), *_intents(intents)]
    wording = Wording((text for _, _, text, _ in texts), faq.synonyms)
    by_language: dict[str, list[Example]] = {}
    for language, label, text, role in texts:
        plain = wording(text)
        plain = text if plain == text else plain  # one of them is kept
        by_language.setdefault(language, []).append(Example(label, text, plain, role))
    asked = {language for language, _, _, role in texts if role is Role.QUESTION}
    return wording, {language: examples for language, examples in by_language.items() if language in asked}


def _answers(faq: Faq) -> Iterable[Taught]:
    for entry in faq.entries:
        for role, texts in ((Role.QUESTION, entry.questions), (Role.AGAINST, entry.not_)):
            for language, questions in texts.items():
                yield from ((language, entry.id, question, role) for question in questions)
        for language, answer in entry.answer.items():
            yield language, entry.id, _MARKS.sub(" ", answer), Role.ANSWER


def _names(faq: Faq) -> Iterator[Taught]:
    """An entry's id in words, in the language it is written in; "faq-1" and "faq-2" are numbers and tell nothing."""
    numbered = Counter(_NUMBER.sub("", entry.id) for entry in faq.entries)
    for entry in faq.entries:
        name = " ".join(_JOINTS.sub(" ", entry.id).split()).lower()
        if not _WORD.search(name) or numbered[_NUMBER.sub("", entry.id)] > 1:
            continue
        spoken = ("zh",) if chinese(name) else (language for language in entry.questions if language != "zh")
        if language := next((one for one in spoken if one in entry.questions), ""):
            yield language, entry.id, name, Role.NAME


def _elsewhere(faq: Faq) -> Iterable[Taught]:
    for language, questions in faq.elsewhere.items():
        yield from ((language, ELSEWHERE, question, Role.QUESTION) for question in questions)


def _intents(intents: Intents) -> Iterable[Taught]:
    for name, texts in intents.items():
        for language, examples in texts.items():
            yield from ((language, INTENT + name, example, Role.QUESTION) for example in examples)
