"""How the rows of attachments are kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from bot.bulk import insert
from bot.files import Kept
from bot.store import Store
from bot.tables import file


def of(store: Store) -> tuple[Any, Any]:
    """What saves the row of an attachment, and what loads it."""
    names = tuple(Kept.__dataclass_fields__)

    async def save(kept: Kept, at: float) -> None:
        row = {name: getattr(kept, name) for name in names}
        new = insert(file).values(**row, created_at=at).on_conflict_do_nothing()  # kept already under this id: fine
        await store.write(lambda c: c.execute(new), first=True)

    async def load(which: str) -> Kept | None:
        query = select(*(file.c[name] for name in names)).where(file.c.id == which)
        found = await store.read(lambda c: c.execute(query).first())
        return Kept(*found) if found else None

    return save, load
