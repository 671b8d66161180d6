"""Telegram: updates by polling or webhook; answers, buttons and files through the Bot API."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.messages import Inbound, Reply
from channels import Budget, Can, Channel, NotSent, Refused, Unknown
from channels.fetching import NOTE, Errand, Fetcher
from channels.http import HttpError, body_of, errors_as_json
from channels.telegram import setup
from channels.telegram.client import OFFICIAL, BadToken, Client, Moved
from channels.telegram.desk import at_desk
from channels.telegram.places import Place, place_of
from channels.telegram.polling import Poller
from channels.telegram.reading import read, unreadable
from channels.telegram.rendering import CAPTION, TEXT, render, shown_length
from channels.telegram.sending import begin, say
from channels.telegram.values import Context, Heard, Press
from channels.telegram.words import NOT_YOURS, spoken
from channels.widget import Company

log = structlog.get_logger("telegram")

BARRED = 300.0  # seconds a refused token is left alone
BRIEFLY = 3.0  # seconds for what may just as well not succeed
RECALL = 5.0  # seconds for which what was written down is taken as known


class Telegram(Channel):
    """The channel of ``type: telegram``; its parameters are its settings. With a webhook secret it never polls."""

    can = Can(
        edit=True,
        typing=True,
        threads=True,
        max_text=TEXT,
        beside_file=CAPTION,
        text_unit="utf16",
        measure=shown_length,
        budget=Budget(per_address=1.0, per_group_minute=20, overall=25.0),
    )

    def __init__(
        self,
        *,
        name: str = "telegram",
        token: str,
        secret: str,
        api_url: str = OFFICIAL,
        webhook_secret: str = "",
        public_url: str = "",
        company: Company | None = None,
        body_bytes: int = 1 << 20,
        poll_seconds: float = 25.0,
        poll_pause: float = 1.0,
        answer_unasked: bool = False,
        desk: str = "",
    ) -> None:
        super().__init__(name=name)
        self.desk = desk
        self._secret, self._hook_secret = secret, webhook_secret
        self._client = Client(token, api_url)
        self._most_bytes = body_bytes
        self._hook_url = f"{public_url.rstrip('/')}/hooks/{name}" if public_url else ""
        self._company = company or Company()
        id = token.partition(":")[0]
        self._context = Context(
            name, secret, int(id) if id.isdecimal() else 0, answer_unasked=answer_unasked, desk=int(desk or 0)
        )
        self._fetcher = Fetcher(name, self.bring)
        self._poller = Poller(name, self._client, self._taken, seconds=poll_seconds, pause=poll_pause)
        self._moved: dict[int, int] = {}  # group -> the supergroup it has become
        self._barred_until = self._recalled_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------ in

    def routes(self) -> list[BaseRoute]:
        """The webhook, if there is a secret to know Telegram by."""
        return [Route(f"/hooks/{self.name}", self.hook, methods=["POST"])] if self._hook_secret else []

    async def run(self) -> None:
        """Listen, and fetch files, until cancelled."""
        while True:
            try:
                await self.awake()
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._fetcher.run(self.office))
                    if not self._hook_secret:
                        group.create_task(self._poller.run(self.office))
            except* BadToken:
                self._bar()
            except* (NotSent, Unknown, Refused):
                log.warning("telegram_away", channel=self.name)
            await asyncio.sleep(BARRED if time.monotonic() < self._barred_until else BRIEFLY)

    @errors_as_json
    async def hook(self, request: Request) -> Response:
        """One update, acknowledged after its commit. What cannot be read is kept as it is: a retry would not help."""
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), self._hook_secret.encode()):
            raise HttpError(403, "this is for Telegram")
        raw = await body_of(request, self._most_bytes)
        try:
            await self._recall()
            heard = self._read(raw)
            if heard.inbound and heard.inbound.public and not self._context.username:
                raise NotSent("we do not know our name yet, so not whether we are spoken to")
            await self._take([heard], {})
        except Exception as error:
            log.warning("telegram_cannot_store", channel=self.name, error=type(error).__name__)
            raise HttpError(503, "nothing can be kept just now", wait=1) from error
        return Response()

    def _read(self, raw: bytes) -> Heard:
        try:
            update = json.loads(raw)
            heard = at_desk(update, self._context) or read(update, raw, self._context)
            if heard.inbound and not heard.inbound.sound:
                raise TypeError("not as documented")
            place_of((heard.inbound and heard.inbound.address) or "0")  # or nobody could be answered there
        except Exception as error:
            log.warning("telegram_unreadable", channel=self.name, error=type(error).__name__)
            return Heard(unreadable(self.name, raw))
        self._follow(heard.notes)  # at once: what comes next may be from there
        return heard

    async def _taken(self, updates: Sequence[Any], notes: Mapping[str, bytes | None]) -> None:
        await self._recall()
        await self._take([self._read(json.dumps(one).encode()) for one in updates], notes)

    async def _take(self, heard: Sequence[Heard], notes: Mapping[str, bytes | None]) -> None:
        """Keep what was heard, together with the notes; buttons are answered meanwhile."""
        for one in heard:
            if one.press:
                self._aside(self._answer(one.press))
            if one.desk:
                await self.office.heard(one.desk)
        try:
            receipts = await self._keep([one.inbound for one in heard if one.inbound], _together(heard, notes))
        except Exception:  # away, or one of them is unkeepable: alone, the others are kept
            receipts = [await self._alone(one.inbound, one.notes) for one in heard if one.inbound]
            await self._keep([], _together([one for one in heard if not one.inbound], notes))
        if any(key.startswith(NOTE) for one in heard for key in one.notes):
            self._fetcher.wake()
        for one, receipt in zip((one for one in heard if one.inbound), receipts, strict=True):
            if one.press and one.press.keyboard and receipt.fresh:
                self._aside(self._mark(one.press))

    async def _keep(self, inbounds: list[Inbound], notes: Mapping[str, bytes | None]) -> list[Any]:
        return await self.office.receive(inbounds, notes) if inbounds or notes else []

    async def _alone(self, one: Inbound, notes: Mapping[str, bytes | None]) -> Any:
        try:
            [receipt] = await self._keep([one], notes)
        except Exception:
            [receipt] = await self._keep([unreadable(self.name, one.raw)], {})  # fails if the store is away
        return receipt

    async def bring(self, id: str, errand: Errand) -> None:
        """Fetch a file that somebody sent."""
        async with self._client.download(errand["file"]) as stream:
            await self.office.files.keep(id, stream, errand["name"], errand["type"], errand["owner"])

    def _follow(self, notes: Mapping[str, bytes | None]) -> None:
        """Learn from the notes which groups have become supergroups."""
        moved = {int(key[6:]): int(old) for key, old in notes.items() if key.startswith("moved:") and old}
        if moved:
            self._context = self._context.with_moved(moved)
            self._moved |= {old: new for new, old in moved.items()}

    async def _recall(self) -> None:
        """What this process or another wrote down: our name, and which groups have moved."""
        if time.monotonic() < self._recalled_until:
            return
        self._follow(await self.office.notes("moved:"))
        if not self._context.username and (me := await self.office.note("me")):
            self._context = self._context.introduced(json.loads(me))
        self._recalled_until = time.monotonic() + RECALL

    async def awake(self) -> None:
        """Ask Telegram who we are, and write it down."""
        await self._recall()
        self._context = self._context.introduced(await self._client.call("getMe", {}, patience=BRIEFLY * 3))
        kept = {"id": self._context.id, "username": self._context.username}
        await self.office.receive([], {"me": json.dumps(kept).encode()})

    # ------------------------------------------------------------ buttons

    async def _answer(self, press: Press) -> None:
        """Telegram shows a clock on the button until this is said."""
        words = {} if press.mine else {"text": spoken(NOT_YOURS, press.language), "show_alert": True}
        await self._best("answerCallbackQuery", {"callback_query_id": press.id, **words})

    async def _mark(self, press: Press) -> None:
        markup = {"inline_keyboard": press.keyboard}
        where = {"chat_id": press.chat, "message_id": press.message}
        await self._best("editMessageReplyMarkup", {**where, "reply_markup": markup})

    async def _best(self, method: str, payload: Mapping[str, Any]) -> None:
        """Make a call whose failure harms nobody, and say nothing of it."""
        with suppress(NotSent, Unknown, Refused, BadToken, Moved):
            await self._client.call(method, payload, patience=BRIEFLY * 3)

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------ out

    def place(self, address: str) -> tuple[str, bool]:
        """The chat on Telegram, whatever its topics and askers."""
        where = place_of(address)
        return str(where.chat), where.chat < 0

    async def send(self, address: str, reply: Reply, key: str) -> str:
        """Send one message; returns its id. Raises NotSent, Unknown, Refused."""
        if (wait := self._barred_until - time.monotonic()) > 0:
            raise NotSent("Telegram refuses our token", wait, everything=True)
        place = self._now_at(place_of(address))
        if place.matter and not reply.text.startswith(f"**{place.matter}"):  # a reply to it tells by this what it is to
            reply = replace(reply, text=f"**{place.matter}** {reply.text}")
        asked = await self.office.note(f"asked:{address}") if place.user is not None else None
        try:
            call = render(reply, place, self._secret, int(asked) if asked else None)
            return await say(self._client, self.office, call, reply.text, address)
        except BadToken as error:
            self._bar()
            raise NotSent("Telegram refuses our token", BARRED, everything=True) from error
        except Moved as error:
            self._follow(notes := {f"moved:{error.to}": str(place_of(address).chat).encode()})
            await self.office.receive([], notes)
            raise NotSent("the group has moved") from error

    def _now_at(self, place: Place) -> Place:
        return replace(place, chat=self._moved.get(place.chat, place.chat))

    async def begin(self, title: str, head: Reply, key: str) -> str:
        """A topic with the head as its first message; ``key`` is the number that the head holds."""
        desk, chat = Place(int(self.desk)), self._now_at(Place(int(self.desk))).chat
        try:
            return await begin(self._client, self.office, desk, chat, title, key, lambda at: self.send(at, head, key))
        except BadToken as error:
            self._bar()
            raise NotSent("Telegram refuses our token", BARRED, everything=True) from error

    async def typing(self, address: str) -> None:
        """Show for five seconds that an answer is coming."""
        place = self._now_at(place_of(address))
        topic = {"message_thread_id": place.topic} if place.topic else {}
        await self._best("sendChatAction", {"chat_id": place.chat, "action": "typing", **topic})

    def _bar(self) -> None:
        self._barred_until = time.monotonic() + BARRED
        hint = "get the token from @BotFather and set it; until then nothing is read or sent here"
        log.error("telegram_token_refused", channel=self.name, hint=hint)

    # ------------------------------------------------------------ the account

    async def check(self) -> list[tuple[bool, str]]:
        """What is wrong with the account or how it is set up, and where to click."""
        try:
            return await setup.check(
                self._client, self._hook_url, webhook=bool(self._hook_secret), desk=self._context.desk
            )
        finally:
            await self.close()

    async def setup(self) -> list[str]:
        """Register webhook (or none), commands and descriptions."""
        try:
            return await setup.setup(self._client, self._hook_url, self._hook_secret, self._company)
        finally:
            await self.close()

    async def close(self) -> None:
        """Let what is under way end, and close the connections."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=BRIEFLY)
        for task in self._tasks:
            task.cancel()
        await self._client.close()


def _together(heard: Sequence[Heard], notes: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    return {key: value for one in heard for key, value in one.notes.items()} | dict(notes)
