"""Files: fetched from WeCom after their message was stored, uploaded before they are sent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from email.message import Message

import aiohttp

from bot.messages import Attachment
from channels import NotSent, Office, Refused, Unknown
from channels.fetching import Errand, Lost
from channels.wecom import rendering
from channels.wecom.client import Client
from channels.wecom.errors import EXPIRED, Fault, explained

KEPT = 2.5 * 86400.0  # seconds for which an uploaded file is used again; WeCom keeps it three days
_PIECE = 64 << 10


class Media:
    """The files of one channel. ``api`` of the application, ``kf`` of kf; they may be the same."""

    def __init__(self, api: Client, kf: Client) -> None:
        self._apis = {"user": api, "kf": kf}
        self.office: Office

    def _api(self, address: str) -> Client:
        return self._apis[address.partition("/")[0]]

    # ------------------------------------------------------------ in

    async def bring(self, id: str, errand: Errand) -> None:
        """Fetch a file that somebody sent; raises Lost, FileRefused, or what will pass."""
        owner = errand["owner"]
        try:
            async with self._api(owner).download(errand["media"]) as answer:
                pieces, name = answer.content.iter_chunked(_PIECE), _named(answer) or errand["name"]
                await self.office.files.keep(id, pieces, name, answer.content_type, owner)
        except Fault as fault:
            if fault.code == EXPIRED:
                raise Lost(explained(fault.code)) from fault
            raise

    # ------------------------------------------------------------ out

    async def shown(self, address: str, attachment: Attachment) -> rendering.Body:
        """The message that shows a file; raises Fault, NotSent, Unknown, or Refused for one we do not have."""
        found = await self.office.files.open(attachment.id, address)
        if found is None:
            raise Refused("the file is not in this chat")
        kept, path = found
        kind, key = rendering.file_kind(kept.type, kept.size), f"media:{kept.id}"
        if noted := await self.office.note(key):  # the same media_id: sent again, it is the same message
            media, until = json.loads(noted)
            if until > time.time():
                return rendering.file(kind, media)
        content = await asyncio.to_thread(path.read_bytes)
        try:
            media = await self._api(address).upload(kind, content, kept.name, kept.type)
        except Unknown as error:
            raise NotSent(str(error), 1.0) from error  # a file uploaded twice is seen by nobody
        await self.office.receive([], {key: json.dumps([media, time.time() + KEPT]).encode()})
        return rendering.file(kind, media)

    async def lost(self, attachments: Sequence[Attachment]) -> bool:
        """WeCom has forgotten uploads of ours earlier than it should; False if there were none."""
        noted = [key for one in attachments if await self.office.note(key := f"media:{one.id}")]
        if noted:
            await self.office.receive([], dict.fromkeys(noted))
        return bool(noted)

    async def tidy(self) -> None:
        """Tear out the notes of uploads that WeCom has forgotten."""
        noted = await self.office.notes("media:")
        old = {key: None for key, value in noted.items() if json.loads(value)[1] < time.time()}
        if old:
            await self.office.receive([], old)


def _named(answer: aiohttp.ClientResponse) -> str:
    """The name that WeCom gives a file, if it does."""
    header = Message()
    header["Content-Disposition"] = answer.headers.get("Content-Disposition", "")
    return header.get_filename() or ""
