"""What asks nothing: a single word, or what somebody has, is or did, without a wish and without a fault."""

from __future__ import annotations

import re

from knowledge.normal import units

SHORT = 60  # characters of a bare statement; in a longer one there is more to it

_CJK = re.compile(r"[一-鿿]")
_TOLD = re.compile(  # what somebody has, is or did
    r"^(?:i|we|he|she|it|(?:my|our|the|his|her|this) (?:\w+ ){0,2}?\w+) "
    r"(?:am|is|are|was|were|have|has|had|lives?|bought|gave|uses?|likes?|loves?|stands?|sits?|hangs?|moved|reads?"
    r"|works?) "
    r"[\w'-]+(?: [\w'-]+){0,5}$"
    r"|^(?:(?:我|我们|我家|我们家|他|她|这个?|那个?|另一?个|[^,]{2,6}?)(?:们|家)?"
    r"(?:是[^,]{1,6}的|挺[^,]{1,6}|放在[^,]{2,8}|有[一两二三四五六七八九十几]?[个台只条件根口张间][^,]{1,10}|买了[^,]{1,8}"
    r"|在[^,]{1,6}(?:旁边?|[上下里外前后左右][面边]?)|[^,]{1,4}[一二两三四五六七八九十几]年了"
    r"|住在?[^,]{1,6}|叫[^,]{1,4}|送给?[^,]{2,6}|喜欢[^,]{2,8}|是[^,]{2,4}))$"
)
_WANTS = re.compile(
    r"\b(?:how|what|which|where|when|why|who|can|could|would|should|want|need|please|help|not|no|never|nothing|but|only"
    r"|still|again|\w+n't|dont|cant|wont|isnt|doesnt|too|very|so|always|off|down|out|gone|lost|broken|wrong|stuck|stolen"
    r"|slow|dead|red|orange|blink\w*|fail\w*|forgot\w*|missing|damaged|late|locked|full|offline|hot|weak|bad|empty|cut"
    r"|good|great|nice|kind|friendly|brilliant|excellent|perfect|wonderful|amazing|rude|terrible|thank\w*)\b"
    r"|[画屏像频控].*黑|黑(?!色的$)"
    r"|[吗呢么?啥什怎哪谁多如何能可想请求帮不没无未别坏断慢红橙闪掉丢忘错误失卡烫热吵漏迟晚贵破碎裂换改退修离绑旧弱差糊好棒谢赞]"
)


def tells(text: str) -> bool:
    """Is a normalised text but a word, or a statement without a wish and a fault?"""
    if len(text) > SHORT:
        return False
    word = len(units(text)) <= (2 if _CJK.search(text) else 1)
    return word or bool(_TOLD.search(text) and not _WANTS.search(text))
