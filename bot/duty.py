"""What must be done by one process at a time is held by a lease row; who stops saying he is there loses it."""

from __future__ import annotations

import time
from contextlib import suppress

from sqlalchemy import Connection, delete, or_, update

from bot.bulk import insert as upsert
from bot.store import Away, Store
from bot.tables import lease

LIFE = 15.0  # seconds without a sign of life after which another process takes over
RENEW = 5.0  # seconds between two signs of life


class Duty:
    """One process's claim on a duty, e.g. sending for a channel."""

    def __init__(self, store: Store, name: str, holder: str) -> None:
        self._store, self.name, self._holder = store, name, holder
        self._renewed = 0.0
        self.held = False

    async def hold(self) -> bool:
        """Take the duty or say that we still have it; False while another process has it."""
        begun = time.monotonic()
        if self.held and begun - self._renewed < RENEW:
            return True
        try:
            self.held = await self._store.write(lambda c: _hold(c, self.name, self._holder, time.time()))
        except Away:
            self.held = False
        self._renewed = begun
        return self.held

    async def drop(self) -> None:
        """Let the next process take over at once."""
        if self.held:
            self.held = False
            mine = delete(lease).where(lease.c.name == self.name, lease.c.holder == self._holder)
            with suppress(Away):
                await self._store.write(lambda c: c.execute(mine))


def _hold(connection: Connection, name: str, holder: str, now: float) -> bool:
    row = {"name": name, "holder": holder, "until": now + LIFE}
    free = or_(lease.c.until < now, lease.c.holder == holder)
    claim = upsert(lease).values(row)
    claim = claim.on_conflict_do_update(
        index_elements=["name"], set_={"holder": holder, "until": now + LIFE}, where=free
    )
    if connection.scalar(claim.returning(lease.c.name)) is not None:
        return True
    wrong = lease.c.name == name, lease.c.until > now + 2 * LIFE  # it was taken before the clock was set back
    connection.execute(update(lease).where(*wrong).values(until=now + LIFE))
    return False
