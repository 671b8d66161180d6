"""Makes the word tables beside this file from public sources; run by hand, never at run time.

``python knowledge/words/derive.py FREQUENCY_DICTIONARY ENCODER`` needs pypinyin, opencc-python-reimplemented and
sentence-transformers installed. Sources and licences are in README.md here.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
ENGLISH = 30_000  # words: what people write, not what a dictionary lists
MEANING = 128  # numbers per word: 384 match half a point better and take three times the room
SHORTENED = (
    "i'm you're he's she's it's we're they're i've you've we've they've i'll you'll he'll she'll it'll we'll they'll "
    "i'd you'd he'd she'd we'd they'd isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't "
    "couldn't won't wouldn't shouldn't mustn't needn't ain't that's there's here's what's where's who's how's let's"
)


def english(frequencies: Path) -> list[str]:
    """The commonest words, commonest first, and how they are shortened."""
    lines = (line.split() for line in frequencies.read_text(encoding="utf-8-sig").splitlines())
    ranked = sorted(((int(count), word) for word, count in lines), reverse=True)
    return [word for _, word in ranked if word.isascii() and word.isalpha()][:ENGLISH] + SHORTENED.split()


def common() -> list[str]:
    """The characters of GB 2312: all that simplified Chinese texts ordinarily use."""
    rows = (bytes((high, low)) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    return [c for pair in rows if (c := pair.decode("gb2312", "ignore"))]


def pinyin() -> list[str]:
    """One line per toneless syllable: the syllable, then its characters (first reading of each)."""
    from pypinyin import lazy_pinyin  # heavy (58 MB), needed here only

    syllables: dict[str, str] = {}
    for character in common():
        syllable = lazy_pinyin(character)[0]
        syllables[syllable] = syllables.get(syllable, "") + character
    return [f"{syllable} {characters}" for syllable, characters in sorted(syllables.items())]


def traditional() -> list[str]:
    """Two lines of equal length: traditional characters, and what each becomes in simplified Chinese."""
    import opencc

    table = Path(opencc.__file__).parent / "dictionary" / "TSCharacters.txt"
    pairs = [line.split() for line in table.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    single = [(a, b) for a, b, *_ in pairs if len(a) == len(b) == 1 and a != b]
    return ["".join(a for a, _ in single), "".join(b for _, b in single)]


def meaning(words: list[str], encoder: str) -> None:
    """Each word's sentence embedding, on the axes along which words differ most, as small whole numbers."""
    import numpy as np
    from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found,unused-ignore]

    rows = SentenceTransformer(encoder, device="cpu").encode(words, batch_size=256)
    rows = rows - rows.mean(0)
    axes = np.linalg.svd(rows, full_matrices=False)[2][:MEANING]
    flat = rows @ axes.T
    np.save(HERE / "meaning.npy", np.round(flat / np.abs(flat).max() * 127).astype(np.int8))


def write(name: str, lines: list[str]) -> None:
    """Save one table beside this file."""
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    words = english(Path(sys.argv[1]))
    write("english.txt", words)
    meaning(words, sys.argv[2])
    write("pinyin.txt", pinyin())
    write("traditional.txt", traditional())
