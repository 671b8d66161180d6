"""How one FAQ wants texts to be read: its model numbers in one piece, its synonyms as one word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from knowledge.normal import CJK, models, normal

_CJK = re.compile(f"[{CJK}]")


class Wording:
    """Normalises texts for one FAQ; examples and questions alike."""

    def __init__(self, texts: Iterable[str], synonyms: Mapping[str, tuple[tuple[str, ...], ...]]) -> None:
        self.models = frozenset(m for text in texts for m in models(normal(text)))
        self._words = {normal(w): normal(g[0]) for groups in synonyms.values() for g in groups for w in g[1:]}
        longest_first = sorted(self._words, key=lambda w: (-len(w), w))
        anywhere = [re.escape(word) for word in longest_first if _CJK.search(word)]
        whole = "|".join(re.escape(word) for word in longest_first if not _CJK.search(word))
        if whole:  # a Latin word counts only as a whole, one with Chinese characters anywhere, and before its beginning
            anywhere.append(rf"(?<![a-z0-9])(?:{whole})(?![a-z0-9])")
        self._pattern = re.compile("|".join(anywhere)) if anywhere else None

    def __call__(self, text: str) -> str:
        """The text as it is compared."""
        plain = normal(text, self.models)
        return self._pattern.sub(lambda m: self._words[m[0]], plain) if self._pattern else plain
