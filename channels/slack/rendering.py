"""What goes to Slack: messages with blocks, the ticket's form, and the few sentences that only Slack needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.messages import Reply
from channels import Can
from channels.dialects import SLACK_TOTAL, slack_blocks, slack_mrkdwn
from channels.fit import clip, parts
from channels.mentions import MENTION
from channels.slack.values import Place

FORM: Final = "ticket"  # callback id of the form, and of the shortcut that opens it
_PREVIEW: Final = 3000  # characters of the text that notifications show
_LONGEST: Final = 40_000  # characters of a message without blocks, where even an "&" is five of them

WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "title": "Open a ticket",
        "submit": "Send",
        "close": "Cancel",
        "what": "What is it about?",
        "product": "Which product?",
        "contact": "How can we reach you? (phone or e-mail)",
        "empty": "Please describe it in a few words.",
        "theirs": "These buttons belong to {asker}'s question. Mention me with yours and I will answer it here.",
        "private": "I answer you in our <{link}|private chat>.",
        "form": "The form is open.",
    },
    "zh": {
        "title": "提交工单",
        "submit": "提交",
        "close": "取消",
        "what": "请描述您的问题",
        "product": "哪款产品?",
        "contact": "如何联系您?(电话或邮箱)",
        "empty": "请简单描述一下。",
        "theirs": "这些按钮属于 {asker} 的问题。您有问题请 @我, 我会在这里回答。",
        "private": "我在<{link}|私聊>中回复您。",
        "form": "表单已打开。",
    },
}


def words(language: str) -> Mapping[str, str]:
    """Slack's own sentences in the customer's language."""
    return WORDS.get(language[:2].lower(), WORDS["en"])


def render(place: Place, reply: Reply) -> dict[str, Any]:
    """The arguments of chat.postMessage. In public each row of buttons says whose it is."""
    if len(reply.text) > SLACK_TOTAL // 5 and len(slack_mrkdwn(reply.text)) > SLACK_TOTAL:  # "&amp;" is five
        return plainly(place, reply)
    blocks = slack_blocks(reply)
    text = "\n".join(block["text"]["text"] for block in blocks if block["type"] == "section")
    rows = [block for block in blocks if block["type"] == "actions"]
    for number, row in enumerate(rows):
        row["block_id"] = f"{number}#{place.user}"
    return {**_to(place), "text": clip(text, _PREVIEW), "blocks": blocks}


def to_ours(message: Mapping[str, Any]) -> dict[str, Any]:
    """The same text with our own people named as Slack names them."""
    written = json.dumps(message, ensure_ascii=False)
    return dict(json.loads(MENTION.sub(r"<@\1>", written)))


def plainly(place: Place, reply: Reply) -> dict[str, Any]:
    """The same without blocks, where they are too much for Slack: buttons are numbered lines."""
    whole, *_ = parts(reply, Can(buttons=False, max_text=_LONGEST))
    return {**_to(place), "text": clip(slack_mrkdwn(whole.text), _LONGEST)}


def _to(place: Place) -> dict[str, Any]:
    thread = {"thread_ts": place.thread} if place.thread else {}
    return {"channel": place.channel, **thread, "unfurl_links": False, "unfurl_media": False}


def settled(message: Mapping[str, Any], label: str) -> list[dict[str, Any]]:
    """The blocks of a message of ours whose buttons have done their work: what was chosen stands in their place."""
    kept = [block for block in message.get("blocks") or () if block.get("type") != "actions"]
    chosen = {"type": "plain_text", "text": f"✓ {label}"[:150], "emoji": True}
    return [*kept, {"type": "context", "elements": [chosen]}]


def form(language: str, about: str, products: Sequence[str], origin: Mapping[str, str]) -> dict[str, Any]:
    """The modal that asks everything a ticket needs at once; ``origin``: the message it is about."""
    say = words(language)
    what: dict[str, Any] = {"type": "plain_text_input", "action_id": "what", "multiline": True, "max_length": 2000}
    if about.strip():
        what["initial_value"] = clip(about.strip(), 2000)
    product: dict[str, Any] = {"type": "plain_text_input", "action_id": "product", "max_length": 60}
    if products:
        options = [{"text": _text(clip(name, 75)), "value": name[:150]} for name in products[:100]]
        product = {"type": "static_select", "action_id": "product", "options": options}
    contact = {"type": "plain_text_input", "action_id": "contact", "max_length": 100}
    fields = (("what", what, False), ("product", product, True), ("contact", contact, True))
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": json.dumps(dict(origin)),
        **{name: _text(say[name]) for name in ("title", "submit", "close")},
        "blocks": [
            {"type": "input", "block_id": name, "label": _text(say[name]), "element": element, "optional": optional}
            for name, element, optional in fields
        ],
    }


def _text(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}
