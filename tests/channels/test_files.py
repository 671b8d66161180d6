"""The attachment store: what is kept, what is refused, who may see it."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files import Empty, Files, StoredFile, TooLarge, WrongType, safe_name, type_of
from bot.text import clean

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


async def in_pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.fixture
def rows() -> dict[str, StoredFile]:
    return {}


@pytest.fixture
def files(tmp_path: Path, rows: dict[str, StoredFile]) -> Files:
    return make(tmp_path, rows)


def make(root: Path, rows: dict[str, StoredFile]) -> Files:
    async def save(row: StoredFile, _at: float) -> None:
        rows[row.id] = row

    async def load(id: str) -> StoredFile | None:
        return rows.get(id)

    return Files(root, save, load, limit=600_000, types=("image/png", "application/pdf", "text/plain"))


def on_disk(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_files_are_taken_also_when_the_folder_was_tidied_away(files: Files, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    kept = await files.put(in_pieces(PNG), "a.png", "image/png", "chat-a")
    found = await files.open(kept.id, "chat-a")
    assert found is not None
    assert found[1].read_bytes() == PNG


async def test_a_file_comes_back_to_its_owner_only(files: Files, tmp_path: Path) -> None:
    data = PNG + os.urandom(400_000)
    kept = await files.put(in_pieces(data), "C:\\pictures\\lamp.png", "text/html", "chat-a")
    assert (kept.name, kept.type, kept.size) == ("lamp.png", "image/png", len(data))
    found = await files.open(kept.id, "chat-a")
    assert found is not None
    attachment, path = found
    assert attachment == kept
    assert path.read_bytes() == data
    assert path == tmp_path / path.name[:2] / hashlib.sha256(data).hexdigest()
    assert await files.open(kept.id, "chat-b") is None
    assert await files.open("invented", "chat-a") is None


def test_the_folder_of_what_customers_send_is_its_owners_alone(tmp_path: Path) -> None:
    make(tmp_path / "data" / "files", {})
    assert (tmp_path / "data" / "files").stat().st_mode & 0o777 == 0o700


async def test_equal_content_is_kept_once_under_two_ids(files: Files, tmp_path: Path) -> None:
    one = await files.put(in_pieces(PNG), "a.png", "", "chat-a")
    two = await files.put(in_pieces(PNG), "b.png", "", "chat-b")
    assert one.id != two.id
    assert len(on_disk(tmp_path)) == 1


@pytest.mark.parametrize(
    ("data", "refusal"),
    [(PNG * 10_000, TooLarge), (b"", Empty), (b"PK\x03\x04zip", WrongType), (b"\x7fELF\0", WrongType)],
)
async def test_what_is_refused_leaves_nothing(
    files: Files, tmp_path: Path, rows: dict[str, StoredFile], data: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await files.put(in_pieces(data), "x", "image/png", "chat-a")
    assert not on_disk(tmp_path)
    assert not rows


async def test_an_upload_that_breaks_off_leaves_nothing(files: Files, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PNG
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await files.put(broken(), "x.png", "", "chat-a")
    assert not on_disk(tmp_path)


def test_uploads_of_a_killed_process_are_forgotten_after_an_hour(tmp_path: Path) -> None:
    make(tmp_path, {})
    old, young = tmp_path / "incoming" / "old", tmp_path / "incoming" / "young"
    old.write_bytes(b"x")
    young.write_bytes(b"x")
    os.utime(old, (time.time() - 4000,) * 2)
    make(tmp_path, {})
    assert on_disk(tmp_path) == [young]


@pytest.mark.parametrize(
    ("head", "declared", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/png", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBP", "", "image/webp"),
        (b"GIF89a", "", "image/gif"),
        (b"%PDF-1.7", "", "application/pdf"),
        (b"<svg onload=alert(1)>", "image/svg+xml", "text/plain"),
        (b"<html>", "text/html", "text/plain"),
        ("日志".encode(), "", "text/plain"),
        ("日志".encode("gbk"), "", "text/plain"),
        (b"\0\0\0", "image/png", "application/octet-stream"),
        (b"PK\x03\x04", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", None),
        (b"PK\x03\x04", "text/html", "application/zip"),
    ],
)
def test_the_first_bytes_tell_the_type(head: bytes, declared: str, kind: str | None) -> None:
    assert type_of(head, declared) == (kind or declared)


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\0b\n.png", "ab .png"),
        ("", "file"),
        ("...", "file"),
        ("说明.pdf", "说明.pdf"),
        ("bill\u202egnp.exe", "billgnp.exe"),
    ],
)
def test_names(given_name: str, safe: str) -> None:
    assert safe_name(given_name) == safe


@given(st.text(st.characters(), max_size=400))
def test_any_name_is_one_line_without_a_path(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= 120
    assert "/" not in safe
    assert "\n" not in safe
    safe.encode()


def test_clean() -> None:
    assert clean("a\0b\r\nc\rd\te") == "ab\nc\nd\te"
    assert clean("\ud83d\ude00 \ud800") == "😀 \ufffd"
    assert clean("👩‍🔧 \u202eabc") == "👩‍🔧 \u202eabc"


@given(st.text(st.characters(), max_size=100))
def test_clean_text_can_be_kept(text: str) -> None:
    kept = clean(text)
    assert "\0" not in kept
    kept.encode()
    assert clean(kept) == kept
