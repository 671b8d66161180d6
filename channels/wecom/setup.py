"""Checks how WeCom is set up, a line for each thing with where to click, and creates the application's menu."""

from __future__ import annotations

from typing import Any

from channels import NotSent, Unknown
from channels.wecom.client import Client
from channels.wecom.errors import Fault, explained

Lines = list[tuple[bool, str]]
CLOCK = 300.0  # seconds two clocks may differ
MENU = (("do:human", "转人工"), ("do:ticket", "报修/提单"), ("do:ticket_status", "查进度"))


async def check(app: Client, kf: Client, agent: str) -> Lines:
    """Token, clock, application, kf accounts."""
    found = await _token(app, "WECOM_SECRET")
    if not found[-1][0]:
        return found
    found += await _agent(app, agent)
    if kf is not app:
        found += await _token(kf, "kf_secret")
    found += await _accounts(kf)
    return found


async def setup(app: Client, agent: str) -> list[str]:
    """Create the application's menu, whose keys are read like the buttons of a card; says what was done."""
    buttons = [{"type": "click", "name": name, "key": f"{choice}|{name}"} for choice, name in MENU]
    try:
        await app.post("menu/create", {"button": buttons}, agentid=agent)
    except (Fault, NotSent, Unknown) as error:
        return [f"FAILED: the menu: {_why(error)}"]
    names = " · ".join(name for _, name in MENU)
    return [
        f"menu: {names}",
        "to be done by hand: 管理后台 → 应用管理 → 自建应用 → 接收消息 → 设置API接收 (docs/wecom.md)",
    ]


async def _token(api: Client, setting: str) -> Lines:
    try:
        await api.token()
    except (Fault, NotSent) as error:
        return [(False, f"{setting}: {_why(error)}")]
    found = [(True, f"{setting}: access token received")]
    if abs(api.clock) > CLOCK:
        found.append((False, f"clock: ours and WeCom's differ by {abs(api.clock):.0f} s; set ours right (NTP)"))
    return found


async def _agent(api: Client, agent: str) -> Lines:
    try:
        said = await api.get("agent/get", agentid=agent)
    except (Fault, NotSent, Unknown) as error:
        return [(False, f"application {agent}: {_why(error)}")]
    if said.get("close"):
        return [(False, f"application {agent}: it is switched off [管理后台 → 应用管理 → 自建应用 → 启用]")]
    seen = _who(said)
    where = "管理后台 → 应用管理 → 自建应用 → 可见范围"
    return [
        (True, f"application {agent}: {said.get('name', '')}"),
        (bool(seen), f"visible to {seen}" if seen else f"visible to nobody [{where}]"),
    ]


def _who(said: dict[str, Any]) -> str:
    users = (said.get("allow_userinfos") or {}).get("user") or []
    parties = (said.get("allow_partys") or {}).get("partyid") or []
    tags = (said.get("allow_tags") or {}).get("tagid") or []
    counted = ((len(users), "members"), (len(parties), "departments"), (len(tags), "tags"))
    return ", ".join(f"{count} {what}" for count, what in counted if count)


async def _accounts(api: Client) -> Lines:
    try:
        said = await api.post("kf/account/list", {"offset": 0, "limit": 100})
    except Fault as fault:
        if fault.code in (48002, 95012, 95017, 301002):
            return [(True, f"kf: not in use, {explained(fault.code)}")]
        return [(False, f"kf: {_why(fault)}")]
    except (NotSent, Unknown) as error:
        return [(False, f"kf: {_why(error)}")]
    where = "管理后台 → 应用管理 → 微信客服 → API → 可调用接口的应用"
    return [
        (bool(one.get("manage_privilege", True)), f"kf account {one.get('open_kfid')} {one.get('name', '')}{missing}")
        for one in said.get("account_list") or ()
        for missing in ("" if one.get("manage_privilege", True) else f": not ours to manage [{where}]",)
    ] or [(True, "kf: there is no account yet")]


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
