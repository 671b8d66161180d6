"""English words in a Chinese sentence (帮我cancel一下), read as their Chinese ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAMED = "(?:指示灯|灯|键|按[钮键]|开关|模式|页|主?菜单|首页|邮箱|接口|端口)"  # of such a thing the word is the name
_APART = re.compile(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])")


@dataclass(frozen=True, slots=True)
class Mixed:
    """The words that are known in both languages."""

    words: Mapping[str, str]
    form: re.Pattern[str]

    def in_chinese(self, text: str) -> str:
        """The sentence with these words in Chinese; any other is as it was."""
        found, many = self.form.subn(lambda word: self.words[word[0].lower()], text)
        return _APART.sub("", found) if many else text


def mixed(words: Mapping[str, str]) -> Mixed:
    """From English words and what they mean in Chinese; the longest that stands in a text is meant."""
    small = {word.lower(): meaning for word, meaning in words.items()}
    known = "|".join(re.escape(word) for word in sorted(small, key=len, reverse=True)) or "(?!)"
    return Mixed(small, re.compile(rf"(?<![a-z0-9_-])(?:{known})(?![a-z0-9_-]| ?{_NAMED})", re.IGNORECASE | re.ASCII))
