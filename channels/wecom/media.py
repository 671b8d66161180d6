"""Files: fetched from WeCom after their message was stored, uploaded before they are sent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from email.message import Message

import aiohttp
import structlog

from bot.files import FileRefused
from bot.messages import Attachment
from channels import NotSent, Office, Refused, Unknown
from channels.wecom import render
from channels.wecom.client import Api
from channels.wecom.errors import EXPIRED, Fault, explained

log = structlog.get_logger("wecom")

GIVE_UP = 24 * 3600.0  # seconds after which a file that cannot be fetched is given up
PAUSES = (1.0, 5.0, 30.0, 300.0)  # seconds between tries
TIDY = 3600.0  # seconds between two looks for notes that are of no use any more
KEPT = 2.5 * 86400.0  # seconds for which an uploaded file is used again; WeCom keeps it three days
_PIECE = 64 << 10


class Media:
    """The files of one channel. ``api`` of the application, ``kf`` of kf; they may be the same."""

    def __init__(self, api: Api, kf: Api) -> None:
        self._apis = {"user": api, "kf": kf}
        self.office: Office
        self.called = asyncio.Event()
        self._tries: dict[str, tuple[int, float]] = {}  # note -> tries, not before
        self._tidied = 0.0

    def _api(self, address: str) -> Api:
        return self._apis[address.partition("/")[0]]

    # ------------------------------------------------------------ in

    async def round(self) -> None:
        """Fetch what is noted; raises nothing that one file does."""
        if time.monotonic() > self._tidied + TIDY or not self._tidied:
            self._tidied = time.monotonic()
            await self._forget()
        errands = await self.office.notes("file:")
        if not errands or not await self.office.hold("fetch"):
            return
        for key, errand in errands.items():
            if self._tries.get(key, (0, 0.0))[1] <= time.monotonic():
                await self._fetch(key, json.loads(errand))
        self._tries = {key: tried for key, tried in self._tries.items() if key in errands}

    async def _fetch(self, key: str, errand: dict[str, str]) -> None:
        """Fetch one; its note is torn out when it is here, when it never will be, or after a day."""
        try:
            await self._bring(key.removeprefix("file:"), errand)
            over = True
        except FileRefused as refused:
            log.warning("wecom_file_refused", file=key, why=type(refused).__name__)
            over = True
        except Fault as fault:
            log.warning("wecom_file_not_given", file=key, errcode=fault.code, why=explained(fault.code))
            over = fault.code == EXPIRED or self._put_off(key, errand)
        except Exception as error:  # whatever it is, the other files must not wait for this one
            log.info("wecom_file_later", file=key, error=type(error).__name__)
            over = self._put_off(key, errand)
        if over:
            await self.office.receive([], {key: None})

    async def _bring(self, id: str, errand: dict[str, str]) -> None:
        owner = errand["address"]
        if await self.office.files.open(id, owner):
            return  # fetched before, but the note was not torn out any more
        async with self._api(owner).download(errand["media"]) as answer:
            pieces, name = answer.content.iter_chunked(_PIECE), _named(answer) or errand["name"]
            await self.office.files.keep(id, pieces, name, answer.content_type, owner)

    def _put_off(self, key: str, errand: dict[str, str]) -> bool:
        """Try again later; True if it has been tried for a day."""
        tries = self._tries.get(key, (0, 0.0))[0]
        self._tries[key] = tries + 1, time.monotonic() + PAUSES[min(tries, len(PAUSES) - 1)]
        return time.time() - float(errand.get("at") or 0) > GIVE_UP

    # ------------------------------------------------------------ out

    async def upload(self, address: str, attachments: Sequence[Attachment]) -> list[render.Body]:
        """The messages that show these files; raises Fault, NotSent, Unknown, or Refused for one we do not have."""
        return [await self._one(address, attachment) for attachment in attachments]

    async def _one(self, address: str, attachment: Attachment) -> render.Body:
        found = await self.office.files.open(attachment.id, address)
        if found is None:
            raise Refused("the file is not in this chat")
        kept, path = found
        kind, key = render.file_kind(kept.type, kept.size), f"media:{kept.id}"
        if noted := await self.office.note(key):  # the same media_id: sent again, it is the same message
            media, until = json.loads(noted)
            if until > time.time():
                return render.file(kind, media)
        content = await asyncio.to_thread(path.read_bytes)
        try:
            media = await self._api(address).upload(kind, content, kept.name, kept.type)
        except Unknown as error:
            raise NotSent(str(error), 1.0) from error  # a file uploaded twice is seen by nobody
        await self.office.receive([], {key: json.dumps([media, time.time() + KEPT]).encode()})
        return render.file(kind, media)

    async def lost(self, attachments: Sequence[Attachment]) -> bool:
        """WeCom has forgotten uploads of ours earlier than it should; False if there were none."""
        noted = [key for one in attachments if await self.office.note(key := f"media:{one.id}")]
        if noted:
            await self.office.receive([], dict.fromkeys(noted))
        return bool(noted)

    async def _forget(self) -> None:
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
