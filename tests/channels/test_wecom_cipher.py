"""WeCom's cipher and envelope: Tencent's own vectors, wechatpy as the other side, and what is no callback at all."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher as Aes
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpy.work.crypto import WeChatCrypto

from channels.wecom.cipher import Cipher, Forged
from channels.wecom.envelope import Unreadable, fields
from tests.wire.wecom import as_xml, sealed

# The values of Tencent's sample code (WXBizMsgCrypt)
TOKEN, KEY, ID = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
CHECK = {
    "signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    "timestamp": "1409659589",
    "nonce": "263014780",
    "sealed": "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
}
POST = {
    "signature": "477715d11cdb4164915debcba66cb864d751f3e6",
    "timestamp": "1409659813",
    "nonce": "1372623149",
    "sealed": "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/"
    "sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2"
    "hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQ"
    "Uax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHB"
    "ZZIs2pDBS8R07+qN+E7Q==",
}
OURS = Cipher(TOKEN, KEY, ID)
THEIRS = WeChatCrypto(TOKEN, KEY, ID)


def test_tencents_vectors_open() -> None:
    assert OURS.open(**CHECK) == b"1616140317555161061"
    said = fields(OURS.open(**POST))
    assert (said["MsgType"], said["Content"], said["FromUserName"]) == ("text", "hello", "mycreate")
    assert said["MsgId"] == "4561255354251345929"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text("0123456789abcdef", min_size=1, max_size=20))
def test_what_wechatpy_seals_opens(words: str, nonce: str) -> None:
    body, signature = sealed(THEIRS, words.strip() or "x", nonce, "1700000000")
    encrypted = fields(body.encode())["Encrypt"]
    assert OURS.open(signature, "1700000000", nonce, encrypted) == (words.strip() or "x").encode()
    echo = str(THEIRS.check_signature(signature, "1700000000", nonce, encrypted))
    assert echo.encode() == OURS.open(signature, "1700000000", nonce, encrypted)


def again(plain: bytes, *, pad: bytes | None = None) -> dict[str, str]:
    """Sealed with our key and a good signature, whatever is inside."""
    key = b64decode(KEY + "=")
    fill = 32 - len(plain) % 32
    aes = Aes(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    words = b64encode(aes.update(plain + (bytes([fill]) * fill if pad is None else pad)) + aes.finalize()).decode()
    return {"signature": OURS.signature("1", "2", words), "timestamp": "1", "nonce": "2", "sealed": words}


def inside(words: bytes, receive_id: bytes = ID.encode(), size: int | None = None) -> bytes:
    length = len(words) if size is None else size
    return b"r" * 16 + length.to_bytes(4, "big") + words + receive_id


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({**POST, "signature": POST["signature"][:-1] + "0"}, "signature"),
        ({**POST, "signature": ""}, "signature"),
        ({**POST, "signature": "é" * 40}, "signature"),
        ({**POST, "timestamp": "1409659814"}, "signature"),
        ({**POST, "nonce": "\ud800"}, "signature"),
        ({**POST, "sealed": CHECK["sealed"]}, "signature"),
        (again(inside(b"x", b"ww-of-somebody-else")), "receive id"),
        (again(inside(b"x", b"")), "receive id"),
        (again(inside(b"x", size=2**31)), "receive id"),
        (again(inside(b"x", size=0)), "receive id"),
        (again(b"r" * 32, pad=b""), "padding"),
        (again(b"r" * 31, pad=b"\0"), "padding"),
        (again(b"r" * 31, pad=b"\x21"), "padding"),
        (again(b"r" * 30, pad=b"\x01\x02"), "padding"),
    ],
)
def test_a_forgery_is_none_of_ours(changed: dict[str, str], why: str) -> None:
    with pytest.raises(Forged, match=why):
        OURS.open(**changed)


@pytest.mark.parametrize("words", ["", "AAAA", "=", "é", "A" * 63, b64encode(b"x" * 40).decode()])
def test_what_is_no_ciphertext_is_refused(words: str) -> None:
    with pytest.raises(Forged):
        OURS.open(OURS.signature("1", "2", words), "1", "2", words)


@pytest.mark.parametrize("key", ["", KEY[:-1], KEY + "=", "你" * 43, KEY[:-1] + "/"])
def test_a_key_that_is_none_is_named(key: str) -> None:
    with pytest.raises(ValueError, match="EncodingAESKey"):
        Cipher(TOKEN, key, ID)


def test_the_envelope_is_flat() -> None:
    xml = as_xml({"A": "1]]>2 <!DOCTYPE x>", "B": {"C": "深", "D": 5}})
    assert fields(xml.encode()) == {"A": "1]]>2 <!DOCTYPE x>", "B/C": "深", "B/D": "5", "B": ""}


BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]><xml><A>&b;</A></xml>"


@pytest.mark.parametrize(
    "xml",
    [
        BOMB.encode(),
        b"\xff\xfe" + BOMB.encode("utf-16-le"),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml/>',
        b"<!DOCTYPE x><xml/>",
        b"<xml><A></xml>",
        b"",
        b"{}",
        b"<xml>&x;</xml>",
        b"<a>" * 5000,
        b"\xff" * 20,
    ],
)
def test_what_could_harm_is_not_parsed(xml: bytes) -> None:
    with pytest.raises(Unreadable):
        fields(xml)
