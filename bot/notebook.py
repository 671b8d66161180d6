"""The notebook of a channel: what it must not forget (offsets, cursors, tokens), encrypted in the database."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select

from bot.bulk import insert as upsert
from bot.storable import fits
from bot.tables import note

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class Notebook:
    """Encrypts with a key made from the house's secret; a note of another secret reads as none."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.blake2b(secret.encode(), digest_size=32, person=b"notes").digest()

    @cached_property
    def _fernet(self) -> Fernet:
        from cryptography.fernet import Fernet  # 6 MB, needed by platforms' channels only

        return Fernet(base64.urlsafe_b64encode(self._key))

    def get(self, connection: Connection, channel: str, key: str) -> bytes | None:
        """The note by this key, None if there is none or it has expired."""
        found = connection.execute(select(note).where(note.c.channel == channel, note.c.key == key)).first()
        return self._read(found) if found else None

    def find(self, connection: Connection, channel: str, prefix: str) -> dict[str, bytes]:
        """The notes whose keys begin with ``prefix``, by key."""
        chosen = select(note).where(note.c.channel == channel, note.c.key.startswith(prefix, autoescape=True))
        read = {row.key: self._read(row) for row in connection.execute(chosen.order_by(note.c.key))}
        return {key: value for key, value in read.items() if value is not None}

    def _read(self, row: Any) -> bytes | None:
        if row.expires_at is not None and row.expires_at < time.time():
            return None
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(row.value)
        except InvalidToken:
            return None

    def put(
        self, connection: Connection, channel: str, notes: Mapping[str, bytes | None], expires: float | None = None
    ) -> None:
        """Write notes, in the caller's transaction; None tears one out. ``expires``: UTC seconds since 1970.

        A key that no column holds is made of a name nobody has: what came with it is kept without it.
        """
        for key, value in notes.items():
            if not fits(key):
                continue
            if value is None:
                connection.execute(delete(note).where(note.c.channel == channel, note.c.key == key))
                continue
            row = {"channel": channel, "key": key, "value": self._fernet.encrypt(value), "expires_at": expires}
            new = upsert(note).values(row)
            changed = {"value": row["value"], "expires_at": expires}
            connection.execute(new.on_conflict_do_update(index_elements=["channel", "key"], set_=changed))
