"""What a Slack app must be allowed to do for this channel, as the manifest it is created from and checked against."""

from __future__ import annotations

from typing import Any, Final

from channels.slack.rendering import FORM

COMMAND: Final = "/support"
SCOPES: Final[dict[str, str]] = {  # permission -> what it is for
    "app_mentions:read": "hear its name",
    "channels:history": "read public channels it was invited to",
    "chat:write": "answer",
    "commands": "the slash command and the shortcut",
    "files:read": "take the pictures and files customers send",
    "files:write": "send files to customers",
    "groups:history": "read private channels it was invited to",
    "im:history": "read what is written to it in private",
    "im:write": "open the private chat with somebody who used the command",
    "mpim:history": "read group messages it was added to",
    "users:read": "names and languages of customers",
}
EVENTS: Final = (
    "app_home_opened",
    "app_mention",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
)


def manifest(
    name: str = "Aftercare", url: str = "https://support.example.com/hooks/slack", *, socket: bool = False
) -> dict[str, Any]:
    """The app's manifest; over Socket Mode it needs no address of ours."""
    at = {} if socket else {"request_url": url}
    command = {"command": COMMAND, "description": "Ask support, or open a ticket", "usage_hint": "[your question]"}
    shortcut = {"name": "Open a ticket", "type": "message", "callback_id": FORM, "description": "From this message"}
    home = {"home_tab_enabled": False, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False}
    return {
        "display_information": {"name": name, "description": "After-sales support: answers, tickets, people"},
        "features": {
            "app_home": home,
            "bot_user": {"display_name": name, "always_online": True},
            "shortcuts": [shortcut],
            "slash_commands": [{**command, **({} if socket else {"url": url}), "should_escape": True}],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**at, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **at},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": False,
        },
    }
