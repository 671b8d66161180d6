"""微信客服: one puller per account, words under our own ids, sessions that people may take over."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import structlog

from channels import NotSent, Office, Refused, Unknown
from channels.wecom import rendering
from channels.wecom.client import Client
from channels.wecom.errors import BAD_PULL_TOKEN, FAILED, STATE, Fault, Verdict, explained
from channels.wecom.reading import Reader

log = structlog.get_logger("wecom")

PAGE = 1000  # messages asked for at once
SWEEP = 900.0  # seconds between two pulls without being called: a call may have been missed
REST = 60.0  # seconds an account is left alone after WeCom refused a pull …
BRIEFLY = 5.0  # … or had something else to do
FIRST_LOOK = 3600.0  # seconds of the past that are ours when an account is connected; WeCom keeps three days
WELCOME = 20.0  # seconds a welcome code is good for
OURS = 600.0  # seconds for which a session is believed to be with us
NEW, BOT, QUEUE, PERSON, OVER = range(5)  # states of a session
_STATES = {
    NEW: "未处理 new",
    BOT: "智能助手接待 with the bot",
    QUEUE: "待接入池排队 in WeCom's own queue",
    PERSON: "人工接待 with a person in WeCom",
    OVER: "已结束 over",
}


class Pulls:
    """Fetches what customers wrote, as often as a note says that there is something."""

    def __init__(self, api: Client, reader: Reader, sessions: Sessions) -> None:
        self._api, self._reader, self._sessions = api, reader, sessions
        self.office: Office
        self.called = asyncio.Event()
        self._rests: dict[str, float] = {}
        self._swept = 0.0

    async def round(self) -> bool:
        """Pull every account that is due and ours to pull; whether any was."""
        due: dict[str, dict[str, bytes]] = {}
        for key, token in (await self.office.notes("due:")).items():
            due.setdefault(key.split(":")[1], {})[key] = token
        if time.monotonic() > self._swept + SWEEP or not self._swept:
            self._swept = time.monotonic()
            for key in await self.office.notes("cursor:"):
                due.setdefault(key.removeprefix("cursor:"), {})
        for kfid, calls in due.items():
            if self._rests.get(kfid, 0.0) < time.monotonic():
                await self._account(kfid, calls)
        return bool(due)

    async def _account(self, kfid: str, calls: Mapping[str, bytes]) -> None:
        try:
            await self._pull(kfid, calls)
        except Fault as fault:
            log.warning("kf_pull_refused", account=kfid, errcode=fault.code, why=explained(fault.code))
            self._rests[kfid] = time.monotonic() + (BRIEFLY if fault.kind in ("busy", "token") else REST)
        except Exception as error:  # whatever it is, the other accounts must not wait for this one
            log.warning("kf_pull_failed", account=kfid, error=type(error).__name__)
            self._rests[kfid] = time.monotonic() + 1.0

    async def _pull(self, kfid: str, calls: Mapping[str, bytes]) -> None:
        """Page by page; the cursor and the calls are crossed out in the commit of what they brought."""
        cursor = ((await self.office.note(f"cursor:{kfid}")) or b"").decode()
        since = 0.0 if cursor else time.time() - FIRST_LOOK
        token = next((token.decode() for token in reversed([*calls.values()]) if token), "")
        been: set[str] = set()
        while await self.office.hold(f"kf:{kfid}"):
            page = await self._page(kfid, cursor, token)
            states = {
                key.removeprefix("state:"): person.decode()
                for key, person in (await self.office.notes(f"state:kf/{kfid}/")).items()
            }
            heard = self._reader.page(page.get("msg_list") or (), kfid, states, since)
            last = not page.get("has_more")
            been.add(cursor)
            cursor = str(page.get("next_cursor") or cursor)
            done = dict.fromkeys(calls, None) if last else {}
            for address, id, why in heard.failed:  # before the cursor moves on; said twice, it is the same
                await self.office.failed(address, id, FAILED.get(why, str(why)))
            await self.office.receive(heard.inbounds, {**heard.notes, f"cursor:{kfid}": cursor.encode(), **done})
            self._sessions.heard(heard.notes)
            if last:
                return
            if cursor in been:
                raise NotSent("there is more, and no way to it")  # asked at once again, it would be asked for ever

    async def _page(self, kfid: str, cursor: str, token: str) -> dict[str, Any]:
        asked = {"cursor": cursor, "token": token, "limit": PAGE, "voice_format": 0, "open_kfid": kfid}
        try:
            return await self._api.post("kf/sync_msg", asked)
        except Fault as fault:
            if fault.code != BAD_PULL_TOKEN or not token:
                raise
        return await self._api.post("kf/sync_msg", {**asked, "token": ""})  # allowed, but rarely


class Sessions:
    """Writes to customers. ``relay``: sessions stay with us, and agents speak through us."""

    def __init__(self, api: Client, *, relay: bool) -> None:
        self._api, self._relay = api, relay
        self.office: Office
        self._ours: dict[str, float] = {}  # address -> until when we believe it

    def heard(self, notes: Mapping[str, object]) -> None:
        """What a page told about sessions."""
        for key in notes:
            self._ours.pop(key.removeprefix("state:"), None)

    async def send(self, address: str, body: rendering.Body, msgid: str) -> str:
        """Send it under an id of our own: sent again, WeCom refuses it as known."""
        where = _where(address)
        code = await self._welcome(address)
        if code and await self._greeted({**body, "code": code, "msgid": msgid}):
            return msgid
        await self._keep(address)
        to = {"touser": where["external_userid"], "open_kfid": where["open_kfid"]}
        await self._message({**body, **to, "msgid": msgid}, address)
        return msgid

    async def _message(self, body: rendering.Body, address: str) -> None:
        try:
            await self._api.post("kf/send_msg", body)
        except Fault as fault:
            if fault.repeated:
                return  # an earlier attempt arrived after all
            if fault.code != STATE:
                raise
            await self._reclaim(address, fault)
            await self._api.post("kf/send_msg", body)

    async def _reclaim(self, address: str, fault: Fault) -> None:
        """Take a session that is nobody's; raises Refused if somebody has it."""
        self._ours.pop(address, None)
        state, person = await self.state(address)
        if state != NEW:
            note = person.encode() or b"?"
            await self.office.receive([], {f"state:{address}": note if state == PERSON else None})
            raise Refused(f"{fault.code} {explained(fault.code)}: {_STATES.get(state, state)}") from fault
        await self._trans(address, BOT)

    async def _keep(self, address: str) -> None:
        """Relay: a session that is new stays with us, before WeCom gives it to somebody."""
        now = time.monotonic()
        if not self._relay or self._ours.get(address, 0.0) > now:
            return
        try:
            await self._trans(address, BOT)
        except Fault as fault:  # it is with us already, or with somebody: sending will tell
            log.info("kf_session_not_taken", errcode=fault.code, why=explained(fault.code))
        if len(self._ours) > 10_000:
            self._ours = {a: until for a, until in self._ours.items() if until > now}
        self._ours[address] = now + OURS

    async def _welcome(self, address: str) -> str:
        """The code for a greeting, once: it is crossed out before it is used."""
        noted = await self.office.note(f"welcome:{address}")
        if not noted:
            return ""
        await self.office.receive([], {f"welcome:{address}": None})
        code, at = json.loads(noted)
        return str(code) if time.time() - at < WELCOME else ""

    async def _greeted(self, body: rendering.Body) -> bool:
        try:
            await self._api.post("kf/send_msg_on_event", body)
        except Fault as fault:
            log.info("kf_welcome_refused", errcode=fault.code, why=explained(fault.code))
            return fault.repeated
        return True

    async def state(self, address: str) -> tuple[int, str]:
        """0 new, 1 with us, 2 in WeCom's queue, 3 with a person, 4 over; and who that person is."""
        said = await self._aside("kf/service_state/get", _where(address))
        return int(said.get("service_state") or 0), str(said.get("servicer_userid") or "")

    async def hand_over(self, address: str, servicer: str = "") -> None:
        """To a person in WeCom itself, or into WeCom's queue; from then on we only record. Raises as ``send`` does."""
        try:
            await self._trans(address, PERSON if servicer else QUEUE, servicer)
        except Fault as fault:  # an earlier attempt may have arrived after all, or a person was quicker
            state, servicer = await self.state(address)
            if state not in (QUEUE, PERSON):
                raise Verdict().on(fault) from fault
        self._ours.pop(address, None)
        await self.office.receive([], {f"state:{address}": (servicer or "queue").encode()})

    async def _trans(self, address: str, state: int, servicer: str = "") -> None:
        asked = {**_where(address), "service_state": state}
        await self._aside("kf/service_state/trans", asked | ({"servicer_userid": servicer} if servicer else {}))

    async def _aside(self, path: str, asked: Mapping[str, object]) -> dict[str, Any]:
        """A call that shows the customer nothing: whatever became of it, no message was sent."""
        try:
            return await self._api.post(path, asked)
        except Unknown as error:
            raise NotSent(str(error), 1.0) from error


def _where(address: str) -> dict[str, str]:
    _, kfid, user = address.split("/", 2)
    return {"open_kfid": kfid, "external_userid": user}
