"""Repairs typing errors in a question, towards the words the FAQ knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.normal import WORDS

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORTEST = 4  # letters; shorter words have too many neighbours
OFTEN = 3  # times the FAQ has a word that English does not know, for it to be a word and no slip
FAR = 8  # letters from which two errors are believed


@cache
def english() -> dict[str, int]:
    """The commonest English words and their rank."""
    return {word: rank for rank, word in enumerate((WORDS / "english.txt").read_text(encoding="ascii").split())}


@cache
def shortened() -> dict[str, str]:
    """Words such as don't by how they are typed in a hurry, where that is no other word that anybody uses."""
    found = {word.replace("'", ""): word for word in english() if "'" in word}
    return {typed: word for typed, word in found.items() if typed not in english() or typed in ("cant", "wont")}


class Speller:
    """``repair`` turns a word that neither the FAQ nor English knows into its nearest known one."""

    def __init__(self, texts: Iterable[Sequence[str]]) -> None:
        counts = Counter(word for text in texts for word in text if word.isascii() and word.isalpha())
        sure = sorted(w for w in counts if len(w) >= SHORTEST - 1 and (w in english() or counts[w] >= OFTEN))
        self.own = frozenset(w for w in counts if w in english() or not self._slip(w, sure, counts))
        self._long = sorted(w for w in self.own if len(w) >= SHORTEST - 1)

    @staticmethod
    def _slip(word: str, sure: list[str], counts: Counter[str]) -> bool:
        """Did the admin mistype it, or write it as customers do? Then the commoner word is meant here too."""
        if len(word) < SHORTEST:
            return False
        near = process.extract(word, sure, scorer=OSA.distance, score_cutoff=1, limit=3)
        return any(counts[other] > counts[word] for other, _, _ in near if other != word)

    def repair(self, words: list[str]) -> list[str]:
        """The same words, the misspelt ones put right."""
        return [shortened().get(w) or (self._nearest(w) if self._strange(w) else w) for w in words]

    def _strange(self, word: str) -> bool:
        known = word in self.own or word in english()
        return not known and SHORTEST <= len(word) <= 30 and word.isascii() and word.isalpha()

    def _nearest(self, word: str) -> str:
        near = process.extractOne(word, self._long, scorer=OSA.distance, score_cutoff=1)
        if near:
            return str(near[0])
        general = [w for w in neighbours(word) if w in english()]
        if general:
            return min(general, key=lambda w: (english()[w], w))
        if len(word) >= FAR and (far := process.extractOne(word, self._long, scorer=OSA.distance, score_cutoff=2)):
            return str(far[0])
        return word


def neighbours(word: str) -> Iterator[str]:
    """All that one missing, doubled, wrong or swapped letter may have made ``word`` from."""
    for i in range(len(word) + 1):
        head, tail = word[:i], word[i:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
