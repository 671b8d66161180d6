"""What the customers say: buttons that need no matching, and questions of which no two are alike."""

from __future__ import annotations

import random
from collections.abc import Sequence

from knowledge.faq import Faq

OPENINGS = {
    "en": ("Hello, ", "hi there, ", "Good morning! ", "Excuse me, ", "A short question: ", "please help: ", ""),
    "zh": ("你好,", "您好,", "请问,", "麻烦问一下,", "客服在吗,", "想问一下,", ""),
}
ENDINGS = {
    "en": ("", " Thanks", " please", " It is urgent-ish", " My neighbour asks too", " (order {n})", " since day {n}"),
    "zh": ("", " 谢谢", " 麻烦了", " 急", " 邻居也想知道", "(订单{n})", " 第{n}天了"),
}


def buttons(faq: Faq) -> list[dict[str, str]]:
    """A press on every answer's button."""
    return [{"choice": f"ans:{entry.id}"} for entry in faq.entries]


def texts(faq: Faq, count: int, languages: Sequence[str] = ("en", "zh")) -> list[dict[str, str]]:
    """Free-text questions, all different, the FAQ's own in other words around them."""
    chance = random.Random(7)  # noqa: S311: the same questions in every run
    asked = [(lang, question) for e in faq.entries for lang in languages for question in e.questions.get(lang, ())]
    found: dict[str, None] = {}
    while len(found) < count:
        lang, question = chance.choice(asked)
        ending = chance.choice(ENDINGS[lang]).format(n=chance.randrange(10**6))
        found[chance.choice(OPENINGS[lang]) + question + ending] = None
    return [{"text": text} for text in found]
