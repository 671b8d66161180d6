"""Attachments, kept once per content under ``<sha[:2]>/<sha>`` and known outside by random ids only."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from bot.messages import Attachment
from bot.text import clean

SHOWN = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})  # may be displayed; all else is a download
ACCEPTED = tuple(  # unless config.yaml says otherwise
    (
        "image/png image/jpeg image/webp image/gif application/pdf text/plain"
        " audio/ogg audio/mpeg audio/amr audio/wav video/mp4 video/webm"
    ).split()
)
_HEAD = 4096  # bytes that tell the type
_PIECE = 256 << 10  # bytes written at a time: few trips to the thread, little memory
_ABANDONED = 3600.0  # s after which an unfinished upload is nobody's
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # in no text of any encoding we meet (UTF-8, GBK, Latin)
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # with them "exe.png" can end in .exe
_OFFICE = "application/vnd.openxmlformats-officedocument."
_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
)
RECOGNISED = frozenset({"text/plain", *(kind for _, _, kind in _SIGNATURES)}) | {
    f"{_OFFICE}{kind}" for kind in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")
}  # what ``type_of`` can tell


class FileRefused(Exception):
    """The file is not taken; the message says why and is fit for the customer.

    FileRefused
    ├── TooLarge
    ├── WrongType
    └── Empty
    """


class TooLarge(FileRefused):
    """More bytes than ``limits.file_bytes``."""


class WrongType(FileRefused):
    """A type that is not among ``limits.file_types``."""


class Empty(FileRefused):
    """No bytes at all."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The row of one attachment; ``owner`` is the address key of the chat it belongs to."""

    id: str
    sha256: str
    name: str
    type: str
    size: int
    owner: str

    @property
    def attachment(self) -> Attachment:
        """What the rest of the house sees of it."""
        return Attachment(self.id, self.name, self.type, self.size)


class Files:
    """The attachment store: bytes here on the disk, rows wherever ``save`` and ``load`` keep them."""

    def __init__(
        self,
        root: Path,
        save: Callable[[StoredFile, float], Awaitable[None]],
        load: Callable[[str], Awaitable[StoredFile | None]],
        *,
        limit: int,
        types: tuple[str, ...],
    ) -> None:
        self._root, self._save, self._load = root, save, load
        self.limit, self._types = limit, types
        self._incoming = root / "incoming"
        self._make_room()
        self._forget_abandoned()

    async def put(self, stream: AsyncIterator[bytes], name: str, declared: str, owner: str) -> Attachment:
        """Keep what the stream brings under a new id; raises FileRefused."""
        return await self.keep(secrets.token_urlsafe(18), stream, name, declared, owner)

    async def keep(self, id: str, stream: AsyncIterator[bytes], name: str, declared: str, owner: str) -> Attachment:
        """Keep it under an id that was given out already; raises FileRefused.

        Nothing half-written is ever seen under a final name.
        """
        partial = self._incoming / secrets.token_hex(16)
        try:
            size, sha, head = await self._write(stream, partial)
            found = type_of(head, declared)
            if found not in self._types:
                raise WrongType(f"files of this kind ({found}) are not accepted")
            await asyncio.to_thread(self._settle, partial, sha)
        finally:
            await asyncio.to_thread(partial.unlink, missing_ok=True)
        kept = StoredFile(id, sha, safe_name(name), found, size, owner)
        await self._save(kept, time.time())
        return kept.attachment

    async def lend(self, id: str, owner: str, to: str) -> Attachment | None:
        """The same file for another chat, or desk, under an id of its own; None for a foreign or unknown one."""
        kept = await self._load(id)
        if kept is None or kept.owner != owner:
            return None
        mark = hashlib.blake2b(f"{id}\0{to}".encode(), digest_size=18).digest()
        copy = replace(kept, id=base64.urlsafe_b64encode(mark).decode(), owner=to)
        await self._save(copy, time.time())
        return copy.attachment

    async def open(self, id: str, owner: str) -> tuple[Attachment, Path] | None:
        """The attachment and where its bytes are; None for a foreign or unknown one, which look the same."""
        kept = await self._load(id)
        if kept is None or kept.owner != owner:
            return None
        return kept.attachment, self._place(kept.sha256)

    def _place(self, sha: str) -> Path:
        return self._root / sha[:2] / sha

    async def _write(self, stream: AsyncIterator[bytes], partial: Path) -> tuple[int, str, bytes]:
        """Size, SHA-256 and first bytes of what was written to ``partial`` and is on the disk."""
        digest, size, head, waiting = hashlib.sha256(), 0, b"", bytearray()
        file = await asyncio.to_thread(self._begin, partial)
        try:
            async for chunk in stream:
                size += len(chunk)
                if size > self.limit:
                    raise TooLarge(f"the file is larger than {self.limit / (1 << 20):.0f} MB")
                digest.update(chunk)
                waiting += chunk
                if len(waiting) >= _PIECE:
                    head = head or bytes(waiting[:_HEAD])
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            head = head or bytes(waiting[:_HEAD])
            await asyncio.to_thread(_finish, file, bytes(waiting))
        finally:
            file.close()
        if not size:
            raise Empty("the file is empty")
        return size, digest.hexdigest(), head

    def _begin(self, partial: Path) -> IO[bytes]:
        self._make_room()
        return partial.open("wb")

    def _make_room(self) -> None:
        """The folders, also when somebody has tidied them away."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)  # what customers send is nobody else's
        self._incoming.mkdir(exist_ok=True)

    def _settle(self, partial: Path, sha: str) -> None:
        final = self._place(sha)
        final.parent.mkdir(exist_ok=True)
        if not final.exists():
            partial.replace(final)
            _sync(final.parent)
            _sync(self._root)

    def _forget_abandoned(self) -> None:
        before = time.time() - _ABANDONED
        for partial in self._incoming.iterdir():
            with suppress(FileNotFoundError):  # another process begins, too
                if partial.stat().st_mtime < before:
                    partial.unlink()


def type_of(head: bytes, declared: str = "") -> str:
    """The type by the first bytes; what the sender declares only tells one office document from another."""
    for at, mark, kind in _SIGNATURES:
        if head[at : at + len(mark)] == mark:
            return declared if kind == "application/zip" and declared.startswith(_OFFICE) else kind
    return "application/octet-stream" if _BINARY.search(head) else "text/plain"


def safe_name(name: str) -> str:
    """A file name to show and to offer for saving: one line, no path, no turned letters, never empty."""
    last = _TURNING.sub("", clean(name)).replace("\\", "/").rsplit("/", 1)[-1]
    stem = " ".join(last.split()).strip(". ")
    if len(stem) > 120:
        stem = stem[:80] + "…" + stem[-39:]
    return stem or "file"


def _finish(file: IO[bytes], rest: bytes) -> None:
    file.write(rest)
    file.flush()
    os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
