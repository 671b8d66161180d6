"""Courtesies are not asked: "Hello, how do I reset it? Thank you very much" asks what stands in its middle."""

from __future__ import annotations

import re
from collections.abc import Iterable

FAR = 80  # characters at the end of a question in which the courtesies that close it begin

_STOP = r"[\s,.!?;:。、…~-]"
_APART = r"(?=\s*(?:[,.!?;:。、…~-]|$))"


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


_TO_WHOM = r"(?: (?:there|all|again|everyone|everybody|team|support|guys|folks|sir|madam|bot|friends?))*"
_GREETS = (
    rf"(?:hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening|day)){_TO_WHOM}(?![-\w])",
    r"(?:excuse|pardon) me\b",
    r"(?:i'?m |i am )?(?:so |very )?sorry (?:to|for) (?:bother|disturb|interrupt)(?:ing)?(?: you)?(?: again)?\b",
    r"(?:(?:你|您|你们|大家|客服|老师|师傅)好|哈[喽啰罗]|嗨|在[吗么]|在不在|有人[吗么])[啊呀哈]?",
    r"(?:早上|上午|中午|下午|晚上)好(?![慢卡像用多几])[啊呀哈]?",
    r"(?:不好意思|抱歉|对不起)?,? ?打扰(?:一?下|您了?|你们?了?|了)",
)
_GREETS_APART = (  # where they are not set apart they may be what is asked
    r"dear \w+(?: \w+){0,2}",
    r"(?:sorry|ok|okay|well|so|um+|uh+|hm+|oh|ah|alright|anyway)",
    r"(?:how are you(?: doing)?(?: today)?|nice to meet you|(?:i )?hope you(?: are|'re)(?: all| doing)? (?:well|fine))",
    r"(?:is )?(?:any|some)(?:one|body) (?:here|there)",
    r"(?:that(?:'s| is) )?(?:wonderful|great|perfect|awesome|excellent|nice|cool|good|super|brilliant|lovely)",
    r"(?:亲+|亲爱的|客服|小姐姐|小哥哥?|老师|师傅|喂|嗯+|额+|呃+|哦+|那个|好的?|不好意思|抱歉)",
)
_ASKS = (
    r"请问(?:一?下|你们?|您)?",
    r"(?:我们?|还|就|只|先|再|想要?|请|麻烦|跟[你您]|向[你您])*(?:咨询|请教|问)[你您]?(?:一?下|个(?:问题|事情?)|件事情?)[哈啊吧]?",
    r"(?:[你您]?(?:能不能|可不可以|能|可以|麻烦)(?:告诉我|[说讲]一?下)|我?就?想(?:知道|问)|话说)",
    r"客服(?=[你您]好)",
)
_ASKS_HOW = (  # before a question that would be one without them
    r"(?:(?:can|could|would|will) you (?:please |kindly )?|please |pls )(?:tell|explain to|let) me(?: know)?",
    r"(?:i(?:'d| would) like|i (?:just )?want(?:ed)?) to (?:know|ask(?: you)?)",
    r"(?:i was |i'm |i am )?(?:just )?wondering",
    r"(?:do you know|may i ask|wanted to (?:know|ask)|my question is,?)",
)
_QUESTION = r"(?:if|whether|how|what|when|where|why|which|who|can|could|do|does|is|are|will|would)\b"
_ASKS_APART = (
    r"(?:i(?: have|'ve)?(?: just)?(?: got)? )?(?:(?:a|one|another|just|more|quick|short|small|simple|silly|general) )+"
    r"question(?: for you)?(?: please)?",
    r"(?:(?:can|could) (?:you|some(?:one|body)|anyone) )?(?:please |pls )?help(?: me| us)?(?: out)?(?: please)?",
    r"i (?:really )?need (?:some |your )?help(?: please)?",
    r"(?:我|还|这里|这边)*有一?[个点](?:小|简单的|别的)?(?:问题|事)(?:想?[问要请]+(?:教|一?下)*)?",
    r"(?:麻烦[你您]?(?:了|一下)?|请?(?:帮忙|帮帮我|帮我看一?[下看]))",
)
_THANKS = (
    r"\b(?:(?:many |big )?(?:thanks|thank you|thank u|thankyou|thx|tnx|tks|ty|cheers)"
    r"(?: (?:so|very|a|in|for|your|the|any|you|my|lot|lots|much|million|bunch|advance|help|helping|time|support|answer"
    r"|answering|reply|assistance|kindly|again|all|guys|team|mate|buddy|man|sir|madam|bro|friend))*)",
    r"(?:十分|非常|太|很|先|提前)?(?:谢谢|谢了|谢啦|多谢|感谢|蟹蟹)(?:你们?|您|了|啦|哈|啊|哦|亲|大家|客服|帮忙|解答|回复)*",
    r"拜托了?",
)
_THANKS_APART = (
    r"(?:(?:best |kind |warm )?regards|best wishes|sincerely)",
    r"(?:i'?d |i would |i )?(?:really )?appreciate (?:it|(?:any|your|the) help)",
    r"(?:any )?help (?:is |would be )?(?:much |greatly |really )?appreciated",
    r"(?:(?:can|could) you )?(?:please |pls )?(?:help|advise|let me know)(?: me)?(?: with (?:this|that|it))?",
    r"(?:any (?:ideas?|advice)|do you know)",
    r"(?:(?:it'?s |this is )?(?:very |really |quite |so )*urgent|asap|as soon as possible)",
    r"(?:(?:有点|挺|很|比较|真的|非常)?(?:着急|急)+[的啊呀]?|在线等|急用|等回复|求(?:助|解|教|帮助))",
    r"(?:麻烦[您你]?了?|辛苦[您你]?了?|有劳了?|帮帮忙|[你您]知道[吗么])",
    r"(?:(?:能不能|可不可以|能|可以)?帮(?:我|忙)(?:看|解决|处理)?(?:一?下|看)?[吗么]?)",
)
_FIRST, _FIRST_APART = _any(_GREETS + _ASKS), _any(_GREETS_APART + _ASKS_APART + _THANKS)
_BEFORE = re.compile(rf"{_STOP}*(?:{_FIRST}|{_any(_ASKS_HOW)}(?= {_QUESTION})|{_FIRST_APART}{_APART})")
_LAST, _LAST_APART = _any(_THANKS), rf"(?:^|{_STOP})\s*{_any(_THANKS_APART)}"
_AFTER = re.compile(rf"(?:{_LAST}|{_LAST_APART}){_STOP}*$")
_AFTER_QUESTION = re.compile(rf"(?:{_LAST}|{_LAST_APART}|\b(?:please|pls|plz)){_STOP}*$")  # "refund please" is a wish
_ASKED = re.compile(_QUESTION)
_SAYS = re.compile(r"\w")


def plainly(text: str) -> str:
    """A normalised question without the courtesies at its beginning and end; all of it if there is nothing else."""
    rest = text
    while found := _BEFORE.match(rest):
        rest = rest[found.end() :].lstrip(" ,.!?;:。、…~-")
    after = _AFTER_QUESTION if _ASKED.match(rest) else _AFTER
    while found := after.search(rest, max(0, len(rest) - FAR)):
        rest = rest[: found.start()].rstrip(" ,;:、-")
    return rest if _SAYS.search(rest) else text
