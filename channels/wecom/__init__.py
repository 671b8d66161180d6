"""WeCom (企业微信): members through an application, customers in WeChat through 微信客服."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.messages import Inbound, Kind, Reply
from channels import Can, Channel, NotSent, Office, Refused
from channels.fetching import Fetcher
from channels.http import body_of, errors_as_json
from channels.wecom import rendering, setup
from channels.wecom.cipher import Cipher, Forged
from channels.wecom.client import Client, Connections
from channels.wecom.envelope import Unreadable, fields
from channels.wecom.errors import EXPIRED, Fault, Verdict
from channels.wecom.kf import Pulls, Sessions
from channels.wecom.media import Media
from channels.wecom.reading import Heard, Reader

log = structlog.get_logger("wecom")

STALE = 2 * 3600.0  # seconds by which a callback's clock may differ from ours
POLL = 1.0  # seconds; being called is only quicker
TIDY = 3600.0  # seconds between two looks for notes that are of no use any more


class Wecom(Channel):
    """The channel of ``type: wecom``; its parameters are its settings. ``office`` is set before anything is asked."""

    can = rendering.CAN

    def __init__(
        self,
        *,
        name: str = "wecom",
        secret: str,
        corp_id: str,
        agent_id: str,
        app_secret: str,
        token: str,
        aes_key: str,
        kf_secret: str = "",
        kf_sessions: Literal["relay", "native"] = "relay",
        markdown: bool = True,
        api_url: str = "https://qyapi.weixin.qq.com",
        body_bytes: int = 1 << 20,
        message_chars: int = 8000,
        send_timeout: float = 15.0,
    ) -> None:
        super().__init__(name=name)
        self._agent, self._markdown = agent_id, markdown
        self._most = body_bytes
        self._cipher, self._reader = Cipher(token, aes_key, corp_id), Reader(name, secret, message_chars)
        self._connections = Connections(api_url, send_timeout * 0.6)
        self._api = Client(self._connections, corp_id, app_secret)
        self._kf = Client(self._connections, corp_id, kf_secret) if kf_secret not in ("", app_secret) else self._api
        self._can_kf = replace(rendering.CAN_KF, people=kf_sessions == "native")
        self.sessions = Sessions(self._kf, relay=kf_sessions == "relay")
        self._pulls = Pulls(self._kf, self._reader, self.sessions)
        self._media = Media(self._api, self._kf)
        self._fetcher = Fetcher(name, self._media.bring)
        self._verdict = Verdict()
        self._salt = b""
        self._background: set[asyncio.Task[None]] = set()

    @property
    def office(self) -> Office:
        """The house."""
        return self._office

    @office.setter
    def office(self, office: Office) -> None:
        self._office = office
        for part in (self._api, self._kf, self.sessions, self._pulls, self._media):
            part.office = office

    def routes(self) -> list[Any]:
        """The route of the callback, for the application and kf alike."""
        return [Route(f"/hooks/{self.name}", self.hook, methods=["GET", "POST"])]

    def at(self, address: str) -> Can:
        """What can be done at an address: kf differs from the application."""
        return self._can_kf if address.startswith("kf/") else self.can

    # ------------------------------------------------------------ in

    @errors_as_json
    async def hook(self, request: Request) -> Response:
        """WeCom calls: it checks the address (GET), or tells of something (POST), and hears 200 after the commit."""
        query, get = request.query_params, request.method == "GET"
        signature, timestamp, nonce = (query.get(part, "") for part in ("msg_signature", "timestamp", "nonce"))
        try:
            if get:
                sealed = query.get("echostr", "").replace(" ", "+")  # a plus that was not percent-encoded
            else:
                sealed = fields(await body_of(request, self._most)).get("Encrypt", "")
            words = self._cipher.open(signature, timestamp, nonce, sealed)
            _timely(timestamp)
        except (Forged, Unreadable) as error:
            log.warning("wecom_callback_refused", why=str(error))
            return Response(status_code=403)
        if get:
            return Response(words, media_type="text/plain")
        return await self._stored(self._heard(words))

    def _heard(self, words: bytes) -> Heard:
        try:
            return self._reader.callback(fields(words), words)
        except Unreadable:
            return self._reader.unreadable(words)

    async def _stored(self, heard: Heard) -> Response:
        """200 is said only for what is kept; otherwise WeCom asks twice more."""
        if heard.inbounds or heard.notes:
            try:
                await self.office.receive(heard.inbounds, heard.notes)
            except Exception as error:
                log.warning("wecom_cannot_store", error=type(error).__name__)
                return Response(status_code=503, headers={"Retry-After": "2"})
            self._pulls.called.set()
            self._fetcher.wake()
        for inbound in heard.inbounds:
            if code := inbound.extra.get("response_code"):
                self._later(self._settle_card(inbound.sender.removeprefix("user/"), code, inbound.text))
        return Response()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _settle_card(self, user: str, code: str, label: str) -> None:
        """The buttons of a card become the one that was pressed. Nice to have: a failure is only logged."""
        asked = {
            "userids": [user],
            "agentid": _number(self._agent),
            "response_code": code,
            "button": rendering.pressed(label),
        }
        try:
            await self._api.post("message/update_template_card", asked)
        except Exception as error:
            code_of = error.code if isinstance(error, Fault) else 0
            log.info("wecom_card_not_changed", error=type(error).__name__, errcode=code_of)

    async def run(self) -> None:
        """Pull what kf customers wrote and fetch the files people sent, until cancelled."""
        self._connections.open()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pull())
                group.create_task(self._fetcher.run(self.office))
        finally:
            await self.close()

    async def _pull(self) -> None:
        """What kf customers wrote, again and again; the database being away is waited out."""
        tidied = 0.0
        while True:
            self._pulls.called.clear()
            try:
                if time.monotonic() > tidied + TIDY or not tidied:
                    tidied = time.monotonic()
                    await self._media.tidy()
                if await self._pulls.round():
                    self._fetcher.wake()
            except Exception as error:
                log.warning("wecom_round_failed", error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._pulls.called.wait()

    async def close(self) -> None:
        """Keep no connection open."""
        if self._background:
            await asyncio.wait(self._background, timeout=2)
        await self._connections.close()

    # ------------------------------------------------------------ out

    async def awake(self) -> None:
        """Ask WeCom for our application; that it may not say is an answer, too."""
        with suppress(Fault):
            await self._api.get("agent/get", agentid=self._agent)

    async def send(self, address: str, reply: Reply, key: str) -> str:
        """Send one reply to ``user/<id>`` or ``kf/<account>/<customer>``; sent again it is not seen twice."""
        try:
            if reply.hand_over:
                return await self._give(address, key)
            id = await self._own_id(key)
            body = await self._body(address, reply, id)
            if address.startswith("kf/"):
                sent = await self.sessions.send(address, body, id)
            else:
                sent = await self._tell(address.removeprefix("user/"), body, id)
        except Fault as fault:
            if fault.code == EXPIRED and await self._media.lost(reply.attachments):
                raise NotSent(str(fault), 1.0) from fault  # it is uploaded anew
            raise self._verdict.on(fault) from fault
        self._verdict.fine()
        return sent

    async def _body(self, address: str, reply: Reply, id: str) -> rendering.Body:
        if reply.attachments:  # one at most: others are parts of their own
            return await self._media.shown(address, reply.attachments[0])
        if address.startswith("kf/"):
            return rendering.kf(reply)
        return rendering.app(reply, id, id, markdown=self._markdown)

    async def _tell(self, user: str, body: rendering.Body, id: str) -> str:
        common = {
            "touser": user,
            "agentid": _number(self._agent),
            "enable_duplicate_check": 1,
            "duplicate_check_interval": rendering.DUPLICATES,
        }
        said = await self._api.post("message/send", {**common, **body})
        if said.get("invaliduser") or said.get("unlicenseduser"):
            raise Fault(81013 if said.get("invaliduser") else 701008, "message/send")
        return str(said.get("msgid") or id)

    async def _give(self, address: str, key: str) -> str:
        """Hand a customer over; if nobody can take him the engine is told, so that our own people do."""
        try:
            await self.hand_over(address)
        except Refused:
            told = Inbound(self.name, f"unmanned:{address}:{key}", address, Kind.NOTICE, extra={"notice": "unmanned"})
            await self.office.receive([told])
            raise
        return "handed over"

    async def _own_id(self, key: str) -> str:
        """An id of 28 characters that is the same for every attempt, and another one in every other database."""
        if not self._salt:
            if not (noted := await self.office.note("salt")):
                await self.office.receive([], {"salt": secrets.token_bytes(16)})
                noted = await self.office.note("salt")
            self._salt = noted or b""
        return hmac.digest(self._salt, f"{self.name} {key}".encode(), "sha256").hex()[:28]

    async def hand_over(self, address: str, servicer: str = "") -> None:
        """Give a kf customer to a person in WeCom itself, or to WeCom's queue; from then on we only record."""
        if not address.startswith("kf/"):
            raise Refused("only kf customers can be handed over to people in WeCom")
        await self.sessions.hand_over(address, servicer)

    # ------------------------------------------------------------ the administrator's

    async def check(self) -> list[tuple[bool, str]]:
        """What is right and wrong with the configuration, a line each, saying where to click."""
        self._api.office = self._kf.office = None  # a token of its own: the shared one says nothing of the secret
        try:
            return await setup.check(self._api, self._kf, self._agent)
        finally:
            await self._connections.close()

    async def setup(self) -> list[str]:
        """The menu below the application's chat."""
        self._api.office = None
        try:
            return await setup.setup(self._api, self._agent)
        finally:
            await self._connections.close()


def _number(agent: str) -> int | str:
    return int(agent) if agent.isdigit() else agent


def _timely(timestamp: str) -> None:
    """Raises Forged for a callback of another time. Within it a replay is harmless: its key is known."""
    if not timestamp.isascii() or not timestamp.isdigit() or abs(time.time() - int(timestamp[:12])) > STALE:
        raise Forged("its time is not ours: a replay, or a clock that is wrong")
