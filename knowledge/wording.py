"""How one FAQ wants texts to be read: its model numbers in one piece, its synonyms as one word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from knowledge.normal import CJK, models, normal


class Wording:
    """Normalises texts for one FAQ; examples and questions alike."""

    def __init__(self, texts: Iterable[str], synonyms: Mapping[str, tuple[tuple[str, ...], ...]]) -> None:
        self.models = frozenset(m for text in texts for m in models(normal(text)))
        self._words = {normal(w): normal(g[0]) for groups in synonyms.values() for g in groups for w in g[1:]}
        longest_first = sorted(self._words, key=lambda w: (-len(w), w))
        self._pattern = re.compile("|".join(map(_whole, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """The text as it is compared."""
        plain = normal(text, self.models)
        return self._pattern.sub(lambda m: self._words[m[0]], plain) if self._pattern else plain


def _whole(word: str) -> str:
    """A Latin word counts only as a whole, a Chinese one anywhere."""
    escaped = re.escape(word)
    return escaped if re.search(f"[{CJK}]", word) else rf"(?<![a-z0-9]){escaped}(?![a-z0-9])"
