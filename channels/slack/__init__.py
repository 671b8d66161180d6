"""Slack: private chats and threads, buttons, a form, a slash command; events over HTTP or Socket Mode."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.messages import Attachment, Reply
from channels import Budget, Can, Channel, NotSent, Refused
from channels.dialects import slack_mrkdwn
from channels.fetching import Errand, Fetcher
from channels.fit import measured
from channels.http import HttpError, body_of, errors_as_json
from channels.slack.client import NO_ENTRY, TOO_MUCH, Client, Failed, sending
from channels.slack.desk import at_desk
from channels.slack.interactions import interaction
from channels.slack.people import People, error_of, remember
from channels.slack.reading import event, signed, unpack, unread
from channels.slack.rendering import plainly, render, to_ours
from channels.slack.setup import Line, check
from channels.slack.socket_mode import Socket
from channels.slack.values import Call, Company, Context, Heard, Place

log = structlog.get_logger("slack")

IN_TIME = 2.5  # seconds for an event; Slack waits three, and a late answer does not stop its retry
AGAIN = 60.0  # seconds before asking again who we are


class Slack(Channel):
    """The channel of ``type: slack``; its parameters are its settings."""

    can = Can(
        most_buttons=20,
        edit=True,
        threads=True,
        max_text=11_000,
        measure=measured(slack_mrkdwn, "characters"),
        budget=Budget(per_address=1.0),
    )

    def __init__(
        self,
        *,
        name: str = "slack",
        secret: str,
        token: str,
        signing_secret: str = "",
        app_token: str = "",
        api_url: str = "",
        public_url: str = "",
        answer_unasked: bool = False,
        desk: str = "",
        company: Company | None = None,
        message_chars: int = 8000,
        body_bytes: int = 1 << 20,
        send_timeout: float = 15.0,
    ) -> None:
        super().__init__(name=name)
        self.desk = desk
        self._signing, self._app_token, self._most = signing_secret, app_token, body_bytes
        self._hook_url = f"{public_url}/hooks/{name}"
        self._api = Client(token, api_url, timeout=send_timeout * 0.9)
        products = tuple(company.products) if company else ()
        self._people = People(self._api)
        self._private: dict[str, str] = {}
        known = self._people.known
        self._context = Context(
            name, secret, "", "", message_chars, known, self._private, products, answer_unasked, desk
        )
        self._fetcher = Fetcher(name, self.bring)
        self._tasks: set[asyncio.Task[None]] = set()

    def routes(self) -> list[BaseRoute]:
        """One for events, buttons, forms and commands."""
        return [Route(f"/hooks/{self.name}", self.hook, methods=["POST"])] if self._signing else []

    async def run(self) -> None:
        """Listen on the socket, if there is one; fetch files; until cancelled."""
        self._api.open()
        if not (self._signing or self._app_token):
            log.error("slack_hears_nothing", missing="signing_secret or app_token")
        socket = Socket(self._app_token, self._api.url, self.take, lambda: self.office.hold("socket"))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._introduce())
                group.create_task(self._fetcher.run(self.office))
                if self._app_token:
                    group.create_task(socket.run())
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._api.close()

    def place(self, address: str) -> tuple[str, bool]:
        """The Slack channel: all its threads share one budget."""
        place = Place(self._context.team, address) if address == self.desk else Place.of(address)
        return f"{place.team}/{place.channel}", bool(place.thread)

    # ------------------------------------------------------------ receive

    @errors_as_json
    async def hook(self, request: Request) -> Response:
        """What Slack sends, acknowledged after the commit. Whether it is a retry is told by its key, not by headers."""
        raw = await body_of(request, self._most)
        stamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not signed(self._signing, stamp, signature, raw, time.time()):
            raise HttpError(401, "this is not signed by Slack, or the clocks differ")
        try:
            payload: Mapping[str, Any] = unpack(raw)
        except (ValueError, RecursionError):
            payload = {}
        if payload.get("type") == "url_verification":
            return Response(json.dumps({"challenge": str(payload.get("challenge", ""))}), media_type="application/json")
        try:
            async with asyncio.timeout(IN_TIME):
                answer = await self.take(payload, raw)
        except Exception as error:
            log.warning("slack_cannot_store", error=type(error).__name__)
            raise HttpError(503, "not stored, please send it again", wait=2) from error
        return Response(json.dumps(dict(answer)), media_type="application/json") if answer else Response()

    async def take(self, payload: Mapping[str, Any], raw: bytes) -> Mapping[str, Any] | None:
        """Store what came; what Slack is to be answered. Raises what the store raises."""
        heard = self._read(payload, raw)
        if heard.desk:
            await asyncio.shield(self.office.heard(heard.desk))
        first = [call for call in heard.calls if call.method == "views.open"]
        for call in first:
            self._later(self._do(call))
        if heard.inbound:
            inbound, notes = await self._addressed(heard)
            # shielded: the group's commit goes on whether or not somebody still waits for it
            await asyncio.shield(self.office.receive([inbound], notes))
            if heard.notes:
                self._fetcher.wake()
            if inbound.sender and inbound.sender not in self._people.known:
                self._later(self._people.meet(inbound.sender))
        for call in heard.calls:
            if call not in first:
                self._later(self._do(call))
        return heard.answer

    def _read(self, payload: Mapping[str, Any], raw: bytes) -> Heard:
        try:
            if (ours := at_desk(self._context, payload)) is not None:
                return ours
            match payload.get("type"):
                case "event_callback" if payload["event"]["type"] in ("tokens_revoked", "app_uninstalled"):
                    log.error("slack_channel_stopped", error=payload["event"]["type"])
                    return Heard()
                case "event_callback":
                    heard = event(self._context, payload, raw)
                case "app_rate_limited":
                    log.error("slack_drops_events", since=str(payload.get("minute_rate_limited")))
                    return Heard()
                case _:
                    heard = interaction(self._context, payload, raw)
            if heard.inbound and not heard.inbound.sound:
                raise TypeError("not as documented")
            return heard
        except Exception as error:  # whatever a strange event breaks, its bytes are kept
            log.warning("slack_unreadable", error=type(error).__name__)
            return Heard(unread(self._context, raw))

    async def _addressed(self, heard: Heard) -> tuple[Any, dict[str, bytes | None]]:
        """With the private chat in place of the person it is with."""
        inbound, notes = heard.inbound, dict[str, bytes | None](heard.notes)
        if inbound is None or inbound.address is None:
            return inbound, notes
        team, _, person = inbound.address.partition("/@")
        if not person:
            if not inbound.public:
                remember(self._private, inbound.sender, Place.of(inbound.address).channel)
            return inbound, notes
        if person not in self._private:
            noted = await self.office.note(f"private:{person}")
            if noted is None:
                opened = await self._api.call("conversations.open", users=person)
                noted = str(opened["channel"]["id"]).encode()
                notes[f"private:{person}"] = noted
            remember(self._private, person, noted.decode())
        return replace(inbound, address=f"{team}/{self._private[person]}"), notes

    # ------------------------------------------------------------ what is done beside

    async def bring(self, id: str, errand: Errand) -> None:
        """Fetch a file that somebody sent."""
        url = errand["url"] or await self._api.address_of(errand["file"])
        async with self._api.download(url) as pieces:
            await self.office.files.keep(id, pieces, errand["name"], errand["type"], errand["owner"])

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, call: Call) -> None:
        """A call that may fail; what it was for is then received in words."""
        try:
            await self._api.call(call.method, **call.args)
        except Exception as error:
            log.info("slack_call_failed", method=call.method, error=error_of(error))
            if call.otherwise:
                inbound, notes = await self._addressed(Heard(call.otherwise))
                await self.office.receive([inbound], notes)

    async def _introduce(self) -> None:
        """Learn who we are; say it loudly if Slack will not have us."""
        while True:
            try:
                told = await self._api.call("auth.test")
                self._context = replace(self._context, team=str(told["team_id"]), user=str(told["user_id"]))
                return
            except Exception as error:
                loud = log.error if isinstance(error, Failed) else log.warning
                loud("slack_not_signed_in", error=error_of(error))
            await asyncio.sleep(AGAIN)

    # ------------------------------------------------------------ send

    async def awake(self) -> None:
        """Ask Slack who we are."""
        await self._api.call("auth.test")

    async def send(self, address: str, reply: Reply, key: str) -> str:
        """Post it; returns its timestamp, which is Slack's id of it, or the id of the file."""
        place = Place.of(address)
        try:
            async with sending():
                if reply.attachments:
                    return await self._share(place, address, reply.attachments[0])
                return str((await self._post(place, reply))["ts"])
        except NotSent as error:
            if str(error) in NO_ENTRY:
                log.error("slack_channel_stopped", error=str(error))
            raise

    async def _post(self, place: Place, reply: Reply) -> Mapping[str, Any]:
        named = to_ours(render(place, reply)) if place.channel == self.desk else render(place, reply)
        try:
            return await self._api.call("chat.postMessage", **named)
        except Failed as failed:
            if failed.error not in TOO_MUCH:
                raise
            log.warning("slack_blocks_refused", error=failed.error)
        return await self._api.call("chat.postMessage", **plainly(place, reply))

    async def _share(self, place: Place, address: str, wanted: Attachment) -> str:
        """A file as a message of its own; its id."""
        found = await self.office.files.open(wanted.id, address)
        if found is None:
            raise Refused("the file is not there")
        id = await self._api.upload(*found)
        thread = {"thread_ts": place.thread} if place.thread else {}
        files = [{"id": id, "title": wanted.name}]
        await self._api.call("files.completeUploadExternal", files=files, channel_id=place.channel, **thread)
        return id

    # ------------------------------------------------------------ the desk

    async def begin(self, title: str, head: Reply, key: str) -> str:
        """The head is a message of the desk's channel, and all else a thread below it."""
        if not (team := self._context.team):
            raise NotSent("we do not know yet who we are")
        async with sending():
            return str(Place(team, self.desk, str((await self._post(Place(team, self.desk), head))["ts"])))

    async def member(self, sender: str) -> str:
        """Guests and other companies' people are none of ours."""
        return await self._people.outside(sender, self._context.team)

    # ------------------------------------------------------------ set up

    async def check(self) -> list[Line]:
        """Whether Slack lets us do what we need."""
        self._api.open()
        try:
            return await check(self._api, self._signing, self._app_token, self._hook_url, self.desk)
        finally:
            await self._api.close()

    async def setup(self) -> list[str]:
        """Nothing can be registered from here: Slack apps are made by hand, from the manifest."""
        return ["create the app at https://api.slack.com/apps?new_app=1 → From a manifest: docs/slack-manifest.yaml"]
