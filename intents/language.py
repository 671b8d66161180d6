"""Which language a message is written in: told by its script, never guessed from a few letters."""

from __future__ import annotations

import re

_FOREIGN = re.compile(r"https?://\S{1,200}|\S{1,64}@\S{1,64}")  # links and addresses say nothing
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_OTHER = re.compile(r"[\u0370-\u1cff\u3040-\u30ff\uac00-\ud7af]")  # Greek to Thai, kana, Hangul
_WORD = re.compile(r"(?<![^\W_])[a-z\u00c0-\u024f]{2,40}(?![^\W\u3400-\uffff])", re.IGNORECASE)  # no digit in it

# Typed alike by people of every language.
_NEUTRAL = frozenset(
    "ok okay wifi wi fi wlan lan wan led app ios mac ip dns vpn usb poe ont olt nas tv pc sn id qq emoji hi bye".split()
)
_LETTERS = 4  # fewer decide nothing


def is_foreign(text: str) -> bool:
    """Whether it is written in a script of neither language: Japanese, Russian, Arabic …"""
    text = text[:2000]
    return len(_OTHER.findall(text)) * 4 > len(_HAN.findall(text)) + sum(map(len, _WORD.findall(text)))


def language(text: str) -> str:
    """``"zh"``, ``"en"``, or ``""`` where the script does not tell (digits, emoji, "ok", "AX3000", Japanese, …)."""
    text = _FOREIGN.sub(" ", text[:2000])
    words = [word for word in _WORD.findall(text) if word.casefold() not in _NEUTRAL]
    if is_foreign(text):
        return ""
    if (han := len(_HAN.findall(text))) and han >= len(words):
        return "zh"
    return "en" if sum(map(len, words)) >= _LETTERS else ""
