"""Wishes contrary to every answer: to make something worse, to harm somebody, to turn the bot, to prevent it all."""

from __future__ import annotations

import re

SHORT = 200  # characters of a wish; what comes after it in a longer text is a story

_HOW = r"\bhow (?:do|can|could|should|would|to)(?: (?:i|we|you|one))?"
_SPOILS = re.compile(
    r"\b(?:how|want|like|can|could|help|please)\b.*\bmake (?!an?\b|use\b|sure\b)"
    r"(?!.*\b(?:not|never|stop|no|cannot|if|when|because|since|after|that|why)\b).*\b(?:"
    r"slower|worse|weaker|hotter|blurrier|foggier|unusable|impossible|invalid|unsafe|insecure|useless|fake"
    r"|less (?:safe|secure|reliable|stable)|fail|break|crash|overheat|(?:go|stay) offline|(?:go|turn|stay|become) red"
    r"|red \w+ stay|wear out|take longer|arrive later|(?:drop|restart|fail|crash) more|more expensive)\b"
    r"|\b(?:want|like) (?:the|my|our|it)\b[^,]*\bto (?:take longer|be (?:slower|worse))\b"
    rf"|{_HOW} (?:break|damage|ruin|destroy|sabotage|brick|overload|fake|forge)\b"
    rf"|{_HOW} get (?:my \w+ )?(?:banned|frozen|locked out)\b"
    r"|^(?!.*\b(?:not|didn't|never)\b).*\b(?:how|want|help)\b.*\b(?:on purpose|deliberately|intentionally)\b"
    rf"|{_HOW} not (?=get an?\b|pay\b(?!.*\b(?:shipping|postage|delivery)\b)|receive\b|be? ?able\b)"
)
_SPOILS_ZH = re.compile(
    r"(?:怎么|怎样|如何|想|帮我|能不能)[^,]{0,4}(?:让|使|把|将)(?![^,]*(?:客人|顾客|孩|儿|别人|邻居|租|蹭|不[再会要]|别|没))[^,]*"
    r"(?:更(?:[慢差糊烫热贵]|模糊|不)|[慢差糊烫热]一?[点些]|变[慢差糊烫热坏红短]|[弄搞摔]坏|坏[得掉]|作废|失效|过期|像假"
    r"|(?:一直|永远|经常|老是)(?:离线|断|红|掉|坏|失败)|断[网线]?更|被?(?:冻结|封号))"
    r"|能不能再?[慢差]一?点"
    r"|(?:怎么|怎样|如何)(?:才能|可以)?(?:故意|伪造)|(?:怎么|怎样|如何)才?能?被[^,]{0,4}(?:封号|冻结)$"
    r"|(?:怎么|怎样|如何)才能(?:收不到|拿不到|不(?:开发?票|开票|收货|签收|付(?:[款钱]|$)|给钱))"
)
_SOMEBODY = (
    r"(?:some(?:one|body)|strangers?|another person|other people|(?:my |our |the )?neighbou?rs?|my (?:ex|wife|husband))"
)
_HARMS = re.compile(
    rf"{_HOW} (?:secretly )?(?:hack|crack|spy on|stalk|blackmail|eavesdrop|break into|steal)\b"
    rf"|{_HOW} (?:watch|see|read|enter|access|get into|listen to) (?:an? )?{_SOMEBODY}(?:'s)?(?: else's)? (?!with\b)\w+"
    r"|\b(?:want|let) .*\b(?:see|watch|enter)\b.*\bwithout (?:my |his |her |their )?(?:permission|consent)\b"
    r"|\b(?:passwords?|phone numbers?|address(?:es)?|e-?mails?|names|list)\b.{0,20}\bof "
    r"(?:the (?:last|previous|other) customer|the customer before"
    r"|(?:(?:all|any|your|other|another|the other) )+(?:customer|user|client)s?\b(?! (?:service|support|care)))"
    r"|(?:怎么|怎样|如何|想|帮我|能不能)(?:才能|可以)?(?:破解|偷看|偷拍|窃听|监听|黑进|入侵|攻击|勒索)(?!了)"
    r"|让[^,]{0,6}(?<!小)偷看|(?:勒索|敲诈)别人|怎么(?:进|登录)(?:陌生人|别人|隔壁|邻居)家?的"
    r"|(?:所有|别的|其他|上一个|前一个|前面那个)(?:客户|用户|顾客|客人)的?(?:[^,我看]{0,4})(?:密码|电话|地址|邮箱|名单|资料)"
)
_TURNS = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,30}\b(?:instructions?|rules|prompts?)\b|\b(?:system|hidden) prompt\b"
    r"|\byou are now (?:an? )?(?!offline|online|connected)\w+|\b(?:repeat|say|write) .{0,20}\b(?:forever|times)$"
    r"|<script|\bdrop table\b|\bunion select\b|\bor 1 ?= ?1\b"
    r"|(?:忽略|无视|忘掉|忘记)[^,]{0,8}(?:指令|规则|提示词)|系统提示词|(?:假装|扮演|你现在是)(?!不)[^,]{2}"
)
_PREVENTS = re.compile(  # "how do I make sure that nobody restarts it" does not ask how to restart it
    r"\b(?:stop|prevent|keep) (?:any|some|every|other|people|strangers)[^,.!?;]{0,20} from \w+ing\b"
    r"|\b(?:prevent|keep|stop) [^,.!?;]{0,60}\bfrom (?:ever )?being "
    r"(?!seen|watched|heard|filmed|recorded|tracked|hacked|stolen|used|overheard|spied)\w+|\bfrom ever \w+ing\b"
    r"|\b(?:nobody|no one|no-one) (?:can|could|may|is able)\b"
    r"|\b(?:make sure|ensure) (?:that )?(?:nobody|no one|no-one|none)\b|\bmake it impossible\b"
    r"|\b(?:prevent|keep|stop) my (?:boss|friends?|colleagues?|customers?) from \w+ing\b|\bhide .*\bfrom your\b"
    r"|^(?:please )?never (?:tell|show|send|let|give|allow)\b|\bdon't want (?:any(?:one|body)|people) to\b"
    r"|防止|阻止|避免|让(?:别人|外人|人家|任何人|谁)[^,.!?;。、]{0,6}(?:不了|不能|没法|无法|找不到)"
    r"|(?:谁都|大家都|所有人都)[^,]{0,6}(?:不|没法|无法)|怎么不让(?:你们|老板|(?!.*(?:[看用]|孩|朋友|儿|女)))"
    r"|永远(?:别|不要)|^别(?:让任何人|告诉)"
)


def spoils(clause: str) -> bool:
    """Does it ask how to make something worse, to harm somebody or to misuse the bot? Who wants help does not."""
    return any(kind.search(clause, 0, SHORT) for kind in (_SPOILS, _SPOILS_ZH, _HARMS, _TURNS))


def prevents(text: str) -> bool:
    """Does it ask how to keep something from happening that others ask for?"""
    return bool(_PREVENTS.search(text))
