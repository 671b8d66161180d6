"""What WeCom's error numbers mean, in plain words, and what they mean for a message of ours."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from channels import NotSent, Refused

log = structlog.get_logger("wecom")

RENEW = frozenset({40014, 41001, 42001})  # the access token is not, or no longer, good
SLOW = (60.0, 300.0, 900.0, 3600.0)  # seconds: an exceeded frequency is blocked for a minute, an hour or a day
SETUP = 300.0  # seconds until we look again whether the administrator has put it right
CREDENTIALS = frozenset({40001, 40013, 40056, 60020})  # with these nothing at all goes out
STATE = 95018
EXPIRED = 40007  # a media_id
BAD_PULL_TOKEN = 95007

_APP = "管理后台 → 应用管理 → 自建应用"
_KF = "管理后台 → 应用管理 → 微信客服"
# number -> kind, Chinese, English, where to click. Kinds: token, busy, slow, setup, gone, state, spent, wrong
MEANINGS: dict[int, tuple[str, str, str, str]] = {
    -1: ("busy", "系统繁忙", "WeCom is busy", ""),
    6000: ("busy", "数据版本冲突", "two changes at the same time", ""),
    40001: ("setup", "Secret 不正确", "the secret is wrong", f"{_APP} → Secret → 查看; WECOM_SECRET"),
    40003: ("gone", "无效的 UserID", "there is no such member", "管理后台 → 通讯录"),
    40007: ("wrong", "media_id 无效或已过期(3 天)", "the uploaded file has expired", ""),
    40013: ("setup", "企业 ID 不正确", "the corp id is wrong", "管理后台 → 我的企业 → 企业ID; WECOM_CORP_ID"),
    40014: ("token", "access_token 无效", "the access token is not valid", ""),
    40056: ("setup", "AgentId 不正确", "the agent id is wrong", f"{_APP} → AgentId; WECOM_AGENT_ID"),
    40058: ("wrong", "参数不合法", "a parameter is not allowed", ""),
    40096: ("gone", "external_userid 无效", "there is no such customer", ""),
    41001: ("token", "缺少 access_token", "the access token is missing", ""),
    42001: ("token", "access_token 已过期", "the access token has expired", ""),
    42014: ("wrong", "任务卡片已更新或已失效", "the card was changed already", ""),
    44004: ("wrong", "消息内容为空", "the message is empty", ""),
    45002: ("wrong", "消息内容超过 2048 字节", "the message is longer than 2048 bytes", ""),
    45009: ("slow", "接口调用超过频率限制", "called too often", "管理后台 → 应用管理 → 接口调用频率"),
    45033: ("busy", "接口并发调用超过限制", "too many calls at the same time", ""),
    48002: ("setup", "没有调用该接口的权限", "this interface is not allowed", f"{_KF} → API → 可调用接口的应用"),
    60011: ("wrong", "没有访问该成员的权限", "the application may not see this member", f"{_APP} → 可见范围"),
    60020: ("setup", "服务器 IP 不在可信名单", "our address is not trusted", f"{_APP} → 企业可信IP"),
    60111: ("gone", "UserID 不存在", "there is no such member", "管理后台 → 通讯录"),
    81013: ("gone", "接收人无权限或不存在", "no such member, or one who may not use it", f"{_APP} → 可见范围"),
    95000: ("wrong", "客服账号 ID 不合法", "there is no such kf account", f"{_KF} → 客服账号"),
    95001: ("spent", "48 小时内只能发 5 条", "five messages were sent already", ""),
    95002: ("spent", "客户 48 小时内没有发过消息", "the customer has not written for 48 hours", ""),
    95004: ("wrong", "客服账号不存在", "there is no such kf account", f"{_KF} → 客服账号"),
    95007: ("wrong", "拉取消息的 Token 无效或已过期", "the token of the pull has expired", ""),
    95011: ("setup", "微信客服由企业微信管理", "kf is run from inside WeCom", f"{_KF}; use its Secret"),
    95012: ("setup", "企业微信未开启微信客服", "kf is not switched on", f"{_KF} → 开启"),
    95013: ("state", "会话已结束", "the session has ended", ""),
    95016: ("state", "不允许这样变更会话状态", "the session may not be moved like that", ""),
    95017: ("setup", "微信客服 API 未开启", "the API of kf is not switched on", f"{_KF} → API"),
    95018: ("state", "当前会话状态不允许发送", "a person has it, or it is over", f"{_KF} → 客服账号 → 接待方式"),
    301002: ("setup", "该应用没有权限", "the application is not allowed to do this", f"{_APP} → 可见范围"),
    701008: ("wrong", "没有互通帐号许可", "the member has no licence", "管理后台 → 应用管理 → 接口许可"),
}  # fmt: skip
FAILED = {  # fail_type of a kf msg_send_fail event
    1: "客服账号已删除 the kf account was deleted",
    2: "应用已关闭 the application was closed",
    4: "会话已过期，超过 48 小时 more than 48 hours have passed",
    5: "会话已关闭 the session was closed",
    6: "超过 5 条限制 five messages were sent already",
    8: "主体未验证 the company is not verified",
    10: "用户拒收 the customer does not want our messages",
    11: "企业未有成员登录企业微信 App nobody of the company has used WeCom",
    12: "发送的消息为客服组件禁发的消息类型 this kind of message is forbidden there",
}


class Fault(Exception):
    """WeCom answered with an error number."""

    def __init__(self, code: int, path: str, said: str = "") -> None:
        super().__init__(f"{code} {explained(code)}")
        self.code, self.path, self.said = code, path, said
        self.kind = MEANINGS.get(code, ("wrong",))[0]

    @property
    def repeated(self) -> bool:
        """Whether it says that a message of this id was taken before; the number of that error is not documented."""
        said = self.said.lower()
        return self.code == 45065 or ("msgid" in said and any(w in said for w in ("exist", "dup", "repeat", "used")))


def explained(code: int) -> str:
    """The number in Chinese and English."""
    _, zh, en, where = MEANINGS.get(code, ("", "未知错误", "an error we do not know", ""))
    return f"{zh} ({en}){f' [{where}]' if where else ''}"


class Verdict:
    """What an error means for a message. Remembers how often in a row we called too fast.

    What was under way when we were told so hears the same, and counts once with it. ``clock`` counts seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._slow, self._until = clock, 0, float("-inf")

    def fine(self) -> None:
        """Note that a call went through."""
        self._slow = 0

    def on(self, fault: Fault) -> NotSent | Refused:
        """The outcome to be raised; said loudly in the log."""
        _, zh, en, where = MEANINGS.get(fault.code, ("", "未知错误", "an error we do not know", ""))
        log.warning("wecom_error", errcode=fault.code, api=fault.path, zh=zh, en=en, where=where)
        why = str(fault)
        match fault.kind:
            case "busy" | "token":  # a token that is new may not have come round everywhere: the next one will do
                return NotSent(why, 5.0)
            case "slow":
                if (now := self._clock()) >= self._until:
                    self._until = now + SLOW[min(self._slow, len(SLOW) - 1)]
                    self._slow += 1
                return NotSent(why, self._until - now, everything=True)
            case "setup":
                return NotSent(why, SETUP, everything=fault.code in CREDENTIALS)
            case kind:
                return Refused(why, gone=kind == "gone")
