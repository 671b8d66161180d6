"""Checks how the bot's account is set up, and sets it up."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Final

from channels import NotSent, Refused, Unknown
from channels.telegram.client import BadToken, Client, Contested
from channels.telegram.reading import KINDS
from channels.telegram.words import ABOUT, COMMANDS, DEFAULT
from channels.widget import Company

Line = tuple[bool, str]

TROUBLE: Final = (NotSent, Unknown, Refused, Contested)
STRANGER: Final = "Telegram refuses the token: in Telegram ask @BotFather, /mybots → API Token"
PORTS: Final = re.compile(r"https://[^/:]+(:(443|80|88|8443))?(/|$)")
SKEW: Final = 30  # seconds our clock may differ
FRESH: Final = 3600  # seconds for which an error of the webhook is news


async def check(client: Client, url: str, *, webhook: bool, desk: int = 0) -> list[Line]:
    """One line for each thing looked at; the first trouble ends it."""
    lines: list[Line] = []
    try:
        await _looked(lines, client, url, webhook=webhook)
        if desk:
            lines += await _desk(client, desk)
    except BadToken:
        lines.append((False, STRANGER))
    except TROUBLE as error:
        lines.append((False, f"Telegram does not answer: {error}"))
    return lines


async def _looked(lines: list[Line], client: Client, url: str, *, webhook: bool) -> None:
    begun = time.monotonic()
    me = await client.call("getMe", {})
    took = 1000 * (time.monotonic() - begun)
    lines.append((True, f"the token is that of @{me.get('username')}, answered in {took:.0f} ms"))
    if abs(client.skew) > SKEW:
        lines.append(
            (False, f"this computer's clock is off by {client.skew:+.0f} s: let it be set over the network (NTP)")
        )
    groups = bool(me.get("can_join_groups"))
    lines.append(
        (True, "may be added to groups" if groups else "may not be added to groups (@BotFather, Bot Settings)")
    )
    if groups:
        reads = bool(me.get("can_read_all_group_messages"))
        hint = "reads commands, mentions and replies in groups; for all else @BotFather, Bot Settings → Group Privacy"
        lines.append((True, "reads all that is said in groups" if reads else hint))
    info = await client.call("getWebhookInfo", {})
    lines += _webhook(info, url, official=client.official) if webhook else _no_webhook(info)
    for language in ("", *COMMANDS["help"]):
        named = await client.call("getMyCommands", {"language_code": language} if language else {})
        missing = COMMANDS.keys() - {one.get("command") for one in named}
        where = f"commands ({language or 'default'})"
        lines.append((not missing, f"{where} are {'missing: aftercare channel setup' if missing else 'set'}"))


async def _desk(client: Client, desk: int) -> list[Line]:
    """Whether we can work in the agents' group: read all that is written there, and open topics."""
    try:
        group = await client.call("getChat", {"chat_id": desk})
        mine = await client.call("getChatMember", {"chat_id": desk, "user_id": (await client.call("getMe", {}))["id"]})
    except Refused as refused:
        return [(False, f"the desk {desk} cannot be used ({refused}): add the bot to that group, as an administrator")]
    title, forum, admin = group.get("title"), bool(group.get("is_forum")), mine.get("status") == "administrator"
    topics = admin and bool(mine.get("can_manage_topics"))
    return [
        (admin, f"the desk {title}: {'the bot reads all of it' if admin else 'make the bot an administrator there'}"),
        (forum, "it has topics" if forum else "it has no topics: Group settings → Topics; until then people reply"),
        (topics, "topics can be opened" if topics else "the bot may not: Administrators → the bot → Manage Topics"),
    ]


def _no_webhook(info: Mapping[str, Any]) -> list[Line]:
    if info.get("url"):
        return [(False, "a webhook is registered, so polling gets nothing: aftercare channel setup takes it away")]
    return [(True, f"polling; {info.get('pending_update_count', 0)} updates wait")]


def _webhook(info: Mapping[str, Any], url: str, *, official: bool) -> list[Line]:
    if not url:
        return [(False, "server.public_url is empty, so Telegram cannot be told where to send updates")]
    lines: list[Line] = []
    if official and not PORTS.match(url):
        lines.append((False, f"Telegram sends to https on port 443, 80, 88 or 8443 only, not to {url}"))
    if info.get("url") != url:
        what = f"registered at {info['url']}" if info.get("url") else "not registered"
        lines.append((False, f"the webhook is {what}, not at {url}: aftercare channel setup"))
    else:
        lines.append((True, f"the webhook is {url}; {info.get('pending_update_count', 0)} updates wait"))
    if missing := set(KINDS) - set(info.get("allowed_updates") or KINDS):
        lines.append((False, f"the webhook does not bring {', '.join(sorted(missing))}: aftercare channel setup"))
    if info.get("last_error_date", 0) > time.time() - FRESH:
        lines.append((False, f"Telegram could not deliver lately: {info.get('last_error_message')}"))
    return lines


async def setup(client: Client, url: str, secret: str, company: Company) -> list[str]:
    """Register webhook (or none), commands and descriptions; one line for each."""
    lines = ["FAILED: webhook: server.public_url is empty"] if secret and not url else []
    for what, method, payload in _steps(url, secret, company):
        try:
            await client.call(method, payload)
            lines.append(f"done: {what}")
        except BadToken:
            return [*lines, f"FAILED: {STRANGER}"]
        except TROUBLE as error:
            lines.append(f"FAILED: {what}: {error}")
    return lines


def _steps(url: str, secret: str, company: Company) -> list[tuple[str, str, dict[str, Any]]]:
    steps: list[tuple[str, str, dict[str, Any]]] = []
    if secret and url:
        hook = {"url": url, "secret_token": secret, "allowed_updates": list(KINDS), "max_connections": 40}
        steps.append((f"webhook {url}", "setWebhook", hook))
    elif not secret:
        steps.append(("no webhook: we poll", "deleteWebhook", {"drop_pending_updates": False}))
    for language in ("", *COMMANDS["help"]):
        spoken, code = language or DEFAULT, {"language_code": language} if language else {}
        commands = [{"command": name, "description": said[spoken]} for name, said in COMMANDS.items()]
        steps.append((f"commands ({language or 'default'})", "setMyCommands", {"commands": commands, **code}))
        name = company.name.get(spoken) or next(iter(company.name.values()), "")
        about = ABOUT[spoken].replace("{company}", name)
        steps.append((f"description ({language or 'default'})", "setMyDescription", {"description": about, **code}))
    return steps
