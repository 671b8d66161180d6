"""What words look like, whatever was asked: a question, an address, a number to be reached at."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_PHONE = re.compile(r"(?<![\w.])(?:\+|00)?[(\d](?:[\s().-]{0,2}\d){5,15}\)?(?!\w)")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]{2,}")
_QUESTION = re.compile(
    r"[?？]\s*$|[吗呢么嘛]\s*[。!！]?\s*$|[要是用].{1,8}还是.{1,8}$|怎么|如何|为什么|多久|多少|哪里|哪儿|什么时候"
    r"|(?<!没)(?<!没有)(?<!知道)(?<!清楚)什么(?:办法|意思|情况|原因|问题|时间)[呢啊呀]?\W*$|(?![动时])([\u4e00-\u9fff])[不没]\1"
    r"|^(?:can|could(?! be\b)|do|does|is|are|will)\b"
    r"|^(?:(?:and|so|but|ok|okay|well|wait|then|also|hi|hello|please|lol|hm+)\b[\s,.!]*)*"
    r"(?:how|what|when|where|which|who|why|do (?:i|you|we|they|the|my|your|these|those)"
    r"|(?:can|could|does|is|are|will) (?:i|you|we|they|he|she|it|the|my|your|this|that|there|some\w*|any\w*))\b",
    re.IGNORECASE,
)
_CALM = re.compile(
    r"没事了?(?:[,，。!！\s]|$)|断(?:了|开)?电|(?:关|停|切)(?:掉|了|断)?(?:电|总闸)|拉闸|拔(?:掉|了|下|出)|[灭熄]了|不冒|虚惊"
    r"|安全(?:了|吗|么)|能(?:继续)?用了?[吗么]|(?:use|turn|plug) (?:it|the \w+) (?:again|on|back|in)\b"
    r"|(?:人|我|我们|大家|孩子)都?没(?:受伤|事)|\b(?:i'?m|we'?re|i am|we are) (?:ok|okay|fine|all ?right|unhurt)\b"
    r"|\b(?:no|not)(?:body|one)?(?: was| is)? hurt\b"
    r"|\bsafe\b|false alarm|under control|unplugged|(?:power|fuse|mains?)\b.{0,12}\boff\b"
    r"|(?:turned|switched|shut) (?:\w+ ){0,3}off|(?:fire|it)(?:'?s| is) out\b|(?:has )?stopped (?:smok|burn|spark)",
    re.IGNORECASE,
)
_CLAUSES = re.compile(r"[,，;；。\n]+|[.!?](?=\s|$)|[!！?？]")
_BEFORE = re.compile(  # what is said before an address
    r"^(?:.*\bat(?= \d)|.*?(?:\baddress(?: is)?\b|\b(?:live|i'm|i am|stay) (?:at|in)\b"
    r"|地址[是为]?|我住在?|[住寄送][在到]|(?:应该|改[成为]|(?=是))是?))[\s:：]*",
    re.IGNORECASE,
)
_TOWN = re.compile(  # and what may follow a street
    r"[A-Z][a-zA-Z'’ -]{2,24}(?: [A-Z0-9 ]{5,8})?|[0-9一二三四五六七八九十]+ ?(?:号|栋|幢|座|楼|单元|室).{0,12}"
)
_GIVES_UP = re.compile(
    r"(?:(?:no|ok|actually|oh|well)\b[\s,]*)*(?:算了|不用了|(?:那|我)?就?不(?:弄|报|修|装|换|退|买|办|约|预约)了"
    r"|(?:never ?mind|forget (?:it|that)|leave it)(?=\W*$|[,.;!]|\s+i(?:'|\b)))",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"[省市区县镇乡村路街道巷弄园]\w{0,12}? ?[0-9一二三四五六七八九十]+ ?(?:号|栋|幢|座|室|楼|单元|弄)"
    r"|\b\d+[a-z]?,? (?:[a-z'.]+ ){1,3}(?:street|st|road|rd|lane|ln|avenue|ave|drive|dr|way|court|square|place|blvd"
    r"|crescent|terrace|gardens|grove|mews|(?-i:Close|Hill|Park|Row))\b",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"(?:[那就]|no\W+|ok\W+)?(?:就这样|这样就[行好]|没(?:有)?(?:别的|其他的?)?了"
    r"|that(?:'?s| is) (?:it|all|everything)(?: for now)?|就这些"
    r"|没(?:有)?(?:什么|啥)?问题|都?(?:可以|好|行)(?=了)"
    r"|nothing (?:else|more)|(?:(?:it|that)(?:'?s| is) )?(?:looks|all|sounds) (?:good|fine|right|ok))"
    r"[了吧啊呀的]*"
    r"(?:\W*(?:thanks?(?: you)?|谢谢你?|please))?\W*$",
    re.IGNORECASE,
)
_SENDS = re.compile(
    r"(?:(?:yes|yeah|ok|okay|please|just|then|now|you can|go ahead and)[, ]+)*(?:send|submit|confirm(?:ed)?)"
    r"(?: it| this| that| now| off| please| then)*[.!]*"
    r"|(?:好的?|行|可以|对|那|就|请|嗯|帮我|[,，])*(?:这样)?(?:提交|发送|发|交|确认)(?:吧|了|一下)?[。!！]*",
    re.IGNORECASE,
)
_NO_FIRM = re.compile(r"\bno(?:t for)?(?: an?)? company\b|[不没]是?有?(?:什么)?公司", re.IGNORECASE)
_FIRM = re.compile(
    r"公司|企业|单位|学校|[大中小]学|酒店|宾馆|医院|工厂|商家|店铺|门店|办公|[0-9]+ ?个人"
    r"|\b(?:company|firm|business|school|college|university|hotel|hospital|office|shop|store|ltd|inc|llc|gmbh|corp)\b",
    re.IGNORECASE,
)
_PRIVATE = re.compile(
    r"\b(?:for|at|in) (?:my|our) (?:own )?(?:house|home|flat|apartment|family|parents|mum|mom|dad|wife|husband|son)\b"
    r"|\bfor (?:myself|me)\b|\b(?:privately|private (?:person|use|customer|individual))\b"
    r"|\b(?:a household|home use|personal use)\b"
    r"|(?:自己|[我他她]们?)家|(?<![皇国专管独])家(?:[里用庭]|中(?!医))|自用|自己用|个人|私人|爸妈|父母|老人",
    re.IGNORECASE,
)


@lru_cache(1024)  # a message is asked for a dozen times, and so are its buttons
def bare(text: str) -> str:
    """Letters and digits only, without case and width: how typed words and labels are compared."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def is_question(text: str) -> bool:
    """Whether the words look like a question, whatever they ask."""
    return bool(_QUESTION.search(text.strip()))


def is_calm(text: str) -> bool:
    """Whether the words are about a danger that is over, or may be."""
    return bool(_CALM.search(text.strip()))


def gives_up(text: str) -> bool:
    """Whether the words begin with "never mind"."""
    return bool(_GIVES_UP.match(text))


def is_address(text: str) -> bool:
    """Whether a text is an address by its look."""
    return bool(_ADDRESS.search(text))


def is_private(text: str) -> bool:
    """Whether something is for a household, and no firm has to do with it."""
    return bool(_NO_FIRM.search(text) or (_PRIVATE.search(text) and not _FIRM.search(text)))


def is_all(text: str) -> bool:
    """Whether the words only say that there is no more to tell."""
    return bool(_ALL.match(text.strip()))


def sends(text: str) -> bool:
    """Whether the words only say that something is to be sent."""
    return bool(_SENDS.fullmatch(text.strip()))


def clauses(text: str) -> list[str]:
    """What stands between marks, without what is blank."""
    return [clause.strip() for clause in _CLAUSES.split(text) if clause.strip()]


def address(text: str) -> str:
    """The address that stands in a text, "" if none does."""
    said = clauses(text)
    first = next((at for at, clause in enumerate(said) if is_address(clause)), None)
    if first is None:
        return ""
    last = first
    while last + 1 < len(said) and (is_address(said[last + 1]) or _TOWN.fullmatch(said[last + 1])):
        last += 1
    start = text.index(_BEFORE.sub("", said[first]))
    return text[start : text.index(said[last]) + len(said[last])]


def same_town(place: str, before: str) -> str:
    """A street that corrects another is in the same town, unless more than a street and its number is said."""
    if re.search("[省市区县镇]", place):
        return place
    if place and (within := re.match(".*[省市区县镇]", before)):
        return within[0] + place
    town = clauses(before)[1:] if _ADDRESS.fullmatch(place) else []
    return ", ".join((place, *town))


def pieces(label: str) -> list[str]:
    """The words of a label, of a Chinese one every two signs that stand together."""
    return re.findall("[a-z]{4,}", label) or [label[n : n + 2] for n in range(len(label) - 1)]


def mentioned(text: str, products: Iterable[str]) -> str:
    """A product of ours that stands in a text, the longest name first; "" if none does."""
    return max((name for name in products if bare(name) in bare(text)), key=len, default="")


def phone(text: str) -> str:
    """The first phone number of whatever country that stands in it, "" if none does."""
    found = _PHONE.search(unicodedata.normalize("NFKC", text))
    return found[0].strip() if found else ""


def reachable(text: str) -> bool:
    """Whether something written into a field is a phone number or an e-mail address."""
    return bool(phone(text) or _MAIL.search(text))


def number_alone(text: str) -> str:
    """A text that is nothing but a phone number of whatever country, "" if it is not."""
    return text.strip() if _PHONE.fullmatch(unicodedata.normalize("NFKC", text).strip()) else ""
