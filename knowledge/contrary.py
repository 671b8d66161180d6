"""Wishes contrary to every answer: that something be worse than before, or be kept from happening at all."""

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
    rf"|{_HOW} (?:break|damage|ruin|destroy|sabotage|brick|overload|fake|forge)\b"
    rf"|{_HOW} get (?:my \w+ )?(?:banned|frozen|locked out)\b"
    r"|^(?!.*\b(?:not|didn't|never)\b).*\b(?:how|want|help)\b.*\b(?:on purpose|deliberately|intentionally)\b"
    rf"|{_HOW} not (?=get an?\b|pay\b|receive\b|be? ?able\b)"
)
_SPOILS_ZH = re.compile(
    r"(?:怎么|怎样|如何|想|帮我|能不能)[^,]{0,4}(?:让|使|把|将)(?![^,]*(?:客|孩|儿|别人|邻居|租|蹭|不[再会要]|别|没))[^,]*"
    r"(?:更(?:[慢差糊烫热贵]|模糊|不)|[慢差糊烫热]一?[点些]|变[慢差糊烫热坏红短]|[弄搞摔]坏|坏[得掉]|作废|失效|过期|像假"
    r"|(?:一直|永远|经常|老是)(?:离线|断|红|掉|坏|失败)|断[网线]?更|被?(?:冻结|封号))"
    r"|(?:怎么|怎样|如何)(?:才能|可以)?(?:故意|伪造)|(?:怎么|怎样|如何)才?能?被[^,]{0,4}(?:封号|冻结)$"
    r"|(?:怎么|怎样|如何)才能(?:收不到|拿不到|不(?:开发?票|开票|收货|签收|付[款钱]?|给钱))"
)
_PREVENTS = re.compile(  # "how do I make sure that nobody restarts it" does not ask how to restart it
    r"\b(?:stop|prevent|keep) (?:any|some|every|other|people|strangers)[^,.!?;]{0,20} from \w+ing\b"
    r"|\b(?:prevent|keep|stop) [^,.!?;]{0,60}\bfrom (?:ever )?being "
    r"(?!seen|watched|heard|filmed|recorded|tracked|hacked|stolen|used|overheard|spied)\w+|\bfrom ever \w+ing\b"
    r"|\b(?:nobody|no one|no-one) (?:can|could|may|is able)\b"
    r"|\b(?:make sure|ensure) (?:that )?(?:nobody|no one|no-one|none)\b|\bmake it impossible\b"
    r"|^(?:please )?never (?:tell|show|send|let|give|allow)\b|\bdon't want (?:any(?:one|body)|people) to\b"
    r"|防止|阻止|避免|让(?:别人|外人|人家|任何人|谁)[^,.!?;。、]{0,6}(?:不了|不能|没法|无法)"
    r"|(?:谁都|大家都|所有人都)[^,]{0,6}(?:不|没法|无法)|怎么不让(?!.*[看用])|永远(?:别|不要)|^别(?:让任何人|告诉)"
)


def spoils(clause: str) -> bool:
    """Does it ask how something gets worse, is damaged or is not to be had? Nobody who wants help does."""
    return bool(_SPOILS.search(clause, 0, SHORT) or _SPOILS_ZH.search(clause, 0, SHORT))


def prevents(text: str) -> bool:
    """Does it ask how to keep something from happening that others ask for?"""
    return bool(_PREVENTS.search(text))
