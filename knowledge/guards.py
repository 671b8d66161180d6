"""Reasons why an entry that looks right must not be given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from knowledge.faq import Entry
from knowledge.normal import models, normal

_REFUSES = re.compile(
    r"\b(?:do not|don't|dont|did not|didn't|didnt|never|not) "
    r"(?:want|wanna|wish|need|mean|intend|plan|have|going|asking|asked)\b"
    r"|\binstead of \w+ing\b"
    r"|不想要?(?!了)|不要(?!了)|不用|不需要|无需|不打算|不是要|不是想|别(?=[再给让帮把去用])"
)


def refuses(text: str) -> bool:
    """Does a normalised text say what is *not* wanted? "It does not work" is a fault, not a refusal."""
    return bool(_REFUSES.search(text))


def own_models(entry: Entry) -> frozenset[str]:
    """The model numbers an entry is about: its products, or what most of its questions name."""
    if entry.products:
        return frozenset(m for p in entry.products for m in models(re.sub(r"[ -]", "", normal(p))))
    named = [models(normal(q)) for texts in entry.questions.values() for q in texts]
    return frozenset(m for m in frozenset().union(*named) if 2 * sum(m in n for n in named) > len(named))


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom an entry is, and until when."""

    entry: Entry
    models: frozenset[str]
    products: frozenset[str]

    @classmethod
    def of(cls, entry: Entry) -> Scope:
        """Read off an entry."""
        return cls(entry, own_models(entry), frozenset(map(normal, entry.products)))

    def objection(self, asked: frozenset[str], owned: frozenset[str], today: date | None) -> str:
        """Why it is not for this question or customer, "" = it is. ``asked`` are the models the question names."""
        if today and not self.entry.valid_on(today):
            return f"not valid on {today}"
        if asked and self.models and not asked & self.models:
            return f"is about {', '.join(sorted(self.models))}, not {', '.join(sorted(asked))}"
        if owned and self.products and not asked and not owned & self.products:
            return f"is for {', '.join(self.entry.products)} only"
        return ""
