"""The seal on WeCom's callbacks: a signature over the parts, AES around the words, our own id inside."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode

from cryptography.hazmat.primitives.ciphers import Cipher as Aes
from cryptography.hazmat.primitives.ciphers import algorithms, modes

_BLOCK = 32  # bytes of PKCS#7, though AES itself has 16
_KEY = 43  # characters of an EncodingAESKey


class Forged(Exception):
    """What came was not sealed with our token and key, or not for us."""


class Cipher:
    """Opens what was sealed for ``receive_id``: the corp id. Raises ValueError for a key that is none."""

    def __init__(self, token: str, aes_key: str, receive_id: str) -> None:
        if len(aes_key) != _KEY or not aes_key.isascii() or not aes_key.isalnum():
            raise ValueError(f"wecom: aes_key must be the {_KEY} letters and digits of the EncodingAESKey")
        self._token, self._receive_id = token, receive_id.encode()
        self._key = b64decode(f"{aes_key}=")

    def signature(self, timestamp: str, nonce: str, sealed: str) -> str:
        """What WeCom puts into ``msg_signature``."""
        parts = "".join(sorted((self._token, timestamp, nonce, sealed)))
        return hashlib.sha1(parts.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()

    def open(self, signature: str, timestamp: str, nonce: str, sealed: str) -> bytes:
        """The words inside; raises Forged."""
        ours = self.signature(timestamp, nonce, sealed)
        if not hmac.compare_digest(ours.encode(), signature.encode("utf-8", "replace")):
            raise Forged("signature")
        padded = self._decrypted(sealed)
        pad = padded[-1]
        if not 1 <= pad <= _BLOCK or padded[-pad:] != bytes([pad]) * pad:
            raise Forged("padding")
        plain = padded[16:-pad]  # the first 16 bytes are random
        size = int.from_bytes(plain[:4])
        words, receive_id = plain[4 : 4 + size], plain[4 + size :]
        if len(words) != size or not hmac.compare_digest(receive_id, self._receive_id):
            raise Forged("receive id")
        return words

    def _decrypted(self, sealed: str) -> bytes:
        try:
            raw = b64decode(sealed, validate=True)
        except ValueError as error:
            raise Forged("base64") from error
        if len(raw) < _BLOCK or len(raw) % 16:
            raise Forged("length")
        aes = Aes(algorithms.AES(self._key), modes.CBC(self._key[:16])).decryptor()
        return aes.update(raw) + aes.finalize()
