"""What a channel may ask of the house: to keep events and notes, to be told who does what, and to follow a chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from bot import metrics
from bot.duty import Duty
from bot.inbox import Receipt, chat_id
from bot.messages import Inbound
from bot.outbox import undelivered
from bot.storable import storable
from channels import DeskWord

if TYPE_CHECKING:
    from bot.app import App

log = structlog.get_logger("office")


class Office:
    """What a channel may ask of the house."""

    def __init__(self, app: App, name: str) -> None:
        self._app, self._name, self.files = app, name, app.files
        self._duties: dict[str, Duty] = {}

    async def receive(
        self, inbounds: Sequence[Inbound], notes: Mapping[str, bytes | None] | None = None
    ) -> list[Receipt]:
        """Store events and notes in one commit; returns after it."""
        also = partial(self._app.notebook.put, channel=self._name, notes=notes) if notes else None
        receipts = await self._app.inbox.receive([storable(one) for one in inbounds], also)
        for receipt in receipts:
            metrics.RECEIVED.labels(self._name, "new" if receipt.fresh else "again").inc()
        return receipts

    async def heard(self, word: DeskWord) -> None:
        """Give what was written at a desk to the desk."""
        await self._app.desks[self._name].heard(word)

    async def note(self, key: str) -> bytes | None:
        """What the channel wrote down by this key."""
        return await self._app.store.read(partial(self._app.notebook.get, channel=self._name, key=key))

    async def notes(self, prefix: str) -> dict[str, bytes]:
        """The channel's notes whose keys begin so, oldest key first."""
        return await self._app.store.read(partial(self._app.notebook.find, channel=self._name, prefix=prefix))

    async def failed(self, address: str, id: str, why: str) -> None:
        """The platform takes back that a reply went out."""
        log.warning("reply_failed_later", channel=self._name, chat=self.chat(address), why=why)
        await self._app.store.write(partial(undelivered, chat_id=self.chat(address), provider_id=id, why=why))

    async def hold(self, what: str) -> bool:
        """Whether this process is the one to do ``what`` just now; to be asked again every few seconds."""
        duty = self._duties.setdefault(what, Duty(self._app.store, f"{self._name}:{what}", self._app.holder))
        return await duty.hold()

    async def let_go(self) -> None:
        """Give up what was held, so that another process takes it at once."""
        for duty in self._duties.values():
            await duty.drop()

    def follow(self, address: str, after: int) -> AsyncIterator[dict[str, Any] | None]:
        """The messages of a chat: history, then live."""
        return self._app.hub.follow(self._name, address, after)

    def typing(self, address: str) -> None:
        """The customer is typing there."""
        self._app.hub.tell(self._name, address, "typing", {"author": "customer"})

    def chat(self, address: str) -> int:
        """The number the chat at an address has, or will have."""
        return chat_id(self._name, address)
