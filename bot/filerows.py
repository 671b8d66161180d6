"""How the rows of attachments are kept."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from bot.bulk import insert
from bot.config import Limits
from bot.files import Files, StoredFile
from bot.store import Store
from bot.tables import file


def files(store: Store, folder: Path, limits: Limits) -> Files:
    """The attachments, their bytes in a folder and their rows in the database."""
    names = tuple(StoredFile.__dataclass_fields__)

    async def save(kept: StoredFile, at: float) -> None:
        row = {name: getattr(kept, name) for name in names}
        new = insert(file).values(**row, created_at=at).on_conflict_do_nothing()  # kept already under this id: fine
        await store.write(lambda c: c.execute(new), first=True)

    async def load(which: str) -> StoredFile | None:
        query = select(*(file.c[name] for name in names)).where(file.c.id == which)
        found = await store.read(lambda c: c.execute(query).first())
        return StoredFile(*found) if found else None

    return Files(folder, save, load, limit=limits.file_bytes, types=limits.file_types)
