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
# Small words of Spanish, French, German, Portuguese and Italian that are no English ones.
_ABROAD = frozenset(
    "hola mi las una uno por para pero qué como cómo esta está estoy tengo quiero puede pueden puedo "
    "gracias hablo hablar funciona necesito ayuda bonjour je vous nous mon ma mes les des une est pas ne avec "
    "pour dans que quoi comment merci svp français marche bitte danke ich mein meine meinen der das ist nicht und "
    "ein eine wie kann haben habe mit auf deutsch funktioniert brauche hilfe "
    "besoin aide ajuda bisogno aiuto olá meu minha não estou tenho quero obrigado "
    "obrigada você preciso ciao mio mia non sono della il che posso grazie voglio italiano español português".split()
)
_MARKS = re.compile(r"[¿¡ñßãõçàèùìòéêáíóúäöüœ]", re.IGNORECASE)
_LETTERS = 4  # fewer decide nothing


def is_foreign(text: str) -> bool:
    """Whether it is written in neither language: in another script, or in the words of a neighbour of English."""
    text = text[:2000]
    words = _WORD.findall(text.casefold())
    abroad = len(_ABROAD.intersection(words)) + bool(_MARKS.search(text))
    if abroad >= 2 and abroad * 3 >= len(words) and not _HAN.search(text):
        return True
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
